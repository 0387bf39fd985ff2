//! How stored rows are completed: the lake reads and rewrites, and knows none of the rules.
//!
//! What a row says itself is a fact. What other rows tell of it is a hint, which ingest could only take from what had
//! come so far; once an hour of events is whole, the lake has all hints of its rows worked out again from facts alone.

use std::fmt;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch};
use schemas::Table;

/// The rules, for every table.
pub trait Completion: fmt::Debug + Send + Sync {
    /// Columns of a table that are worked out again; none where rows take no hints.
    fn hints(&self, table: &Table) -> Vec<&'static str>;

    /// Stored columns of a table that facts are read from, its hints among them.
    fn reads(&self, table: &Table) -> Vec<&'static str>;

    /// A collection without facts, which will hold about `bound` bytes at most.
    fn collect(&self, bound: usize) -> Box<dyn Facts>;
}

/// The facts of some hours. The order in which rows are added never changes a result, nor does adding one twice.
pub trait Facts: Send + Sync {
    /// Takes what rows say themselves. `hours` names the hour, counted since 1970, to which each row belongs.
    fn add(&mut self, table: &Table, rows: &RecordBatch, hours: &[i64]);

    /// Says that all rows have been added.
    fn settle(&mut self);

    /// Works hints out again for the rows that have an hour, from the facts of that hour and of the two beside it.
    fn complete(&self, table: &Table, rows: &RecordBatch, hours: &[Option<i64>]) -> Hints;

    /// Facts that found no room. Hints that might have come from them stay as they are.
    fn left_out(&self) -> u64;
}

/// Hints of some rows.
#[derive(Debug, Default)]
pub struct Hints {
    /// Columns that differ from what the rows had, in full, as they are stored.
    pub columns: Vec<(&'static str, ArrayRef)>,
    /// How many values differ.
    pub changed: u64,
    /// Rows that stay; without it all of them do.
    pub keep: Option<BooleanArray>,
}
