//! One builder per column, filled only where a row has a value; nulls are added when a later row has one.

mod decimal;
mod fixed;
mod map;
mod put;
mod strings;
mod text;

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, TimestampMicrosecondArray,
};
use arrow::buffer::{BooleanBuffer, ScalarBuffer};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use schemas::Type;

pub(crate) use fixed::Fixed;
pub(crate) use map::Map;
pub(crate) use put::{Conversion, map_entry};
pub(crate) use text::{Dict, Plain, Spellings};

/// A column being filled. Rows are given in ascending order, each at most once.
#[derive(Debug)]
pub(crate) enum Column {
    Text(Plain),
    Dict(Dict),
    Int(Fixed<i64>),
    Float(Fixed<f64>),
    Bool(Fixed<bool>),
    Time(Fixed<i64>),
    Date(Fixed<i32>),
    Money(Fixed<i128>),
    Map(Map),
}

/// Runs the same expression on whichever builder it is.
macro_rules! each {
    ($column:expr, $builder:ident => $run:expr) => {
        match $column {
            Column::Text($builder) => $run,
            Column::Dict($builder) => $run,
            Column::Int($builder) => $run,
            Column::Float($builder) => $run,
            Column::Bool($builder) => $run,
            Column::Time($builder) => $run,
            Column::Date($builder) => $run,
            Column::Money($builder) => $run,
            Column::Map($builder) => $run,
        }
    };
}

impl Column {
    pub(crate) fn new(column: &schemas::Column) -> Self {
        match column.r#type {
            Type::Text => Self::Text(Plain::new(Spellings::new(&column.values))),
            Type::Dict => Self::Dict(Dict::new(Spellings::new(&column.values))),
            Type::Int => Self::Int(Fixed::new()),
            Type::Float => Self::Float(Fixed::new()),
            Type::Bool => Self::Bool(Fixed::new()),
            Type::Time => Self::Time(Fixed::new()),
            Type::Date => Self::Date(Fixed::new()),
            Type::Money => Self::Money(Fixed::new()),
            Type::Map => Self::Map(Map::new()),
        }
    }

    /// Writes text, if this is a column of text.
    #[inline]
    pub(crate) fn write(&mut self, row: usize, write: impl FnOnce(&mut Vec<u8>)) {
        match self {
            Self::Text(column) => column.write(row, write),
            Self::Dict(column) => column.write(row, write),
            _ => {}
        }
    }

    /// Appends text, if this is a column of text.
    #[inline]
    pub(crate) fn text(&mut self, row: usize, text: &[u8]) {
        match self {
            Self::Text(column) => column.push(row, text),
            Self::Dict(column) => column.push(row, text),
            _ => {}
        }
    }

    /// Makes the last row's value the value of the next `times` rows too.
    pub(crate) fn repeat(&mut self, times: usize) {
        if times > 0 {
            each!(self, column => column.repeat(times));
        }
    }

    /// Makes room for a share of what the gather before had.
    pub(crate) fn expect(&mut self, share: f64) {
        each!(self, column => column.expect(share));
    }

    /// Forgets all rows from `rows` on.
    pub(crate) fn truncate(&mut self, rows: usize) {
        each!(self, column => column.truncate(rows));
    }

    /// More bytes came than a column holds.
    pub(crate) fn is_full(&self) -> bool {
        match self {
            Self::Text(column) => column.is_full(),
            Self::Dict(column) => column.is_full(),
            Self::Map(column) => column.is_full(),
            _ => false,
        }
    }

    fn is_unused(&self) -> bool {
        match self {
            Self::Text(column) => column.is_unused(),
            Self::Dict(column) => column.is_unused(),
            Self::Map(column) => column.is_unused(),
            Self::Int(column) | Self::Time(column) => column.len() == 0,
            Self::Float(column) => column.len() == 0,
            Self::Bool(column) => column.len() == 0,
            Self::Date(column) => column.len() == 0,
            Self::Money(column) => column.len() == 0,
        }
    }

    /// The array of `rows` rows, `None` if no row has a value. Leaves the column empty.
    pub(crate) fn finish(&mut self, rows: usize) -> Result<Option<ArrayRef>, ArrowError> {
        if self.is_unused() {
            return Ok(None);
        }
        Ok(Some(match self {
            Self::Text(column) => column.finish(rows)?,
            Self::Dict(column) => column.finish(rows)?,
            Self::Map(column) => column.finish(rows)?,
            Self::Int(column) => {
                let (values, nulls) = column.finish(rows);
                Arc::new(Int64Array::try_new(ScalarBuffer::from(values), nulls)?)
            }
            Self::Float(column) => {
                let (values, nulls) = column.finish(rows);
                Arc::new(Float64Array::try_new(ScalarBuffer::from(values), nulls)?)
            }
            Self::Bool(column) => {
                let (values, nulls) = column.finish(rows);
                Arc::new(BooleanArray::new(BooleanBuffer::from(values), nulls))
            }
            Self::Time(column) => {
                let (values, nulls) = column.finish(rows);
                let array = TimestampMicrosecondArray::try_new(ScalarBuffer::from(values), nulls)?;
                Arc::new(array.with_timezone("UTC"))
            }
            Self::Date(column) => {
                let (values, nulls) = column.finish(rows);
                Arc::new(Date32Array::try_new(ScalarBuffer::from(values), nulls)?)
            }
            Self::Money(column) => {
                let (values, nulls) = column.finish(rows);
                let array = Decimal128Array::try_new(ScalarBuffer::from(values), nulls)?;
                match Type::Money.gather() {
                    DataType::Decimal128(precision, scale) => {
                        Arc::new(array.with_precision_and_scale(precision, scale)?)
                    }
                    _ => Arc::new(array),
                }
            }
        }))
    }
}
