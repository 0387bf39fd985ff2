//! Every number that is counted elsewhere and read when somebody asks, under its name.

use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use opentelemetry::KeyValue;

use super::ledger::WORDS;
use super::metrics::{Instruments, Put};
use super::{SIGNALS, Sources, Telemetry, VERDICTS, WIRES, by_noun, noun, process, signal_index, signal_name};

/// What one record is called on the wire, as the collector's units have it.
const UNITS: [&str; 3] = ["{spans}", "{records}", "{datapoints}"];

/// Makes all of them.
pub(crate) fn all(make: &Instruments<'_>) {
    receiver(make);
    requests(make);
    books(make);
    workers(make);
    stages(make);
    rules(make);
    references(make);
    journal(make);
    exporter(make);
    lake(make);
    completion(make);
    tables(make);
    users(make);
    own(make);
}

fn receiver(make: &Instruments<'_>) {
    for signal in SIGNALS {
        let index = signal_index(signal);
        for (verdict, word) in VERDICTS {
            let name = format!("otelcol_receiver_{word}_{}", noun(signal));
            let about = format!("{} {word} by the receiver.", noun(signal));
            make.counter(name, UNITS[index], about, move |from, put| {
                for (wire, counts) in WIRES.iter().zip(&from.telemetry.records) {
                    let labels = [KeyValue::new("receiver", "otlp"), KeyValue::new("transport", wire.as_str())];
                    put(counts[index][verdict as usize].load(Relaxed), &labels);
                }
            });
        }
    }
}

fn requests(make: &Instruments<'_>) {
    make.counter("marquetry_requests_total", "", "Requests by the gRPC code of their answer.", |from, put| {
        each_request(&from.telemetry, |wire, signal, code, n| {
            let labels = [
                KeyValue::new("code", code.to_string()),
                KeyValue::new("signal", signal),
                KeyValue::new("transport", wire),
            ];
            put(n, &labels);
        });
    });
    make.counter("otelcol_receiver_requests", "{requests}", "Requests by how they ended.", |from, put| {
        let mut outcomes = [("success", 0), ("refused", 0), ("failure", 0)];
        each_request(&from.telemetry, |_, _, code, n| {
            // What may be sent again was refused: no room, or something here failed.
            let outcome = match code {
                0 => 0,
                8 | 14 => 1,
                _ => 2,
            };
            outcomes[outcome].1 += n;
        });
        for (outcome, n) in outcomes {
            put(n, &[KeyValue::new("outcome", outcome), KeyValue::new("receiver", "otlp")]);
        }
    });
}

fn each_request(telemetry: &Telemetry, mut each: impl FnMut(&'static str, &'static str, usize, u64)) {
    for (wire, signals) in WIRES.iter().zip(&telemetry.requests) {
        for (signal, codes) in SIGNALS.iter().map(|s| signal_name(*s)).chain(["none"]).zip(signals) {
            for (code, count) in codes.iter().enumerate().filter(|(_, count)| count.load(Relaxed) > 0) {
                each(wire.as_str(), signal, code, count.load(Relaxed));
            }
        }
    }
}

/// `received = stored + refused + failed + dropped`, by signal, whenever nothing is on its way.
fn books(make: &Instruments<'_>) {
    let about = "Records that came, whatever became of them: stored, refused, failed or dropped by a rule.";
    make.counter("marquetry_received_records_total", "", about, |from, put| {
        for signal in [0, 1] {
            let received = VERDICTS.iter().map(|(verdict, _)| from.telemetry.sum(signal, *verdict)).sum();
            put(received, &[KeyValue::new("signal", signal_name(SIGNALS[signal]))]);
        }
    });
    make.counter("marquetry_stored_records_total", "", "Records that are on disk.", |from, put| {
        for (signal, n) in from.telemetry.totals().stored.into_iter().enumerate() {
            put(n, &[KeyValue::new("signal", signal_name(SIGNALS[signal]))]);
        }
    });
    let about = "Records that a stage left out by its rules; their senders were told OK.";
    make.counter("marquetry_dropped_records_total", "", about, |from, put| {
        for totals in from.telemetry.totals().stages {
            for signal in [0, 1] {
                let dropped = totals.came[signal].saturating_sub(totals.went[signal]);
                let signal = KeyValue::new("signal", signal_name(SIGNALS[signal]));
                put(dropped, &[KeyValue::new("processor", totals.name), signal]);
            }
        }
    });
    let about = "Accepted records that are neither stored nor dropped: none, or something here is wrong.";
    make.counter("marquetry_unaccounted_records_total", "", about, |from, put| {
        put(from.telemetry.totals().unaccounted, &[]);
    });
}

