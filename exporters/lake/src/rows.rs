//! Frames of one table in order, cut by day. Frames stay where they are, mapped from the journal: rows are copied once, a
//! small batch at a time, on their way into a file.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, RecordBatch, RecordBatchOptions, StringArray, StringBuilder,
    new_null_array,
};
use arrow::compute::{SortOptions, cast, concat, interleave};
use arrow::datatypes::{DataType, Date32Type, Field, Int32Type, Schema, SchemaRef, TimestampMicrosecondType};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};
use chrono::{DateTime, NaiveDate, TimeDelta};
use schemas::Table;

use crate::Error;

/// Column that says in which folder a row lies; not stored in the file.
pub(crate) const PARTITION: &str = "date";

/// Rows that are copied at once.
const BATCH: usize = 2048;

/// Lowest and highest `time`, microseconds.
pub(crate) type Times = (i64, i64);

/// Rows of some frames in the order of the table.
pub(crate) struct Sorted<'a> {
    /// What is stored, without the partition.
    schema: SchemaRef,
    /// By column of the schema, that column of every frame, where the frame has it.
    columns: Vec<Vec<Option<&'a ArrayRef>>>,
    /// Frame and row of each row.
    order: Vec<(usize, usize)>,
    rows: Vec<usize>,
    days: Vec<(String, Range<usize>)>,
}

/// Sorts the rows of frames and finds their days.
pub(crate) fn sorted<'a>(table: &Table, frames: &'a [RecordBatch]) -> Result<Sorted<'a>, Error> {
    let fail = |e: ArrowError| Error::rows("sorting rows", &table.name, e);
    let schema = present(table, frames.iter().map(RecordBatch::schema));
    let keep: Vec<usize> = (0..schema.fields().len()).filter(|i| schema.field(*i).name() != PARTITION).collect();
    let mut columns = by_column(frames, &schema);
    let rows: Vec<usize> = frames.iter().map(RecordBatch::num_rows).collect();
    let whole = |name: &str| -> Option<Result<ArrayRef, ArrowError>> {
        let index = schema.index_of(name).ok()?;
        Some(joined(&columns[index], &rows, schema.field(index).data_type()))
    };
    let dates = whole(PARTITION).transpose().map_err(fail)?;
    let keys = table.sort.iter().filter_map(|name| whole(name)).collect::<Result<Vec<_>, _>>().map_err(fail)?;
    let (order, days) = order(table, &rows, dates.as_ref(), &keys)?;
    columns = keep.iter().map(|index| std::mem::take(&mut columns[*index])).collect();
    let schema = schema.project(&keep).map_err(fail)?.into();
    Ok(Sorted { schema, columns, order, rows, days })
}

impl Sorted<'_> {
    /// The days and how many rows each has.
    pub(crate) fn days(&self) -> impl Iterator<Item = (&str, Range<usize>)> {
        self.days.iter().map(|(day, range)| (day.as_str(), range.clone()))
    }

    pub(crate) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The rows of a day in batches: dictionaries plain, missing columns NULL.
    pub(crate) fn batches(&self, day: Range<usize>) -> impl Iterator<Item = Result<RecordBatch, ArrowError>> {
        self.order[day].chunks(BATCH).map(|picks| self.batch(picks))
    }

    fn batch(&self, picks: &[(usize, usize)]) -> Result<RecordBatch, ArrowError> {
        let columns = self.schema.fields().iter().zip(&self.columns);
        let columns = columns.map(|(field, parts)| pick(parts, &self.rows, picks, field.data_type()));
        RecordBatch::try_new(self.schema(), columns.collect::<Result<Vec<_>, _>>()?)
    }
}

/// The columns of every frame by their place in a schema.
fn by_column<'a>(frames: &'a [RecordBatch], schema: &SchemaRef) -> Vec<Vec<Option<&'a ArrayRef>>> {
    let places: HashMap<&str, usize> =
        schema.fields().iter().enumerate().map(|(i, f)| (f.name().as_str(), i)).collect();
    let mut columns = vec![vec![None; frames.len()]; schema.fields().len()];
    for (frame, batch) in frames.iter().enumerate() {
        for (field, array) in batch.schema_ref().fields().iter().zip(batch.columns()) {
            if let Some(place) = places.get(field.name().as_str()) {
                columns[*place][frame] = Some(array);
            }
        }
    }
    columns
}

/// One column of all frames behind one another.
fn joined(parts: &[Option<&ArrayRef>], rows: &[usize], kind: &DataType) -> Result<ArrayRef, ArrowError> {
    let plain = parts.iter().zip(rows).map(|(part, rows)| match part {
        Some(array) if array.data_type() == kind => Ok(Arc::clone(array)),
        Some(array) => cast(array, kind),
        None => Ok(new_null_array(kind, *rows)),
    });
    let plain = plain.collect::<Result<Vec<ArrayRef>, _>>()?;
    let plain: Vec<&dyn Array> = plain.iter().map(AsRef::as_ref).collect();
    if plain.is_empty() { Ok(new_null_array(kind, 0)) } else { concat(&plain) }
}

