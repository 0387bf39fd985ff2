//! One file for each kind of thing that can be found. Every function looks at one place of a text, reaches a bounded
//! way to its left, and says where the thing begins and ends.

mod blob;
mod card;
pub(super) mod checks;
mod context;
mod email;
mod iban;
mod ids;
mod ip;
mod keys;
mod pairs;
mod person;
mod phone;
mod plan;
mod ssn;
mod url;
mod wallet;
mod words;

pub(super) use blob::{blob, could_be_readable};
pub(super) use card::card;
pub(super) use email::email;
pub(super) use ids::italian;
pub(super) use ip::{colons, dashed_mac, ipv4};
pub(super) use keys::{could_be_told, could_begin, key, private_key, scheme_token, telegram, told_token};
pub(super) use pairs::{QUERY_NAMES, could_name, name_end, pair};
pub(super) use person::{
    UUID, could_stand_alone, is_date, is_uuid, lettered, moment_end, number_and_letter, of_a_person,
};
pub(super) use phone::plus;
pub(super) use plan::calling_code;
pub(super) use ssn::ssn;
pub(super) use url::user_info;
pub(super) use wallet::ethereum;

use super::steps;

/// Shorter numbers in one piece are nobody's.
pub(super) const FEWEST_DIGITS: usize = phone::FEWEST_ANNOUNCED;
/// Shorter words hide nothing readable.
pub(super) const SHORTEST_BLOB: usize = 4;
/// Tokens that only a word before them gives away begin with a run of so many letters and digits.
pub(super) const SHORTEST_TOKEN: usize = 16;

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

/// How many bytes from a place on are such, at most `most`.
#[inline]
fn run(text: &[u8], from: usize, most: usize, is: impl Fn(u8) -> bool) -> usize {
    let length = text.get(from..).unwrap_or_default().iter().take(most).take_while(|b| is(**b)).count();
    steps::add(length + 1);
    length
}

/// End of the digits that begin at a place.
fn digits_end(text: &[u8], at: usize) -> usize {
    at + run(text, at, usize::MAX, |b| b.is_ascii_digit())
}