fn workers(make: &Instruments<'_>) {
    type Count = fn(&Telemetry) -> &AtomicU64;
    let counts: [(&str, &str, Count); 4] = [
        ("marquetry_gathers_total", "Gathers taken by workers.", |t| &t.gathers),
        ("marquetry_gathered_requests_total", "Requests in them.", |t| &t.gathered),
        ("marquetry_gathers_failed_total", "Gathers retried in parts.", |t| &t.failed),
        ("marquetry_worker_panics_total", "Workers set up anew.", |t| &t.panics),
    ];
    for (name, about, count) in counts {
        make.counter(name, "", about, move |from, put| put(count(&from.telemetry).load(Relaxed), &[]));
    }
    make.gauge("marquetry_in_flight_bytes", "", "Bytes of requests in memory.", |from, put| {
        put(from.room.in_flight() as f64, &[]);
    });
}

fn stages(make: &Instruments<'_>) {
    let items = |way: &'static str| {
        let name = format!("otelcol_processor_{way}_items");
        make.counter(name, "{items}", format!("Records {way} at each processor."), move |from, put| {
            for totals in from.telemetry.totals().stages {
                let records = if way == "incoming" { totals.came } else { totals.went };
                for (signal, n) in records.into_iter().enumerate() {
                    let signal = KeyValue::new("otel_signal", signal_name(SIGNALS[signal]));
                    put(n, &[signal, KeyValue::new("processor", totals.name)]);
                }
            }
        });
    };
    // By themselves rather than as a histogram: each is measured in every gather, however small.
    make.seconds("marquetry_stage_seconds_sum", "", "Time of each stage over all gathers.", |from, put| {
        for (stage, _, time) in from.telemetry.stages() {
            put(time.as_secs_f64(), &[KeyValue::new("stage", stage)]);
        }
    });
    make.counter("marquetry_stage_seconds_count", "", "Runs of each stage.", |from, put| {
        for (stage, runs, _) in from.telemetry.stages() {
            put(runs, &[KeyValue::new("stage", stage)]);
        }
    });
    items("incoming");
    items("outgoing");
    let about = "Rows that went into each stage and came out of it; a record may have several.";
    make.counter("marquetry_stage_rows_total", "", about, |from, put| {
        for totals in from.telemetry.totals().stages {
            for (table, came, went) in totals.rows {
                for (way, n) in [("in", came), ("out", went)] {
                    let labels = [
                        KeyValue::new("stage", totals.name),
                        KeyValue::new("table", table.name.clone()),
                        KeyValue::new("way", way),
                    ];
                    put(n, &labels);
                }
            }
        }
    });
}

