//! Bytes that nobody should send.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use otlp::{Outcome, Signal, WireError, count_data_points};
use proptest::prelude::*;
use prost::Message;

use crate::generate;
use crate::routing::{log, logs, span, traces};
use crate::support::{decode, rows_of};

fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

/// A length-delimited field.
fn bytes(number: u64, content: &[u8]) -> Vec<u8> {
    [varint(number << 3 | 2), varint(content.len() as u64), content.to_vec()].concat()
}

fn number(number: u64, value: u64) -> Vec<u8> {
    [varint(number << 3), varint(value)].concat()
}

/// A request around encoded spans, or log records: both are wrapped alike.
fn request(records: &[Vec<u8>]) -> Vec<u8> {
    let records: Vec<u8> = records.iter().flat_map(|record| bytes(2, record)).collect();
    bytes(1, &bytes(2, &records))
}

const IDS: [&[u8]; 2] =
    [&[0x0a, 16, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], &[0x12, 8, 2, 2, 2, 2, 2, 2, 2, 2]];

/// A span with ids and whatever fields.
fn with(fields: &[u8]) -> Vec<u8> {
    [&IDS.concat(), fields].concat()
}

fn attribute(key: &[u8], any_value: &[u8]) -> Vec<u8> {
    [bytes(1, key), bytes(2, any_value)].concat()
}

/// Decodes a request between two good ones, which must come out as if it were not there.
fn outcome(signal: Signal, body: &[u8]) -> Outcome {
    let good = match signal {
        Signal::Logs => logs(vec![log("login", 9, &[("a", "b")])]),
        _ => traces(vec![span(3, &[("a", "b"), ("http.method", "GET")])]),
    };
    let alone = decode(signal, &[&good]);
    let decoded = decode(signal, &[&good, body, &good]);
    for request in [0, 2] {
        assert_eq!(rows_of(&decoded.gather, request), rows_of(&alone.gather, 0));
    }
    let outcome = decoded.outcomes[1].clone();
    let rows = rows_of(&decoded.gather, 1).len() as u64;
    if outcome.malformed {
        assert_eq!((outcome.accepted, outcome.rejected, rows), (0, 0, 0));
    }
    assert!(rows >= outcome.accepted || signal == Signal::Metrics);
    assert_eq!(outcome.reason.is_some(), outcome.malformed || outcome.rejected > 0);
    outcome
}

fn malformed(what: &str, signal: Signal, body: &[u8]) {
    assert!(outcome(signal, body).malformed, "{what}");
}

/// A request of one good record and the given one, which alone is refused.
fn refused(what: &str, signal: Signal, record: Vec<u8>) {
    let neighbour = if signal == Signal::Traces { with(&[]) } else { Vec::new() };
    let outcome = outcome(signal, &request(&[record, neighbour]));
    assert_eq!((outcome.accepted, outcome.rejected, outcome.malformed), (1, 1, false), "{what}: {outcome:?}");
}

fn taken(what: &str, signal: Signal, records: &[Vec<u8>]) {
    let outcome = outcome(signal, &request(records));
    let expected = Outcome { accepted: records.len() as u64, ..Outcome::default() };
    assert_eq!(outcome, expected, "{what}");
}

#[test]
fn broken_framing_costs_its_request() {
    let spans = |what: &str, record: &[u8]| {
        malformed(what, Signal::Traces, &request(&[with(&[]), record.to_vec(), with(&[])]));
    };
    spans("a length of 4 GiB", &[0x2a, 0xff, 0xff, 0xff, 0xff, 0x0f]);
    spans("a length of 2^63", &[0x2a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]);
    spans("a group", &[0x2b, 0x2c]);
    spans("nested groups", &[0x2b; 10_000]);
    spans("an endless varint", &[0xff; 11]);
    spans("field number 0", &[0x02, 0x00]);
    spans("half a fixed64", &[0x39, 1, 2, 3]);
    spans("half a tag", &[0x80]);
    for (field, wire) in [
        (1, 0),
        (2, 5),
        (3, 0),
        (4, 1),
        (5, 0),
        (6, 2),
        (7, 0),
        (8, 2),
        (9, 0),
        (10, 2),
        (11, 0),
        (12, 1),
        (13, 5),
        (14, 2),
        (15, 0),
        (16, 0),
    ] {
        let value: &[u8] = match wire {
            0 | 2 => &[0],
            5 => &[0; 4],
            _ => &[0; 8],
        };
        spans(&format!("field {field} with wire type {wire}"), &[&varint(field << 3 | wire), value].concat());
    }
    spans("an event that is cut", &bytes(11, &[0x12, 5, b'x']));
    spans("a link with a wrong type", &bytes(13, &[0x08, 1]));
    spans("a status with a wrong type", &bytes(15, &[0x10, 1]));
    spans("an attribute that is cut", &bytes(9, &[0x0a, 5]));
    spans("a value that is cut", &bytes(9, &attribute(b"k", &[0x0a, 5])));
    spans("an array that is cut", &bytes(9, &attribute(b"k", &bytes(5, &[0x0a, 5]))));
    spans("broken framing behind a bad record", &[bytes(5, &[0xff]), vec![0x80]].concat());
    malformed("a number for a resource", Signal::Traces, &bytes(1, &number(1, 1)));
    malformed("a number for a scope", Signal::Traces, &bytes(1, &bytes(2, &number(1, 1))));
    malformed("a number for a request", Signal::Traces, &number(1, 1));
    malformed(
        "a resource that is cut",
        Signal::Traces,
        &bytes(1, &[bytes(1, &[0x0a, 9]), bytes(2, &bytes(2, &with(&[])))].concat()),
    );
    malformed("text", Signal::Logs, b"{\"resourceLogs\": []}");
    malformed("noise", Signal::Logs, &[0x9f; 4096]);
    malformed("a log with a wrong type", Signal::Logs, &request(&[number(1, 1)]));
}

