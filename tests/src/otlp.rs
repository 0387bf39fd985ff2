//! Export requests with few words.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
pub use prost::Message;

/// The content type of protobuf bodies.
pub const PROTOBUF: &str = "application/x-protobuf";

/// Nanoseconds since 1970.
pub fn now() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).expect("clock").as_nanos()).expect("until 2554")
}

/// A value.
pub fn value(value: any_value::Value) -> AnyValue {
    AnyValue { value: Some(value) }
}

/// A text.
pub fn text(text: impl Into<String>) -> AnyValue {
    value(any_value::Value::StringValue(text.into()))
}

/// A number.
pub fn int(number: i64) -> AnyValue {
    value(any_value::Value::IntValue(number))
}

/// An attribute.
pub fn attribute(key: impl Into<String>, value: AnyValue) -> KeyValue {
    KeyValue { key: key.into(), value: Some(value), ..Default::default() }
}

/// A text attribute.
pub fn tag(key: &str, value: impl Into<String>) -> KeyValue {
    attribute(key, text(value))
}

/// A resource with a service name.
pub fn service(name: &str) -> Resource {
    Resource { attributes: vec![tag("service.name", name)], ..Default::default() }
}

/// One request of log records.
pub fn logs(service_name: &str, log_records: Vec<LogRecord>) -> ExportLogsServiceRequest {
    let scope = Some(InstrumentationScope { name: "tests".to_owned(), ..Default::default() });
    let scope_logs = vec![ScopeLogs { scope, log_records, ..Default::default() }];
    ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs { resource: Some(service(service_name)), scope_logs, ..Default::default() }],
    }
}

/// One request of spans.
pub fn spans(service_name: &str, spans: Vec<Span>) -> ExportTraceServiceRequest {
    let scope = Some(InstrumentationScope { name: "tests".to_owned(), ..Default::default() });
    let scope_spans = vec![ScopeSpans { scope, spans, ..Default::default() }];
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(service(service_name)),
            scope_spans,
            ..Default::default()
        }],
    }
}

/// A log record of now, known by its uid.
pub fn log(uid: &str, body: &str) -> LogRecord {
    LogRecord {
        time_unix_nano: now(),
        severity_number: 9,
        severity_text: "INFO".to_owned(),
        body: Some(text(body)),
        attributes: vec![tag("log.record.uid", uid)],
        ..Default::default()
    }
}

/// A served request of now, in a trace of its own.
pub fn served(id: u64, route: &str) -> Span {
    let end = now();
    Span {
        trace_id: [[0xab; 8], id.to_be_bytes()].concat(),
        span_id: id.to_be_bytes().to_vec(),
        name: format!("GET {route}"),
        kind: 2,
        start_time_unix_nano: end - u64::try_from(Duration::from_millis(12).as_nanos()).expect("small"),
        end_time_unix_nano: end,
        attributes: vec![
            tag("http.request.method", "GET"),
            tag("http.route", route),
            tag("url.path", route),
            attribute("http.response.status_code", int(200)),
        ],
        ..Default::default()
    }
}
