//! Records that were sent again because their OK was lost: marked as echoes of themselves, so that sums count them once.
//!
//! What was written lately is known by a fingerprint; what was written before that, or before the last start, the merge
//! finds. Only the journal can mark them: it alone knows that the first copy was really written.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, StringArray};
use component::{Rows, Text};

use crate::Error;

/// The column that says which row counts instead.
const ECHO_OF: &str = "echo_of";
/// Fingerprints that are kept: 8 MiB of memory once all are used, some 20 s of 50,000 rows a second.
const SLOTS: usize = 1 << 20;

/// Makes fingerprints. Its key is random, so that no sender can make two records look like one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fingerprints(RandomState);

/// The latest fingerprints: each stands in the slot that its low bits name, until another takes it.
#[derive(Debug)]
pub(crate) struct Recent(Vec<u64>);

impl Default for Recent {
    fn default() -> Self {
        Self(vec![0; SLOTS])
    }
}

impl Fingerprints {
    /// The fingerprint of each row's identity; 0 for a row that has none, or that is an echo already.
    pub(crate) fn of(&self, rows: &Rows) -> Vec<u64> {
        let identity = Identity::new(rows);
        let table = &rows.table().name;
        (0..rows.len()).map(|row| self.one(table, &identity, row).unwrap_or_default()).collect()
    }

    fn one(&self, table: &str, identity: &Identity, row: usize) -> Option<u64> {
        let mut hasher = self.0.build_hasher();
        table.hash(&mut hasher);
        identity.hash(row, &mut hasher)?;
        Some(hasher.finish().max(1))
    }
}

impl Recent {
    /// Rows that were written before.
    pub(crate) fn known(&self, prints: &[u64]) -> Vec<usize> {
        let is_known = |print: &u64| *print != 0 && self.0[slot(*print)] == *print;
        prints.iter().enumerate().filter(|(_, print)| is_known(print)).map(|(row, _)| row).collect()
    }

    /// Remembers rows that were written.
    pub(crate) fn keep(&mut self, prints: &[u64]) {
        for print in prints.iter().filter(|print| **print != 0) {
            self.0[slot(*print)] = *print;
        }
    }
}

pub(crate) fn slot(print: u64) -> usize {
    print as usize % SLOTS
}

/// Marks some rows as echoes of themselves.
pub(crate) fn mark(rows: &mut Rows, which: &[usize]) -> Result<(), Error> {
    let table = rows.table().name.clone();
    let identity = Identity::new(rows);
    let echoes = rows.text(ECHO_OF);
    let mut marks: Vec<Option<String>> =
        (0..rows.len()).map(|row| echoes.and_then(|text| text.get(row)).map(str::to_owned)).collect();
    for row in which {
        marks[*row] = identity.record_id(*row);
    }
    let marks: ArrayRef = Arc::new(StringArray::from(marks));
    rows.set(ECHO_OF, marks).map_err(|e| Error::Frame {
        doing: "marking rows that were sent again in",
        table,
        why: e.to_string(),
    })
}

/// The columns that make up `record_id`.
struct Identity<'a> {
    tenant: Option<Text<'a>>,
    uid: Option<Text<'a>>,
    trace: Option<Text<'a>>,
    span: Option<Text<'a>>,
    event: Option<&'a Int64Array>,
    echo: Option<Text<'a>>,
}

impl<'a> Identity<'a> {
    fn new(rows: &'a Rows) -> Self {
        Self {
            tenant: rows.text("tenant"),
            uid: rows.text("record_uid"),
            trace: rows.text("trace_id"),
            span: rows.text("span_id"),
            event: rows.int("event_index"),
            echo: rows.text(ECHO_OF),
        }
    }

    fn event(&self, row: usize) -> Option<i64> {
        self.event.filter(|event| event.is_valid(row)).map(|event| event.value(row))
    }

    fn hash(&self, row: usize, hasher: &mut impl Hasher) -> Option<()> {
        let text = |column: Option<Text<'a>>| column.and_then(|text| text.get(row));
        if text(self.echo).is_some() {
            return None;
        }
        text(self.tenant).hash(hasher);
        match text(self.uid) {
            Some(uid) => uid.hash(hasher),
            None => (text(self.trace)?, text(self.span)?).hash(hasher),
        }
        self.event(row).hash(hasher);
        Some(())
    }

    /// As SQL computes it.
    fn record_id(&self, row: usize) -> Option<String> {
        let text = |column: Option<Text<'a>>| column.and_then(|text| text.get(row));
        if let Some(uid) = text(self.uid) {
            return Some(uid.to_owned());
        }
        let span = format!("{}:{}", text(self.trace)?, text(self.span)?);
        Some(self.event(row).map_or(span.clone(), |event| format!("{span}:{event}")))
    }
}
