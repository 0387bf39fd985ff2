//! Test builds alone (feature `control`): bounds of every text column in the log, as a lake would write them that does not
//! mind what they say, so that the privacy scan can show that it looks there.

use arrow::array::AsArray;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::flush::Encoded;

/// `stats` with the least and the greatest text of each column.
pub(crate) fn with_texts(stats: String, file: &Encoded) -> String {
    fill(&stats, file).unwrap_or(stats)
}

fn fill(stats: &str, file: &Encoded) -> Option<String> {
    let mut stats: serde_json::Value = serde_json::from_str(stats).ok()?;
    for batch in ParquetRecordBatchReaderBuilder::try_new(file.bytes.clone()).ok()?.build().ok()? {
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
