//! From journal positions to committed files, exactly once.

use std::collections::{BTreeMap, HashMap};
use std::ops::{AddAssign, Range};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use journal::{Damage, Entry, JournalId, Place, Position, Snapshot as Segments};
use schemas::{Catalog, Table};

use crate::delta::{Add, Commit, Marks, Outcome, Reach, Snapshot, stats};
use crate::encoder::Encoder;
use crate::meter::thread_cpu;
use crate::parquet_file::{Codec, Writer};
use crate::rows::{self, Sorted, Times};
use crate::stats::Records;
use crate::store::random_name;
use crate::{Error, Store};

/// How often rows are cut anew before the round is given up.
const TRIES: usize = 8;

/// What a flush did.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Flushed {
    pub(crate) rows: u64,
    pub(crate) files: u64,
    /// Records that have their home row among them.
    pub(crate) records: Records,
    /// CPU time of encoding, which has threads of its own.
    pub(crate) cpu: Duration,
}

impl AddAssign for Flushed {
    fn add_assign(&mut self, more: Self) {
        self.rows += more.rows;
        self.files += more.files;
        self.records += more.records;
        self.cpu += more.cpu;
    }
}

/// A follower of one journal.
pub(crate) struct Follower {
    pub(crate) journal: JournalId,
    /// Everything up to here is committed in every table.
    pub(crate) safe: Position,
    /// Where reading goes on.
    place: Place,
    /// Nothing more will come and nothing is left: of an earlier journal.
    pub(crate) drained: bool,
}

impl Follower {
    pub(crate) fn new(journal: JournalId) -> Self {
        Self { journal, safe: Position(0), place: Place::default(), drained: false }
    }

    /// Commits everything up to `upto` to every table, in chunks of `max_bytes`. Adds what was done to `done`, also when
    /// the rest fails, and returns the damage that was skipped.
    pub(crate) async fn flush(
        &mut self,
        tables: &mut Tables<'_>,
        segments: &Segments,
        (upto, max_bytes): (Position, usize),
        done: &mut Flushed,
    ) -> Result<Vec<Damage>, Error> {
        let mut damage = Vec::new();
        loop {
            let stretch = segments.stretch(self.journal, &self.place, upto, max_bytes);
            damage.extend(stretch.damage);
            let last = stretch.entries.last().map(Entry::position);
            let entries = Arc::new(stretch.entries);
            if let Some(last) = last {
                tables.commit(self.journal, &entries, last, done).await?;
                self.safe = last;
            }
            self.place = stretch.next;
            if !stretch.more {
                return Ok(damage);
            }
        }
    }
}

/// The tables of a lake while something is committed to them.
pub(crate) struct Tables<'a> {
    pub(crate) store: &'a Store,
    pub(crate) encoder: &'a Encoder,
    pub(crate) catalog: &'a Arc<Catalog>,
    pub(crate) snapshots: &'a mut HashMap<String, Snapshot>,
    pub(crate) fingerprint: &'a str,
    pub(crate) writer: &'a str,
    pub(crate) now: DateTime<Utc>,
}