/// What components counted by rule, and what they wrote, by its words.
fn rules(make: &Instruments<'_>) {
    let counted = [
        ("redactions", "Values that were redacted, by kind."),
        ("redact_encrypt_masked", "Values that were masked where they should have been encrypted, by why."),
        ("filter_dropped", "Rows that were dropped, by rule."),
        ("sample_dropped", "Rows that were sampled out, by rule."),
        ("sql_set", "Rows whose columns were set by SQL, by rule."),
        ("sql_failed", "Rows whose SQL expression could not be computed, by rule."),
        ("lookup_hits", "Rows that a lookup knew, by its name."),
        ("lookup_misses", "Rows that it did not know."),
    ];
    for (metric, about) in counted {
        make.counter(format!("marquetry_{metric}_total"), "", about, move |from, put| {
            rule(from, |name| name == metric, put);
        });
    }
    let about = "Counted by another processor: its metric and rule.";
    make.counter("marquetry_counted_total", "", about, move |from, put| {
        for (metric, rule, n) in from.counts.snapshot() {
            if counted.iter().all(|(known, _)| *known != metric) {
                put(n, &[KeyValue::new("metric", metric), KeyValue::new("rule", rule)]);
            }
        }
    });
    for (index, words) in WORDS.iter().enumerate() {
        let label = words.label;
        make.counter(words.metric, "", words.about, move |from, put| {
            for (_, word, n) in from.telemetry.totals().words.into_iter().filter(|(i, _, _)| *i == index) {
                put(n, &[KeyValue::new(label, word)]);
            }
        });
    }
    make.counter("marquetry_echoes_total", "", "Rows marked as echoes while they came in.", |from, put| {
        for (table, n) in from.telemetry.totals().echoes {
            put(n, &[KeyValue::new("table", table.name.clone())]);
        }
    });
    let about = "Rows whose time lay too far from their receipt; they are kept under the day of receipt.";
    make.counter("marquetry_lateness_clamped_total", "", about, |from, put| put(from.telemetry.totals().clamped, &[]));
}

/// Files that the configuration names, and what became of their changes.
fn references(make: &Instruments<'_>) {
    let about = "Lines of a lookup, nodes of a database of addresses, as they are in use.";
    make.gauge("marquetry_reference_entries", "", about, |from, put| {
        for standing in from.references.standings() {
            put(standing.entries as f64, &[KeyValue::new("reference", standing.name)]);
        }
    });
    let about = "Changed files that were taken, and those that were refused, for which the last good one stays.";
    make.counter("marquetry_reference_reloads_total", "", about, |from, put| {
        for standing in from.references.standings() {
            for (outcome, n) in [("taken", standing.reloaded), ("refused", standing.refused)] {
                let labels = [KeyValue::new("reference", standing.name.clone()), KeyValue::new("outcome", outcome)];
                put(n, &labels);
            }
        }
    });
}

fn rule(from: &Sources, is: impl Fn(&str) -> bool, put: Put<'_, u64>) {
    for (_, rule, n) in from.counts.snapshot().into_iter().filter(|(metric, _, _)| is(metric)) {
        put(n, &[KeyValue::new("rule", rule)]);
    }
}

fn journal(make: &Instruments<'_>) {
    make.gauge("marquetry_journal_bytes", "", "Bytes that wait for the lake or its cleaning.", |from, put| {
        put(from.journal.stats().bytes as f64, &[]);
    });
    make.gauge("marquetry_journal_max_bytes", "", "Senders are refused from here on.", |from, put| {
        put(from.journal_max as f64, &[]);
    });
    make.gauge(
        "marquetry_journal_fill_ratio",
        "",
        "How full the journal is; at 1 senders are refused.",
        |from, put| {
            put(from.journal.stats().bytes as f64 / from.journal_max.max(1) as f64, &[]);
        },
    );
    make.gauge("marquetry_journal_segments", "", "Files of the journal.", |from, put| {
        put(from.journal.stats().segments as f64, &[]);
    });
    make.counter("marquetry_journal_appended_position", "", "Last position written.", |from, put| {
        put(from.journal.stats().appended.0, &[]);
    });
    make.counter("marquetry_journal_durable_position", "", "Last position on disk.", |from, put| {
        put(from.journal.stats().durable.0, &[]);
    });
    make.counter("marquetry_journal_quarantined_total", "", "Damaged places found.", |from, put| {
        put(from.journal.stats().quarantined, &[]);
    });
}

