//! What the process says about itself: counters under the collector's usual names, health, logs. Never a record's value.

mod health;
mod logs;
mod process;
mod render;
mod serve;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use otlp::Signal;

pub use health::Phase;
pub use logs::{LogFormat, start_logs};
pub(crate) use render::Sources;
pub(crate) use serve::{Answerer, Page, serve};

use crate::config::Wire;

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
    gathers: AtomicU64,
    gathered: AtomicU64,
    failed: AtomicU64,
    panics: AtomicU64,
    stages: Mutex<BTreeMap<&'static str, (u64, Duration)>>,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            phase: Mutex::new(Phase::Starting),
            records: Default::default(),
            requests: std::array::from_fn(|_| std::array::from_fn(|_| std::array::from_fn(|_| AtomicU64::new(0)))),
            gathers: AtomicU64::new(0),
            gathered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            panics: AtomicU64::new(0),
            stages: Mutex::default(),
        }
    }
}

impl Telemetry {
    /// Counts records of a request.
    pub fn records(&self, wire: Wire, signal: Signal, verdict: Verdict, n: u64) {
        self.records[wire_index(wire)][signal_index(signal)][verdict as usize].fetch_add(n, Relaxed);
    }

    /// Counts a request by the gRPC code of its answer.
    pub fn request(&self, wire: Wire, signal: Option<Signal>, code: u8) {
        let signal = signal.map_or(SIGNALS.len(), signal_index);
        if let Some(count) = self.requests[wire_index(wire)][signal].get(usize::from(code)) {
            count.fetch_add(1, Relaxed);
        }
    }

    /// Counts a gather of some requests.
    pub fn gather(&self, requests: usize) {
        self.gathers.fetch_add(1, Relaxed);
        self.gathered.fetch_add(requests as u64, Relaxed);
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
        let (runs, time) = stages.entry(name).or_default();
        *runs += 1;
        *time += took;
    }

    /// The page that Prometheus reads.
    pub(crate) fn metrics(&self, sources: &Sources) -> String {
        render::metrics(self, sources)
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