#[test]
fn every_cut_of_a_request_costs_it_or_nothing() {
    let body = traces(vec![span(3, &[("a", "b"), ("http.method", "GET")]); 3]);
    let mut clean = 0;
    for end in 0..body.len() {
        clean += u32::from(!outcome(Signal::Traces, &body[..end]).malformed);
    }
    // Only nothing at all is a message in this nesting.
    assert_eq!(clean, 1);
}

#[test]
fn a_bad_record_costs_itself() {
    let spans = |what: &str, fields: Vec<u8>| refused(what, Signal::Traces, with(&fields));
    let bad = [0xff, 0xfe];
    for (field, what) in [(3, "trace state"), (5, "name")] {
        spans(what, bytes(field, &bad));
    }
    spans("status message", bytes(15, &bytes(2, &bad)));
    spans("attribute key", bytes(9, &attribute(&bad, &[])));
    spans("attribute value", bytes(9, &attribute(b"k", &bytes(1, &bad))));
    spans("a value in an array", bytes(9, &attribute(b"k", &bytes(5, &bytes(1, &bytes(1, &bad))))));
    spans("a key in a list", bytes(9, &attribute(b"k", &bytes(6, &bytes(1, &bytes(1, &bad))))));
    spans("event name", bytes(11, &bytes(2, &bad)));
    spans("event attribute", bytes(11, &bytes(3, &attribute(b"k", &bytes(1, &bad)))));
    spans("link state", bytes(13, &bytes(3, &bad)));
    spans("link attribute", bytes(13, &bytes(4, &attribute(&bad, &[]))));
    for size in [1, 8, 15, 17, 32] {
        spans("trace id", bytes(1, &vec![3; size]));
    }
    spans("span id", bytes(2, &[3; 16]));
    spans("parent span id", bytes(4, &[0; 3]));
    for (field, what) in [(3, "severity text"), (12, "event name")] {
        refused(what, Signal::Logs, bytes(field, &bad));
    }
    refused("body", Signal::Logs, bytes(5, &bytes(1, &bad)));
    refused("log trace id", Signal::Logs, bytes(9, &[1; 15]));
    refused("log span id", Signal::Logs, bytes(10, &[1; 15]));
    let reason = outcome(Signal::Traces, &request(&[with(&bytes(5, b"secret \xff")), with(&[])])).reason.unwrap();
    assert_eq!(reason, "1 of 2 spans refused: the name of a span is not valid UTF-8");
}

#[test]
fn a_bad_resource_or_scope_costs_the_records_below_it() {
    let bad = bytes(1, &bytes(1, &attribute(b"k", &bytes(1, b"\xff"))));
    let scope = bytes(2, &bytes(2, &with(&[])));
    let body = [bytes(1, &[bad, scope.clone(), scope.clone()].concat()), bytes(1, &scope)].concat();
    let outcome_of = outcome(Signal::Traces, &body);
    assert_eq!((outcome_of.accepted, outcome_of.rejected), (1, 2));
    let named = bytes(2, &[bytes(1, &bytes(1, b"\xff")), bytes(2, &with(&[]))].concat());
    let outcome_of = outcome(Signal::Traces, &bytes(1, &[named, scope].concat()));
    assert_eq!((outcome_of.accepted, outcome_of.rejected), (1, 1));
}

/// A value `levels` deep, in arrays or in lists.
fn nested(levels: usize, is_list: bool) -> Vec<u8> {
    let mut value = bytes(1, b"core");
    for _ in 0..levels {
        let element = if is_list { bytes(1, &[bytes(1, b"k"), bytes(2, &value)].concat()) } else { bytes(1, &value) };
        value = bytes(if is_list { 6 } else { 5 }, &element);
    }
    value
}

