//! OTLP/JSON to wire bytes, in one pass and without a tree in between.
//!
//! Takes what senders write: fields in camel or snake case, enums by number or name, 64-bit integers as strings or
//! numbers, ids in hexadecimal or base64; ignores fields it does not know. JSON nested deeper than 128 is refused.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::Signal;
use crate::json_fields::{Field, Kind, Message, request};

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

/// Why some JSON is not an export request. Holds no value of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("reading OTLP/JSON at line {line} column {column}: {what}")]
pub struct JsonError {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// What was found wrong.
    pub what: String,
}

/// The wire bytes of an export request that came as OTLP/JSON.
pub fn json_to_protobuf(signal: Signal, json: &[u8]) -> Result<Vec<u8>, JsonError> {
    let mut out = Vec::with_capacity(json.len() / 2);
    let last = Cell::new("");
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let seed = InMessage { message: request(signal), out: &mut out, last: &last };
    let result = seed.deserialize(&mut deserializer).and_then(|_| deserializer.end());
    result.map(|()| out).map_err(|error| JsonError {
        line: error.line(),
        column: error.column(),
        what: match error.classify() {
            // Its own words could quote what was sent.
            serde_json::error::Category::Data if last.get().is_empty() => "an export request is an object".to_owned(),
            serde_json::error::Category::Data => format!("the value is not one that field {} can have", last.get()),
            serde_json::error::Category::Eof => "the JSON ends too early".to_owned(),
            _ => "it is not valid JSON, or nested too deep".to_owned(),
        },
    })
}

/// What a part of the JSON failed with; the outer error says where.
fn unfit<E: Error>() -> E {
    E::custom("unfit")
}

/// An object that is a message, written without its length.
struct InMessage<'o> {
    message: &'static Message,
    out: &'o mut Vec<u8>,
    /// The field being read, for the error.
    last: &'o Cell<&'static str>,
}

impl<'de> DeserializeSeed<'de> for InMessage<'_> {
    type Value = bool;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for InMessage<'_> {
    /// Whether there is a message.
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let Self { message, out, last } = self;
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            let Some(field) = message.field(&name) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            last.set(field.name);
            map.next_value_seed(InField { field, out: &mut *out, last })?;
        }
        Ok(true)
    }
}

/// The value of a field, written with its tag.
struct InField<'o> {
    field: &'static Field,
    out: &'o mut Vec<u8>,
    last: &'o Cell<&'static str>,
}

impl<'de> DeserializeSeed<'de> for InField<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Self { field, out, last } = self;
        match field.kind {
            Kind::One(message) => {
                nest(field.number, out, |out| InMessage { message, out, last }.deserialize(deserializer))
            }
            Kind::Many(_) | Kind::Texts | Kind::Fixed64s | Kind::Uint64s | Kind::Doubles => {
                deserializer.deserialize_any(InList { field, out, last })
            }
            _ => deserializer.deserialize_any(InScalar { field, out }),
        }
    }
}

/// Writes a message behind its tag and length, or nothing if there is none.
fn nest<E>(number: u32, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> Result<bool, E>) -> Result<(), E> {
    let before = out.len();
    varint(out, u64::from(number << 3 | 2));
    let start = out.len();
    // Most messages are short: room for one byte of length is mostly enough.
    out.push(0);
    if !write(out)? {
        out.truncate(before);
        return Ok(());
    }
    match u8::try_from(out.len() - start - 1) {
        Ok(length @ 0..0x80) => out[start] = length,
        _ => {
            let mut length = Vec::with_capacity(5);
            varint(&mut length, (out.len() - start - 1) as u64);
            // Moves what was written; once per level, of which there are few.
            out.splice(start..=start, length);
        }
    }
    Ok(())
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The elements of a repeated field.
struct InList<'o> {
    field: &'static Field,
    out: &'o mut Vec<u8>,
    last: &'o Cell<&'static str>,
}

impl<'de> Visitor<'de> for InList<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { field, out, last } = self;
        let element = match field.kind {
            Kind::Many(message) => Kind::One(message),
            Kind::Texts => Kind::Text,
            Kind::Fixed64s => Kind::Fixed64,
            Kind::Uint64s => Kind::Uint64,
            _ => Kind::Double,
        };
        // Numbers are not packed: a reader takes both, and this needs no length.
        let element = Field { name: field.name, number: field.number, kind: element };
        while list.next_element_seed(InElement { field: &element, out: &mut *out, last })?.is_some() {
            last.set(field.name);
        }
        Ok(())
    }
}

/// One element of a repeated field.
struct InElement<'o> {
    field: &'o Field,
    out: &'o mut Vec<u8>,
    last: &'o Cell<&'static str>,
}

