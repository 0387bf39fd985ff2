//! OTLP/JSON: against prost's own reading of it, in all spellings, and as it was captured.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::exemplar::Value as ExemplarValue;
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as NumberValue;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::*;
use otlp::{Signal, count_data_points, json_to_protobuf};
use proptest::prelude::*;
use prost::Message;
use serde::Serialize;

use crate::generate;
use crate::routing::text;
use crate::support::{Cell, cell, decode};

/// From a message to JSON as prost's types write it, to wire bytes as we read it, to a message again.
fn through_json<M: Message + Default + Serialize>(signal: Signal, message: &M) -> M {
    let json = serde_json::to_vec(message).unwrap();
    let bytes = json_to_protobuf(signal, &json).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&json)));
    M::decode(&*bytes).unwrap()
}

/// Their JSON writes `null` for a number that is not finite, and loses it.
fn finite(value: &mut AnyValue) {
    match &mut value.value {
        Some(Value::DoubleValue(v)) if !v.is_finite() => *v = 1.5,
        Some(Value::ArrayValue(array)) => array.values.iter_mut().for_each(finite),
        Some(Value::KvlistValue(list)) => all_finite(&mut list.values),
        _ => {}
    }
}

fn all_finite(attributes: &mut [KeyValue]) {
    attributes.iter_mut().filter_map(|a| a.value.as_mut()).for_each(finite);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_traces(mut message in generate::traces()) {
        for group in &mut message.resource_spans {
            group.resource.iter_mut().for_each(|r| all_finite(&mut r.attributes));
            for scope in &mut group.scope_spans {
                scope.scope.iter_mut().for_each(|s| all_finite(&mut s.attributes));
                for span in &mut scope.spans {
                    all_finite(&mut span.attributes);
                    span.events.iter_mut().for_each(|e| all_finite(&mut e.attributes));
                    span.links.iter_mut().for_each(|l| all_finite(&mut l.attributes));
                }
            }
        }
        prop_assert_eq!(through_json(Signal::Traces, &message), message);
    }

    #[test]
    fn random_logs(mut message in generate::logs()) {
        for group in &mut message.resource_logs {
            group.resource.iter_mut().for_each(|r| all_finite(&mut r.attributes));
            for scope in &mut group.scope_logs {
                scope.scope.iter_mut().for_each(|s| all_finite(&mut s.attributes));
                for log in &mut scope.log_records {
                    all_finite(&mut log.attributes);
                    log.body.iter_mut().for_each(finite);
                }
            }
        }
        prop_assert_eq!(through_json(Signal::Logs, &message), message);
    }
}

fn every_metric() -> ExportMetricsServiceRequest {
    let exemplar = Exemplar {
        filtered_attributes: vec![text("k", "v")],
        time_unix_nano: 3,
        span_id: vec![1; 8],
        trace_id: vec![2; 16],
        value: Some(ExemplarValue::AsInt(-4)),
    };
    let number = |value| NumberDataPoint {
        attributes: vec![text("k", "v")],
        start_time_unix_nano: 1,
        time_unix_nano: u64::MAX,
        exemplars: vec![exemplar.clone()],
        flags: 1,
        value: Some(value),
    };
    let histogram = HistogramDataPoint {
        count: 3,
        sum: Some(0.25),
        bucket_counts: vec![1, 2, u64::MAX],
        explicit_bounds: vec![0.5, 2.5],
        min: Some(-1.0),
        ..HistogramDataPoint::default()
    };
    let exponential = ExponentialHistogramDataPoint {
        count: 9,
        scale: -3,
        zero_count: 2,
        positive: Some(Buckets { offset: -7, bucket_counts: vec![1, u64::MAX] }),
        zero_threshold: 0.125,
        max: Some(4.0),
        ..ExponentialHistogramDataPoint::default()
    };
    let quantile = |quantile, value| ValueAtQuantile { quantile, value };
    let summary = SummaryDataPoint {
        count: 2,
        sum: 1.5,
        quantile_values: vec![quantile(0.5, f64::INFINITY), quantile(1.0, 2.0)],
        ..SummaryDataPoint::default()
    };
    let points = vec![number(NumberValue::AsInt(i64::MIN)), number(NumberValue::AsDouble(0.1))];
    let metric = |data| Metric { name: "m".to_owned(), unit: "s".to_owned(), data: Some(data), ..Metric::default() };
    let metrics = vec![
        metric(Data::Gauge(Gauge { data_points: points.clone() })),
        metric(Data::Sum(Sum { data_points: points, aggregation_temporality: 2, is_monotonic: true })),
        metric(Data::Histogram(Histogram { data_points: vec![histogram], aggregation_temporality: 1 })),
        metric(Data::ExponentialHistogram(ExponentialHistogram {
            data_points: vec![exponential],
            aggregation_temporality: 1,
        })),
        metric(Data::Summary(Summary { data_points: vec![summary] })),
    ];
    let scope_metrics = vec![ScopeMetrics { metrics, ..ScopeMetrics::default() }];
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics { scope_metrics, ..ResourceMetrics::default() }],
    }
}

