//! Rows that repeat another row: marked with `echo_of`, never dropped, and not counted.
//!
//! One call to a provider arrives as its span, as a log event that repeats the span's token counts, as the HTTP span
//! below it, and once more from every further instrumentation; one exception as several span events, a log and the
//! failed spans. What the gather and a bounded memory show is marked here, as a hint; the merge decides from facts, by
//! the same rules.
//!
//! `echo_of` holds the `record_id` of the row that counts: `trace:span`, `trace:span:event`, or a record uid.

mod calls;
mod errors;

pub(crate) use calls::Call;
pub(crate) use errors::Fault;

use std::collections::VecDeque;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use arrow::array::{Array, StringArray, TimestampMicrosecondArray};
use component::{Gather, Rows, RowsError, Text};
use hashbrown::HashMap;

use crate::columns::Columns;

/// Finds echoes, within a gather and of rows that came earlier.
pub(crate) struct Echoes {
    seen: Recent,
    hasher: RandomState,
}

/// A row of a table whose rows may repeat each other, as far as that matters. Its order is what decides where nothing
/// else does, so that the order in which rows came plays no part.
pub(crate) trait Record: Clone + Ord + Send + Sync {
    /// Columns that are read.
    const READS: &'static [&'static str];

    /// The rows in their order.
    fn read(rows: &dyn Columns, hasher: &RandomState) -> Vec<Self>;

    /// Which of some records, sorted, repeat which.
    fn links(records: &[Self], seen: &Recent) -> Links;

    /// Remembers what later rows may repeat.
    fn keep(records: &[Self], links: &Links, seen: &mut Recent);

    /// Its own id.
    fn own(&self) -> Option<&Id>;
}

/// Echoes of echoes that are followed; no record is known that makes more.
const LONGEST_CHAIN: usize = 8;

/// How many rows a rule marked.
type Marked = Vec<(&'static str, u64)>;

impl Echoes {
    /// Remembers the `remember` latest calls and errors.
    pub(crate) fn new(remember: usize) -> Self {
        Self { seen: Recent { limit: remember, ..Recent::default() }, hasher: RandomState::new() }
    }

    /// Marks the echoes of a gather and says how many each rule found.
    pub(crate) fn mark(&mut self, gather: &mut Gather) -> Result<Marked, RowsError> {
        let mut marked = Vec::new();
        for rows in gather.tables_mut() {
            let links = match rows.table().name.as_str() {
                "provider_calls" => self.links::<Call>(rows),
                "errors" => self.links::<Fault>(rows),
                _ => continue,
            };
            links.store(rows, &mut marked)?;
        }
        Ok(marked)
    }

    fn links<R: Record>(&mut self, rows: &Rows) -> Links {
        let mut records: Vec<(R, usize)> = R::read(rows, &self.hasher).into_iter().zip(0..).collect();
        records.sort_unstable();
        let (records, places): (Vec<R>, Vec<usize>) = records.into_iter().unzip();
        let mut links = R::links(&records, &self.seen);
        R::keep(&records, &links, &mut self.seen);
        links.of = links.of.into_iter().map(|(record, link)| (places[record], link)).collect();
        links
    }
}

/// Identity of a row, as `record_id` spells it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Id {
    Span(SpanId),
    Event(SpanId, i64),
    Uid(Arc<str>),
}

/// A valid trace id and span id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SpanId {
    trace: u128,
    span: u64,
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Span(id) => write!(f, "{:032x}:{:016x}", id.trace, id.span),
            Self::Event(id, index) => write!(f, "{:032x}:{:016x}:{index}", id.trace, id.span),
            Self::Uid(uid) => f.write_str(uid),
        }
    }
}

/// What two rows have in common when one repeats the other. Values of records are held as fingerprints alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Key {
    Span(u64, SpanId),
    /// A provider's answer, within its trace.
    Answer(u64, u128, u64),
    /// A provider's answer, for records that stand outside any trace.
    LooseAnswer(u64, u64),
    Error(u64, u128, u64),
}

/// A bounded memory: the oldest goes first, and what is known stays as it was.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    limit: usize,
    known: HashMap<Key, Id>,
    order: VecDeque<Key>,
}

impl Recent {
    fn get(&self, key: &Key) -> Option<&Id> {
        self.known.get(key)
    }

    fn keep(&mut self, key: Key, id: &Id) {
        if self.limit == 0 || self.known.contains_key(&key) {
            return;
        }
        if self.order.len() >= self.limit
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.order.push_back(key);
        self.known.insert(key, id.clone());
    }
}

