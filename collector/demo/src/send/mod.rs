//! One SDK per service: a tracer and a logger provider with its resource, their exporters, and a queue before each that
//! makes whoever sends wait rather than dropping what does not fit.

mod exporters;
mod queue;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::logs::{AnyValue, LogRecord as _, Logger as _, LoggerProvider as _, Severity};
use opentelemetry::trace::{
    Event, Span as _, SpanBuilder, SpanContext, SpanId, Status, TraceContextExt, TraceFlags, TraceId, TraceState,
    TracerProvider as _,
};
use opentelemetry::{Context, InstrumentationScope, KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::{SdkLogger, SdkLoggerProvider};
use opentelemetry_sdk::resource::TelemetryResourceDetector;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};
use tokio::task::JoinSet;

use self::queue::{Ids, LogQueue, SpanQueue};
use crate::error::Error;
use crate::item::{Failure, Item, Log, Nanos, Span, attributes};
use crate::services::{PROFILES, Profile, Wire};

/// Where OTLP is taken.
#[derive(Debug, Clone)]
pub struct Endpoints {
    /// gRPC, such as `http://127.0.0.1:4317`.
    pub grpc: String,
    /// HTTP, without `/v1/…`.
    pub http: String,
}

/// What has happened to the records so far, by wire.
#[derive(Debug, Default)]
pub struct Counts {
    handed: AtomicU64,
    spans: AtomicU64,
    logs: AtomicU64,
    grpc: AtomicU64,
    http_protobuf: AtomicU64,
    http_json: AtomicU64,
}

impl Counts {
    /// Spans whose OK has come.
    pub fn spans(&self) -> u64 {
        self.spans.load(Ordering::Relaxed)
    }

    /// Log records whose OK has come.
    pub fn logs(&self) -> u64 {
        self.logs.load(Ordering::Relaxed)
    }

    /// Records whose OK has come.
    pub fn items(&self) -> u64 {
        self.spans() + self.logs()
    }

    /// Those of them that came over a wire.
    pub fn over(&self, wire: Wire) -> u64 {
        self.by_wire(wire).load(Ordering::Relaxed)
    }

    fn by_wire(&self, wire: Wire) -> &AtomicU64 {
        match wire {
            Wire::Grpc => &self.grpc,
            Wire::HttpProtobuf => &self.http_protobuf,
            Wire::HttpJson => &self.http_json,
        }
    }
}

/// The SDKs of all services.
#[derive(Debug)]
pub struct Senders {
    services: Vec<Sender>,
    counts: Arc<Counts>,
    tasks: JoinSet<Result<(), Error>>,
}

#[derive(Debug)]
struct Sender {
    tracer: SdkTracer,
    logger: SdkLogger,
    ids: Ids,
}

impl Senders {
    /// Makes them; call it inside a Tokio runtime.
    pub fn new(endpoints: &Endpoints) -> Result<Self, Error> {
        let counts = Arc::<Counts>::default();
        let mut tasks = JoinSet::new();
        let services: Result<_, _> =
            PROFILES.iter().map(|profile| sender(profile, endpoints, &counts, &mut tasks)).collect();
        Ok(Self { services: services?, counts, tasks })
    }

    /// What has arrived so far.
    pub fn counts(&self) -> &Arc<Counts> {
        &self.counts
    }

    /// Hands one record to its SDK; waits where a queue is full. Not for the threads of a runtime.
    pub fn send(&self, item: Item) -> Result<(), Error> {
        let handed = self.counts.handed.fetch_add(1, Ordering::Relaxed);
        match item {
            Item::Span(span) => self.services[span.service as usize].span(*span),
            Item::Log(log) => self.services[log.service as usize].log(*log),
        }
        // Now and then, since the answer costs more than a record: has an exporter given up?
        if handed.is_multiple_of(256) && self.services.iter().any(|sender| sender.ids.is_closed()) {
            return Err(Error::Closed);
        }
        Ok(())
    }

    /// Waits until everything that was handed over has its OK.
    pub async fn settled(&mut self) -> Result<(), Error> {
        loop {
            if self.counts.items() >= self.counts.handed.load(Ordering::Relaxed) {
                return Ok(());
            }
            let pause = tokio::time::sleep(Duration::from_millis(10));
            tokio::select! {
                Some(ended) = self.tasks.join_next() => flatten(ended)?,
                () = pause => {}
            }
        }
    }

    /// Sends what is left and ends the SDKs.
    pub async fn close(mut self) -> Result<(), Error> {
        self.services.clear();
        while let Some(ended) = self.tasks.join_next().await {
            flatten(ended)?;
        }
        Ok(())
    }
}

