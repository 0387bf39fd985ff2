//! What senders are told, and how soon a row is visible.

use std::time::{Duration, Instant};

use serde_json::json;
use tests::otlp::{self, Message, PROTOBUF};
use tests::{Marquetry, Setup, http, places, python};

fn start(folder: &tempfile::TempDir) -> Marquetry {
    Setup::new(&folder.path().join("data")).start()
}

#[test]
fn a_row_is_visible_within_a_second_of_its_ok() {
    let folder = tempfile::tempdir().expect("a folder");
    let marquetry = start(&folder);
    let mut took = Vec::new();
    for number in 1..=3 {
        marquetry.accept("/v1/traces", &otlp::spans("soon", vec![otlp::served(number, "/api/soon")]));
        let told = Instant::now();
        let rows = marquetry.setup.count("SELECT count(*) AS n FROM requests");
        assert_eq!(rows, number, "a row that was acknowledged is not there");
        took.push(told.elapsed());
    }
    // The machine may be busy with other tests; the row itself was there at once every time.
    assert!(took.iter().min() < Some(&Duration::from_secs(1)), "a second process took {took:?} to see it");
    let setup = marquetry.kill();
    assert_eq!(setup.count("SELECT count(*) AS n FROM requests"), 3, "with nothing running");
}

/// Every encoding that a sender may choose.
#[test]
fn json_and_compressed_bodies_are_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let marquetry = start(&folder);
    let json = json!({ "resourceLogs": [{ "scopeLogs": [{ "logRecords": [{
        "timeUnixNano": otlp::now().to_string(),
        "body": { "stringValue": "as JSON" },
    }] }] }] });
    let answer = http::post(marquetry.ports.http, "/v1/logs", "application/json", json.to_string().as_bytes());
    let answer = answer.expect("an answer");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")), "{}", answer.text());

    let body = otlp::logs("zipped", vec![otlp::log("zipped-1", "as gzip")]).encode_to_vec();
    let headers = [("content-type", PROTOBUF), ("content-encoding", "gzip")];
    let answer =
        http::send(marquetry.ports.http, "POST", "/v1/logs", &headers, &stored_gzip(&body)).expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
    let bodies = marquetry.setup.query("SELECT body FROM logs ORDER BY body");
    assert_eq!(bodies, [json!({ "body": "as JSON" }), json!({ "body": "as gzip" })]);
}

/// gzip without compressing: one stored block.
fn stored_gzip(data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).expect("a short body");
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&(!length).to_le_bytes());
    out.extend_from_slice(data);
    let mut crc = u32::MAX;
    for byte in data {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    out.extend_from_slice(&(!crc).to_le_bytes());
    out.extend_from_slice(&u32::from(length).to_le_bytes());
    out
}

#[test]
fn what_cannot_be_taken_is_said_and_costs_nobody_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let marquetry = start(&folder);
    let good = otlp::logs("good", vec![otlp::log("good-1", "fine")]).encode_to_vec();
    let cut = &good[..good.len() - 3];
    // (path, content type, body, status): the answer names the fault in OTLP's own terms.
    let cases: [(&str, &str, &[u8], u16); 5] = [
        ("/v1/logs", PROTOBUF, cut, 400),
        ("/v1/logs", "application/json", b"{\"resourceLogs\": [", 400),
        ("/v1/logs", "text/plain", b"hello", 415),
        ("/v1/nothing", PROTOBUF, &good, 404),
        ("/v1/logs", PROTOBUF, &good, 200),
    ];
    for (path, content_type, body, status) in cases {
        let answer = http::post(marquetry.ports.http, path, content_type, body).expect("an answer");
        assert_eq!(answer.status, status, "{path} as {content_type}: {}", answer.text());
    }
    let answer = http::get(marquetry.ports.http, "/v1/logs").expect("an answer");
    assert_eq!(answer.status, 405, "GET of an OTLP path");
    assert_eq!(marquetry.setup.count("SELECT count(*) AS n FROM logs"), 1, "only the good request is stored");
}

#[test]
fn metrics_are_acknowledged_counted_and_said_to_be_dropped() {
    let folder = tempfile::tempdir().expect("a folder");
    let marquetry = start(&folder);
    let metrics = json!({ "resourceMetrics": [{ "scopeMetrics": [{ "metrics": [{
        "name": "up", "gauge": { "dataPoints": [{ "asInt": "1", "timeUnixNano": otlp::now().to_string() }] },
    }] }] }] });
    let send = || {
        let answer =
            http::post(marquetry.ports.http, "/v1/metrics", "application/json", metrics.to_string().as_bytes());
        let answer = answer.expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.text()
    };
    assert!(send().contains("partialSuccess"), "the first answer warns that metrics are not stored");
    assert!(!send().contains("errorMessage"), "a client is told once");
    let page = marquetry.metrics();
    let counted =
        page.lines().any(|line| line.contains("_metric_points{") && line.contains("http") && line.ends_with(" 2"));
    assert!(counted, "two data points are counted:\n{page}");
}

#[test]
fn tls_and_tokens_guard_the_door() {
    let folder = tempfile::tempdir().expect("a folder");
    let fixture = |name: &str| places::root().join("tests/fixtures").join(name).display().to_string();
    let http = "receivers.otlp.protocols.http";
    let settings = vec![
        format!("{http}.tls.cert_file={}", fixture("localhost.crt")),
        format!("{http}.tls.key_file={}", fixture("localhost.key")),
        format!("{http}.auth.authenticator=bearertokenauth"),
        "extensions.bearertokenauth.token=let-me-in-please".to_owned(),
    ];
    let marquetry = Setup { settings, ..Setup::new(&folder.path().join("data")) }.start();
    let port = marquetry.ports.http.to_string();
    let statuses = python::json("secure.py", &[port, fixture("localhost.crt"), "let-me-in-please".to_owned()]);
    assert_eq!(statuses, json!([200, 401, 401]));
    assert!(!marquetry.setup.log().contains("let-me-in-please"), "the token stands in the log");
    let config = python::output(&mut marquetry.setup.command("print-config"));
    assert!(!config.contains("let-me-in-please"), "the token stands in the printed configuration");
}
