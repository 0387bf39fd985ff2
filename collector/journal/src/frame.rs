//! Rows of one table as an Arrow IPC frame, and back without a copy.
//!
//! A frame carries only the columns that have a value. Column names stand in a frame schema, which frames name by
//! fingerprint.
//!
//! From 64 rows on each column is an IPC column, `dict` columns as dictionaries. Below, what IPC says about thirty columns
//! outweighs what stands in them, so columns of one type lie behind one another in a single list: the fourth text column
//! of ten rows is the slice from 30 to 39. Reading it takes no copy either.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, FixedSizeListArray, RecordBatch, RecordBatchOptions};
use arrow::buffer::Buffer;
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use arrow::error::ArrowError;
use arrow::ipc::reader::FileDecoder;
use arrow::ipc::writer::{
    DictionaryTracker, EncodedData, IpcDataGenerator, IpcWriteContext, IpcWriteOptions, write_message,
};
use arrow::ipc::{Block, MetadataVersion};
use component::Rows;
use schemas::{Catalog, Type};
use serde::{Deserialize, Serialize};

use crate::Error;

/// Rows from which on columns of their own, and dictionaries, pay.
const DICTIONARY_FROM: usize = 64;
/// IPC buffers need no more alignment than the widest word that is read in place.
const ALIGNMENT: usize = 8;

/// One table's rows in an entry.
#[derive(Debug, Clone)]
pub struct Part {
    /// Table name.
    pub table: String,
    /// The columns that have a value; `dict` columns plain or as dictionaries.
    pub batch: RecordBatch,
}

/// Names and encodings of a frame's columns.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct FrameSchema {
    pub(crate) table: String,
    /// Columns of one type share a list.
    packed: bool,
    columns: Vec<FrameColumn>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct FrameColumn {
    name: String,
    r#type: String,
    dict: bool,
}

