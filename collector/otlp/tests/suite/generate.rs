//! Random valid messages.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use schemas::{Catalog, Source};

use crate::support::{RECEIVED, catalog};

/// The attribute that tells tests which record a row came from; no column takes it.
pub const MARK: &str = "test.mark";

fn words() -> impl Strategy<Value = String> {
    let odd = vec![
        "",
        "true",
        "False",
        "12",
        "-7",
        " 3 ",
        "1.5",
        "1e3",
        "0.000000140",
        "GRAY",
        "grau",
        "exception",
        "auth.login",
        "LOGIN",
        "\u{1b}[31mred\u{1b}[0m",
        "a\"b\\c\n\u{1}",
        "héllo",
        "https://u@api.test:443/x",
        "example.com",
        "2026-01-02",
        "2026-01-02T03:04:05.678Z",
        "NaN",
        "inf",
    ];
    prop_oneof![2 => select(odd).prop_map(str::to_owned), 1 => "[a-z.]{0,12}", 1 => any::<String>()]
}

pub fn value() -> impl Strategy<Value = AnyValue> {
    let scalar = prop_oneof![
        1 => Just(None),
        8 => words().prop_map(|v| Some(Value::StringValue(v))),
        1 => any::<bool>().prop_map(|v| Some(Value::BoolValue(v))),
        2 => any::<i64>().prop_map(|v| Some(Value::IntValue(v))),
        2 => (-100i64..100).prop_map(|v| Some(Value::IntValue(v))),
        1 => any::<f64>().prop_map(|v| Some(Value::DoubleValue(v))),
        1 => select(vec![0.5, 42.0, -3.0, f64::NAN, f64::INFINITY]).prop_map(|v| Some(Value::DoubleValue(v))),
        1 => vec(any::<u8>(), 0..9).prop_map(|v| Some(Value::BytesValue(v))),
    ];
    let scalar = scalar.prop_map(|value| AnyValue { value });
    scalar.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|values| Value::ArrayValue(ArrayValue { values })),
            vec((words(), option::of(inner)), 0..4).prop_map(|entries| {
                let values = entries.into_iter().map(|(key, value)| KeyValue { key, value, ..KeyValue::default() });
                Value::KvlistValue(KeyValueList { values: values.collect() })
            }),
        ]
        .prop_map(|value| AnyValue { value: Some(value) })
    })
}

/// Keys that mean something to some table, and keys that do not.
fn keys(catalog: &Catalog) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for table in catalog.tables() {
        for source in table.columns.iter().flat_map(|c| &c.from) {
            match source {
                Source::Attribute { key, .. } | Source::Resource(key) => keys.push(key.clone()),
                Source::Field(_) => {}
            }
        }
        for clause in &table.clauses {
            keys.extend(clause.any.iter().chain(&clause.all).chain(&clause.none).cloned());
        }
    }
    keys.extend(["event.name", "log.record.uid", "", "unknown", "x.y"].map(str::to_owned));
    keys.sort();
    keys.dedup();
    keys
}

pub fn attributes(most: usize) -> impl Strategy<Value = Vec<KeyValue>> {
    let all = keys(&catalog());
    let own: Vec<String> = all.iter().filter(|k| k.starts_with("test.")).cloned().collect();
    let key = prop_oneof![4 => select(all), 3 => select(own), 1 => words()];
    let pair = (key, option::weighted(0.9, value()));
    vec(pair.prop_map(|(key, value)| KeyValue { key, value, ..KeyValue::default() }), 0..most)
}

fn id(size: usize) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![1 => Just(Vec::new()), 1 => Just(vec![0; size]), 6 => vec(any::<u8>(), size)]
}

