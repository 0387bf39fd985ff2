//! What is looked for, and how values are shown.

use component::directory::Part;
use icu_normalizer::ComposingNormalizerBorrowed;

use crate::Error;

/// Fewer letters or digits would find everybody.
pub const FEWEST: usize = 3;

/// Longer than any address.
const MOST: usize = 320;

/// A text to look for.
#[derive(Clone)]
pub struct Query {
    pub(crate) folded: String,
    /// Its digits, if it could be a piece of a phone number.
    pub(crate) digits: Option<String>,
}

impl std::fmt::Debug for Query {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // What support looks for is as private as what it finds.
        f.write_str("Query")
    }
}

impl Query {
    /// Reads a text, or says why it cannot be looked for.
    pub fn new(text: &str) -> Result<Self, Error> {
        if text.len() > MOST {
            return Err(Error::Query(format!(
                "the text is longer than {MOST} bytes, and so is no piece of an address"
            )));
        }
        let folded = fold(text.trim());
        let digits = could_be_phone(&folded).then(|| digits(&folded));
        let counts = digits.as_ref().map_or_else(|| folded.chars().filter(|c| !c.is_whitespace()).count(), String::len);
        if counts < FEWEST || !folded.contains(char::is_alphanumeric) {
            return Err(Error::Query(format!(
                "a user is looked for by at least {FEWEST} letters or digits of e-mail, name or phone"
            )));
        }
        Ok(Self { folded, digits })
    }

    /// The text as it is compared; for a keyed hash of it, never to be shown.
    pub fn folded(&self) -> &str {
        &self.folded
    }

    /// How many characters it has.
    pub fn length(&self) -> usize {
        self.folded.chars().count()
    }
}

fn could_be_phone(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '+' | '-' | '(' | ')' | '.' | '/'))
}

/// NFKC and lower case, so that spellings meet; what would end a line is a space.
pub(crate) fn fold(text: &str) -> String {
    let lower = if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        const { ComposingNormalizerBorrowed::new_nfkc() }.normalize(text).to_lowercase()
    };
    if lower.bytes().any(|b| b < b' ') { lower.replace(|c: char| c < ' ', " ") } else { lower }
}

/// The digits of a phone number.
pub(crate) fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// A value as it is shown to whom it is none of their business: enough to tell two apart.
pub fn masked(part: Part, value: &str) -> String {
    match part {
        Part::Email => match value.rsplit_once('@') {
            Some((local, domain)) => {
                let first: String = local.chars().take(1).collect();
                format!("{first}***@{domain}")
            }
            None => initials(value),
        },
        Part::Phone => {
            let digits = digits(value);
            let last = digits.len() - (digits.len() / 2).min(2);
            format!("***{}", &digits[last..])
        }
        Part::Name => initials(value),
    }
}

fn initials(value: &str) -> String {
    let words: Vec<String> =
        value.split_whitespace().filter_map(|word| Some(format!("{}***", word.chars().next()?))).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_looked_for() {
        for text in ["ann", "n.l", "@ex.com", "+7 70", "Äöü", "  ann ", "701"] {
            assert!(Query::new(text).is_ok(), "{text}");
        }
        for text in ["", "an", " a n ", "@@@@", "+7 (1)", "...", &"a".repeat(400)] {
            let error = Query::new(text).unwrap_err().to_string();
            assert!(!text.is_empty() && !error.contains(text) || text.trim().len() < 3, "{error}");
        }
        let digits = |text: &str| Query::new(text).unwrap().digits;
        assert_eq!(digits("(701) 555").as_deref(), Some("701555"));
        assert_eq!(digits("ann701"), None);
        assert_eq!(Query::new("ＡＮＮ\u{301}").unwrap().folded(), Query::new("anń").unwrap().folded());
        assert!(!format!("{:?}", Query::new("secret").unwrap()).contains("secret"));
    }

    #[test]
    fn a_masked_value_does_not_say_whose_it_is() {
        let cases = [
            (Part::Email, "ann.lee@example.com", "a***@example.com"),
            (Part::Email, "admin", "a***"),
            (Part::Email, "@example.com", "***@example.com"),
            (Part::Phone, "+77015551234", "***34"),
            (Part::Phone, "1", "***"),
            (Part::Phone, "", "***"),
            (Part::Name, "Ann  Lee", "A*** L***"),
            (Part::Name, "Ләззат", "Л***"),
            (Part::Name, "", ""),
        ];
        for (part, value, shown) in cases {
            assert_eq!(masked(part, value), shown);
        }
    }
}