/// Which row repeats which, and by what rule.
#[derive(Debug, Default)]
pub(crate) struct Links {
    of: HashMap<usize, (Id, &'static str)>,
    /// Rows that repeat another, by their own id, so that nothing points at an echo.
    roots: HashMap<Id, Id>,
}

impl Links {
    /// Marks a row, unless it would repeat itself: after a failed attempt the memory already knows it.
    fn add(&mut self, row: usize, own: Option<&Id>, of: &Id, rule: &'static str) {
        let of = self.root(of).clone();
        if Some(&of) == own || self.of.contains_key(&row) {
            return;
        }
        if let Some(own) = own {
            self.roots.insert(own.clone(), of.clone());
        }
        self.of.insert(row, (of, rule));
    }

    /// The row that counts for this one.
    fn root<'a>(&'a self, id: &'a Id) -> &'a Id {
        let mut root = id;
        for _ in 0..LONGEST_CHAIN {
            let Some(next) = self.roots.get(root) else { break };
            root = next;
        }
        root
    }

    /// What counts for a row, if it is an echo. A target that was itself found to be one later on is followed.
    pub(crate) fn target(&self, row: usize) -> Option<&Id> {
        self.of.get(&row).map(|(of, _)| self.root(of))
    }

    fn store(self, rows: &mut Rows, marked: &mut Marked) -> Result<(), RowsError> {
        if self.of.is_empty() {
            return Ok(());
        }
        let text = |row: usize| self.target(row).map(Id::to_string);
        let column = StringArray::from_iter((0..rows.len()).map(text));
        for (_, rule) in self.of.values() {
            match marked.iter_mut().find(|(known, _)| known == rule) {
                Some((_, count)) => *count += 1,
                None => marked.push((rule, 1)),
            }
        }
        rows.set("echo_of", Arc::new(column))
    }
}

/// The columns that say which record a row is.
struct Identity<'a> {
    tenant: Option<Text<'a>>,
    trace: Option<Text<'a>>,
    span: Option<Text<'a>>,
    parent: Option<Text<'a>>,
    kind: Option<Text<'a>>,
    name: Option<Text<'a>>,
    uid: Option<Text<'a>>,
    time: Option<&'a TimestampMicrosecondArray>,
}

impl<'a> Identity<'a> {
    fn new(rows: &'a dyn Columns) -> Self {
        Self {
            tenant: rows.words("tenant"),
            trace: rows.words("trace_id"),
            span: rows.words("span_id"),
            parent: rows.words("parent_span_id"),
            kind: rows.words("kind"),
            name: rows.words("name"),
            uid: rows.words("record_uid"),
            time: rows.values("time").and_then(|a| a.as_any().downcast_ref()),
        }
    }

    fn tenant(&self, row: usize, hasher: &RandomState) -> u64 {
        hasher.hash_one(text(self.tenant, row).unwrap_or_default())
    }

    fn trace(&self, row: usize) -> Option<u128> {
        hex(text(self.trace, row)?, 32)
    }

    fn span(&self, row: usize) -> Option<SpanId> {
        Some(SpanId { trace: self.trace(row)?, span: span_number(text(self.span, row)?)? })
    }

    fn parent(&self, row: usize) -> Option<SpanId> {
        Some(SpanId { trace: self.trace(row)?, span: span_number(text(self.parent, row)?)? })
    }

    fn is_log(&self, row: usize) -> bool {
        text(self.kind, row) == Some("log")
    }

    fn uid(&self, row: usize) -> Option<Id> {
        text(self.uid, row).map(|uid| Id::Uid(uid.into()))
    }

    fn time(&self, row: usize) -> i64 {
        self.time.filter(|a| a.is_valid(row)).map_or(i64::MAX, |a| a.value(row))
    }
}

fn span_number(text: &str) -> Option<u64> {
    u64::try_from(hex(text, 16)?).ok()
}

/// Lower-case hex of a valid id: so many digits, not all zero.
fn hex(text: &str, digits: usize) -> Option<u128> {
    if text.len() != digits {
        return None;
    }
    let value = text.bytes().try_fold(0_u128, |value, byte| {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return None,
        };
        Some(value << 4 | u128::from(digit))
    })?;
    (value != 0).then_some(value)
}

fn text(column: Option<Text<'_>>, row: usize) -> Option<&str> {
    column.and_then(|text| text.get(row)).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests;
