//! What an attribute's name says about its value, before the value is looked at.

use std::borrow::Cow;

use hashbrown::HashMap;
use schemas::{Catalog, Class, Column, Source};

use super::kind::{BUILT_IN, Kind};
use super::lists::{CONTENT, DIRECT, NOT_A_TOKEN, NOT_CONTENT, SECRET};
use super::scan::Off;
use super::token::Token;

/// What to do with the value under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// The name says nothing: look at the value.
    Scan,
    /// The value is of this kind, whatever it looks like.
    Mask(Kind),
    /// Content of a conversation or a message, or of a kind that is dropped: the entry goes.
    Remove(Kind),
}

impl Rule {
    /// Whether the entry goes.
    pub(super) fn removes(self) -> bool {
        matches!(self, Self::Remove(_))
    }
}

/// A name's rule, and whether the name itself was looked through.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) rule: Rule,
    pub(super) harmless: bool,
}

/// Names are looked up again and again; the memo is emptied when it holds this many.
const MEMO: usize = 4096;

/// A longer name is judged by its end.
const LONGEST: usize = 128;

/// The rules for names: built in, from the schema's classes, and from the configuration.
pub(super) struct Names {
    /// What the configuration says of a name, then what the schema's classes say.
    configured: HashMap<String, Rule>,
    declared: HashMap<String, Rule>,
    memo: HashMap<String, Known>,
    endings: Endings,
    keep_content: bool,
    off: Off,
    /// Kinds whose entries go.
    dropped: Off,
}

impl Names {
    /// Rules for these tables. Every alias of a direct or secret column is such a name wherever it turns up.
    pub(super) fn new(catalog: &Catalog, keep_content: bool, secret: &[String], keep: &[String], off: Off) -> Self {
        let mut declared = HashMap::new();
        let mut configured = HashMap::new();
        for column in catalog.tables().iter().flat_map(|t| &t.columns) {
            if !matches!(column.class, Class::Direct | Class::Secret) {
                continue;
            }
            let kind = kind_of(column);
            for source in &column.from {
                if let Source::Attribute { key, .. } | Source::Resource(key) = source {
                    declared.entry(key.to_lowercase()).or_insert(Rule::Mask(kind));
                }
            }
        }
        configured.extend(secret.iter().map(|name| (name.to_lowercase(), Rule::Mask(Kind::Secret))));
        configured.extend(keep.iter().map(|name| (name.to_lowercase(), Rule::Scan)));
        let direct = DIRECT.iter().flat_map(|(_, names)| names.iter());
        let listed = SECRET.iter().chain(direct).chain(super::detect::QUERY_NAMES).copied();
        let endings = Endings::new(listed.chain(secret.iter().map(String::as_str)));
        Self { endings, configured, declared, memo: HashMap::new(), keep_content, off, dropped: Off::default() }
    }

    /// Lets the entries of a kind go.
    pub(super) fn drop(&mut self, kind: Kind) {
        self.dropped.add(kind);
    }

    /// Whether a name that ends where this text ends could have a rule in free text.
    #[inline]
    pub(super) fn could_end(&self, text: &[u8]) -> bool {
        self.endings.has(text)
    }

    /// The rule for a name.
    pub(super) fn rule(&mut self, name: &str) -> Rule {
        self.known(name).rule
    }

    /// What is known of a name.
    pub(super) fn known(&mut self, name: &str) -> Known {
        if let Some(known) = self.memo.get(name) {
            return *known;
        }
        let rule = match self.judge(name) {
            Rule::Mask(kind) if self.off.has(kind) => Rule::Scan,
            Rule::Mask(kind) if self.dropped.has(kind) => Rule::Remove(kind),
            rule => rule,
        };
        if self.memo.len() >= MEMO {
            self.memo.clear();
        }
        let known = Known { rule, harmless: false };
        self.memo.insert(name.to_owned(), known);
        known
    }

    /// Remembers that a name holds nothing that is to be redacted.
    pub(super) fn is_harmless(&mut self, name: &str) {
        if let Some(known) = self.memo.get_mut(name) {
            known.harmless = true;
        }
    }

    /// Whether a record or span event of this name carries the content of a model call as its body.
    pub(super) fn is_content_event(&self, name: &str) -> bool {
        !self.keep_content
            && name.starts_with("gen_ai.")
            && (name.ends_with(".message") || name.starts_with("gen_ai.content.") || name == "gen_ai.choice")
    }

    fn judge(&self, name: &str) -> Rule {
        let lower = without_tokens(name).to_lowercase();
        if let Some(rule) = self.configured.get(&lower) {
            return *rule;
        }
        if is_content(&lower) {
            return if self.keep_content { Rule::Scan } else { Rule::Remove(Kind::Content) };
        }
        self.declared.get(&lower).copied().unwrap_or_else(|| by_words(&without_tokens(name)))
    }
}

