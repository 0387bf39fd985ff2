//! Numbers and hashes of audit rows, set as they are appended.
//!
//! `leaf = H(0 ‖ public columns ‖ C)`, `C = H(salt ‖ personal columns)`. Columns count as the table's schema marks them,
//! only those that have a value, in the order of their names. Erasing nulls the personal columns and the salt and keeps
//! `C`, so that the leaf still verifies.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray};
use arrow::datatypes::{Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType};
use component::{Rows, Text};
use schemas::{Column, Leaf, Table, Type};
use sha2::{Digest, Sha256};

use crate::Error;
use crate::segment::JournalId;

/// Version of the canonical form below.
pub const CANON_VERSION: i64 = 1;

/// Columns that the journal sets. `log_id` and `log_seq` are part of the public half.
const OURS: &[&str] = &["canon_ver", "salt", "commitment", "leaf"];

/// Numbers and hashes the rows of an audit table. Returns the next free number.
pub(crate) fn stamp(rows: &mut Rows, id: JournalId, next: u64) -> Result<u64, Error> {
    let count = rows.len();
    let table = rows.table().name.clone();
    let fail = |why: String| Error::Frame { doing: "numbering audit", table: table.clone(), why };
    let first = i64::try_from(next).map_err(|e| fail(e.to_string()))?;
    let numbers = (0..).take(count).map(|i| first + i).collect::<Vec<i64>>();
    let mut salts = vec![[0u8; 16]; count];
    for salt in &mut salts {
        getrandom::fill(salt).map_err(|e| fail(e.to_string()))?;
    }
    let text = |values: Vec<String>| Arc::new(StringArray::from(values)) as ArrayRef;
    let sets: [(&str, ArrayRef); 4] = [
        ("log_id", text(vec![id.to_string(); count])),
        ("log_seq", Arc::new(Int64Array::from(numbers))),
        ("canon_ver", Arc::new(Int64Array::from(vec![CANON_VERSION; count]))),
        ("salt", text(salts.iter().map(|s| hex(s)).collect())),
    ];
    for (column, values) in sets {
        rows.set(column, values).map_err(|e| fail(e.to_string()))?;
    }
    let halves = Halves::of(rows.table());
    let personal = |row: usize| canonical(rows, row, &halves.personal);
    let public = |row: usize| canonical(rows, row, &halves.public);
    let commitments: Vec<[u8; 32]> = (0..count).map(|row| commitment(&salts[row], &personal(row))).collect();
    let leaves: Vec<String> = (0..count).map(|row| hex(&leaf(&public(row), &commitments[row]))).collect();
    rows.set("commitment", text(commitments.iter().map(|c| hex(c)).collect())).map_err(|e| fail(e.to_string()))?;
    rows.set("leaf", text(leaves)).map_err(|e| fail(e.to_string()))?;
    Ok(next + count as u64)
}

/// `C`: the salted hash of the canonical personal columns.
pub fn commitment(salt: &[u8; 16], personal: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(salt).chain_update(personal).finalize().into()
}

/// The leaf: the hash of a zero byte, the canonical public columns and `C`.
pub fn leaf(public: &[u8], commitment: &[u8; 32]) -> [u8; 32] {
    Sha256::new().chain_update([0]).chain_update(public).chain_update(commitment).finalize().into()
}

/// What an audit row's own hashes say about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Every hashed value is as it was appended.
    Intact,
    /// The personal half is gone; the open half is as it was appended.
    Erased,
    /// A hashed value is not what was appended.
    Tampered,
}

/// Checks a row, as stored, against its leaf. That the leaf itself is the one that was appended is for the log over all
/// leaves to say.
pub fn verify(rows: &Rows, row: usize) -> Verdict {
    match verdict(rows, row, &Halves::of(rows.table())) {
        Some(verdict) => verdict,
        None => Verdict::Tampered,
    }
}

