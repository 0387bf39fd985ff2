//! Which tables records go to, and what of a request is refused.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::Event;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use otlp::{BuildError, Decoded, Decoder, Signal};
use prost::Message;
use schemas::Catalog;

use crate::support::{Cell, RECEIVED, cell, decode, keyring};

pub fn text(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(value.to_owned())) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

fn attributes(pairs: &[(&str, &str)]) -> Vec<KeyValue> {
    pairs.iter().map(|(key, value)| text(key, value)).collect()
}

pub fn span(kind: i32, pairs: &[(&str, &str)]) -> Span {
    Span {
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        name: "work".to_owned(),
        kind,
        start_time_unix_nano: RECEIVED,
        end_time_unix_nano: RECEIVED + 5,
        attributes: attributes(pairs),
        ..Span::default()
    }
}

pub fn traces(spans: Vec<Span>) -> Vec<u8> {
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

pub fn log(event: &str, severity: i32, pairs: &[(&str, &str)]) -> LogRecord {
    LogRecord {
        time_unix_nano: RECEIVED,
        event_name: event.to_owned(),
        severity_number: severity,
        attributes: attributes(pairs),
        ..LogRecord::default()
    }
}

pub fn logs(log_records: Vec<LogRecord>) -> Vec<u8> {
    let scope_logs = vec![ScopeLogs { log_records, ..ScopeLogs::default() }];
    let resource_logs = vec![ResourceLogs { scope_logs, ..ResourceLogs::default() }];
    ExportLogsServiceRequest { resource_logs }.encode_to_vec()
}

/// Tables of the rows, each with a star if it is a home.
fn tables(decoded: &Decoded) -> String {
    let mut all = Vec::new();
    for rows in decoded.gather.tables() {
        for row in 0..rows.len() {
            let star = if cell(rows, "is_primary", row) == Cell::Bool(true) { "*" } else { "" };
            all.push(format!("{}{star}", rows.table().name));
        }
    }
    all.join(" ")
}

fn check(signal: Signal, body: &[u8], expected: &str) {
    let decoded = decode(signal, &[body]);
    assert_eq!(tables(&decoded), expected, "{:?}", decoded.outcomes);
}

#[test]
fn spans_find_their_tables() {
    let check = |span: Span, expected: &str| check(Signal::Traces, &traces(vec![span]), expected);
    check(span(3, &[]), "spans*");
    check(span(3, &[("test.first", "")]), "first*");
    check(span(3, &[("test.a", "1"), ("test.b", "1")]), "second*");
    check(span(4, &[("test.a", "1"), ("test.b", "1")]), "second*");
    check(span(2, &[("test.a", "1"), ("test.b", "1")]), "spans*");
    check(span(3, &[("test.a", "1")]), "spans*");
    check(span(3, &[("test.a", "1"), ("test.b", "1"), ("test.c", "1")]), "spans*");
    // The lowest order wins, whatever else fits.
    check(span(3, &[("test.a", "1"), ("test.b", "1"), ("test.first", "")]), "first*");
    check(span(3, &[("test.alone", "1")]), "third spans*");
    // A table that is home already gets no second row.
    check(span(3, &[("test.a", "1"), ("test.b", "1"), ("test.also", "1")]), "second* third");
    check(span(1, &[("test.also", "1")]), "second third spans*");
}

#[test]
fn hosts_and_status() {
    let check = |code: i32, pairs: &[(&str, &str)], expected: &str| {
        let status = Some(Status { code, ..Status::default() });
        check(Signal::Traces, &traces(vec![Span { status, ..span(1, pairs) }]), expected);
    };
    check(2, &[("server.address", "example.com")], "second*");
    check(2, &[("server.address", "EU.Example.com")], "second*");
    check(2, &[("server.address", "notexample.com")], "spans*");
    check(1, &[("server.address", "example.com")], "spans*");
    check(2, &[("http.host", "api.test:8080")], "second*");
    check(2, &[("url.full", "https://u:p@v1.api.test/x?y")], "second*");
    // The first name there is, is the host.
    check(2, &[("http.url", "https://api.test/"), ("net.peer.name", "other.test")], "spans*");
}

#[test]
fn logs_find_their_tables() {
    let check = |log: LogRecord, expected: &str| check(Signal::Logs, &logs(vec![log]), expected);
    check(log("", 0, &[]), "logs*");
    check(log("TEST.first", 0, &[]), "first*");
    check(log("", 0, &[("event.name", "Test.First")]), "first*");
    check(log("test.first.more", 0, &[]), "logs*");
    check(log("login", 9, &[]), "second*");
    check(log("Auth.Anything", 24, &[]), "second*");
    check(log("test.login", 8, &[("test.also", "1")]), "second logs*");
    check(log("test.first", 0, &[("test.also", "1")]), "first* second");
}

#[test]
fn events_of_spans_make_rows_of_their_own() {
    let event = |name: &str, pairs: &[(&str, &str)]| Event {
        name: name.to_owned(),
        time_unix_nano: RECEIVED + 3,
        attributes: attributes(pairs),
        ..Event::default()
    };
    let events = vec![
        event("other", &[]),
        event("Exception", &[("exception.type", "E1"), ("x", "own")]),
        event("exception", &[("test.number", "7")]),
        event("exception", &[("test.also", "1"), ("exception.type", "E3")]),
    ];
    let span = Span { events, ..span(2, &[("test.first", "1"), ("test.number", "5"), ("x", "of span")]) };
    let decoded = decode(Signal::Traces, &[&traces(vec![span])]);
    assert_eq!(tables(&decoded), "first* second second second third");
    assert_eq!(decoded.outcomes[0].accepted, 1);
    let rows = decoded.gather.table("second").unwrap();
    let column = |name: &str| (0..3).map(|row| cell(rows, name, row)).collect::<Vec<_>>();
    assert_eq!(column("event_index"), [Cell::Int(1), Cell::Int(2), Cell::Int(3)]);
    assert_eq!(column("exception_type"), ["E1".into(), Cell::Null, "E3".into()]);
    // What the event lacks is the span's.
    assert_eq!(column("number"), [Cell::Int(5), Cell::Int(7), Cell::Int(5)]);
    assert_eq!(column("name"), ["Exception".into(), "exception".into(), "exception".into()]);
    assert_eq!(column("kind"), vec![Cell::from("span_event"); 3]);
    assert_eq!(column("span_id"), vec![Cell::from("0202020202020202"); 3]);
    assert_eq!(column("duration_ns"), vec![Cell::Null; 3]);
    assert_eq!(column("events"), vec![Cell::Null; 3]);
    let own = Cell::Map(vec![("x".to_owned(), Some("own".to_owned()))]);
    assert_eq!(
        column("attributes"),
        [own, Cell::Null, Cell::Map(vec![("test.also".to_owned(), Some("1".to_owned()))])]
    );
    // The span keeps all of them.
    let span = decoded.gather.table("first").unwrap();
    let Cell::Text(events) = cell(span, "events", 0) else { panic!("no events") };
    assert_eq!(serde_json::from_str::<Vec<serde_json::Value>>(&events).unwrap().len(), 4);
}

#[test]
fn an_audit_request_is_taken_whole_or_not_at_all() {
    let bad = |mut log: LogRecord| {
        log.trace_id = vec![1; 5];
        log
    };
    let audited = || log("test.first", 0, &[]);
    let plain = || log("", 0, &[]);
    let check = |records: Vec<LogRecord>, accepted: u64, rejected: u64| {
        // Neighbours before and after stay as they are.
        let all = [logs(vec![plain()]), logs(records), logs(vec![audited()])];
        let decoded = decode(Signal::Logs, &all.each_ref().map(Vec::as_slice));
        let outcome = &decoded.outcomes[1];
        assert_eq!((outcome.accepted, outcome.rejected, outcome.malformed), (accepted, rejected, false));
        assert_eq!(outcome.reason.is_some(), rejected > 0);
        assert_eq!(decoded.gather.len() as u64, accepted + 2);
        assert_eq!([&decoded.outcomes[0], &decoded.outcomes[2]].map(|o| o.accepted), [1, 1]);
    };
    check(vec![plain(), audited(), plain()], 3, 0);
    check(vec![plain(), bad(plain()), plain()], 2, 1);
    check(vec![plain(), audited(), bad(plain())], 0, 3);
    check(vec![bad(plain()), plain(), audited()], 0, 3);
    check(vec![plain(), bad(audited())], 0, 2);
}

#[test]
fn neighbours_share_resources_without_mixing_them() {
    let of = |service: &str, spans: usize| {
        let resource = Some(Resource {
            attributes: attributes(&[("service.name", service), ("x", service)]),
            ..Resource::default()
        });
        let scope_spans = vec![ScopeSpans { spans: vec![span(2, &[]); spans], ..ScopeSpans::default() }];
        ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }
    };
    let body = |groups: Vec<ResourceSpans>| ExportTraceServiceRequest { resource_spans: groups }.encode_to_vec();
    let mut broken = body(vec![of("lost", 2), of("b", 1)]);
    broken.extend([0x0a, 0x7f]);
    let all = [
        body(vec![of("a", 2)]),
        body(vec![of("a", 1), of("b", 1)]),
        broken,
        body(vec![of("b", 2)]),
        traces(vec![span(2, &[])]),
    ];
    let decoded = decode(Signal::Traces, &all.each_ref().map(Vec::as_slice));
    let rows = decoded.gather.table("spans").unwrap();
    let column = |name: &str| (0..rows.len()).map(|row| cell(rows, name, row)).collect::<Vec<_>>();
    let services: Vec<Cell> = ["a", "a", "a", "b", "b", "b"].map(Cell::from).into_iter().chain([Cell::Null]).collect();
    assert_eq!(column("service_name"), services);
    let map = |value: &str| Cell::Map(vec![("x".to_owned(), Some(value.to_owned()))]);
    let maps: Vec<Cell> = ["a", "a", "a", "b", "b", "b"].map(map).into_iter().chain([Cell::Null]).collect();
    assert_eq!(column("resource"), maps);
    assert_eq!(rows.requests(), [0, 0, 1, 1, 3, 3, 4]);
    assert!(decoded.outcomes[2].malformed);
    // Nothing of the refused request is left behind, not even as a word of a dictionary.
    assert!(!format!("{:?}", rows.get("service_name")).contains("lost"));
}

