//! From SQL to rows, at one moment of journal and lake.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use chrono::{DateTime, Utc};
use datafusion::catalog::MemorySchemaProvider;
use datafusion::common::{ScalarValue, TableReference};
use datafusion::datasource::ViewTable;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SQLOptions, SessionConfig, SessionContext};
use journal::Snapshot as Segments;
use lake::delta::Snapshot;
use lake::{Location, Store};
use schemas::{Catalog, Table};
use tokio::sync::Mutex;

use crate::Error;
use crate::provider::Provider;
use crate::views::{self, View};

/// Memory that one query may use before it spills.
const MEMORY: usize = 1 << 30;
/// A snapshot not followed for longer is read anew: the log may have been cleaned behind it.
const STALE: Duration = Duration::from_secs(600);
/// Schema of the stored tables; the views of the same names add `record_id`.
const STORED: &str = "stored";

/// What is asked.
#[derive(Debug, Clone)]
pub struct Source {
    /// Committed rows.
    pub lake: Location,
    /// Folder with the rows that are not committed yet; `None` when it is out of reach.
    pub journal: Option<PathBuf>,
}

/// Answers SQL.
pub struct Engine {
    source: Source,
    store: Store,
    catalog: Arc<Catalog>,
    snapshots: Mutex<Followed>,
}

/// Snapshots that are followed from query to query.
#[derive(Default)]
struct Followed {
    tables: HashMap<String, Snapshot>,
    at: Option<std::time::Instant>,
}

/// Rows of an answer.
#[derive(Debug)]
pub struct Answer {
    /// Columns.
    pub schema: SchemaRef,
    /// Rows.
    pub batches: Vec<RecordBatch>,
}

impl Answer {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }
}

impl Engine {
    /// Opens lake and journal for reading.
    pub async fn open(source: Source, catalog: Arc<Catalog>) -> Result<Self, Error> {
        let store = source.lake.open()?;
        Ok(Self { source, store, catalog, snapshots: Mutex::default() })
    }

    /// Answers one question. Only SELECT and what merely describes may be asked.
    pub async fn query(&self, sql: &str) -> Result<Answer, Error> {
        self.answer(sql, None).await
    }

    /// Answers a question about what was received from a moment on, which its text calls `$since`.
    pub async fn query_since(&self, sql: &str, since: SystemTime) -> Result<Answer, Error> {
        self.answer(sql, Some(since.into())).await
    }

    async fn answer(&self, sql: &str, since: Option<DateTime<Utc>>) -> Result<Answer, Error> {
        let context = self.session(sql).await?;
        let options = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        let mut frame = context.sql_with_options(sql, options).await?;
        if let Some(since) = since {
            let moment = ScalarValue::TimestampMicrosecond(Some(since.timestamp_micros()), Some("UTC".into()));
            frame = frame.with_param_values(vec![("since", moment)])?;
        }
        let schema = Arc::new(frame.schema().as_arrow().clone());
        let batches = frame.collect().await?;
        Ok(Answer { schema: batches.first().map_or(schema, RecordBatch::schema), batches })
    }

    /// Plans every view; the first that does not fit the tables is the error.
    pub async fn check_views(&self) -> Result<(), Error> {
        let context = self.tables().await?;
        for view in views::ALL {
            self.register_view(&context, view, &mut HashSet::new()).await?;
        }
        Ok(())
    }

    /// How old the newest committed row can be, for a lake without its journal.
    pub async fn freshness(&self) -> Option<String> {
        if self.source.journal.is_some() {
            return None;
        }
        let followed = self.snapshots.lock().await;
        let newest: DateTime<Utc> = followed.tables.values().filter_map(Snapshot::committed_at).max()?;
        let age = (Utc::now() - newest).num_seconds().max(0);
        Some(format!("committed rows only; the newest commit is {age} s old, rows still in a journal are not in it"))
    }

    async fn session(&self, sql: &str) -> Result<SessionContext, Error> {
        let context = self.tables().await?;
        let state = context.state();
        let dialect = state.config().options().sql_parser.dialect;
        let statement = state.sql_to_statement(sql, &dialect)?;
        let names = state.resolve_table_references(&statement)?;
        let wants_all = names.iter().any(|n| n.schema() == Some("information_schema")) || is_show(sql);
        let mut seen = HashSet::new();
        for view in views::ALL {
            if wants_all || names.iter().any(|n| n.table() == view.name) {
                self.register_view(&context, view, &mut seen).await?;
            }
        }
        Ok(context)
    }

