//! What the process says of itself: numbers that add up and agree with SQL, spans and log lines that reach another
//! process, and never itself.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;
use tests::otlp::{self, Message, PROTOBUF};
use tests::process::wait_for;
use tests::{Marquetry, Setup, http, places};

/// Every value of a Prometheus page by its name and labels.
fn values(page: &str) -> BTreeMap<String, f64> {
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').expect("a name and a value");
            (name.to_owned(), value.parse().expect("a number"))
        })
        .collect()
}

/// The sum over all labels that hold `with`.
pub(crate) fn sum(values: &BTreeMap<String, f64>, name: &str, with: &str) -> u64 {
    let named = |key: &&String| key.split('{').next() == Some(name) && key.contains(with);
    let sum: f64 = values.keys().filter(named).map(|key| values[key]).sum();
    format!("{sum}").parse().expect("a whole number")
}

/// Records in the tables, by signal: each has one home row.
fn stored(setup: &Setup) -> BTreeMap<bool, u64> {
    let folder = places::root().join("schemas/tables");
    let files = std::fs::read_dir(folder).expect("schemas/tables");
    let stems = files.map(|file| file.expect("a file").path().file_stem().expect("a name").display().to_string());
    // The directory is in the journal alone.
    let tables = stems.filter(|stem| !["common", "directory"].contains(&stem.as_str()));
    let each = tables.map(|table| format!("SELECT kind = 'log' AS is_log FROM {table} WHERE is_primary"));
    let all = each.collect::<Vec<_>>().join(" UNION ALL ");
    let rows = setup.query(&format!("SELECT is_log, count(*) AS n FROM ({all}) GROUP BY is_log"));
    rows.iter().map(|row| (row["is_log"].as_bool().expect("a bool"), row["n"].as_u64().expect("a count"))).collect()
}

/// `received = stored + refused + failed + dropped`, and what is stored is what SQL counts.
pub(crate) fn assert_accounted(marquetry: &Marquetry) -> BTreeMap<String, f64> {
    let values = values(&marquetry.metrics());
    let rows = stored(&marquetry.setup);
    for (signal, noun, is_log) in [("traces", "spans", false), ("logs", "log_records", true)] {
        let of = |name: &str| sum(&values, name, &format!("signal=\"{signal}\""));
        let verdict = |word: &str| sum(&values, &format!("otelcol_receiver_{word}_{noun}"), "");
        let (received, stored) = (of("marquetry_received_records_total"), of("marquetry_stored_records_total"));
        let dropped = of("marquetry_dropped_records_total");
        assert_eq!(received, stored + verdict("refused") + verdict("failed") + dropped, "{signal}");
        assert_eq!(stored, rows.get(&is_log).copied().unwrap_or(0), "{signal}: what SQL counts");
    }
    assert_eq!(sum(&values, "marquetry_unaccounted_records_total", ""), 0);
    values
}

fn setup(folder: &tempfile::TempDir, name: &str, settings: Vec<String>) -> Setup {
    Setup { settings, ..Setup::new(&folder.path().join(name)) }
}

/// Log records of one severity, and some whose trace id is too short.
fn severe(severity: &str, good: usize, bad: usize) -> impl Message + use<> {
    let record = |n: usize| {
        let mut log = otlp::log(&format!("{severity}-{n}"), "mixed");
        log.severity_text = severity.to_owned();
        log
    };
    let mut records: Vec<_> = (0..good + bad).map(record).collect();
    records[good..].iter_mut().for_each(|log| log.trace_id = vec![1; 15]);
    otlp::logs("mixed", records)
}

