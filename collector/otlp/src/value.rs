//! `AnyValue` as a view into the wire bytes: checked whole when it is first seen, so that writing it later cannot fail.

use crate::wire::{Reader, WireError};

/// Levels of arrays and key-value lists that an attribute may have.
pub(crate) const MAX_DEPTH: usize = 64;

/// Why one record is refused while its neighbours stay. Says what was wrong, never what it said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("{0} is not valid UTF-8")]
    Utf8(&'static str),
    #[error("an attribute or body is nested deeper than {MAX_DEPTH} levels")]
    Depth,
    #[error("{0} has the wrong length")]
    IdLength(&'static str),
    #[error("the resource, scope or span it repeats is too large for the number of records in the request")]
    Copies,
}

/// One value, its content still on the wire.
#[derive(Debug, Clone, Default)]
pub(crate) enum Value<'a> {
    #[default]
    Empty,
    Text(&'a [u8]),
    Bool(bool),
    Int(i64),
    Double(f64),
    Array(Nested<'a>),
    List(Nested<'a>),
    Bytes(&'a [u8]),
}

/// The elements of an array or the entries of a key-value list.
///
/// A field that a sender repeats is merged by protobuf's rule, hence the rest; no honest message has one.
#[derive(Debug, Clone)]
pub(crate) struct Nested<'a> {
    first: &'a [u8],
    rest: Option<Box<Rest<'a>>>,
}

/// Behind a pointer, because every attribute would carry its size.
#[derive(Debug, Clone, Default)]
struct Rest<'a>(Vec<&'a [u8]>);

impl<'a> Nested<'a> {
    fn new(first: &'a [u8]) -> Self {
        Self { first, rest: None }
    }

    fn append(&mut self, part: &'a [u8]) {
        self.rest.get_or_insert_default().0.push(part);
    }

    fn parts(&self) -> impl Iterator<Item = &'a [u8]> {
        let rest = self.rest.as_ref().map_or(&[][..], |rest| &rest.0);
        std::iter::once(self.first).chain(rest.iter().copied())
    }

    /// The encoded elements, in order. Framing was checked when the value was read, so reading ends at the first error.
    pub(crate) fn elements(&self) -> impl Iterator<Item = &'a [u8]> {
        self.parts().flat_map(|part| {
            let mut reader = Reader::new(part);
            std::iter::from_fn(move || {
                while let Ok(Some(field)) = reader.field() {
                    if field.number == 1 {
                        return field.bytes().ok();
                    }
                }
                None
            })
        })
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = Value<'a>> {
        self.elements().map(|element| {
            let mut value = Value::Empty;
            let _checked = value.merge(element);
            value
        })
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = (&'a [u8], Value<'a>)> {
        self.elements().map(|entry| key_value(entry).unwrap_or_default())
    }
}

impl<'a> Value<'a> {
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// Takes over what an encoded `AnyValue` says: the last kind set wins, the same nested kind again is appended.
    #[inline]
    pub(crate) fn merge(&mut self, message: &'a [u8]) -> Result<(), WireError> {
        let mut reader = Reader::new(message);
        while let Some(field) = reader.field()? {
            match field.number {
                1 => *self = Self::Text(field.bytes()?),
                2 => *self = Self::Bool(field.varint()? != 0),
                3 => *self = Self::Int(field.varint()? as i64),
                4 => *self = Self::Double(f64::from_bits(field.fixed64()?)),
                5 => match self {
                    Self::Array(nested) => nested.append(field.bytes()?),
                    _ => *self = Self::Array(Nested::new(field.bytes()?)),
                },
                6 => match self {
                    Self::List(nested) => nested.append(field.bytes()?),
                    _ => *self = Self::List(Nested::new(field.bytes()?)),
                },
                7 => *self = Self::Bytes(field.bytes()?),
                // An index into a string table that only profiles have.
                8 => {
                    field.varint()?;
                    *self = Self::Empty;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Walks everything below this value: broken framing is an error, the rest is remembered as a refusal.
    pub(crate) fn check(&self, refusal: &mut Option<Refusal>) -> Result<(), WireError> {
        self.check_at(MAX_DEPTH, refusal)
    }

    fn check_at(&self, levels: usize, refusal: &mut Option<Refusal>) -> Result<(), WireError> {
        let (nested, is_list) = match self {
            Self::Text(text) => {
                refuse_unless_utf8(text, "an attribute or body", refusal);
                return Ok(());
            }
            Self::Array(nested) => (nested, false),
            Self::List(nested) => (nested, true),
            _ => return Ok(()),
        };
        if levels == 0 {
            refusal.get_or_insert(Refusal::Depth);
            return Ok(());
        }
        for part in nested.parts() {
            let mut reader = Reader::new(part);
            while let Some(field) = reader.field()? {
                if field.number != 1 {
                    continue;
                }
                let element = field.bytes()?;
                let value = if is_list {
                    let (key, value) = key_value(element)?;
                    refuse_unless_utf8(key, "an attribute key", refusal);
                    value
                } else {
                    let mut value = Value::Empty;
                    value.merge(element)?;
                    value
                };
                value.check_at(levels - 1, refusal)?;
            }
        }
        Ok(())
    }
}

/// Reads one `KeyValue`.
#[inline]
pub(crate) fn key_value(message: &[u8]) -> Result<(&[u8], Value<'_>), WireError> {
    match plain_key_value(message) {
        Some(pair) => Ok(pair),
        None => any_key_value(message),
    }
}

/// Reads a `KeyValue` in the form that nearly all have: a short key, then one value, both with nothing besides.
#[inline(always)]
fn plain_key_value(message: &[u8]) -> Option<(&[u8], Value<'_>)> {
    let [0x0a, length @ 0..0x80, rest @ ..] = message else { return None };
    let (key, rest) = rest.split_at_checked(usize::from(*length))?;
    let [0x12, rest @ ..] = rest else { return None };
    let value = match *only(rest)? {
        [0x0a, ref text @ ..] => Value::Text(only(text)?),
        [0x18, number @ 0..0x80] => Value::Int(i64::from(number)),
        [0x18, low, high @ 0..0x80] => Value::Int(i64::from(low & 0x7f) | i64::from(high) << 7),
        [0x10, flag @ 0..2] => Value::Bool(flag == 1),
        [0x21, a, b, c, d, e, f, g, h] => Value::Double(f64::from_le_bytes([a, b, c, d, e, f, g, h])),
        _ => return None,
    };
    Some((key, value))
}

/// What follows a length of one or two bytes, if it reaches exactly to the end.
#[inline(always)]
fn only(bytes: &[u8]) -> Option<&[u8]> {
    match bytes {
        [length @ 0..0x80, rest @ ..] if rest.len() == usize::from(*length) => Some(rest),
        [low @ 0x80..=0xff, high @ 0..0x80, rest @ ..]
            if rest.len() == usize::from(low & 0x7f) | usize::from(*high) << 7 =>
        {
            Some(rest)
        }
        _ => None,
    }
}

#[inline(never)]
fn any_key_value(message: &[u8]) -> Result<(&[u8], Value<'_>), WireError> {
    let mut key: &[u8] = &[];
    let mut value = Value::Empty;
    let mut reader = Reader::new(message);
    while let Some(field) = reader.field()? {
        match field.number {
            1 => key = field.bytes()?,
            2 => value.merge(field.bytes()?)?,
            3 => {
                field.varint()?;
            }
            _ => {}
        }
    }
    Ok((key, value))
}

#[inline]
pub(crate) fn is_utf8(bytes: &[u8]) -> bool {
    bytes.is_ascii() || simdutf8::basic::from_utf8(bytes).is_ok()
}

#[inline]
pub(crate) fn refuse_unless_utf8(bytes: &[u8], what: &'static str, refusal: &mut Option<Refusal>) {
    if !is_utf8(bytes) {
        refusal.get_or_insert(Refusal::Utf8(what));
    }
}
