//! Who is behind a pseudonym: found by three letters of e-mail, name or phone, encrypted on disk, every look-up put down.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

use opentelemetry_proto::tonic::logs::v1::LogRecord;
use serde_json::Value;
use tests::{Marquetry, Setup, otlp};

/// Pieces of what people are called: none may stand in any file.
const PRIVATE: &[&str] = &["planted.example", "ann.lovell", "Lovell", "Kassymova", "7015551234", "701 555"];

fn event(name: &str, tags: &[(&str, &str)]) -> LogRecord {
    let attributes = tags.iter().map(|(key, value)| otlp::tag(key, *value)).collect();
    LogRecord {
        time_unix_nano: otlp::now(),
        event_name: name.to_owned(),
        severity_number: 9,
        attributes,
        ..Default::default()
    }
}

fn sign_ups() -> Vec<LogRecord> {
    vec![
        event(
            "auth.signup",
            &[
                ("user.id", "u-1"),
                ("user.email", "Ann.Lovell@planted.example"),
                ("user.full_name", "Ann Lovell"),
                ("user.phone", "+7 701 555 12 34"),
            ],
        ),
        event(
            "USER_CREATED",
            &[("user.id", "u-2"), ("user.email", "aigerim@planted.example"), ("full_name", "Айгерим Kassymova")],
        ),
        event("auth.login_failed", &[("user.email", "nobody@planted.example")]),
    ]
}

fn find(setup: &Setup, text: &str, more: &[&str]) -> Output {
    setup.command("users").args(["find", text, "--format", "json"]).args(more).output().expect("it runs")
}

/// Users as the command prints them.
fn users(setup: &Setup, text: &str, more: &[&str]) -> Vec<Value> {
    let output = find(setup, text, more);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "users find {text}: {errors}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {errors}"))
}

fn emails(setup: &Setup, text: &str) -> Vec<String> {
    let users = users(setup, text, &["--show"]);
    let mut emails: Vec<_> = users.iter().map(|user| user["email"].as_str().unwrap_or("-").to_owned()).collect();
    emails.sort();
    emails
}

