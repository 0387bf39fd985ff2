//! Echoes among provider calls.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use arrow::array::{Array, Int64Array};
use component::Text;
use hashbrown::HashMap;

use super::{Id, Identity, Key, Links, Recent, Record, SpanId, text};
use crate::columns::Columns;
use crate::cost::is_aggregate;

/// The more of these a row has, the more its instrumentation knew.
const USAGE: &[&str] = &[
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "reasoning_tokens",
    "input_audio_tokens",
    "input_image_tokens",
    "output_audio_tokens",
    "output_image_tokens",
    "response_model",
    "service_tier",
];

/// Below a call, HTTP clients may be stacked on each other, and instrumentations: this many are followed.
const DEPTH: usize = 4;

/// One row, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Call {
    tenant: u64,
    span: Option<SpanId>,
    own: Option<Id>,
    kind: Kind,
    parent: Option<SpanId>,
    time: i64,
    /// How little its instrumentation knew.
    vague: usize,
    /// Whether its name promises that there is a span of the call.
    promised: bool,
    /// Fingerprint of the provider's id of the answer.
    answer: Option<u64>,
    what: What,
}

/// What two instrumentations of one call agree on. Names are held as fingerprints.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct What {
    scope: Option<u64>,
    operation: Option<u64>,
    models: [Option<u64>; 2],
    input: Option<i64>,
    output: Option<i64>,
    failed: bool,
}

impl What {
    /// Whether one span below the other can be the same call, seen by another library: a model is not called within a
    /// call of it.
    fn is_like(&self, other: &Self) -> bool {
        let differ = |a: Option<i64>, b: Option<i64>| a.zip(b).is_some_and(|(a, b)| a != b);
        let both = self.output.is_some() && other.output.is_some();
        self.scope.zip(other.scope).is_some_and(|(a, b)| a != b)
            && self.operation.zip(other.operation).is_none_or(|(a, b)| a == b)
            && self.models.iter().flatten().any(|model| other.models.contains(&Some(*model)))
            && self.failed == other.failed
            && !differ(self.output, other.output)
            // Some count what was cached among the input and some do not.
            && (both || !differ(self.input, other.input))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// The span of a call.
    Span,
    /// A log record about a call.
    Log,
    /// Nothing but HTTP.
    Http,
    /// A span that sums up others: nobody's echo, and nothing is an echo of it.
    Aggregate,
}

impl Record for Call {
    const READS: &'static [&'static str] = &[
        "parent_span_id",
        "name",
        "operation",
        "request_model",
        "response_id",
        "response_model",
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "cache_write_1h_tokens",
        "reasoning_tokens",
        "input_audio_tokens",
        "input_image_tokens",
        "output_audio_tokens",
        "output_image_tokens",
        "service_tier",
        "scope_name",
        "error_type",
    ];

    fn read(rows: &dyn Columns, hasher: &RandomState) -> Vec<Self> {
        let identity = Identity::new(rows);
        let column = |name| rows.words(name);
        let (operation, request_model) = (column("operation"), column("request_model"));
        let (response_model, response_id) = (column("response_model"), column("response_id"));
        let (scope, error) = (column("scope_name"), column("error_type"));
        let (input, output) = (rows.numbers("input_tokens"), rows.numbers("output_tokens"));
        let number = |column: Option<&Int64Array>, row| column.filter(|c| c.is_valid(row)).map(|c| c.value(row));
        let word = |column: Option<Text>, row| text(column, row).map(|word| hasher.hash_one(word));
        let usage: Vec<_> = USAGE.iter().filter_map(|name| rows.values(name)).collect();
        let kind = |row: usize| {
            let has = |column: Option<Text>| text(column, row).is_some();
            if identity.is_log(row) {
                Kind::Log
            } else if is_aggregate(text(operation, row)) {
                Kind::Aggregate
            } else if has(operation) || has(request_model) || has(response_model) {
                Kind::Span
            } else {
                Kind::Http
            }
        };
        let call = |row| {
            let (kind, span) = (kind(row), identity.span(row));
            Self {
                tenant: identity.tenant(row, hasher),
                own: if kind == Kind::Log { identity.uid(row) } else { span.map(Id::Span) },
                answer: text(response_id, row).map(|id| hasher.hash_one(id)),
                parent: identity.parent(row),
                time: identity.time(row),
                vague: USAGE.len() - usage.iter().filter(|column| column.is_valid(row)).count(),
                // The event of the conventions is written inside the span it is about, so its ids name that span.
                promised: text(identity.name, row).is_some_and(|name| name.starts_with("gen_ai.")),
                what: What {
                    scope: word(scope, row),
                    operation: word(operation, row),
                    models: [word(request_model, row), word(response_model, row)],
                    input: number(input, row),
                    output: number(output, row),
                    failed: text(error, row).is_some(),
                },
                span,
                kind,
            }
        };
        (0..rows.count()).map(call).collect()
    }

