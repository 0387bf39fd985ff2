//! Processors of the SDK that wait where its own ones drop, and the tasks that export what they took.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry::{Context, InstrumentationScope};
use opentelemetry_otlp::{LogExporter, SpanExporter};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogBatch, LogExporter as _, LogProcessor, SdkLogRecord};
use opentelemetry_sdk::trace::{IdGenerator, Span, SpanData, SpanExporter as _, SpanProcessor};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::Counts;
use crate::error::Error;
use crate::services::Profile;

/// Records of one request, as the SDK's own batches are.
const BATCH: usize = 512;
/// Records that may wait.
const QUEUE: usize = 2048;
/// How long a request that is not full waits for company.
const COMPANY: Duration = Duration::from_millis(100);

/// The ids of the next span, chosen by the traffic so that logs and children can name them.
#[derive(Debug, Clone, Default)]
pub(super) struct Ids(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    next: Mutex<(u128, u64)>,
    closed: AtomicBool,
}

impl Ids {
    pub(super) fn next(&self, trace_id: u128, span_id: u64) {
        *self.0.next.lock().unwrap_or_else(PoisonError::into_inner) = (trace_id, span_id);
    }

    /// Whether a record found its exporter gone.
    pub(super) fn is_closed(&self) -> bool {
        self.0.closed.load(Ordering::Relaxed)
    }

    fn close(&self) {
        self.0.closed.store(true, Ordering::Relaxed);
    }

    fn get(&self) -> (u128, u64) {
        *self.0.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        TraceId::from(self.get().0)
    }

    fn new_span_id(&self) -> SpanId {
        SpanId::from(self.get().1)
    }
}

/// Takes spans as they end.
#[derive(Debug)]
pub(super) struct SpanQueue {
    outlet: mpsc::Sender<SpanData>,
    ids: Ids,
}

impl SpanQueue {
    pub(super) fn new(ids: Ids) -> (Self, mpsc::Receiver<SpanData>) {
        let (outlet, inlet) = mpsc::channel(QUEUE);
        (Self { outlet, ids }, inlet)
    }
}

impl SpanProcessor for SpanQueue {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        if self.outlet.blocking_send(span).is_err() {
            self.ids.close();
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

type Emitted = (SdkLogRecord, InstrumentationScope);

/// Takes log records as they are emitted.
#[derive(Debug)]
pub(super) struct LogQueue {
    outlet: mpsc::Sender<Emitted>,
    ids: Ids,
}

impl LogQueue {
    pub(super) fn new(ids: Ids) -> (Self, mpsc::Receiver<Emitted>) {
        let (outlet, inlet) = mpsc::channel(QUEUE);
        (Self { outlet, ids }, inlet)
    }
}

impl LogProcessor for LogQueue {
    fn emit(&self, record: &mut SdkLogRecord, scope: &InstrumentationScope) {
        if self.outlet.blocking_send((record.clone(), scope.clone())).is_err() {
            self.ids.close();
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }
}

/// Exports spans until nobody sends any more.
pub(super) async fn export_spans(
    profile: &'static Profile,
    mut inlet: mpsc::Receiver<SpanData>,
    exporter: SpanExporter,
    counts: Arc<Counts>,
) -> Result<(), Error> {
    while let Some(batch) = batch(&mut inlet).await {
        let number = batch.len() as u64;
        exporter.export(batch).await.map_err(|why| Error::Refused { service: profile.name, why })?;
        counts.spans.fetch_add(number, Ordering::Relaxed);
        counts.by_wire(profile.wire).fetch_add(number, Ordering::Relaxed);
    }
    Ok(())
}

/// Exports log records until nobody sends any more.
pub(super) async fn export_logs(
    profile: &'static Profile,
    mut inlet: mpsc::Receiver<Emitted>,
    exporter: LogExporter,
    counts: Arc<Counts>,
) -> Result<(), Error> {
    while let Some(batch) = batch(&mut inlet).await {
        let number = batch.len() as u64;
        let borrowed: Vec<_> = batch.iter().map(|(record, scope)| (record, scope)).collect();
        let done = exporter.export(LogBatch::new(&borrowed)).await;
        done.map_err(|why| Error::Refused { service: profile.name, why })?;
        counts.logs.fetch_add(number, Ordering::Relaxed);
        counts.by_wire(profile.wire).fetch_add(number, Ordering::Relaxed);
    }
    Ok(())
}

/// The next request's records; `None` when nobody sends any more.
async fn batch<T>(inlet: &mut mpsc::Receiver<T>) -> Option<Vec<T>> {
    let mut batch = Vec::with_capacity(BATCH);
    batch.push(inlet.recv().await?);
    let until = Instant::now() + COMPANY;
    while batch.len() < BATCH {
        let room = BATCH - batch.len();
        match timeout_at(until, inlet.recv_many(&mut batch, room)).await {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
    }
    Some(batch)
}
