//! Microseconds per span and per log record on one thread, beside prost on the same bytes.
//!
//! `cargo bench -p otlp --profile dist`, with `-- alone` to leave prost out of a profile.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use component::Keyring;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use otlp::{Decoder, Request, Signal};
use prost::Message;
use schemas::Catalog;

const START: u64 = 1_795_245_353_000_000_000;
const BATCHES: usize = 100;
const BATCH: usize = 200;
/// Most bytes of one gather.
const GATHER: usize = 4 << 20;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let catalog = Arc::new(Catalog::built_in()?);
    let keys = Arc::new(Keyring::new(&[7; 32], 1)?);
    let mut decoder = Decoder::new(catalog, keys)?;
    let spans: Vec<Vec<u8>> = (0..BATCHES).map(|batch| traces(batch).encode_to_vec()).collect();
    let records: Vec<Vec<u8>> = (0..BATCHES).map(|batch| logs(batch).encode_to_vec()).collect();
    let single: Vec<Vec<u8>> = (0..BATCHES * BATCH).map(|n| request(n, vec![span(n)]).encode_to_vec()).collect();
    for (what, signal, bodies) in [
        ("span", Signal::Traces, &spans),
        ("log record", Signal::Logs, &records),
        ("request of one span", Signal::Traces, &single),
    ] {
        let size = bodies.iter().map(Vec::len).sum::<usize>() / (BATCHES * BATCH);
        let ours = best(|| decode(&mut decoder, signal, bodies));
        if std::env::args().any(|arg| arg == "alone") {
            println!("{what} of {size} bytes: {ours:.3} us");
            continue;
        }
        let prost = best(|| match signal {
            Signal::Traces => bodies.iter().for_each(|b| drop(black_box(ExportTraceServiceRequest::decode(&**b)))),
            _ => bodies.iter().for_each(|b| drop(black_box(ExportLogsServiceRequest::decode(&**b)))),
        });
        println!("{what} of {size} bytes: {ours:.3} us, prost alone {prost:.3} us");
    }
    Ok(())
}

fn decode(decoder: &mut Decoder, signal: Signal, bodies: &[Vec<u8>]) {
    for gather in bodies.chunks(GATHER / bodies[0].len()) {
        let requests: Vec<Request<'_>> =
            gather.iter().map(|body| Request { signal, tenant: "acme", body, received_unix_nano: START }).collect();
        let decoded = decoder.decode(&requests);
        assert!(decoded.as_ref().is_ok_and(|d| d.outcomes.iter().all(|o| o.accepted > 0 && o.rejected == 0)));
        drop(black_box(decoded));
    }
}

/// Microseconds per item in the quickest of some runs over all batches.
fn best(mut run: impl FnMut()) -> f64 {
    let times = (0..15).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64()
    });
    times.fold(f64::MAX, f64::min) * 1e6 / (BATCHES * BATCH) as f64
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn text(key: &str, value: impl Into<String>) -> KeyValue {
    attribute(key, Value::StringValue(value.into()))
}

fn int(key: &str, value: usize) -> KeyValue {
    attribute(key, Value::IntValue(value as i64))
}

/// Digits that differ from item to item, the same in every run.
fn mix(number: usize) -> u64 {
    (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xc2b2_ae3d_27d4_eb4f)
}

fn id(number: usize, size: usize) -> Vec<u8> {
    [mix(number).to_le_bytes(), mix(number + 7).to_le_bytes()].concat()[..size].to_vec()
}

fn resource(batch: usize) -> Option<Resource> {
    let attributes = vec![
        text("telemetry.sdk.language", "python"),
        text("telemetry.sdk.name", "opentelemetry"),
        text("telemetry.sdk.version", "1.45.1"),
        text("service.instance.id", format!("18fa6483-73e7-424d-8b96-a4fcd201e0{:02x}", batch % 4)),
        text("service.name", ["coach-api", "billing"][batch % 2]),
        text("service.version", "2026.11.3"),
        text("deployment.environment.name", "production"),
    ];
    Some(Resource { attributes, ..Resource::default() })
}

fn scope(name: &str) -> Option<InstrumentationScope> {
    Some(InstrumentationScope { name: name.to_owned(), version: "0.66b1".to_owned(), ..Default::default() })
}

fn traces(batch: usize) -> ExportTraceServiceRequest {
    request(batch, (0..BATCH).map(|n| span(batch * BATCH + n)).collect())
}

fn request(batch: usize, spans: Vec<Span>) -> ExportTraceServiceRequest {
    let scope_spans = vec![ScopeSpans {
        scope: scope("opentelemetry.instrumentation.fastapi"),
        spans,
        schema_url: "https://opentelemetry.io/schemas/1.36.0".to_owned(),
    }];
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans { resource: resource(batch), scope_spans, schema_url: String::new() }],
    }
}

fn span(number: usize) -> Span {
    let (kind, name, attributes) = match number % 4 {
        0 | 1 => (2, "POST /v1/coach/{session_id}/messages", server(number)),
        2 => (3, "chat gpt-4o-mini", provider(number)),
        _ => (3, "SELECT coach.messages", database(number)),
    };
    Span {
        trace_id: id(number / 4, 16),
        span_id: id(number, 8),
        parent_span_id: if number.is_multiple_of(4) { Vec::new() } else { id(number - number % 4, 8) },
        name: name.to_owned(),
        kind,
        start_time_unix_nano: START + number as u64 * 1_234_567,
        end_time_unix_nano: START + number as u64 * 1_234_567 + mix(number) % 900_000_000,
        attributes,
        flags: 257,
        status: Some(Status { message: String::new(), code: i32::from(number.is_multiple_of(50)) * 2 }),
        ..Span::default()
    }
}

