//! Addresses of hosts and network cards. Networks, loopback and version numbers are none.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::super::kind::{Finding, Kind};
use super::context::Before;
use super::{before, begins, byte, digits_end, ends};

/// An IPv4 address whose first digit stands at `at`.
pub(in super::super) fn ipv4(text: &[u8], at: usize, run_end: usize) -> Option<Finding> {
    let mut parts = [0u8; 4];
    let (mut padded, mut full) = (0, 0);
    let mut place = at;
    let mut end = run_end;
    for (index, part) in parts.iter_mut().enumerate() {
        if index > 0 {
            if byte(text, end) != b'.' {
                return None;
            }
            place = end + 1;
            end = place + text.get(place..)?.iter().take(4).take_while(|b| b.is_ascii_digit()).count();
        }
        let digits = &text[place..end];
        // A zero in front is no address', unless all parts are filled up to three.
        let zero = digits.first() == Some(&b'0');
        if !(1..=3).contains(&digits.len()) || (digits.len() == 2 && zero) {
            return None;
        }
        padded += usize::from(digits.len() == 3 && zero);
        full += usize::from(digits.len() == 3);
        let value = digits.iter().fold(0, |n, digit| n * 10 + u16::from(digit - b'0'));
        *part = u8::try_from(value).ok()?;
    }
    if padded > 0 && full < 4 {
        return None;
    }
    let address = Ipv4Addr::from(parts);
    let apart = v4_begins(text, at) && v4_ends(text, end);
    let told = apart && !is_this_host(address) && !address.is_unspecified() && !is_mask(address);
    if !told || is_version(text, at, end, parts) || is_network(text, end, u128::from(address.to_bits()), 32, 24) {
        return None;
    }
    // Some write telephone numbers with dots, in pairs.
    let is_phone = parts.iter().all(|p| *p < 100) && Before::new(text, at).tells_phone();
    Some(Finding::new(at, end, if is_phone { Kind::Phone } else { Kind::Ip }))
}

fn v4_begins(text: &[u8], at: usize) -> bool {
    let left = before(text, at);
    let named = left == b'-' && before(text, at - 1).is_ascii_alphanumeric();
    let in_word = left.is_ascii_alphanumeric() && !super::ends_colour(text, at);
    !in_word && left != b'.' && !named
}

fn v4_ends(text: &[u8], end: usize) -> bool {
    match byte(text, end) {
        b'.' => !byte(text, end + 1).is_ascii_alphanumeric(),
        b'-' | b'+' => !byte(text, end + 1).is_ascii_alphabetic(),
        other => !other.is_ascii_alphanumeric(),
    }
}

/// Whether an address is that of the host itself, as everybody writes it.
fn is_this_host(address: Ipv4Addr) -> bool {
    matches!(address.octets(), [127, 0, 0, _] | [127, 0, 1, 1])
}

/// Whether all ones stand before all zeros, at least eight: a mask, or the address of everybody.
fn is_mask(address: Ipv4Addr) -> bool {
    let bits = address.to_bits();
    bits.leading_ones() >= 8 && bits.leading_ones() + bits.trailing_zeros() >= 32
}

/// Whether four numbers are a version: told by what stands before them, or because all of them are small.
fn is_version(text: &[u8], at: usize, end: usize, parts: [u8; 4]) -> bool {
    let small = parts[0] != 10 && parts.iter().all(|p| *p < 20);
    let left = before(text, at);
    if !small && !matches!(left, b' ' | b'=' | b':' | b'/' | b'v' | b'V' | b'"' | b'(' | b'-' | b'_') {
        return false;
    }
    let words = Before::new(text, at);
    let said = |word: &str| {
        let version =
            ["version", "versions", "ver", "v", "release", "rev", "revision", "build", "sdk", "firmware", "driver"];
        version.contains(&word) || word.starts_with("upgrad") || word.starts_with("верси")
    };
    if words.any(said) && (small || words.nearest(said)) {
        return true;
    }
    let told = |word: &str| {
        let host =
            ["ip", "ipv", "addr", "address", "host", "client", "peer", "remote", "server", "dns", "ping", "gateway"];
        let more = ["resolver", "nameserver", "source", "destination", "src", "dst", "адрес", "адреса"];
        host.contains(&word) || more.contains(&word) || (!small && matches!(word, "from" | "for"))
    };
    let has_port = byte(text, end) == b':' && byte(text, end + 1).is_ascii_digit();
    if has_port || text[end..].starts_with(b" port") || words.nearest(told) {
        return false;
    }
    small || is_product(text, at, parts)
}

