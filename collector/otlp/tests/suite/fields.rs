//! Every field of every row, against what prost reads from the same bytes.

use component::{Gather, Rows};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use otlp::{Decoded, Signal};
use proptest::prelude::*;
use prost::Message;

use crate::generate::{MARK, logs, mark_logs, mark_spans, traces};
use crate::oracle::{self, Expected, Record};
use crate::support::{Cell, cell, decode, keyring};

fn bytes<M: Message>(message: Option<&M>) -> Vec<u8> {
    message.map(Message::encode_to_vec).unwrap_or_default()
}

/// The identity of a record that brings none.
fn uid(parts: [&[u8]; 3], ordinal: u64) -> String {
    let key = keyring().key("acme", "record").unwrap();
    let shared = key.hash(&[parts[0], parts[1]]);
    key.pseudonym_of(&[&shared, parts[2], &ordinal.to_le_bytes()]).into_string()
}

fn attribute<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    match attributes.iter().rev().find(|a| a.key == key)?.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) if !text.is_empty() => Some(text),
        _ => None,
    }
}

fn first_time(times: [u64; 2]) -> u64 {
    times.into_iter().find(|t| *t != 0).unwrap_or_default()
}

fn of_context(resource: Option<&Resource>, scope: Option<&InstrumentationScope>) -> Record {
    let scope = scope.cloned().unwrap_or_default();
    Record {
        resource: resource.map(|r| r.attributes.clone()).unwrap_or_default(),
        scope: (scope.name, scope.version, scope.attributes),
        ..Record::default()
    }
}

fn of_span(span: &Span, context: Record, parts: [&[u8]; 2]) -> Record {
    let none = |id: &[u8]| id.iter().all(|b| *b == 0);
    let status = span.status.clone().unwrap_or_default();
    let code = match status.code {
        1 => "ok",
        2 => "error",
        _ => "unset",
    };
    Record {
        kind: match span.kind {
            1 => "internal",
            2 => "server",
            3 => "client",
            4 => "producer",
            5 => "consumer",
            _ => "unspecified",
        },
        time: first_time([span.start_time_unix_nano, span.end_time_unix_nano]),
        end: if span.start_time_unix_nano == 0 { 0 } else { span.end_time_unix_nano },
        observed: span.end_time_unix_nano,
        trace_id: span.trace_id.clone(),
        span_id: span.span_id.clone(),
        parent_span_id: span.parent_span_id.clone(),
        name: span.name.clone(),
        event_name: attribute(&span.attributes, "event.name").unwrap_or_default().to_owned(),
        trace_state: span.trace_state.clone(),
        flags: span.flags,
        status: Some((code, status.message)),
        attributes: span.attributes.clone(),
        events: span.events.clone(),
        links: span.links.clone(),
        uid: (none(&span.trace_id) || none(&span.span_id)).then(|| uid([parts[0], parts[1], &span.encode_to_vec()], 0)),
        ..context
    }
}

fn of_event(span: &Record, index: usize) -> Record {
    let event = &span.events[index];
    Record {
        kind: "span_event",
        time: if event.time_unix_nano == 0 { span.time } else { event.time_unix_nano },
        end: 0,
        observed: 0,
        name: event.name.clone(),
        event_name: event.name.clone(),
        attributes: event.attributes.clone(),
        outer: span.attributes.clone(),
        event_index: Some(index as i64),
        events: Vec::new(),
        links: Vec::new(),
        ..span.clone()
    }
}

fn of_log(log: &LogRecord, context: Record, parts: [&[u8]; 2]) -> Record {
    let given = attribute(&log.attributes, "log.record.uid").map(str::to_owned);
    let named = attribute(&log.attributes, "event.name").filter(|_| log.event_name.is_empty());
    let mut taken = Vec::new();
    taken.extend(given.is_some().then(|| "log.record.uid".to_owned()));
    taken.extend(named.is_some().then(|| "event.name".to_owned()));
    Record {
        kind: "log",
        time: first_time([log.time_unix_nano, log.observed_time_unix_nano]),
        observed: log.observed_time_unix_nano,
        trace_id: log.trace_id.clone(),
        span_id: log.span_id.clone(),
        event_name: named.map_or_else(|| log.event_name.clone(), str::to_owned),
        flags: log.flags,
        severity: (log.severity_number, log.severity_text.clone()),
        body: log.body.clone(),
        attributes: log.attributes.clone(),
        uid: given
            .map(|given| keyring().key("acme", "record").unwrap().pseudonym_of(&[given.as_bytes()]).into_string())
            .or_else(|| Some(uid([parts[0], parts[1], &log.encode_to_vec()], 0))),
        taken,
        ..context
    }
}