#[test]
fn every_kind_of_metric() {
    let message = every_metric();
    assert_eq!(through_json(Signal::Metrics, &message), message);
    assert_eq!(count_data_points(&message.encode_to_vec()), Ok(7));
}

fn span(json: &str) -> opentelemetry_proto::tonic::trace::v1::Span {
    let json = format!(r#"{{"resourceSpans": [{{"scopeSpans": [{{"spans": [{json}]}}]}}]}}"#);
    let bytes = json_to_protobuf(Signal::Traces, json.as_bytes()).unwrap_or_else(|e| panic!("{e}: {json}"));
    let mut message = ExportTraceServiceRequest::decode(&*bytes).unwrap();
    message.resource_spans.remove(0).scope_spans.remove(0).spans.remove(0)
}

#[test]
fn one_thing_in_many_spellings() {
    let check = |spellings: &[&str]| {
        let first = span(spellings[0]);
        assert_ne!(first, Default::default());
        for other in &spellings[1..] {
            assert_eq!(span(other), first, "{other}");
        }
    };
    check(&[
        r#"{"traceId": "5b8efff798038103d269b633813fc60c"}"#,
        r#"{"traceId": "5B8EFFF798038103D269B633813FC60C"}"#,
        r#"{"trace_id": "W47/95gDgQPSabYzgT/GDA=="}"#,
        r#"{"traceId": "W47_95gDgQPSabYzgT_GDA=="}"#,
    ]);
    check(&[r#"{"spanId": "eee19b7ec3c1b174"}"#, r#"{"span_id": "7uGbfsPBsXQ="}"#]);
    check(&[
        r#"{"kind": 3}"#,
        r#"{"kind": "SPAN_KIND_CLIENT"}"#,
        r#"{"kind": "CLIENT"}"#,
        r#"{"kind": "3"}"#,
        r#"{"kind": 3.0}"#,
    ]);
    check(&[
        r#"{"startTimeUnixNano": "1795245353215369242"}"#,
        r#"{"start_time_unix_nano": 1795245353215369242}"#,
        r#"{"startTimeUnixNano": 1795245353215369242, "unknown": {"deep": [1, {"a": null}]}, "name": null, "status": null}"#,
    ]);
    let attribute = |value: &str| format!(r#"{{"attributes": [{{"key": "k", "value": {value}}}]}}"#);
    let same = |values: &[&str]| {
        let all: Vec<String> = values.iter().map(|value| attribute(value)).collect();
        check(&all.iter().map(String::as_str).collect::<Vec<_>>());
    };
    same(&[r#"{"intValue": "-5"}"#, r#"{"intValue": -5}"#, r#"{"int_value": -5.0}"#]);
    same(&[r#"{"doubleValue": 5}"#, r#"{"doubleValue": 5.0}"#, r#"{"doubleValue": "5"}"#, r#"{"doubleValue": "5e0"}"#]);
    same(&[r#"{"doubleValue": "Infinity"}"#, r#"{"double_value": "Infinity"}"#]);
    same(&[r#"{"bytesValue": "+/8="}"#, r#"{"bytesValue": "-_8="}"#, r#"{"bytesValue": "+/8"}"#]);
    same(&[r#"{"boolValue": true}"#, r#"{"boolValue": "true"}"#]);
    same(&[
        r#"{"kvlistValue": {"values": [{"key": "a", "value": {"stringValue": "é😀"}}]}}"#,
        r#"{"kvlist_value": {"values": [{"value": {"string_value": "\u00e9\ud83d\ude00"}, "key": "a"}]}}"#,
    ]);
    same(&["{}", r#"{"stringValue": null}"#, r#"{"arrayValue": null}"#]);
}

#[test]
fn errors_say_where_and_nothing_of_what() {
    let check = |json: &str, expected: &str| {
        let error = json_to_protobuf(Signal::Logs, json.as_bytes()).unwrap_err().to_string();
        assert_eq!(error, format!("reading OTLP/JSON at {expected}"), "{json}");
    };
    check("", "line 1 column 0: the JSON ends too early");
    check("\"secret\"", "line 1 column 8: an export request is an object");
    check("{\"resourceLogs\": \"secret\"}", "line 1 column 25: the value is not one that field resourceLogs can have");
    check("{\"resourceLogs\":\n [7]}", "line 2 column 3: the value is not one that field resourceLogs can have");
    check("{\"resourceLogs\": [}", "line 1 column 19: it is not valid JSON, or nested too deep");
    check("{} secret", "line 1 column 4: it is not valid JSON, or nested too deep");
    let scope = |log: &str| format!("{{\"resourceLogs\":[{{\"scopeLogs\":[{{\"logRecords\":[{{{log}}}]}}]}}]}}");
    let place = |log: &str| scope(log).len() - 7;
    for (log, field) in [
        ("\"severityNumber\":\"LOUD\"", "severityNumber"),
        ("\"timeUnixNano\":\"today\"", "timeUnixNano"),
        ("\"timeUnixNano\":-1", "timeUnixNano"),
        ("\"flags\":4294967296", "flags"),
        ("\"body\":{\"intValue\":\"18446744073709551616\"", "intValue"),
        ("\"body\":{\"bytesValue\":\"*\"", "bytesValue"),
        ("\"eventName\":7", "eventName"),
    ] {
        let json = if log.contains('{') { scope(&format!("{log}}}")) } else { scope(log) };
        let error = json_to_protobuf(Signal::Logs, json.as_bytes()).unwrap_err();
        assert_eq!(error.what, format!("the value is not one that field {field} can have"));
        assert!(error.column.abs_diff(place(log)) < 4, "{} {}", error.column, place(log));
    }
}

#[test]
fn nesting_has_a_bound() {
    for open in ["[", "{\"a\":", "{\"resourceLogs\":[", "{\"resourceLogs\":[{\"scopeLogs\":["] {
        assert!(json_to_protobuf(Signal::Logs, open.repeat(100_000).as_bytes()).is_err());
    }
    let levels = "{\"arrayValue\":{\"values\":[";
    let log = |depth: usize| {
        let body = format!("{}{{}}{}", levels.repeat(depth), "]}}".repeat(depth));
        format!("{{\"resourceLogs\":[{{\"scopeLogs\":[{{\"logRecords\":[{{\"body\":{body}}}]}}]}}]}}")
    };
    assert!(json_to_protobuf(Signal::Logs, log(38).as_bytes()).is_ok());
    assert!(json_to_protobuf(Signal::Logs, log(60).as_bytes()).is_err());
}

#[test]
fn a_bad_id_costs_its_record() {
    let log = |id: &str| format!("{{\"traceId\": \"{id}\", \"body\": {{\"stringValue\": \"x\"}}}}");
    let good = log("5b8efff798038103d269b633813fc60c");
    for bad in ["not an id at all", "5b8e", "5b8efff798038103d269b633813fc60", "*"] {
        let json =
            format!("{{\"resourceLogs\": [{{\"scopeLogs\": [{{\"logRecords\": [{good}, {}, {good}]}}]}}]}}", log(bad));
        let decoded = decode(Signal::Logs, &[&json_to_protobuf(Signal::Logs, json.as_bytes()).unwrap()]);
        assert_eq!((decoded.outcomes[0].accepted, decoded.outcomes[0].rejected), (2, 1), "{bad}");
    }
}

/// Captured export requests: signal and JSON.
pub fn captures() -> Vec<(Signal, String)> {
    include_str!("../fixtures/captures.jsonl")
        .lines()
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let signal = match line["path"].as_str().unwrap() {
                "/v1/traces" => Signal::Traces,
                "/v1/logs" => Signal::Logs,
                _ => Signal::Metrics,
            };
            (signal, line["body"].to_string())
        })
        .collect()
}

#[test]
fn captured_requests_are_taken_whole() {
    let mut seen = [0; 3];
    for (signal, json) in captures() {
        let body = json_to_protobuf(signal, json.as_bytes()).unwrap();
        let records = match signal {
            Signal::Traces => {
                let message = ExportTraceServiceRequest::decode(&*body).unwrap();
                message.resource_spans.iter().flat_map(|r| &r.scope_spans).map(|s| s.spans.len()).sum()
            }
            Signal::Logs => {
                let message = ExportLogsServiceRequest::decode(&*body).unwrap();
                message.resource_logs.iter().flat_map(|r| &r.scope_logs).map(|s| s.log_records.len()).sum()
            }
            Signal::Metrics => count_data_points(&body).unwrap() as usize,
        };
        let decoded = decode(signal, &[&body]);
        assert_eq!((decoded.outcomes[0].accepted, decoded.outcomes[0].rejected), (records as u64, 0));
        seen[signal as usize] += records;
        for rows in decoded.gather.tables() {
            for row in 0..rows.len() {
                let Cell::Text(trace) = cell(rows, "trace_id", row) else { continue };
                assert!(json.contains(&base64_of(&trace)), "{trace}");
            }
        }
    }
    assert!(seen.iter().all(|records| *records > 5), "{seen:?}");
}

fn base64_of(hex: &str) -> String {
    use base64::Engine;
    let bytes: Vec<u8> =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
