//! One Parquet file of a table: how it is written, and how its batches become the table's columns again.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;
use schemas::{Class, Table, Type};

use crate::Error;
use crate::rows::{self, Times};

/// Bytes of a page before compression: each of a hundred columns holds one while a file is written, and one for each of
/// sixteen files while they are merged.
const PAGE: usize = 64 << 10;
/// Columns whose values hardly ever repeat: a dictionary of them is a second copy.
const UNIQUE: &[&str] = &[
    "trace_id",
    "span_id",
    "parent_span_id",
    "record_uid",
    "time",
    "time_unix_nano",
    "observed_time",
    "received_time",
    "duration_ns",
];

/// How much work a file is worth: the first is read for minutes, a merged one for months.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    Fast,
    Small,
}

impl Codec {
    /// Rows of a row group; a count, so that wide and narrow tables prune alike. Whoever reads a file holds one of them
    /// packed: of a first file, which is merged with many others, it is a small one.
    fn row_group(self) -> usize {
        match self {
            Self::Fast => 4 * 1024,
            Self::Small => 16 * 1024,
        }
    }

    fn compression(self) -> Result<Compression, ParquetError> {
        match self {
            Self::Fast => Ok(Compression::LZ4_RAW),
            Self::Small => ZstdLevel::try_new(3).map(Compression::ZSTD),
        }
    }

    /// Bytes of a dictionary: a column with more words than that is not worth one.
    fn dictionary(self) -> usize {
        match self {
            Self::Fast => PAGE,
            Self::Small => 4 * PAGE,
        }
    }
}

/// A file being written in memory.
pub(crate) struct Writer {
    table: String,
    inner: ArrowWriter<Vec<u8>>,
    rows: usize,
    times: Option<Times>,
}

impl Writer {
    pub(crate) fn new(table: &Table, schema: SchemaRef, codec: Codec, rows: usize) -> Result<Self, Error> {
        let properties =
            properties(table, codec, rows).map_err(|e| Error::rows("configuring Parquet", &table.name, e))?;
        let inner = ArrowWriter::try_new(Vec::new(), schema, Some(properties))
            .map_err(|e| Error::rows("starting a Parquet file", &table.name, e))?;
        Ok(Self { table: table.name.clone(), inner, rows: 0, times: None })
    }

    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        self.inner.write(batch).map_err(|e| Error::rows("encoding rows", &self.table, e))?;
        self.rows += batch.num_rows();
        if let Some((low, high)) = rows::times(batch) {
            let known = self.times.unwrap_or((low, high));
            self.times = Some((known.0.min(low), known.1.max(high)));
        }
        Ok(())
    }

    /// About how many bytes it has by now.
    pub(crate) fn size(&self) -> usize {
        self.inner.bytes_written() + self.inner.in_progress_size()
    }

    /// The bytes that are whole by now; whoever stores them takes them out.
    pub(crate) fn written(&mut self) -> &mut Vec<u8> {
        self.inner.inner_mut()
    }

    /// What was not taken out yet, the file's rows and the bounds of `time`.
    pub(crate) fn finish(self) -> Result<(Vec<u8>, usize, Option<Times>), Error> {
        let bytes = self.inner.into_inner().map_err(|e| Error::rows("finishing a Parquet file", &self.table, e))?;
        Ok((bytes, self.rows, self.times))
    }
}

fn properties(table: &Table, codec: Codec, rows: usize) -> Result<WriterProperties, ParquetError> {
    let mut properties = WriterProperties::builder()
        .set_compression(codec.compression()?)
        .set_data_page_size_limit(PAGE)
        .set_dictionary_page_size_limit(codec.dictionary())
        .set_max_row_group_row_count(Some(codec.row_group()))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_created_by(concat!("marquetry ", env!("CARGO_PKG_VERSION")).to_owned());
    for column in table.stored_columns() {
        let path = ColumnPath::from(column.name.as_str());
        if UNIQUE.contains(&column.name.as_str()) || column.name == "body" {
            properties = properties.set_column_dictionary_enabled(path.clone(), false);
            if matches!(column.r#type, Type::Int | Type::Time) {
                properties = properties.set_column_encoding(path.clone(), Encoding::DELTA_BINARY_PACKED);
            }
        }
        properties = bounds(properties, column.class, column.r#type, &column.name);
        if table.lookup.contains(&column.name) {
            properties = properties
                .set_column_bloom_filter_enabled(path.clone(), true)
                .set_column_bloom_filter_max_ndv(path, rows.clamp(1, codec.row_group()) as u64);
        }
    }
    Ok(properties.build())
}

/// About what a reader of a whole file holds at once: a row group as it is packed, and of each column a page and a
/// dictionary.
pub(crate) fn open_bytes(file: &ParquetMetaData) -> usize {
    let held = |column: &ColumnChunkMetaData| {
        let unpacked = usize::try_from(column.uncompressed_size()).unwrap_or_default();
        usize::try_from(column.compressed_size()).unwrap_or_default() + unpacked.min(5 * PAGE)
    };
    let groups = file.row_groups().iter().map(|group| group.columns().iter().map(held).sum());
    groups.max().unwrap_or(0)
}

/// Bounds only where a query prunes by them: of text that people wrote they would only repeat values in the footer.
fn bounds(properties: WriterPropertiesBuilder, class: Class, kind: Type, name: &str) -> WriterPropertiesBuilder {
    let none = matches!(class, Class::FreeText | Class::Indirect | Class::Child) || kind == Type::Map;
    if !none || cfg!(feature = "control") {
        return properties;
    }
    let paths = match kind {
        Type::Map => vec![format!("{name}.key_value.key"), format!("{name}.key_value.value")],
        _ => vec![name.to_owned()],
    };
    paths.into_iter().fold(properties, |properties, path| {
        let path = ColumnPath::new(path.split('.').map(str::to_owned).collect());
        properties.set_column_statistics_enabled(path, EnabledStatistics::None)
    })
}

/// A batch with the table's stored columns: dictionaries plain, missing ones NULL.
pub fn conform(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    rows::align(batch, &Arc::clone(schema))
}
