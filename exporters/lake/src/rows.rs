//! Frames of one table as one sorted batch, cut by day.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, UInt32Array, new_null_array};
use arrow::compute::{SortColumn, SortOptions, cast, concat_batches, lexsort_to_indices, take_record_batch};
use arrow::datatypes::{Date32Type, Field, Schema, SchemaRef, TimestampMicrosecondType};
use arrow::error::ArrowError;
use chrono::{DateTime, NaiveDate, TimeDelta};
use schemas::Table;

use crate::Error;

/// Column that says in which folder a row lies; not stored in the file.
pub(crate) const PARTITION: &str = "date";

/// Lowest and highest `time`, microseconds.
pub(crate) type Times = (i64, i64);

/// Rows of one day, sorted.
pub(crate) struct Day {
    pub(crate) date: String,
    pub(crate) batch: RecordBatch,
}

/// Joins frames and cuts them into sorted days.
pub(crate) fn days(table: &Table, frames: &[RecordBatch]) -> Result<Vec<Day>, Error> {
    let fail = |e: ArrowError| Error::rows("sorting rows", &table.name, e);
    let schema = present(table, frames.iter().map(RecordBatch::schema));
    let aligned: Vec<RecordBatch> = frames.iter().map(|f| align(f, &schema)).collect::<Result<_, _>>().map_err(fail)?;
    let all = concat_batches(&schema, &aligned).map_err(fail)?;
    drop(aligned);
    if all.num_rows() == 0 {
        return Ok(Vec::new());
    }
    let sorted = match order(table, &all).map_err(fail)? {
        Some(order) => take_record_batch(&all, &order).map_err(fail)?,
        None => all,
    };
    cut(table, &sorted)
}

/// The table's columns that at least one of some batches has, in the table's order.
pub(crate) fn present(table: &Table, schemas: impl Iterator<Item = SchemaRef>) -> SchemaRef {
    let schemas: Vec<SchemaRef> = schemas.collect();
    let fields: Vec<Field> = table
        .stored_columns()
        .filter(|c| schemas.iter().any(|s| s.field_with_name(&c.name).is_ok()))
        .map(|c| Field::new(&c.name, c.r#type.stored(), true))
        .collect();
    Schema::new(fields).into()
}

/// A batch with exactly these columns: dictionaries plain, missing ones NULL.
pub(crate) fn align(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let columns = schema
        .fields()
        .iter()
        .map(|field| match batch.column_by_name(field.name()) {
            Some(column) if column.data_type() == field.data_type() => Ok(Arc::clone(column)),
            Some(column) => cast(column, field.data_type()),
            None => Ok(new_null_array(field.data_type(), batch.num_rows())),
        })
        .collect::<Result<Vec<ArrayRef>, _>>()?;
    // `count(*)` asks for rows without columns.
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
}

fn order(table: &Table, batch: &RecordBatch) -> Result<Option<UInt32Array>, ArrowError> {
    let options = Some(SortOptions { descending: false, nulls_first: true });
    let columns: Vec<SortColumn> = std::iter::once(PARTITION)
        .chain(table.sort.iter().map(String::as_str))
        .filter_map(|name| batch.column_by_name(name))
        .map(|column| SortColumn { values: Arc::clone(column), options })
        .collect();
    if columns.is_empty() { Ok(None) } else { lexsort_to_indices(&columns, None).map(Some) }
}

fn cut(table: &Table, sorted: &RecordBatch) -> Result<Vec<Day>, Error> {
    let missing = || Error::rows("cutting rows by day", &table.name, "a row has no date");
    let dates = sorted.column_by_name(PARTITION).ok_or_else(missing)?.as_primitive::<Date32Type>();
    if dates.null_count() > 0 {
        return Err(missing());
    }
    let keep: Vec<usize> =
        (0..sorted.num_columns()).filter(|i| sorted.schema().field(*i).name() != PARTITION).collect();
    let body = sorted.project(&keep).map_err(|e| Error::rows("cutting rows by day", &table.name, e))?;
    Ok(runs(dates.values())
        .into_iter()
        .map(|range| Day { date: day(dates.value(range.start)), batch: body.slice(range.start, range.len()) })
        .collect())
}

fn runs(days: &[i32]) -> Vec<Range<usize>> {
    let mut start = 0;
    days.chunk_by(|a, b| a == b)
        .map(|run| {
            let range = start..start + run.len();
            start = range.end;
            range
        })
        .collect()
}

/// A Date32 as Delta writes it in paths.
fn day(days: i32) -> String {
    let date = NaiveDate::default() + TimeDelta::days(i64::from(days));
    date.format("%Y-%m-%d").to_string()
}

/// Bounds of a batch.
pub(crate) fn times(batch: &RecordBatch) -> Option<Times> {
    let times = batch.column_by_name("time")?.as_primitive_opt::<TimestampMicrosecondType>()?;
    let valid = || times.iter().flatten();
    let bounds = (valid().min()?, valid().max()?);
    DateTime::from_timestamp_micros(bounds.1).map(|_| bounds)
}
