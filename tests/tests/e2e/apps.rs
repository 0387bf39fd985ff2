//! Real apps: what `opentelemetry-instrument` sends of them, read back by SQL.

use std::process::Command;

use serde_json::{Value, json};
use tests::process::wait_for;
use tests::python::{self, Provider};
use tests::{Marquetry, Setup};

/// The environment that the README tells a Python team to set.
fn telemetry(command: &mut Command, service: &str, protocol: &str, endpoint: u16) {
    command
        .env("OTEL_SERVICE_NAME", service)
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://127.0.0.1:{endpoint}"))
        .env("OTEL_SEMCONV_STABILITY_OPT_IN", "http,gen_ai_latest_experimental")
        .env("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_AND_EVENT");
}

fn run_flask(marquetry: &Marquetry) {
    let provider = Provider::start();
    let mut app = python::instrumented("flask_app.py");
    telemetry(&mut app, "flaskapp", "http/protobuf", marquetry.ports.http);
    python::output(app.env("PROVIDER", provider.url()));
}

/// Rows as arrays of values in the order of `columns`, so that a case is one line.
fn table(setup: &Setup, sql: &str, columns: &[&str]) -> Vec<Value> {
    setup
        .query(sql)
        .iter()
        .map(|row| columns.iter().map(|c| row.get(c).cloned().unwrap_or(Value::Null)).collect())
        .collect()
}

#[test]
fn a_flask_app_is_requests_priced_calls_and_errors() {
    let folder = tempfile::tempdir().expect("a folder");
    let marquetry = Setup::new(&folder.path().join("data")).start();
    run_flask(&marquetry);
    let setup = &marquetry.setup;
    wait_for("the last request", || setup.count("SELECT count(*) AS n FROM requests") >= 7);
    check_requests(setup);
    check_provider_calls(setup);
    check_errors(setup);
    check_auth(setup);
    check_views(setup);
    check_identity(setup);

    let before: Vec<_> =
        COUNTS.iter().map(|table| setup.count(&format!("SELECT count(*) AS n FROM {table}"))).collect();
    let stopped = marquetry.stop();
    let after: Vec<_> =
        COUNTS.iter().map(|table| stopped.count(&format!("SELECT count(*) AS n FROM {table}"))).collect();
    assert_eq!(before, after, "rows of {COUNTS:?} before and after the flush into the lake");
}

const COUNTS: &[&str] = &["requests", "provider_calls", "errors", "auth_events", "spans", "logs"];

fn check_requests(setup: &Setup) {
    let sql = "SELECT method, route, status_code, user_ref IS NOT NULL AS known, session_ref IS NOT NULL AS session, \
               client_prefix FROM requests WHERE echo_of IS NULL ORDER BY time";
    let columns = ["method", "route", "status_code", "known", "session", "client_prefix"];
    // The health check is skipped by the filter's own rules.
    let expected = [
        json!(["GET", "/api/chat/<cid>", 200, true, true, "127.0.0.0/24"]),
        json!(["GET", "/api/stream", 200, true, true, "127.0.0.0/24"]),
        json!(["GET", "/api/resp", 200, true, true, "127.0.0.0/24"]),
        json!(["GET", "/api/limited", 500, true, true, "127.0.0.0/24"]),
        json!(["GET", "/api/scrape", 200, true, true, "127.0.0.0/24"]),
        json!(["POST", "/api/login", 401, true, true, "127.0.0.0/24"]),
        json!(["GET", "/api/boom", 500, true, true, "127.0.0.0/24"]),
    ];
    assert_eq!(table(setup, sql, &columns), expected);
}

fn check_provider_calls(setup: &Setup) {
    let sql = "SELECT provider, operation, request_model, input_tokens, cache_read_tokens, output_tokens, reasoning_tokens, \
               cost_status, CAST(cost_usd AS text) AS cost, user_ref IS NOT NULL AS known \
               FROM provider_calls WHERE echo_of IS NULL ORDER BY time";
    let columns = [
        "provider",
        "operation",
        "request_model",
        "input_tokens",
        "cache_read_tokens",
        "output_tokens",
        "reasoning_tokens",
        "cost_status",
        "cost",
        "known",
    ];
    let mut rows = table(setup, sql, &columns);
    // Spelling of zeros at the end is not the subject here.
    for row in &mut rows {
        if let Some(cost) = row[8].as_str() {
            row[8] = json!(cost.trim_end_matches('0'));
        }
    }
    let expected = [
        json!(["openai", "chat", "gpt-5.1", 2006, 1920, 300, 128, "priced", "0.0033475", true]),
        json!(["openai", "chat", "gpt-5.1", 5, null, 7, null, "priced", "0.00007625", true]),
        json!(["openai", "chat", "gpt-5.1", 1000, null, 10, 4, "priced", "0.00135", true]),
        json!(["openai", "chat", "gpt-of-others", null, null, null, null, "no_usage", null, true]),
    ];
    assert_eq!(rows, expected, "one counted row per call");
    let echoes = setup.count("SELECT count(*) AS n FROM provider_calls WHERE echo_of IS NOT NULL");
    assert_eq!(echoes, 4, "the event of each call repeats its span");
    let total = setup.value("SELECT CAST(sum(cost_usd) AS text) AS usd FROM provider_calls WHERE echo_of IS NULL");
    assert_eq!(total.as_str().map(|t| t.trim_end_matches('0')), Some("0.00477375"));
}