/// Some rows of one column.
fn pick(
    parts: &[Option<&ArrayRef>],
    rows: &[usize],
    picks: &[(usize, usize)],
    kind: &DataType,
) -> Result<ArrayRef, ArrowError> {
    if *kind == DataType::Utf8
        && let Some(words) = parts.iter().map(Words::of).collect::<Option<Vec<_>>>()
    {
        let bytes = picks.iter().map(|(frame, row)| words[*frame].get(*row).map_or(0, str::len)).sum();
        let mut texts = StringBuilder::with_capacity(picks.len(), bytes);
        picks.iter().for_each(|(frame, row)| texts.append_option(words[*frame].get(*row)));
        return Ok(Arc::new(texts.finish()));
    }
    let plain = parts.iter().zip(rows).map(|(part, rows)| match part {
        Some(array) if array.data_type() == kind => Ok(Arc::clone(array)),
        Some(array) => cast(array, kind),
        None => Ok(new_null_array(kind, *rows)),
    });
    let plain = plain.collect::<Result<Vec<ArrayRef>, _>>()?;
    interleave(&plain.iter().map(AsRef::as_ref).collect::<Vec<&dyn Array>>(), picks)
}

/// A column of text in one frame, however it is held.
enum Words<'a> {
    Missing,
    Plain(&'a StringArray),
    Dict(&'a DictionaryArray<Int32Type>, &'a StringArray),
}

impl<'a> Words<'a> {
    fn of(part: &Option<&'a ArrayRef>) -> Option<Self> {
        let Some(array) = part else { return Some(Self::Missing) };
        if let Some(plain) = array.as_string_opt::<i32>() {
            return Some(Self::Plain(plain));
        }
        let dict = array.as_dictionary_opt::<Int32Type>()?;
        Some(Self::Dict(dict, dict.values().as_string_opt::<i32>()?))
    }

    fn get(&self, row: usize) -> Option<&'a str> {
        match self {
            Self::Missing => None,
            Self::Plain(plain) => plain.is_valid(row).then(|| plain.value(row)),
            Self::Dict(dict, words) => {
                let word = dict.key(row)?;
                words.is_valid(word).then(|| words.value(word))
            }
        }
    }
}

/// Frame and row of each row, in the order of day and sort, and the days.
type Order = (Vec<(usize, usize)>, Vec<(String, Range<usize>)>);

fn order(table: &Table, rows: &[usize], dates: Option<&ArrayRef>, keys: &[ArrayRef]) -> Result<Order, Error> {
    let places = || rows.iter().enumerate().flat_map(|(frame, rows)| (0..*rows).map(move |row| (frame, row)));
    let count = rows.iter().sum();
    if count == 0 {
        return Ok((Vec::new(), Vec::new()));
    }
    let missing = || Error::rows("cutting rows by day", &table.name, "a row has no date");
    let dates = dates.and_then(|d| d.as_primitive_opt::<Date32Type>()).filter(|d| d.null_count() == 0);
    let dates = dates.ok_or_else(missing)?.values();
    let fail = |e: ArrowError| Error::rows("sorting rows", &table.name, e);
    let places: Vec<(usize, usize)> = places().collect();
    let mut numbers: Vec<usize> = (0..count).collect();
    if keys.is_empty() {
        numbers.sort_by_key(|row| dates[*row]);
    } else {
        let options = SortOptions { descending: false, nulls_first: true };
        let fields = keys.iter().map(|key| SortField::new_with_options(key.data_type().clone(), options)).collect();
        let keys = RowConverter::new(fields).and_then(|converter| converter.convert_columns(keys)).map_err(fail)?;
        numbers.sort_unstable_by(|a, b| dates[*a].cmp(&dates[*b]).then_with(|| keys.row(*a).cmp(&keys.row(*b))));
    }
    let mut start = 0;
    let runs = numbers.chunk_by(|a, b| dates[*a] == dates[*b]).map(|run| {
        let range = start..start + run.len();
        start = range.end;
        (day(dates[run[0]]), range)
    });
    let days = runs.collect();
    Ok((numbers.iter().map(|row| places[*row]).collect(), days))
}

/// The table's columns that at least one of some batches has, in the table's order.
pub(crate) fn present(table: &Table, schemas: impl Iterator<Item = SchemaRef>) -> SchemaRef {
    let schemas: Vec<SchemaRef> = schemas.collect();
    let names: HashSet<&str> = schemas.iter().flat_map(|s| s.fields().iter()).map(|f| f.name().as_str()).collect();
    let fields: Vec<Field> = table
        .stored_columns()
        .filter(|c| names.contains(c.name.as_str()))
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