    fn links(calls: &[Self], seen: &Recent) -> Links {
        let mut links = Links::default();
        answers(calls, seen, &mut links);
        nested(calls, &mut links);
        logs(calls, seen, &mut links);
        http(calls, seen, &mut links);
        links
    }

    fn keep(calls: &[Self], links: &Links, seen: &mut Recent) {
        for (row, call) in calls.iter().enumerate() {
            let (Some(own), Some(span)) = (&call.own, call.span) else { continue };
            // An HTTP span leads on to its call, for another HTTP span below it.
            if call.kind == Kind::Span || (call.kind == Kind::Http && links.of.contains_key(&row)) {
                for key in keys(call, span) {
                    seen.keep(key, links.root(own));
                }
            }
        }
    }

    fn own(&self) -> Option<&Id> {
        self.own.as_ref()
    }
}

impl Call {
    /// The least counts where several are one call.
    fn rank(&self) -> (usize, i64, u64) {
        (self.vague, self.time, self.span.map_or(0, |span| span.span))
    }
}

/// Several spans of one answer: the one with the most specific usage counts, or the one that came in an earlier gather.
fn answers(calls: &[Call], seen: &Recent, links: &mut Links) {
    let key = |call: &Call| Some(Key::Answer(call.tenant, call.span?.trace, call.answer?));
    let spans = || calls.iter().enumerate().filter(|(_, call)| call.kind == Kind::Span);
    let mut best: HashMap<Key, &Call> = HashMap::new();
    for (call, key) in spans().filter_map(|(_, call)| Some((call, key(call)?))) {
        best.entry(key).and_modify(|best| *best = if call.rank() < best.rank() { call } else { *best }).or_insert(call);
    }
    for (row, key) in spans().filter_map(|(row, call)| Some((row, key(call)?))) {
        let first = best.get(&key).and_then(|best| best.own.as_ref());
        if let Some(id) = seen.get(&key).or(first) {
            links.add(row, calls[row].own.as_ref(), id, "same_answer");
        }
    }
}

/// Spans of one call by several libraries, one below the other, that know no id of an answer: the one with the most
/// specific usage counts.
fn nested(calls: &[Call], links: &mut Links) {
    let mut here: HashMap<(u64, SpanId), usize> = HashMap::new();
    for (row, call) in calls.iter().enumerate().filter(|(_, call)| call.kind == Kind::Span) {
        if let Some(span) = call.span {
            here.entry((call.tenant, span)).or_insert(row);
        }
    }
    let above = |call: &Call| -> Option<usize> {
        let row = *here.get(&(call.tenant, call.parent?))?;
        let known = &calls[row];
        let other_answer = known.answer.zip(call.answer).is_some_and(|(a, b)| a != b);
        (known.what.is_like(&call.what) && !other_answer).then_some(row)
    };
    let mut groups: HashMap<usize, Vec<usize>> = HashMap::new();
    for (row, call) in calls.iter().enumerate().filter(|(_, call)| call.kind == Kind::Span) {
        let mut top = None;
        for _ in 0..DEPTH {
            let Some(next) = above(top.map_or(call, |row: usize| &calls[row])) else { break };
            top = Some(next);
        }
        if let Some(top) = top {
            groups.entry(top).or_insert_with(|| vec![top]).push(row);
        }
    }
    for rows in groups.values() {
        let best = rows.iter().map(|row| &calls[*row]).min_by_key(|call| call.rank());
        let Some(best) = best.and_then(|call| call.own.as_ref()) else { continue };
        for row in rows {
            links.add(*row, calls[*row].own.as_ref(), best, "same_call");
        }
    }
}