fn check_errors(setup: &Setup) {
    // The span's event and the log of one exception are one error; so are the failed call and what came of it.
    let sql = "SELECT trace_id, count(*) AS n FROM errors WHERE echo_of IS NULL GROUP BY trace_id ORDER BY trace_id";
    let counts: Vec<_> = setup.query(sql).iter().map(|row| row["n"].clone()).collect();
    assert_eq!(counts, [json!(1), json!(1)], "one error in each of the two traces that have one");
    let boom =
        setup.query("SELECT message, stack_trace FROM errors WHERE error_type = 'ValueError' AND echo_of IS NULL");
    assert_eq!(boom.len(), 1, "{boom:?}");
    let message = boom[0]["message"].as_str().expect("a message");
    assert!(
        message.starts_with("kaboom user=") && message.len() > "kaboom user=".len(),
        "redacted with its kind: {message}"
    );
}

fn check_auth(setup: &Setup) {
    let sql = "SELECT action, user_ref IS NOT NULL AS known FROM auth_events WHERE echo_of IS NULL";
    assert_eq!(table(setup, sql, &["action", "known"]), [json!(["login_failed", true])]);
}

fn check_views(setup: &Setup) {
    let rate = setup.query("SELECT * FROM ai_success_rate");
    assert_eq!(rate.iter().filter(|row| row["provider"] == "openai").count(), rate.len(), "{rate:?}");
    assert!(!rate.is_empty(), "ai_success_rate is empty");
    for view in ["ai_error_frequency", "anonymous_rate"] {
        assert!(!setup.query(&format!("SELECT * FROM {view}")).is_empty(), "{view} is empty");
    }
    setup.query("SELECT * FROM unmapped");
}

/// One user, one pseudonym, everywhere; and neither the name nor the planted address anywhere.
fn check_identity(setup: &Setup) {
    let sql = "SELECT count(DISTINCT user_ref) AS n FROM (SELECT user_ref FROM requests UNION ALL \
               SELECT user_ref FROM provider_calls UNION ALL SELECT user_ref FROM auth_events) AS everywhere";
    assert_eq!(setup.count(sql), 1);
    for table in COUNTS {
        let text = serde_json::to_string(&setup.query(&format!("SELECT * FROM {table}"))).expect("JSON");
        for planted in ["a@b.co", "u-42", "abc123secret"] {
            assert!(!text.contains(planted), "{planted} is readable in {table}");
        }
    }
    assert!(!setup.log().contains("a@b.co"), "the planted address stands in the log");
}

#[test]
fn a_fastapi_app_over_grpc_is_one_row_per_request() {
    let folder = tempfile::tempdir().expect("a folder");
    let marquetry = Setup::new(&folder.path().join("data")).start();
    let mut app = python::instrumented("fastapi_app.py");
    telemetry(&mut app, "fastapi", "grpc", marquetry.ports.grpc);
    python::output(app.env("OTEL_EXPORTER_OTLP_INSECURE", "true"));
    let setup = &marquetry.setup;
    wait_for("the last request", || setup.count("SELECT count(*) AS n FROM requests") >= 4);
    let sql = "SELECT route, status_code, service_name FROM requests WHERE echo_of IS NULL ORDER BY time";
    let expected = [
        json!(["/items/{item}", 200, "fastapi"]),
        json!(["/items/{item}", 200, "fastapi"]),
        json!(["/items/{item}", 200, "fastapi"]),
        json!(["/boom", 500, "fastapi"]),
    ];
    assert_eq!(table(setup, sql, &["route", "status_code", "service_name"]), expected);
    let noise =
        "SELECT count(*) AS n FROM spans WHERE name LIKE '/items/%http send' OR name LIKE 'GET /items/%http send'";
    assert_eq!(setup.count(noise), 0, "the spans of sending a response are noise");
    assert_eq!(setup.count("SELECT count(*) AS n FROM errors WHERE echo_of IS NULL"), 1);
}
