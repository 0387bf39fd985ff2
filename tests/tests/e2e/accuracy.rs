//! The marks of `redact`: on corpora from a fresh seed, small ones; `tests/accuracy/run` makes large ones.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use tests::places;
use tests::random::Random;

/// `tests/accuracy/run` with a program that redacts.
fn run(redact: &Path, size: &str, megabytes: &str) -> Output {
    let seed = Random::new("accuracy").below(1 << 31).to_string();
    let mut command = Command::new(places::root().join("tests/accuracy/run"));
    command.args(["--seed", &seed, "--size", size, "--megabytes", megabytes, "--show", "3", "--redact"]).arg(redact);
    command.env("PYTHONDONTWRITEBYTECODE", "1").output().expect("it runs")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn redact_meets_its_marks_on_a_fresh_seed() {
    let output = run(&places::example("redact_lines"), "20", "2");
    let text = said(&output);
    assert!(output.status.success(), "{text}");
    for kind in ["email", "card", "iban", "ip", "jwt", "phone", "key:openai"] {
        assert!(text.lines().any(|line| line.starts_with(kind)), "{kind} was asked for: {text}");
    }
}

#[test]
fn a_mark_that_is_missed_fails_the_command() {
    let folder = tempfile::tempdir().expect("a folder");
    let (settings, program) = (folder.path().join("redact.json"), folder.path().join("redact"));
    std::fs::write(&settings, r#"{"skip":["email"]}"#).expect("settings");
    let exec = format!("#!/bin/sh\nexec '{}' '{}'\n", places::example("redact_lines").display(), settings.display());
    std::fs::write(&program, exec).expect("a program");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("it may run");
    let output = run(&program, "2", "1");
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("FAILED email: recall"), "{text}");
}
