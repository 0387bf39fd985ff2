//! No raw secret or personal value in any file, log line, metric or answer of ours.
//!
//! `python/plant.py` puts values into every field that OTLP has; `python/scan.py` decodes and searches what came of them.
//! The same scan over a build whose seal lets everything through shows that it sees.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tests::otlp::PROTOBUF;
use tests::{Marquetry, Setup, http, places, python};

const TABLES: &[&str] = &[
    "requests",
    "provider_calls",
    "errors",
    "auth_events",
    "audit_log",
    "activity_events",
    "rate_limits",
    "key_events",
    "spans",
    "logs",
    "access_log",
];

/// A value in what is wrong about a request: answers and log lines must name the fault without it.
const SPOILT: &str = "ada.zq9xw7kv00000@planted.example";

struct Planted {
    folder: tempfile::TempDir,
}

impl Planted {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        python::json("plant.py", &[folder.path()]);
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Sends everything, good and spoilt; keeps the answers.
    fn send(&self, marquetry: &Marquetry) {
        let mut answers = String::new();
        for signal in ["traces", "logs", "metrics"] {
            let body = std::fs::read(self.path(&format!("{signal}.bin"))).expect("planted requests");
            let answer =
                http::post(marquetry.ports.http, &format!("/v1/{signal}"), PROTOBUF, &body).expect("an answer");
            assert_eq!(answer.status, 200, "{signal}: {}", answer.text());
            answers.push_str(&answer.text());
        }
        answers.push_str(&self.spoilt(marquetry.ports.http));
        // A question about a value is answered without it where the answer is ours, not the asker's.
        for sql in ["SELECT nothing FROM requests", "SELECT count(*) AS n FROM no_table"] {
            let output = marquetry.setup.command("query").arg(sql).output().expect("a query runs");
            assert!(!output.status.success(), "{sql} must fail");
            answers.push_str(&String::from_utf8_lossy(&output.stderr));
        }
        std::fs::write(self.path("answers.txt"), answers).expect("keeping the answers");
        std::fs::write(self.path("metrics.txt"), marquetry.metrics()).expect("keeping the metrics");
    }

    fn spoilt(&self, port: u16) -> String {
        let broken_json = format!("{{\"resourceLogs\": [{{\"{SPOILT}\": \"{SPOILT}\", ");
        let wrong_type = format!("{{\"resourceLogs\": \"{SPOILT}\"}}");
        let wrong_time = format!(
            "{{\"resourceLogs\":[{{\"scopeLogs\":[{{\"logRecords\":[{{\"timeUnixNano\":\"{SPOILT}\"}}]}}]}}]}}"
        );
        let framing = [&[0x0a, 0x7f][..], SPOILT.as_bytes()].concat();
        let path = format!("/v1/{SPOILT}");
        let query = format!("/v1/logs?token={SPOILT}");
        let cases: [Request; 7] = [
            ("/v1/logs", &[("content-type", "application/json")], broken_json.as_bytes()),
            ("/v1/logs", &[("content-type", "application/json")], wrong_type.as_bytes()),
            ("/v1/logs", &[("content-type", "application/json")], wrong_time.as_bytes()),
            ("/v1/logs", &[("content-type", PROTOBUF), ("authorization", SPOILT), ("user-agent", SPOILT)], &framing),
            ("/v1/logs", &[("content-type", SPOILT), ("content-encoding", SPOILT)], b"x"),
            (&path, &[("content-type", PROTOBUF)], b""),
            (&query, &[("content-type", PROTOBUF), ("content-encoding", SPOILT)], b"x"),
        ];
        cases
            .iter()
            .map(|(path, headers, body)| http::send(port, "POST", path, headers, body).expect("an answer").text())
            .collect()
    }

    /// What a reader sees by our own SQL.
    fn ask(&self, setup: &Setup) {
        let rows: Vec<Value> = TABLES.iter().flat_map(|table| setup.query(&format!("SELECT * FROM {table}"))).collect();
        std::fs::write(self.path("rows.json"), serde_json::to_vec(&rows).expect("JSON")).expect("keeping the rows");
    }

    /// What support sees of users, masked: their names, addresses and numbers lie encrypted in the directory.
    fn look_up(&self, setup: &Setup) {
        let output = setup.command("users").args(["find", "person-zq9", "--format", "json"]).output().expect("it runs");
        let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && text.contains("user_ref"), "nobody is found: {text}\n{errors}");
        let answers = std::fs::read_to_string(self.path("answers.txt")).expect("the answers");
        std::fs::write(self.path("answers.txt"), format!("{answers}{text}{errors}")).expect("keeping the answers");
    }

    fn scan(&self, data: &Path, log: &Path, more: &[&str]) -> Found {
        let mut arguments = vec![
            self.path("planted.json").display().to_string(),
            data.display().to_string(),
            format!("log={}", log.display()),
            format!("metrics={}", self.path("metrics.txt").display()),
            format!("answers={}", self.path("answers.txt").display()),
            format!("rows={}", self.path("rows.json").display()),
        ];
        arguments.extend(more.iter().map(|&a| a.to_owned()));
        Found(python::json("scan.py", &arguments))
    }
}