fn time() -> impl Strategy<Value = u64> {
    const HOUR: u64 = 3_600_000_000_000;
    prop_oneof![
        6 => (RECEIVED - HOUR)..(RECEIVED + HOUR),
        1 => (RECEIVED - 40 * 24 * HOUR)..(RECEIVED + 3 * 24 * HOUR),
        1 => Just(0),
        1 => any::<u64>(),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    (time(), words(), attributes(5), any::<u32>()).prop_map(|(time_unix_nano, name, attributes, dropped)| Event {
        time_unix_nano,
        name,
        attributes,
        dropped_attributes_count: dropped,
    })
}

fn link() -> impl Strategy<Value = Link> {
    (id(16), id(8), words(), attributes(3), any::<u32>()).prop_map(
        |(trace_id, span_id, trace_state, attributes, flags)| Link {
            trace_id,
            span_id,
            trace_state,
            attributes,
            flags,
            dropped_attributes_count: 3,
        },
    )
}

fn status() -> impl Strategy<Value = Status> {
    (words(), -1..4i32).prop_map(|(message, code)| Status { message, code })
}

pub fn span() -> impl Strategy<Value = Span> {
    let ids = (id(16), id(8), id(8));
    let scalars = (words(), words(), -1..8i32, time(), time(), any::<u32>());
    let lists = (attributes(16), vec(event(), 0..3), vec(link(), 0..3), option::of(status()));
    (ids, scalars, lists).prop_map(|(ids, scalars, lists)| Span {
        trace_id: ids.0,
        span_id: ids.1,
        parent_span_id: ids.2,
        trace_state: scalars.0,
        name: scalars.1,
        kind: scalars.2,
        start_time_unix_nano: scalars.3,
        end_time_unix_nano: scalars.4,
        flags: scalars.5,
        attributes: lists.0,
        events: lists.1,
        links: lists.2,
        status: lists.3,
        dropped_attributes_count: 1,
        dropped_events_count: 2,
        dropped_links_count: 3,
    })
}

pub fn log() -> impl Strategy<Value = LogRecord> {
    let scalars = (time(), time(), -1..26i32, words(), any::<u32>(), words());
    let rest = (option::of(value()), attributes(12), id(16), id(8));
    (scalars, rest).prop_map(|(scalars, rest)| LogRecord {
        time_unix_nano: scalars.0,
        observed_time_unix_nano: scalars.1,
        severity_number: scalars.2,
        severity_text: scalars.3,
        flags: scalars.4,
        event_name: scalars.5,
        body: rest.0,
        attributes: rest.1,
        trace_id: rest.2,
        span_id: rest.3,
        dropped_attributes_count: 4,
    })
}

fn resource() -> impl Strategy<Value = Option<Resource>> {
    option::weighted(0.9, attributes(8).prop_map(|attributes| Resource { attributes, ..Resource::default() }))
}

fn scope() -> impl Strategy<Value = Option<InstrumentationScope>> {
    option::weighted(
        0.9,
        (words(), words(), attributes(3)).prop_map(|(name, version, attributes)| InstrumentationScope {
            name,
            version,
            attributes,
            dropped_attributes_count: 0,
        }),
    )
}

pub fn traces() -> impl Strategy<Value = ExportTraceServiceRequest> {
    let scopes = (scope(), vec(span(), 0..4), words()).prop_map(|(scope, spans, schema_url)| ScopeSpans {
        scope,
        spans,
        schema_url,
    });
    let resources = (resource(), vec(scopes, 0..3), words())
        .prop_map(|(resource, scope_spans, schema_url)| ResourceSpans { resource, scope_spans, schema_url });
    vec(resources, 0..3).prop_map(|resource_spans| ExportTraceServiceRequest { resource_spans })
}

pub fn logs() -> impl Strategy<Value = ExportLogsServiceRequest> {
    let scopes = (scope(), vec(log(), 0..4), words()).prop_map(|(scope, log_records, schema_url)| ScopeLogs {
        scope,
        log_records,
        schema_url,
    });
    let resources = (resource(), vec(scopes, 0..3), words())
        .prop_map(|(resource, scope_logs, schema_url)| ResourceLogs { resource, scope_logs, schema_url });
    vec(resources, 0..3).prop_map(|resource_logs| ExportLogsServiceRequest { resource_logs })
}

fn mark(attributes: &mut Vec<KeyValue>, mark: usize) {
    attributes.retain(|a| a.key != MARK);
    let value = Some(AnyValue { value: Some(Value::StringValue(mark.to_string())) });
    attributes.push(KeyValue { key: MARK.to_owned(), value, ..KeyValue::default() });
}

/// Numbers all spans and their events.
pub fn mark_spans<'m>(requests: impl IntoIterator<Item = &'m mut ExportTraceServiceRequest>) {
    let groups = requests.into_iter().flat_map(|r| &mut r.resource_spans).flat_map(|r| &mut r.scope_spans);
    for (number, span) in groups.flat_map(|s| &mut s.spans).enumerate() {
        mark(&mut span.attributes, number);
        span.events.iter_mut().for_each(|event| mark(&mut event.attributes, number));
    }
}

/// Numbers all log records.
pub fn mark_logs<'m>(requests: impl IntoIterator<Item = &'m mut ExportLogsServiceRequest>) {
    let groups = requests.into_iter().flat_map(|r| &mut r.resource_logs).flat_map(|r| &mut r.scope_logs);
    for (number, log) in groups.flat_map(|s| &mut s.log_records).enumerate() {
        mark(&mut log.attributes, number);
    }
}
