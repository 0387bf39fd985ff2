//! Columns of a row under one face, whether they have values or not.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, BooleanArray, Int64Array, StringArray};
use component::{ProcessError, Rows, Text};

/// A text or dict column; NULL throughout where the table has none.
#[derive(Clone, Copy)]
pub(super) struct Texts<'a>(Option<Text<'a>>);

impl<'a> Texts<'a> {
    pub(super) fn of(rows: &'a Rows, column: &str) -> Self {
        Self(rows.text(column))
    }

    pub(super) fn get(&self, row: usize) -> Option<&'a str> {
        self.0?.get(row)
    }

    /// Whether any value, of a dictionary each once, is as asked.
    pub(super) fn any(&self, is: impl Fn(&str) -> bool) -> bool {
        match self.0 {
            Some(Text::Plain(values) | Text::Dict { values, .. }) => values.iter().flatten().any(is),
            None => false,
        }
    }
}

/// An int column.
#[derive(Clone, Copy)]
pub(super) struct Ints<'a>(Option<&'a Int64Array>);

impl<'a> Ints<'a> {
    pub(super) fn of(rows: &'a Rows, column: &str) -> Self {
        Self(rows.int(column))
    }

    pub(super) fn get(&self, row: usize) -> Option<i64> {
        self.0.filter(|a| a.is_valid(row)).map(|a| a.value(row))
    }
}

/// A bool column.
#[derive(Clone, Copy)]
pub(super) struct Bools<'a>(Option<&'a BooleanArray>);

impl<'a> Bools<'a> {
    pub(super) fn of(rows: &'a Rows, column: &str) -> Self {
        Self(rows.bool(column))
    }

    pub(super) fn get(&self, row: usize) -> Option<bool> {
        self.0.filter(|a| a.is_valid(row)).map(|a| a.value(row))
    }
}

/// A text column, row by row.
pub(super) fn texts<'a>(rows: &Rows, value: impl FnMut(usize) -> Option<Cow<'a, str>>) -> Arc<StringArray> {
    Arc::new((0..rows.len()).map(value).collect())
}

/// A bool column, row by row.
pub(super) fn bools(rows: &Rows, value: impl FnMut(usize) -> Option<bool>) -> Arc<BooleanArray> {
    Arc::new((0..rows.len()).map(value).collect())
}

/// An int column, row by row.
pub(super) fn ints(rows: &Rows, value: impl FnMut(usize) -> Option<i64>) -> Arc<Int64Array> {
    Arc::new((0..rows.len()).map(value).collect())
}

/// Sets a column that an overlay or an older schema may lack.
pub(super) fn set(rows: &mut Rows, column: &str, values: Arc<dyn Array>) -> Result<(), ProcessError> {
    if rows.table().index(column).is_some() {
        rows.set(column, values)?;
    }
    Ok(())
}
