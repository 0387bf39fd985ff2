//! Phone numbers as E.164, by the dialling rules of `regions.tsv`.

use std::sync::LazyLock;

use hashbrown::HashMap;

/// The rules, one region a line.
const REGIONS: &str = include_str!("regions.tsv");

/// How a region dials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Region {
    /// Calling code.
    code: &'static str,
    /// Dialled before a calling code.
    abroad: &'static str,
    /// Dialled before a national number, empty where nothing is.
    trunk: &'static str,
    /// Lengths of national numbers, a bit for each.
    lengths: u32,
}

/// The main region of every calling code.
static MAIN: LazyLock<HashMap<&str, Region>> =
    LazyLock::new(|| lines().filter(|(_, main, _)| *main).map(|(_, _, region)| (region.code, region)).collect());

/// Digits of the longest calling code.
const LONGEST_CODE: usize = 3;

impl Region {
    /// The region of two letters.
    pub(super) fn find(letters: &str) -> Option<Self> {
        lines().find(|(name, ..)| name.eq_ignore_ascii_case(letters)).map(|(_, _, region)| region)
    }

    /// The main region of the calling code that `digits` begins with; calling codes are free of prefixes.
    fn called(digits: &str) -> Option<Self> {
        (1..=LONGEST_CODE).find_map(|length| MAIN.get(digits.get(..length)?).copied())
    }

    fn fits(&self, national: &str) -> bool {
        national.len() < 32 && (self.lengths >> national.len()) & 1 == 1
    }

    /// The national number in what was dialled, without the trunk prefix.
    fn national<'a>(&self, dialled: &'a str) -> &'a str {
        match dialled.strip_prefix(self.trunk) {
            Some(rest) if !self.trunk.is_empty() && self.fits(rest) => rest,
            _ => dialled,
        }
    }
}

fn lines() -> impl Iterator<Item = (&'static str, bool, Region)> {
    REGIONS.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut cells = line.split('\t').map(|cell| if cell == "-" { "" } else { cell });
        let (name, code, main) = (cells.next()?, cells.next()?, cells.next()? == "main");
        let (abroad, trunk, lengths) = (cells.next()?, cells.next()?, cells.next()?);
        let mut lengths = lengths.split(',').map(|length| length.parse::<u32>().ok().filter(|length| *length < 32));
        let lengths = lengths.try_fold(0, |lengths, length| Some(lengths | (1 << length?)))?;
        Some((name, main, Region { code, abroad, trunk, lengths }))
    })
}

/// The normal form of a phone number: E.164, or bare digits when no region says how to read a national number, or
/// lower case when it is no number at all. Extensions are dropped.
pub(super) fn form(text: &str, region: Option<Region>) -> String {
    let text = without_extension(text);
    let international =
        text.chars().find(|c| c.is_numeric() || *c == '+' || *c == '＋').is_some_and(|c| !c.is_numeric());
    // `+44 (0)20` shows the trunk prefix that is not dialled after a calling code.
    let text = if international { text.replacen("(0)", "", 1) } else { text.to_owned() };
    let digits: String = text.chars().filter_map(digit).collect();
    if digits.is_empty() {
        return text.trim().to_lowercase();
    }
    if international {
        return full(&digits);
    }
    let Some(region) = region else {
        return digits.strip_prefix("00").map_or_else(|| digits.clone(), full);
    };
    if let Some(rest) = digits.strip_prefix(region.abroad) {
        return full(rest);
    }
    // The calling code is often written without its plus.
    let national = match digits.strip_prefix(region.code) {
        Some(rest) if !region.fits(&digits) && region.fits(rest) => rest,
        _ => region.national(&digits),
    };
    format!("+{}{national}", region.code)
}

/// E.164 of a number that begins with its calling code.
fn full(digits: &str) -> String {
    let Some(region) = Region::called(digits) else { return format!("+{digits}") };
    let rest = &digits[region.code.len()..];
    let national = if region.fits(rest) { rest } else { region.national(rest) };
    format!("+{}{national}", region.code)
}

fn without_extension(text: &str) -> &str {
    let text = match text.get(..4) {
        Some(scheme) if scheme.eq_ignore_ascii_case("tel:") => &text[4..],
        _ => text,
    };
    let end = text
        .char_indices()
        .find(|(at, c)| {
            *at > 0
                && (matches!(c, ';' | '#' | ',' | 'x' | 'X')
                    || text[*at..].starts_with("ext")
                    || text[*at..].starts_with("доб"))
        })
        .map_or(text.len(), |(at, _)| at);
    &text[..end]
}

/// Decimal digits of the scripts that phones offer.
fn digit(c: char) -> Option<char> {
    let value = match c {
        '0'..='9' => return Some(c),
        '０'..='９' => c as u32 - '０' as u32,
        '٠'..='٩' => c as u32 - '٠' as u32,
        '۰'..='۹' => c as u32 - '۰' as u32,
        _ => return None,
    };
    char::from_digit(value, 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_a_number_meet() {
        let cases = [
            ("KZ", "8 701 123 45 67", "+77011234567"),
            ("KZ", "+7 (701) 123-45-67", "+77011234567"),
            ("KZ", "7 701 123 45 67", "+77011234567"),
            ("KZ", "701 123 45 67", "+77011234567"),
            ("KZ", "8~10 44 7911 123456", "+447911123456"),
            ("RU", "8 (916) 123-45-67 доб. 12", "+79161234567"),
            ("US", "(415) 555-2671", "+14155552671"),
            ("US", "1-415-555-2671 x5", "+14155552671"),
            ("US", "011 44 7911 123456", "+447911123456"),
            ("us", "tel:+1-415-555-2671;ext=5", "+14155552671"),
            ("GB", "07911 123456", "+447911123456"),
            ("GB", "+44 (0)7911 123456", "+447911123456"),
            ("GB", "+44 07911 123456", "+447911123456"),
            ("GB", "00 1 415 555 2671", "+14155552671"),
            ("IT", "06 1234 5678", "+390612345678"),
            ("KZ", "٨ ٧٠١ ١٢٣ ٤٥ ٦٧", "+77011234567"),
            ("KZ", "８７０１１２３４５６７", "+77011234567"),
            ("-", "+7 701 123 45 67", "+77011234567"),
            ("-", "00 7 701 123 45 67", "+77011234567"),
            ("-", "8 701 123 45 67", "87011234567"),
            ("-", "None given", "none given"),
            ("-", "+", "+"),
        ];
        for (region, text, normal) in cases {
            let region = Region::find(region);
            assert_eq!(form(text, region), normal, "{text}");
            assert_eq!(form(normal, region), normal, "{text}: a normal form is its own");
        }
    }

    #[test]
    fn the_rules_are_whole() {
        assert_eq!(lines().count(), REGIONS.lines().filter(|l| !l.starts_with('#')).count());
        for (name, main, region) in lines() {
            assert!(region.lengths != 0 && (1..=LONGEST_CODE).contains(&region.code.len()), "{name}");
            // Codes are free of prefixes, or the first match would be the wrong one.
            let clash = lines().any(|(_, m, r)| main && m && r.code != region.code && r.code.starts_with(region.code));
            assert!(!clash, "{name}");
        }
        assert_eq!(Region::find("XX"), None);
        assert_eq!(Region::find(""), None);
    }
}
