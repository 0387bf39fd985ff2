//! Payment card numbers: a network's range and length, and the Luhn digit.

use super::super::kind::{Finding, Kind};
use super::checks::luhn;
use super::context::Before;
use super::{before, begins, byte, digits_end, ends};

/// Longest card number.
const LONGEST: usize = 19;
/// Shortest card number.
const SHORTEST: usize = 12;

/// A card number whose first digit stands at `at`, in one piece or in groups.
pub(in super::super) fn card(text: &[u8], at: usize, run_end: usize) -> Option<Finding> {
    let run = run_end - at;
    let end = match run {
        SHORTEST..=LONGEST => whole(text, at, run_end)?,
        4 => grouped(text, at)?,
        _ => return None,
    };
    begins(text, at).then(|| Finding::new(at, end, Kind::Card))
}

fn whole(text: &[u8], at: usize, end: usize) -> Option<usize> {
    let digits = &text[at..end];
    let words = || Before::new(text, at);
    if !is_card(digits)
        || in_uuid(text, at, end)
        || (digits.len() == 16 && words().tells_span())
        || (is_rare(digits) && words().tells_other())
    {
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
    let mut sizes = [0usize; 8];
    for index in 0..sizes.len() {
        let end = digits_end(text, place);
        let group = &text[place..end];
        if count + group.len() > LONGEST || group.is_empty() {
            break;
        }
        sizes[index] = group.len();
        digits[count..count + group.len()].copy_from_slice(group);
        count += group.len();
        if count >= SHORTEST && is_printed(&sizes[..=index], count) && ends(text, end) && is_card(&digits[..count]) {
            best = Some(end);
        }
        let Some(next) = gap(text, end) else { break };
        place = next;
    }
    // The groups of a UUID or of a decimal number go on to the left.
    let left = before(text, at);
    best.filter(|_| !(matches!(left, b'-' | b'.') && before(text, at - 1).is_ascii_hexdigit()))
}

/// The next group behind a sign, or behind a dash with spaces around it. A form writes its spaces as plus signs.
fn gap(text: &[u8], end: usize) -> Option<usize> {
    let next = match (byte(text, end), byte(text, end + 1)) {
        (b' ', b'-') if byte(text, end + 2) == b' ' => end + 3,
        (b' ', b' ') => end + 2,
        (b' ' | b'-' | b'.' | b'+' | b'/', _) => end + 1,
        _ => return None,
    };
    byte(text, next).is_ascii_digit().then_some(next)
}

/// Whether numbers of this length are printed in such groups: fours and a rest, 4-6-5, 4-6-4, 4-4-11 and other long tails.
fn is_printed(sizes: &[usize], count: usize) -> bool {
    match sizes {
        [4, 6, 4 | 5] => true,
        [4, tail] | [4, 4, tail] => *tail > 4 && count >= 13 || [4, 4, 4] == *sizes,
        [4, rest @ .., last] => (1..=4).contains(last) && rest.iter().all(|size| *size == 4),
        _ => false,
    }
}

/// Whether few cards are so long with such a beginning: counts, durations and identifiers are, again and again.
fn is_rare(digits: &[u8]) -> bool {
    let is_told = digits[0] != b'9' || matches!(&digits[..4], b"9792" | b"9860");
    !(digits.len() == 16 && is_told || matches!(digits.len(), 14 | 15) && digits[0] == b'3')
}

/// Whether digits are the last group of a UUID.
fn in_uuid(text: &[u8], at: usize, end: usize) -> bool {
    end - at == 12 && at >= 24 && [1, 6, 11, 16].iter().all(|back| text[at - back] == b'-')
}

fn is_card(digits: &[u8]) -> bool {
    in_range(digits) && luhn(digits)
}

/// Whether a network issues numbers that begin so and are so long.
fn in_range(digits: &[u8]) -> bool {
    let four = digits[..4].iter().fold(0u32, |n, d| n * 10 + u32::from(d - b'0'));
    let length = digits.len();
    match four {
        4000..=4999 => matches!(length, 13 | 16 | 19),
        5100..=5599 | 2221..=2720 => length == 16,
        3400..=3499 | 3700..=3799 => length == 15,
        3000..=3059 | 3095 | 3600..=3699 | 3800..=3999 => matches!(length, 14 | 16 | 19),
        3500..=3599 => (16..=19).contains(&length),
        2131 | 1800 => length == 15,
        6011 | 6440..=6599 | 6200..=6299 | 8100..=8199 | 2200..=2205 => (16..=19).contains(&length),
        5018 | 5020 | 5038 | 5893 | 6304 | 6390 | 6759 | 6761..=6763 | 604 | 5600..=5899 => length >= SHORTEST,
        5000..=5099 | 6000..=6999 | 8200..=8299 | 8600 | 9792 | 9860 => matches!(length, 16 | 18 | 19),
        // National networks: Prostir, Belkart, NAPAS and others.
        9000..=9999 => length == 16,
        _ => false,
    }
}