#[test]
fn nesting_has_a_bound() {
    for is_list in [false, true] {
        taken("64 levels", Signal::Traces, &[with(&bytes(9, &attribute(b"k", &nested(64, is_list))))]);
        taken("64 levels of a body", Signal::Logs, &[bytes(5, &nested(64, is_list))]);
        for levels in [65, 1_000, 10_000] {
            refused("deep attribute", Signal::Traces, with(&bytes(9, &attribute(b"k", &nested(levels, is_list)))));
            refused(
                "deep event",
                Signal::Traces,
                with(&bytes(11, &bytes(3, &attribute(b"k", &nested(levels, is_list))))),
            );
            refused("deep body", Signal::Logs, bytes(5, &nested(levels, is_list)));
        }
    }
}

#[test]
fn what_is_odd_but_well_formed_is_taken() {
    assert_eq!(outcome(Signal::Traces, &[]), Outcome::default());
    assert_eq!(outcome(Signal::Logs, &bytes(1, &[])), Outcome::default());
    assert_eq!(outcome(Signal::Logs, &bytes(1, &bytes(2, &[]))), Outcome::default());
    taken("empty spans", Signal::Traces, &[vec![], vec![]]);
    taken("empty logs", Signal::Logs, &[vec![], vec![]]);
    taken(
        "empty parts",
        Signal::Traces,
        &[with(&[bytes(9, &[]), bytes(11, &[]), bytes(13, &[]), bytes(15, &[])].concat())],
    );
    taken("ids of no bytes", Signal::Traces, &[[bytes(1, &[]), bytes(2, &[]), bytes(4, &[])].concat()]);
    taken("ids of zeros", Signal::Traces, &[[bytes(1, &[0; 16]), bytes(2, &[0; 8]), bytes(4, &[0; 8])].concat()]);
    taken("a bad id before a good one", Signal::Traces, &[[bytes(1, &[1; 3]), with(&[])].concat()]);
    taken("unknown fields", Signal::Traces, &[with(&[bytes(999, b"\xff"), number(1 << 28, 5)].concat())]);
    taken("negative enums", Signal::Traces, &[with(&number(6, u64::MAX))]);
    taken(
        "100,000 keys",
        Signal::Traces,
        &[with(
            &(0..100_000).flat_map(|n| bytes(9, &attribute(format!("key {n}").as_bytes(), &[]))).collect::<Vec<_>>(),
        )],
    );
}

#[test]
fn memory_stays_linear() {
    // A resource of 100 kB that 10,000 spans would repeat: 1 GB.
    let resource = bytes(1, &bytes(1, &attribute(b"k", &bytes(1, &[b'x'; 100_000]))));
    let spans: Vec<u8> = (0..10_000).flat_map(|_| bytes(2, &with(&[]))).collect();
    let outcome_of = outcome(Signal::Traces, &bytes(1, &[resource, bytes(2, &spans)].concat()));
    assert!(outcome_of.accepted > 100 && outcome_of.rejected > 9_000, "{outcome_of:?}");
    // An attribute of 100 kB that the rows of 10,000 events would repeat.
    let key = bytes(9, &attribute(b"test.header", &bytes(1, &[b'x'; 100_000])));
    let events: Vec<u8> = (0..10_000).flat_map(|_| bytes(11, &bytes(2, b"exception"))).collect();
    let outcome_of = outcome(Signal::Traces, &request(&[with(&[key, events].concat())]));
    assert_eq!((outcome_of.accepted, outcome_of.rejected), (0, 1));
    // Rows out of nothing.
    let outcome_of = outcome(Signal::Logs, &request(&vec![Vec::new(); 100_000]));
    assert!(outcome_of.accepted > 500 && outcome_of.rejected > 80_000, "{outcome_of:?}");
}

#[test]
fn repeated_fields_follow_protobuf() {
    // The last scalar, merged messages, all elements: prost is the judge.
    let array = |element: &[u8]| bytes(5, &bytes(1, &bytes(1, element)));
    let records = [
        with(&[bytes(5, b"first"), bytes(5, b"second"), number(6, 1), number(6, 3)].concat()),
        with(&[bytes(15, &bytes(2, b"why")), bytes(15, &number(3, 2))].concat()),
        with(&bytes(9, &[bytes(1, b"k"), bytes(1, b"l"), bytes(2, &array(b"a")), bytes(2, &array(b"b"))].concat())),
        with(&bytes(9, &attribute(b"k", &[bytes(1, b"text"), array(b"a"), array(b"b")].concat()))),
        with(&bytes(9, &attribute(b"k", &[array(b"a"), bytes(1, b"text")].concat()))),
        with(&bytes(9, &attribute(b"k", &[array(b"a"), bytes(6, &[]), array(b"b")].concat()))),
    ];
    let scope = bytes(2, &[bytes(1, &bytes(1, b"a")), bytes(2, &records[0]), bytes(1, &bytes(2, b"2"))].concat());
    let resource = |value: &[u8]| bytes(1, &bytes(1, &attribute(b"service.name", &bytes(1, value))));
    let late = bytes(1, &[resource(b"one"), scope, resource(b"two")].concat());
    for body in records.iter().map(|record| request(std::slice::from_ref(record))).chain([late]) {
        let canonical = ExportTraceServiceRequest::decode(&*body).unwrap().encode_to_vec();
        assert_ne!(body, canonical);
        let decoded = decode(Signal::Traces, &[&body, &canonical]);
        assert_eq!(rows_of(&decoded.gather, 0), rows_of(&decoded.gather, 1));
    }
}

