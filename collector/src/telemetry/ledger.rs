//! The books: what went into each stage and what came out, so that every record that was received is accounted for.
//!
//! Counted at the seams, by the engine, once per gather: `received = stored + refused + failed + dropped`. A gather
//! that is tried again is booked once, when its senders are answered.

use std::sync::Arc;

use component::{Rows, count};
use otlp::Signal;
use schemas::{Catalog, Class, Table};

/// Records by signal: spans, log records.
pub(crate) type Records = [u64; 2];

/// A column whose values are words of ours, and under which name they are counted.
pub(crate) struct Words {
    pub(crate) column: &'static str,
    pub(crate) metric: &'static str,
    pub(crate) label: &'static str,
    pub(crate) about: &'static str,
}

/// Nothing here knows what these mean; a build without the column counts nothing.
pub(crate) const WORDS: [Words; 2] = [
    Words {
        column: "cost_status",
        metric: "marquetry_calls_total",
        label: "cost_status",
        about: "Stored calls by why they have a price or none.",
    },
    Words {
        column: "user_source",
        metric: "marquetry_users_found_total",
        label: "source",
        about: "Stored rows by how their user was found: attribute is a fact, the others are hints.",
    },
];

/// Records of a table and gather whose lateness is looked at.
const SAMPLE: usize = 32;

/// Where a table has the columns that the books look at: found once, since a table has a hundred.
struct Columns {
    table: Arc<Table>,
    /// True on a record's home row, exactly once per record.
    primary: Option<usize>,
    time: Option<usize>,
    received: Option<usize>,
    clamped: Option<usize>,
    echo: Option<usize>,
    words: [Option<usize>; WORDS.len()],
}

/// The tables as the books see them.
pub(crate) struct Seams(Vec<Columns>);

/// Which signal each request of a gather carries.
pub(crate) struct Signals {
    each: Vec<usize>,
    one: Option<usize>,
}

/// What a gather holds between two stages.
#[derive(Debug, Default)]
struct Level {
    tables: Vec<Held>,
    records: Records,
}

#[derive(Debug)]
struct Held {
    table: Arc<Table>,
    rows: u64,
    records: Records,
}

/// What one gather did on its way.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// As decoded, then one more for every stage that changed something.
    levels: Vec<Level>,
    /// The level that a stage was given, and the one that it left.
    stages: Vec<(&'static str, usize, usize)>,
    /// Records that the decoder took.
    pub(crate) accepted: Records,
    words: Vec<(usize, String, u64)>,
    echoes: Vec<(Arc<Table>, u64)>,
    clamped: u64,
    /// Microseconds from event to receipt, of a sample.
    pub(crate) lateness: Vec<i64>,
    /// What components counted by rule.
    pub(crate) counted: Vec<(&'static str, String, u64)>,
}

/// Everything booked since the start. Lists, since they are short and looked through once per gather.
#[derive(Debug, Default, Clone)]
pub(crate) struct Totals {
    pub(crate) stages: Vec<StageTotals>,
    pub(crate) stored: Records,
    /// Accepted records that were neither stored nor dropped by a stage: none, or something here is wrong.
    pub(crate) unaccounted: u64,
    pub(crate) words: Vec<(usize, String, u64)>,
    pub(crate) echoes: Vec<(Arc<Table>, u64)>,
    pub(crate) clamped: u64,
}

/// One stage's.
#[derive(Debug, Clone)]
pub(crate) struct StageTotals {
    pub(crate) name: &'static str,
    pub(crate) came: Records,
    pub(crate) went: Records,
    /// By table: rows in, rows out.
    pub(crate) rows: Vec<(Arc<Table>, u64, u64)>,
}

/// Where a signal stands in [`Records`]; metrics make no rows.
pub(crate) fn place(signal: Signal) -> Option<usize> {
    match signal {
        Signal::Traces => Some(0),
        Signal::Logs => Some(1),
        Signal::Metrics => None,
    }
}

impl Seams {
    /// Of these tables.
    pub(crate) fn of(catalog: &Catalog) -> Self {
        let columns = |table: &Arc<Table>| Columns {
            table: Arc::clone(table),
            primary: table.index("is_primary"),
            time: table.index("time"),
            received: table.index("received_time"),
            clamped: table.index("time_suspect"),
            echo: table.index("echo_of"),
            words: WORDS.each_ref().map(|words| ours(table, words.column)),
        };
        Self(catalog.tables().iter().map(columns).collect())
    }

    fn columns(&self, table: &Arc<Table>) -> Option<&Columns> {
        self.0.iter().find(|columns| Arc::ptr_eq(&columns.table, table))
    }

    fn records(&self, rows: &Rows, signals: &Signals) -> Records {
        let primary = self.columns(rows.table()).and_then(|columns| rows.at(columns.primary?));
        let Some(primary) = primary else { return Records::default() };
        match signals.one {
            Some(signal) => {
                let mut records = Records::default();
                records[signal] = count::trues(primary);
                records
            }
            None => {
                let requests = rows.requests();
                count::trues_by(primary, |row| signals.each.get(requests[row] as usize).copied().unwrap_or(0))
            }
        }
    }
}

/// A column that only a processor writes, with words that say nothing of anybody: never a sender's.
fn ours(table: &Table, column: &str) -> Option<usize> {
    let index = table.index(column)?;
    let column = &table.columns[index];
    (column.by.is_some() && column.from.is_empty() && column.class == Class::Safe).then_some(index)
}

impl Signals {
    /// Of requests, in their order.
    pub(crate) fn of(signals: impl Iterator<Item = Signal>) -> Self {
        let each: Vec<usize> = signals.map(|signal| place(signal).unwrap_or(0)).collect();
        let one = each.first().copied().filter(|first| each.iter().all(|other| other == first));
        Self { each, one }
    }
}

impl Level {
    fn held(&self, table: &Arc<Table>) -> Option<&Held> {
        self.tables.iter().find(|held| Arc::ptr_eq(&held.table, table))
    }

    /// Whether rows are still those that were counted, by their number.
    fn fits<'a>(&self, tables: impl Iterator<Item = &'a Rows>) -> bool {
        let mut held = self.tables.iter();
        for rows in tables {
            let same = |held: &Held| Arc::ptr_eq(&held.table, rows.table()) && held.rows == rows.len() as u64;
            if !held.next().is_some_and(same) {
                return false;
            }
        }
        held.next().is_none()
    }

    /// Counts anew what has another number of rows.
    fn next<'a>(&self, tables: impl Iterator<Item = &'a Rows>, seams: &Seams, signals: &Signals) -> Self {
        let mut next = Self::default();
        for rows in tables {
            let before = self.held(rows.table()).filter(|held| held.rows == rows.len() as u64);
            let records = before.map_or_else(|| seams.records(rows, signals), |held| held.records);
            next.tables.push(Held { table: Arc::clone(rows.table()), rows: rows.len() as u64, records });
            add(&mut next.records, records);
        }
        next
    }
}