#[test]
fn equal_records_have_identities_of_their_own() {
    let body =
        logs(vec![log("", 9, &[]), log("", 9, &[]), log("", 10, &[]), log("", 9, &[("log.record.uid", "given")])]);
    let uids = |decoded: &Decoded| {
        let rows = decoded.gather.table("logs").unwrap();
        (0..rows.len()).map(|row| cell(rows, "record_uid", row)).collect::<Vec<_>>()
    };
    let twice = uids(&decode(Signal::Logs, &[&body, &body]));
    assert_eq!(twice.len(), 8);
    // What is sent again is the same; what is equal in one request is not.
    assert_eq!(twice[..4], twice[4..]);
    assert!(twice[0] != twice[1] && twice[0] != twice[2] && twice[1] != twice[2]);
    // What a sender names a record by may name a person: only its keyed hash is kept.
    let given = keyring().key("acme", "record").unwrap().pseudonym_of(&[b"given"]).into_string();
    assert_eq!(twice[3], given.as_str().into());
}

#[test]
fn a_source_that_no_record_has_fails_the_build() {
    let check = |column: &str, expected: &str| {
        let folder = tempfile::tempdir().unwrap();
        let yaml = format!("table: odd\norder: 5\ncolumns:\n  - {{ name: c, {column} }}\n");
        std::fs::write(folder.path().join("odd.yaml"), yaml).unwrap();
        let catalog = Catalog::load(Some(folder.path())).unwrap();
        match Decoder::new(catalog.into(), keyring()) {
            Ok(_) => panic!("{column} was taken"),
            Err(error @ BuildError::Source { .. }) => assert_eq!(error.to_string(), expected),
            Err(error) => panic!("{error}"),
        }
    };
    check(
        "type: text, from: [\"field:colour\"]",
        "column odd.c has the source \"field:colour\", which is no field of a record, scope or request",
    );
    check(
        "type: int, from: [\"field:body\"]",
        "column odd.c has the source \"field:body\", which does not have the column's type",
    );
    check(
        "type: text, from: [\"x * 1e9\"]",
        "column odd.c has the source \"x * 1e9\", and only numbers and times can be scaled",
    );
    check(
        "type: map, from: [x, \"field:attributes\"]",
        "column odd.c has the source \"field:attributes\", and a column of whatever is left over takes no other source",
    );
}

#[test]
fn the_tables_that_ship_can_be_filled() {
    let catalog = Catalog::built_in().unwrap();
    if let Err(error) = Decoder::new(catalog.into(), keyring()) {
        panic!("{error}");
    }
}
