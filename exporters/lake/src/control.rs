//! Test builds alone (feature `control`): bounds of every text column in the log, as a lake would write them that does not
//! mind what they say, so that the privacy scan can show that it looks there.

use arrow::array::AsArray;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use schemas::Table;

use crate::delta::Add;
use crate::{Error, Store};

/// A file that is stored, with the least and the greatest text of each column in its statistics.
pub(crate) async fn with_texts(store: &Store, table: &Table, add: Add) -> Result<Add, Error> {
    let file = store.get(&format!("{}/{}", table.name, add.path)).await?;
    let filled = add.stats.as_deref().zip(file).and_then(|(stats, file)| fill(stats, file));
    Ok(Add { stats: filled.or_else(|| add.stats.clone()), ..add })
}

fn fill(stats: &str, file: Bytes) -> Option<String> {
    let mut stats: serde_json::Value = serde_json::from_str(stats).ok()?;
    for batch in ParquetRecordBatchReaderBuilder::try_new(file).ok()?.build().ok()? {
        let batch = batch.ok()?;
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            let Some(texts) = column.as_string_opt::<i32>() else { continue };
            let (Some(least), Some(greatest)) = (texts.iter().flatten().min(), texts.iter().flatten().max()) else {
                continue;
            };
            stats["minValues"][field.name()] = least.into();
            stats["maxValues"][field.name()] = greatest.into();
        }
    }
    Some(stats.to_string())
}