#[test]
fn every_record_is_accounted_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let skip = "processors.filter.skip=[{ name: noise, table: logs, column: severity_text, equals: NOISE }]";
    let setup = Setup { flush: "100ms", ..setup(&folder, "data", vec![skip.to_owned()]) };
    let marquetry = setup.start();
    // Requests, and an error that makes a second row of its span.
    let mut failed = otlp::served(7, "/api/failed");
    failed.attributes.retain(|a| a.key != "http.response.status_code");
    failed.attributes.push(otlp::attribute("http.response.status_code", otlp::int(500)));
    failed.attributes.push(otlp::tag("exception.type", "KeyError"));
    marquetry.accept(
        "/v1/traces",
        &otlp::spans("mixed", vec![otlp::served(1, "/api/a"), failed, otlp::served(2, "/health")]),
    );
    marquetry.accept("/v1/logs", &severe("INFO", 40, 2));
    marquetry.accept("/v1/logs", &severe("NOISE", 30, 0));
    let cut = severe("INFO", 5, 0).encode_to_vec();
    let answer = http::post(marquetry.ports.http, "/v1/logs", PROTOBUF, &cut[..cut.len() - 2]).expect("an answer");
    assert_eq!(answer.status, 400);
    let values = assert_accounted(&marquetry);
    assert_eq!(sum(&values, "marquetry_received_records_total", "logs"), 72);
    assert_eq!(sum(&values, "marquetry_stored_records_total", "logs"), 40);
    assert_eq!(sum(&values, "otelcol_receiver_failed_log_records", ""), 2);
    // The shipped rules drop health checks.
    assert_eq!(sum(&values, "marquetry_dropped_records_total", "traces"), 1);
    assert_eq!(sum(&values, "marquetry_filter_dropped_total", "noise"), 30);
    assert_eq!(sum(&values, "marquetry_filter_dropped_total", "health"), 1);
    assert!(sum(&values, "marquetry_lateness_seconds_count", "") > 0);
    let sent = |values: &BTreeMap<String, f64>| {
        ["spans", "log_records"].map(|noun| sum(values, &format!("otelcol_exporter_sent_{noun}"), "lake"))
    };
    wait_for("the lake to commit every record", || sent(&self::values(&marquetry.metrics())) == [2, 40]);
    let values = self::values(&marquetry.metrics());
    assert!(sum(&values, "marquetry_lake_table_rows", "\"logs\"") == 40, "{values:#?}");
    assert_eq!(sum(&values, "marquetry_lake_lag_positions", ""), 0);
    assert!(sum(&values, "marquetry_lake_work_total", "flush") > 0);
    assert_accounted(&marquetry);
}

#[test]
fn what_a_full_journal_refuses_is_accounted_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let setup = Setup { flush: "1h", ..setup(&folder, "data", vec!["journal.max_bytes=64KiB".to_owned()]) };
    let marquetry = setup.start();
    let mut refused = 0;
    for round in 0..2_000 {
        let name = format!("FULL-{round}");
        match marquetry.send("/v1/logs", &severe(&name, 20, 1)).status {
            200 => {}
            429 => refused += 21,
            other => panic!("answered {other}"),
        }
        if refused > 60 {
            break;
        }
    }
    assert!(refused > 60, "the journal was never full");
    let values = assert_accounted(&marquetry);
    assert_eq!(sum(&values, "otelcol_receiver_refused_log_records", ""), refused);
    assert_eq!(sum(&values, "otelcol_exporter_enqueue_failed_log_records", ""), refused);
}

fn to(backend: &Marquetry, protocol: &str) -> String {
    let port = if protocol == "grpc" { backend.ports.grpc } else { backend.ports.http };
    format!(
        "[{{ batch: {{ exporter: {{ otlp: {{ protocol: {protocol}, endpoint: \"http://127.0.0.1:{port}\" }} }} }} }}]"
    )
}

/// Rows of a question to the backend as (text, count).
fn counts(setup: &Setup, sql: &str) -> BTreeMap<String, u64> {
    let rows = setup.query(sql);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    rows.iter().map(|row| (text(&row["name"]), row["n"].as_u64().expect("a count"))).collect()
}