/// A path, headers and a body.
type Request<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [u8]);

/// What a scan says.
struct Found(Value);

impl Found {
    /// Leaks by kind of file.
    fn leaks(&self) -> BTreeMap<&str, usize> {
        let mut kinds = BTreeMap::new();
        for leak in self.0["leaks"].as_array().expect("a list") {
            *kinds.entry(leak["kind"].as_str().expect("a kind")).or_insert(0) += 1;
        }
        kinds
    }

    fn files(&self, kind: &str) -> u64 {
        self.0["files"][kind].as_u64().unwrap_or(0)
    }

    fn assert_clean(&self, when: &str) {
        let leaks = self.0["leaks"].as_array().expect("a list");
        let first: Vec<_> = leaks.iter().take(40).map(|leak| format!("  {leak}")).collect();
        assert!(leaks.is_empty(), "{when}: {} leaks: {:?}\n{}", leaks.len(), self.leaks(), first.join("\n"));
        for kind in ["journal", "directory", "log", "metrics", "answers", "rows"] {
            assert!(self.files(kind) > 0, "{when}: no file of kind {kind} was searched: {}", self.0["files"]);
        }
        assert_eq!(self.0["blind"], Value::Array(Vec::new()), "{when}: planted copies in which nothing was found");
    }
}

#[test]
fn nothing_planted_is_readable_anywhere() {
    let planted = Planted::new();
    // Nothing is flushed before the first scan: everything lies in live segments.
    let marquetry = Setup { flush: "1h", ..Setup::new(&planted.path("data")) }.start();
    planted.send(&marquetry);
    planted.look_up(&marquetry.setup);
    planted.ask(&marquetry.setup);
    let (data, log) = (marquetry.setup.data.clone(), marquetry.setup.log_file());
    planted.scan(&data, &log, &["--self-test"]).assert_clean("with live segments");
    let stopped = marquetry.stop();
    let marquetry = Setup { flush: "100ms", ..stopped }.start();
    make_checkpoints(&marquetry);
    let stopped = marquetry.stop();
    planted.look_up(&stopped);
    planted.ask(&stopped);
    let found = planted.scan(&data, &log, &["--self-test"]);
    found.assert_clean("after a clean stop");
    for kind in ["parquet", "delta log", "checkpoint"] {
        assert!(found.files(kind) > 0, "no file of kind {kind} was searched: {}", found.0["files"]);
    }
}

/// A checkpoint comes after 50 commits, and a table has at most one commit a second: small requests until one is there.
fn make_checkpoints(marquetry: &Marquetry) {
    let log = marquetry.setup.data.join("lake/requests/_delta_log");
    let mut number = 1_000_000;
    tests::process::wait_for("a checkpoint of requests", || {
        number += 1;
        marquetry.accept(
            "/v1/traces",
            &tests::otlp::spans("checkpoint", vec![tests::otlp::served(number, "/api/checkpoint")]),
        );
        let entries = std::fs::read_dir(&log).map(|d| d.flatten().collect::<Vec<_>>()).unwrap_or_default();
        entries.iter().any(|entry| entry.path().to_string_lossy().contains(".checkpoint"))
    });
}

#[test]
fn the_scan_sees_what_a_seal_that_lets_everything_through_lets_through() {
    let planted = Planted::new();
    let setup = Setup { binary: places::control_binary(), flush: "1h", ..Setup::new(&planted.path("data")) };
    let marquetry = setup.start();
    planted.send(&marquetry);
    planted.ask(&marquetry.setup);
    let log = marquetry.setup.log_file();
    let live = planted.scan(&marquetry.setup.data, &log, &[]);
    let marquetry = Setup { flush: "100ms", ..marquetry.stop() }.start();
    make_checkpoints(&marquetry);
    let after = planted.scan(&marquetry.stop().data, &log, &[]);
    // A value counts once per place: where all values are, nearly everything that was planted must be seen. Bounds are
    // two values a column, and an instrument keeps so many labels only.
    let all = 5000;
    let live_kinds: &[(&str, usize)] = &[("journal", all), ("rows", all), ("log", all), ("metrics", 1000)];
    let after_kinds: &[(&str, usize)] = &[
        ("parquet values", all),
        ("parquet dictionaries", all),
        ("parquet statistics", 20),
        ("delta log", 20),
        ("checkpoint", 20),
        ("checkpoint values", 20),
    ];
    for (found, kinds) in [(live, live_kinds), (after, after_kinds)] {
        let leaks = found.leaks();
        for (kind, least) in kinds {
            assert!(leaks.get(kind).is_some_and(|n| n >= least), "the scan is blind for {kind}: {leaks:?}");
        }
    }
}
