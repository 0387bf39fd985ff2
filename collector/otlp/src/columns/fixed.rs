//! Columns of numbers.

use arrow::array::NullBufferBuilder;
use arrow::buffer::NullBuffer;

/// Values of a fixed size; rows that were passed over are NULL.
#[derive(Debug)]
pub(crate) struct Fixed<T> {
    values: Vec<T>,
    nulls: NullBufferBuilder,
    /// Rows of the gather before.
    before: usize,
}

impl<T: Copy + Default> Fixed<T> {
    pub(crate) fn new() -> Self {
        Self { values: Vec::new(), nulls: NullBufferBuilder::new(0), before: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    pub(crate) fn last(&self) -> Option<T> {
        self.values.last().copied()
    }

    /// Values, with a default one under each null.
    pub(crate) fn values(&self) -> &[T] {
        &self.values
    }

    /// Whether any row is not NULL.
    pub(crate) fn has_values(&self) -> bool {
        match self.nulls.as_slice() {
            Some(bits) => bits.iter().any(|byte| *byte != 0),
            None => !self.values.is_empty(),
        }
    }

    /// Replaces every value, those under nulls included.
    pub(crate) fn replace(&mut self, f: impl Fn(T) -> T) {
        self.values.iter_mut().for_each(|value| *value = f(*value));
    }

    #[inline]
    pub(crate) fn push(&mut self, row: usize, value: T) {
        self.pad(row);
        self.values.push(value);
        self.nulls.append_non_null();
    }

    #[inline]
    pub(crate) fn pad(&mut self, rows: usize) {
        if let Some(missing @ 1..) = rows.checked_sub(self.values.len()) {
            self.values.resize(rows, T::default());
            self.nulls.append_n_nulls(missing);
        }
    }

    /// The last value again, `times` times.
    pub(crate) fn repeat(&mut self, times: usize) {
        if let Some(last) = self.values.last().copied() {
            self.values.resize(self.values.len() + times, last);
            self.nulls.append_n_non_nulls(times);
        }
    }

    /// Makes room for a share of what came before.
    pub(crate) fn expect(&mut self, share: f64) {
        self.values.reserve((self.before as f64 * share) as usize);
    }

    pub(crate) fn truncate(&mut self, rows: usize) {
        self.values.truncate(rows);
        self.nulls.truncate(rows);
    }

    /// Values and nulls of `rows` rows, leaving this empty.
    pub(crate) fn finish(&mut self, rows: usize) -> (Vec<T>, Option<NullBuffer>) {
        self.pad(rows);
        self.before = rows;
        let nulls = std::mem::replace(&mut self.nulls, NullBufferBuilder::new(0));
        (std::mem::take(&mut self.values), nulls.build())
    }
}
