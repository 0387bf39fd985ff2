//! Columns by name, of a gather's rows and of stored ones.

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use component::{Rows, Text};

/// Rows whose columns have names; a column that is not there has no values.
pub(crate) trait Columns {
    /// Number of rows.
    fn count(&self) -> usize;

    /// A column's values.
    fn values(&self, name: &str) -> Option<&ArrayRef>;

    /// A column of text.
    fn words(&self, name: &str) -> Option<Text<'_>> {
        self.values(name).and_then(Text::new)
    }

    /// A column of integers.
    fn numbers(&self, name: &str) -> Option<&Int64Array> {
        self.values(name)?.as_any().downcast_ref()
    }
}

impl Columns for Rows {
    fn count(&self) -> usize {
        self.len()
    }

    fn values(&self, name: &str) -> Option<&ArrayRef> {
        self.get(name)
    }
}

impl Columns for RecordBatch {
    fn count(&self) -> usize {
        self.num_rows()
    }

    fn values(&self, name: &str) -> Option<&ArrayRef> {
        self.column_by_name(name)
    }
}
