//! Rules in SQL: what they drop and set, in the rows, the metrics and the books; and that the seal stands behind them.

use std::path::Path;
use std::process::Output;

use tests::{Setup, otlp};

const RULES: &str = "
processors:
  sql:
    rules:
      - { name: testers, table: logs, drop: \"user_email LIKE '%@example.test' AND severity_text = 'INFO'\" }
      - { name: copied, table: logs, set: { status_message: \"concat('copy of ', body)\" } }
      - { name: api, table: requests, where: \"route LIKE '/api/%'\", set: { feature_name: \"'api'\", response_bytes: 12 / request_bytes } }
";

const PLANTED: &str = "ada.planted@example.com";

#[test]
fn rules_in_sql_drop_and_set_and_the_seal_stands_behind_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let setup = Setup { flush: "100ms", configs: vec![format!("yaml:{RULES}")], ..Setup::new(&data) };
    let marquetry = setup.start();
    let mut tester = otlp::log("one", "nothing");
    tester.attributes.push(otlp::tag("user.email", "tester@example.test"));
    let logs = vec![tester, otlp::log("two", &format!("mail {PLANTED} at once"))];
    marquetry.accept("/v1/logs", &otlp::logs("shop", logs));
    let sized = |id: u64, route: &str, bytes: i64| {
        let mut span = otlp::served(id, route);
        span.attributes.push(otlp::attribute("http.request.body.size", otlp::int(bytes)));
        span
    };
    let spans = vec![sized(1, "/api/a", 4), sized(2, "/api/b", 0), sized(3, "/other", 4)];
    marquetry.accept("/v1/traces", &otlp::spans("shop", spans));
    let rows = |sql: &str| serde_json::to_string(&setup.query(sql)).expect("JSON");
    assert_eq!(rows("SELECT status_message AS m FROM logs"), r#"[{"m":"copy of mail [EMAIL] at once"}]"#);
    let requests =
        "SELECT coalesce(feature_name, '-') AS f, coalesce(response_bytes, -1) AS n FROM requests ORDER BY route";
    assert_eq!(rows(requests), r#"[{"f":"api","n":3},{"f":"api","n":-1},{"f":"-","n":-1}]"#);
    let metrics = marquetry.metrics();
    for line in [
        "marquetry_filter_dropped_total{rule=\"testers\"} 1",
        "marquetry_sql_set_total{rule=\"copied\"} 1",
        "marquetry_sql_set_total{rule=\"api\"} 2",
        "marquetry_sql_failed_total{rule=\"api\"} 1",
        "marquetry_dropped_records_total{processor=\"sql\",signal=\"logs\"} 1",
        "marquetry_unaccounted_records_total 0",
    ] {
        assert!(metrics.lines().any(|l| l == line), "{line} in\n{metrics}");
    }
    marquetry.stop();
    assert!(!holds(folder.path(), PLANTED.as_bytes()), "an address that an expression copied was written");
}

/// Whether any file below a folder holds these bytes.
fn holds(folder: &Path, bytes: &[u8]) -> bool {
    std::fs::read_dir(folder).expect("a folder").any(|entry| {
        let path = entry.expect("an entry").path();
        let found = |file: Vec<u8>| file.windows(bytes.len()).any(|window| window == bytes);
        if path.is_dir() { holds(&path, bytes) } else { found(std::fs::read(&path).unwrap_or_default()) }
    })
}

#[test]
fn validate_shows_what_an_expression_got_wrong() {
    let folder = tempfile::tempdir().expect("a folder");
    let validate = |rule: &str| -> Output {
        let yaml = format!("yaml:processors:\n  sql:\n    rules:\n      - {rule}\n");
        let setup = Setup { configs: vec![yaml], ..Setup::new(&folder.path().join("data")) };
        setup.command("validate").output().expect("it runs")
    };
    assert!(validate("{ table: requests, drop: is_bot }").status.success());
    let wrong = validate("{ table: requests, drop: is_bt }");
    let text = String::from_utf8_lossy(&wrong.stderr);
    assert!(
        !wrong.status.success() && text.contains("table requests has no column `is_bt`; did you mean `is_bot`?"),
        "{text}"
    );
    assert!(text.contains(":4:34\n"), "where it stands: {text}");
}
