//! Base64 and hexadecimal text that hides something readable.

use super::super::encoded::hex;
use super::before;

/// Shorter runs hold no personal value worth the look.
const LEAST: usize = 12;
/// Longer runs are files, not values.
const MOST: usize = 1 << 20;

/// The end of the run that begins at `at`, and what it means, if that is readable text.
pub(in super::super) fn blob(text: &[u8], at: usize) -> Option<(usize, Vec<u8>)> {
    let is_64 = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_');
    if is_64(before(text, at)) {
        return None;
    }
    let run = super::run(text, at, MOST, is_64);
    if run < LEAST {
        return None;
    }
    let body = &text[at..at + run];
    let is_text = |meant: &Vec<u8>| std::str::from_utf8(meant).is_ok();
    let meant = from_hex(body).filter(is_text).or_else(|| from_64(body).filter(is_text))?;
    let padding = text[at + run..].iter().take(2).take_while(|b| **b == b'=').count();
    Some((at + run + padding, meant))
}

/// Readable ASCII begins every four base64 digits with one of I..Z or a..f, and every two hex digits with 2..7.
#[inline]
pub(in super::super) fn could_be_readable(run: &[u8]) -> bool {
    let [a, _, c, _, e, _, g, _, i, ..] = run else { return false };
    let opens = |b: &u8| matches!(b, b'I'..=b'Z' | b'a'..=b'f');
    let hexed = |b: &u8| matches!(b, b'2'..=b'7');
    (opens(a) && opens(e) && opens(i)) || (hexed(a) && hexed(c) && hexed(e) && hexed(g))
}

fn from_hex(run: &[u8]) -> Option<Vec<u8>> {
    if run.len() % 2 == 1 {
        return None;
    }
    run.chunks_exact(2).map(|pair| readable(hex(pair[0])? << 4 | hex(pair[1])?)).collect()
}

fn from_64(run: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(run.len() * 3 / 4);
    for four in run.chunks(4) {
        let mut bits = 0u32;
        for digit in four {
            bits = bits << 6 | sextet(*digit)?;
        }
        bits <<= 6 * (4 - four.len());
        let [_, bytes @ ..] = bits.to_be_bytes();
        for byte in &bytes[..(four.len() * 3) / 4] {
            out.push(readable(*byte)?);
        }
    }
    Some(out)
}

fn readable(byte: u8) -> Option<u8> {
    (byte >= b' ' && byte != 0x7f || matches!(byte, b'\n' | b'\r' | b'\t')).then_some(byte)
}

fn sextet(digit: u8) -> Option<u32> {
    Some(u32::from(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    }))
}