/// Log records about a call whose span is known, or whose names promise that there is one.
fn logs(calls: &[Call], seen: &Recent, links: &mut Links) {
    if !calls.iter().any(|call| call.kind == Kind::Log) {
        return;
    }
    let mut spans: HashMap<Key, &Call> = HashMap::new();
    for call in calls.iter().filter(|call| call.kind == Kind::Span && call.own.is_some()) {
        let Some(span) = call.span else { continue };
        for key in keys(call, span) {
            // Answers of one id in two traces: the earlier one's.
            spans
                .entry(key)
                .and_modify(|known| {
                    *known = if (call.time, call.span) < (known.time, known.span) { call } else { *known }
                })
                .or_insert(call);
        }
    }
    for (row, call) in calls.iter().enumerate().filter(|(_, call)| call.kind == Kind::Log) {
        let known = |key: Key| spans.get(&key).and_then(|call| call.own.as_ref()).or_else(|| seen.get(&key));
        let answer = call.answer.and_then(|answer| match call.span {
            Some(span) => known(Key::Answer(call.tenant, span.trace, answer)),
            None => known(Key::LooseAnswer(call.tenant, answer)),
        });
        let span = call.span.and_then(|span| known(Key::Span(call.tenant, span)));
        let promised = call.span.filter(|_| call.promised);
        if let Some(id) = answer.or(span).cloned().or(promised.map(Id::Span)) {
            links.add(row, call.own.as_ref(), &id, "log_event");
        }
    }
}

/// HTTP spans below the span of a call.
fn http(calls: &[Call], seen: &Recent, links: &mut Links) {
    if !calls.iter().any(|call| call.kind == Kind::Http) {
        return;
    }
    let mut here: HashMap<(u64, SpanId), &Call> = HashMap::new();
    for call in calls.iter().filter(|call| call.kind != Kind::Log) {
        if let Some(span) = call.span {
            here.entry((call.tenant, span)).or_insert(call);
        }
    }
    for (row, call) in calls.iter().enumerate().filter(|(_, call)| call.kind == Kind::Http) {
        let mut parent = call.parent;
        for _ in 0..DEPTH {
            let Some(span) = parent else { break };
            match here.get(&(call.tenant, span)) {
                Some(above) if above.kind == Kind::Http => parent = above.parent,
                Some(above) if above.kind == Kind::Span => {
                    links.add(row, call.own.as_ref(), &Id::Span(span), "http_child");
                    break;
                }
                Some(_) => break,
                None => {
                    if let Some(id) = seen.get(&Key::Span(call.tenant, span)) {
                        links.add(row, call.own.as_ref(), id, "http_child");
                    }
                    break;
                }
            }
        }
    }
}

/// What a later row can know a call by.
fn keys(call: &Call, span: SpanId) -> impl Iterator<Item = Key> {
    let answer =
        call.answer.map(|answer| [Key::Answer(call.tenant, span.trace, answer), Key::LooseAnswer(call.tenant, answer)]);
    std::iter::once(Key::Span(call.tenant, span)).chain(answer.into_iter().flatten())
}