/// The lake under the names that dashboards of the collector look for; the journal is its queue.
fn exporter(make: &Instruments<'_>) {
    let lake = || KeyValue::new("exporter", "lake");
    make.gauge("otelcol_exporter_queue_size", "", "Bytes that wait for the exporter.", move |from, put| {
        put(from.journal.stats().bytes as f64, &[lake()]);
    });
    make.gauge("otelcol_exporter_queue_capacity", "", "Bytes that may.", move |from, put| {
        put(from.journal_max as f64, &[lake()]);
    });
    for (index, (noun, _)) in by_noun([0, 0]).into_iter().enumerate() {
        let name = |what: &str| format!("otelcol_exporter_{what}_{noun}");
        let about = format!("{noun} committed to the lake.");
        make.counter(name("sent"), UNITS[index], about, move |from, put| {
            let stats = from.lake();
            put([stats.spans, stats.logs][index], &[lake()]);
        });
        let about = format!("{noun} given up on: none, what is not committed waits in the journal.");
        make.counter(name("send_failed"), UNITS[index], about, move |_, put| put(0, &[lake()]));
        let about = format!("{noun} that the journal had no room for.");
        make.counter(name("enqueue_failed"), UNITS[index], about, move |from, put| {
            put(from.telemetry.full[index].load(Relaxed), &[lake()]);
        });
    }
}

fn lake(make: &Instruments<'_>) {
    make.counter("marquetry_lake_rows_total", "", "Rows committed.", |from, put| put(from.lake().rows, &[]));
    make.counter("marquetry_lake_files_total", "", "Files committed.", |from, put| put(from.lake().files, &[]));
    make.counter("marquetry_lake_merges_total", "", "Merges committed.", |from, put| put(from.lake().merges, &[]));
    make.counter("marquetry_lake_failures_total", "", "Rounds that failed.", |from, put| {
        put(from.lake().failures, &[])
    });
    make.gauge("marquetry_lake_failing", "", "Whether the last round failed.", |from, put| {
        put(f64::from(u8::from(from.lake().last_error.is_some())), &[]);
    });
    make.gauge("marquetry_lake_last_success_timestamp_seconds", "", "When a round last went well.", |from, put| {
        put(from.lake().last_success.map_or(0, |at| at.timestamp()) as f64, &[]);
    });
    make.gauge("marquetry_lake_lag_positions", "", "Positions of the journal that wait for a commit.", |from, put| {
        let waiting = from.journal.stats().appended.0.saturating_sub(from.lake().position.0);
        put(waiting as f64, &[]);
    });
    make.counter(
        "marquetry_lake_work_total",
        "",
        "Flushes, merges and completions that had something to do.",
        |from, put| {
            each_work(from, |work, label| put(work.runs, &[label]));
        },
    );
    make.counter("marquetry_lake_work_failures_total", "", "Those of them that failed.", |from, put| {
        each_work(from, |work, label| put(work.failures, &[label]));
    });
    make.seconds("marquetry_lake_work_seconds_total", "", "Their time.", |from, put| {
        each_work(from, |work, label| put(work.time.as_secs_f64(), &[label]));
    });
    make.seconds("marquetry_lake_work_cpu_seconds_total", "", "Their CPU time.", |from, put| {
        each_work(from, |work, label| put(work.cpu.as_secs_f64(), &[label]));
    });
}

/// Hints that were worked out again, once their hours were whole.
fn completion(make: &Instruments<'_>) {
    type Of = fn(&lake::Completed) -> u64;
    let kinds: [(&'static str, &'static str, Of); 6] = [
        ("marquetry_lake_completed_hours_total", "Hours of events that were whole.", |done| done.windows),
        ("marquetry_lake_completed_rows_total", "Rows whose hints were worked out again.", |done| done.rows),
        ("marquetry_lake_completed_files_total", "Files that completion wrote.", |done| done.files),
        ("marquetry_lake_hints_changed_total", "Values that differed from ingest's.", |done| done.changed),
        ("marquetry_lake_facts_left_out_total", "Facts that found no room.", |done| done.left_out),
        ("marquetry_lake_thinned_rows_total", "Rows of traces that others stand for.", |done| done.dropped),
    ];
    for (name, about, read) in kinds {
        make.counter(name, "", about, move |from, put| put(read(&from.lake().completed), &[]));
    }
}

fn each_work(from: &Sources, mut each: impl FnMut(&lake::Work, KeyValue)) {
    let stats = from.lake();
    each(&stats.flush, KeyValue::new("work", "flush"));
    each(&stats.merge, KeyValue::new("work", "merge"));
    each(&stats.complete, KeyValue::new("work", "complete"));
}

