//! What is sent to be judged: all well, and everything that can be wrong.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use tests::otlp::{self, attribute, int, tag};
use tests::{Marquetry, Setup};

use super::PLANTED;

pub fn span(trace: u64, id: u64, kind: i32, attributes: Vec<KeyValue>) -> Span {
    Span { trace_id: [[0xcd; 8], trace.to_be_bytes()].concat(), kind, attributes, ..otlp::served(id, "/") }
}

pub fn spans(service: &str, language: &str, scope: &str, list: Vec<Span>) -> ExportTraceServiceRequest {
    let mut request = otlp::spans(service, list);
    let resource = request.resource_spans[0].resource.as_mut().expect("a resource");
    resource.attributes.push(tag("telemetry.sdk.language", language));
    request.resource_spans[0].scope_spans[0].scope.as_mut().expect("a scope").name = scope.to_owned();
    request
}

pub fn log(marquetry: &Marquetry, service: &str, record: LogRecord) {
    let mut request = otlp::logs(service, vec![record]);
    let resource = request.resource_logs[0].resource.as_mut().expect("a resource");
    resource.attributes.push(tag("telemetry.sdk.language", "python"));
    marquetry.accept("/v1/logs", &request);
}

pub fn event(name: &str) -> LogRecord {
    let now = otlp::now();
    let record = otlp::log(&format!("record-{now}"), "something happened");
    LogRecord { event_name: name.to_owned(), observed_time_unix_nano: now, ..record }
}

/// A request whose user and session are known.
pub fn request(trace: u64, id: u64, route: &str) -> Span {
    let known = [tag("user.id", "u-1"), tag("session.id", "s-1")];
    let mut span = span(trace, id, 2, otlp::served(id, route).attributes);
    span.attributes.extend(known);
    span
}

/// A call of `POST /v1/x` to a host, as HTTP instrumentations tell it.
pub fn http_call(trace: u64, id: u64, host: &str) -> Span {
    let told = vec![
        tag("http.request.method", "POST"),
        tag("server.address", host),
        tag("url.full", format!("https://{host}/v1/x")),
    ];
    span(trace, id, 3, told)
}

pub fn chat(trace: u64, id: u64, model: &str, more: Vec<KeyValue>) -> Span {
    let mut told = vec![
        tag("gen_ai.operation.name", "chat"),
        tag("gen_ai.provider.name", "openai"),
        tag("gen_ai.request.model", model),
        attribute("gen_ai.usage.input_tokens", int(10)),
        attribute("gen_ai.usage.output_tokens", int(5)),
        tag("user.id", "u-1"),
    ];
    told.extend(more);
    span(trace, id, 3, told)
}

/// Everything that can be wrong with what arrives, each in a service of its own.
pub fn faulty() -> (tempfile::TempDir, Marquetry) {
    let folder = tempfile::tempdir().expect("a folder");
    let marquetry = Setup::new(&folder.path().join("data")).start();
    let send = |service: &str, language: &str, scope: &str, list: Vec<Span>| {
        marquetry.accept("/v1/traces", &spans(service, language, scope, list));
    };
    let calls = |from: u64, n: u64, host: &str| (from..from + n).map(|id| http_call(id, id, host)).collect();
    send("py-openai", "python", "httpx", calls(100, 3, "api.openai.com"));
    send("py-claude", "python", "httpx", calls(110, 2, "api.anthropic.com"));
    send("js-openai", "nodejs", "undici", calls(120, 1, "api.openai.com"));
    send("py-voice", "python", "httpx", calls(130, 1, "api.elevenlabs.io"));
    // A shop's own provider is none of the rule's business.
    send("py-scraper", "python", "httpx", calls(140, 1, "api.brightdata.com"));
    send("py-unpriced", "python", "genai", (200..204).map(|id| chat(id, id, "gpt-of-others", vec![])).collect());
    let agent = vec![tag("gen_ai.operation.name", "invoke_agent"), attribute("gen_ai.usage.input_tokens", int(7))];
    send("py-agent", "python", "langchain", vec![span(300, 300, 1, agent)]);
    let same = || vec![tag("gen_ai.response.id", "resp-1"), tag("gen_ai.response.model", "gpt-5.1")];
    send("py-twice", "python", "opentelemetry.instrumentation.genai.openai", vec![chat(310, 310, "gpt-5.1", same())]);
    send("py-twice", "python", "opentelemetry.instrumentation.openai", vec![chat(310, 311, "gpt-5.1", same())]);
    let said = vec![tag("gen_ai.input.messages", PLANTED), tag("gen_ai.output.messages", PLANTED)];
    send("py-content", "python", "genai", vec![chat(320, 320, "gpt-5.1", said)]);
    let pings = (400..410).map(|id| request(id, id, "/ping")).chain([request(410, 410, "/api/page")]).collect();
    send("js-pinged", "nodejs", "express", pings);
    let browser = |id| {
        let mut span = span(id, id, 2, otlp::served(id, "/shop").attributes);
        span.attributes
            .push(tag("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"));
        span
    };
    send("java-anonymous", "java", "io.opentelemetry.tomcat-10.0", (420..424).map(browser).collect());
    let ahead = otlp::now() + 7_200_000_000_000;
    let clock = LogRecord { time_unix_nano: ahead, observed_time_unix_nano: ahead, ..event("app.feature.use") };
    log(&marquetry, "py-ahead", clock);
    let behind = otlp::now() - 600_000_000_000;
    let clock = LogRecord { time_unix_nano: behind, observed_time_unix_nano: behind, ..event("app.feature.use") };
    log(&marquetry, "py-behind", clock);
    let body = Some(otlp::text(format!("no such user: {PLANTED}")));
    log(&marquetry, "py-private", LogRecord { body, attributes: vec![tag("app.note", PLANTED)], ..event("") });
    for _ in 0..3 {
        log(&marquetry, "py-usage", event("ai_usage"));
    }
    let inner = (500..560).map(|id| span(id, id, 1, vec![])).collect();
    send("go-inner", "go", "middleware", inner);
    (folder, marquetry)
}
