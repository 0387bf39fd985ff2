//! Rows that repeat another one: the records of each hour, and what counts for each.

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;

use arrow::array::RecordBatch;
use component::Hints;

use super::{Changes, Room};
use crate::columns::Columns as _;
use crate::echo::{Id, Recent, Record};

/// The column that is worked out again.
pub(super) const HINT: &str = "echo_of";

/// The records of one table by the hour of their events.
pub(super) struct Repeats<R> {
    hours: BTreeMap<i64, Hour<R>>,
    hasher: RandomState,
    /// Some record found no room; then nothing is decided.
    full: bool,
}

impl<R> Default for Repeats<R> {
    fn default() -> Self {
        Self { hours: BTreeMap::new(), hasher: RandomState::new(), full: false }
    }
}

/// Records in their order, and what counts for each.
struct Hour<R> {
    records: Vec<R>,
    targets: Vec<Option<Id>>,
}

impl<R: Record> Repeats<R> {
    pub(super) fn add(&mut self, rows: &RecordBatch, hours: &[i64], room: &mut Room) {
        // Twice, as they are looked at together with the hours beside them.
        let bytes = size_of::<R>() * 2 + size_of::<Option<Id>>();
        for (record, hour) in R::read(rows, &self.hasher).into_iter().zip(hours) {
            if self.full || !room.take(bytes) {
                self.full = true;
                continue;
            }
            let hour = self.hours.entry(*hour).or_insert_with(|| Hour { records: Vec::new(), targets: Vec::new() });
            hour.records.push(record);
        }
    }

    pub(super) fn settle(&mut self) {
        for hour in self.hours.values_mut() {
            hour.records.sort_unstable();
            hour.records.dedup();
        }
        if self.full {
            return;
        }
        let hours: Vec<i64> = self.hours.keys().copied().collect();
        for hour in hours {
            let targets = self.targets(hour);
            if let Some(hour) = self.hours.get_mut(&hour) {
                hour.targets = targets;
            }
        }
    }

    /// What counts for the records of an hour, by them and those of the hours beside it.
    fn targets(&self, hour: i64) -> Vec<Option<Id>> {
        let records = |hour: i64| self.hours.get(&hour).map(|h| h.records.as_slice()).unwrap_or_default();
        let mut near: Vec<(R, bool)> = Vec::new();
        for other in [hour - 1, hour, hour + 1] {
            near.extend(records(other).iter().map(|record| (record.clone(), other == hour)));
        }
        near.sort_unstable();
        let (near, own): (Vec<R>, Vec<bool>) = near.into_iter().unzip();
        let links = R::links(&near, &Recent::default());
        let rows = own.iter().enumerate().filter(|(_, own)| **own);
        rows.map(|(row, _)| links.target(row).cloned()).collect()
    }

    pub(super) fn complete(&self, rows: &RecordBatch, hours: &[Option<i64>], out: &mut Hints) {
        if self.full {
            return;
        }
        let mut echoes = Changes::of(rows, HINT);
        let uids = rows.words("record_uid");
        for (row, (record, hour)) in R::read(rows, &self.hasher).into_iter().zip(hours).enumerate() {
            let Some(hour) = hour.and_then(|hour| self.hours.get(&hour)) else { continue };
            let Ok(place) = hour.records.binary_search(&record) else { continue };
            let target = hour.targets[place].as_ref().map(Id::to_string);
            // A row that was sent twice is an echo of itself: that is not decided here.
            let itself = |id: &str| {
                let uid = uids.and_then(|uids| uids.get(row));
                uid == Some(id) || record.own().is_some_and(|own| own.to_string() == id)
            };
            let kept = echoes.known(row).filter(|id| itself(id));
            echoes.set(row, target.as_deref().or(kept));
        }
        echoes.store(out);
    }
}
