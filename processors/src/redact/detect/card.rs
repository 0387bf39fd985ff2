//! Payment card numbers: a network's range and length, and the Luhn digit.

use super::super::kind::{Finding, Kind};
use super::{before, begins, byte, digits_end, ends};

/// Longest card number.
const LONGEST: usize = 19;

/// A card number whose first digit stands at `at`, in one piece or in groups.
pub(in super::super) fn card(text: &[u8], at: usize, run_end: usize) -> Option<Finding> {
    let run = run_end - at;
    let end = match run {
        12..=LONGEST => whole(text, at, run_end)?,
        4 => grouped(text, at)?,
        _ => return None,
    };
    begins(text, at).then(|| Finding::new(at, end, Kind::Card))
}

fn whole(text: &[u8], at: usize, end: usize) -> Option<usize> {
    let digits = &text[at..end];
    if !is_card(digits) || in_uuid(text, at, end) || (is_measured(text, at) && is_short_maestro(digits)) {
        return None;
    }
    // A number that went through a float is still a card.
    if byte(text, end) == b'.' && byte(text, end + 1) == b'0' && ends(text, end + 2) {
        return Some(end + 2);
    }
    ends(text, end).then_some(end)
}

fn grouped(text: &[u8], at: usize) -> Option<usize> {
    let mut digits = [0u8; LONGEST];
    let mut count = 0;
    let mut place = at;
    let mut best = None;
    loop {
        let end = digits_end(text, place);
        let group = &text[place..end];
        if count + group.len() > LONGEST || !(1..=7).contains(&group.len()) {
            break;
        }
        digits[count..count + group.len()].copy_from_slice(group);
        count += group.len();
        if count >= 13 && ends(text, end) && is_card(&digits[..count]) {
            best = Some(end);
        }
        if !matches!(byte(text, end), b' ' | b'-' | b'.') || !byte(text, end + 1).is_ascii_digit() {
            break;
        }
        place = end + 1;
    }
    // The groups of a UUID or of a decimal number go on to the left.
    let left = before(text, at);
    best.filter(|_| !(matches!(left, b'-' | b'.') && before(text, at - 1).is_ascii_hexdigit()))
}

/// Whether a number stands alone or directly behind a sign, as byte counts and durations do.
fn is_measured(text: &[u8], at: usize) -> bool {
    matches!(before(text, at), 0 | b'=' | b':')
}

/// The one range so wide and short that one in three hundred numbers of twelve digits falls into it.
fn is_short_maestro(digits: &[u8]) -> bool {
    digits.len() < 16 && matches!(digits, [b'5', b'6'..=b'8', ..])
}

/// Whether digits are the last group of a UUID.
fn in_uuid(text: &[u8], at: usize, end: usize) -> bool {
    end - at == 12 && at >= 24 && [1, 6, 11, 16].iter().all(|back| text[at - back] == b'-')
}

fn is_card(digits: &[u8]) -> bool {
    in_range(digits) && luhn(digits)
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, d)| {
            let digit = u32::from(d - b'0');
            match i % 2 {
                0 => digit,
                _ if digit > 4 => digit * 2 - 9,
                _ => digit * 2,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Whether a network issues numbers that begin so and are so long.
fn in_range(digits: &[u8]) -> bool {
    let four = digits[..4].iter().fold(0u32, |n, d| n * 10 + u32::from(d - b'0'));
    let length = digits.len();
    match four {
        4000..=4999 => matches!(length, 13 | 16 | 19),
        5100..=5599 | 2221..=2720 => length == 16,
        3400..=3499 | 3700..=3799 => length == 15,
        3000..=3059 | 3095 | 3600..=3699 | 3800..=3999 => matches!(length, 14 | 16),
        3528..=3589 => (16..=19).contains(&length),
        2131 | 1800 => length == 15,
        6011 | 6440..=6599 | 6200..=6299 | 8100..=8199 | 2200..=2204 => (16..=19).contains(&length),
        5018 | 5020 | 5038 | 5893 | 6304 | 6390 | 6759 | 6761..=6763 | 604 | 5600..=5899 => length >= 12,
        5000..=5099 | 6000..=6999 | 8200..=8299 | 9792 => matches!(length, 16 | 18 | 19),
        _ => false,
    }
}