impl FrameSchema {
    /// A stable number of this schema inside a segment.
    pub(crate) fn fingerprint(&self) -> Result<u64, Error> {
        use sha2::Digest;
        let digest = sha2::Sha256::digest(self.to_bytes()?);
        Ok(digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        serde_json::to_vec(self).map_err(|e| failed("writing the frame schema of", &self.table, &e))
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    fn fields(&self, catalog: &Catalog) -> Option<Vec<Field>> {
        let table = catalog.table(&self.table);
        let mut next_dict = 0;
        let mut fields = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            // A column that the catalog no longer has is still in the frame and must be read over.
            let declared = table.and_then(|t| t.column(&column.name)).map(|c| c.r#type);
            let kind = declared.filter(|t| t.as_str() == column.r#type).or_else(|| type_of(&column.r#type))?;
            if column.dict {
                fields.push(dict_field(&column.name, next_dict));
                next_dict += 1;
            } else {
                fields.push(Field::new(&column.name, kind.stored(), true));
            }
        }
        Some(fields)
    }
}

fn type_of(word: &str) -> Option<Type> {
    use Type::{Bool, Date, Dict, Float, Int, Map, Money, Text, Time};
    [Text, Dict, Int, Float, Bool, Time, Date, Money, Map].into_iter().find(|t| t.as_str() == word)
}

#[expect(deprecated, reason = "reading IPC dictionaries still needs their ids on the fields")]
fn dict_field(name: &str, id: i64) -> Field {
    Field::new_dict(name, Type::Dict.gather(), true, id, false)
}

/// A frame, encoded.
pub(crate) struct Encoded {
    pub(crate) schema: FrameSchema,
    pub(crate) rows: usize,
    messages: Vec<EncodedData>,
}

/// Encodes the stored columns of some rows.
pub(crate) fn encode(rows: &Rows) -> Result<Encoded, Error> {
    let table = rows.table();
    let fail = |e: ArrowError| failed("journaling", &table.name, &e);
    let packed = rows.len() < DICTIONARY_FROM;
    let mut columns = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    let mut fields = Vec::new();
    let mut tracker = DictionaryTracker::new(false);
    for (index, column) in table.columns.iter().enumerate().filter(|(_, c)| !c.transient) {
        let Some(array) = rows.at(index) else { continue };
        let is_dict = matches!(array.data_type(), DataType::Dictionary(_, _));
        let dict = is_dict && !packed;
        if dict {
            fields.push(dict_field(&column.name, tracker.next_dict_id()));
            arrays.push(Arc::clone(array));
        } else {
            let stored = column.r#type.stored();
            arrays.push(if is_dict { cast(array, &stored).map_err(fail)? } else { Arc::clone(array) });
            fields.push(Field::new(&column.name, stored, true));
        }
        columns.push(FrameColumn { name: column.name.clone(), r#type: column.r#type.as_str().to_owned(), dict });
    }
    let batch = if packed { pack(&fields, &arrays, rows.len()) } else { batch(fields, arrays, rows.len()) };
    let (mut messages, last) = IpcDataGenerator::default()
        .encode(&batch.map_err(fail)?, &mut tracker, &ipc_options().map_err(fail)?, &mut IpcWriteContext::default())
        .map_err(fail)?;
    messages.push(last);
    Ok(Encoded { schema: FrameSchema { table: table.name.clone(), packed, columns }, rows: rows.len(), messages })
}

fn batch(fields: Vec<Field>, arrays: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, ArrowError> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Schema::new(fields).into(), arrays, &options)
}

/// One row: for each type, all its columns behind one another.
fn pack(fields: &[Field], arrays: &[ArrayRef], rows: usize) -> Result<RecordBatch, ArrowError> {
    let mut lists: Vec<ArrayRef> = Vec::new();
    for (kind, members) in by_type(fields) {
        let parts: Vec<&dyn Array> = members.iter().map(|column| arrays[*column].as_ref()).collect();
        let (item, length) = list_of(kind, members.len() * rows)?;
        lists.push(Arc::new(FixedSizeListArray::try_new(item, length, concat(&parts)?, None)?));
    }
    batch(packed_fields(fields, rows)?, lists, 1)
}

/// The columns of [`pack`], apart again.
fn unpack(packed: &RecordBatch, fields: Vec<Field>, rows: usize) -> Result<RecordBatch, ArrowError> {
    let mut arrays: Vec<Option<ArrayRef>> = vec![None; fields.len()];
    for ((_, members), list) in by_type(&fields).iter().zip(packed.columns()) {
        let values = list.as_fixed_size_list_opt().map(FixedSizeListArray::values);
        let Some(values) = values.filter(|v| v.len() == members.len() * rows) else { continue };
        for (place, column) in members.iter().enumerate() {
            arrays[*column] = Some(values.slice(place * rows, rows));
        }
    }
    let missing = || ArrowError::IpcError("a packed column has another number of rows".into());
    batch(fields, arrays.into_iter().collect::<Option<Vec<_>>>().ok_or_else(missing)?, rows)
}

/// Columns of each type, types in the order in which they come.
fn by_type(fields: &[Field]) -> Vec<(&DataType, Vec<usize>)> {
    let mut groups: Vec<(&DataType, Vec<usize>)> = Vec::new();
    for (column, field) in fields.iter().enumerate() {
        match groups.iter_mut().find(|(kind, _)| *kind == field.data_type()) {
            Some((_, members)) => members.push(column),
            None => groups.push((field.data_type(), vec![column])),
        }
    }
    groups
}

fn packed_fields(fields: &[Field], rows: usize) -> Result<Vec<Field>, ArrowError> {
    let list = |(kind, members): (&DataType, Vec<usize>)| {
        let (item, length) = list_of(kind, members.len() * rows)?;
        Ok(Field::new("", DataType::FixedSizeList(item, length), false))
    };
    by_type(fields).into_iter().map(list).collect()
}

fn list_of(kind: &DataType, values: usize) -> Result<(FieldRef, i32), ArrowError> {
    let length = i32::try_from(values).map_err(|e| ArrowError::InvalidArgumentError(e.to_string()))?;
    Ok((Arc::new(Field::new("", kind.clone(), true)), length))
}

fn ipc_options() -> Result<IpcWriteOptions, ArrowError> {
    IpcWriteOptions::try_new(ALIGNMENT, false, MetadataVersion::V5)
}

/// Appends a frame to an entry's body: fingerprint u64, rows u32, messages u32, then each message's lengths and bytes.
pub(crate) fn push(body: &mut Vec<u8>, fingerprint: u64, frame: Encoded) -> Result<(), Error> {
    let table = frame.schema.table;
    let long = |_| Error::Frame { doing: "journaling", table: table.clone(), why: "over 4 GiB at once".into() };
    body.extend_from_slice(&fingerprint.to_le_bytes());
    body.extend_from_slice(&u32::try_from(frame.rows).map_err(long)?.to_le_bytes());
    body.extend_from_slice(&u32::try_from(frame.messages.len()).map_err(long)?.to_le_bytes());
    for message in frame.messages {
        let lengths = body.len();
        body.extend_from_slice(&[0; 8]);
        let options = ipc_options().map_err(|e| failed("journaling", &table, &e))?;
        let (meta, data) =
            write_message(&mut *body, message, &options).map_err(|e| failed("journaling", &table, &e))?;
        body[lengths..lengths + 4].copy_from_slice(&u32::try_from(meta).map_err(long)?.to_le_bytes());
        body[lengths + 4..lengths + 8].copy_from_slice(&u32::try_from(data).map_err(long)?.to_le_bytes());
        body.resize(body.len().next_multiple_of(8), 0);
    }
    Ok(())
}

/// A frame found in an entry, not decoded yet.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) fingerprint: u64,
    pub(crate) rows: usize,
    /// Offset, metadata length and body length of each message.
    messages: Vec<(usize, usize, usize)>,
}

/// Lists the frames of an entry's body.
pub(crate) fn list(body: &[u8]) -> Option<Vec<Found>> {
    let mut at = 0;
    let mut out = Vec::new();
    while at < body.len() {
        let fingerprint = u64::from_le_bytes(body.get(at..at + 8)?.try_into().ok()?);
        let rows = u32::from_le_bytes(body.get(at + 8..at + 12)?.try_into().ok()?) as usize;
        let count = u32::from_le_bytes(body.get(at + 12..at + 16)?.try_into().ok()?);
        at += 16;
        let mut messages = Vec::new();
        for _ in 0..count {
            let meta = u32::from_le_bytes(body.get(at..at + 4)?.try_into().ok()?) as usize;
            let data = u32::from_le_bytes(body.get(at + 4..at + 8)?.try_into().ok()?) as usize;
            at += 8;
            body.get(at..at + meta + data)?;
            messages.push((at, meta, data));
            at = (at + meta + data).next_multiple_of(8);
        }
        out.push(Found { fingerprint, rows, messages });
    }
    Some(out)
}

/// Decodes a frame in place: the batch points into `body`.
pub(crate) fn decode(body: &Buffer, found: &Found, schema: &FrameSchema, catalog: &Catalog) -> Result<Part, Error> {
    let fail = |why: String| Error::Frame { doing: "reading journaled", table: schema.table.clone(), why };
    let fields = schema.fields(catalog).ok_or_else(|| fail("a column has an unknown type".into()))?;
    let in_file = if schema.packed {
        packed_fields(&fields, found.rows).map_err(|e| fail(e.to_string()))?
    } else {
        fields.clone()
    };
    let mut decoder = FileDecoder::new(Schema::new(in_file).into(), MetadataVersion::V5);
    let Some(((at, meta, data), dictionaries)) = found.messages.split_last() else {
        return Err(fail("the frame has no message".into()));
    };
    for (at, meta, data) in dictionaries {
        let slice = body.slice_with_length(*at, meta + data);
        decoder.read_dictionary(&block(*meta, *data), &slice).map_err(|e| fail(e.to_string()))?;
    }
    let slice = body.slice_with_length(*at, meta + data);
    let batch = decoder.read_record_batch(&block(*meta, *data), &slice).map_err(|e| fail(e.to_string()))?;
    let mut batch = batch.ok_or_else(|| fail("the frame has no rows".into()))?;
    if schema.packed {
        batch = unpack(&batch, fields, found.rows).map_err(|e| fail(e.to_string()))?;
    }
    Ok(Part { table: schema.table.clone(), batch })
}

fn block(meta: usize, data: usize) -> Block {
    Block::new(0, i32::try_from(meta).unwrap_or(i32::MAX), i64::try_from(data).unwrap_or(i64::MAX))
}

/// Frame schemas by fingerprint.
pub(crate) type FrameSchemas = HashMap<u64, Arc<FrameSchema>>;

fn failed(doing: &'static str, table: &str, why: &dyn std::fmt::Display) -> Error {
    Error::Frame { doing, table: table.to_owned(), why: why.to_string() }
}
