//! Log lines on stderr: for people on a terminal, as JSON otherwise. Log lines and traces go to another process as well
//! where one is configured.

use std::io::IsTerminal;
use std::time::Duration;

use opentelemetry::InstrumentationScope;
use opentelemetry::trace::TracerProvider;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::logs::log_processor_with_async_runtime::BatchLogProcessor;
use opentelemetry_sdk::logs::{BatchConfigBuilder as LogBatches, SdkLoggerProvider};
use opentelemetry_sdk::runtime::Tokio;
use opentelemetry_sdk::trace::span_processor_with_async_runtime::BatchSpanProcessor;
use opentelemetry_sdk::trace::{BatchConfigBuilder as SpanBatches, Sampler, SdkTracer, SdkTracerProvider};
use tracing::Metadata;
use tracing_subscriber::filter::{FilterExt, FilterFn, LevelFilter, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt, registry};

use super::{EXPORT, SPANS, export};
use crate::config::{Config, Encoding, Level, OwnTelemetry};
use crate::error::Error;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Human,
    /// For machines.
    Json,
}

/// How long the last spans and log lines may take to leave.
const LAST: Duration = Duration::from_secs(3);

/// Whose log lines are never exported: those of the export itself, or each would cause the next.
const NOT_EXPORTED: &[&str] =
    &[EXPORT, "opentelemetry", "hyper", "h2", "tonic", "tower", "rustls", "tokio_rustls", "want"];

/// Where spans and log lines go besides stderr.
#[derive(Debug)]
#[must_use = "what it still holds is sent by `finish`"]
pub struct Own {
    traces: Option<SdkTracerProvider>,
    logs: Option<SdkLoggerProvider>,
}

impl Own {
    /// Sends what is left, for a while at most. The last thing to do.
    pub async fn finish(self) {
        let traces = self.traces.map(|traces| move || traces.shutdown().map_err(|e| e.to_string()));
        let logs = self.logs.map(|logs| move || logs.shutdown().map_err(|e| e.to_string()));
        let traces = async {
            if let Some(stop) = traces {
                within(LAST, "traces", stop).await;
            }
        };
        let logs = async {
            if let Some(stop) = logs {
                within(LAST, "logs", stop).await;
            }
        };
        tokio::join!(traces, logs);
    }
}

/// Starts logging, and tracing where it is configured; then it needs the runtime. `RUST_LOG` decides over the
/// configuration, the flag over its encoding.
pub fn start_logs(config: &Config, format: Option<LogFormat>) -> Result<Own, Error> {
    let own = Own { traces: traces(&config.telemetry)?, logs: logs(&config.telemetry)? };
    let spans = own.traces.as_ref().map(|provider| {
        let scope = InstrumentationScope::builder("marquetry").with_version(crate::VERSION).build();
        let layer: tracing_opentelemetry::OpenTelemetryLayer<_, SdkTracer> =
            tracing_opentelemetry::layer().with_tracer(provider.tracer_with_scope(scope));
        let layer = layer.with_location(false).with_threads(false).with_tracked_inactivity(false);
        let ours: FilterFn = filter_fn(|m| m.is_span() && m.target() == SPANS);
        layer.with_filter(ours.with_max_level_hint(LevelFilter::INFO))
    });
    let lines = own.logs.as_ref().map(|provider| {
        let apart: FilterFn = filter_fn(|m| m.is_event() && is_exported(m));
        OpenTelemetryTracingBridge::new(provider)
            .with_filter(level(config).and(apart.with_max_level_hint(LevelFilter::TRACE)))
    });
    // Spans are for the export alone: on stderr they would make every line longer.
    let events: FilterFn = filter_fn(|m| m.is_event());
    let stderr = stderr(config, format).with_filter(level(config).and(events.with_max_level_hint(LevelFilter::TRACE)));
    // A second start in one process (tests) keeps the first one's logs.
    let _ = registry().with(stderr).with(spans).with(lines).try_init();
    quiet_panics();
    Ok(own)
}

fn level(config: &Config) -> EnvFilter {
    let level = match config.log_level.unwrap_or(Level::Info) {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    };
    EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level))
}

fn stderr(config: &Config, format: Option<LogFormat>) -> Box<dyn Layer<tracing_subscriber::Registry> + Send + Sync> {
    let human = match (format, config.log_encoding) {
        (Some(format), _) => format == LogFormat::Human,
        (None, Some(encoding)) => encoding == Encoding::Console,
        (None, None) => std::io::stderr().is_terminal(),
    };
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let layer = fmt::layer().with_writer(std::io::stderr);
    if human { layer.with_ansi(colour).with_target(false).boxed() } else { layer.json().flatten_event(true).boxed() }
}

