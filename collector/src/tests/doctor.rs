//! Rules over rows that came the whole way: OTLP in, the default chain, the journal, SQL.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::*;
use crate::doctor::arrived;

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

/// Spans or logs to send, and what must be found: rule, severity, title.
struct Case {
    traces: Vec<Value>,
    logs: Vec<Value>,
    found: &'static [(&'static str, &'static str, &'static str)],
}

fn nanos() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()
}

fn attributes(pairs: &[(&str, Value)]) -> Vec<Value> {
    let value = |value: &Value| match value {
        Value::Number(n) => json!({ "intValue": n.to_string() }),
        other => json!({ "stringValue": other }),
    };
    pairs.iter().map(|(key, v)| json!({ "key": key, "value": value(v) })).collect()
}

fn resource(service: &str, language: &str) -> Value {
    let told = [("service.name", json!(service)), ("telemetry.sdk.language", json!(language))];
    json!({ "attributes": attributes(&told) })
}

/// Number, kind and attributes.
type Told<'a> = (u64, u8, &'a [(&'static str, Value)]);

/// Spans of a service: number, kind, attributes; each a trace of its own, at its number of seconds before now.
fn spans(service: &str, language: &str, scope: &str, spans: &[Told<'_>]) -> Value {
    let one = |(number, kind, told): &Told<'_>| {
        let end = nanos() - u128::from(*number) * 1_000_000_000;
        json!({
            "traceId": format!("{:032x}", number + 1), "spanId": format!("{:016x}", number + 1), "name": "one", "kind": kind,
            "startTimeUnixNano": (end - 1_000_000).to_string(), "endTimeUnixNano": end.to_string(),
            "attributes": attributes(told),
        })
    };
    let spans: Vec<Value> = spans.iter().map(one).collect();
    json!({ "resourceSpans": [{ "resource": resource(service, language), "scopeSpans": [{ "scope": { "name": scope }, "spans": spans }] }] })
}

fn log(service: &str, language: &str, event: &str, body: &str, told: &[(&str, Value)]) -> Value {
    let now = nanos().to_string();
    let record = json!({
        "timeUnixNano": now, "observedTimeUnixNano": now, "severityNumber": 9, "eventName": event,
        "body": { "stringValue": body }, "attributes": attributes(told),
    });
    json!({ "resourceLogs": [{ "resource": resource(service, language), "scopeLogs": [{ "logRecords": [record] }] }] })
}

/// Sends a case to a process of its own; the findings of the rules that it names.
async fn check(case: Case) -> Vec<Value> {
    let process = Process::start(PLAIN).await;
    for (path, bodies) in [("/v1/traces", case.traces), ("/v1/logs", case.logs)] {
        for body in bodies {
            let (status, _, answer) = process.post(path, JSON, body.to_string()).await;
            assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
        }
    }
    let config = config(process.data.path(), &[BASE, PLAIN]).unwrap();
    let findings = arrived(&config, Duration::from_secs(3600)).await.unwrap().unwrap();
    let findings: Vec<Value> = findings.iter().map(|f| serde_json::to_value(f).unwrap()).collect();
    process.stop().await;
    let rules: Vec<&str> = case.found.iter().map(|(rule, ..)| *rule).collect();
    let text = |f: &Value, key: &str| f[key].as_str().unwrap().to_owned();
    let named: Vec<Value> = findings.into_iter().filter(|f| rules.contains(&f["rule"].as_str().unwrap())).collect();
    let found: Vec<_> = named.iter().map(|f| (text(f, "rule"), text(f, "severity"), text(f, "title"))).collect();
    let expected: Vec<_> = case
        .found
        .iter()
        .map(|(rule, severity, title)| ((*rule).into(), (*severity).into(), (*title).into()))
        .collect();
    assert_eq!(found, expected);
    named
}

fn served(route: &str) -> [(&'static str, Value); 3] {
    [("http.request.method", json!("GET")), ("http.route", json!(route)), ("http.response.status_code", json!(200))]
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_without_a_user_are_told_by_framework_and_share() {
    let known: Vec<_> =
        served("/a").into_iter().chain([("user.id", json!("u-1")), ("session.id", json!("s"))]).collect();
    let unknown = served("/a");
    let mix = |with: u64, without: u64| -> Vec<Told<'_>> {
        (0..with).map(|n| (n, 2, &known[..])).chain((with..with + without).map(|n| (n, 2, &unknown[..]))).collect()
    };
    let findings = check(Case {
        traces: vec![
            spans("few", "python", "opentelemetry.instrumentation.flask", &mix(8, 2)),
            spans("some", "python", "opentelemetry.instrumentation.django", &mix(5, 5)),
            spans("most", "nodejs", "@opentelemetry/instrumentation-http", &mix(4, 6)),
        ],
        logs: Vec::new(),
        found: &[
            // Traces of one number are one trace: `some` and `most` lack a user where no service of the trace knows one.
            ("requests_without_user", "ok", "requests know their users"),
            ("no_session", "ok", "requests know their sessions"),
        ],
    })
    .await;
    assert_eq!(findings.len(), 2);
    let alone = |service, language, scope, with, without| Case {
        traces: vec![spans(service, language, scope, &mix(with, without))],
        logs: Vec::new(),
        found: &[],
    };
    let django = alone("some", "python", "opentelemetry.instrumentation.django", 5, 5);
    let found =
        check(Case { found: &[("requests_without_user", "hint", "5 of 10 requests of some have no user")], ..django })
            .await;
    assert!(found[0]["mend"]["snippet"].as_str().unwrap().contains("class Identify"), "{}", found[0]);
    let node = alone("most", "nodejs", "@opentelemetry/instrumentation-http", 4, 6);
    let found =
        check(Case { found: &[("requests_without_user", "problem", "6 of 10 requests of most have no user")], ..node })
            .await;
    assert!(found[0]["mend"]["snippet"].as_str().unwrap().contains("getRPCMetadata"), "{}", found[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_is_told_from_people_by_its_regularity() {
    let (poll, page) = (served("/api/state"), served("/api/page"));
    let known = |told: &[(&'static str, Value)]| -> Vec<_> {
        told.iter().cloned().chain([("session.id", json!("s"))]).collect()
    };
    let (poll, page) = (known(&poll), known(&page));
    // Every 30 s; and as a person clicks.
    let timer: Vec<Told<'_>> = (0..20).map(|n| (n * 30, 2, &poll[..])).collect();
    let person: Vec<Told<'_>> = (0..20).map(|n| (n * n * 3 + 1, 2, &page[..])).collect();
    let findings = check(Case {
        traces: vec![spans("web", "python", "flask", &timer), spans("web", "python", "flask", &person)],
        logs: Vec::new(),
        found: &[("noise", "hint", "50 % of the requests of web are health checks or timers: /api/state")],
    })
    .await;
    let expected = json!([{ "service": "web", "count": 20, "of": 40, "route": "/api/state", "kind": "polling", "every_seconds": "30" }]);
    assert_eq!(findings[0]["services"], expected);
    let snippet = findings[0]["mend"]["snippet"].as_str().unwrap();
    assert!(snippet.contains("- { name: polling, route: \"/api/state\" }"), "{snippet}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_goes_past_an_empty_table_is_named_and_no_value_of_it_is_shown() {
    let secret = "ada@planted.example";
    let findings = check(Case {
        traces: Vec::new(),
        logs: vec![
            log("tutor", "nodejs", "ai_usage", secret, &[("app.note", json!(format!("mail {secret}")))]),
            log("tutor", "nodejs", "ai_usage", "fine", &[]),
        ],
        found: &[
            (
                "read_not_written",
                "problem",
                "2 records named ai_usage of tutor go past provider_calls, which nobody fills",
            ),
            ("personal_data", "hint", "logs.body: 1 record held email"),
            ("personal_data", "hint", "attribute app.note of logs: 1 record held email"),
        ],
    })
    .await;
    assert!(findings[0]["detail"].as_str().unwrap().contains("ai_interactions"), "{}", findings[0]);
    assert!(findings.iter().all(|f| !f.to_string().contains("planted")));
    let snippet = findings[0]["mend"]["snippet"].as_str().unwrap();
    assert!(snippet.contains("table: provider_calls\nmatch:\n  - { signal: log, event: [\"ai_usage\"] }"), "{snippet}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_stored_is_nothing_to_judge() {
    let process = Process::start(PLAIN).await;
    let config = config(process.data.path(), &[BASE, PLAIN]).unwrap();
    assert!(arrived(&config, Duration::from_secs(60)).await.unwrap().is_none());
    process.stop().await;
    let nowhere = tempfile::tempdir().unwrap();
    let config = super::config(&nowhere.path().join("none"), &[BASE, PLAIN]).unwrap();
    assert!(arrived(&config, Duration::from_secs(60)).await.unwrap().is_none());
    assert!(!nowhere.path().join("none").exists(), "looking makes nothing");
}
