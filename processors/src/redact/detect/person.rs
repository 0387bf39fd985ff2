//! Which of the numbers of people stands at a place: one reading of its digits and of the words before it serves all.

use super::super::kind::{Finding, Kind};
use super::context::{self, Before};
use super::phone::{self, Number};
use super::{before, begins, byte, iban, ids, ip, run, wallet};

/// A telephone or another number of a person whose first digit stands at `at`.
#[inline]
pub(in super::super) fn of_a_person(text: &[u8], at: usize, run_end: usize) -> Option<Finding> {
    if !phone::could_be_one(text, at, run_end) { None } else { read(text, at, run_end) }
}

/// Whether a number that no sign joins to another could be anything: a long one, one with a zero before it, one behind or
/// before a word, or the first group of one with spaces.
#[inline]
pub(in super::super) fn could_stand_alone(text: &[u8], at: usize, run_end: usize) -> bool {
    if byte(text, run_end) == b' ' && phone::gap(text, run_end).is_some() {
        return true;
    }
    let start = at - usize::from(before(text, at) == b'(');
    match run_end - at {
        12.. => true,
        // Behind a sign the name has been looked at already.
        phone::FEWEST_ANNOUNCED.. => {
            text[at] == b'0'
                || !is_named(text, start) && (context::could_tell(text, start) || context::told_behind(text, run_end))
        }
        _ => false,
    }
}

/// Whether the sign behind a name stands before a place.
#[inline]
fn is_named(text: &[u8], start: usize) -> bool {
    matches!(before(text, start), b'=' | b'#' | b'_')
}

fn read(text: &[u8], at: usize, run_end: usize) -> Option<Finding> {
    let opened = before(text, at) == b'(';
    let start = at - usize::from(opened);
    // The middle of a date, a path or a longer number.
    let left = before(text, start);
    let inside =
        matches!(left, b'-' | b'/' | b':') && before(text, start - 1).is_ascii_digit() || is_in_uuid(text, start);
    // In a list a comma stands between two numbers; in one number it stands before three digits.
    let apart = begins(text, start);
    let listed = left == b',' && run_end - at != 3;
    if inside || !(apart || listed) {
        return None;
    }
    if let Some(finding) = ids::shaped(text, at, run_end) {
        return Some(finding);
    }
    let number = Number::read(text, at)?;
    let shaped = phone::shaped(text, &number, opened, start);
    if shaped.is_none() && number.digits().len() < phone::FEWEST_ANNOUNCED {
        return None;
    }
    let phone = |end: usize| Finding::new(start, end, Kind::Phone);
    // Behind a sign the name has been looked at already.
    if !apart || is_named(text, start) {
        return shaped.map(phone);
    }
    if !context::could_tell(text, start) {
        return shaped.or_else(|| phone::announced(text, &number, None)).map(phone);
    }
    let words = Before::new(text, start);
    let told = ids::told(text, at, &number, &words);
    told.or_else(|| shaped.or_else(|| phone::announced(text, &number, Some(&words))).map(phone))
}

/// Whether a group of a UUID stands before a place.
fn is_in_uuid(text: &[u8], start: usize) -> bool {
    before(text, start) == b'-' && start > 4 && text[start - 5..start - 1].iter().all(u8::is_ascii_hexdigit)
}

/// A number that begins with digits and goes on with a letter.
pub(in super::super) fn number_and_letter(text: &[u8], at: usize, run_end: usize) -> Option<Finding> {
    match run_end - at {
        6 => ids::shaped(text, at, run_end).or_else(|| ids::corsican(text, at)),
        8 => ids::spanish(text, at, run_end),
        1 if byte(text, at + 2) == b'-' => ip::dashed_mac(text, at),
        _ => wallet::bitcoin(text, at),
    }
}

/// A number that begins with one or two letters at `at`.
pub(in super::super) fn lettered(text: &[u8], at: usize) -> Option<Finding> {
    if byte(text, at + 1).is_ascii_alphabetic() {
        let account = iban::iban(text, at);
        if account.is_some() {
            return account;
        }
    }
    if text[at..].starts_with(b"bc1") {
        return wallet::segwit(text, at);
    }
    if byte(text, at + 2) == b'-' { ip::dashed_mac(text, at) } else { ids::lettered(text, at) }
}

/// Whether `2026-11-21` or another way to write a day stands here.
#[inline]
pub(in super::super) fn is_date(text: &[u8], at: usize) -> bool {
    let Some(&[y, c, _, _, first, a, b, second, d, e]) = text[at..].first_chunk::<10>() else { return false };
    let year = (y == b'1' && c == b'9') || (y == b'2' && c == b'0');
    year && first == second
        && [a, b, d, e].iter().all(u8::is_ascii_digit)
        && matches!((a, d), (b'0' | b'1', b'0'..=b'3'))
        && !byte(text, at + 10).is_ascii_digit()
}

/// End of the day at a place, and of the time of day behind it: nothing in it is anybody's.
pub(in super::super) fn moment_end(text: &[u8], at: usize) -> usize {
    let day = at + 10;
    let pattern = b"T00:00:00";
    let fits = |(b, p): (&u8, &u8)| match p {
        b'0' => b.is_ascii_digit(),
        b'T' => matches!(b, b'T' | b't' | b' '),
        sign => b == sign,
    };
    let Some(time) = text.get(day..day + pattern.len()) else { return day };
    if !time.iter().zip(pattern).all(fits) {
        return day;
    }
    let end = day + pattern.len();
    let digits = run(text, end + 1, 10, |b| b.is_ascii_digit());
    if matches!(byte(text, end), b'.' | b',') && (1..=9).contains(&digits) { end + 1 + digits } else { end }
}

/// Length of a UUID.
pub(in super::super) const UUID: usize = 36;

/// Whether a UUID stands here, in parts of 8, 4, 4, 4 and 12 digits.
pub(in super::super) fn is_uuid(text: &[u8], at: usize) -> bool {
    let Some(digits) = text.get(at..at + UUID).filter(|digits| digits[8] == b'-') else { return false };
    let fits = |(i, b): (usize, &u8)| if matches!(i, 8 | 13 | 18 | 23) { *b == b'-' } else { b.is_ascii_hexdigit() };
    digits.iter().enumerate().all(fits)
        && !before(text, at).is_ascii_alphanumeric()
        && !byte(text, at + UUID).is_ascii_alphanumeric()
}
