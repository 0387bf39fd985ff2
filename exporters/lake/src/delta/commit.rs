//! Writing the next entry: one conditional PUT, and what to do when somebody else was first.

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use schemas::Table;

use crate::delta::actions::{Action, Add, Format, Metadata, Protocol, Remove, Txn};
use crate::delta::schema;
use crate::delta::snapshot::{Snapshot, entry_path};
use crate::store::{Put, random_name};
use crate::{Error, Store};

/// Other commits that may come first before we give up for now.
const TRIES: usize = 100;
/// Property that holds the fingerprint of the root key.
const KEY_PROPERTY: &str = "marquetry.keyFingerprint";

/// What a commit changes.
#[derive(Debug, Default)]
pub(crate) struct Commit {
    pub(crate) operation: &'static str,
    pub(crate) adds: Vec<Add>,
    pub(crate) removes: Vec<Remove>,
    /// Files that must still be there: what is added describes them anew.
    pub(crate) keeps: Vec<String>,
    /// What the table has reached with this commit.
    pub(crate) position: Option<Reach>,
}

/// A stretch of a journal: the rows after `from`, up to and with `to`.
#[derive(Debug, Clone)]
pub(crate) struct Reach {
    pub(crate) journal: String,
    pub(crate) from: u64,
    pub(crate) to: u64,
}

/// What became of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is in the log.
    Committed,
    /// It was in the log already: an earlier try had won without hearing so.
    Already,
    /// A file it would remove is gone, or the table's position is not the one that the rows were cut after: start over
    /// from the new state.
    Conflict,
}

impl Snapshot {
    /// Commits and follows. Appends go behind whatever was first; rewrites only if all their sources are still there.
    pub(crate) async fn commit(&mut self, store: &Store, commit: Commit, now: DateTime<Utc>) -> Result<Outcome, Error> {
        for _ in 0..TRIES {
            if self.holds(&commit) {
                return Ok(Outcome::Already);
            }
            let mut needed = commit.removes.iter().map(|r| &r.path).chain(&commit.keeps);
            if needed.any(|path| !self.has(path)) || self.has_moved(&commit) {
                return Ok(Outcome::Conflict);
            }
            let bytes = entry(self.table(), &commit, now)?;
            let put = store.create(&entry_path(self.table(), self.version() + 1), bytes).await;
            let was = self.version();
            // Whatever the answer was, the log decides: an error may hide that the entry landed.
            self.update(store).await?;
            match put {
                // An entry below a checkpoint is seen by nobody: the log was cleaned behind our back.
                Ok(Put::Created) if self.is_behind(store).await? => *self = Self::load(store, self.table()).await?,
                Ok(Put::Created) => return Ok(Outcome::Committed),
                Ok(Put::Exists) => {}
                Err(_) if self.holds(&commit) => return Ok(Outcome::Committed),
                Err(_) if self.version() > was => {}
                Err(e) => return Err(e),
            }
        }
        Err(Error::Contended { table: self.table().to_owned(), tries: TRIES })
    }

    /// Whether the log already has what the commit would write.
    fn holds(&self, commit: &Commit) -> bool {
        match &commit.position {
            Some(reach) => self.position(&reach.journal).is_some_and(|p| p >= reach.to),
            None => {
                !commit.adds.is_empty()
                    && commit.adds.iter().all(|a| self.file(&a.path).is_some_and(|f| f.tags == a.tags))
            }
        }
    }

    /// Whether an earlier try, whose answer was lost, has moved the position since the rows were cut.
    fn has_moved(&self, commit: &Commit) -> bool {
        commit.position.as_ref().is_some_and(|reach| self.position(&reach.journal).unwrap_or(0) != reach.from)
    }

    /// Fingerprint of the root key that the table's pseudonyms come from.
    pub fn key_fingerprint(&self) -> Option<&str> {
        self.metadata.as_ref()?.configuration.get(KEY_PROPERTY)?.as_deref()
    }