/// Files below a folder that hold these bytes.
fn holding(folder: &Path, piece: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(holding(&path, piece));
        } else if path.is_file() {
            let bytes = std::fs::read(&path).expect("a file").to_ascii_lowercase();
            let piece = piece.to_lowercase();
            if bytes.windows(piece.len()).any(|window| window == piece.as_bytes()) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

fn assert_private(folder: &Path, when: &str) {
    for piece in PRIVATE {
        assert_eq!(holding(folder, piece), [""; 0], "{when}: {piece}");
    }
}

fn sent(setup: &Setup) -> Marquetry {
    let marquetry = setup.start();
    marquetry.accept("/v1/logs", &otlp::logs("academy", sign_ups()));
    marquetry
}

const ANN: &str = "ann.lovell@planted.example";
const AIGERIM: &str = "aigerim@planted.example";

#[test]
fn support_finds_a_user_by_three_letters_of_anything() {
    let folder = tempfile::tempdir().expect("a folder");
    let setup = Setup { flush: "100ms", ..Setup::new(&folder.path().join("data")) };
    let marquetry = sent(&setup);
    let cases: &[(&str, &[&str])] = &[
        ("nn.", &[ANN]),
        ("LOV", &[ANN]),
        ("айг", &[AIGERIM]),
        ("555 12", &[ANN]),
        ("planted", &[AIGERIM, ANN]),
        ("nobody", &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(emails(&setup, text), *expected, "{text}");
    }
    let [masked]: [Value; 1] = users(&setup, "lovell", &["--reason", "asked by ann.lovell@planted.example, ticket 7"])
        .try_into()
        .expect("one");
    let shown = ["email", "phone", "name"].map(|part| masked[part].as_str().expect("a value").to_owned());
    assert_eq!(shown, ["a***@planted.example", "***34", "A*** L***"]);
    // What is found is what stands in the tables, and the other way round.
    let user_ref = masked["user_ref"].as_str().expect("a pseudonym");
    assert_eq!(
        setup.count(&format!("SELECT count(*) FROM auth_events WHERE user_ref = '{user_ref}' AND action = 'signup'")),
        1
    );
    assert_eq!(emails(&setup, user_ref), [ANN]);
    assert!(masked["created"].as_str().is_some_and(|moment| moment.ends_with('Z')), "{masked}");
    let short = find(&setup, "an", &[]);
    assert!(!short.status.success() && String::from_utf8_lossy(&short.stderr).contains("at least 3 letters"));
    assert_eq!(users(&setup, "lovell", &["--tenant", "acme"]).len(), 0, "another tenant's");
    let metrics = marquetry.metrics();
    assert!(metrics.lines().any(|l| l == "marquetry_unaccounted_records_total 0"), "{metrics}");
    assert_private(folder.path(), "while it runs");
    let setup = marquetry.stop();
    assert_eq!(emails(&setup, "lov"), [ANN], "nothing runs");
    assert_private(folder.path(), "after a stop");
    assert!(!setup.data.join("lake/directory").exists(), "the lake never sees it");
    let sql = setup.command("query").arg("SELECT * FROM directory").output().expect("it runs");
    assert!(!sql.status.success(), "nor does SQL");
    let mode = |path: &str| std::fs::metadata(setup.data.join(path)).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode("directory"), 0o700);
}

#[test]
fn every_look_up_is_put_down_and_none_is_answered_that_cannot_be() {
    let folder = tempfile::tempdir().expect("a folder");
    let setup = Setup { flush: "100ms", ..Setup::new(&folder.path().join("data")) };
    let marquetry = sent(&setup);
    users(&setup, "lovell", &["--reason", "ticket 7, asked by ann.lovell@planted.example"]);
    users(&setup, "planted", &["--show", "--limit", "1"]);
    let setup = marquetry.stop();
    users(&setup, "LOVELL", &[]);
    let rows = setup.query("SELECT * FROM access_log ORDER BY time");
    assert_eq!(rows.len(), 3);
    let numbers = |row: &Value| ["hits", "shown", "query_length"].map(|column| row[column].as_u64().expect("a number"));
    assert_eq!(rows.iter().map(numbers).collect::<Vec<_>>(), [[1, 1, 6], [2, 1, 7], [1, 1, 6]]);
    assert_eq!(
        rows.iter().map(|row| row["in_clear"].as_bool().expect("yes or no")).collect::<Vec<_>>(),
        [false, true, false]
    );
    assert_eq!(rows[0]["reason"], "ticket 7, asked by [EMAIL]");
    assert_eq!(rows[0]["query_hash"], rows[2]["query_hash"], "equal texts are equal");
    assert_ne!(rows[0]["query_hash"], rows[1]["query_hash"]);
    let user_ref = setup.value("SELECT user_ref FROM auth_events WHERE action = 'signup'");
    assert_eq!(rows[0]["found_refs"], format!("[{user_ref}]"));
    assert!(rows.iter().all(|row| row["actor"].as_str().is_some_and(|actor| !actor.is_empty())));
    assert_private(folder.path(), "after look-ups");
    // With no room in the journal nothing can be put down.
    let full = Setup { settings: vec!["journal.max_bytes=1".to_owned()], ..setup };
    let refused = find(&full, "lovell", &["--show"]);
    let text = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && refused.stdout.is_empty(), "{text}");
    assert!(text.contains("journal holds"), "{text}");
}

#[test]
fn users_survive_kill_9_a_torn_file_and_no_other_key_opens_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let setup = Setup { flush: "1h", ..Setup::new(&folder.path().join("data")) };
    let slow = "exporters.directory.flush_interval=1h".to_owned();
    let setup = Setup { settings: vec![slow], ..setup };
    // Nothing has been taken out of the journal when it dies.
    let setup = sent(&setup).kill();
    assert_eq!(emails(&setup, "planted"), [AIGERIM, ANN], "with nothing running");
    let marquetry = setup.start();
    marquetry.accept(
        "/v1/logs",
        &otlp::logs(
            "academy",
            vec![event("auth.login", &[("user.id", "u-1"), ("user.email", "ann.new@planted.example")])],
        ),
    );
    assert_eq!(emails(&setup, "planted"), [AIGERIM, "ann.new@planted.example"]);
    let setup = marquetry.kill();
    let files = std::fs::read_dir(setup.data.join("directory")).expect("the directory");
    let file = files
        .map(|e| e.expect("an entry").path())
        .find(|p| p.extension().is_some_and(|e| e == "log"))
        .expect("its file");
    assert_eq!(std::fs::metadata(&file).expect("it is there").permissions().mode() & 0o777, 0o600);
    let bytes = std::fs::read(&file).expect("its bytes");
    std::fs::write(&file, &bytes[..bytes.len() - 11]).expect("tearing it");
    assert_eq!(emails(&setup, "planted"), [AIGERIM, "ann.new@planted.example"], "a torn tail");
    assert_private(folder.path(), "after crashes");
    let key = folder.path().join("other.key");
    std::fs::write(&key, "b".repeat(44)).expect("a key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).expect("its mode");
    let other = Setup { settings: vec![format!("keys.root_key_file={}", key.display())], ..setup };
    let refused = find(&other, "planted", &[]);
    let text = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && text.contains("written with another root key"), "{text}");
}
