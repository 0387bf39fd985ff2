//! An answer as text or Parquet.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow::csv::WriterBuilder as CsvBuilder;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use arrow::json::WriterBuilder;
use arrow::json::writer::{JsonArray, LineDelimited};
use arrow::util::display::FormatOptions;
use arrow::util::pretty::pretty_format_batches_with_options;
use parquet::arrow::ArrowWriter;

use crate::{Answer, Error};

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// A drawn table for people.
    #[default]
    Table,
    /// One JSON array of objects.
    Json,
    /// RFC 4180, with a header.
    Csv,
    /// One Parquet file.
    Parquet,
}

impl Answer {
    /// Writes the whole answer.
    pub fn write(&self, format: Format, out: &mut (impl Write + Send)) -> Result<(), Error> {
        match format {
            Format::Table => self.table(out),
            Format::Json => self.json(out),
            Format::Csv => self.csv(out),
            Format::Parquet => self.parquet(out),
        }
    }

    fn table(&self, out: &mut impl Write) -> Result<(), Error> {
        let fail = |e: &dyn std::fmt::Display| Error::Write { format: "table", why: e.to_string() };
        let options = FormatOptions::default().with_null("NULL");
        let empty = [RecordBatch::new_empty(self.schema.clone())];
        let batches = if self.batches.is_empty() { &empty[..] } else { &self.batches[..] };
        let text = pretty_format_batches_with_options(batches, &options).map_err(|e| fail(&e))?;
        let rows = self.rows();
        writeln!(out, "{text}\n{rows} row{}", if rows == 1 { "" } else { "s" }).map_err(|e| fail(&e))
    }

    fn json(&self, out: &mut impl Write) -> Result<(), Error> {
        let fail = |e: &dyn std::fmt::Display| Error::Write { format: "json", why: e.to_string() };
        let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, JsonArray>(&mut *out);
        for batch in &self.batches {
            writer.write(batch).map_err(|e| fail(&e))?;
        }
        writer.finish().map_err(|e| fail(&e))?;
        drop(writer);
        writeln!(out).map_err(|e| fail(&e))
    }

    fn csv(&self, out: &mut impl Write) -> Result<(), Error> {
        let fail = |e: &dyn std::fmt::Display| Error::Write { format: "csv", why: e.to_string() };
        let mut writer = CsvBuilder::new().with_header(true).build(out);
        if self.batches.is_empty() {
            let empty = RecordBatch::new_empty(self.schema.clone());
            writer.write(&flat(&empty).map_err(|e| fail(&e))?).map_err(|e| fail(&e))?;
        }
        for batch in &self.batches {
            writer.write(&flat(batch).map_err(|e| fail(&e))?).map_err(|e| fail(&e))?;
        }
        Ok(())
    }

    fn parquet(&self, out: &mut (impl Write + Send)) -> Result<(), Error> {
        let fail = |e: &dyn std::fmt::Display| Error::Write { format: "parquet", why: e.to_string() };
        let mut writer = ArrowWriter::try_new(out, self.schema.clone(), None).map_err(|e| fail(&e))?;
        for batch in &self.batches {
            writer.write(batch).map_err(|e| fail(&e))?;
        }
        writer.close().map(|_| ()).map_err(|e| fail(&e))
    }
}

/// CSV has no nesting: what is nested becomes JSON text.
fn flat(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let schema = batch.schema();
    let mut fields = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        let text = match field.data_type() {
            DataType::Map(_, _) | DataType::List(_) | DataType::LargeList(_) | DataType::Struct(_) => {
                json_text(column)?
            }
            _ => Arc::clone(column),
        };
        fields.push(Field::new(field.name(), text.data_type().clone(), true));
        columns.push(text);
    }
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
}

/// Each value as one JSON document.
fn json_text(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let schema = Arc::new(Schema::new(vec![Field::new("v", column.data_type().clone(), true)]));
    let mut out = Vec::with_capacity(column.len());
    for row in 0..column.len() {
        if column.is_null(row) {
            out.push(None);
            continue;
        }
        let one = RecordBatch::try_new(Arc::clone(&schema), vec![column.slice(row, 1)])?;
        let mut writer = WriterBuilder::new().build::<_, LineDelimited>(Vec::new());
        writer.write(&one)?;
        writer.finish()?;
        let line = String::from_utf8(writer.into_inner()).map_err(|e| ArrowError::CsvError(e.to_string()))?;
        // `{"v":...}` and a line end.
        out.push(line.trim_end().strip_prefix("{\"v\":").and_then(|l| l.strip_suffix('}')).map(str::to_owned));
    }
    Ok(Arc::new(StringArray::from(out)))
}