impl Tally {
    /// Of a gather as it was decoded.
    pub(crate) fn of<'a>(tables: impl Iterator<Item = &'a Rows> + Clone, seams: &Seams, signals: &Signals) -> Self {
        let mut tally = Self { levels: vec![Level::default().next(tables.clone(), seams, signals)], ..Self::default() };
        for (rows, columns) in tables.filter_map(|rows| Some((rows, seams.columns(rows.table())?))) {
            let at = |index: Option<usize>| rows.at(index?);
            if let (Some(time), Some(received)) = (at(columns.time), at(columns.received)) {
                tally.lateness.append(&mut count::between(time, received, SAMPLE));
            }
            tally.clamped += at(columns.clamped).map_or(0, count::trues);
        }
        tally
    }

    /// Books what a stage left.
    pub(crate) fn stage<'a>(
        &mut self,
        name: &'static str,
        left: impl Iterator<Item = &'a Rows> + Clone,
        seams: &Seams,
        signals: &Signals,
    ) {
        let given = self.levels.len().saturating_sub(1);
        let next = match self.levels.last() {
            Some(level) if !level.fits(left.clone()) => Some(level.next(left, seams, signals)),
            _ => None,
        };
        self.levels.extend(next);
        self.stages.push((name, given, self.levels.len().saturating_sub(1)));
    }

    /// Counts what the stages said of the rows.
    pub(crate) fn words<'a>(&mut self, tables: impl Iterator<Item = &'a Rows>, seams: &Seams) {
        for (rows, columns) in tables.filter_map(|rows| Some((rows, seams.columns(rows.table())?))) {
            for (index, column) in columns.words.iter().enumerate() {
                let counted = column.and_then(|column| rows.at(column)).map(count::words).unwrap_or_default();
                self.words.extend(counted.into_iter().map(|(word, n)| (index, word.to_owned(), n)));
            }
            if let Some(echo) = columns.echo.and_then(|column| rows.at(column)) {
                self.echoes.push((Arc::clone(rows.table()), count::filled(echo)));
            }
        }
    }
}

impl Totals {
    /// Adds a gather.
    pub(crate) fn add(&mut self, tally: Tally) {
        let mut dropped = 0;
        for (name, given, left) in &tally.stages {
            let (Some(given), Some(left)) = (tally.levels.get(*given), tally.levels.get(*left)) else { continue };
            let totals = self.stage(name);
            add(&mut totals.came, given.records);
            add(&mut totals.went, left.records);
            dropped += sum(given.records).saturating_sub(sum(left.records));
            given.tables.iter().for_each(|held| totals.table(&held.table).1 += held.rows);
            left.tables.iter().for_each(|held| totals.table(&held.table).2 += held.rows);
        }
        let stored = tally.levels.last().map_or(Records::default(), |level| level.records);
        add(&mut self.stored, stored);
        self.unaccounted += sum(tally.accepted).abs_diff(sum(stored) + dropped);
        for (index, word, n) in tally.words {
            match self.words.iter_mut().find(|(i, w, _)| *i == index && *w == word) {
                Some((_, _, count)) => *count += n,
                None => self.words.push((index, word, n)),
            }
        }
        for (table, n) in tally.echoes {
            match self.echoes.iter_mut().find(|(t, _)| Arc::ptr_eq(t, &table)) {
                Some((_, count)) => *count += n,
                None => self.echoes.push((table, n)),
            }
        }
        self.clamped += tally.clamped;
    }

    fn stage(&mut self, name: &'static str) -> &mut StageTotals {
        let index = self.stages.iter().position(|stage| stage.name == name).unwrap_or_else(|| {
            let none = Records::default();
            self.stages.push(StageTotals { name, came: none, went: none, rows: Vec::new() });
            self.stages.len() - 1
        });
        &mut self.stages[index]
    }
}

impl StageTotals {
    fn table(&mut self, table: &Arc<Table>) -> &mut (Arc<Table>, u64, u64) {
        let index = self.rows.iter().position(|(known, _, _)| Arc::ptr_eq(known, table)).unwrap_or_else(|| {
            self.rows.push((Arc::clone(table), 0, 0));
            self.rows.len() - 1
        });
        &mut self.rows[index]
    }
}

fn add(to: &mut Records, more: Records) {
    to.iter_mut().zip(more).for_each(|(to, more)| *to += more);
}

fn sum(records: Records) -> u64 {
    records.iter().sum()
}
