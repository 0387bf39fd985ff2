//! Whole days that are past their time go; so do files that no version names.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use schemas::Table;

use crate::delta::{Commit, Outcome, Snapshot};
use crate::{Error, Store};

/// Drops partitions that are older than the table's retention. Returns how many files went.
pub(crate) async fn expire(
    store: &Store,
    table: &Table,
    snapshot: &mut Snapshot,
    now: DateTime<Utc>,
) -> Result<usize, Error> {
    let Some(days) = table.retention.keep_days else { return Ok(0) };
    let oldest = now.date_naive() - TimeDelta::days(i64::from(days));
    for _ in 0..8 {
        let removes: Vec<_> = snapshot
            .files()
            .filter(|a| a.date().and_then(|d| d.parse::<NaiveDate>().ok()).is_some_and(|d| d < oldest))
            .map(|a| a.removed(now, true))
            .collect();
        if removes.is_empty() {
            return Ok(0);
        }
        let count = removes.len();
        let commit = Commit { operation: "DELETE", removes, ..Commit::default() };
        if snapshot.commit(store, commit, now).await? == Outcome::Committed {
            return Ok(count);
        }
    }
    Err(Error::Contended { table: table.name.clone(), tries: 8 })
}

/// Deletes files that were replaced longer ago than `keep`.
pub(crate) async fn vacuum(
    store: &Store,
    snapshot: &mut Snapshot,
    keep: TimeDelta,
    now: DateTime<Utc>,
) -> Result<usize, Error> {
    let old = |at: Option<i64>| at.and_then(DateTime::from_timestamp_millis).is_none_or(|at| now - at > keep);
    let gone: Vec<String> =
        snapshot.removed.values().filter(|r| old(r.deletion_timestamp)).map(|r| r.path.clone()).collect();
    for path in &gone {
        store.delete(&format!("{}/{path}", snapshot.table())).await?;
        snapshot.removed.remove(path);
    }
    Ok(gone.len())
}

/// Deletes files that no version names and that are older than `keep`: left by writers that died before their commit.
pub(crate) async fn sweep(
    store: &Store,
    snapshot: &mut Snapshot,
    keep: TimeDelta,
    now: DateTime<Utc>,
) -> Result<usize, Error> {
    let folder = format!("{}/", snapshot.table());
    let mut gone = 0;
    let listed = store.list(snapshot.table()).await?;
    // Read anew after the listing: whatever was committed until now must be known, or a live file would look left over.
    *snapshot = Snapshot::load(store, snapshot.table()).await?;
    if snapshot.version() < 0 {
        return Ok(0);
    }
    for file in listed {
        let Some(path) = file.path.strip_prefix(&folder) else { continue };
        let known = path.starts_with('_') || snapshot.has(path) || snapshot.removed.contains_key(path);
        if !known && now - file.modified > keep {
            store.delete(&file.path).await?;
            gone += 1;
        }
    }
    Ok(gone)
}
