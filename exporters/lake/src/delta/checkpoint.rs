//! Checkpoints: the whole state as one Parquet file, so that a reader need not replay the log.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use arrow::json::{LineDelimitedWriter, ReaderBuilder};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::delta::actions::Action;
use crate::delta::snapshot::{Snapshot, log_files};
use crate::{Error, Store};

/// Commits between two checkpoints.
const EVERY: i64 = 50;

impl Snapshot {
    /// Whether the log has grown enough since the last checkpoint.
    pub(crate) fn is_checkpoint_due(&self) -> bool {
        self.version() - self.checkpoint >= EVERY
    }

    /// Writes a checkpoint of this version and says so in `_last_checkpoint`.
    pub(crate) async fn checkpoint(&mut self, store: &Store) -> Result<(), Error> {
        let actions = self.actions();
        let bytes = encode(&actions).map_err(|e| Error::log(self.table(), e))?;
        let folder = format!("{}/_delta_log", self.table());
        store.create(&format!("{folder}/{:020}.checkpoint.parquet", self.version()), bytes).await?;
        let last = serde_json::json!({ "version": self.version(), "size": actions.len() }).to_string();
        store.replace(&format!("{folder}/_last_checkpoint"), last.into()).await?;
        self.checkpoint = self.version();
        Ok(())
    }

    fn actions(&self) -> Vec<Action> {
        let mut out = vec![
            Action { protocol: self.protocol.clone(), ..Action::default() },
            Action { metadata: self.metadata.clone(), ..Action::default() },
        ];
        out.extend(self.txns.values().map(|t| Action { txn: Some(t.clone()), ..Action::default() }));
        out.extend(self.removed.values().map(|r| Action { remove: Some(r.clone()), ..Action::default() }));
        out.extend(self.files().map(|a| Action { add: Some(a.clone()), ..Action::default() }));
        out
    }

    /// Deletes entries and checkpoints that a newer checkpoint covers and that are older than `keep`.
    pub(crate) async fn clean_log(
        &mut self,
        store: &Store,
        keep: TimeDelta,
        now: DateTime<Utc>,
    ) -> Result<usize, Error> {
        let files = log_files(store, self.table()).await?;
        let Some(newest) = files.iter().filter(|f| f.checkpoint).map(|f| f.version).max() else { return Ok(0) };
        let mut gone = 0;
        for file in files.iter().filter(|f| f.version < newest) {
            let at = self.committed.get(&file.version).copied().unwrap_or(file.modified);
            if now - at > keep {
                store.delete(&file.path).await?;
                gone += 1;
            }
        }
        self.committed.retain(|version, at| *version >= newest || now - *at <= keep);
        Ok(gone)
    }
}

/// Reads a checkpoint into an empty snapshot.
pub(crate) async fn read(store: &Store, snapshot: &mut Snapshot, version: i64) -> Result<(), Error> {
    let path = format!("{}/_delta_log/{version:020}.checkpoint.parquet", snapshot.table());
    let table = snapshot.table().to_owned();
    let bad = |why: String| Error::log(&table, format!("checkpoint {version} cannot be read: {why}"));
    let bytes = store.get(&path).await?.ok_or_else(|| bad("it vanished".into()))?;
    for action in decode(bytes).map_err(|e| bad(e.to_string()))? {
        snapshot.apply(action)?;
    }
    Ok(())
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn encode(actions: &[Action]) -> Result<Bytes, Failure> {
    let schema = schema();
    let mut decoder = ReaderBuilder::new(Arc::clone(&schema)).with_batch_size(actions.len().max(1)).build_decoder()?;
    decoder.serialize(actions)?;
    let batch = decoder.flush()?.unwrap_or_else(|| RecordBatch::new_empty(Arc::clone(&schema)));
    let mut out = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut out, schema, None)?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(out.into())
}

fn decode(bytes: Bytes) -> Result<Vec<Action>, Failure> {
    let mut out = Vec::new();
    for batch in ParquetRecordBatchReaderBuilder::try_new(bytes)?.build()? {
        let mut lines = Vec::new();
        let mut writer = LineDelimitedWriter::new(&mut lines);
        writer.write(&batch?)?;
        writer.finish()?;
        for line in lines.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
            out.push(serde_json::from_slice(line)?);
        }
    }
    Ok(out)
}

fn schema() -> SchemaRef {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let long = |name: &str| Field::new(name, DataType::Int64, true);
    let int = |name: &str| Field::new(name, DataType::Int32, true);
    let flag = |name: &str| Field::new(name, DataType::Boolean, true);
    let map = |name: &str| {
        let entry =
            Fields::from(vec![Field::new("key", DataType::Utf8, false), Field::new("value", DataType::Utf8, true)]);
        let entries = Field::new("key_value", DataType::Struct(entry), false);
        Field::new(name, DataType::Map(Arc::new(entries), false), true)
    };
    let record = |name: &str, fields: Vec<Field>| Field::new(name, DataType::Struct(fields.into()), true);
    let list =
        |name: &str| Field::new(name, DataType::List(Arc::new(Field::new("element", DataType::Utf8, true))), true);
    let fields = vec![
        record("txn", vec![text("appId"), long("version"), long("lastUpdated")]),
        record(
            "add",
            vec![
                text("path"),
                map("partitionValues"),
                long("size"),
                long("modificationTime"),
                flag("dataChange"),
                text("stats"),
                map("tags"),
            ],
        ),
        record(
            "remove",
            vec![
                text("path"),
                long("deletionTimestamp"),
                flag("dataChange"),
                flag("extendedFileMetadata"),
                map("partitionValues"),
                long("size"),
            ],
        ),
        record(
            "metaData",
            vec![
                text("id"),
                text("name"),
                record("format", vec![text("provider"), map("options")]),
                text("schemaString"),
                list("partitionColumns"),
                map("configuration"),
                long("createdTime"),
            ],
        ),
        record("protocol", vec![int("minReaderVersion"), int("minWriterVersion")]),
    ];
    Schema::new(fields).into()
}
