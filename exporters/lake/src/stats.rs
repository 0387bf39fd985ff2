//! How the lake fares, for whoever asks.

use std::ops::AddAssign;
use std::time::Duration;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use chrono::{DateTime, Utc};
use journal::Position;

use crate::Completed;
use crate::delta::{Add, Snapshot};
use crate::meter::Spent;

/// How the lake fares.
#[derive(Debug, Clone, Default)]
pub struct Stats {
    /// Rows committed since the start.
    pub rows: u64,
    /// Files committed since the start.
    pub files: u64,
    /// Spans committed since the start; of their rows, the home row counts.
    pub spans: u64,
    /// Log records committed since the start.
    pub logs: u64,
    /// Merges since the start.
    pub merges: u64,
    /// What completion did since the start.
    pub completed: Completed,
    /// Failed rounds since the start.
    pub failures: u64,
    /// Flushes that had something to do.
    pub flush: Work,
    /// Merges, those that lost to another writer included.
    pub merge: Work,
    /// Rounds of completion that found whole hours.
    pub complete: Work,
    /// When a round last went well.
    pub last_success: Option<DateTime<Utc>>,
    /// Why the last round failed; `None` when it went well.
    pub last_error: Option<String>,
    /// Last journal position that is committed in every table.
    pub position: Position,
    /// By table: version and live files.
    pub tables: Vec<TableStats>,
}

/// What one kind of work came to since the start.
#[derive(Debug, Clone, Copy, Default)]
pub struct Work {
    /// How often.
    pub runs: u64,
    /// How often it failed.
    pub failures: u64,
    /// How long it took.
    pub time: Duration,
    /// CPU time of its threads; zero where the system does not tell.
    pub cpu: Duration,
}

/// One table of the lake.
#[derive(Debug, Clone)]
pub struct TableStats {
    /// Name.
    pub name: String,
    /// Delta version.
    pub version: i64,
    /// Live files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Their rows.
    pub rows: u64,
    /// When the newest of them was written.
    pub committed: Option<DateTime<Utc>>,
}

/// Records by signal.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Records {
    pub(crate) spans: u64,
    pub(crate) logs: u64,
}

impl Work {
    pub(crate) fn add(&mut self, spent: Spent, failed: bool) {
        self.runs += 1;
        self.failures += u64::from(failed);
        self.time += spent.time;
        self.cpu += spent.cpu;
    }
}

impl TableStats {
    /// Of a snapshot; what has to be read from its files is not when nothing has changed.
    pub(crate) fn of(snapshot: &Snapshot, before: &[Self]) -> Self {
        let known = before.iter().find(|t| t.name == snapshot.table() && t.version == snapshot.version());
        known.cloned().unwrap_or_else(|| Self {
            name: snapshot.table().to_owned(),
            version: snapshot.version(),
            files: snapshot.files().len() as u64,
            bytes: snapshot.files().map(|a| u64::try_from(a.size).unwrap_or(0)).sum(),
            rows: snapshot.files().filter_map(Add::rows).sum(),
            committed: snapshot.files().map(|a| a.modification_time).max().and_then(DateTime::from_timestamp_millis),
        })
    }
}

impl Records {
    /// Home rows of a batch. Only logs say that they are one.
    pub(crate) fn of(batch: &RecordBatch) -> Self {
        let Some(primary) = batch.column_by_name("is_primary").and_then(|c| c.as_boolean_opt()) else {
            return Self::default();
        };
        let all = primary.true_count() as u64;
        let kinds = batch.column_by_name("kind").and_then(|c| c.as_string_opt::<i32>());
        let logs: Option<BooleanArray> = kinds
            .map(|kinds| (0..kinds.len()).map(|row| Some(kinds.is_valid(row) && kinds.value(row) == "log")).collect());
        let both = logs.and_then(|logs| arrow::compute::and(primary, &logs).ok());
        let logs = both.map_or(0, |both| both.true_count() as u64);
        Self { spans: all - logs, logs }
    }
}

impl AddAssign for Records {
    fn add_assign(&mut self, more: Self) {
        self.spans += more.spans;
        self.logs += more.logs;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringArray};

    use super::*;

    #[test]
    fn a_record_counts_on_its_home_row() {
        let batch = |primary: Vec<Option<bool>>, kind: Vec<Option<&str>>| {
            let columns: [(&str, ArrayRef); 2] =
                [("is_primary", Arc::new(BooleanArray::from(primary))), ("kind", Arc::new(StringArray::from(kind)))];
            RecordBatch::try_from_iter(columns).unwrap()
        };
        let records = Records::of(&batch(
            vec![Some(true), Some(true), Some(false), None, Some(true)],
            vec![Some("log"), Some("server"), Some("log"), Some("log"), None],
        ));
        assert_eq!((records.spans, records.logs), (2, 1));
        assert_eq!(Records::of(&batch(vec![], vec![])).spans, 0);
    }
}