fn span_records(requests: &[ExportTraceServiceRequest]) -> Vec<(u32, Record)> {
    let mut all = Vec::new();
    for (number, request) in requests.iter().enumerate() {
        for group in &request.resource_spans {
            let resource = bytes(group.resource.as_ref());
            for scope in &group.scope_spans {
                let parts = [&resource[..], &bytes(scope.scope.as_ref())[..]];
                let context = || of_context(group.resource.as_ref(), scope.scope.as_ref());
                all.extend(scope.spans.iter().map(|span| (number as u32, of_span(span, context(), parts))));
            }
        }
    }
    all
}

fn log_records(requests: &[ExportLogsServiceRequest]) -> Vec<(u32, Record)> {
    let mut all = Vec::new();
    for (number, request) in requests.iter().enumerate() {
        for group in &request.resource_logs {
            let resource = bytes(group.resource.as_ref());
            for scope in &group.scope_logs {
                let parts = [&resource[..], &bytes(scope.scope.as_ref())[..]];
                let context = || of_context(group.resource.as_ref(), scope.scope.as_ref());
                all.extend(scope.log_records.iter().map(|log| (number as u32, of_log(log, context(), parts))));
            }
        }
    }
    all
}

fn mark_of(rows: &Rows, row: usize) -> usize {
    let Cell::Map(attributes) = cell(rows, "attributes", row) else { panic!("a row without attributes") };
    let mark = attributes.iter().find(|(key, _)| key == MARK).and_then(|(_, value)| value.clone());
    mark.expect("a row without its mark").parse().unwrap()
}

/// Each row against its record; each record at home exactly once.
fn check(gather: &Gather, records: &[(u32, Record)]) {
    let mut homes = vec![0; records.len()];
    for rows in gather.tables() {
        for row in 0..rows.len() {
            let mark = mark_of(rows, row);
            let (request, record) = &records[mark];
            assert_eq!(rows.requests()[row], *request);
            let index = match cell(rows, "event_index", row) {
                Cell::Int(index) => Some(usize::try_from(index).unwrap()),
                _ => None,
            };
            let record = index.map_or_else(|| record.clone(), |index| of_event(record, index));
            let is_primary = cell(rows, "is_primary", row) == Cell::Bool(true);
            homes[mark] += usize::from(is_primary);
            for (column, expected) in oracle::row(rows.table(), &record, is_primary) {
                let got = cell(rows, &column, row);
                // What a terminal sequence leaves is tested where it is taken out.
                let unsure = column == "body" && matches!(&record.body, Some(body) if has_escape(body.value.as_ref()));
                assert!(
                    unsure || expected.matches(&got),
                    "{}.{column} of record {mark}: expected {expected:?}, got {got:?}",
                    rows.table().name
                );
            }
        }
    }
    assert!(homes.iter().all(|homes| *homes == 1), "{homes:?}");
}

fn has_escape(value: Option<&Value>) -> bool {
    matches!(value, Some(Value::StringValue(text)) if text.contains('\u{1b}') && text != "\u{1b}[31mred\u{1b}[0m")
}

fn accepted(decoded: &Decoded) -> u64 {
    assert!(decoded.outcomes.iter().all(|o| o.rejected == 0 && o.reason.is_none() && !o.malformed), "{decoded:?}");
    decoded.outcomes.iter().map(|o| o.accepted).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn spans(mut requests in proptest::collection::vec(traces(), 1..4)) {
        mark_spans(&mut requests);
        let records = span_records(&requests);
        let bodies: Vec<Vec<u8>> = requests.iter().map(Message::encode_to_vec).collect();
        let decoded = decode(Signal::Traces, &bodies.iter().map(Vec::as_slice).collect::<Vec<_>>());
        prop_assert_eq!(accepted(&decoded), records.len() as u64);
        check(&decoded.gather, &records);
    }

    #[test]
    fn log_records_too(mut requests in proptest::collection::vec(logs(), 1..4)) {
        mark_logs(&mut requests);
        let records = log_records(&requests);
        let bodies: Vec<Vec<u8>> = requests.iter().map(Message::encode_to_vec).collect();
        let decoded = decode(Signal::Logs, &bodies.iter().map(Vec::as_slice).collect::<Vec<_>>());
        prop_assert_eq!(accepted(&decoded), records.len() as u64);
        check(&decoded.gather, &records);
    }
}

/// The check above has to notice a wrong value, or it proves nothing.
#[test]
fn the_oracle_disagrees_with_a_wrong_value() {
    assert!(!Expected::Cell(Cell::Int(1)).matches(&Cell::Int(2)));
    assert!(!Expected::Json(serde_json::json!([1])).matches(&"[2]".into()));
    assert!(!Expected::Map(vec![("a".to_owned(), None)]).matches(&Cell::Map(vec![("b".to_owned(), None)])));
    assert!(!Expected::Anything.matches(&Cell::Null));
}
