//! E-mail addresses, quoted and international ones among them.

use super::super::kind::{Finding, Kind};
use super::{before, byte, run};

/// Longest name before the `@` (RFC 5321).
const LOCAL: usize = 64;
/// Longest domain.
const DOMAIN: usize = 253;

/// An address around the `@` that stands at `at`.
pub(in super::super) fn email(text: &[u8], at: usize) -> Option<Finding> {
    let end = domain(text, at + 1)?;
    let start = if before(text, at) == b'"' { quoted(text, at)? } else { local(text, at) };
    (start < at).then(|| Finding::new(start, end, Kind::Email))
}

fn local(text: &[u8], at: usize) -> usize {
    let reach = at.saturating_sub(LOCAL);
    let mut start = at;
    while start > reach && is_local(text[start - 1]) {
        start -= 1;
    }
    while start < at && matches!(text[start], b'.' | b'\'' | b'-') {
        start += 1;
    }
    start
}

fn quoted(text: &[u8], at: usize) -> Option<usize> {
    let reach = at.saturating_sub(LOCAL + 2);
    let open = text[reach..at - 1].iter().rposition(|b| *b == b'"')?;
    Some(reach + open)
}

fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80 || b"._%+-'~!#$^*".contains(&byte)
}

/// End of the domain that begins here: labels, at least one dot, a last label of letters; or an address in brackets.
fn domain(text: &[u8], start: usize) -> Option<usize> {
    if byte(text, start) == b'[' {
        let inside =
            text[start + 1..].iter().take(48).take_while(|b| b.is_ascii_hexdigit() || b".:IPv".contains(b)).count();
        return (inside > 6 && byte(text, start + 1 + inside) == b']').then_some(start + inside + 2);
    }
    // `logo@2x.png` is a picture.
    if byte(text, start).is_ascii_digit() && byte(text, start + 1) == b'x' && byte(text, start + 2) == b'.' {
        return None;
    }
    let mut end = start;
    let mut good = None;
    loop {
        let label_end = end + run(text, end, DOMAIN, |b| b.is_ascii_alphanumeric() || b == b'-' || b >= 0x80);
        let label = &text[end..label_end];
        let Some((first, rest)) = label.split_first() else { break };
        if *first == b'-' || label_end - start > DOMAIN {
            break;
        }
        if end > start && is_top(*first, rest) {
            good = Some(label_end - label.iter().rev().take_while(|b| **b == b'-').count());
        }
        if byte(text, label_end) != b'.' {
            break;
        }
        end = label_end + 1;
    }
    good
}

/// Whether a label can be the last of a domain.
fn is_top(first: u8, rest: &[u8]) -> bool {
    let letter = |b: u8| b.is_ascii_alphabetic() || b >= 0x80;
    let mut letters = rest.iter().take_while(|b| letter(**b)).count();
    if rest.starts_with(b"n--") {
        letters = rest.len();
    }
    letter(first) && letters >= 1 && rest[letters..].iter().all(|b| *b == b'-')
}
