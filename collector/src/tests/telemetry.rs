use std::collections::BTreeMap;
use std::time::Duration;

use otlp::Signal;

use super::*;

/// Every value of a page by its name and labels, and the type of every family. Fails on what Prometheus would not read.
fn parse(page: &str) -> (BTreeMap<String, f64>, BTreeMap<String, String>) {
    let (mut values, mut types) = (BTreeMap::new(), BTreeMap::new());
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert_eq!(types.insert(name.to_owned(), kind.to_owned()), None, "one head for each family: {line}");
        } else if !line.starts_with('#') {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert_eq!(values.insert(name.to_owned(), value.parse().unwrap()), None, "said twice: {line}");
        }
    }
    (values, types)
}

/// The sum over all labels that hold `with`.
fn sum(values: &BTreeMap<String, f64>, name: &str, with: &str) -> f64 {
    let named = |key: &str| key.split('{').next() == Some(name) && key.contains(with);
    values.iter().filter(|(key, _)| named(key)).map(|(_, value)| value).sum()
}

async fn page(process: &Process) -> (BTreeMap<String, f64>, BTreeMap<String, String>) {
    parse(&Process::get(&process.metrics, "/metrics").await.1)
}

fn assert_accounted(values: &BTreeMap<String, f64>) {
    for (signal, noun) in [("traces", "spans"), ("logs", "log_records")] {
        let label = format!("signal=\"{signal}\"");
        let of = |verdict: &str| sum(values, &format!("otelcol_receiver_{verdict}_{noun}"), "");
        let received = sum(values, "marquetry_received_records_total", &label);
        let stored = sum(values, "marquetry_stored_records_total", &label);
        let dropped = sum(values, "marquetry_dropped_records_total", &label);
        assert_eq!(received, stored + of("refused") + of("failed") + dropped, "{signal}: {values:#?}");
        assert_eq!(of("accepted"), stored + dropped, "{signal}");
    }
    assert_eq!(values["marquetry_unaccounted_records_total"], 0.0);
}

const MIXED: &str = "
receivers: { otlp: { protocols: { grpc: { endpoint: 127.0.0.1:0 }, http: { endpoint: 127.0.0.1:0 } } } }
processors: { filter: { defaults: false, skip: [{ name: noise, table: logs, column: severity_text, equals: NOISE }] } }
";

