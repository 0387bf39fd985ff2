//! One file for each kind of thing that can be found. Every function looks at one place of a text, reaches a bounded
//! way to its left, and says where the thing begins and ends.

mod blob;
mod card;
mod email;
mod iban;
mod ip;
mod keys;
mod pairs;
mod phone;
mod ssn;
mod url;

pub(super) use blob::{blob, could_be_readable};
pub(super) use card::card;
pub(super) use email::email;
pub(super) use iban::iban;
pub(super) use ip::{colons, ipv4};
pub(super) use keys::{could_begin, key, private_key, scheme_token, telegram};
pub(super) use pairs::{QUERY_NAMES, pair};
pub(super) use phone::{national, plus};
pub(super) use ssn::ssn;
pub(super) use url::user_info;

/// The byte at a place, 0 outside.
#[inline]
fn byte(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or(0)
}

/// The byte before a place, 0 at the beginning.
#[inline]
fn before(text: &[u8], at: usize) -> u8 {
    at.checked_sub(1).map_or(0, |i| text[i])
}

/// Whether what begins here is not the rest of a word or of a decimal number.
fn begins(text: &[u8], at: usize) -> bool {
    let left = before(text, at);
    if matches!(left, b'.' | b',') {
        return !before(text, at - 1).is_ascii_digit();
    }
    !left.is_ascii_alphanumeric() || ends_colour(text, at)
}

/// Whether what ends here does not go on as a word or as a decimal number.
fn ends(text: &[u8], at: usize) -> bool {
    let right = byte(text, at);
    if right == b'.' {
        return !byte(text, at + 1).is_ascii_alphanumeric();
    }
    !right.is_ascii_alphanumeric() && right != b'_'
}

/// Whether a terminal colour sequence ends just before a place: its `m` belongs to no word.
fn ends_colour(text: &[u8], at: usize) -> bool {
    if before(text, at) != b'm' {
        return false;
    }
    let from = at.saturating_sub(10);
    text[from..at - 1].iter().rev().find(|b| !b.is_ascii_digit() && **b != b';') == Some(&b'[')
}

/// End of the digits that begin at a place.
fn digits_end(text: &[u8], at: usize) -> usize {
    at + text[at..].iter().take_while(|b| b.is_ascii_digit()).count()
}

/// Lower-case letters of the word that ends before `at`, punctuation between them skipped; empty if there is none.
fn word_before(text: &[u8], at: usize) -> ([u8; 12], usize) {
    let mut end = at;
    while end > 0 && at - end < 4 && !text[end - 1].is_ascii_alphanumeric() && text[end - 1] < 0x80 {
        end -= 1;
    }
    let mut start = end;
    while start > 0 && end - start < 12 && (text[start - 1].is_ascii_alphabetic() || text[start - 1] >= 0x80) {
        start -= 1;
    }
    let mut word = [0; 12];
    for (to, from) in word.iter_mut().zip(&text[start..end]) {
        *to = from.to_ascii_lowercase();
    }
    (word, start)
}

/// Shannon entropy in bits a byte.
fn entropy(text: &[u8]) -> f32 {
    let mut counts = [0u16; 256];
    let sample = &text[..text.len().min(1024)];
    for byte in sample {
        counts[usize::from(*byte)] += 1;
    }
    let total = sample.len() as f32;
    counts.iter().filter(|n| **n > 0).map(|n| f32::from(*n) / total).map(|p| -p * p.log2()).sum()
}
