//! Text as Arrow lays it out: all bytes in one buffer, and where each value ends.

use arrow::array::StringArray;
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::error::ArrowError;

/// Values without nulls; who needs nulls keeps them beside.
#[derive(Debug)]
pub(crate) struct Strings {
    offsets: Vec<i32>,
    bytes: Vec<u8>,
    /// More bytes came than 32-bit offsets reach; what came after is not here.
    full: bool,
    /// Values and bytes of the gather before.
    before: (usize, usize),
}

impl Default for Strings {
    fn default() -> Self {
        Self { offsets: vec![0], bytes: Vec::new(), full: false, before: (0, 0) }
    }
}

impl Strings {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    pub(crate) fn is_full(&self) -> bool {
        self.full
    }

    pub(crate) fn get(&self, index: usize) -> &[u8] {
        match (self.offsets.get(index), self.offsets.get(index + 1)) {
            (Some(start), Some(end)) => &self.bytes[*start as usize..*end as usize],
            _ => &[],
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
        self.close();
    }

    /// Adds one value, written in place.
    #[inline]
    pub(crate) fn write(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.close();
    }

    #[inline]
    fn close(&mut self) {
        match i32::try_from(self.bytes.len()) {
            Ok(end) => self.offsets.push(end),
            Err(_) => self.overflow(),
        }
    }

    #[cold]
    fn overflow(&mut self) {
        let end = self.offsets[self.len()];
        self.bytes.truncate(end as usize);
        self.offsets.push(end);
        self.full = true;
    }

    /// Empty values, under nulls.
    pub(crate) fn pad(&mut self, count: usize) {
        let end = self.offsets[self.len()];
        self.offsets.resize(self.offsets.len() + count, end);
    }

    /// The last `values` values again, `times` times.
    pub(crate) fn repeat(&mut self, values: usize, times: usize) {
        let first = self.len() - values;
        let start = self.offsets[first] as usize;
        let size = self.bytes.len() - start;
        self.bytes.reserve(size.saturating_mul(times).min(i32::MAX as usize));
        for _ in 0..times {
            for index in 0..values {
                let (from, to) = (self.offsets[first + index] as usize, self.offsets[first + index + 1] as usize);
                self.bytes.extend_from_within(from..to);
                self.close();
            }
        }
    }

    /// Makes room for a share of what came before.
    pub(crate) fn expect(&mut self, share: f64) {
        self.offsets.reserve((self.before.0 as f64 * share) as usize);
        self.bytes.reserve((self.before.1 as f64 * share) as usize);
    }

    pub(crate) fn truncate(&mut self, len: usize) {
        self.offsets.truncate(len + 1);
        self.bytes.truncate(self.offsets[self.len()] as usize);
    }

    /// The array, leaving this empty.
    pub(crate) fn finish(&mut self, nulls: Option<NullBuffer>) -> Result<StringArray, ArrowError> {
        let before = (self.len(), self.bytes.len());
        let all = std::mem::replace(self, Self { before, ..Self::default() });
        let offsets = OffsetBuffer::new(ScalarBuffer::from(all.offsets));
        StringArray::try_new(offsets, Buffer::from_vec(all.bytes), nulls)
    }
}
