//! All counters as Prometheus text.

use std::fmt::{Display, Write};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};

use component::Counts;
use journal::Journal;
use otlp::Signal;

use super::{SIGNALS, Telemetry, VERDICTS, WIRES, process};
use crate::receivers::otlp::Admission;

/// Everything that has numbers of its own.
#[derive(Clone)]
pub(crate) struct Sources {
    pub(crate) counts: Counts,
    pub(crate) journal: Journal,
    pub(crate) journal_max: u64,
    pub(crate) lake: Arc<Mutex<lake::Stats>>,
    pub(crate) room: Admission,
}

impl Sources {
    pub(crate) fn lake(&self) -> lake::Stats {
        self.lake.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A family is written at once, so that its head stands above all of its values.
struct Text(String);

impl Text {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn value(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0.push_str(name);
        for (index, (label, text)) in labels.iter().enumerate() {
            let open = if index == 0 { '{' } else { ',' };
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.0, "{open}{label}=\"{text}\"");
        }
        self.0.push_str(if labels.is_empty() { " " } else { "} " });
        let _ = writeln!(self.0, "{value}");
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.head(name, kind, help);
        self.value(name, &[], value);
    }
}

/// The page that Prometheus reads.
pub(crate) fn metrics(telemetry: &Telemetry, sources: &Sources) -> String {
    let mut text = Text(String::with_capacity(8192));
    receivers(&mut text, telemetry);
    pipeline(&mut text, telemetry, sources);
    journal_and_lake(&mut text, sources);
    rules(&mut text, sources);
    own(&mut text, telemetry);
    text.0
}

fn receivers(text: &mut Text, telemetry: &Telemetry) {
    for (signal_index, signal) in SIGNALS.iter().enumerate() {
        let noun = match signal {
            Signal::Traces => "spans",
            Signal::Logs => "log_records",
            Signal::Metrics => "metric_points",
        };
        for (verdict, word) in VERDICTS {
            let name = format!("otelcol_receiver_{word}_{noun}");
            text.head(&name, "counter", &format!("{noun} {word} by the receiver."));
            for (wire_index, wire) in WIRES.iter().enumerate() {
                let n = telemetry.records[wire_index][signal_index][verdict as usize].load(Relaxed);
                text.value(&name, &[("receiver", "otlp"), ("transport", wire.as_str())], n);
            }
        }
    }
    let name = "marquetry_requests_total";
    text.head(name, "counter", "Requests by the gRPC code of their answer.");
    for (wire_index, wire) in WIRES.iter().enumerate() {
        for (signal_index, signal) in ["traces", "logs", "metrics", "none"].iter().enumerate() {
            for (code, count) in telemetry.requests[wire_index][signal_index].iter().enumerate() {
                let n = count.load(Relaxed);
                if n > 0 {
                    let code = code.to_string();
                    text.value(name, &[("transport", wire.as_str()), ("signal", signal), ("code", &code)], n);
                }
            }
        }
    }
}

fn pipeline(text: &mut Text, telemetry: &Telemetry, sources: &Sources) {
    text.one("marquetry_in_flight_bytes", "gauge", "Bytes of requests in memory.", sources.room.in_flight());
    let load = |count: &std::sync::atomic::AtomicU64| count.load(Relaxed);
    text.one("marquetry_gathers_total", "counter", "Gathers taken by workers.", load(&telemetry.gathers));
    text.one("marquetry_gathered_requests_total", "counter", "Requests in them.", load(&telemetry.gathered));
    text.one("marquetry_gathers_failed_total", "counter", "Gathers retried in parts.", load(&telemetry.failed));
    text.one("marquetry_worker_panics_total", "counter", "Workers set up anew.", load(&telemetry.panics));
    let stages = telemetry.stages.lock().unwrap_or_else(PoisonError::into_inner).clone();
    text.head("marquetry_stage_seconds", "summary", "Time of each stage over all gathers.");
    for (stage, (runs, time)) in stages {
        text.value("marquetry_stage_seconds_sum", &[("stage", stage)], time.as_secs_f64());
        text.value("marquetry_stage_seconds_count", &[("stage", stage)], runs);
    }
}

fn journal_and_lake(text: &mut Text, sources: &Sources) {
    let journal = sources.journal.stats();
    text.one("marquetry_journal_bytes", "gauge", "Bytes that wait for the lake or its cleaning.", journal.bytes);
    text.one("marquetry_journal_max_bytes", "gauge", "Senders are refused from here on.", sources.journal_max);
    text.one("marquetry_journal_segments", "gauge", "Files of the journal.", journal.segments);
    text.one("marquetry_journal_appended_position", "counter", "Last position written.", journal.appended.0);
    text.one("marquetry_journal_durable_position", "counter", "Last position on disk.", journal.durable.0);
    text.one("marquetry_journal_quarantined_total", "counter", "Damaged places found.", journal.quarantined);
    // The journal is the queue of the lake, under the name that dashboards of the collector look for.
    let queue = [("exporter", "lake")];
    text.head("otelcol_exporter_queue_size", "gauge", "Bytes that wait for the exporter.");
    text.value("otelcol_exporter_queue_size", &queue, journal.bytes);
    text.head("otelcol_exporter_queue_capacity", "gauge", "Bytes that may.");
    text.value("otelcol_exporter_queue_capacity", &queue, sources.journal_max);
    let lake = sources.lake();
    text.one("marquetry_lake_rows_total", "counter", "Rows committed.", lake.rows);
    text.one("marquetry_lake_files_total", "counter", "Files committed.", lake.files);
    text.one("marquetry_lake_merges_total", "counter", "Merges committed.", lake.merges);
    text.one("marquetry_lake_failures_total", "counter", "Rounds that failed.", lake.failures);
    text.one("marquetry_lake_failing", "gauge", "Whether the last round failed.", u8::from(lake.last_error.is_some()));
    let seconds = lake.last_success.map_or(0, |at| at.timestamp());
    text.one("marquetry_lake_last_success_timestamp_seconds", "gauge", "When a round last went well.", seconds);
    text.head("marquetry_lake_table_files", "gauge", "Live files of each table.");
    for table in &lake.tables {
        text.value("marquetry_lake_table_files", &[("table", &table.name)], table.files);
    }
    text.head("marquetry_lake_table_bytes", "gauge", "Bytes of each table's live files.");
    for table in &lake.tables {
        text.value("marquetry_lake_table_bytes", &[("table", &table.name)], table.bytes);
    }
}

/// What components counted by rule.
fn rules(text: &mut Text, sources: &Sources) {
    let mut last = "";
    for (metric, label, n) in sources.counts.snapshot() {
        let name = format!("marquetry_{metric}_total");
        if metric != last {
            text.head(&name, "counter", "Counted by a processor, by rule or kind.");
            last = metric;
        }
        text.value(&name, &[("rule", &label)], n);
    }
}

fn own(text: &mut Text, telemetry: &Telemetry) {
    let usage = process::usage();
    let uptime = telemetry.started.elapsed().as_secs_f64();
    text.one("otelcol_process_uptime", "counter", "Seconds since the start.", uptime);
    text.one("otelcol_process_cpu_seconds", "counter", "CPU time, user and system.", usage.cpu_seconds);
    text.one("otelcol_process_memory_rss", "gauge", "Resident memory, mapped files included.", usage.rss_bytes);
    text.one("marquetry_process_memory_anonymous", "gauge", "Resident memory of its own.", usage.anonymous_bytes);
    text.head("marquetry_build_info", "gauge", "What runs.");
    text.value("marquetry_build_info", &[("version", crate::VERSION)], 1);
}
