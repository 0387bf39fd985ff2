//! Whole traces that somebody will ask for, and a share of the others: decided when their hour rests.
//!
//! A trace stays whole if any of its records within an hour of a row failed, took long, cost much, or is a sign-in or an
//! audited act. Of the other traces those stay whose randomness reaches the threshold, and their rows then stand for
//! more. Rows of tables that sampling never touches stay, and so do rows without a trace: nothing tells of them but
//! themselves. To thin twice changes nothing, as the stricter threshold holds; whatever makes a trace stay stays itself,
//! so that it tells of the trace in every hour that is thinned later. A trace that lasts longer than from one hour into
//! the next may lose the rows that are further from its reason; their weights say so.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch};
use arrow::datatypes::{Decimal128Type, Float64Type};
use component::{Completion, Facts, Hints, Text};
use schemas::Table;

use super::users::{Fingerprints, tenant};
use super::{Changes, Room};
use crate::columns::Columns as _;
use crate::kept::{Errors, is_kept};
use crate::sample::{self, Threshold};

/// What changes in rows that stay.
const HINTS: [&str; 2] = ["sample_weight", "trace_state"];
/// Columns that decide.
const READS: [&str; 5] = ["tenant", "trace_id", "kind", "duration_ns", "cost_usd"];
/// Tables whose rows stay, besides those that no rule may touch.
const STAY: [&str; 2] = ["rate_limits", "key_events"];
/// A fingerprint and what a growing set wastes.
const ENTRY: usize = 40;

/// Which traces stay.
#[derive(Debug, Clone, Copy)]
pub struct Tail {
    threshold: Threshold,
    slow: Option<i64>,
    cost: Option<i128>,
}

impl Tail {
    /// Of the traces in which nothing failed, no record took `slow` nanoseconds and none cost `cost` US dollars, this
    /// share stays.
    pub fn new(rate: f64, slow: Option<i64>, cost: Option<f64>) -> Self {
        // As the column holds it: 18 digits behind the point.
        let cost = cost.map(|usd| (usd * 1e18) as i128);
        Self { threshold: Threshold::of_rate(rate), slow: slow.filter(|bound| *bound > 0), cost }
    }
}

impl Completion for Tail {
    fn hints(&self, table: &Table) -> Vec<&'static str> {
        let stays = is_kept(table) || STAY.contains(&table.name.as_str());
        HINTS.into_iter().filter(|name| !stays && table.column(name).is_some()).collect()
    }

    fn reads(&self, table: &Table) -> Vec<&'static str> {
        let all = READS.iter().chain(Errors::READS).chain(&HINTS).copied();
        all.filter(|name| table.column(name).is_some_and(|c| !c.transient)).collect()
    }

    fn collect(&self, bound: usize) -> Box<dyn Facts> {
        let room = Room { left: bound, left_out: 0 };
        Box::new(Asked { tail: *self, hours: BTreeMap::new(), names: Fingerprints::default(), room })
    }
}

/// Traces that stay whole, by the hour of the record that says so.
struct Asked {
    tail: Tail,
    hours: BTreeMap<i64, HashSet<u128>>,
    names: Fingerprints,
    room: Room,
}

impl Facts for Asked {
    fn add(&mut self, table: &Table, rows: &RecordBatch, hours: &[i64]) {
        let (tenants, traces) = (rows.words("tenant"), rows.words("trace_id"));
        let reasons = Reasons::of(table, rows);
        for (row, hour) in hours.iter().enumerate().filter(|(row, _)| reasons.has(*row, &self.tail)) {
            let Some(trace) = traces.and_then(|traces| traces.get(row)) else { continue };
            let name = self.names.of(tenant(tenants, row), trace);
            let known = self.hours.get(hour).is_some_and(|traces| traces.contains(&name));
            if !known && self.room.take(ENTRY) {
                self.hours.entry(*hour).or_default().insert(name);
            }
        }
    }

    fn settle(&mut self) {}

