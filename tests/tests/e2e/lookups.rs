//! Files that rows are looked up in: plans that change while the binary runs, bans, and where an address is.

use std::path::Path;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::Value;
use tests::otlp::{self, tag};
use tests::{Marquetry, Setup, places};

const PERSON: &str = "ann.lookup@example.com";

fn request(id: u64, user: &str, address: &str) -> Span {
    let mut span = otlp::served(id, "/");
    span.attributes.extend([tag("user.id", user), tag("client.address", address)]);
    span
}

fn config(folder: &Path) -> String {
    let file = folder.join("lookups.yaml");
    let geo = places::root().join("processors/src/enrich/geo/places.mmdb");
    let text = format!(
        "processors:
  enrich:
    client: {{ geo: {{ country: {geo}, asn: {geo} }} }}
    lookups:
      - {{ name: plans, file: {plans}, key: user_id, columns: {{ plan: user_plan }} }}
      - {{ name: banned, file: {banned}, key: client_ip, mark: is_banned_client }}
",
        geo = geo.display(),
        plans = folder.join("plans.csv").display(),
        banned = folder.join("banned.ndjson").display(),
    );
    std::fs::write(&file, text).expect("writing a configuration");
    file.display().to_string()
}

/// As files are to be changed: written beside, then renamed.
fn replace(folder: &Path, text: &str) {
    std::fs::write(folder.join("plans.new"), text).expect("writing plans");
    std::fs::rename(folder.join("plans.new"), folder.join("plans.csv")).expect("renaming plans");
}

fn reloads(marquetry: &Marquetry, outcome: &str) -> f64 {
    let metrics = marquetry.metrics();
    let of = |line: &&str| {
        line.starts_with("marquetry_reference_reloads_total{")
            && line.contains("reference=\"plans\"")
            && line.contains(&format!("outcome=\"{outcome}\""))
    };
    let line = metrics.lines().find(of).unwrap_or_else(|| panic!("no {outcome} reloads in\n{metrics}"));
    line.rsplit(' ').next().and_then(|n| n.parse().ok()).expect("a number")
}

fn wait_for(what: &str, is: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !is() {
        assert!(Instant::now() < end, "waited for {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_changed_file_counts_for_the_rows_that_come() {
    let folder = tempfile::tempdir().expect("a folder");
    let plans = |plan: &str| format!("user_id,plan\nbob,free\n{PERSON},{plan}\n");
    replace(folder.path(), &plans("basic"));
    std::fs::write(folder.path().join("banned.ndjson"), "{\"client_ip\": \"203.0.113.77\"}\n").expect("writing bans");
    let mut setup = Setup::new(&folder.path().join("data"));
    setup.configs.push(config(folder.path()));
    let marquetry = setup.start();
    let send = |id, user, address| {
        marquetry.accept("/v1/traces", &otlp::spans("shop", vec![request(id, user, address)]));
    };
    send(1, PERSON, "203.0.113.77");
    replace(folder.path(), &plans("gold"));
    wait_for("the change", || reloads(&marquetry, "taken") >= 1.0);
    send(2, PERSON, "198.51.100.9");
    replace(folder.path(), &format!("{PERSON}\n"));
    wait_for("the refusal", || reloads(&marquetry, "refused") >= 1.0);
    send(3, PERSON, "192.0.2.1");
    send(4, "nobody-known", "192.0.2.1");
    let columns = "user_plan, client_country, client_asn, client_as_org, is_banned_client";
    let rows = setup.query(&format!("SELECT {columns} FROM requests ORDER BY span_id"));
    let shown: Vec<String> = rows
        .iter()
        .map(|row| {
            let cell = |column: &str| match &row[column] {
                Value::String(text) => text.clone(),
                Value::Null => "-".to_owned(),
                other => other.to_string(),
            };
            columns.split(", ").map(cell).collect::<Vec<_>>().join(" | ")
        })
        .collect();
    let expected = [
        "basic | KZ | 64500 | Example Telecom | true",
        "gold | - | 64501 | Example Transit | false",
        "gold | - | - | - | false",
        "- | - | - | - | false",
    ];
    assert_eq!(shown, expected);
    let metrics = marquetry.metrics();
    assert!(metrics.contains("marquetry_lookup_hits_total{"), "{metrics}");
    drop(marquetry);
    let log = setup.log();
    assert!(log.contains("it has no column `user_id`"), "the refusal is logged:\n{log}");
    for text in [log, metrics] {
        assert!(!text.contains(PERSON) && !text.contains("203.0.113.77"), "a key of a file was told:\n{text}");
    }
}

#[test]
fn a_bad_file_does_not_start() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("plans.csv"), format!("user_id,plan\n{PERSON}\n")).expect("writing plans");
    let mut setup = Setup::new(&folder.path().join("data"));
    setup.configs.push(config(folder.path()));
    for subcommand in ["validate", "run"] {
        let output = setup.command(subcommand).output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{subcommand} took it");
        for part in ["plans.csv: line 2: it has 1 cells, the first line 2", "banned.ndjson", "lookups.yaml"] {
            assert!(text.contains(part), "{part} is not in:\n{text}");
        }
        assert!(!text.contains(PERSON), "a key of a file was told:\n{text}");
    }
}