/// `Chrome/120.0.0.0` is a product; `/hosts/203.0.113.7` and `http://203.0.113.7` are not.
fn is_product(text: &[u8], at: usize, parts: [u8; 4]) -> bool {
    if before(text, at) != b'/' {
        return false;
    }
    let letters = text[..at - 1].iter().rev().take(32).take_while(|b| b.is_ascii_alphanumeric()).count();
    let start = at - 1 - letters;
    let named = byte(text, start).is_ascii_uppercase() || parts[2..] == [0, 0];
    letters > 0 && named && before(text, start) != b'/'
}

/// A hardware address whose six parts dashes divide, around the first at `at`.
pub(in super::super) fn dashed_mac(text: &[u8], at: usize) -> Option<Finding> {
    let end = at + 17;
    if byte(text, at + 5) != b'-' {
        return None;
    }
    let address = text.get(at..end)?;
    let shape =
        address.iter().zip((0..3).cycle()).all(|(b, i)| if i == 2 { *b == b'-' } else { b.is_ascii_hexdigit() });
    let apart = begins(text, at) && ends(text, end) && before(text, at) != b'-' && byte(text, end) != b'-';
    // Digits alone are a moment.
    let lettered = address.iter().any(u8::is_ascii_alphabetic);
    (shape && apart && lettered).then(|| Finding::new(at, end, Kind::Mac))
}

/// Whether a prefix length follows that leaves only zeros: a network of many hosts, not one of them.
fn is_network(text: &[u8], end: usize, address: u128, bits: u32, widest: u32) -> bool {
    if byte(text, end) != b'/' {
        return false;
    }
    let until = digits_end(text, end + 1);
    let length = std::str::from_utf8(&text[end + 1..until]).ok().and_then(|d| d.parse::<u32>().ok());
    length.is_some_and(|length| length <= widest && (length == 0 || address << (128 - bits) << length == 0))
}

/// Longest IPv6 address as text.
const V6: usize = 45;

/// An IPv6 or a hardware address around the colon at `at`; the second value is the end of what was looked at.
pub(in super::super) fn colons(text: &[u8], at: usize) -> (Option<Finding>, usize) {
    let reach = at.saturating_sub(4);
    let mut start = at;
    while start > reach && text[start - 1].is_ascii_hexdigit() {
        start -= 1;
    }
    let next = byte(text, at + 1);
    if !(next == b':' || next.is_ascii_hexdigit()) {
        return (None, at + 1);
    }
    let run = super::run(text, at, usize::MAX, |b| b.is_ascii_hexdigit() || b == b':');
    let mut end = at + run;
    let colons = text[at..end].iter().filter(|b| **b == b':').count();
    let looked = (None, end);
    // Times of day have two colons; addresses more, or two side by side.
    let few = colons < 5 && memchr::memmem::find(&text[start..end], b"::").is_none();
    if few || before(text, start).is_ascii_alphanumeric() || end - start > V6 {
        return looked;
    }
    // The tail of `::ffff:203.0.113.7`.
    if byte(text, end) == b'.' {
        end += text[end..].iter().take(12).take_while(|b| b.is_ascii_digit() || **b == b'.').count();
        end -= usize::from(before(text, end) == b'.');
    }
    if text[end - 1] == b':' && text[end - 2] != b':' {
        end -= 1;
    }
    if byte(text, end).is_ascii_alphanumeric() || byte(text, end) == b'_' {
        return looked;
    }
    let Ok(slice) = std::str::from_utf8(&text[start..end]) else { return looked };
    let kind = if is_mac(slice) { Some(Kind::Mac) } else { v6(text, slice, end).then_some(Kind::Ip) };
    match kind {
        Some(kind) => (Some(Finding::new(start, end, kind)), end),
        None => looked,
    }
}

fn is_mac(slice: &str) -> bool {
    slice.len() == 17 && slice.split(':').count() == 6 && slice.split(':').all(|g| g.len() == 2)
}

fn v6(text: &[u8], slice: &str, end: usize) -> bool {
    let Ok(address) = slice.parse::<Ipv6Addr>() else { return false };
    if address.is_loopback() || address.is_unspecified() || is_network(text, end, address.to_bits(), 128, 64) {
        return false;
    }
    // `abc::def` is a path in some languages, and hexadecimal too.
    let groups = slice.split(':').filter(|g| !g.is_empty()).count();
    let global =
        slice.len() > 4 && matches!(slice.as_bytes()[0], b'2' | b'3' | b'f' | b'F') && slice.as_bytes()[4] == b':';
    slice.bytes().any(|b| b.is_ascii_digit()) && (groups >= 3 || global || slice.contains('.'))
}
