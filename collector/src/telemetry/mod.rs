//! What the process says about itself: metrics under the collector's usual names, health, logs, traces. Never a record's
//! value.
//!
//! The hot path counts into atomics and, once per gather, into the books ([`ledger`]); whoever reads, the Prometheus page
//! or an OTLP exporter, asks for them through OpenTelemetry instruments.

mod export;
mod health;
mod ledger;
mod logs;
mod metrics;
mod process;
mod readings;
mod serve;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use component::{Counts, References};
use journal::Journal;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Histogram, Meter};
use otlp::Signal;

pub use health::Phase;
pub(crate) use ledger::{Seams, Signals, Tally, place};
pub use logs::{LogFormat, Own, start_logs};
pub(crate) use metrics::Metrics;
pub(crate) use serve::{Answerer, Page, serve};

use self::ledger::{Records, Totals};
use crate::config::Wire;
use crate::receivers::otlp::Admission;

/// The target of the spans that are exported; nobody else's spans are, least of all those of the export itself.
pub(crate) const SPANS: &str = "marquetry::trace";
/// The target of what the export says of itself, which stays on standard error.
pub(crate) const EXPORT: &str = "marquetry::export";

const WIRES: [Wire; 2] = [Wire::Grpc, Wire::Http];
const SIGNALS: [Signal; 3] = [Signal::Traces, Signal::Logs, Signal::Metrics];
/// gRPC status codes are 0 to 16.
const CODES: usize = 17;

/// What became of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// On disk, or counted.
    Accepted,
    /// To be sent again: there was no room, or something here failed.
    Refused,
    /// Left out for good, with a reason.
    Rejected,
}

const VERDICTS: [(Verdict, &str); 3] =
    [(Verdict::Accepted, "accepted"), (Verdict::Refused, "refused"), (Verdict::Rejected, "failed")];

