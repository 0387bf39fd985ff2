//! How the attributes of a record stood before columns took them: what a faithful forward needs besides the values.
//!
//! A shape is text such as `status_code.1 input_tokens/s;ssi`. Before the semicolon stands each column that took an
//! attribute, with the number of its alias unless that is the first (`e` for the event's name), and the kind of the value
//! unless it is the column's own; behind it the kinds of the attributes that no column took, in the order of the map. Kinds
//! are `s`tring, `b`ool, `i`nt, `d`ouble, b`y`tes, `a`rray, `k`ey-value list, and `-` for no value. What is left out at the
//! end is as it mostly is: only strings. Shapes are few: every record of one instrumentation has the same.

use std::fmt::Write;

use hashbrown::HashMap;
use schemas::{Table, Type};

use crate::value::Value;

/// Shapes that are remembered; whoever sends more has them spelled out each time.
const MOST: usize = 4096;
/// The alias of an attribute that named the event.
const EVENT_NAME: u16 = u16::MAX;
/// The same, as [`Shapes::take`] is given it.
pub(crate) const BY_EVENT_NAME: usize = EVENT_NAME as usize;

/// The shape of the row at hand, and shapes seen before.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    /// Of each attribute that a column took five bytes: column, alias and kind.
    taken: Vec<u8>,
    /// Kinds of the others.
    rest: Vec<u8>,
    known: HashMap<Vec<u8>, Box<str>>,
}

/// The kind of a value.
#[inline]
pub(crate) fn kind(value: &Value<'_>) -> u8 {
    match value {
        Value::Text(_) => b's',
        Value::Bool(_) => b'b',
        Value::Int(_) => b'i',
        Value::Double(_) => b'd',
        Value::Bytes(_) => b'y',
        Value::Array(_) => b'a',
        Value::List(_) => b'k',
        Value::Empty => b'-',
    }
}

/// The kind that a column's values mostly have on the wire.
fn natural(r#type: Type) -> u8 {
    match r#type {
        Type::Text | Type::Dict => b's',
        Type::Int | Type::Time | Type::Date => b'i',
        Type::Float | Type::Money => b'd',
        Type::Bool => b'b',
        Type::Map => b'k',
    }
}

impl Shapes {
    pub(crate) fn begin(&mut self) {
        self.taken.clear();
        self.rest.clear();
    }

    /// A column took an attribute.
    #[inline]
    pub(crate) fn take(&mut self, column: usize, alias: usize, value: &Value<'_>) {
        // Columns and aliases are numbered in 16 bits.
        let [c0, c1] = (column as u16).to_le_bytes();
        let [a0, a1] = (alias as u16).to_le_bytes();
        self.taken.extend_from_slice(&[c0, c1, a0, a1, kind(value)]);
    }

    /// No column took an attribute.
    #[inline]
    pub(crate) fn leave(&mut self, value: &Value<'_>) {
        self.rest.push(kind(value));
    }

    /// The shape of the row at hand, if it says anything.
    pub(crate) fn text(&mut self, table: &Table) -> Option<&str> {
        let Self { taken, rest, known } = self;
        // Strings that no column took need no word.
        let said = rest.iter().rposition(|kind| *kind != b's').map_or(0, |last| last + 1);
        rest.truncate(said);
        if taken.is_empty() && rest.is_empty() {
            return None;
        }
        if known.len() >= MOST {
            known.clear();
        }
        let columns = taken.len() / TAKEN;
        if !rest.is_empty() {
            // Five bytes that are no column, so that two shapes cannot look alike.
            taken.extend_from_slice(&[u8::MAX; TAKEN]);
            taken.append(rest);
        }
        let shape = known.entry_ref(taken.as_slice()).or_insert_with(|| spelled(taken, columns, table).into());
        Some(shape)
    }
}

/// Bytes of each attribute that a column took.
const TAKEN: usize = 5;

fn spelled(code: &[u8], columns: usize, table: &Table) -> String {
    let mut out = String::new();
    let (taken, rest) = code.split_at(columns * TAKEN);
    for attribute in taken.chunks_exact(TAKEN) {
        let [c0, c1, a0, a1, kind] = *attribute else { continue };
        let Some(column) = table.columns.get(usize::from(u16::from_le_bytes([c0, c1]))) else { continue };
        let space = if out.is_empty() { "" } else { " " };
        let _ = write!(out, "{space}{}", column.name);
        match u16::from_le_bytes([a0, a1]) {
            0 => {}
            EVENT_NAME => out.push_str(".e"),
            alias => {
                let _ = write!(out, ".{alias}");
            }
        }
        if kind != natural(column.r#type) {
            let _ = write!(out, "/{}", char::from(kind));
        }
    }
    if let Some(kinds) = rest.get(TAKEN..) {
        out.push(';');
        out.extend(kinds.iter().copied().map(char::from));
    }
    out
}
