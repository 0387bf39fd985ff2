//! Keys that are rotated: rows of every key id are found by one command, and the root key comes from a program.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::{Value, json};
use tests::otlp::{self, tag};
use tests::{Marquetry, Setup, python};

const PERSON: &str = "ann.rotated@example.com";
const KEY: &str = "sk-proj-rotated-4f9a81c2";

/// A request of a person, and the call below it that a key pays for.
fn send(marquetry: &Marquetry, id: u64, person: &str, key: &str) {
    let mut request = otlp::served(id, "/");
    request.attributes.extend([tag("user.email", person), tag("user.id", format!("u-{}", person.len()))]);
    let call = Span {
        kind: 3,
        name: "chat".to_owned(),
        attributes: vec![
            tag("gen_ai.provider.name", "openai"),
            tag("gen_ai.request.model", "gpt-5.1"),
            tag("gen_ai.operation.name", "chat"),
            tag("app.api_key", key),
        ],
        ..otlp::served(id + 1000, "/")
    };
    marquetry.accept("/v1/traces", &otlp::spans("shop", vec![request, call]));
}

/// A record without an id of its own: it gets a keyed hash of what it says.
fn send_again(marquetry: &Marquetry, time: u64) {
    let record = LogRecord { time_unix_nano: time, body: Some(otlp::text("said twice")), ..LogRecord::default() };
    marquetry.accept("/v1/logs", &otlp::logs("shop", vec![record]));
}

/// A collector whose root key a program prints, with these settings of `keys`.
fn setup(folder: &Path, keys: &[&str]) -> Setup {
    let file = folder.join("root.key");
    std::fs::write(&file, "a root key for a test, not for keeps, 48 bytes....").expect("writing the key");
    let mut settings = vec![format!("keys.root_key_command=[cat, {}]", file.display())];
    settings.extend(keys.iter().map(|setting| format!("keys.{setting}")));
    Setup { flush: "100ms", settings, ..Setup::new(&folder.join("data")) }
}

fn pseudonym(setup: &Setup, arguments: &[&str]) -> Command {
    let mut command = setup.command("pseudonym");
    command.args(arguments);
    command
}

fn lines(setup: &Setup, arguments: &[&str]) -> Vec<String> {
    python::output(&mut pseudonym(setup, arguments)).lines().map(str::to_owned).collect()
}

