//! Hours of events that are whole: the hints of their rows are worked out again from facts alone.
//!
//! Files wait by the last hour that they have rows of. Once no more rows of that hour and the next are expected, all files
//! that wait for it, of every table, are completed together: facts are collected from their rows and from all committed
//! rows of the hours beside them, then the files of each table become one, with new hints. A file that is completed says
//! so in a tag of the log. Rows that come late wait in files of their own and are completed in the next round; files that
//! were completed before such rows were committed are looked at again, and written again only if a value differs.

mod edit;
mod thin;
mod window;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use component::Completion;

use crate::flush::Tables;
use crate::merge::Scope;
use crate::{Error, hours};
use window::Window;

/// How rows are completed.
#[derive(Debug, Clone)]
pub struct Completing {
    /// The rules.
    pub rules: Arc<dyn Completion>,
    /// Which traces stay once nothing can be told from the others any more; without it all of them do.
    pub thinning: Option<Arc<dyn Completion>>,
    /// How long after its end an hour is taken as whole. Rows that come later are completed all the same, at more cost.
    pub lateness: Duration,
    /// Bytes that facts may take at once. Hints whose facts find no room stay as ingest left them, and are counted.
    pub memory: usize,
}

impl Completing {
    /// Completes by these rules.
    pub fn new(rules: Arc<dyn Completion>) -> Self {
        Self { rules, thinning: None, lateness: Duration::from_secs(600), memory: 64 << 20 }
    }
}

/// What completion did.
#[derive(Debug, Clone, Copy, Default)]
pub struct Completed {
    /// Hours of events that were closed, each as often as rows of it came.
    pub windows: u64,
    /// Rows whose hints were worked out again.
    pub rows: u64,
    /// Values that differed from what ingest had found.
    pub changed: u64,
    /// Facts that found no room.
    pub left_out: u64,
    /// Files that were written.
    pub files: u64,
    /// Rows that were dropped, of traces that others stand for.
    pub dropped: u64,
}

impl std::ops::AddAssign for Completed {
    fn add_assign(&mut self, more: Self) {
        self.windows += more.windows;
        self.rows += more.rows;
        self.changed += more.changed;
        self.left_out += more.left_out;
        self.files += more.files;
        self.dropped += more.dropped;
    }
}

/// Clocks of writers may differ by so much: what was committed just before is taken as not seen.
const SKEW: TimeDelta = TimeDelta::minutes(1);

/// Completes every hour that is whole, the earliest first. What was done counts even if an hour fails.
pub(crate) async fn complete(
    tables: &mut Tables<'_>,
    how: &Completing,
    all: bool,
    done: &mut Completed,
) -> Result<(), Error> {
    let scope = Scope { writer: tables.writer, all, hourly: true, thins: how.thinning.is_some() };
    for hour in whole(tables, how, scope) {
        let mut window = Window::new(tables, how, scope, Some(hour));
        let completed = window.complete().await;
        *done += window.done;
        completed?;
    }
    match &how.thinning {
        Some(rules) => thin::thin(tables, how, rules, scope, done).await,
        None => Ok(()),
    }
}

/// The hour that is late by as much as rows may be.
fn current(tables: &Tables<'_>, how: &Completing) -> i64 {
    let late = TimeDelta::from_std(how.lateness).unwrap_or(TimeDelta::MAX);
    tables.now.checked_sub_signed(late).map_or(i64::MIN, |now| now.timestamp().div_euclid(3600))
}

/// The hours for which files wait and which are whole, as are the hours after them.
fn whole(tables: &Tables<'_>, how: &Completing, scope: Scope) -> BTreeSet<i64> {
    let current = current(tables, how);
    let files = tables.snapshots.values().flat_map(|s| s.files());
    let waiting = files.filter(|a| scope.has(a) && scope.completed(a).is_none());
    waiting.filter_map(hours::awaited).filter(|hour| hour + 2 <= current).collect()
}