#[test]
fn spans_and_log_lines_reach_another_process() {
    for protocol in ["grpc", "http/protobuf", "http/json"] {
        let folder = tempfile::tempdir().expect("a folder");
        let backend = setup(&folder, "backend", Vec::new()).start();
        let target = to(&backend, protocol);
        let settings = vec![
            format!("service.telemetry.traces.processors={target}"),
            format!("service.telemetry.logs.processors={target}"),
            "service.telemetry.resource={ deployment.environment.name: edge }".to_owned(),
        ];
        let front = setup(&folder, "front", settings).start();
        for number in 1..=5 {
            front.accept("/v1/traces", &otlp::spans("shop", vec![otlp::served(number, "/api/traced")]));
        }
        let malformed = http::post(front.ports.http, "/v1/logs", PROTOBUF, b"\xff").expect("an answer");
        assert_eq!(malformed.status, 400);
        let front = front.stop();
        let spans = counts(
            &backend.setup,
            "SELECT name, count(*) AS n FROM spans WHERE service_name = 'marquetry' GROUP BY name",
        );
        assert_eq!(spans.get("receive"), Some(&6), "{protocol}: {spans:?}\n{}", front.log());
        for stage in ["gather", "decode", "filter", "enrich", "cost", "seal", "append", "flush"] {
            assert!(spans.contains_key(stage), "{protocol}: no span {stage} in {spans:?}");
        }
        let failed = "SELECT count(*) AS n FROM spans WHERE name = 'receive' AND span_status = 'error'";
        assert_eq!(backend.setup.count(failed), 1, "{protocol}");
        let linked = "SELECT count(*) AS n FROM spans g JOIN spans r ON strpos(g.links, r.span_id) > 0 \
                      WHERE g.name = 'gather' AND r.name = 'receive'";
        assert!(backend.setup.count(linked) >= 5, "{protocol}: a gather names its requests");
        let whole = "SELECT count(*) AS n FROM spans d JOIN spans g ON d.parent_span_id = g.span_id \
                     WHERE d.name = 'seal' AND g.name = 'gather'";
        assert!(backend.setup.count(whole) >= 1, "{protocol}: stages lie below their gather");
        let lines = "SELECT count(*) AS n FROM logs WHERE service_name = 'marquetry' AND deployment_environment = 'edge' \
                     AND body LIKE 'stopping%'";
        assert_eq!(backend.setup.count(lines), 1, "{protocol}: the last line arrived as well\n{}", front.log());
        assert!(!front.log().contains("telemetry does not reach"), "{protocol}: {}", front.log());
    }
}

#[test]
fn a_ratio_of_zero_traces_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let backend = setup(&folder, "backend", Vec::new()).start();
    let settings = vec![
        format!("service.telemetry.traces.processors={}", to(&backend, "http/protobuf")),
        "service.telemetry.traces.sampler.ratio=0".to_owned(),
    ];
    let front = setup(&folder, "front", settings).start();
    front.accept("/v1/traces", &otlp::spans("shop", vec![otlp::served(1, "/api/untraced")]));
    front.stop();
    assert_eq!(backend.setup.count("SELECT count(*) AS n FROM spans"), 0);
}

#[test]
fn a_backend_that_is_away_costs_a_warning_and_no_data() {
    let folder = tempfile::tempdir().expect("a folder");
    let otlp = format!("otlp: {{ endpoint: \"http://127.0.0.1:{}\" }}", places::free_port());
    let away = format!("[{{ batch: {{ schedule_delay: 100ms, exporter: {{ {otlp} }} }} }}]");
    let settings = vec![
        format!("service.telemetry.traces.processors={away}"),
        format!("service.telemetry.logs.processors={away}"),
        format!("service.telemetry.metrics.readers=[{{ periodic: {{ interval: 100ms, exporter: {{ {otlp} }} }} }}]"),
    ];
    let marquetry = setup(&folder, "data", settings).start();
    for number in 1..=20 {
        marquetry.accept("/v1/traces", &otlp::spans("shop", vec![otlp::served(number, "/api/alone")]));
        std::thread::sleep(Duration::from_millis(20));
    }
    let warnings = |setup: &Setup| setup.log().matches("own telemetry does not reach its backend").count();
    wait_for("a warning", || warnings(&marquetry.setup) >= 2);
    assert_accounted(&marquetry);
    let stopping = Instant::now();
    let setup = marquetry.stop();
    assert!(stopping.elapsed() < Duration::from_secs(10), "stopping took {:?}", stopping.elapsed());
    assert!(warnings(&setup) <= 3, "once for each signal, not for each try: {}", setup.log());
    assert_eq!(setup.count("SELECT count(*) AS n FROM requests"), 20);
}

#[test]
fn a_process_never_sends_to_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = places::free_port();
    let settings = vec![
        format!("receivers.otlp.protocols.http.endpoint=127.0.0.1:{port}"),
        format!(
            "service.telemetry.traces.processors=[{{ batch: {{ exporter: {{ otlp: {{ endpoint: \"http://localhost:{port}\" }} }} }} }}]"
        ),
    ];
    let setup = setup(&folder, "data", settings);
    for command in ["validate", "run"] {
        let output = setup.command(command).output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{command} accepts a loop");
        for setting in [
            "service.telemetry.traces.processors.0.batch.exporter.otlp.endpoint",
            "receivers.otlp.protocols.http.endpoint",
        ] {
            assert!(text.contains(setting), "{command} does not name {setting}:\n{text}");
        }
    }
}