fn server(number: usize) -> Vec<KeyValue> {
    let session = format!("{:016x}", mix(number / 40));
    vec![
        text("http.request.method", "POST"),
        text("url.scheme", "https"),
        text("url.path", format!("/v1/coach/{session}/messages")),
        text("url.query", format!("page={}&sort=created_at", number % 9)),
        text("http.route", "/v1/coach/{session_id}/messages"),
        text("network.protocol.version", "1.1"),
        text("server.address", "api.example.com"),
        int("server.port", 443),
        text("client.address", format!("203.0.113.{}", number % 250)),
        int("client.port", 40_000 + number % 20_000),
        text("network.peer.address", "10.0.3.17"),
        int("network.peer.port", 50_000 + number % 10_000),
        text("user_agent.original", "CoachApp/4.12 (iPhone; iOS 19.1; Scale/3.00) CFNetwork/1568.100.1"),
        int("http.response.status_code", if number.is_multiple_of(50) { 500 } else { 200 }),
        int("http.request.body.size", 200 + number % 3000),
        int("http.response.body.size", 400 + number % 9000),
        text("user.id", format!("usr_{:012x}", mix(number / 200) >> 16)),
        text("session.id", session),
        text("app.installation.id", format!("{:08x}-0000-4000-8000-{:012x}", number / 300, mix(number / 300) >> 16)),
        text("app.build_id", "41207"),
        text("app.screen.name", "CoachConversation"),
    ]
}

fn provider(number: usize) -> Vec<KeyValue> {
    vec![
        text("gen_ai.operation.name", "chat"),
        text("gen_ai.provider.name", "openai"),
        text("gen_ai.request.model", "gpt-4o-mini"),
        text("gen_ai.response.model", "gpt-4o-mini-2024-07-18"),
        text("gen_ai.response.id", format!("chatcmpl-{:016x}{:08x}", mix(number), number)),
        int("gen_ai.usage.input_tokens", 300 + number % 2000),
        int("gen_ai.usage.output_tokens", 20 + number % 800),
        int("gen_ai.usage.cache_read.input_tokens", number % 256),
        attribute("gen_ai.request.temperature", Value::DoubleValue(0.7)),
        int("gen_ai.request.max_tokens", 1024),
        text("gen_ai.output.type", "text"),
        text("gen_ai.conversation.id", format!("conv_{:016x}", mix(number / 40))),
        text("gen_ai.agent.name", "coach"),
        text("openai.response.service_tier", "default"),
        text("openai.api.type", "chat_completions"),
        text("server.address", "api.openai.com"),
        int("server.port", 443),
        text("user.id", format!("usr_{:012x}", mix(number / 200) >> 16)),
        text("app.feature.name", "daily_checkin"),
        text("app.prompt.version", "2026-11-02"),
    ]
}

fn database(number: usize) -> Vec<KeyValue> {
    vec![
        text("db.system.name", "postgresql"),
        text("db.namespace", "coach"),
        text("db.operation.name", "SELECT"),
        text("db.collection.name", "messages"),
        text(
            "db.query.text",
            "SELECT id, role, content, created_at FROM coach.messages WHERE session_id = $1 AND deleted_at IS NULL \
             ORDER BY created_at DESC LIMIT $2 OFFSET $3",
        ),
        text("db.query.summary", "SELECT coach.messages"),
        int("db.response.returned_rows", number % 50),
        text("server.address", "db-primary.internal"),
        int("server.port", 5432),
        text("network.peer.address", "10.0.7.4"),
        int("network.peer.port", 5432),
        text("code.function.name", "coach.repository.messages.list_recent"),
        text("code.file.path", "/srv/app/coach/repository/messages.py"),
        int("code.line.number", 118),
        int("thread.id", 140_117_000_000 + number % 16),
        text("thread.name", format!("AnyIO worker thread-{}", number % 16)),
    ]
}

fn logs(batch: usize) -> ExportLogsServiceRequest {
    let log_records = (0..BATCH).map(|n| log(batch * BATCH + n)).collect();
    let scope_logs = vec![ScopeLogs { scope: scope("coach.service"), log_records, schema_url: String::new() }];
    ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs { resource: resource(batch), scope_logs, schema_url: String::new() }],
    }
}

fn log(number: usize) -> LogRecord {
    let time = START + number as u64 * 2_345_678;
    let body = format!("message {:016x} stored for session {:08x} in {} ms", mix(number), number / 40, number % 90);
    LogRecord {
        time_unix_nano: time,
        observed_time_unix_nano: time + 40_000,
        severity_number: 9,
        severity_text: "INFO".to_owned(),
        body: Some(AnyValue { value: Some(Value::StringValue(body)) }),
        attributes: vec![
            text("code.file.path", "/srv/app/coach/service.py"),
            text("code.function.name", "store_message"),
            int("code.line.number", 77),
        ],
        trace_id: id(number / 4, 16),
        span_id: id(number, 8),
        flags: 1,
        ..LogRecord::default()
    }
}
