//! Completes stored rows from facts alone: whose trace, session and device it was, and which rows repeat others.
//!
//! Ingest takes hints from one gather and from what one worker remembers; what came in another request, at another
//! worker or before a restart it cannot see. Once an hour of events is whole, the lake shows all of its rows and those
//! of the hours beside it to this module, which works the same hints out again by the same rules. The result depends on
//! the rows alone: not on how they were split into requests, in which order they came or when they were written.
//!
//! After the seal there are only pseudonyms, so that a hint is a copied pseudonym. Rows of two tenants never meet.
//! Texts are compared as they are stored. Audit rows give facts and take no hints.

mod repeats;
mod tail;
mod users;

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringBuilder};
use component::{Completion, Facts, Hints, Text};
use schemas::Table;

use crate::columns::Columns;
use crate::echo::{Call, Fault, Record};
use repeats::Repeats;
pub use tail::Tail;
use users::Users;

/// Which hints are worked out again; a chain that does not make them does not get them here either.
#[derive(Debug, Clone, Copy)]
pub struct Complete {
    /// User and session, as `enrich` fills them.
    pub users: bool,
    /// Echoes of calls and errors, as `cost` marks them.
    pub echoes: bool,
}

impl Default for Complete {
    fn default() -> Self {
        Self { users: true, echoes: true }
    }
}

impl Completion for Complete {
    fn hints(&self, table: &Table) -> Vec<&'static str> {
        let users = if self.users && !table.audit { &users::HINTS[..] } else { &[] };
        let echoes = if self.echoes && repeats(table).is_some() { &[repeats::HINT][..] } else { &[] };
        users.iter().chain(echoes).copied().filter(|name| table.column(name).is_some()).collect()
    }

    fn reads(&self, table: &Table) -> Vec<&'static str> {
        let users = if self.users { users::READS } else { &[] };
        let echoes = repeats(table).filter(|_| self.echoes).unwrap_or_default();
        let both = IDENTITY.iter().chain(users).chain(echoes).copied().chain(self.hints(table));
        let mut names: Vec<&str> = both.filter(|name| table.column(name).is_some_and(|c| !c.transient)).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    fn collect(&self, bound: usize) -> Box<dyn Facts> {
        let users = self.users.then(Users::default);
        let echoes = self.echoes.then(|| (Repeats::default(), Repeats::default()));
        Box::new(Collected { users, echoes, room: Room { left: bound, left_out: 0 } })
    }
}

/// Columns that say which record a row is.
const IDENTITY: &[&str] = &["tenant", "time", "trace_id", "span_id", "record_uid", "event_index", "kind"];

/// Columns that echoes are found by, in the tables that have any.
fn repeats(table: &Table) -> Option<&'static [&'static str]> {
    match table.name.as_str() {
        "provider_calls" => Some(Call::READS),
        "errors" => Some(Fault::READS),
        _ => None,
    }
}

/// How much more may be held.
struct Room {
    left: usize,
    left_out: u64,
}

impl Room {
    /// Takes so many bytes, or counts what they were for as left out.
    fn take(&mut self, bytes: usize) -> bool {
        let fits = self.left >= bytes;
        if fits {
            self.left -= bytes;
        } else {
            self.left_out += 1;
        }
        fits
    }
}

struct Collected {
    users: Option<Users>,
    echoes: Option<(Repeats<Call>, Repeats<Fault>)>,
    room: Room,
}

impl Facts for Collected {
    fn add(&mut self, table: &Table, rows: &RecordBatch, hours: &[i64]) {
        if let Some(users) = &mut self.users {
            users.add(table, rows, hours, &mut self.room);
        }
        let Some((calls, errors)) = &mut self.echoes else { return };
        match table.name.as_str() {
            "provider_calls" => calls.add(rows, hours, &mut self.room),
            "errors" => errors.add(rows, hours, &mut self.room),
            _ => {}
        }
    }

    fn settle(&mut self) {
        if let Some(users) = &mut self.users {
            users.settle();
        }
        if let Some((calls, errors)) = &mut self.echoes {
            calls.settle();
            errors.settle();
        }
    }

    fn complete(&self, table: &Table, rows: &RecordBatch, hours: &[Option<i64>]) -> Hints {
        let mut hints = Hints::default();
        if let Some(users) = self.users.as_ref().filter(|_| !table.audit) {
            users.complete(table, rows, hours, &mut hints);
        }
        if let Some((calls, errors)) = &self.echoes {
            match table.name.as_str() {
                "provider_calls" => calls.complete(rows, hours, &mut hints),
                "errors" => errors.complete(rows, hours, &mut hints),
                _ => {}
            }
        }
        hints
    }

    fn left_out(&self) -> u64 {
        self.room.left_out
    }
}

/// A column whose values may change; only what differs is kept.
struct Changes<'a> {
    name: &'static str,
    known: Option<Text<'a>>,
    rows: usize,
    new: Vec<(usize, Option<Arc<str>>)>,
}

impl<'a> Changes<'a> {
    fn of(rows: &'a RecordBatch, name: &'static str) -> Self {
        Self { name, known: rows.words(name), rows: rows.num_rows(), new: Vec::new() }
    }

    fn known(&self, row: usize) -> Option<&'a str> {
        self.known.and_then(|known| known.get(row))
    }

    /// Says what a row should have. Rows come in order.
    fn set(&mut self, row: usize, value: Option<&str>) {
        if self.known(row) != value {
            self.new.push((row, value.map(Arc::from)));
        }
    }

    /// Adds the column to the hints, if any value differs.
    fn store(self, hints: &mut Hints) {
        if self.new.is_empty() {
            return;
        }
        hints.changed += self.new.len() as u64;
        let mut out = StringBuilder::with_capacity(self.rows, self.rows * 16);
        let mut new = self.new.iter().peekable();
        for row in 0..self.rows {
            match new.next_if(|(changed, _)| *changed == row) {
                Some((_, value)) => out.append_option(value.as_deref()),
                None => out.append_option(self.known(row)),
            }
        }
        let column: ArrayRef = Arc::new(out.finish());
        hints.columns.push((self.name, column));
    }
}

#[cfg(test)]
mod tests;