fn flatten(ended: Result<Result<(), Error>, tokio::task::JoinError>) -> Result<(), Error> {
    ended.unwrap_or(Err(Error::Closed))
}

fn sender(
    profile: &'static Profile,
    endpoints: &Endpoints,
    counts: &Arc<Counts>,
    tasks: &mut JoinSet<Result<(), Error>>,
) -> Result<Sender, Error> {
    let resource = Resource::builder_empty()
        .with_service_name(profile.name)
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_attributes(attributes![
            "service.namespace" => profile.namespace,
            "service.version" => profile.version,
            "deployment.environment.name" => "demo",
        ])
        .build();
    let ids = Ids::default();
    let (spans, span_inlet) = SpanQueue::new(ids.clone());
    let (logs, log_inlet) = LogQueue::new(ids.clone());
    let span_exporter = exporters::spans(profile, endpoints, &resource)?;
    let log_exporter = exporters::logs(profile, endpoints, &resource)?;
    tasks.spawn(queue::export_spans(profile, span_inlet, span_exporter, Arc::clone(counts)));
    tasks.spawn(queue::export_logs(profile, log_inlet, log_exporter, Arc::clone(counts)));
    let scope = InstrumentationScope::builder(profile.scope).with_version(profile.version).build();
    let tracers = SdkTracerProvider::builder()
        .with_sampler(Sampler::AlwaysOn)
        .with_id_generator(ids.clone())
        .with_resource(resource.clone())
        .with_span_processor(spans)
        .build();
    let loggers = SdkLoggerProvider::builder().with_resource(resource).with_log_processor(logs).build();
    Ok(Sender { tracer: tracers.tracer_with_scope(scope.clone()), logger: loggers.logger_with_scope(scope), ids })
}

impl Sender {
    fn span(&self, span: Span) {
        self.ids.next(span.trace_id, span.span_id);
        let parent = match span.parent {
            Some(parent) => Context::new().with_remote_span_context(SpanContext::new(
                TraceId::from(span.trace_id),
                SpanId::from(parent),
                TraceFlags::SAMPLED,
                false,
                TraceState::default(),
            )),
            None => Context::new(),
        };
        let mut builder = SpanBuilder::from_name(span.name)
            .with_kind(span.kind)
            .with_start_time(time(span.start))
            .with_attributes(span.attributes);
        if let Some(Failure { kind, message, thrown: true }) = &span.failure {
            builder = builder.with_events(vec![exception(kind, message, span.end)]);
        }
        let mut made = builder.start_with_context(&self.tracer, &parent);
        if let Some(failure) = span.failure {
            made.set_attribute(KeyValue::new("error.type", failure.kind));
            made.set_status(Status::error(failure.message));
        }
        made.end_with_timestamp(time(span.end));
    }

    fn log(&self, log: Log) {
        let mut record = self.logger.create_log_record();
        record.set_timestamp(time(log.at));
        record.set_observed_timestamp(time(log.at));
        record.set_severity_number(log.severity);
        record.set_severity_text(severity_text(log.severity));
        if let Some(event) = log.event {
            record.set_event_name(event);
        }
        if let Some(body) = log.body {
            record.set_body(AnyValue::from(body));
        }
        record.add_attributes(log.attributes.into_iter().map(|KeyValue { key, value, .. }| (key, any(value))));
        if let Some((trace_id, span_id)) = log.within {
            record.set_trace_context(TraceId::from(trace_id), SpanId::from(span_id), Some(TraceFlags::SAMPLED));
        }
        self.logger.emit(record);
    }
}

fn exception(kind: &'static str, message: &str, at: Nanos) -> Event {
    let attributes = attributes![
        "exception.type" => kind,
        "exception.message" => message.to_owned(),
        "exception.stacktrace" => format!("{kind}: {message}\n  at handle (app:1)\n  at serve (app:7)"),
    ];
    Event::new("exception", time(at), attributes, 0)
}

fn severity_text(severity: Severity) -> &'static str {
    match severity {
        Severity::Fatal => "FATAL",
        Severity::Error => "ERROR",
        Severity::Warn => "WARN",
        _ => "INFO",
    }
}

fn any(value: Value) -> AnyValue {
    match value {
        Value::Bool(value) => value.into(),
        Value::I64(value) => value.into(),
        Value::F64(value) => value.into(),
        Value::String(value) => value.into(),
        other => AnyValue::from(other.to_string()),
    }
}

fn time(at: Nanos) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(at)
}