/// `None` if a hash is missing or no hash.
fn verdict(rows: &Rows, row: usize, halves: &Halves<'_>) -> Option<Verdict> {
    let version = rows.int("canon_ver").filter(|v| v.is_valid(row))?.value(row);
    let stored = from_hex::<32>(rows.text("commitment")?.get(row)?)?;
    let expected = from_hex::<32>(rows.text("leaf")?.get(row)?)?;
    if version != CANON_VERSION || leaf(&canonical(rows, row, &halves.public), &stored) != expected {
        return None;
    }
    let personal = canonical(rows, row, &halves.personal);
    match rows.text("salt").and_then(|salt| salt.get(row)) {
        Some(salt) => (commitment(&from_hex(salt)?, &personal) == stored).then_some(Verdict::Intact),
        None => personal.is_empty().then_some(Verdict::Erased),
    }
}

/// The columns of a table that are hashed, by name.
struct Halves<'a> {
    public: Vec<(usize, &'a Column)>,
    personal: Vec<(usize, &'a Column)>,
}

impl<'a> Halves<'a> {
    fn of(table: &'a Table) -> Self {
        let half = |half: Leaf| {
            let mut columns: Vec<_> =
                table.columns.iter().enumerate().filter(|(_, c)| leaf_of(c) == Some(half)).collect();
            columns.sort_by(|a, b| a.1.name.cmp(&b.1.name));
            columns
        };
        Self { public: half(Leaf::Public), personal: half(Leaf::Personal) }
    }
}

fn leaf_of(column: &Column) -> Option<Leaf> {
    match column.name.as_str() {
        name if column.transient || column.journal_only || OURS.contains(&name) => None,
        "log_id" | "log_seq" => Some(Leaf::Public),
        _ => column.leaf,
    }
}

/// Name, type and value of each column of one half, every part preceded by its length.
fn canonical(rows: &Rows, row: usize, columns: &[(usize, &Column)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (index, column) in columns {
        let Some(value) = rows.at(*index).and_then(|array| value(array, column.r#type, row)) else { continue };
        for part in [column.name.as_bytes(), column.r#type.as_str().as_bytes(), &value] {
            out.extend_from_slice(&(part.len() as u64).to_le_bytes());
            out.extend_from_slice(part);
        }
    }
    out
}

fn value(array: &ArrayRef, kind: Type, row: usize) -> Option<Vec<u8>> {
    match kind {
        Type::Text | Type::Dict => Some(Text::new(array)?.get(row)?.as_bytes().to_vec()),
        _ if array.is_null(row) => None,
        Type::Int => Some(array.as_primitive_opt::<Int64Type>()?.value(row).to_le_bytes().to_vec()),
        Type::Float => Some(array.as_primitive_opt::<Float64Type>()?.value(row).to_le_bytes().to_vec()),
        Type::Bool => Some(vec![u8::from(array.as_boolean_opt()?.value(row))]),
        Type::Time => Some(array.as_primitive_opt::<TimestampMicrosecondType>()?.value(row).to_le_bytes().to_vec()),
        Type::Date => Some(array.as_primitive_opt::<Date32Type>()?.value(row).to_le_bytes().to_vec()),
        Type::Money => Some(array.as_primitive_opt::<Decimal128Type>()?.value(row).to_le_bytes().to_vec()),
        Type::Map => map_value(array, row),
    }
}

fn map_value(array: &ArrayRef, row: usize) -> Option<Vec<u8>> {
    let entries = array.as_map_opt()?.value(row);
    let keys = entries.column(0).as_string_opt::<i32>()?;
    let values = entries.column(1).as_string_opt::<i32>()?;
    let mut pairs: Vec<(&str, Option<&str>)> =
        (0..entries.len()).map(|i| (keys.value(i), values.is_valid(i).then(|| values.value(i)))).collect();
    pairs.sort_unstable();
    let mut out = Vec::new();
    for (key, value) in pairs {
        for part in [Some(key), value] {
            // No text is that long, so a missing value differs from an empty one.
            out.extend_from_slice(&part.map_or(u64::MAX, |p| p.len() as u64).to_le_bytes());
            out.extend_from_slice(part.unwrap_or_default().as_bytes());
        }
    }
    Some(out)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut out = [0; N];
    if text.len() != 2 * N || !text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        return None;
    }
    for (index, byte) in out.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()?;
    }
    Some(out)
}
