//! Values that are encrypted for erasure: a token in the lake, `marquetry reveal` opens it, and nobody else does.

use std::path::Path;
use std::process::{Output, Stdio};

use tests::{Setup, otlp, process::wait_for, python};

const EMAIL: &str = "ada.planted@example.com";
const PHONE: &str = "+14155552671";

const CONFIG: &str = "
processors:
  redact: { actions: { email: encrypt, phone: encrypt } }
";

fn setup(data: &Path) -> Setup {
    Setup { flush: "100ms", configs: vec![format!("yaml:{CONFIG}")], ..Setup::new(data) }
}

/// Runs `reveal` on a text, given on standard input.
fn reveal(setup: &Setup, text: &str, arguments: &[&str]) -> Output {
    let mut command = setup.command("reveal");
    let mut child = command
        .arg("-")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), text.as_bytes()).expect("writing");
    child.wait_with_output().expect("it ends")
}

fn said(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// Whether any file below a folder holds one of these.
fn holds(folder: &Path, texts: &[&str]) -> bool {
    std::fs::read_dir(folder).expect("a folder").any(|entry| {
        let path = entry.expect("an entry").path();
        let found = |file: Vec<u8>| texts.iter().any(|text| file.windows(text.len()).any(|w| w == text.as_bytes()));
        if path.is_dir() { holds(&path, texts) } else { found(std::fs::read(&path).unwrap_or_default()) }
    })
}

#[test]
fn what_is_encrypted_is_revealed_to_who_may_and_to_nobody_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let marquetry = setup(&folder.path().join("data")).start();
    let body = format!("mail {EMAIL}, or call {PHONE}");
    let logs = ["one", "two"].map(|uid| {
        let mut log = otlp::log(uid, &body);
        log.attributes.push(otlp::tag("note", format!("asks for {EMAIL}")));
        log.attributes.push(otlp::tag("user.id", uid));
        log
    });
    let nobody = otlp::log("three", &body);
    marquetry.accept("/v1/logs", &otlp::logs("shop", logs.into_iter().chain([nobody]).collect()));
    let setup = &marquetry.setup;
    let sql = "SELECT body, attributes['note'] AS note, user_ref FROM logs ORDER BY user_ref NULLS LAST";
    let rows = setup.query(sql);
    let text = |row: usize, column: &str| rows[row][column].as_str().expect("a text").to_owned();
    let [ada, other, nobody] = [0, 1, 2].map(|row| text(row, "body"));
    assert!(ada.starts_with("mail [EMAIL:") && ada.contains(", or call [PHONE:"), "{ada}");
    assert_ne!(ada, other, "each user has a key");
    assert_eq!(nobody, "mail [EMAIL], or call [PHONE]");
    // One user's values are equal wherever they stand.
    let token = ada.split([' ', ',']).nth(1).expect("a token");
    assert_eq!(text(0, "note"), format!("asks for {token}"));
    let metrics = marquetry.metrics();
    assert!(metrics.contains("marquetry_redact_encrypt_masked_total{rule=\"no_user\"} 2"), "{metrics}");

    // The process that runs opens it, however the text is given.
    let output = reveal(setup, &format!("{ada}\n{other}\n{nobody}\n"), &["--reason", "ticket 4711"]);
    assert_eq!(said(&output).0, format!("{body}\n{body}\n{nobody}\n"), "{}", said(&output).1);
    assert!(output.status.success());
    assert_eq!(python::output(setup.command("reveal").arg(token)), format!("{EMAIL}\n"));
    let access = "SELECT action, hits, reason FROM access_log ORDER BY time";
    let expected = r#"[{"action":"reveal","hits":4,"reason":"ticket 4711"},{"action":"reveal","hits":1}]"#;
    let rows = serde_json::to_string(&setup.query(access)).expect("JSON");
    assert_eq!(rows.replace(r#","reason":null"#, ""), expected);

    // Another tenant's key, one that is not there, and a text without tokens.
    let (out, err) = said(&reveal(setup, &ada, &["--tenant", "acme"]));
    assert_eq!(
        (out.trim_end(), err.contains("the directory of tenant \"acme\" has no such key")),
        (&*ada, true),
        "{err}"
    );
    let (_, err) = said(&reveal(setup, &ada.replace("[EMAIL:", "[EMAIL:2").replace("[PHONE:", "[PHONE:2"), &[]));
    assert!(err.contains("there is no token in the text"), "{err}");

    // The lake is written, the process gone: the same from what it left behind, and nothing readable is there.
    wait_for("the lake", || setup.data.join("lake/logs").is_dir());
    let setup = &marquetry.stop();
    let output = reveal(setup, &ada, &[]);
    assert_eq!(said(&output).0, format!("{body}\n"), "{}", said(&output).1);
    assert!(!holds(folder.path(), &[EMAIL, PHONE, "ada.planted"]), "an address was written");

    // With another root key it fails, and says so.
    let mut stranger = setup.clone();
    stranger.environment.push(("OTHER_ROOT".to_owned(), "b".repeat(44)));
    stranger.settings.push("keys.root_key_env=OTHER_ROOT".to_owned());
    let output = reveal(&stranger, &ada, &[]);
    let (out, err) = said(&output);
    assert!(!output.status.success() && !out.contains(EMAIL), "{out}");
    assert!(err.contains("another root key"), "{err}");
}

#[test]
fn a_text_never_outlives_its_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut setup = setup(&folder.path().join("data"));
    // Killed again and again, with the directory far behind: what was acknowledged opens.
    setup.settings.push("exporters.directory.flush_interval=1h".to_owned());
    for round in 0..3 {
        let marquetry = setup.start();
        for user in 0..5 {
            let mut log = otlp::log(&format!("{round}-{user}"), &format!("mail {round}.{user}.{EMAIL}"));
            log.attributes.push(otlp::tag("user.id", format!("u{user}")));
            marquetry.accept("/v1/logs", &otlp::logs("shop", vec![log]));
        }
        setup = marquetry.kill();
    }
    let rows = setup.query("SELECT body FROM logs");
    assert_eq!(rows.len(), 15);
    let bodies: Vec<&str> = rows.iter().map(|row| row["body"].as_str().expect("a text")).collect();
    let output = reveal(&setup, &bodies.join("\n"), &[]);
    let (out, err) = said(&output);
    let mut revealed: Vec<&str> = out.lines().collect();
    revealed.sort_unstable();
    let all = (0..3).flat_map(|round| (0..5).map(move |user| format!("mail {round}.{user}.{EMAIL}")));
    assert_eq!(revealed, all.collect::<Vec<_>>(), "{err}");
    assert!(!holds(folder.path(), &["ada.planted"]));
}