fn is_exported(line: &Metadata<'_>) -> bool {
    let target = line.target();
    let of = |name: &&str| target.strip_prefix(*name).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric));
    !NOT_EXPORTED.iter().any(of)
}

fn traces(settings: &OwnTelemetry) -> Result<Option<SdkTracerProvider>, Error> {
    if settings.traces.is_empty() || settings.ratio == 0.0 {
        return Ok(None);
    }
    let mut provider = SdkTracerProvider::builder()
        .with_resource(export::resource(settings))
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(settings.ratio))));
    for push in &settings.traces {
        let batches = SpanBatches::default()
            .with_max_queue_size(push.queue)
            .with_max_export_batch_size(push.batch)
            .with_scheduled_delay(push.every)
            .with_max_export_timeout(push.timeout);
        let exporter = export::spans(&push.target)?;
        let processor = BatchSpanProcessor::builder(exporter, Tokio).with_batch_config(batches.build());
        provider = provider.with_span_processor(processor.build());
    }
    Ok(Some(provider.build()))
}

fn logs(settings: &OwnTelemetry) -> Result<Option<SdkLoggerProvider>, Error> {
    if settings.logs.is_empty() {
        return Ok(None);
    }
    let mut provider = SdkLoggerProvider::builder().with_resource(export::resource(settings));
    for push in &settings.logs {
        let batches = LogBatches::default()
            .with_max_queue_size(push.queue)
            .with_max_export_batch_size(push.batch)
            .with_scheduled_delay(push.every)
            .with_max_export_timeout(push.timeout);
        let exporter = export::logs(&push.target)?;
        let processor = BatchLogProcessor::builder(exporter, Tokio).with_batch_config(batches.build());
        provider = provider.with_log_processor(processor.build());
    }
    Ok(Some(provider.build()))
}

/// Runs something that blocks, and goes on without it when it takes too long: on a thread of its own, which nothing
/// waits for.
pub(crate) async fn within(
    most: Duration,
    what: &'static str,
    work: impl FnOnce() -> Result<(), String> + Send + 'static,
) {
    let (done, ended) = tokio::sync::oneshot::channel();
    let started = std::thread::Builder::new().name(format!("last-{what}")).spawn(move || drop(done.send(work())));
    let why = match started {
        Err(e) => e.to_string(),
        Ok(_) => match tokio::time::timeout(most, ended).await {
            Ok(Ok(Ok(()))) => return,
            Ok(Ok(Err(why))) => why,
            Ok(Err(_)) => "its thread ended".to_owned(),
            Err(_) => format!("no answer within {most:?}"),
        },
    };
    tracing::warn!(target: EXPORT, what, error = why, "the last of our own telemetry did not reach its backend");
}

/// A panic's text may quote the record that caused it, so only its place is logged.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let thread = std::thread::current();
        tracing::error!(place, thread = thread.name().unwrap_or_default(), "panic; please report where it happened");
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_says_nothing_that_is_exported() {
        struct Seen(std::sync::Mutex<Vec<(String, bool)>>);
        impl<S: tracing::Subscriber> Layer<S> for &'static Seen {
            fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
                let target = event.metadata().target().to_owned();
                self.0.lock().unwrap().push((target, is_exported(event.metadata())));
            }
        }
        let seen: &'static Seen = Box::leak(Box::new(Seen(std::sync::Mutex::default())));
        tracing::subscriber::with_default(registry().with(seen), || {
            tracing::info!(target: "hyper::client", "x");
            tracing::info!(target: "hyper_util::client", "x");
            tracing::info!(target: "h2", "x");
            tracing::info!(target: "opentelemetry-otlp", "x");
            tracing::info!(target: "opentelemetry_sdk", "x");
            tracing::info!(target: EXPORT, "x");
            tracing::info!(target: "lake::lake", "x");
            tracing::info!(target: "collector::service", "x");
            tracing::info!(target: "hyperion", "x");
        });
        let seen = seen.0.lock().unwrap();
        let exported: Vec<&str> = seen.iter().filter(|(_, yes)| *yes).map(|(target, _)| target.as_str()).collect();
        assert_eq!(exported, ["lake::lake", "collector::service", "hyperion"]);
        assert_eq!(seen.len(), 9);
    }
}
