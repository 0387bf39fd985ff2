//! Telephone numbers: international ones by their sign, national ones by a shape that nothing else has, any other by the
//! word before it.

use super::super::kind::{Finding, Kind};
use super::{before, begins, byte, digits_end, word_before};

/// Country codes and the digits of a full number with them. Others have eight to fifteen.
const LENGTHS: &[(&str, usize, usize)] = &[
    ("1", 11, 11),
    ("7", 11, 11),
    ("20", 11, 12),
    ("27", 11, 11),
    ("30", 12, 12),
    ("31", 10, 11),
    ("32", 10, 11),
    ("33", 11, 11),
    ("34", 11, 11),
    ("36", 10, 11),
    ("39", 9, 13),
    ("40", 11, 11),
    ("41", 11, 11),
    ("43", 8, 13),
    ("44", 11, 12),
    ("45", 10, 10),
    ("46", 9, 11),
    ("47", 10, 10),
    ("48", 11, 11),
    ("49", 8, 13),
    ("52", 12, 13),
    ("54", 12, 13),
    ("55", 12, 13),
    ("56", 11, 11),
    ("57", 11, 12),
    ("60", 10, 12),
    ("61", 11, 11),
    ("62", 9, 14),
    ("63", 11, 12),
    ("64", 10, 12),
    ("65", 10, 10),
    ("66", 10, 11),
    ("81", 11, 12),
    ("82", 10, 12),
    ("84", 11, 12),
    ("86", 12, 13),
    ("90", 12, 12),
    ("91", 12, 12),
    ("92", 11, 12),
    ("98", 12, 12),
];

/// Whether a word announces a number.
fn announces(word: &[u8]) -> bool {
    match word {
        b"phone" | b"telephone" | b"tel" | b"mobile" | b"cell" | b"cellphone" | b"call" | b"fax" | b"sms" => true,
        b"whatsapp" | b"msisdn" | b"dial" | b"phonenumber" | b"handy" | b"telefon" | b"telefono" | b"viber" => true,
        other => other == "тел".as_bytes(),
    }
}

/// Whether a word may stand between the announcing one and the number: `phone number 415..`, `call me at 415..`.
fn fills(word: &[u8]) -> bool {
    matches!(word, b"number" | b"no" | b"nr" | b"num" | b"is" | b"at" | b"me" | b"us" | b"on")
}

/// Digits of a number and where each group of them lies.
struct Number {
    digits: [u8; 16],
    count: usize,
    groups: [(usize, usize); 8],
    used: usize,
}

impl Number {
    /// Reads groups from `at` on, up to `most` digits.
    fn read(text: &[u8], at: usize, most: usize) -> Option<Self> {
        let mut number = Self { digits: [0; 16], count: 0, groups: [(0, 0); 8], used: 0 };
        let mut place = at;
        while number.used < 8 {
            let end = digits_end_within(text, place, 17);
            let group = &text[place..end];
            if number.count + group.len() > most.min(16) {
                break;
            }
            number.digits[number.count..number.count + group.len()].copy_from_slice(group);
            number.count += group.len();
            number.groups[number.used] = (place, end);
            number.used += 1;
            match gap(text, end) {
                Some(next) => place = next,
                None => break,
            }
        }
        (number.used > 0).then_some(number)
    }

    fn digits(&self) -> &[u8] {
        &self.digits[..self.count]
    }

    fn end(&self) -> usize {
        self.groups[self.used - 1].1
    }

    /// Length of a group, 0 when there is none.
    fn group(&self, index: usize) -> usize {
        if index < self.used { self.groups[index].1 - self.groups[index].0 } else { 0 }
    }

    fn shape(&self) -> &[(usize, usize)] {
        &self.groups[..self.used]
    }
}

fn digits_end_within(text: &[u8], at: usize, most: usize) -> usize {
    at + text[at..].iter().take(most).take_while(|b| b.is_ascii_digit()).count()
}

/// The next group, behind one to three separators.
fn gap(text: &[u8], end: usize) -> Option<usize> {
    let gap = text[end..].iter().take(4).take_while(|b| b" -./()".contains(b)).count();
    let next = end + gap;
    ((1..=3).contains(&gap) && byte(text, next).is_ascii_digit() && !text[end..next].starts_with(b"  ")).then_some(next)
}

/// A number behind the `+` at `at`.
pub(in super::super) fn plus(text: &[u8], at: usize) -> Option<Finding> {
    let left = before(text, at);
    if left.is_ascii_alphanumeric() && !super::ends_colour(text, at) {
        return None;
    }
    let mut start = at + 1;
    start += usize::from(byte(text, start) == b'(');
    if !matches!(byte(text, start), b'1'..=b'9') {
        return None;
    }
    let end = international(text, start)?;
    Some(Finding::new(at, end, Kind::Phone))
}

/// End of a number whose country code begins at `start`.
fn international(text: &[u8], start: usize) -> Option<usize> {
    let head = Number::read(text, start, 3).or_else(|| Number::read(text, start, 16))?;
    let first = digits_end_within(text, start, 17).min(start + 4);
    let lead = if head.count >= 2 { head.digits() } else { &text[start..first] };
    let known = LENGTHS.iter().find(|(code, ..)| lead.starts_with(code.as_bytes()));
    let (code, least, most) = known.map_or((0, 8, 15), |(code, least, most)| (code.len(), *least, *most));
    // The trunk zero in `+44 (0)20` is written and not dialled.
    let trunk = text[start..]
        .iter()
        .take(8)
        .position(|b| *b == b'(')
        .is_some_and(|open| text[start + open..].starts_with(b"(0)"));
    let most = most + usize::from(trunk);
    let number = Number::read(text, start, most)?;
    if code > 0 && number.count < least + usize::from(trunk) || number.count < 8 {
        return None;
    }
    finish(text, number.end())
}

