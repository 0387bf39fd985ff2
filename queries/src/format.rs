//! An answer as text or Parquet.

use std::io::Write;

use arrow::csv::WriterBuilder as CsvBuilder;
use arrow::json::WriterBuilder;
use arrow::json::writer::JsonArray;
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
        let empty = [arrow::array::RecordBatch::new_empty(self.schema.clone())];
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
            writer.write(&arrow::array::RecordBatch::new_empty(self.schema.clone())).map_err(|e| fail(&e))?;
        }
        for batch in &self.batches {
            writer.write(batch).map_err(|e| fail(&e))?;
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
