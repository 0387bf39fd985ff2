//! New hints in the rows of one table.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeSet, HashSet};
use std::hash::BuildHasher;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::error::ArrowError;
use component::Facts;
use schemas::Table;

use crate::echo::{ECHO_OF, identity, tenant};
use crate::hours;

/// Columns that say which record a row is.
pub(super) const IDENTITY: [&str; 6] = ["tenant", "time", "trace_id", "span_id", "event_index", "record_uid"];

/// Identities of records as fingerprints, by tenant.
#[derive(Default)]
pub(super) struct Identities(RandomState, RandomState);

impl Identities {
    pub(super) fn of(&self, rows: &RecordBatch, row: usize) -> Option<u128> {
        let key = (tenant(rows, row), identity(rows, row)?);
        Some(u128::from(self.0.hash_one(&key)) << 64 | u128::from(self.1.hash_one(&key)))
    }
}

/// What the rows of a table are completed by.
pub(super) struct Editor<'a> {
    pub(super) facts: &'a dyn Facts,
    pub(super) table: &'a Table,
    pub(super) day: i64,
    /// Hours whose rows are completed; the others stay as they are.
    pub(super) hours: &'a BTreeSet<i64>,
    pub(super) identities: &'a Identities,
    /// Rows that are there already, in files that were completed before.
    pub(super) again: Option<&'a HashSet<u128>>,
    /// Rows whose hints were worked out.
    pub(super) rows: u64,
    /// Values that differ.
    pub(super) changed: u64,
    /// Rows that do not stay.
    pub(super) dropped: u64,
}

impl Editor<'_> {
    /// The rows with new hints and, unless all of them stay, which ones do.
    pub(super) fn apply(&mut self, batch: RecordBatch) -> Result<(RecordBatch, Option<BooleanArray>), ArrowError> {
        let hours: Vec<Option<i64>> = hours::of_rows(&batch, self.day)
            .into_iter()
            .map(|hour| Some(hour).filter(|h| self.hours.contains(h)))
            .collect();
        self.rows += hours.iter().flatten().count() as u64;
        let hints = self.facts.complete(self.table, &batch, &hours);
        self.changed += hints.changed;
        self.dropped += hints.keep.as_ref().map_or(0, BooleanArray::false_count) as u64;
        let mut columns = batch.columns().to_vec();
        for (name, values) in hints.columns {
            // A projection may lack a column that is NULL throughout; it only asks whether something differs.
            if let Ok(place) = batch.schema().index_of(name) {
                columns[place] = values;
            }
        }
        if let (Some(again), Ok(place)) = (self.again, batch.schema().index_of(ECHO_OF))
            && let Some(marked) = self.sent_again(&batch, &columns[place], again)
        {
            columns[place] = marked;
        }
        Ok((RecordBatch::try_new(batch.schema(), columns)?, hints.keep))
    }

    /// Marks rows that count in an earlier file already.
    fn sent_again(&mut self, batch: &RecordBatch, echoes: &ArrayRef, again: &HashSet<u128>) -> Option<ArrayRef> {
        let echoes = echoes.as_string_opt::<i32>()?;
        let mut out: Option<Vec<Option<String>>> = None;
        for row in (0..batch.num_rows()).filter(|row| echoes.is_null(*row)) {
            if self.identities.of(batch, row).is_some_and(|id| again.contains(&id)) {
                let values = out.get_or_insert_with(|| echoes.iter().map(|v| v.map(str::to_owned)).collect());
                values[row] = identity(batch, row);
                self.changed += 1;
            }
        }
        Some(Arc::new(StringArray::from(out?)))
    }
}