    /// Makes the table, or adds the columns it lacks; refuses one that was written with another key.
    pub(crate) async fn prepare(
        &mut self,
        store: &Store,
        table: &Table,
        fingerprint: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        for _ in 0..TRIES {
            let Some(action) = self.missing(table, fingerprint, now)? else { return Ok(()) };
            let mut lines = vec![info("CREATE TABLE", now, false)];
            if self.version() < 0 {
                lines.push(Action {
                    protocol: Some(Protocol { min_reader_version: 1, min_writer_version: 2 }),
                    ..Action::default()
                });
            }
            lines.push(Action { metadata: Some(action), ..Action::default() });
            let path = entry_path(self.table(), self.version() + 1);
            store.create(&path, ndjson(self.table(), &lines)?).await?;
            self.update(store).await?;
        }
        Err(Error::Contended { table: table.name.clone(), tries: TRIES })
    }

    /// Metadata that must be committed before rows of `table` can be.
    fn missing(&self, table: &Table, fingerprint: &str, now: DateTime<Utc>) -> Result<Option<Metadata>, Error> {
        let Some(metadata) = &self.metadata else {
            return Ok(Some(fresh(table, fingerprint, now)?));
        };
        let key = metadata.configuration.get(KEY_PROPERTY).cloned().flatten();
        if key.is_some_and(|k| k != fingerprint) {
            return Err(Error::WrongKey { table: table.name.clone() });
        }
        let evolved = schema::evolved(table, &metadata.schema_string)?;
        Ok(evolved.map(|schema_string| Metadata { schema_string, ..metadata.clone() }))
    }
}

fn fresh(table: &Table, fingerprint: &str, now: DateTime<Utc>) -> Result<Metadata, Error> {
    let id = random_name().map_err(|e| Error::log(&table.name, e))?;
    let configuration = [
        ("delta.checkpointInterval", "50"),
        ("delta.logRetentionDuration", "interval 1 hours"),
        ("delta.deletedFileRetentionDuration", "interval 1 hours"),
        ("delta.dataSkippingNumIndexedCols", "2"),
        (KEY_PROPERTY, fingerprint),
    ];
    Ok(Metadata {
        id: format!("{}-{}-{}-{}-{}00000000", &id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..24]),
        name: Some(table.name.clone()),
        format: Format { provider: "parquet".to_owned(), options: BTreeMap::new() },
        schema_string: schema::schema_string(table),
        partition_columns: vec!["date".to_owned()],
        configuration: configuration.into_iter().map(|(k, v)| (k.to_owned(), Some(v.to_owned()))).collect(),
        created_time: Some(now.timestamp_millis()),
    })
}

fn entry(table: &str, commit: &Commit, now: DateTime<Utc>) -> Result<Bytes, Error> {
    let mut lines = vec![info(commit.operation, now, commit.removes.is_empty() && commit.keeps.is_empty())];
    if let Some(reach) = &commit.position {
        let version = i64::try_from(reach.to).map_err(|e| Error::log(table, e))?;
        let txn = Txn { app_id: reach.journal.clone(), version, last_updated: Some(now.timestamp_millis()) };
        lines.push(Action { txn: Some(txn), ..Action::default() });
    }
    lines.extend(commit.removes.iter().map(|r| Action { remove: Some(r.clone()), ..Action::default() }));
    lines.extend(commit.adds.iter().map(|a| Action { add: Some(a.clone()), ..Action::default() }));
    ndjson(table, &lines)
}

fn info(operation: &str, now: DateTime<Utc>, append: bool) -> Action {
    Action {
        commit_info: Some(serde_json::json!({
            "timestamp": now.timestamp_millis(),
            "operation": operation,
            "operationParameters": {},
            "engineInfo": concat!("marquetry/", env!("CARGO_PKG_VERSION")),
            "isBlindAppend": append,
        })),
        ..Action::default()
    }
}

fn ndjson(table: &str, lines: &[Action]) -> Result<Bytes, Error> {
    let mut out = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut out, line).map_err(|e| Error::log(table, e))?;
        out.push(b'\n');
    }
    Ok(out.into())
}
