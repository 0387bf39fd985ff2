//! What real SDKs sent (`tests/fixtures`), replayed as protobuf and as JSON: both give the same rows, value by value.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use serde_json::{Value, json};
use tests::otlp::{self, Message, PROTOBUF};
use tests::{Marquetry, Setup, http, places};

/// 2026-11-21 06:58:00 UTC, a little before the first capture.
const CAPTURED: u64 = 1_795_244_280_000_000_000;

#[derive(Debug, Clone, Copy)]
pub enum Encoding {
    Protobuf,
    Json,
}

/// Moves every time to now: the past of a fixture must not change what is tested.
fn move_times(value: &mut Value, by: u64) {
    match value {
        Value::Object(fields) => {
            for (key, inner) in fields {
                match inner.as_str().and_then(|text| text.parse::<u64>().ok()) {
                    Some(time) if key.ends_with("UnixNano") && time > 0 => *inner = json!((time + by).to_string()),
                    _ => move_times(inner, by),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| move_times(item, by)),
        _ => {}
    }
}

fn protobuf(path: &str, body: Value) -> Vec<u8> {
    fn encode<T: Message + serde::de::DeserializeOwned>(body: Value) -> Vec<u8> {
        serde_json::from_value::<T>(body).expect("a fixture is OTLP/JSON").encode_to_vec()
    }
    match path {
        "/v1/traces" => encode::<ExportTraceServiceRequest>(body),
        "/v1/logs" => encode::<ExportLogsServiceRequest>(body),
        "/v1/metrics" => encode::<ExportMetricsServiceRequest>(body),
        other => panic!("a fixture has the path {other}"),
    }
}

pub fn replay(marquetry: &Marquetry, fixture: &str, encoding: Encoding) {
    let file = places::root().join("tests/fixtures").join(fixture);
    let moved = otlp::now() - CAPTURED;
    for line in std::fs::read_to_string(file).expect("the fixture").lines() {
        let mut request: Value = serde_json::from_str(line).expect("a line is JSON");
        move_times(&mut request["body"], moved);
        let path = request["path"].as_str().expect("a path").to_owned();
        let (content_type, body) = match encoding {
            Encoding::Protobuf => (PROTOBUF, protobuf(&path, request["body"].take())),
            Encoding::Json => ("application/json", request["body"].to_string().into_bytes()),
        };
        let answer = http::post(marquetry.ports.http, &path, content_type, &body).expect("an answer");
        assert_eq!(answer.status, 200, "{fixture} {path} as {encoding:?}: {}", answer.text());
    }
}

/// A question about a capture, and what it must give under any encoding.
struct Case {
    sql: &'static str,
    expected: Value,
}

fn check(fixture: &str, cases: &[Case]) {
    for encoding in [Encoding::Protobuf, Encoding::Json] {
        let folder = tempfile::tempdir().expect("a folder");
        let marquetry = Setup::new(&folder.path().join("data")).start();
        replay(&marquetry, fixture, encoding);
        let hot = marquetry.setup.clone();
        for Case { sql, expected } in cases {
            assert_eq!(&without_nulls(hot.query(sql)), expected, "{fixture} as {encoding:?}, from the journal: {sql}");
        }
        let cold = marquetry.stop();
        for Case { sql, expected } in cases {
            assert_eq!(&without_nulls(cold.query(sql)), expected, "{fixture} as {encoding:?}, from the lake: {sql}");
        }
        assert!(!cold.log().contains("a@b.co"), "{fixture}: the planted address stands in the log");
    }
}

fn without_nulls(rows: Vec<Value>) -> Value {
    let keep = |row: Value| match row {
        Value::Object(fields) => fields.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        other => other,
    };
    rows.into_iter().map(keep).collect()
}

#[test]
fn flask_with_the_working_genai_instrumentation() {
    let call = |model: &str, input: Option<i64>, output: Option<i64>, cached: Option<i64>| {
        let mut row = json!({ "m": model, "known": true });
        for (key, value) in [("i", input), ("o", output), ("c", cached)] {
            if let Some(value) = value {
                row[key] = json!(value);
            }
        }
        row
    };
    check(
        "flask_genai.jsonl",
        &[
            Case {
                sql: "SELECT route AS r, status_code AS s, user_ref IS NOT NULL AS u FROM requests \
                      WHERE echo_of IS NULL ORDER BY time",
                expected: json!([
                    { "r": "/api/chat/<cid>", "s": 200, "u": true },
                    { "r": "/api/stream", "s": 200, "u": true },
                    { "r": "/api/resp", "s": 200, "u": true },
                    { "r": "/api/limited", "s": 500, "u": true },
                    { "r": "/api/gem", "s": 200, "u": true },
                    { "r": "/api/login", "s": 401, "u": true },
                    { "r": "/api/boom", "s": 500, "u": true },
                ]),
            },
            Case {
                sql: "SELECT request_model AS m, input_tokens AS i, output_tokens AS o, cache_read_tokens AS c, \
                      user_ref IS NOT NULL AS known FROM provider_calls WHERE echo_of IS NULL ORDER BY time",
                expected: json!([
                    call("gpt-5.1", Some(11), Some(3), Some(4)),
                    call("gpt-5.1", Some(5), Some(7), None),
                    call("gpt-5.1", Some(11), Some(3), Some(4)),
                    call("bad-model", None, None, None),
                    call("gemini-3-pro", Some(9), Some(4), Some(2)),
                ]),
            },
            Case {
                sql: "SELECT provider AS p, count(*) AS n FROM provider_calls WHERE echo_of IS NULL GROUP BY provider ORDER BY p",
                expected: json!([{ "p": "gcp.gemini", "n": 1 }, { "p": "openai", "n": 4 }]),
            },
            Case { sql: "SELECT count(*) AS n FROM errors WHERE echo_of IS NULL", expected: json!([{ "n": 2 }]) },
            Case {
                sql: "SELECT action AS a, user_ref IS NOT NULL AS u FROM auth_events WHERE echo_of IS NULL",
                expected: json!([{ "a": "login_failed", "u": true }]),
            },
            Case {
                sql: "SELECT count(DISTINCT user_ref) AS u, count(DISTINCT session_ref) AS s FROM requests",
                expected: json!([{ "u": 1, "s": 1 }]),
            },
            Case {
                sql: "SELECT count(*) AS n FROM logs WHERE body LIKE '%a@b.co%' OR body LIKE '%' || chr(27) || '%'",
                expected: json!([{ "n": 0 }]),
            },
        ],
    );
}

#[test]
fn flask_with_the_old_names() {
    check(
        "flask_old_names.jsonl",
        &[
            Case {
                sql: "SELECT method AS m, route AS r, path AS p, status_code AS s, client_prefix AS c FROM requests \
                      WHERE echo_of IS NULL ORDER BY time",
                expected: json!([
                    { "m": "GET", "r": "/api/chat/<cid>", "p": "/api/chat/c1", "s": 200, "c": "127.0.0.0/24" },
                    { "m": "GET", "r": "/api/stream", "p": "/api/stream", "s": 200, "c": "127.0.0.0/24" },
                    { "m": "GET", "r": "/api/resp", "p": "/api/resp", "s": 200, "c": "127.0.0.0/24" },
                    { "m": "GET", "r": "/api/limited", "p": "/api/limited", "s": 500, "c": "127.0.0.0/24" },
                    { "m": "GET", "r": "/api/gem", "p": "/api/gem", "s": 200, "c": "127.0.0.0/24" },
                    { "m": "GET", "r": "/api/login", "p": "/api/login", "s": 401, "c": "127.0.0.0/24" },
                    { "m": "GET", "r": "/api/boom", "p": "/api/boom", "s": 500, "c": "127.0.0.0/24" },
                ]),
            },
            Case { sql: "SELECT count(*) AS n FROM errors WHERE echo_of IS NULL", expected: json!([{ "n": 3 }]) },
        ],
    );
}

#[test]
fn fastapi() {
    check(
        "fastapi.jsonl",
        &[
            Case {
                sql: "SELECT route AS r, status_code AS s FROM requests WHERE echo_of IS NULL ORDER BY time",
                expected: json!([
                    { "r": "/items/{i}", "s": 200 },
                    { "r": "/items/{i}", "s": 200 },
                    { "r": "/items/{i}", "s": 200 },
                    { "r": "/items/{i}", "s": 200 },
                    { "r": "/boom", "s": 500 },
                ]),
            },
            Case {
                sql: "SELECT count(*) AS n FROM spans WHERE name LIKE '%/items/%http send'",
                expected: json!([{ "n": 0 }]),
            },
            Case { sql: "SELECT count(*) AS n FROM errors WHERE echo_of IS NULL", expected: json!([{ "n": 1 }]) },
        ],
    );
}