#[test]
fn data_points_are_counted() {
    let points = |kind: u64, count: usize| bytes(kind, &bytes(1, &[]).repeat(count));
    let request = |metrics: &[Vec<u8>]| {
        let metrics: Vec<u8> = metrics.iter().flat_map(|metric| bytes(2, metric)).collect();
        bytes(1, &bytes(2, &metrics))
    };
    let check = |body: &[u8], expected| assert_eq!(count_data_points(body), expected);
    check(&[], Ok(0));
    check(&request(&[points(5, 2), points(7, 1), points(9, 3), points(10, 1), points(11, 4)]), Ok(11));
    check(&request(&[[points(5, 2), points(5, 1)].concat()]), Ok(3));
    check(&request(&[[points(5, 2), points(7, 1)].concat()]), Ok(1));
    check(&request(&[number(5, 1)]), Err(WireError::Type { field: 5 }));
    check(&[0x0a, 0x7f], Err(WireError::Length));
    assert_eq!(outcome(Signal::Metrics, &request(&[points(5, 2)])).accepted, 2);
    malformed("a broken metric", Signal::Metrics, &request(&[number(5, 1)]));
}

/// Ways to break bytes.
#[derive(Debug, Clone)]
enum Damage {
    Set(usize, u8),
    Cut(usize),
    Insert(usize, Vec<u8>),
    Remove(usize, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<usize>();
    prop_oneof![
        4 => (at, any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        1 => at.prop_map(Damage::Cut),
        1 => (at, proptest::collection::vec(any::<u8>(), 1..20)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        1 => (at, 1..20usize).prop_map(|(at, count)| Damage::Remove(at, count)),
    ]
}

fn damaged(mut body: Vec<u8>, damages: Vec<Damage>) -> Vec<u8> {
    for damage in damages {
        let len = body.len().max(1);
        match damage {
            Damage::Set(at, byte) => body.iter_mut().skip(at % len).take(1).for_each(|b| *b = byte),
            Damage::Cut(at) => body.truncate(at % len),
            Damage::Insert(at, bytes) => {
                let at = (at % len).min(body.len());
                body.splice(at..at, bytes);
            }
            Damage::Remove(at, count) => {
                let at = (at % len).min(body.len());
                body.drain(at..(at + count).min(body.len()));
            }
        }
    }
    body
}

fn neighbours_stay(signal: Signal, good: [Vec<u8>; 2], bad: Vec<u8>) {
    let decoded = decode(signal, &[&good[0], &bad, &good[1]]);
    for (request, body) in [(0, &good[0]), (2, &good[1])] {
        let alone = decode(signal, &[body]);
        assert_eq!(rows_of(&decoded.gather, request), rows_of(&alone.gather, 0));
        assert_eq!(decoded.outcomes[request as usize], alone.outcomes[0]);
    }
    let alone = decode(signal, &[&bad]);
    assert_eq!(decoded.outcomes[1], alone.outcomes[0]);
    assert_eq!(rows_of(&decoded.gather, 1), rows_of(&alone.gather, 0));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_traces_cost_no_neighbour(
        good in [generate::traces(), generate::traces()],
        bad in generate::traces(),
        damages in proptest::collection::vec(damage(), 1..4),
    ) {
        neighbours_stay(Signal::Traces, good.map(|g| g.encode_to_vec()), damaged(bad.encode_to_vec(), damages));
    }

    #[test]
    fn damaged_logs_cost_no_neighbour(
        good in [generate::logs(), generate::logs()],
        bad in generate::logs(),
        damages in proptest::collection::vec(damage(), 1..4),
    ) {
        neighbours_stay(Signal::Logs, good.map(|g| g.encode_to_vec()), damaged(bad.encode_to_vec(), damages));
    }

    #[test]
    fn noise_never_panics(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        for signal in [Signal::Traces, Signal::Logs, Signal::Metrics] {
            decode(signal, &[&body]);
            let _refused_or_not = otlp::json_to_protobuf(signal, &body);
        }
    }
}
