//! A worker, its journal and its lake; and what the tables hold in the end.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, ArrayRef};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::util::display::array_value_to_string;
use chrono::{DateTime, Utc};
use component::{Component, Context, Files, Gather, Keyring, Processor, References, Seal, Take};
use journal::Journal;
use lake::delta::Snapshot;
use lake::{Completed, Completing, Lake, Location, Options};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use processors::complete::Complete;
use processors::cost::Cost;
use processors::enrich::Enrich;
use processors::hash::Hash;
use processors::redact::Redact;
use schemas::Catalog;

use crate::records::{BASE, Cells, HOUR, Record, gather};

/// Columns that differ from one journal to the next.
const OWN: [&str; 5] = ["log_id", "log_seq", "salt", "commitment", "leaf"];

/// So many hours after the first record may have happened.
pub fn hours(hours: f64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(BASE + (hours * HOUR as f64) as i64).unwrap()
}

/// Every user, session and device has something of its own in a file.
const LOOKUPS: &str = r#"{"lookups": [
    {"name": "users", "file": "user_id", "key": "user_id", "columns": {"plan": "user_plan"}, "tenant_column": "tenant"},
    {"name": "sessions", "file": "session_id", "key": "session_id", "columns": {"plan": "user_cohort"}, "tenant_column": "tenant"},
    {"name": "devices", "file": "device_id", "key": "device_id", "columns": {"plan": "user_role"}, "tenant_column": "tenant"}
]}"#;

/// The lines of any of them.
struct Shelf;

impl Files for Shelf {
    fn rows(&self, path: &Path, _: &[&str], _: u64, take: &mut Take<'_>) -> Result<(), String> {
        let kind = path.display().to_string();
        let lines = (1..9)
            .flat_map(|n| ["acme", "other"].map(|tenant| (format!("{kind} {n}"), tenant, format!("of {kind} {n}"))));
        lines.into_iter().try_for_each(|(key, tenant, plan)| take(&[Some(&key), Some(tenant), Some(&plan)]))
    }

    fn bytes(&self, _: &Path, _: u64) -> Result<Vec<u8>, String> {
        Err("no such file".to_owned())
    }

    fn stamp(&self, _: &Path) -> Option<u128> {
        Some(0)
    }
}

/// Processors and seal of one worker; a new one remembers nothing.
struct Chain {
    steps: [Box<dyn Processor>; 2],
    seal: Seal,
}

impl Chain {
    fn new(cx: &Context) -> Self {
        fn make<P: Component + Processor>(config: &str, cx: &Context) -> Box<dyn Processor> {
            Box::new(P::new(serde_json::from_str(config).unwrap(), cx).unwrap())
        }
        Self {
            steps: [make::<Enrich>(LOOKUPS, cx), make::<Cost>("{}", cx)],
            seal: Seal::new(vec![make::<Hash>("{}", cx), make::<Redact>("{}", cx)]),
        }
    }
}

pub struct Rig {
    pub catalog: Arc<Catalog>,
    location: Location,
    context: Context,
    chain: Chain,
    journal: Journal,
    lake: Option<Lake>,
    pub options: Options,
}

/// Options with completion, by the shipped rules.
pub fn completing() -> Options {
    Options { completing: Some(Completing::new(Arc::new(Complete::default()))), ..Options::default() }
}

impl Rig {
    /// `writer` names the journal, so that two can write to one lake.
    pub async fn new(folder: &Path, writer: &str, options: Options) -> Self {
        let catalog = Arc::new(Catalog::built_in().unwrap());
        let location = Location::parse(&folder.join("lake").display().to_string()).unwrap();
        let keys = Arc::new(Keyring::new(&[7; 32], 1).unwrap());
        let references = References::new(Arc::new(Shelf));
        let context = Context { references, ..Context::new(Arc::clone(&catalog), keys) };
        let journal = Journal::open(&folder.join(writer), Arc::clone(&catalog), journal::Options::default()).unwrap();
        let mut rig = Self { chain: Chain::new(&context), catalog, location, context, journal, lake: None, options };
        rig.restart().await;
        rig
    }

    /// A worker that remembers nothing.
    pub fn renew(&mut self) {
        self.chain = Chain::new(&self.context);
    }