/// The name with a neutral word for each token: what was redacted from it says nothing.
fn without_tokens(name: &str) -> Cow<'_, str> {
    if !name.contains('[') {
        return Cow::Borrowed(name);
    }
    let mut plain = BUILT_IN.iter().fold(name.to_owned(), |name, (_, _, token)| name.replace(token, "redacted"));
    let encrypted: Vec<_> = Token::all(&plain).into_iter().map(|(place, _)| place).collect();
    encrypted.into_iter().rev().for_each(|place| plain.replace_range(place, "redacted"));
    Cow::Owned(plain)
}

/// The kind of a schema column that may not be stored.
fn kind_of(column: &Column) -> Kind {
    if column.class == Class::Secret {
        return Kind::Secret;
    }
    let words: &[(&str, Kind)] = &[
        ("email", Kind::Email),
        ("phone", Kind::Phone),
        ("session", Kind::Session),
        ("device", Kind::Device),
        ("client_address", Kind::Ip),
        ("forwarded", Kind::Ip),
        ("ip", Kind::Ip),
        ("address", Kind::Address),
        ("user", Kind::User),
        ("name", Kind::Name),
        ("birth", Kind::Birth),
        ("actor", Kind::User),
        ("parent", Kind::User),
        ("body", Kind::Content),
    ];
    words.iter().find(|(word, _)| column.name.contains(word)).map_or(Kind::Id, |(_, kind)| *kind)
}

fn is_content(lower: &str) -> bool {
    let listed = CONTENT.iter().any(|c| if c.ends_with('.') { lower.starts_with(c) } else { lower == *c });
    listed && !NOT_CONTENT.contains(&lower)
}

fn by_words(name: &str) -> Rule {
    let words = words(name);
    let count = words.len();
    for take in 1..=3.min(count) {
        let ending = words[count - take..].concat();
        if SECRET.contains(&ending.as_str()) {
            let counted =
                take == 1 && count > 1 && ending == "token" && NOT_A_TOKEN.contains(&words[count - 2].as_str());
            return if counted { Rule::Scan } else { Rule::Mask(Kind::Secret) };
        }
        if let Some((kind, _)) = DIRECT.iter().find(|(_, names)| names.contains(&ending.as_str())) {
            return Rule::Mask(*kind);
        }
    }
    Rule::Scan
}

/// Lower-case words of a name, parted by punctuation or by camel case.
fn words(name: &str) -> Vec<String> {
    let mut from = name.len().saturating_sub(LONGEST);
    while !name.is_char_boundary(from) {
        from += 1;
    }
    let mut words = Vec::new();
    let mut word = String::new();
    let mut lower_before = false;
    for c in name[from..].chars() {
        let parted = !c.is_alphanumeric();
        if (parted || (c.is_uppercase() && lower_before)) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if !parted {
            word.extend(c.to_lowercase());
        }
        lower_before = c.is_lowercase();
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// The last three letters that a name with a rule can have, a bit for each combination: spares the look-up for most.
struct Endings([u64; 275]);

impl Endings {
    fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut bits = [0; 275];
        for name in names {
            if let Some(Ending::Letters(index)) = ending(name.as_bytes()) {
                bits[index / 64] |= 1 << (index % 64);
            }
        }
        Self(bits)
    }

    #[inline]
    fn has(&self, name: &[u8]) -> bool {
        // Nearly all names end in three letters.
        if let Some(&[a, b, c]) = name.last_chunk()
            && [a, b, c].iter().all(u8::is_ascii_alphabetic)
        {
            let digit = |letter: u8| usize::from((letter | 0x20) - b'a');
            let index = (digit(c) * 26 + digit(b)) * 26 + digit(a);
            return self.0[index / 64] >> (index % 64) & 1 == 1;
        }
        match ending(name) {
            None => false,
            Some(Ending::Other) => true,
            Some(Ending::Letters(index)) => self.0[index / 64] >> (index % 64) & 1 == 1,
        }
    }
}

enum Ending {
    /// Number of the combination.
    Letters(usize),
    /// Letters of other scripts.
    Other,
}

/// How a text ends, the marks between words and one digit skipped; `None` for less than three letters.
#[inline]
fn ending(text: &[u8]) -> Option<Ending> {
    let (mut index, mut count, mut digit) = (0, 0, false);
    for byte in text.iter().rev().take(6) {
        match byte.to_ascii_lowercase() {
            letter @ b'a'..=b'z' => {
                index = index * 26 + usize::from(letter - b'a');
                count += 1;
                if count == 3 {
                    return Some(Ending::Letters(index));
                }
            }
            b'_' | b'-' | b'.' => {}
            // `cvv2` and `addressline1` have a rule, the minutes of `T09:26` have none.
            b'0'..=b'9' if count == 0 && !digit => digit = true,
            0x80.. => return Some(Ending::Other),
            _ => return None,
        }
    }
    None
}
