//! One table for DataFusion: plain Parquet scans of the committed files, and the journal's frames after them.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, SchemaRef};
use async_trait::async_trait;
use chrono::DateTime;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, Result, ScalarValue, Statistics};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::DataFusionError;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::object_store::ObjectMeta;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::union::UnionExec;
use journal::{Position, Snapshot as Segments};
use lake::Store;
use lake::delta::{Add, Snapshot};
use schemas::{Catalog, Table};

/// Rows of a batch read from the journal; frames are joined up to here.
const BATCH: usize = 8192;

/// A table at one moment: files of a version, and the journal after that version.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) table: Arc<Table>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) store: Store,
    pub(crate) store_url: ObjectStoreUrl,
    pub(crate) snapshot: Snapshot,
    pub(crate) segments: Arc<Segments>,
}

impl Provider {
    /// The journal's rows that the snapshot does not have, with only the columns of `schema`.
    fn hot(&self, schema: &SchemaRef) -> Result<Vec<RecordBatch>> {
        let fail = |e: &dyn std::fmt::Display| DataFusionError::Execution(e.to_string());
        let mut out = Vec::new();
        let mut waiting = Vec::new();
        let mut rows = 0;
        for view in self.segments.views() {
            let done = Position(self.snapshot.position(&view.id().to_string()).unwrap_or(0));
            for entry in view.entries().filter(|e| e.position() > done) {
                for part in entry.parts(&self.catalog, |t| t == self.table.name).map_err(|e| fail(&e))? {
                    rows += part.batch.num_rows();
                    waiting.push(lake::conform(&part.batch, schema)?);
                    if rows >= BATCH {
                        out.push(concat_batches(schema, &waiting)?);
                        waiting.clear();
                        rows = 0;
                    }
                }
            }
        }
        if rows > 0 {
            out.push(concat_batches(schema, &waiting)?);
        }
        Ok(out)
    }

    /// The date folder is not a column of the files.
    fn table_schema(&self) -> TableSchema {
        let stored = self.table.stored_schema();
        let file: Vec<Arc<Field>> = stored.fields().iter().filter(|f| f.name() != "date").cloned().collect();
        let partition = Arc::new(Field::new("date", DataType::Date32, true));
        TableSchema::builder(Arc::new(arrow::datatypes::Schema::new(file)))
            .with_table_partition_cols(vec![partition])
            .build()
    }

    fn file(&self, add: &Add, schema: &TableSchema) -> Result<PartitionedFile> {
        let path = self.store.path(&format!("{}/{}", self.table.name, add.path));
        let date = ScalarValue::Utf8(add.date().map(str::to_owned)).cast_to(&DataType::Date32)?;
        let meta = ObjectMeta {
            location: path,
            last_modified: DateTime::from_timestamp_millis(add.modification_time).unwrap_or_default(),
            size: u64::try_from(add.size).unwrap_or_default(),
            e_tag: None,
            version: None,
        };
        let file = PartitionedFile::new_from_meta(meta);
        Ok(file.with_partition_values(vec![date]).with_statistics(Arc::new(statistics(add, schema))))
    }

    fn cold(
        &self,
        projection: Option<&Vec<usize>>,
        limit: Option<usize>,
        partitions: usize,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = self.table_schema();
        let files = self.snapshot.files().map(|add| self.file(add, &schema)).collect::<Result<Vec<_>>>()?;
        let groups = FileGroup::new(files).split_files(partitions.max(1));
        let source = ParquetSource::new(schema).with_pushdown_filters(true).with_reorder_filters(true);
        let config = FileScanConfigBuilder::new(self.store_url.clone(), Arc::new(source))
            .with_file_groups(groups)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}

#[async_trait]
impl TableProvider for Provider {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.table_schema().table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        // The filter stays above the union; the optimizer hands it on to the Parquet scan for pruning.
        Ok(vec![TableProviderFilterPushDown::Unsupported; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = self.schema();
        let projected = match projection {
            Some(columns) => Arc::new(schema.project(columns)?),
            None => schema,
        };
        let hot = self.hot(&projected)?;
        let partitions = state.config().target_partitions();
        if self.snapshot.files().len() == 0 {
            return Ok(MemorySourceConfig::try_new_exec(&[hot], projected, None)?);
        }
        let cold = self.cold(projection, limit, partitions)?;
        if hot.is_empty() {
            return Ok(cold);
        }
        UnionExec::try_new(vec![MemorySourceConfig::try_new_exec(&[hot], projected, None)?, cold])
    }
}

/// Row count and bounds of `time`, as the log has them.
fn statistics(add: &Add, schema: &TableSchema) -> Statistics {
    let mut statistics = Statistics::new_unknown(schema.file_schema());
    if let Some(rows) = add.rows().and_then(|r| usize::try_from(r).ok()) {
        statistics.num_rows = Precision::Exact(rows);
    }
    if let (Ok(index), Some((low, high))) = (schema.file_schema().index_of("time"), add.times()) {
        let bound = |micros| Precision::Inexact(ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into())));
        let column =
            ColumnStatistics { min_value: bound(low), max_value: bound(high), ..ColumnStatistics::new_unknown() };
        statistics.column_statistics[index] = column;
    }
    statistics
}
