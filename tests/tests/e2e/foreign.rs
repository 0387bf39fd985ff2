//! Python's Delta readers and our SQL agree on every count of every table.

use std::path::Path;

use tests::otlp::{self, tag};
use tests::{Marquetry, Setup, foreign};

/// Tables that one record each of [`send`] goes to.
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
];

/// One of everything, `round` making it its own.
fn send(marquetry: &Marquetry, round: u64) {
    let id = round * 10 + 1;
    let mut call = otlp::served(id + 1, "chat");
    call.kind = 3;
    call.attributes =
        vec![tag("gen_ai.operation.name", "chat"), tag("gen_ai.request.model", "gpt-5.1"), tag("user.id", "u-1")];
    let mut work = otlp::served(id + 2, "work");
    (work.kind, work.attributes) = (1, Vec::new());
    marquetry.accept("/v1/traces", &otlp::spans("foreign", vec![otlp::served(id, "/api/foreign"), call, work]));
    let event = |name: &str| {
        let mut log = otlp::log(&format!("{name}-{round}"), "it happened");
        log.event_name = name.to_owned();
        log
    };
    let mut error = otlp::log(&format!("error-{round}"), "it failed");
    (error.severity_number, error.severity_text) = (17, "ERROR".to_owned());
    error.attributes.push(tag("exception.type", "ValueError"));
    let names = ["auth.login", "audit.user_update", "app.page_view", "rate_limit.exceeded", "api_key.created"];
    let records =
        names.iter().map(|name| event(name)).chain([error, otlp::log(&format!("log-{round}"), "plain")]).collect();
    marquetry.accept("/v1/logs", &otlp::logs("foreign", records));
}

fn agree(setup: &Setup, lake: &Path, rows: u64) {
    let found = foreign::read(&lake.display().to_string(), TABLES, &[]);
    for table in TABLES {
        let ours = setup.query(&format!(
            "SELECT count(*) AS rows, count(*) FILTER (WHERE is_primary) AS primaries, count(DISTINCT user_ref) AS users, \
             count(*) FILTER (WHERE echo_of IS NULL) AS counting, sum(time_unix_nano % 1000000007) AS times FROM {table}"
        ));
        let theirs = &found[table];
        assert_eq!(theirs["deltalake"], theirs["polars"], "{table}: two readers");
        let [ours] = ours.as_slice() else { panic!("one row") };
        let pairs = [("rows", "deltalake"), ("primaries", "primary"), ("users", "users"), ("counting", "counting")];
        for (mine, their) in pairs {
            assert_eq!(ours[mine], theirs[their], "{table}: {mine}, ours and theirs");
        }
        assert_eq!(ours["times"], theirs["times"], "{table}: checksum of the exact times");
        assert!(ours["rows"].as_u64() >= Some(rows), "{table} has {} rows", ours["rows"]);
    }
}

#[test]
fn readers_of_delta_agree_with_us() {
    const ROUNDS: u64 = 30;
    let folder = tempfile::tempdir().expect("a folder");
    let setup = Setup { flush: "1s", ..Setup::new(&folder.path().join("data")) };
    // Several starts and many flushes: several files, versions and journals per table.
    for start in 0..2 {
        let marquetry = setup.start();
        for round in 0..ROUNDS {
            send(&marquetry, start * ROUNDS + round);
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        marquetry.stop();
    }
    agree(&setup, &setup.data.join("lake"), 2 * ROUNDS);
}
