//! Some columns of one file, for whoever only looks.

use arrow::array::RecordBatch;
use futures::StreamExt;
use futures::stream::BoxStream;
use parquet::arrow::ProjectionMask;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::statistics::Statistics;

use crate::delta::Add;
use crate::merge::reader;
use crate::{Error, Store};

/// Rows read at once.
const BATCH: usize = 8192;

/// Reads columns of the row groups whose bounds of `time`, in microseconds, are wanted.
pub(crate) async fn scan(
    store: &Store,
    table: &str,
    add: &Add,
    columns: &[&str],
    wanted: impl Fn(i64, i64) -> bool,
) -> Result<BoxStream<'static, Result<RecordBatch, Error>>, Error> {
    let builder = reader(store, table, add).await?.with_batch_size(BATCH);
    let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
    let groups = builder.metadata().row_groups().iter().enumerate();
    let groups: Vec<usize> = groups
        .filter(|(_, group)| bounds(group).is_none_or(|(low, high)| wanted(low, high)))
        .map(|(index, _)| index)
        .collect();
    let table = table.to_owned();
    let stream = builder.with_projection(mask).with_row_groups(groups).build();
    let stream = stream.map_err(|e| Error::rows("reading columns", &table, e))?;
    Ok(stream.map(move |batch| batch.map_err(|e| Error::rows("reading columns", &table, e))).boxed())
}

fn bounds(group: &RowGroupMetaData) -> Option<(i64, i64)> {
    let column = group.columns().iter().find(|c| c.column_path().string() == "time")?;
    match column.statistics()? {
        Statistics::Int64(time) if time.null_count_opt() == Some(0) => Some((*time.min_opt()?, *time.max_opt()?)),
        _ => None,
    }
}
