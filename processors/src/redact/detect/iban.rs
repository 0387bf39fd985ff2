//! Bank account numbers: country, length and remainder 1 of 97.

use super::super::kind::{Finding, Kind};
use super::checks::remainder_97;
use super::{before, byte, ends, ends_colour, run};

/// Longest account number.
const LONGEST: usize = 34;

/// Countries and the length of their numbers.
const LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// Countries whose account numbers have digits alone behind the country.
const NUMERIC: &str =
    "AE AT BA BE BI CR CZ DE DK EE EG ES FI FK FO GL HR HU IL IS LT ME MN MR NO PL PT RS SE SI SK SO ST TL TN VA XK";

/// An account number whose country stands at `at`, in one piece or in groups of four.
pub(super) fn iban(text: &[u8], at: usize) -> Option<Finding> {
    let in_word = before(text, at).is_ascii_alphanumeric() && !ends_colour(text, at);
    if in_word || !byte(text, at + 3).is_ascii_digit() {
        return None;
    }
    let country = [byte(text, at).to_ascii_uppercase(), byte(text, at + 1).to_ascii_uppercase()];
    let (_, length) = LENGTHS.iter().find(|(code, _)| **code == country)?;
    let end = parted(text, at, *length).or_else(|| whole(text, at))?;
    Some(Finding::new(at, end, Kind::Iban))
}

/// End of a number as long as its country's are.
fn parted(text: &[u8], at: usize, length: usize) -> Option<usize> {
    let mut plain = [0u8; LONGEST];
    let mut count = 0;
    let mut place = at;
    let apart = |b: u8| matches!(b, b' ' | b'-' | b'.' | b'+');
    // In groups of four, as banks print them, or in one piece.
    let gap = Some(byte(text, at + 4)).filter(|b| apart(*b));
    while count < length {
        if count > 0 && count % 4 == 0 && gap == Some(byte(text, place)) {
            place += 1;
        }
        let next = byte(text, place);
        if !next.is_ascii_alphanumeric() {
            return None;
        }
        plain[count] = next.to_ascii_uppercase();
        count += 1;
        place += 1;
    }
    // Hexadecimal text has the remainder of a number now and then, and letters where these countries have none.
    let numeric = NUMERIC.split(' ').any(|country| plain.starts_with(country.as_bytes()));
    let fits = !numeric || plain[4..count].iter().all(u8::is_ascii_digit);
    (fits && ends(text, place) && remainder_97(&plain[..count]) == 1).then_some(place)
}

/// End of capitals and digits in one piece that some program made up with the right remainder and the wrong length.
fn whole(text: &[u8], at: usize) -> Option<usize> {
    let length = run(text, at, LONGEST + 1, |b| b.is_ascii_uppercase() || b.is_ascii_digit());
    let fits = (15..=LONGEST).contains(&length) && ends(text, at + length);
    (fits && remainder_97(&text[at..at + length]) == 1).then_some(at + length)
}