fn tables(make: &Instruments<'_>) {
    type Of = fn(&lake::TableStats) -> f64;
    let columns: [(&str, &str, Of); 5] = [
        ("marquetry_lake_table_files", "Live files of each table.", |t| t.files as f64),
        ("marquetry_lake_table_bytes", "Bytes of each table's live files.", |t| t.bytes as f64),
        ("marquetry_lake_table_rows", "Rows of each table.", |t| t.rows as f64),
        ("marquetry_lake_table_version", "Delta version of each table.", |t| t.version as f64),
        ("marquetry_lake_table_last_commit_timestamp_seconds", "When each table's newest file was written.", |t| {
            t.committed.map_or(0, |at| at.timestamp()) as f64
        }),
    ];
    for (name, about, of) in columns {
        make.gauge(name, "", about, move |from, put| {
            for table in &from.lake().tables {
                put(of(table), &[KeyValue::new("table", table.name.clone())]);
            }
        });
    }
}

/// The user directory, where there is one.
fn users(make: &Instruments<'_>) {
    type Of = fn(&directory::Stats) -> u64;
    fn read(from: &Sources, of: Of) -> Option<u64> {
        Some(of(&from.users.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner)))
    }
    let counters: [(&str, &str, Of); 3] = [
        ("marquetry_directory_rows_total", "Rows taken into the user directory.", |s| s.rows),
        ("marquetry_directory_refused_total", "Rows that were none of the user directory.", |s| s.refused),
        ("marquetry_directory_damaged_total", "Damaged places of the user directory's file.", |s| s.damaged),
    ];
    for (name, about, of) in counters {
        make.counter(name, "", about, move |from, put| {
            if let Some(n) = read(from, of) {
                put(n, &[]);
            }
        });
    }
    let gauges: [(&str, &str, Of); 3] = [
        ("marquetry_directory_bytes", "Bytes of the user directory's file.", |s| s.bytes),
        ("marquetry_directory_open_bytes", "Memory of opened values; 0 while nobody asks.", |s| s.open_bytes),
        ("marquetry_directory_unreadable", "Values that no key opens, of those that are open.", |s| s.unreadable),
    ];
    for (name, about, of) in gauges {
        make.gauge(name, "", about, move |from, put| {
            if let Some(n) = read(from, of) {
                put(n as f64, &[]);
            }
        });
    }
}

fn own(make: &Instruments<'_>) {
    make.seconds("otelcol_process_uptime", "s", "Seconds since the start.", |from, put| {
        put(from.telemetry.started.elapsed().as_secs_f64(), &[]);
    });
    make.seconds("otelcol_process_cpu_seconds", "", "CPU time, user and system.", |_, put| {
        put(process::usage().cpu_seconds, &[]);
    });
    make.gauge("otelcol_process_memory_rss", "By", "Resident memory, mapped files included.", |_, put| {
        put(process::usage().rss_bytes as f64, &[]);
    });
    make.gauge("marquetry_process_memory_anonymous", "", "Resident memory of its own.", |_, put| {
        put(process::usage().anonymous_bytes as f64, &[]);
    });
    let about = "Memory of its own, which is what it has allocated and the allocator's spare.";
    make.gauge("otelcol_process_runtime_heap_alloc_bytes", "", about, |_, put| {
        put(process::usage().anonymous_bytes as f64, &[]);
    });
    make.gauge("otelcol_process_runtime_total_sys_memory_bytes", "", "Memory mapped from the system.", |_, put| {
        put(process::usage().mapped_bytes as f64, &[]);
    });
    make.gauge("marquetry_build_info", "", "What runs.", |_, put| {
        put(1.0, &[KeyValue::new("version", crate::VERSION)]);
    });
}

/// Makes sure that what a verdict is called and where it is counted stay together.
#[cfg(test)]
mod tests {
    use super::super::{VERDICTS, Verdict};

    #[test]
    fn verdicts_stand_in_their_own_order() {
        for (index, (verdict, _)) in VERDICTS.iter().enumerate() {
            assert_eq!(*verdict as usize, index);
        }
        assert_eq!(VERDICTS.len(), Verdict::Rejected as usize + 1);
    }
}
