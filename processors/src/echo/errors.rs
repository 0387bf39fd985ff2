//! Echoes among errors.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use arrow::array::Array;
use hashbrown::HashMap;

use super::{Id, Identity, Key, Links, Recent, Record, SpanId, text};
use crate::columns::Columns;

/// One row, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fault {
    tenant: u64,
    span: Option<SpanId>,
    own: Option<Id>,
    form: Form,
    /// Whether it is the span of a call.
    is_call: bool,
    parent: Option<SpanId>,
    time: i64,
    key: Option<Key>,
    /// What it says, for faults of the other form: a failed call and the exception that came of it name its type differently.
    says: Option<Key>,
    /// What a fault of the other form would say of the same.
    hears: Option<Key>,
}

/// How an error arrived, the most telling first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    Event,
    Log,
    /// A failed span.
    Span,
}

impl Record for Fault {
    const READS: &'static [&'static str] =
        &["parent_span_id", "error_type", "message", "status_message", "operation", "request_model"];

    fn read(rows: &dyn Columns, hasher: &RandomState) -> Vec<Self> {
        let identity = Identity::new(rows);
        let (kinds, messages, status) = (rows.words("error_type"), rows.words("message"), rows.words("status_message"));
        let (operation, model) = (rows.words("operation"), rows.words("request_model"));
        let index = rows.numbers("event_index");
        let fault = |row: usize| {
            let (tenant, span) = (identity.tenant(row, hasher), identity.span(row));
            let event = index.filter(|a| a.is_valid(row)).map(|a| a.value(row));
            let (form, own) = match (identity.is_log(row), event) {
                (true, _) => (Form::Log, identity.uid(row)),
                (false, Some(index)) => (Form::Event, span.map(|span| Id::Event(span, index))),
                (false, None) => (Form::Span, span.map(Id::Span)),
            };
            let message = text(messages, row).or_else(|| text(status, row)).unwrap_or_default();
            let known = text(kinds, row).zip(identity.trace(row));
            let key = known
                .map(|(kind, trace)| Key::Error(tenant, trace, hasher.hash_one((short(kind), bare(message, kind)))));
            let of = |is_span: bool| {
                let (kind, trace) = known.filter(|_| !message.is_empty())?;
                Some(Key::Error(tenant, trace, hasher.hash_one((is_span, bare(message, kind)))))
            };
            let (says, hears) = (of(form == Form::Span), of(form != Form::Span));
            let is_call = text(operation, row).is_some() || text(model, row).is_some();
            let (parent, time) = (identity.parent(row), identity.time(row));
            Self { tenant, span, own, form, is_call, parent, time, key, says, hears }
        };
        (0..rows.count()).map(fault).collect()
    }

    fn links(faults: &[Self], seen: &Recent) -> Links {
        let mut links = Links::default();
        failed_spans(faults, &mut links);
        same_exceptions(faults, seen, &mut links);
        same_messages(faults, seen, &mut links);
        links
    }

    fn keep(faults: &[Self], links: &Links, seen: &mut Recent) {
        for (row, fault) in faults.iter().enumerate() {
            let Some(own) = &fault.own else { continue };
            if let Some(key) = fault.key {
                seen.keep(key, links.root(own));
            }
            if let Some(key) = fault.says.filter(|_| !links.of.contains_key(&row)) {
                seen.keep(key, own);
            }
        }
    }

    fn own(&self) -> Option<&Id> {
        self.own.as_ref()
    }
}

/// The last part of a type's name: SDKs differ in how much of the path they give.
fn short(kind: &str) -> &str {
    kind.rsplit(['.', ':', '/', '$']).next().unwrap_or(kind)
}

/// The message without the type that span statuses put before it.
fn bare<'a>(message: &'a str, kind: &str) -> &'a str {
    let stripped = message.strip_prefix(kind).or_else(|| message.strip_prefix(short(kind)));
    stripped.and_then(|rest| rest.strip_prefix(": ")).unwrap_or(message)
}

/// A failed span repeats the exception that it recorded; a failed HTTP span repeats the call above it.
fn failed_spans(faults: &[Fault], links: &mut Links) {
    let mut events: HashMap<(u64, SpanId), &Id> = HashMap::new();
    let mut spans: HashMap<(u64, SpanId), &Id> = HashMap::new();
    for fault in faults {
        let (Some(span), Some(own)) = (fault.span, &fault.own) else { continue };
        match fault.form {
            Form::Event => _ = events.entry((fault.tenant, span)).or_insert(own),
            Form::Span if fault.is_call => _ = spans.entry((fault.tenant, span)).or_insert(own),
            Form::Span | Form::Log => {}
        }
    }
    // Calls first, so that an HTTP span below a call finds what counts for the call.
    for calls in [true, false] {
        for (row, fault) in faults.iter().enumerate().filter(|(_, f)| f.form == Form::Span && f.is_call == calls) {
            let event = fault.span.and_then(|span| events.get(&(fault.tenant, span)));
            let above = || fault.parent.and_then(|parent| spans.get(&(fault.tenant, parent)));
            if let Some(id) = event {
                links.add(row, fault.own.as_ref(), id, "failed_span");
            } else if let Some(id) = if calls { None } else { above() } {
                links.add(row, fault.own.as_ref(), id, "failed_span");
            }
        }
    }
}

/// One exception, recorded on several spans and in a log: the first counts.
fn same_exceptions(faults: &[Fault], seen: &Recent, links: &mut Links) {
    let mut groups: HashMap<Key, Vec<usize>> = HashMap::new();
    for (row, fault) in faults.iter().enumerate() {
        if let Some(key) = fault.key {
            groups.entry(key).or_default().push(row);
        }
    }
    for (key, members) in groups {
        let named = members.iter().copied().filter(|row| faults[*row].own.is_some());
        let first = named.min_by_key(|row| (links.of.contains_key(row), faults[*row].form, faults[*row].time, *row));
        let Some(id) = seen.get(&key).or_else(|| faults[first?].own.as_ref()).cloned() else { continue };
        for row in members {
            links.add(row, faults[row].own.as_ref(), &id, "same_exception");
        }
    }
}

/// A failed call and an exception of its trace that says the same are one error.
fn same_messages(faults: &[Fault], seen: &Recent, links: &mut Links) {
    let mut exceptions: HashMap<Key, usize> = HashMap::new();
    let rank = |row: usize| (faults[row].form, faults[row].time, row);
    for (row, fault) in faults.iter().enumerate().filter(|(row, f)| f.form != Form::Span && !links.of.contains_key(row))
    {
        if let Some(key) = fault.says {
            exceptions
                .entry(key)
                .and_modify(|first| *first = if rank(row) < rank(*first) { row } else { *first })
                .or_insert(row);
        }
    }
    for (row, fault) in faults.iter().enumerate() {
        let Some(key) = fault.hears else { continue };
        let here = || faults[*exceptions.get(&key)?].own.clone();
        if let Some(id) = seen.get(&key).cloned().or_else(here) {
            links.add(row, fault.own.as_ref(), &id, "same_message");
        }
    }
}