    /// A worker and a lake that remember nothing.
    pub async fn restart(&mut self) {
        self.renew();
        self.lake = None;
        let lake = Lake::open(&self.location, self.journal.clone(), self.options.clone(), "key".into()).await;
        self.lake = Some(lake.unwrap());
    }

    /// Takes records as one gather; numbers are their own.
    pub async fn send(&mut self, records: &[(usize, &Record)]) {
        let rows: Vec<_> = records.iter().map(|(number, record)| record.row(*number)).collect();
        self.send_rows(&rows).await;
    }

    pub async fn send_rows(&mut self, rows: &[(&'static str, Cells)]) {
        let mut gather: Gather = gather(&self.catalog, rows);
        for step in &mut self.chain.steps {
            step.process(&mut gather).unwrap();
        }
        let position = self.journal.append(&self.chain.seal.seal(gather).unwrap()).unwrap();
        self.journal.durable(position).await.unwrap();
    }

    pub async fn flush(&mut self, now: DateTime<Utc>) {
        self.lake.as_mut().unwrap().flush(now).await.unwrap();
    }

    pub async fn tidy(&mut self, now: DateTime<Utc>) {
        self.lake.as_mut().unwrap().maintain(true, now).await.unwrap();
    }

    /// A round that ends somewhere in the middle, and what comes after such an end.
    pub async fn crash(&mut self, now: DateTime<Utc>, polls: usize) {
        let mut lake = self.lake.take().unwrap();
        let mut round = Box::pin(lake.maintain(true, now));
        for _ in 0..polls {
            if futures::poll!(round.as_mut()).is_ready() {
                break;
            }
            tokio::time::sleep(Duration::from_micros(100)).await;
        }
        drop(round);
        drop(lake);
        self.restart().await;
    }

    pub fn completed(&self) -> Completed {
        self.lake.as_ref().unwrap().stats().lock().unwrap().completed
    }

    pub async fn snapshot(&self, table: &str) -> Snapshot {
        Snapshot::load(&self.location.open().unwrap(), table).await.unwrap()
    }

    /// Versions of all tables.
    pub async fn versions(&self) -> Vec<i64> {
        let mut versions = Vec::new();
        for table in self.catalog.tables() {
            versions.push(self.snapshot(&table.name).await.version());
        }
        versions
    }

    /// Every row of every table, its columns by name.
    pub async fn rows(&self) -> Vec<BTreeMap<String, String>> {
        let mut rows = Vec::new();
        for table in self.catalog.tables() {
            let folder = self.location.folder().unwrap().join(&table.name);
            for file in self.snapshot(&table.name).await.files() {
                let bytes = std::fs::read(folder.join(&file.path)).unwrap();
                let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes)).unwrap();
                for batch in reader.build().unwrap().map(|b| b.unwrap()) {
                    for row in 0..batch.num_rows() {
                        let mut cells = BTreeMap::from([("table".to_owned(), table.name.clone())]);
                        cells.insert("date".to_owned(), file.date().unwrap().to_owned());
                        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
                            if column.is_valid(row) && !OWN.contains(&field.name().as_str()) {
                                cells.insert(field.name().clone(), text(column, row));
                            }
                        }
                        rows.push(cells);
                    }
                }
            }
        }
        rows.sort();
        rows
    }
}

fn text(column: &ArrayRef, row: usize) -> String {
    // Times as numbers: their zone would need a data base of zones to be shown.
    let plain = matches!(column.data_type(), DataType::Timestamp(..)).then(|| cast(column, &DataType::Int64).unwrap());
    array_value_to_string(plain.as_ref().unwrap_or(column), row).unwrap()
}

/// What a row is known by.
pub fn id(row: &BTreeMap<String, String>) -> String {
    let get = |name: &str| row.get(name).map(String::as_str);
    let event = get("event_index").map(|event| format!(":{event}")).unwrap_or_default();
    let span = || format!("{}:{}{event}", get("trace_id").unwrap_or(""), get("span_id").unwrap_or(""));
    get("record_uid").map_or_else(span, str::to_owned)
}

/// Whether a row only repeats itself.
pub fn is_sent_again(row: &BTreeMap<String, String>) -> bool {
    row.get("echo_of").is_some_and(|echo| *echo == id(row))
}
