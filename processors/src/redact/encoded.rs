//! Percent-encoded and backslash-escaped text, read as what it means with a way back to where it stands.

use super::steps;

/// Encodings are undone this often: text is quoted in text that is quoted again.
const LEVELS: usize = 3;

/// Decoded text and where each of its bytes began.
#[derive(Debug, Default)]
pub(super) struct Decoded {
    pub(super) bytes: Vec<u8>,
    /// One entry a byte, and the length of the original at the end.
    origin: Vec<usize>,
}

impl Decoded {
    /// The place in the original of a range of the decoded text.
    pub(super) fn original(&self, start: usize, end: usize) -> (usize, usize) {
        (self.origin[start], self.origin[end])
    }
}

/// Every decoding of a text that differs from the one before.
pub(super) fn levels(text: &[u8]) -> Vec<Decoded> {
    let mut out: Vec<Decoded> = Vec::new();
    for _ in 0..LEVELS {
        let next = match out.last() {
            None => decode(text, None),
            Some(before) => decode(&before.bytes, Some(&before.origin)),
        };
        match next {
            Some(next) => out.push(next),
            None => break,
        }
    }
    out
}

fn decode(text: &[u8], origin: Option<&[usize]>) -> Option<Decoded> {
    let mut out = Decoded { bytes: Vec::with_capacity(text.len()), origin: Vec::with_capacity(text.len() + 1) };
    let place = |at: usize| origin.map_or(at, |o| o[at]);
    let mut changed = false;
    steps::add(text.len());
    let mut at = 0;
    while at < text.len() {
        let (used, meant) = match text[at] {
            b'%' => percent(&text[at..]),
            b'\\' => backslash(&text[at..]),
            0xC2..=0xEF => plain_form(&text[at..]),
            _ => None,
        }
        .map_or((1, None), |(used, meant)| (used, Some(meant)));
        match meant {
            None => {
                out.bytes.push(text[at]);
                out.origin.push(place(at));
            }
            Some(Meant::Nothing) => changed = true,
            Some(Meant::Char(c)) => {
                changed = true;
                let mut buffer = [0; 4];
                for byte in c.encode_utf8(&mut buffer).bytes() {
                    out.bytes.push(byte);
                    out.origin.push(place(at));
                }
            }
            Some(Meant::Byte(byte)) => {
                changed = true;
                out.bytes.push(byte);
                out.origin.push(place(at));
            }
        }
        at += used;
    }
    out.origin.push(place(text.len()));
    changed.then_some(out)
}

#[derive(Clone, Copy)]
enum Meant {
    Nothing,
    Byte(u8),
    Char(char),
}

fn percent(text: &[u8]) -> Option<(usize, Meant)> {
    let (high, low) = (hex(*text.get(1)?)?, hex(*text.get(2)?)?);
    Some((3, Meant::Byte(high << 4 | low)))
}

fn backslash(text: &[u8]) -> Option<(usize, Meant)> {
    match *text.get(1)? {
        b'u' => {
            let digits = text.get(2..6)?;
            let code = digits.iter().try_fold(0u32, |n, d| Some(n << 4 | u32::from(hex(*d)?)))?;
            Some((6, Meant::Char(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))))
        }
        b'x' => Some((4, Meant::Byte(hex(*text.get(2)?)? << 4 | hex(*text.get(3)?)?))),
        b'n' | b'r' | b't' => Some((2, Meant::Byte(b'\n'))),
        quoted @ (b'"' | b'\'' | b'\\' | b'/') => Some((2, Meant::Byte(quoted))),
        _ => None,
    }
}

/// Typographic spaces, dashes, full-width characters and Arabic digits as the ASCII that people mean.
fn plain_form(text: &[u8]) -> Option<(usize, Meant)> {
    let length = match text[0] {
        0xC2..=0xDF => 2,
        _ => 3,
    };
    let c = std::str::from_utf8(text.get(..length)?).ok()?.chars().next()?;
    let meant = match c {
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{3000}' => Meant::Byte(b' '),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => Meant::Byte(b'-'),
        '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{ad}' | '\u{feff}' => Meant::Nothing,
        '\u{660}'..='\u{669}' => Meant::Char(char::from_u32(u32::from(c) - 0x660 + 0x30)?),
        '\u{6f0}'..='\u{6f9}' => Meant::Char(char::from_u32(u32::from(c) - 0x6F0 + 0x30)?),
        '\u{ff01}'..='\u{ff5e}' => Meant::Char(char::from_u32(u32::from(c) - 0xFEE0)?),
        _ => return None,
    };
    Some((length, meant))
}

pub(super) fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