    /// Plans a view and what it stands on.
    async fn register_view(
        &self,
        context: &SessionContext,
        view: &View,
        seen: &mut HashSet<&'static str>,
    ) -> Result<(), Error> {
        if !seen.insert(view.name) || context.table_exist(view.name)? {
            return Ok(());
        }
        let fail =
            |e: datafusion::error::DataFusionError| Error::View { view: view.name.into(), why: e.strip_backtrace() };
        let state = context.state();
        let dialect = state.config().options().sql_parser.dialect;
        let statement = state.sql_to_statement(view.sql, &dialect).map_err(fail)?;
        for name in state.resolve_table_references(&statement).map_err(fail)? {
            if let Some(below) = views::ALL.iter().find(|v| v.name == name.table()) {
                Box::pin(self.register_view(context, below, seen)).await?;
            }
        }
        let plan = context.state().create_logical_plan(view.sql).await.map_err(fail)?;
        context.register_table(view.name, Arc::new(ViewTable::new(plan, Some(view.sql.to_owned())))).map_err(fail)?;
        Ok(())
    }

    /// A session over one moment: the segments first, then each table's version, so that no row falls between.
    async fn tables(&self) -> Result<SessionContext, Error> {
        let context = context()?;
        let url = ObjectStoreUrl::parse("marquetry://lake")?;
        context.register_object_store(url.as_ref(), Arc::clone(self.store.objects()));
        let segments = match &self.source.journal {
            Some(folder) => Segments::open(folder)?,
            None => Segments::none(),
        };
        let segments = Arc::new(segments);
        let stored = Arc::new(MemorySchemaProvider::new());
        if let Some(catalog) = context.catalog("marquetry") {
            catalog.register_schema(STORED, stored)?;
        }
        for (table, snapshot) in self.refresh().await? {
            let provider = Provider {
                table: Arc::clone(&table),
                catalog: Arc::clone(&self.catalog),
                store: self.store.clone(),
                store_url: url.clone(),
                snapshot,
                segments: Arc::clone(&segments),
            };
            context.register_table(TableReference::partial(STORED, table.name.as_str()), Arc::new(provider))?;
            let sql = with_record_id(&table);
            let plan = context.state().create_logical_plan(&sql).await?;
            context.register_table(table.name.as_str(), Arc::new(ViewTable::new(plan, Some(sql))))?;
        }
        Ok(context)
    }

    async fn refresh(&self) -> Result<Vec<(Arc<Table>, Snapshot)>, Error> {
        let mut followed = self.snapshots.lock().await;
        if followed.at.is_some_and(|at| at.elapsed() > STALE) {
            followed.tables.clear();
        }
        let mut out = Vec::new();
        for table in self.catalog.tables() {
            match followed.tables.get_mut(&table.name) {
                Some(snapshot) => snapshot.update(&self.store).await?,
                None => {
                    let snapshot = Snapshot::load(&self.store, &table.name).await?;
                    followed.tables.insert(table.name.clone(), snapshot);
                }
            }
            if let Some(snapshot) = followed.tables.get(&table.name) {
                out.push((Arc::clone(table), snapshot.clone()));
            }
        }
        followed.at = Some(std::time::Instant::now());
        Ok(out)
    }
}

/// A session without tables.
pub(crate) fn context() -> Result<SessionContext, Error> {
    let runtime = RuntimeEnvBuilder::new().with_memory_pool(Arc::new(FairSpillPool::new(MEMORY))).build_arc()?;
    let config = SessionConfig::new()
        .with_default_catalog_and_schema("marquetry", "public")
        .with_information_schema(true)
        .set_str("datafusion.execution.time_zone", "UTC");
    let state =
        SessionStateBuilder::new().with_config(config).with_runtime_env(runtime).with_default_features().build();
    Ok(SessionContext::new_with_state(state))
}

/// The identity of a row is computed, not stored: a span's ids already are it.
fn with_record_id(table: &Table) -> String {
    format!(
        "SELECT *, coalesce(record_uid, trace_id || ':' || span_id || \
         coalesce(':' || CAST(event_index AS VARCHAR), '')) AS record_id FROM {STORED}.{}",
        table.name
    )
}

fn is_show(sql: &str) -> bool {
    let word = sql.trim_start().get(..4).unwrap_or_default();
    word.eq_ignore_ascii_case("show") || word.eq_ignore_ascii_case("desc")
}
