//! Every view and table answers, with nothing stored yet and with rows.

use std::path::PathBuf;

use tests::otlp;
use tests::{Setup, places};

/// Names of the views: stems of the files.
fn views() -> Vec<String> {
    let folder: PathBuf = places::root().join("queries/views");
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .expect("queries/views")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "sql"))
        .map(|path| path.file_stem().and_then(|s| s.to_str()).expect("a name").to_owned())
        .collect();
    names.sort();
    names
}

/// What the first release promises to answer.
const PROMISED: &[&str] = &["ai_success_rate", "ai_error_frequency", "anonymous_rate", "unmapped"];

#[test]
fn every_view_answers() {
    let folder = tempfile::tempdir().expect("a folder");
    let setup = Setup::new(&folder.path().join("data"));
    let views = views();
    for name in PROMISED {
        assert!(views.iter().any(|view| view == name), "there is no view {name}: {views:?}");
    }
    let marquetry = setup.start();
    // One question over all of them: starting the engine costs more than asking.
    let counts: Vec<_> =
        views.iter().map(|view| format!("SELECT '{view}' AS view, count(*) AS n FROM {view}")).collect();
    let all = counts.join(" UNION ALL ");
    assert_eq!(setup.query(&all).len(), views.len(), "on an empty lake");
    marquetry.accept("/v1/traces", &otlp::spans("asked", vec![otlp::served(1, "/api/asked")]));
    assert_eq!(setup.query(&all).len(), views.len(), "with a row");
}

#[test]
fn every_table_answers_the_common_questions() {
    let folder = tempfile::tempdir().expect("a folder");
    let setup = Setup::new(&folder.path().join("data"));
    setup.start().stop();
    for entry in std::fs::read_dir(places::root().join("schemas/tables")).expect("schemas/tables") {
        let path = entry.expect("an entry").path();
        let table = path.file_stem().and_then(|s| s.to_str()).expect("a name");
        // The directory is in the journal alone.
        if !["common", "directory"].contains(&table) {
            let rows = setup.query(&format!("SELECT record_id, is_primary, echo_of, tenant, time FROM {table}"));
            assert!(rows.is_empty(), "{table} has rows that nobody sent");
        }
    }
}

#[test]
fn formats_and_mistakes() {
    let folder = tempfile::tempdir().expect("a folder");
    let setup = Setup::new(&folder.path().join("data"));
    let marquetry = setup.start();
    marquetry.accept("/v1/traces", &otlp::spans("asked", vec![otlp::served(1, "/api/asked")]));
    let ask = |format: &str| {
        let sql = "SELECT route, status_code FROM requests";
        setup.command("query").args([sql, "--format", format]).output().expect("a query runs").stdout
    };
    assert_eq!(String::from_utf8_lossy(&ask("csv")).trim_end(), "route,status_code\n/api/asked,200");
    assert!(String::from_utf8_lossy(&ask("table")).contains("/api/asked"));
    assert!(ask("parquet").starts_with(b"PAR1"), "Parquet goes to standard output when it is no terminal");
    let output = setup.command("query").arg("SELECT rout FROM requests").output().expect("a query runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && text.contains("route"), "a mistake names what is near: {text}");
}
