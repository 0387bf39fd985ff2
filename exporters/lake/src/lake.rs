//! The one that follows the journal: flushes, merges, keeps the log short, and says how it fares.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use journal::{Journal, JournalId, Position, Snapshot as Segments};
use schemas::Catalog;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use tracing::field::Empty;

use crate::delta::{Commit, Outcome, Snapshot};
use crate::encoder::Encoder;
use crate::flush::{Flushed, Follower, Tables};
use crate::meter::metered;
use crate::stats::{Stats, TableStats};
use crate::store::random_name;
use crate::{Completed, Completing, Error, Location, Store, complete, merge, retention};

/// How often the lake does what.
#[derive(Debug, Clone)]
pub struct Options {
    /// Longest time between an OK and the commit of its rows.
    pub flush_interval: Duration,
    /// Journal bytes that are flushed at once, and that start a flush before its time.
    pub flush_bytes: usize,
    /// Time between two rounds of merges of what is left over, retention and vacuum.
    pub tidy_interval: Duration,
    /// How long log entries stay after a checkpoint covers them.
    pub log_retention: Duration,
    /// How long replaced files stay, for readers that still have the older version.
    pub replaced_retention: Duration,
    /// Whether files of other writers are merged as well; one process of a lake at most.
    pub merge_all: bool,
    /// How hints are worked out again from facts; `None` leaves what ingest found.
    pub completing: Option<Completing>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            flush_interval: Duration::from_secs(10),
            flush_bytes: 32 << 20,
            tidy_interval: Duration::from_secs(3600),
            log_retention: Duration::from_secs(3600),
            replaced_retention: Duration::from_secs(3600),
            merge_all: false,
            completing: None,
        }
    }
}

/// The target under which our spans are exported, where that is configured.
const SPANS: &str = "marquetry::trace";

/// A lake and the journal that it follows.
pub struct Lake {
    store: Store,
    encoder: Encoder,
    catalog: Arc<Catalog>,
    journal: Journal,
    options: Options,
    fingerprint: String,
    writer: String,
    snapshots: HashMap<String, Snapshot>,
    followers: Vec<Follower>,
    stats: Arc<Mutex<Stats>>,
    swept: Option<DateTime<Utc>>,
}

impl Lake {
    /// Opens every table and finds out how far each journal of the folder is committed.
    pub async fn open(
        location: &Location,
        journal: Journal,
        options: Options,
        fingerprint: String,
    ) -> Result<Self, Error> {
        Self::over(location.open()?, journal, options, fingerprint).await
    }

    pub(crate) async fn over(
        store: Store,
        journal: Journal,
        options: Options,
        fingerprint: String,
    ) -> Result<Self, Error> {
        let catalog = Arc::clone(journal.catalog());
        let mut snapshots = HashMap::new();
        for table in catalog.tables() {
            let mut snapshot = Snapshot::load(&store, &table.name).await?;
            // A table that exists is checked now, so that a wrong key or schema stops the start and not the first flush.
            if snapshot.version() >= 0 {
                snapshot.prepare(&store, table, &fingerprint, Utc::now()).await?;
            }
            snapshots.insert(table.name.clone(), snapshot);
        }
        let own = journal.id().to_string();
        let ahead = snapshots.values().filter_map(|s| s.position(&own)).max().unwrap_or(0);
        if ahead > journal.stats().appended.0 {
            return Err(Error::Restored {
                folder: journal.folder().to_owned(),
                ahead,
                ends: journal.stats().appended.0,
            });
        }
        let mut ids: Vec<JournalId> = Segments::open(journal.folder())?.views().iter().map(|v| v.id()).collect();
        ids.push(journal.id());
        ids.sort();
        ids.dedup();
        let writer = writer_name(journal.folder())?;
        let followers = ids.into_iter().map(Follower::new).collect();
        let stats = Arc::default();
        let encoder = Encoder::start()
            .map_err(|e| Error::store("starting the thread that encodes for", journal.folder().display(), e))?;
        Ok(Self {
            store,
            encoder,
            catalog,
            journal,
            options,
            fingerprint,
            writer,
            snapshots,
            followers,
            stats,
            swept: None,
        })
    }