    fn complete(&self, table: &Table, rows: &RecordBatch, hours: &[Option<i64>]) -> Hints {
        let mut hints = Hints::default();
        // A reason that found no room might be any trace's: then everything stays.
        if self.room.left_out > 0 || self.tail.hints(table).is_empty() {
            return hints;
        }
        let (tenants, traces) = (rows.words("tenant"), rows.words("trace_id"));
        let mut keep = vec![true; rows.num_rows()];
        let mut marks = Marks::of(rows, self.tail.threshold);
        for (row, hour) in hours.iter().enumerate() {
            let (Some(hour), Some(trace)) = (hour, traces.and_then(|traces| traces.get(row))) else { continue };
            let name = self.names.of(tenant(tenants, row), trace);
            let asked = |hour: i64| self.hours.get(&hour).is_some_and(|traces| traces.contains(&name));
            if (hour - 1..=hour + 1).any(asked) {
                continue;
            }
            match marks.stays(row, trace) {
                true => marks.set(row),
                false => keep[row] = false,
            }
        }
        marks.store(&mut hints);
        hints.keep = keep.contains(&false).then(|| BooleanArray::from(keep));
        hints
    }

    fn left_out(&self) -> u64 {
        self.room.left_out
    }
}

/// Why a trace stays: what its records say.
struct Reasons<'a> {
    all: bool,
    errors: Errors<'a>,
    duration: Option<&'a Int64Array>,
    cost: Option<&'a arrow::array::Decimal128Array>,
}

impl<'a> Reasons<'a> {
    fn of(table: &Table, rows: &'a RecordBatch) -> Self {
        Self {
            all: is_kept(table),
            errors: Errors::of(rows),
            duration: rows.numbers("duration_ns"),
            cost: rows.values("cost_usd").and_then(|cost| cost.as_primitive_opt::<Decimal128Type>()),
        }
    }

    fn has(&self, row: usize, tail: &Tail) -> bool {
        let took = || self.duration.filter(|took| took.is_valid(row)).map(|took| took.value(row));
        let cost = || self.cost.filter(|cost| cost.is_valid(row)).map(|cost| cost.value(row));
        self.all
            || self.errors.says(row)
            || tail.slow.is_some_and(|bound| took().is_some_and(|took| took >= bound))
            || tail.cost.is_some_and(|bound| cost().is_some_and(|cost| cost >= bound))
    }
}

/// Weights and trace states of rows that stay for others.
struct Marks<'a> {
    threshold: Threshold,
    rows: usize,
    kinds: Option<Text<'a>>,
    known: Option<&'a Float64Array>,
    states: Changes<'a>,
    heavier: Vec<usize>,
}

impl<'a> Marks<'a> {
    fn of(rows: &'a RecordBatch, threshold: Threshold) -> Self {
        let known = rows.values("sample_weight").and_then(|w| w.as_primitive_opt::<Float64Type>());
        let states = Changes::of(rows, "trace_state");
        Self { threshold, rows: rows.num_rows(), kinds: rows.words("kind"), known, states, heavier: Vec::new() }
    }

    fn stays(&self, row: usize, trace: &str) -> bool {
        let randomness = sample::randomness(self.states.known(row), Some(trace));
        randomness.is_none_or(|randomness| self.threshold.keeps(randomness))
    }

    /// The stricter threshold holds, whoever set it.
    fn set(&mut self, row: usize) {
        if self.weight(row).unwrap_or(1.0) >= self.threshold.weight() {
            return;
        }
        self.heavier.push(row);
        if self.kinds.and_then(|kinds| kinds.get(row)) != Some("log") {
            let state = sample::stricter(self.states.known(row).unwrap_or_default(), self.threshold);
            self.states.set(row, Some(&state));
        }
    }

    fn weight(&self, row: usize) -> Option<f64> {
        self.known.filter(|known| known.is_valid(row)).map(|known| known.value(row))
    }

    fn store(self, hints: &mut Hints) {
        if !self.heavier.is_empty() {
            let mut weights: Vec<Option<f64>> = (0..self.rows).map(|row| self.weight(row)).collect();
            self.heavier.iter().for_each(|row| weights[*row] = Some(self.threshold.weight()));
            let column: ArrayRef = Arc::new(Float64Array::from(weights));
            hints.columns.push(("sample_weight", column));
            hints.changed += self.heavier.len() as u64;
        }
        self.states.store(hints);
    }
}
