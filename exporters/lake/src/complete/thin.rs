//! Hours that rest: traces that nobody will ask for make room, and those that stay say for how many they stand.
//!
//! Rows are dropped only once no hint can come from them any more: when every row of the hour and of the next that came
//! in time is completed. A file is thinned by itself, its weights and its rows in one commit, and says so in a tag; what
//! the rules keep tells of its trace as long as it is there, so that it does not matter which file is first.

use std::collections::BTreeMap;
use std::sync::Arc;

use component::Completion;
use schemas::Table;

use super::window::Window;
use super::{Completed, Completing};
use crate::delta::{Add, Commit, Marks};
use crate::flush::Tables;
use crate::merge::Scope;
use crate::{Error, hours};

/// An hour is thinned so many hours after it began: rows of it that came in time may be in a file that waits for the hour
/// two later, and those of the next hour in one that waits for a third, which is completed after two more.
const REST: i64 = 5;

/// Files by table.
type Files = Vec<(Arc<Table>, Vec<Add>)>;

/// Thins every hour that rests, the earliest first.
pub(super) async fn thin(
    tables: &mut Tables<'_>,
    how: &Completing,
    rules: &Arc<dyn Completion>,
    scope: Scope<'_>,
    done: &mut Completed,
) -> Result<(), Error> {
    let how = Completing { rules: Arc::clone(rules), ..how.clone() };
    for files in resting(tables, super::current(tables, &how), scope).into_values() {
        let mut window = Window::new(tables, &how, scope, None);
        let thinned = window.thin(files).await;
        // Hints are not what was worked out here.
        let Completed { dropped, left_out, .. } = window.done;
        *done += Completed { dropped, left_out, ..Completed::default() };
        thinned?;
    }
    Ok(())
}

/// Completed files that were never thinned, by the last hour of their rows.
fn resting(tables: &Tables<'_>, current: i64, scope: Scope) -> BTreeMap<i64, Files> {
    let mut resting: BTreeMap<i64, Files> = BTreeMap::new();
    for table in tables.catalog.tables() {
        let files = tables.snapshots.get(&table.name).into_iter().flat_map(|snapshot| snapshot.files());
        for add in files.filter(|a| scope.has(a) && scope.completed(a).is_some() && a.thinned().is_none()) {
            let Some(hour) = hours::of_file(add).map(|hours| *hours.end()) else { continue };
            if hour + REST > current {
                continue;
            }
            let of_hour = resting.entry(hour).or_default();
            match of_hour.last_mut().filter(|(last, _)| Arc::ptr_eq(last, table)) {
                Some((_, files)) => files.push(add.clone()),
                None => of_hour.push((Arc::clone(table), vec![add.clone()])),
            }
        }
    }
    resting
}

impl Window<'_, '_> {
    /// Thins files, from the facts of their hours and of those beside them.
    async fn thin(&mut self, files: Files) -> Result<(), Error> {
        self.hours = files.iter().flat_map(|(_, files)| files).filter_map(hours::of_file).flatten().collect();
        self.look_around().await?;
        self.facts.settle();
        self.done.left_out += self.facts.left_out();
        for (table, files) in files {
            let mut commit = Commit::default();
            for add in files {
                let marks = Marks {
                    newest: Some(add.newest()),
                    completed: add.completed(),
                    thinned: Some(self.tables.now.timestamp_millis()),
                };
                if self.how.rules.hints(&table).is_empty() || !self.differs(&table, &add).await? {
                    commit.keeps.push(add.path.clone());
                    commit.adds.push(self.tagged(&add, add.level(), marks));
                    continue;
                }
                let (adds, changed) = self.merge(&table, std::slice::from_ref(&add), add.level(), marks).await?;
                commit.removes.extend(self.removed(std::slice::from_ref(&add), changed));
                commit.adds.extend(adds);
            }
            // Whoever was first has replaced a file: the next round looks again.
            self.commit(&table, commit).await?;
        }
        Ok(())
    }
}
