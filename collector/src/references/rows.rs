//! Rows of CSV, JSON and Parquet, as text. Errors say which line, and nothing of what stands in it: it may name a person.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use component::Take;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Map, Value};

/// Rows of a Parquet file in memory at once: few, since a file may hold long texts in few bytes.
const BATCH: usize = 256;

/// Hands every row of the file to `take`.
pub(super) fn read(file: File, path: &Path, columns: &[&str], take: &mut Take<'_>) -> Result<(), String> {
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    let done = match ending.as_str() {
        "csv" => csv(file, columns, take),
        "json" => json(file, columns, take),
        "ndjson" | "jsonl" => lines(file, columns, take),
        // The reader meets some damage with a panic.
        "parquet" => catch_unwind(AssertUnwindSafe(|| parquet(file, columns, take)))
            .unwrap_or_else(|_| Err("it is no Parquet that can be read".to_owned())),
        _ => Err("its name ends in none of .csv, .json, .ndjson and .parquet".to_owned()),
    };
    done.map_err(|why| format!("reading {}: {why}", path.display()))
}

/// What is in the first line cannot be told: without a head it is a person's.
fn missing(column: &str) -> String {
    format!("it has no column `{column}`")
}

fn csv(file: File, columns: &[&str], take: &mut Take<'_>) -> Result<(), String> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::Headers).from_reader(BufReader::new(file));
    let head = reader.headers().map_err(|e| csv_error(&e))?.clone();
    let place = |name: &&str| {
        let strip = |cell: &'_ str| cell.trim_start_matches('\u{feff}').to_owned();
        let mut places = head.iter().enumerate().filter(|(_, cell)| strip(cell) == **name).map(|(place, _)| place);
        match (places.next(), places.next()) {
            (Some(place), None) => Ok(place),
            (Some(_), Some(_)) => Err(format!("it has two columns `{name}`")),
            (None, _) => Err(missing(name)),
        }
    };
    let places = columns.iter().map(place).collect::<Result<Vec<usize>, String>>()?;
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|e| csv_error(&e))? {
        let cells: Vec<Option<&str>> =
            places.iter().map(|place| record.get(*place).filter(|c| !c.is_empty())).collect();
        let line = record.position().map_or(0, csv::Position::line);
        take(&cells).map_err(|why| format!("line {line}: {why}"))?;
    }
    Ok(())
}

fn csv_error(error: &csv::Error) -> String {
    let line = error.position().map_or(1, csv::Position::line);
    match error.kind() {
        csv::ErrorKind::Io(e) => e.to_string(),
        csv::ErrorKind::Utf8 { .. } => format!("line {line}: it is not UTF-8"),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("line {line}: it has {len} cells, the first line {expected_len}")
        }
        _ => format!("line {line}: it is no CSV"),
    }
}

/// An array of objects, or objects in a row.
fn json(file: File, columns: &[&str], take: &mut Take<'_>) -> Result<(), String> {
    let mut text = String::new();
    BufReader::new(file).read_to_string(&mut text).map_err(|e| e.to_string())?;
    if !text.trim_start().starts_with('[') {
        return lines(text.as_bytes(), columns, take);
    }
    let entries: Vec<Value> = serde_json::from_str(&text).map_err(|e| json_error(&e, 0))?;
    drop(text);
    for (index, entry) in entries.iter().enumerate() {
        object(entry, columns, take).map_err(|why| format!("entry {}: {why}", index + 1))?;
    }
    Ok(())
}

fn lines(file: impl Read, columns: &[&str], take: &mut Take<'_>) -> Result<(), String> {
    let mut reader = BufReader::new(file);
    let mut text = Vec::new();
    for number in 1.. {
        text.clear();
        if reader.read_until(b'\n', &mut text).map_err(|e| e.to_string())? == 0 {
            break;
        }
        if text.trim_ascii().is_empty() {
            continue;
        }
        let entry = serde_json::from_slice(&text).map_err(|e| json_error(&e, number - 1))?;
        object(&entry, columns, take).map_err(|why| format!("line {number}: {why}"))?;
    }
    Ok(())
}

/// The place alone: the rest may quote the file.
fn json_error(error: &serde_json::Error, before: usize) -> String {
    format!("line {}, column {}: it is no JSON", before + error.line(), error.column())
}

fn object(entry: &Value, columns: &[&str], take: &mut Take<'_>) -> Result<(), String> {
    let Value::Object(entry) = entry else { return Err("it is no object".to_owned()) };
    let cells: Vec<Option<Cow<'_, str>>> = columns.iter().map(|column| cell(entry, column)).collect();
    take(&cells.iter().map(Option::as_deref).collect::<Vec<_>>())
}

fn cell<'a>(entry: &'a Map<String, Value>, column: &str) -> Option<Cow<'a, str>> {
    match entry.get(column)? {
        Value::Null => None,
        Value::String(text) => Some(text.as_str().into()),
        other => Some(other.to_string().into()),
    }
}

fn parquet(file: File, columns: &[&str], take: &mut Take<'_>) -> Result<(), String> {
    let broken = |e: &dyn std::fmt::Display| format!("it is no Parquet that can be read: {e}");
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| broken(&e))?;
    let place = |name: &&str| builder.schema().index_of(name).map_err(|_| missing(name));
    let places = columns.iter().map(place).collect::<Result<Vec<usize>, String>>()?;
    let mask = ProjectionMask::roots(builder.parquet_schema(), places);
    let reader = builder.with_projection(mask).with_batch_size(BATCH).build().map_err(|e| broken(&e))?;
    let mut row = 0;
    for batch in reader {
        // Its words could quote a value.
        let batch: RecordBatch = batch.map_err(|_| format!("after row {row}: what follows cannot be read"))?;
        let texts = columns.iter().map(|name| texts(&batch, name)).collect::<Result<Vec<_>, String>>()?;
        for index in 0..batch.num_rows() {
            row += 1;
            let cells: Vec<Option<&str>> =
                texts.iter().map(|t| t.is_valid(index).then(|| t.value(index)).filter(|c| !c.is_empty())).collect();
            take(&cells).map_err(|why| format!("row {row}: {why}"))?;
        }
    }
    Ok(())
}

/// A column as text, a list as JSON.
fn texts(batch: &RecordBatch, name: &str) -> Result<StringArray, String> {
    let column = batch.column_by_name(name).ok_or_else(|| missing(name))?;
    let plain = |column: &ArrayRef| -> Result<StringArray, String> {
        let text = cast(column, &DataType::Utf8).map_err(|_| format!("column `{name}` cannot be read as text"))?;
        Ok(text.as_string::<i32>().clone())
    };
    let Some(lists) = column.as_list_opt::<i32>() else { return plain(column) };
    let list = |row: usize| -> Result<Option<String>, String> {
        if lists.is_null(row) {
            return Ok(None);
        }
        let items = plain(&lists.value(row))?;
        let items: Vec<&str> = items.iter().flatten().collect();
        serde_json::to_string(&items).map(Some).map_err(|e| e.to_string())
    };
    (0..lists.len()).map(list).collect()
}