impl Tables<'_> {
    async fn commit(
        &mut self,
        journal: JournalId,
        entries: &Arc<Vec<Entry>>,
        last: Position,
        done: &mut Flushed,
    ) -> Result<(), Error> {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let elsewhere = |table: &str| self.catalog.table(table).is_some_and(|t| t.journal_only);
        for (table, rows) in entries.iter().flat_map(Entry::tables).filter(|(table, _)| !elsewhere(table)) {
            *counts.entry(table.to_owned()).or_default() += rows;
        }
        let mut failed = None;
        for name in counts.into_keys() {
            let each = match self.catalog.table(&name).cloned() {
                Some(table) => self.commit_table(&table, journal, entries, last).await,
                None => Err(Error::UnknownTable { table: name }),
            };
            // One table that cannot be written must not keep the others waiting; the journal keeps its rows.
            match each {
                Ok(each) => *done += each,
                Err(e) => failed = failed.or(Some(e)),
            }
        }
        failed.map_or(Ok(()), Err)
    }

    async fn commit_table(
        &mut self,
        table: &Arc<Table>,
        journal: JournalId,
        entries: &Arc<Vec<Entry>>,
        last: Position,
    ) -> Result<Flushed, Error> {
        let app = journal.to_string();
        let mut snapshot = match self.snapshots.remove(&table.name) {
            Some(known) => known,
            None => Snapshot::load(self.store, &table.name).await?,
        };
        let result = self.append(table, &app, &mut snapshot, entries, last).await;
        self.snapshots.insert(table.name.clone(), snapshot);
        result
    }

    /// Cuts the rows that the table does not have yet and commits them; cuts anew if its position moved meanwhile.
    async fn append(
        &self,
        table: &Arc<Table>,
        app: &str,
        snapshot: &mut Snapshot,
        entries: &Arc<Vec<Entry>>,
        last: Position,
    ) -> Result<Flushed, Error> {
        snapshot.refresh(self.store).await?;
        snapshot.prepare(self.store, table, self.fingerprint, self.now).await?;
        let mut flushed = Flushed::default();
        for _ in 0..TRIES {
            let done = Position(snapshot.position(app).unwrap_or(0));
            if done >= last {
                return Ok(Flushed { cpu: flushed.cpu, ..Flushed::default() });
            }
            let mut adds = Vec::new();
            let (files, cpu) = encode_days(self.encoder, table, self.catalog, entries, done).await?;
            flushed = Flushed { cpu: flushed.cpu + cpu, ..Flushed::default() };
            for (file, records) in files {
                flushed += Flushed { rows: file.rows as u64, files: 1, records, ..Flushed::default() };
                adds.push(self.put(table, file).await?);
            }
            if adds.is_empty() {
                return Ok(flushed);
            }
            let paths: Vec<String> = adds.iter().map(|a| a.path.clone()).collect();
            let reach = Reach { journal: app.to_owned(), from: done.0, to: last.0 };
            let commit = Commit { operation: "WRITE", adds, position: Some(reach), ..Commit::default() };
            let outcome = snapshot.commit(self.store, commit, self.now).await?;
            if outcome == Outcome::Committed || paths.iter().all(|path| snapshot.has(path)) {
                return Ok(flushed);
            }
            for path in paths.iter().filter(|path| !snapshot.has(path)) {
                self.store.delete(&format!("{}/{path}", table.name)).await?;
            }
        }
        Err(Error::Contended { table: table.name.clone(), tries: TRIES })
    }

    /// Writes a file under a fresh name and describes it.
    async fn put(&self, table: &Table, file: Encoded) -> Result<Add, Error> {
        let path = fresh_path(table, &file.date, 0)?;
        self.store.create(&format!("{}/{path}", table.name), file.bytes.clone()).await?;
        let stored = Stored { path, date: file.date, size: file.bytes.len(), rows: file.rows, times: file.times };
        let add = self.add(stored, 0, Marks::default());
        #[cfg(feature = "control")]
        let add = crate::control::with_texts(self.store, table, add).await?;
        Ok(add)
    }

    /// Describes a file.
    pub(crate) fn add(&self, file: Stored, level: u32, marks: Marks) -> Add {
        let tags = [("level", level.to_string()), ("writer", self.writer.to_owned())].into_iter().chain(marks.tags());
        Add {
            path: file.path,
            partition_values: BTreeMap::from([("date".to_owned(), Some(file.date))]),
            size: i64::try_from(file.size).unwrap_or(i64::MAX),
            modification_time: self.now.timestamp_millis(),
            data_change: level == 0,
            stats: Some(stats(file.rows, file.times)),
            tags: Some(tags.map(|(k, v)| (k.to_owned(), Some(v))).collect()),
        }
    }
}

/// Where a new file of a table goes, from the table's folder on: a name nobody else has.
pub(crate) fn fresh_path(table: &Table, date: &str, level: u32) -> Result<String, Error> {
    let name = random_name().map_err(|e| Error::rows("naming a file", &table.name, e))?;
    Ok(format!("date={date}/part-{level}-{name}.parquet"))
}

/// A file in memory.
pub(crate) struct Encoded {
    pub(crate) date: String,
    pub(crate) bytes: bytes::Bytes,
    pub(crate) rows: usize,
    pub(crate) times: Option<Times>,
}

/// A file in the store that no commit names yet.
pub(crate) struct Stored {
    pub(crate) path: String,
    pub(crate) date: String,
    pub(crate) size: usize,
    pub(crate) rows: usize,
    pub(crate) times: Option<Times>,
}

/// Sorts and encodes the rows after `done`, off the I/O threads.
async fn encode_days(
    encoder: &Encoder,
    table: &Arc<Table>,
    catalog: &Arc<Catalog>,
    entries: &Arc<Vec<Entry>>,
    done: Position,
) -> Result<(Vec<(Encoded, Records)>, Duration), Error> {
    let (table, catalog, entries) = (Arc::clone(table), Arc::clone(catalog), Arc::clone(entries));
    let name = table.name.clone();
    let work = move || {
        let before = thread_cpu();
        let mut frames = Vec::new();
        for entry in entries.iter().filter(|e| e.position() > done) {
            let parts = entry.parts(&catalog, |t| t == table.name)?;
            frames.extend(parts.into_iter().map(|p| p.batch));
        }
        let sorted = rows::sorted(&table, &frames)?;
        let files: Result<Vec<_>, Error> =
            sorted.days().map(|(date, rows)| encode_day(&table, &sorted, date, rows)).collect();
        Ok((files?, thread_cpu().saturating_sub(before)))
    };
    encoder.run(work).await.map_err(|e| Error::rows("encoding rows", &name, e))?
}

fn encode_day(table: &Table, sorted: &Sorted<'_>, date: &str, rows: Range<usize>) -> Result<(Encoded, Records), Error> {
    let mut writer = Writer::new(table, sorted.schema(), Codec::Fast, rows.len())?;
    let mut records = Records::default();
    for batch in sorted.batches(rows) {
        let batch = batch.map_err(|e| Error::rows("picking rows", &table.name, e))?;
        records += Records::of(&batch);
        writer.write(&batch)?;
    }
    let (bytes, rows, times) = writer.finish()?;
    Ok((Encoded { date: date.to_owned(), bytes: bytes.into(), rows, times }, records))
}