/// The end with an extension, unless the number goes on as a word.
fn finish(text: &[u8], end: usize) -> Option<usize> {
    let marks: &[&[u8]] = &[b"x", b" x", b" ext. ", b" ext ", b" ext.", b"ext", b";ext=", b",ext."];
    for mark in marks {
        if text[end..].starts_with(mark) && byte(text, end + mark.len()).is_ascii_digit() {
            return Some(digits_end_within(text, end + mark.len(), 7));
        }
    }
    let next = byte(text, end);
    let goes_on =
        next.is_ascii_alphanumeric() || next == b'_' || (next == b'.' && byte(text, end + 1).is_ascii_digit());
    (!goes_on).then_some(end)
}

/// A number without a `+` whose first digit stands at `at`.
pub(in super::super) fn national(text: &[u8], at: usize, run_end: usize) -> Option<Finding> {
    let run = run_end - at;
    let opened = before(text, at) == b'(';
    let start = at - usize::from(opened);
    let separated = gap(text, run_end).is_some();
    if run > 15
        || !(separated || run >= 7)
        || !begins(text, start)
        || matches!(before(text, start), b'-' | b'/' | b':' if before(text, start - 1).is_ascii_digit())
    {
        return None;
    }
    // Longer first groups begin no shape, unless with the trunk zero.
    let end = if separated && (run <= 3 || text[at] == b'0') { shaped(text, at, opened) } else { None };
    let end = end.or_else(|| announced(text, start, at))?;
    Some(Finding::new(start, end, Kind::Phone))
}

/// Shapes that nothing but a telephone number or a US social security number has.
fn shaped(text: &[u8], at: usize, opened: bool) -> Option<usize> {
    let number = Number::read(text, at, 14)?;
    let lengths = [0, 1, 2, 3, 4].map(|i| number.group(i));
    let digits = number.digits();
    let end_of = |groups: usize| number.shape()[groups - 1].1;
    let between = |i: usize| &text[number.shape()[i].1..number.shape()[i + 1].0];
    let groups = match (digits[0], lengths) {
        // (415) 555-2671, 415-555-2671, 415.555.2671
        (b'2'..=b'9', [3, 3, 4, ..]) if matches!(digits[3], b'2'..=b'9') && (opened || between(0) == between(1)) => 3,
        (b'2'..=b'9', [3, 7, ..]) if opened && matches!(digits[3], b'2'..=b'9') => 2,
        // 1-415-555-2671, 8 (701) 123-45-67, 8-701-123-4567
        (b'1', [1, 3, 3, 4, _]) if matches!(digits[1], b'2'..=b'9') => 4,
        (b'8', [1, 3, 3, 4, _]) => 4,
        (b'8' | b'7', [1, 3, 3, 2, 2]) => 5,
        (b'8', [1, 3, 7, ..]) => 3,
        _ => return foreign(text, &number, opened),
    };
    // A price list or a table also has numbers in a row; two spaces or a new sign part them.
    finish(text, end_of(groups))
}

/// Numbers with a trunk zero, and those dialled with 00 or 011.
fn foreign(text: &[u8], number: &Number, opened: bool) -> Option<usize> {
    let digits = number.digits();
    let first = number.shape()[0];
    let abroad = if digits.starts_with(b"011") && number.group(0) == 3 { 3 } else { 2 };
    if digits.starts_with(b"00") && byte(text, first.0 + 2) != b'0' || abroad == 3 {
        let start = if number.group(0) == abroad { number.shape().get(1)?.0 } else { first.0 + abroad };
        return international(text, start);
    }
    if digits[0] != b'0' || matches!(digits.get(1), Some(b'0') | None) {
        return None;
    }
    let lengths = [0, 1, 2, 3, 4].map(|i| number.group(i));
    let gap = &text[number.shape()[0].1..number.shape().get(1)?.0];
    let same = number.shape().windows(2).all(|w| &text[w[0].1..w[1].0] == gap);
    let groups = match lengths {
        [2, 2, 2, 2, 2] if same => 5,
        [3, 4, 4, ..] | [4, 3, 4, ..] | [5, 3, 3, ..] => 3,
        [5, 6, ..] | [4, 6 | 7, ..] | [3, 7 | 8, ..] => 2,
        [3..=5, 5..=9, ..] if opened || gap == b"/" || gap == b"-" => 2,
        _ => return None,
    };
    finish(text, number.shape()[groups - 1].1)
}

/// A number of any shape behind a word that says so.
fn announced(text: &[u8], start: usize, at: usize) -> Option<usize> {
    let mut told = false;
    let mut from = start;
    for _ in 0..3 {
        let (word, word_start) = word_before(text, from);
        let word = word.split(|b| *b == 0).next().unwrap_or_default();
        told = announces(word);
        if told || !fills(word) {
            break;
        }
        from = word_start;
    }
    if !told {
        return None;
    }
    let number = Number::read(text, at, 15)?;
    let plausible = (7..=15).contains(&number.count) && (number.used > 1 || digits_end(text, at) - at <= 12);
    if plausible { finish(text, number.end()) } else { None }
}