fn typed(setup: &Setup, arguments: &[&str], input: &str) -> String {
    let mut command = pseudonym(setup, arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the binary starts");
    child.stdin.take().expect("its input").write_all(input.as_bytes()).expect("typing");
    let output = child.wait_with_output().expect("its end");
    assert!(output.status.success(), "{}", output.status);
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn heads(pseudonyms: &[String]) -> Vec<&str> {
    pseudonyms.iter().map(|text| text.split_once('_').expect("a head and digits").0).collect()
}

fn refused(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().expect("the binary starts");
    assert!(!status.success() && stdout.is_empty(), "{status}: {}", String::from_utf8_lossy(&stdout));
    String::from_utf8(stderr).expect("UTF-8")
}

#[test]
fn rows_of_every_key_id_are_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = setup(folder.path(), &[]);
    let marquetry = first.start();
    send(&marquetry, 1, PERSON, KEY);
    let time = otlp::now();
    send_again(&marquetry, time);
    marquetry.stop();
    let before = lines(&first, &["email", PERSON]);
    assert_eq!(heads(&before), ["e1"]);

    let second = setup(folder.path(), &["kid=2", "kids=[1, 2]"]);
    let marquetry = second.start();
    send(&marquetry, 2, "Ann Rotated <ANN.Rotated@Example.COM>", &format!("Bearer {KEY}"));
    let emails = lines(&second, &["email", " ANN.rotated@EXAMPLE.com. "]);
    assert_eq!((heads(&emails), &emails[1]), (vec!["e2", "e1"], &before[0]), "the old one is what it was");
    for (table, column, kind, value) in
        [("requests", "email_ref", "email", PERSON), ("provider_calls", "key_ref", "apikey", KEY)]
    {
        let list = typed(&second, &[kind, "-", "--format", "sql"], &format!("{value}\n"));
        let found = format!("SELECT count(*) AS n FROM {table} WHERE {column} {list}");
        assert_eq!(second.count(&found), 2, "{found}");
        for one in lines(&second, &[kind, value]) {
            assert_eq!(
                second.count(&format!("SELECT count(*) AS n FROM {table} WHERE {column} = '{one}'")),
                1,
                "{one}"
            );
        }
    }
    let json: Value =
        serde_json::from_str(&typed(&second, &["email", "-", "--format", "json"], PERSON)).expect("an array");
    let of = |at: usize, kid: u32| json!({ "pseudonym": emails[at], "kid": kid, "is_current": at == 0 });
    assert_eq!(json, json!([of(0, 2), of(1, 1)]));
    send_again(&marquetry, time);
    let twice = second.query("SELECT count(*) AS rows, count(DISTINCT record_id) AS records FROM logs");
    assert_eq!(twice, [json!({ "rows": 2, "records": 1 })], "who a record is does not change with the key id");
    marquetry.stop();

    let third = setup(folder.path(), &["kid=2", "tenants={ default: { kid: 3, kids: [2, 3] } }"]);
    let marquetry = third.start();
    send(&marquetry, 3, PERSON, KEY);
    assert_eq!(heads(&lines(&third, &["email", PERSON])), ["e3", "e2"], "one tenant alone");
    assert_eq!(heads(&lines(&third, &["email", PERSON, "--tenant", "acme"])), ["e2", "e1"]);
    let list = typed(&third, &["email", PERSON, "--format", "sql"], "");
    assert_eq!(third.count(&format!("SELECT count(*) AS n FROM requests WHERE email_ref {list}")), 2);
    let doctor = third.command("doctor").args(["--format", "json"]).args(marquetry.ports.settings()).output();
    let doctor = String::from_utf8(doctor.expect("the binary starts").stdout).expect("UTF-8");
    assert!(doctor.contains("the root key is private and fits the lake"), "{doctor}");
    marquetry.stop();

    let said = third.log();
    assert!(said.contains("printed by cat"), "{said}");
    for secret in ["ann.rotated", "4f9a81c2", "not for keeps", "root.key"] {
        assert!(!said.to_lowercase().contains(secret), "{secret} in what it said:\n{said}");
    }
}

#[test]
fn what_has_no_pseudonym_is_refused_and_no_key_is_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = Setup::new(&folder.path().join("data"));
    let error = refused(&mut pseudonym(&own, &["email", PERSON]));
    assert!(error.contains("there is no root key") && error.contains("--data"), "{error}");
    assert!(!own.data.exists(), "who only asks makes no key");

    let setup = setup(folder.path(), &[]);
    for (arguments, expected) in [
        (["mail", PERSON], "known here: user, session, device, email, phone, ip, apikey"),
        ([PERSON, "email"], "known here: user"),
        (["email", " <> "], "nothing is left of the email in normal form"),
    ] {
        let error = refused(&mut pseudonym(&setup, &arguments));
        assert!(error.contains(expected) && !error.contains(PERSON), "{error}");
    }
    let note = pseudonym(&setup, &["phone", "8 701 123 45 67"]).output().expect("the binary starts");
    let note = String::from_utf8(note.stderr).expect("UTF-8");
    assert!(note.contains("taken as bare digits") && !note.contains("701"), "{note}");
}

#[test]
fn a_program_without_a_key_stops_the_start_and_shows_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let script: PathBuf = folder.path().join("print.sh");
    std::fs::write(&script, "echo s3cr3t; echo s3cr3t-too >&2; exit 7").expect("writing a program");
    let mut setup = Setup::new(&folder.path().join("data"));
    setup.settings.push(format!("keys.root_key_command=[sh, {}, --password=hunter2]", script.display()));
    for command in ["run", "pseudonym"] {
        let mut command = setup.command(command);
        let ports = ["receivers.otlp.protocols.grpc.endpoint", "receivers.otlp.protocols.http.endpoint"];
        let admin = ["extensions.health_check.endpoint", "service.telemetry.metrics.address"];
        command.args(ports.iter().chain(&admin).flat_map(|key| ["--set".to_owned(), format!("{key}=127.0.0.1:0")]));
        if command.get_args().any(|argument| argument == "pseudonym") {
            command.args(["user", "ann"]);
        }
        let error = command.output().expect("the binary starts");
        let error = format!("{}{}", String::from_utf8_lossy(&error.stdout), String::from_utf8_lossy(&error.stderr));
        assert!(
            error.contains("running sh, which keys.root_key_command names: it ended with exit status: 7"),
            "{error}"
        );
        assert!(!error.contains("s3cr3t") && !error.contains("hunter2"), "{error}");
    }
    let printed = python::output(&mut setup.command("print-config"));
    assert!(printed.contains("root_key_command:\n    - sh\n    - \"[redacted]\"\n"), "{printed}");
    assert!(!printed.contains("hunter2") && !printed.contains("print.sh"), "{printed}");
    let valid = python::output(&mut setup.command("validate"));
    assert!(valid.contains("note: sh prints the root key: a start runs it once, this check does not"), "{valid}");
}
