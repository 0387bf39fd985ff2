//! Every configuration under `deploy/` is accepted, and a wrong one is refused with its line.

use std::path::PathBuf;
use std::process::Command;

use tests::places;

fn configurations() -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(places::root().join("deploy"))
        .expect("deploy/")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
        .collect();
    files.sort();
    files
}

/// `validate` with what the configurations read from the environment.
fn validate(config: &std::path::Path) -> std::process::Output {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("root.key");
    std::fs::write(&key, [7; 48]).expect("writing a key");
    for (name, text) in [("tls.crt", CERTIFICATE), ("tls.key", PRIVATE_KEY)] {
        std::fs::write(folder.path().join(name), text).expect("writing");
    }
    Command::new(places::binary())
        .args(["validate", "--config"])
        .arg(config)
        .env("MARQUETRY_DATA", folder.path().join("data"))
        .env("MARQUETRY_ROOT_KEY", "c29tZSBieXRlcyBmb3IgYSB0ZXN0LCBub3QgZm9yIGtlZXBzLCA0OCBieXRl")
        .env("MARQUETRY_TOKEN", "a-token-for-tests-not-for-keeps")
        .env("MARQUETRY_TLS", folder.path())
        .env("MARQUETRY_LAKE", "s3://bucket/lake")
        .env("MARQUETRY_GATEWAY", "http://gateway:4318")
        .output()
        .expect("the binary runs")
}

/// Self-signed for localhost; its key is as public as this file.
const CERTIFICATE: &str = include_str!("../../fixtures/localhost.crt");
const PRIVATE_KEY: &str = include_str!("../../fixtures/localhost.key");

#[test]
fn configurations_are_valid() {
    let files = configurations();
    assert!(files.len() >= 2, "a gateway and a sidecar at least: {files:?}");
    for file in files {
        let output = validate(&file);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} is refused:\n{text}", file.display());
    }
}

#[test]
fn a_slip_is_named_with_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("slip.yaml");
    std::fs::write(&file, "receivers:\n  otlp:\n    protocols:\n      gprc:\n        endpoint: 127.0.0.1:4317\n")
        .expect("writing");
    let output = validate(&file);
    assert!(!output.status.success(), "a misspelt key is accepted");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("slip.yaml:4:7") && text.contains("grpc"), "names the place and the right key:\n{text}");
}