    /// A handle on how the lake fares, which outlives [`Lake::run`].
    pub fn stats(&self) -> Arc<Mutex<Stats>> {
        Arc::clone(&self.stats)
    }

    /// Flushes and merges until `stop`, then flushes once more.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), Error> {
        let mut tick = tokio::time::interval(self.options.flush_interval.max(Duration::from_millis(50)));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut bytes_check = tokio::time::interval(Duration::from_secs(1));
        bytes_check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut tidied = Instant::now();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = tick.tick() => {}
                _ = bytes_check.tick() => {
                    if !self.is_due() {
                        continue;
                    }
                }
            }
            let tidy = tidied.elapsed() >= self.options.tidy_interval;
            let round = self.round(tidy, Utc::now()).await;
            if tidy && round.is_ok() {
                tidied = Instant::now();
            }
            self.note(round.err());
        }
        let last = self.flush(Utc::now()).await;
        if let Err(e) = &last {
            tracing::warn!(error = %e, "the last flush failed; the rows are in the journal and go to the lake at the next start");
        }
        self.note(last.err());
        Ok(())
    }

    fn is_due(&self) -> bool {
        self.journal.stats().bytes >= self.options.flush_bytes as u64 * 2
    }

    async fn round(&mut self, tidy: bool, now: DateTime<Utc>) -> Result<(), Error> {
        self.flush(now).await?;
        self.maintain(tidy, now).await
    }

    /// Commits everything that is durable, and lets go of segments that nobody needs.
    pub async fn flush(&mut self, now: DateTime<Utc>) -> Result<u64, Error> {
        let durable = self.journal.subscribe().borrow().clone()?;
        let idle = self.followers.len() == 1 && self.position() >= durable;
        let span = if idle {
            tracing::Span::none()
        } else {
            tracing::info_span!(target: SPANS, "flush", rows = Empty, files = Empty, otel.status_code = Empty)
        };
        let ((done, failed), mut spent) = metered(self.flush_to(durable, now).instrument(span.clone())).await;
        span.record("rows", done.rows).record("files", done.files);
        if failed.is_some() {
            span.record("otel.status_code", "ERROR");
        }
        spent.cpu += done.cpu;
        let mut stats = self.stats.lock().unwrap_or_else(PoisonError::into_inner);
        stats.rows += done.rows;
        stats.files += done.files;
        stats.spans += done.records.spans;
        stats.logs += done.records.logs;
        if failed.is_none() {
            // Nothing up to here waits any more, whatever was in it.
            stats.position = durable;
        }
        if done.files > 0 || failed.is_some() {
            stats.flush.add(spent, failed.is_some());
        }
        failed.map_or(Ok(done.rows), Err)
    }

    fn position(&self) -> Position {
        self.stats.lock().unwrap_or_else(PoisonError::into_inner).position
    }

    /// What was done, and what kept the rest from being done.
    async fn flush_to(&mut self, durable: Position, now: DateTime<Utc>) -> (Flushed, Option<Error>) {
        let mut done = Flushed::default();
        let failed = self.flush_followers(durable, now, &mut done).await;
        (done, failed.err())
    }

    async fn flush_followers(
        &mut self,
        durable: Position,
        now: DateTime<Utc>,
        done: &mut Flushed,
    ) -> Result<(), Error> {
        let own = self.journal.id();
        let segments = Segments::open(self.journal.folder())?;
        let mut failed = None;
        for follower in &mut self.followers {
            let upto = if follower.journal == own { durable } else { Position(u64::MAX) };
            let mut tables = Tables {
                store: &self.store,
                encoder: &self.encoder,
                catalog: &self.catalog,
                snapshots: &mut self.snapshots,
                fingerprint: &self.fingerprint,
                writer: &self.writer,
                now,
            };
            // An earlier journal that cannot be drained must not hold this one up.
            let most = self.options.flush_bytes;
            let damage = match follower.flush(&mut tables, &segments, (upto, most), done).await {
                Ok(damage) => damage,
                Err(e) => {
                    failed = failed.or(Some(e));
                    continue;
                }
            };
            self.journal.quarantine(&damage);
            if follower.journal != own {
                self.journal.release(follower.journal, Position(u64::MAX))?;
                follower.drained = true;
            }
        }
        self.followers.retain(|f| !f.drained);
        let safe = self.followers.iter().find(|f| f.journal == own).map_or(Position(0), |f| f.safe);
        if done.rows > 0 && self.journal.stats().bytes > 1 << 20 {
            self.journal.roll()?;
        }
        self.journal.release(own, safe)?;
        failed.map_or(Ok(()), Err)
    }

    /// Merges, checkpoints and cleans; with `tidy` also what waits for less than a full merge, retention and vacuum.
    pub async fn maintain(&mut self, tidy: bool, now: DateTime<Utc>) -> Result<(), Error> {
        let mut failed = None;
        if tidy && let Some(how) = self.options.completing.clone() {
            failed = self.complete(&how, now).await.err();
        }
        for table in Arc::clone(&self.catalog).tables() {
            let Some(mut snapshot) = self.snapshots.remove(&table.name) else { continue };
            let result = self.maintain_table(table, &mut snapshot, tidy, now).await;
            self.snapshots.insert(table.name.clone(), snapshot);
            failed = failed.or(result.err());
        }
        if tidy {
            let due = self.swept.is_none_or(|at| now - at > TimeDelta::days(1));
            self.swept = if due { Some(now) } else { self.swept };
        }
        failed.map_or(Ok(()), Err)
    }

    /// Works the hints of whole hours out again.
    async fn complete(&mut self, how: &Completing, now: DateTime<Utc>) -> Result<(), Error> {
        // Those too that are not there yet: another writer may have made them.
        for snapshot in self.snapshots.values_mut() {
            snapshot.refresh(&self.store).await?;
        }
        let mut tables = Tables {
            store: &self.store,
            encoder: &self.encoder,
            catalog: &self.catalog,
            snapshots: &mut self.snapshots,
            fingerprint: &self.fingerprint,
            writer: &self.writer,
            now,
        };
        let mut done = Completed::default();
        let all = self.options.merge_all;
        let span = tracing::info_span!(target: SPANS, "complete", hours = Empty, rows = Empty);
        let work = complete::complete(&mut tables, how, all, &mut done).instrument(span.clone());
        let (result, spent) = metered(work).await;
        span.record("hours", done.windows).record("rows", done.rows);
        let mut stats = self.stats.lock().unwrap_or_else(PoisonError::into_inner);
        stats.completed += done;
        if done.windows > 0 || result.is_err() {
            stats.complete.add(spent, result.is_err());
        }
        result
    }

    async fn maintain_table(
        &mut self,
        table: &Arc<schemas::Table>,
        snapshot: &mut Snapshot,
        tidy: bool,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        if snapshot.version() < 0 {
            return Ok(());
        }
        if tidy {
            snapshot.refresh(&self.store).await?;
        }
        let mut merged = Ok(());
        let (writer, how) = (self.writer.clone(), self.options.completing.as_ref());
        let (hourly, thins) = (how.is_some(), how.is_some_and(|how| how.thinning.is_some()));
        let scope = merge::Scope { writer: &writer, all: self.options.merge_all, hourly, thins };
        for plan in merge::plan(snapshot, scope, tidy) {
            let (name, level) = (table.name.as_str(), plan.level);
            let span = tracing::info_span!(target: SPANS, "merge", table = name, level, sources = Empty, rows = Empty);
            merged = self.merge(table, snapshot, plan, now).instrument(span).await;
            if merged.is_err() {
                // A source may have been replaced by somebody else: look again before the next round.
                snapshot.refresh(&self.store).await?;
                break;
            }
        }
        if tidy {
            retention::expire(&self.store, table, snapshot, now).await?;
            retention::vacuum(&self.store, snapshot, delta(self.options.replaced_retention), now).await?;
            if self.swept.is_none_or(|at| now - at > TimeDelta::days(1)) {
                retention::sweep(&self.store, snapshot, TimeDelta::days(1), now).await?;
            }
        }
        if snapshot.is_checkpoint_due() {
            snapshot.checkpoint(&self.store).await?;
            snapshot.clean_log(&self.store, delta(self.options.log_retention), now).await?;
        }
        merged
    }

    /// Merges on the thread that encodes: what that needs for a while it has from flushes, and I/O threads stay free.
    async fn merge(
        &mut self,
        table: &Arc<schemas::Table>,
        snapshot: &mut Snapshot,
        plan: merge::Plan,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let runtime = tokio::runtime::Handle::current();
        let (store, merged) = (self.store.clone(), Arc::clone(table));
        let work = move || runtime.block_on(metered(merge::merge(&store, &merged, plan)));
        let (merged, spent) = self.encoder.run(work).await.map_err(|e| Error::rows("merging files", &table.name, e))?;
        self.stats.lock().unwrap_or_else(PoisonError::into_inner).merge.add(spent, merged.is_err());
        let merged = merged?;
        tracing::Span::current().record("rows", merged.file.rows).record("sources", merged.plan.sources.len());
        let tables = Tables {
            store: &self.store,
            encoder: &self.encoder,
            catalog: &self.catalog,
            snapshots: &mut self.snapshots,
            fingerprint: &self.fingerprint,
            writer: &self.writer,
            now,
        };
        let sources = &merged.plan.sources;
        let scope = merge::Scope { writer: &self.writer, all: self.options.merge_all, hourly: false, thins: false };
        let mut add = tables.add(merged.file, merged.plan.level, scope.marks(sources));
        add.data_change = merged.changed;
        #[cfg(feature = "control")]
        let add = crate::control::with_texts(&self.store, table, add).await?;
        let path = format!("{}/{}", table.name, add.path);
        let removes = sources.iter().map(|s| s.removed(now, merged.changed)).collect();
        let commit = Commit { operation: "OPTIMIZE", adds: vec![add], removes, ..Commit::default() };
        if snapshot.commit(&self.store, commit, now).await? == Outcome::Conflict {
            // Somebody else replaced a source; the next round plans anew.
            self.store.delete(&path).await?;
        } else {
            self.stats.lock().unwrap_or_else(PoisonError::into_inner).merges += 1;
        }
        Ok(())
    }

    fn note(&self, error: Option<Error>) {
        let mut stats = self.stats.lock().unwrap_or_else(PoisonError::into_inner);
        let tables = self.snapshots.values().filter(|s| s.version() >= 0);
        stats.tables = tables.map(|snapshot| TableStats::of(snapshot, &stats.tables)).collect();
        stats.tables.sort_by(|a, b| a.name.cmp(&b.name));
        match error {
            None => {
                stats.last_success = Some(Utc::now());
                stats.last_error = None;
            }
            Some(e) => {
                tracing::warn!(error = %e, "the lake is behind; rows wait in the journal");
                stats.failures += 1;
                stats.last_error = Some(e.to_string());
            }
        }
    }
}

fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}

/// The name under which this journal folder writes files, over restarts.
fn writer_name(folder: &Path) -> Result<String, Error> {
    let path = folder.join("writer");
    match std::fs::read_to_string(&path) {
        Ok(name) if !name.trim().is_empty() => return Ok(name.trim().to_owned()),
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(Error::store("reading", path.display(), e)),
        _ => {}
    }
    let name = random_name().map_err(|e| Error::store("naming the writer in", path.display(), e))?;
    std::fs::write(&path, &name).map_err(|e| Error::store("writing", path.display(), e))?;
    Ok(name)
}