impl<'de> DeserializeSeed<'de> for InElement<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Self { field, out, last } = self;
        match field.kind {
            Kind::One(message) => {
                nest(field.number, out, |out| InMessage { message, out, last }.deserialize(deserializer))
            }
            _ => deserializer.deserialize_any(InScalar { field, out }),
        }
    }
}

/// A single value.
struct InScalar<'o> {
    field: &'o Field,
    out: &'o mut Vec<u8>,
}

impl<'de> Visitor<'de> for InScalar<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of the field's type")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        match self.field.kind {
            Kind::Bool => self.varint(u64::from(value)),
            _ => Err(unfit()),
        }
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.integer(i128::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.integer(i128::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        match self.field.kind {
            Kind::Double => self.fixed64(value.to_bits()),
            // Some writers have only one sort of number.
            _ if value.fract() == 0.0 && value.abs() < 2f64.powi(64) => self.integer(value as i128),
            _ => Err(unfit()),
        }
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        match self.field.kind {
            Kind::Text => self.bytes(value.as_bytes()),
            Kind::Bytes => self.bytes(&base64(value).ok_or_else(unfit)?),
            Kind::Id => self.bytes(&id(value)),
            Kind::Bool => match value {
                "true" => self.varint(1),
                "false" => self.varint(0),
                _ => Err(unfit()),
            },
            Kind::Double => match value {
                "NaN" => self.fixed64(f64::NAN.to_bits()),
                "Infinity" => self.fixed64(f64::INFINITY.to_bits()),
                "-Infinity" => self.fixed64(f64::NEG_INFINITY.to_bits()),
                _ => {
                    let number: f64 = value.parse().map_err(|_| unfit())?;
                    self.fixed64(number.to_bits())
                }
            },
            Kind::Enum(prefix, names) => {
                let short = value.strip_prefix(prefix).unwrap_or(value);
                let known = names.iter().find(|(name, _)| *name == short).map(|(_, number)| i128::from(*number));
                let number = known.or_else(|| value.parse().ok()).ok_or_else(unfit)?;
                self.integer(number)
            }
            _ => {
                let number: i128 = value.parse().map_err(|_| unfit())?;
                self.integer(number)
            }
        }
    }
}

impl InScalar<'_> {
    fn tag(&mut self, wire_type: u32) {
        varint(self.out, u64::from(self.field.number << 3 | wire_type));
    }

    fn varint<E>(mut self, value: u64) -> Result<(), E> {
        self.tag(0);
        varint(self.out, value);
        Ok(())
    }

    fn fixed64<E>(mut self, value: u64) -> Result<(), E> {
        self.tag(1);
        self.out.extend_from_slice(&value.to_le_bytes());
        Ok(())
    }

    fn bytes<E>(mut self, value: &[u8]) -> Result<(), E> {
        self.tag(2);
        varint(self.out, value.len() as u64);
        self.out.extend_from_slice(value);
        Ok(())
    }

    fn integer<E: Error>(mut self, value: i128) -> Result<(), E> {
        match self.field.kind {
            Kind::Double => self.fixed64((value as f64).to_bits()),
            Kind::Int64 => self.varint(i64::try_from(value).map_err(|_| unfit())? as u64),
            Kind::Uint64 => self.varint(u64::try_from(value).map_err(|_| unfit())?),
            Kind::Enum(..) => self.varint(i64::from(i32::try_from(value).map_err(|_| unfit())?) as u64),
            Kind::Uint32 => self.varint(u64::from(u32::try_from(value).map_err(|_| unfit())?)),
            Kind::Sint32 => {
                let value = i32::try_from(value).map_err(|_| unfit())?;
                self.varint(u64::from(((value << 1) ^ (value >> 31)) as u32))
            }
            Kind::Fixed32 => {
                let value = u32::try_from(value).map_err(|_| unfit())?;
                self.tag(5);
                self.out.extend_from_slice(&value.to_le_bytes());
                Ok(())
            }
            Kind::Fixed64 => self.fixed64(u64::try_from(value).map_err(|_| unfit())?),
            Kind::Sfixed64 => self.fixed64(i64::try_from(value).map_err(|_| unfit())? as u64),
            _ => Err(unfit()),
        }
    }
}

fn base64(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).or_else(|_| BASE64_URL.decode(text)).ok()
}

/// The bytes of an id. What is neither hexadecimal nor base64 becomes an id of no valid length, so that its record
/// is refused and not its neighbours.
fn id(text: &str) -> Vec<u8> {
    // 8 and 16 bytes have 12 and 24 characters of base64, and 16 and 32 of hexadecimal.
    let plain = matches!(text.len(), 12 | 24).then(|| base64(text)).flatten();
    plain.or_else(|| unhex(text.as_bytes())).unwrap_or_else(|| vec![0xff])
}

fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|d| d as u8);
    let pairs = text.chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    pairs.collect()
}