/// A log record, and one that is refused because its trace id is too short.
fn records(severities: &[&str], bad: usize) -> String {
    let good =
        severities.iter().map(|severity| format!(r#"{{"severityText":"{severity}","body":{{"stringValue":"x"}}}}"#));
    let bad = (0..bad).map(|_| r#"{"traceId":"0102","body":{"stringValue":"x"}}"#.to_owned());
    let all: Vec<String> = good.chain(bad).collect();
    format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{}]}}]}}]}}"#, all.join(","))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_record_is_accounted_for() {
    let process = Process::start(MIXED).await;
    let json: Headers = &[("content-type", "application/json")];
    assert_eq!(process.post("/v1/logs", json, records(&["INFO", "NOISE", "NOISE", "WARN"], 0)).await.0, 200);
    assert_eq!(process.post("/v1/logs", json, records(&["INFO"], 3)).await.0, 200);
    assert_eq!(process.post("/v1/logs", json, records(&["NOISE"], 0)).await.0, 200, "all of it is dropped");
    assert_eq!(process.post("/v1/logs", json, "{").await.0, 400);
    let spans = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","name":"x"}]}]}]}"#;
    assert_eq!(process.post("/v1/traces", json, spans).await.0, 200);
    let (values, types) = page(&process).await;
    assert_accounted(&values);
    assert_eq!(sum(&values, "marquetry_received_records_total", "logs"), 9.0);
    assert_eq!(sum(&values, "marquetry_stored_records_total", "logs"), 3.0);
    assert_eq!(sum(&values, "marquetry_dropped_records_total", "filter"), 3.0);
    assert_eq!(sum(&values, "otelcol_receiver_failed_log_records", ""), 3.0);
    assert_eq!(values["marquetry_filter_dropped_total{rule=\"noise\"}"], 3.0);
    assert_eq!(values["otelcol_processor_incoming_items{otel_signal=\"logs\",processor=\"filter\"}"], 6.0);
    assert_eq!(values["otelcol_processor_outgoing_items{otel_signal=\"logs\",processor=\"filter\"}"], 3.0);
    assert_eq!(values["otelcol_processor_incoming_items{otel_signal=\"logs\",processor=\"enrich\"}"], 3.0);
    assert_eq!(values["marquetry_stage_rows_total{stage=\"filter\",table=\"logs\",way=\"in\"}"], 6.0);
    assert_eq!(values["marquetry_stage_rows_total{stage=\"seal\",table=\"logs\",way=\"out\"}"], 3.0);
    assert_eq!(values["marquetry_stage_seconds_count{stage=\"decode\"}"], 4.0, "what is no JSON is not decoded");
    assert!(values["marquetry_journal_fsync_seconds_count"] >= 1.0);
    assert_eq!(types["marquetry_journal_fsync_seconds"], "histogram");
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_full_journal_refuses_is_accounted_for() {
    let process = Process::start(&format!("{PLAIN}\njournal: {{ max_bytes: 1 }}\n")).await;
    let json: Headers = &[("content-type", "application/json")];
    assert_eq!(process.post("/v1/logs", json, records(&["INFO", "WARN"], 1)).await.0, 429);
    let (values, _) = page(&process).await;
    assert_accounted(&values);
    assert_eq!(sum(&values, "otelcol_receiver_refused_log_records", ""), 3.0);
    assert_eq!(values["otelcol_exporter_enqueue_failed_log_records{exporter=\"lake\"}"], 3.0);
    assert_eq!(sum(&values, "marquetry_stored_records_total", ""), 0.0);
    assert!(values["marquetry_journal_fill_ratio"] > 1.0);
    assert_eq!(sum(&values, "otelcol_receiver_requests", "refused"), 1.0);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_collectors_dashboards_find_their_names() {
    let process = Process::start(PLAIN).await;
    assert_eq!(process.post("/v1/logs", &[("content-type", "application/json")], LOG).await.0, 200);
    let (values, types) = page(&process).await;
    let counters = [
        "otelcol_receiver_accepted_spans",
        "otelcol_receiver_refused_spans",
        "otelcol_receiver_failed_spans",
        "otelcol_receiver_accepted_log_records",
        "otelcol_receiver_accepted_metric_points",
        "otelcol_processor_incoming_items",
        "otelcol_processor_outgoing_items",
        "otelcol_exporter_sent_spans",
        "otelcol_exporter_sent_log_records",
        "otelcol_exporter_send_failed_spans",
        "otelcol_exporter_send_failed_log_records",
        "otelcol_exporter_enqueue_failed_spans",
        "otelcol_process_uptime",
        "otelcol_process_cpu_seconds",
    ];
    let gauges = [
        "otelcol_exporter_queue_size",
        "otelcol_exporter_queue_capacity",
        "otelcol_process_memory_rss",
        "otelcol_process_runtime_heap_alloc_bytes",
    ];
    for (kind, names) in [("counter", &counters[..]), ("gauge", &gauges[..])] {
        for name in names {
            assert_eq!(types.get(*name).map(String::as_str), Some(kind), "{name}");
            assert!(values.keys().any(|key| key.split('{').next() == Some(name)), "{name} has no value");
        }
    }
    assert!(types.keys().all(|name| !name.ends_with("_total_total") && !name.ends_with("_ratio_ratio")), "{types:?}");
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn suffixes_are_added_where_they_are_wanted() {
    let yaml = "service: { telemetry: { metrics: { readers: [{ pull: { exporter: { prometheus: { host: 127.0.0.1, \
                port: 0, without_type_suffix: false, without_units: false, without_scope_info: false } } } }] } } }";
    let process = Process::start(&format!("{PLAIN}\n{yaml}\n")).await;
    let (_, types) = page(&process).await;
    for name in ["otelcol_process_uptime_seconds_total", "otelcol_receiver_accepted_spans_total"] {
        assert_eq!(types.get(name).map(String::as_str), Some("counter"), "{types:?}");
    }
    assert!(types.contains_key("marquetry_gathers_total") && types.contains_key("otelcol_process_memory_rss_bytes"));
    let (_, text) = Process::get(&process.metrics, "/metrics").await;
    assert!(text.contains("otel_scope_name=\"marquetry\""), "{text}");
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_pushed_and_the_last_ones_at_the_end() {
    let backend = Process::start(PLAIN).await;
    for (protocol, address, transport) in [
        ("http/protobuf", &backend.http, "http"),
        ("http/json", &backend.http, "http"),
        ("grpc", &backend.grpc, "grpc"),
    ] {
        let points = format!("otelcol_receiver_accepted_metric_points{{receiver=\"otlp\",transport=\"{transport}\"}}");
        let before = page(&backend).await.0[&points];
        let yaml = format!(
            "service: {{ telemetry: {{ metrics: {{ address: 127.0.0.1:0, readers: [{{ periodic: {{ interval: 3600000, \
             exporter: {{ otlp: {{ protocol: {protocol}, endpoint: \"http://{address}\", compression: gzip }} }} }} }}] }} }} }}"
        );
        // The interval is an hour: what comes is what the end flushes.
        Process::start(&format!("{PLAIN}\n{yaml}\n")).await.stop().await;
        let after = page(&backend).await.0[&points];
        assert!(after > before + 50.0, "{protocol}: {before} {after}");
    }
    backend.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_is_away_delays_no_stop_for_long() {
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = nobody.local_addr().unwrap();
    let yaml = format!(
        "service: {{ telemetry: {{ metrics: {{ address: 127.0.0.1:0, readers: [{{ periodic: {{ interval: 100, \
         exporter: {{ otlp: {{ protocol: http/protobuf, endpoint: \"http://{address}\" }} }} }} }}] }} }} }}"
    );
    let process = Process::start(&format!("{PLAIN}\n{yaml}\n")).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let log = protobuf(Signal::Logs, LOG);
    assert_eq!(process.post("/v1/logs", &[("content-type", "application/x-protobuf")], log).await.0, 200);
    let stopping = std::time::Instant::now();
    process.stop().await;
    assert!(stopping.elapsed() < Duration::from_secs(8), "{:?}", stopping.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_looks_again_at_what_it_listens_on() {
    let config = |yaml: &str| {
        let data = tempfile::tempdir().unwrap();
        let config = Config::load(&inputs(data.path(), &[BASE, PLAIN, yaml]), &Distribution::default());
        (data, config.unwrap())
    };
    let (_data, mut config) = config(
        "service: { telemetry: { logs: { processors: [{ batch: { exporter: { otlp: { endpoint: \"http://localhost:1\" } } } }] } } }",
    );
    let port = tests_port();
    config.listeners[1].address = format!("127.0.0.1:{port}");
    config.telemetry.logs[0].target.url = format!("http://localhost:{port}");
    let error = Service::build(config, &Distribution::default()).await.err().unwrap().to_string();
    let (setting, listener) =
        ("service.telemetry.logs.processors.0.batch.exporter.otlp.endpoint", "receivers.otlp.protocols.http.endpoint");
    assert!(error.contains(setting) && error.contains(listener), "{error}");
}

fn tests_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
