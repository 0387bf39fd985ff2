//! Columns of text by text.

use std::sync::Arc;

use arrow::array::{ArrayRef, MapArray, NullBufferBuilder, StructArray};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use schemas::Type;

use super::strings::Strings;

/// Maps; a row without entries is NULL.
#[derive(Debug)]
pub(crate) struct Map {
    ends: Vec<i32>,
    nulls: NullBufferBuilder,
    keys: Strings,
    values: Strings,
    value_nulls: NullBufferBuilder,
}

impl Map {
    pub(crate) fn new() -> Self {
        Self {
            ends: vec![0],
            nulls: NullBufferBuilder::new(0),
            keys: Strings::default(),
            values: Strings::default(),
            value_nulls: NullBufferBuilder::new(0),
        }
    }

    fn len(&self) -> usize {
        self.ends.len() - 1
    }

    pub(crate) fn is_full(&self) -> bool {
        self.keys.is_full() || self.values.is_full()
    }

    #[inline]
    pub(crate) fn entry(&mut self, key: &[u8], value: Option<&[u8]>) {
        self.keys.push(key);
        self.values.push(value.unwrap_or_default());
        self.value_nulls.append(value.is_some());
    }

    pub(crate) fn write_entry(&mut self, key: &[u8], write: impl FnOnce(&mut Vec<u8>)) {
        self.keys.push(key);
        self.values.write(write);
        self.value_nulls.append_non_null();
    }

    /// Makes the entries since the last row the value of `row`; none leave it NULL.
    #[inline]
    pub(crate) fn close(&mut self, row: usize) {
        if self.keys.len() == self.open() {
            return;
        }
        self.pad(row);
        self.end_row();
    }

    /// Entries that belong to a row already.
    fn open(&self) -> usize {
        self.ends[self.len()] as usize
    }

    #[inline]
    fn end_row(&mut self) {
        // Each entry holds two 32-bit offsets, so text offsets and memory run out before this one does.
        self.ends.push(i32::try_from(self.keys.len()).unwrap_or(i32::MAX));
        self.nulls.append_non_null();
    }

    fn pad(&mut self, rows: usize) {
        if let Some(missing @ 1..) = rows.checked_sub(self.len()) {
            let end = self.ends[self.len()];
            self.ends.resize(self.ends.len() + missing, end);
            self.nulls.append_n_nulls(missing);
        }
    }

    /// The last row again, `times` times.
    pub(crate) fn repeat(&mut self, times: usize) {
        let Some(before) = self.len().checked_sub(1) else { return };
        let first = self.ends[before] as usize;
        let entries = self.keys.len() - first;
        self.keys.repeat(entries, times);
        self.values.repeat(entries, times);
        let valid: Vec<bool> = (first..first + entries).map(|entry| self.value_nulls.is_valid(entry)).collect();
        for _ in 0..times {
            self.value_nulls.append_slice(&valid);
            let end = self.ends[self.len()] as usize + entries;
            self.ends.push(i32::try_from(end).unwrap_or(i32::MAX));
        }
        self.nulls.append_n_non_nulls(times);
    }

    pub(crate) fn expect(&mut self, share: f64) {
        self.keys.expect(share);
        self.values.expect(share);
    }

    pub(crate) fn truncate(&mut self, rows: usize) {
        if self.len() > rows {
            self.ends.truncate(rows + 1);
            self.nulls.truncate(rows);
        }
        let entries = self.open();
        self.keys.truncate(entries);
        self.values.truncate(entries);
        self.value_nulls.truncate(entries);
    }

    pub(crate) fn finish(&mut self, rows: usize) -> Result<ArrayRef, ArrowError> {
        self.pad(rows);
        let keys = Arc::new(self.keys.finish(None)?) as ArrayRef;
        let value_nulls = std::mem::replace(&mut self.value_nulls, NullBufferBuilder::new(0));
        let values = Arc::new(self.values.finish(value_nulls.build())?) as ArrayRef;
        let ends = OffsetBuffer::new(ScalarBuffer::from(std::mem::replace(&mut self.ends, vec![0])));
        let nulls = std::mem::replace(&mut self.nulls, NullBufferBuilder::new(0));
        let DataType::Map(field, ordered) = Type::Map.gather() else {
            return Err(ArrowError::SchemaError("the map type is not a map".to_owned()));
        };
        let DataType::Struct(parts) = field.data_type() else {
            return Err(ArrowError::SchemaError("the entries of the map type are not a struct".to_owned()));
        };
        let entries = StructArray::try_new(parts.clone(), vec![keys, values], None)?;
        Ok(Arc::new(MapArray::try_new(field, ends, entries, nulls.build(), ordered)?))
    }

    pub(crate) fn is_unused(&self) -> bool {
        self.len() == 0
    }
}
