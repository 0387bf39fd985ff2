//! Values written as text: JSON for whatever is not a string, hexadecimal for ids.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::io::Write;

use crate::value::{MAX_DEPTH, Value};

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Lower-case hexadecimal.
#[inline]
pub(crate) fn hex(out: &mut Vec<u8>, bytes: &[u8]) {
    // Ids have at most 16 bytes; whatever is longer goes in pieces of that.
    for piece in bytes.chunks(16) {
        let mut digits = [0; 32];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(piece) {
            pair[0] = HEX[usize::from(byte >> 4)];
            pair[1] = HEX[usize::from(byte & 15)];
        }
        out.extend_from_slice(&digits[..2 * piece.len()]);
    }
}

/// A string in JSON's quotes.
pub(crate) fn quoted(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    let mut clean = 0;
    for (index, byte) in text.iter().enumerate() {
        let escape: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0x08 => b"\\b",
            0x0c => b"\\f",
            0..=0x1f => b"\\u00",
            _ => continue,
        };
        out.extend_from_slice(&text[clean..index]);
        out.extend_from_slice(escape);
        if escape.len() == 4 {
            hex(out, &[*byte]);
        }
        clean = index + 1;
    }
    out.extend_from_slice(&text[clean..]);
    out.push(b'"');
}

/// An integer in decimal.
pub(crate) fn integer(out: &mut Vec<u8>, value: impl std::fmt::Display) {
    // Writing to a Vec cannot fail.
    let _ = write!(out, "{value}");
}

/// The shortest decimal that reads back as the same number; the three that JSON lacks as strings, as OTLP/JSON has them.
pub(crate) fn double(out: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        let _ = serde_json::to_writer(out, &value);
    } else if value.is_nan() {
        out.extend_from_slice(b"\"NaN\"");
    } else {
        out.extend_from_slice(if value > 0.0 { b"\"Infinity\"" } else { b"\"-Infinity\"" });
    }
}

/// Any value as JSON.
pub(crate) fn json(out: &mut Vec<u8>, value: &Value<'_>) {
    json_at(out, value, MAX_DEPTH);
}

fn json_at(out: &mut Vec<u8>, value: &Value<'_>, levels: usize) {
    match value {
        Value::Empty => out.extend_from_slice(b"null"),
        Value::Text(text) => quoted(out, text),
        Value::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Value::Int(value) => integer(out, value),
        Value::Double(value) => double(out, *value),
        Value::Bytes(bytes) => {
            out.push(b'"');
            out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
            out.push(b'"');
        }
        // Deeper values were refused when they were read.
        Value::Array(_) | Value::List(_) if levels == 0 => out.extend_from_slice(b"null"),
        Value::Array(nested) => {
            out.push(b'[');
            for (index, element) in nested.values().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                json_at(out, &element, levels - 1);
            }
            out.push(b']');
        }
        Value::List(nested) => object_at(out, nested.entries(), levels - 1),
    }
}

/// Entries as a JSON object; of two equal keys the later one stands, at the place of the first.
pub(crate) fn object<'a>(out: &mut Vec<u8>, entries: impl Iterator<Item = (&'a [u8], Value<'a>)>) {
    object_at(out, entries, MAX_DEPTH);
}

fn object_at<'a>(out: &mut Vec<u8>, entries: impl Iterator<Item = (&'a [u8], Value<'a>)>, levels: usize) {
    out.push(b'{');
    for (index, (key, value)) in distinct(entries).into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        quoted(out, key);
        out.push(b':');
        json_at(out, &value, levels);
    }
    out.push(b'}');
}

/// Entries in the order their keys were first seen, each with its last value.
pub(crate) fn distinct<'a>(entries: impl Iterator<Item = (&'a [u8], Value<'a>)>) -> Vec<(&'a [u8], Value<'a>)> {
    let mut all: Vec<(&[u8], Value<'_>)> = Vec::new();
    let mut places: hashbrown::HashMap<&[u8], usize> = hashbrown::HashMap::new();
    for (key, value) in entries {
        // A scan is quicker than a hash while there are few; a hash keeps a hostile list linear.
        let known = if all.len() < 16 {
            all.iter().position(|(k, _)| *k == key)
        } else {
            if places.is_empty() {
                places.extend(all.iter().enumerate().map(|(place, (k, _))| (*k, place)));
            }
            places.get(key).copied()
        };
        match known {
            Some(place) => all[place].1 = value,
            None => {
                if !places.is_empty() {
                    places.insert(key, all.len());
                }
                all.push((key, value));
            }
        }
    }
    all
}

/// Terminal colours and cursor moves taken out, as frameworks write them into log lines.
pub(crate) fn without_ansi(out: &mut Vec<u8>, text: &[u8]) {
    let mut rest = text;
    while let Some(start) = memchr::memchr(0x1b, rest) {
        out.extend_from_slice(&rest[..start]);
        let sequence = &rest[start + 1..];
        rest = match sequence.first() {
            // Parameters, then one final byte.
            Some(b'[') => {
                let end = sequence[1..].iter().position(|b| (0x40..=0x7e).contains(b));
                let stray = sequence[1..].iter().position(|b| !(0x20..=0x7e).contains(b));
                match (end, stray) {
                    (Some(end), stray) if stray.is_none_or(|s| end < s) => &sequence[end + 2..],
                    (_, Some(stray)) => &sequence[stray + 1..],
                    _ => &[],
                }
            }
            // A title or link, up to BEL or ESC \.
            Some(b']') => match memchr::memchr2(0x07, 0x1b, sequence) {
                Some(end) if sequence[end] == 0x07 => &sequence[end + 1..],
                Some(end) => sequence.get(end + 1..).map_or(&[][..], |s| s.strip_prefix(b"\\").unwrap_or(s)),
                None => &sequence[1..],
            },
            Some(0x40..=0x5f) => &sequence[1..],
            _ => sequence,
        };
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn ansi() {
        let check = |text: &str, expected: &str| {
            assert_eq!(written(|out| without_ansi(out, text.as_bytes())), expected, "{text:?}");
        };
        check("plain", "plain");
        check("\u{1b}[31m\u{1b}[1mWARNING\u{1b}[0m: it runs", "WARNING: it runs");
        check("\u{1b}]0;title\u{7}rest", "rest");
        check("\u{1b}]8;;x\u{1b}\\link", "link");
        check("cut \u{1b}[31", "cut ");
        check("cut \u{1b}", "cut ");
        check("ü\u{1b}[1mé\u{1b}[mö", "üéö");
        check("odd \u{1b}[3\u{e9}x", "odd \u{e9}x");
    }

    #[test]
    fn escapes_agree_with_serde() {
        for text in ["", "a\"b\\c\n\r\t\u{8}\u{c}\u{0}\u{1f}\u{7f}é😀/"] {
            assert_eq!(written(|out| quoted(out, text.as_bytes())), serde_json::to_string(text).unwrap());
        }
    }

    #[test]
    fn doubles() {
        let check = |value: f64, expected: &str| assert_eq!(written(|out| double(out, value)), expected);
        check(1.0, "1.0");
        check(0.1 + 0.2, "0.30000000000000004");
        check(f64::NAN, "\"NaN\"");
        check(f64::NEG_INFINITY, "\"-Infinity\"");
    }
}
