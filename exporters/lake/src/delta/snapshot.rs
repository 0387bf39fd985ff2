//! A table at a version, read from checkpoint and log, then followed entry by entry.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};

use crate::delta::actions::{Action, Add, Metadata, Protocol, Remove, Txn};
use crate::delta::checkpoint;
use crate::{Error, Store};

/// Highest protocol that is understood here.
const READER: i32 = 1;
const WRITER: i32 = 2;

/// What a table holds at one version.
#[derive(Debug, Clone)]
pub struct Snapshot {
    table: String,
    /// -1 before the first commit.
    version: i64,
    pub(crate) protocol: Option<Protocol>,
    pub(crate) metadata: Option<Metadata>,
    files: BTreeMap<String, Add>,
    pub(crate) txns: HashMap<String, Txn>,
    pub(crate) removed: BTreeMap<String, Remove>,
    /// When the entries still in the log were committed, as far as they were read.
    pub(crate) committed: BTreeMap<i64, DateTime<Utc>>,
    last_commit: Option<DateTime<Utc>>,
    /// Version of the newest checkpoint that was read or written here.
    pub(crate) checkpoint: i64,
}

impl Snapshot {
    fn empty(table: &str) -> Self {
        Self {
            table: table.to_owned(),
            version: -1,
            protocol: None,
            metadata: None,
            files: BTreeMap::new(),
            txns: HashMap::new(),
            removed: BTreeMap::new(),
            committed: BTreeMap::new(),
            last_commit: None,
            checkpoint: -1,
        }
    }

    /// Reads a table; one that does not exist has version -1 and no files.
    pub async fn load(store: &Store, table: &str) -> Result<Self, Error> {
        let mut snapshot = Self::empty(table);
        let entries = log_files(store, table).await?;
        if let Some(version) = entries.iter().filter(|e| e.checkpoint).map(|e| e.version).max() {
            checkpoint::read(store, &mut snapshot, version).await?;
            snapshot.version = version;
            snapshot.checkpoint = version;
        }
        snapshot.committed = entries.iter().filter(|e| !e.checkpoint).map(|e| (e.version, e.modified)).collect();
        snapshot.last_commit = snapshot.committed.get(&snapshot.version).copied();
        snapshot.update(store).await?;
        Ok(snapshot)
    }

    /// Reads the entries that were committed since.
    pub async fn update(&mut self, store: &Store) -> Result<(), Error> {
        while let Some(bytes) = store.get(&entry_path(&self.table, self.version + 1)).await? {
            self.apply_entry(&bytes)?;
        }
        Ok(())
    }

    /// Follows the log, also across entries that were cleaned away since: before anything is decided by the state.
    pub(crate) async fn refresh(&mut self, store: &Store) -> Result<(), Error> {
        self.update(store).await?;
        if self.is_behind(store).await? {
            *self = Self::load(store, &self.table).await?;
        }
        Ok(())
    }

    /// Whether there is a checkpoint of a later version. That the next entry is missing proves nothing: it may have been
    /// cleaned away.
    pub(crate) async fn is_behind(&self, store: &Store) -> Result<bool, Error> {
        let Some(bytes) = store.get(&format!("{}/_delta_log/_last_checkpoint", self.table)).await? else {
            return Ok(false);
        };
        let last: Option<serde_json::Value> = serde_json::from_slice(&bytes).ok();
        Ok(last.and_then(|l| l.get("version")?.as_i64()).is_some_and(|version| version > self.version))
    }

    fn apply_entry(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let version = self.version + 1;
        for line in bytes.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
            let action: Action = serde_json::from_slice(line)
                .map_err(|e| Error::log(&self.table, format!("entry {version} cannot be read: {e}")))?;
            let told = action.commit_info.as_ref().and_then(|i| i.get("timestamp"));
            if let Some(time) = told.and_then(serde_json::Value::as_i64) {
                self.last_commit = DateTime::from_timestamp_millis(time);
            }
            self.apply(action)?;
        }
        self.version = version;
        if let Some(time) = self.last_commit {
            self.committed.insert(version, time);
        }
        Ok(())
    }

    pub(crate) fn apply(&mut self, action: Action) -> Result<(), Error> {
        if let Some(protocol) = action.protocol {
            if protocol.min_reader_version > READER || protocol.min_writer_version > WRITER {
                return Err(Error::log(
                    &self.table,
                    format!(
                        "it asks for reader {} and writer {}; this build knows {READER} and {WRITER}",
                        protocol.min_reader_version, protocol.min_writer_version
                    ),
                ));
            }
            self.protocol = Some(protocol);
        }
        if let Some(metadata) = action.metadata {
            self.metadata = Some(metadata);
        }
        if let Some(txn) = action.txn {
            self.txns.insert(txn.app_id.clone(), txn);
        }
        if let Some(add) = action.add {
            self.removed.remove(&add.path);
            self.files.insert(add.path.clone(), add);
        }
        if let Some(remove) = action.remove {
            self.files.remove(&remove.path);
            self.removed.insert(remove.path.clone(), remove);
        }
        Ok(())
    }

    /// The table's name.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// -1 if the table does not exist yet.
    pub fn version(&self) -> i64 {
        self.version
    }

    /// When the newest entry was committed.
    pub fn committed_at(&self) -> Option<DateTime<Utc>> {
        self.last_commit
    }

    /// Data files by path.
    pub fn files(&self) -> impl ExactSizeIterator<Item = &Add> {
        self.files.values()
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    pub(crate) fn file(&self, path: &str) -> Option<&Add> {
        self.files.get(path)
    }

    /// How far a journal's rows are in the table; `None` if it never wrote here.
    pub fn position(&self, journal: &str) -> Option<u64> {
        self.txns.get(journal).and_then(|t| u64::try_from(t.version).ok())
    }

    /// Table properties and schema.
    pub fn metadata(&self) -> Option<&Metadata> {
        self.metadata.as_ref()
    }
}

/// Path of a log entry.
pub(crate) fn entry_path(table: &str, version: i64) -> String {
    format!("{table}/_delta_log/{version:020}.json")
}

/// A file of the log.
pub(crate) struct LogFile {
    pub(crate) path: String,
    pub(crate) version: i64,
    pub(crate) checkpoint: bool,
    pub(crate) modified: DateTime<Utc>,
}

/// Entries and whole checkpoints of a log.
pub(crate) async fn log_files(store: &Store, table: &str) -> Result<Vec<LogFile>, Error> {
    let listed = store.list(&format!("{table}/_delta_log")).await?;
    Ok(listed
        .into_iter()
        .filter_map(|file| {
            let name = file.path.rsplit('/').next()?;
            let checkpoint = name.ends_with(".checkpoint.parquet");
            let stem = name.strip_suffix(".checkpoint.parquet").or_else(|| name.strip_suffix(".json"))?;
            let version = (stem.len() == 20).then(|| stem.parse().ok()).flatten()?;
            Some(LogFile { version, checkpoint, modified: file.modified, path: file.path })
        })
        .collect())
}
