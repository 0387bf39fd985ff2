//! Columns of text, plain and as dictionaries.

use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, NullBufferBuilder, PrimitiveArray};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::Int32Type;
use arrow::error::ArrowError;
use hashbrown::{DefaultHashBuilder, HashMap, HashTable};

use super::fixed::Fixed;
use super::strings::Strings;

/// Spellings seen in the wild, lower case, and the one that is stored.
#[derive(Debug, Default)]
pub(crate) struct Spellings(HashMap<Box<[u8]>, Box<[u8]>>);

impl Spellings {
    pub(crate) fn new(values: &BTreeMap<String, String>) -> Self {
        let bytes = |text: &String| text.as_bytes().into();
        Self(values.iter().map(|(from, to)| (bytes(from), bytes(to))).collect())
    }

    fn stored<'a>(&'a self, value: &'a [u8]) -> &'a [u8] {
        if self.0.is_empty() {
            return value;
        }
        match self.0.get(value) {
            Some(stored) => stored,
            None => {
                let text = std::str::from_utf8(value).unwrap_or_default().to_lowercase();
                self.0.get(text.as_bytes()).map_or(value, |stored| stored)
            }
        }
    }
}

/// Plain text.
#[derive(Debug)]
pub(crate) struct Plain {
    strings: Strings,
    nulls: NullBufferBuilder,
    spellings: Spellings,
}

impl Plain {
    pub(crate) fn new(spellings: Spellings) -> Self {
        Self { strings: Strings::default(), nulls: NullBufferBuilder::new(0), spellings }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.strings.is_full()
    }

    #[inline]
    pub(crate) fn push(&mut self, row: usize, value: &[u8]) {
        self.pad(row);
        self.strings.push(self.spellings.stored(value));
        self.nulls.append_non_null();
    }

    #[inline]
    pub(crate) fn write(&mut self, row: usize, write: impl FnOnce(&mut Vec<u8>)) {
        if !self.spellings.0.is_empty() {
            let mut text = Vec::new();
            write(&mut text);
            return self.push(row, &text);
        }
        self.pad(row);
        self.strings.write(write);
        self.nulls.append_non_null();
    }

    #[inline]
    fn pad(&mut self, rows: usize) {
        if let Some(missing @ 1..) = rows.checked_sub(self.strings.len()) {
            self.strings.pad(missing);
            self.nulls.append_n_nulls(missing);
        }
    }

    pub(crate) fn repeat(&mut self, times: usize) {
        if self.strings.len() > 0 {
            self.strings.repeat(1, times);
            self.nulls.append_n_non_nulls(times);
        }
    }

    pub(crate) fn expect(&mut self, share: f64) {
        self.strings.expect(share);
    }

    pub(crate) fn truncate(&mut self, rows: usize) {
        if self.strings.len() > rows {
            self.strings.truncate(rows);
            self.nulls.truncate(rows);
        }
    }

    pub(crate) fn finish(&mut self, rows: usize) -> Result<ArrayRef, ArrowError> {
        self.pad(rows);
        let nulls = std::mem::replace(&mut self.nulls, NullBufferBuilder::new(0));
        Ok(Arc::new(self.strings.finish(nulls.build())?))
    }

    pub(crate) fn is_unused(&self) -> bool {
        self.strings.len() == 0
    }
}

/// Text with few distinct values. The value of the row before is tried first: neighbours are mostly alike.
#[derive(Debug)]
pub(crate) struct Dict {
    keys: Fixed<i32>,
    values: Strings,
    places: HashTable<i32>,
    seeds: DefaultHashBuilder,
    spellings: Spellings,
    scratch: Vec<u8>,
}

impl Dict {
    pub(crate) fn new(spellings: Spellings) -> Self {
        Self {
            keys: Fixed::new(),
            values: Strings::default(),
            places: HashTable::new(),
            seeds: DefaultHashBuilder::default(),
            spellings,
            scratch: Vec::new(),
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.values.is_full()
    }

    #[inline]
    pub(crate) fn push(&mut self, row: usize, value: &[u8]) {
        let key = match self.keys.last() {
            // Below a NULL the key is 0, which is as good a guess as any.
            Some(last) if self.values.len() > 0 && self.values.get(last as usize) == value => last,
            _ => self.key(value),
        };
        self.keys.push(row, key);
    }

    fn key(&mut self, value: &[u8]) -> i32 {
        let Self { values, places, seeds, .. } = self;
        let hash = seeds.hash_one(value);
        if let Some(key) = places.find(hash, |key| values.get(*key as usize) == value) {
            return *key;
        }
        // Rows are counted in 32 bits, and so are distinct values.
        let key = values.len() as i32;
        values.push(value);
        places.insert_unique(hash, key, |key| seeds.hash_one(values.get(*key as usize)));
        key
    }

    pub(crate) fn write(&mut self, row: usize, write: impl FnOnce(&mut Vec<u8>)) {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        write(&mut scratch);
        self.push(row, &scratch);
        self.scratch = scratch;
    }

    pub(crate) fn repeat(&mut self, times: usize) {
        self.keys.repeat(times);
    }

    pub(crate) fn expect(&mut self, share: f64) {
        self.keys.expect(share);
    }

    /// Forgets rows, and the values that only they used: nothing of a refused request may stay behind.
    pub(crate) fn truncate(&mut self, rows: usize) {
        if self.keys.len() <= rows {
            return;
        }
        self.keys.truncate(rows);
        // Values are numbered in the order of their first use.
        let used =
            if self.keys.has_values() { self.keys.values().iter().max().map_or(0, |max| *max as usize + 1) } else { 0 };
        self.values.truncate(used);
        self.places.retain(|key| (*key as usize) < used);
    }

    pub(crate) fn finish(&mut self, rows: usize) -> Result<ArrayRef, ArrowError> {
        self.places.clear();
        self.spell();
        let (keys, nulls) = self.keys.finish(rows);
        let keys = PrimitiveArray::<Int32Type>::try_new(ScalarBuffer::from(keys), nulls)?;
        let values = self.values.finish(None)?;
        Ok(Arc::new(DictionaryArray::try_new(keys, Arc::new(values))?))
    }

    /// Replaces spellings, once for each distinct value; two that become one share a key.
    fn spell(&mut self) {
        if self.spellings.0.is_empty() {
            return;
        }
        let raw = std::mem::take(&mut self.values);
        let spellings = std::mem::take(&mut self.spellings);
        let keys: Vec<i32> = (0..raw.len()).map(|value| self.key(spellings.stored(raw.get(value)))).collect();
        self.spellings = spellings;
        self.places.clear();
        self.keys.replace(|key| keys.get(key as usize).copied().unwrap_or(key));
    }

    pub(crate) fn is_unused(&self) -> bool {
        self.keys.len() == 0
    }
}