/// Counters of the engine. Components count by rule in `component::Counts`.
#[derive(Debug)]
pub struct Telemetry {
    started: Instant,
    phase: Mutex<Phase>,
    records: [[[AtomicU64; 3]; 3]; 2],
    /// By wire, signal (none last) and gRPC code.
    requests: [[[AtomicU64; CODES]; 4]; 2],
    /// Records that the journal had no room for.
    full: [AtomicU64; 3],
    gathers: AtomicU64,
    gathered: AtomicU64,
    failed: AtomicU64,
    panics: AtomicU64,
    totals: Mutex<Totals>,
    /// By stage: runs and their time.
    stages: Mutex<Vec<(&'static str, u64, Duration)>>,
    spread: Spread,
}

/// Where the spread matters and not the sum alone.
#[derive(Debug)]
struct Spread {
    answer: Histogram<f64>,
    gather_requests: Histogram<u64>,
    gather_bytes: Histogram<u64>,
    lateness: Histogram<f64>,
    fsync: Histogram<f64>,
}

/// Everything that has numbers of its own, for whoever reads them.
pub(crate) struct Sources {
    pub(crate) telemetry: Arc<Telemetry>,
    pub(crate) counts: Counts,
    pub(crate) references: References,
    pub(crate) journal: Journal,
    pub(crate) journal_max: u64,
    pub(crate) lake: Arc<Mutex<lake::Stats>>,
    pub(crate) users: Option<Arc<Mutex<directory::Stats>>>,
    pub(crate) room: Admission,
}

impl Sources {
    pub(crate) fn lake(&self) -> lake::Stats {
        self.lake.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Telemetry {
    /// Counters at zero.
    pub(crate) fn new(meter: &Meter) -> Self {
        Self {
            started: Instant::now(),
            phase: Mutex::new(Phase::Starting),
            records: Default::default(),
            requests: std::array::from_fn(|_| std::array::from_fn(|_| std::array::from_fn(|_| AtomicU64::new(0)))),
            full: Default::default(),
            gathers: AtomicU64::new(0),
            gathered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            panics: AtomicU64::new(0),
            totals: Mutex::default(),
            stages: Mutex::default(),
            spread: Spread::new(meter),
        }
    }

    /// Counts records of a request.
    pub fn records(&self, wire: Wire, signal: Signal, verdict: Verdict, n: u64) {
        self.records[wire_index(wire)][signal_index(signal)][verdict as usize].fetch_add(n, Relaxed);
    }

    /// Counts records that the journal had no room for.
    pub fn no_room(&self, signal: Signal, n: u64) {
        self.full[signal_index(signal)].fetch_add(n, Relaxed);
    }

    /// Counts a request by the gRPC code of its answer, and how long that took.
    pub fn request(&self, wire: Wire, signal: Option<Signal>, code: u8, took: Duration) {
        let index = signal.map_or(SIGNALS.len(), signal_index);
        if let Some(count) = self.requests[wire_index(wire)][index].get(usize::from(code)) {
            count.fetch_add(1, Relaxed);
        }
        if let (Some(signal), 0) = (signal, code) {
            let labels = [KeyValue::new("signal", signal_name(signal)), KeyValue::new("transport", wire.as_str())];
            self.spread.answer.record(took.as_secs_f64(), &labels);
        }
    }

    /// Counts a gather of some requests.
    pub fn gather(&self, requests: usize, bytes: usize) {
        self.gathers.fetch_add(1, Relaxed);
        self.gathered.fetch_add(requests as u64, Relaxed);
        self.spread.gather_requests.record(requests as u64, &[]);
        self.spread.gather_bytes.record(bytes as u64, &[]);
    }

    /// Counts a gather that could not be processed as a whole.
    pub fn failed_gather(&self) {
        self.failed.fetch_add(1, Relaxed);
    }

    /// Counts a worker that panicked and was set up anew.
    pub fn panicked(&self) {
        self.panics.fetch_add(1, Relaxed);
    }

    /// Adds the time of one run of a stage.
    pub fn stage(&self, name: &'static str, took: Duration) {
        let mut stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        match stages.iter_mut().find(|(known, _, _)| *known == name) {
            Some((_, runs, time)) => (*runs, *time) = (*runs + 1, *time + took),
            None => stages.push((name, 1, took)),
        }
    }

    /// Adds the time of one fsync of the journal.
    pub(crate) fn fsync(&self, took: Duration) {
        self.spread.fsync.record(took.as_secs_f64(), &[]);
    }

    /// Books a gather whose senders are answered.
    pub(crate) fn book(&self, mut tally: Tally, counts: &Counts) {
        tally.lateness.iter().for_each(|micros| self.spread.lateness.record(*micros as f64 / 1e6, &[]));
        counts.absorb(std::mem::take(&mut tally.counted));
        let mut totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        let before = totals.unaccounted;
        totals.add(tally);
        let missing = totals.unaccounted - before;
        drop(totals);
        if missing > 0 {
            tracing::error!(records = missing, "records are neither stored nor dropped by a rule; please report it");
        }
    }

    fn stages(&self) -> Vec<(&'static str, u64, Duration)> {
        self.stages.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn totals(&self) -> Totals {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn sum(&self, signal: usize, verdict: Verdict) -> u64 {
        self.records.iter().map(|wire| wire[signal][verdict as usize].load(Relaxed)).sum()
    }

    /// The page that probes read.
    pub(crate) fn health(&self, sources: &Sources) -> Page {
        health::page(self, sources)
    }

    /// Where the process is in its life.
    pub fn phase(&self) -> Phase {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Moves on.
    pub fn set_phase(&self, phase: Phase) {
        *self.phase.lock().unwrap_or_else(PoisonError::into_inner) = phase;
    }
}

impl Spread {
    fn new(meter: &Meter) -> Self {
        let seconds = |name: &'static str, about: &'static str, bounds: &[f64]| {
            meter.f64_histogram(name).with_description(about).with_boundaries(bounds.to_vec()).build()
        };
        let sizes = |name: &'static str, about: &'static str, bounds: &[f64]| {
            meter.u64_histogram(name).with_description(about).with_boundaries(bounds.to_vec()).build()
        };
        let short = [1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 10.0];
        let late = [-60.0, 0.0, 0.1, 1.0, 5.0, 15.0, 60.0, 300.0, 3_600.0, 86_400.0, 604_800.0, 2_592_000.0];
        let requests = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1_024.0];
        let bytes = [1e3, 4e3, 16e3, 64e3, 256e3, 1e6, 4e6, 16e6, 64e6];
        Self {
            answer: seconds("marquetry_ok_seconds", "From the head of a request to its OK.", &short),
            gather_requests: sizes("marquetry_gather_requests", "Requests that a worker took at once.", &requests),
            gather_bytes: sizes("marquetry_gather_bytes", "Their bytes.", &bytes),
            lateness: seconds("marquetry_lateness_seconds", "From event to receipt, of a sample of records.", &late),
            fsync: seconds("marquetry_journal_fsync_seconds", "Time of each fsync of the journal.", &short),
        }
    }
}

fn wire_index(wire: Wire) -> usize {
    match wire {
        Wire::Grpc => 0,
        Wire::Http => 1,
    }
}

fn signal_index(signal: Signal) -> usize {
    match signal {
        Signal::Traces => 0,
        Signal::Logs => 1,
        Signal::Metrics => 2,
    }
}

/// What a signal is called in pipelines, and so in labels.
pub(crate) fn signal_name(signal: Signal) -> &'static str {
    match signal {
        Signal::Traces => "traces",
        Signal::Logs => "logs",
        Signal::Metrics => "metrics",
    }
}

/// What the collector calls the records of a signal.
fn noun(signal: Signal) -> &'static str {
    match signal {
        Signal::Traces => "spans",
        Signal::Logs => "log_records",
        Signal::Metrics => "metric_points",
    }
}

/// Records of both signals that make rows, with what they are called.
fn by_noun(records: Records) -> [(&'static str, u64); 2] {
    [("spans", records[0]), ("log_records", records[1])]
}
