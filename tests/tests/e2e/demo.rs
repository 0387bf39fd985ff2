//! `marquetry demo`: every question that it prints has rows, what goes wrong on purpose is found by value, nothing of what
//! was planted is anywhere, and nothing is left behind.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tests::process::wait_for;
use tests::{Setup, places};

/// Every address of a person in the traffic ends so.
const MAIL: &str = "@mail.example";

/// Values that the traffic is full of, from the file that lists them.
fn planted() -> Vec<String> {
    let source = read("collector/demo/src/planted.rs");
    let mut values = vec![MAIL.to_owned()];
    for constant in source.split("pub(crate) const ").skip(1) {
        let (_, value) = constant.split_once('=').expect("a value");
        let (value, _) = value.split_once(';').expect("an end");
        // A key stands in pieces, so that nobody takes it for one.
        values.push(value.split('"').skip(1).step_by(2).collect());
    }
    assert!(values.len() > 8 && values.iter().all(|value| value.len() > 8), "what is planted: {values:?}");
    values
}

/// Titles of the questions, from the file that lists them.
fn titles() -> Vec<String> {
    let source = read("collector/src/demo/questions.rs");
    let of = |text: &str| text.split('"').nth(1).map(str::to_owned).expect("a title");
    let titles: Vec<_> = source.split("    ask(\n").skip(1).map(of).collect();
    assert!(titles.len() > 20, "{titles:?}");
    titles
}

fn read(path: &str) -> String {
    std::fs::read_to_string(places::root().join(path)).expect("a file of the repository")
}

/// A demo that keeps its temporary folder in this one.
fn demo(temporary: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(places::binary());
    command.arg("demo").args(arguments).env("TMPDIR", temporary).stdin(Stdio::null());
    command
}

fn assert_silent_about(planted: &[String], text: &str, what: &str) {
    for (index, value) in planted.iter().enumerate() {
        assert!(!text.contains(value.as_str()), "planted value {index} is in {what}");
    }
}

fn succeeded(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, errors) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "it ended with {}\n{out}\n{errors}", output.status);
    (out, errors)
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).expect("the folder").next().is_none()
}

#[test]
fn it_asks_every_question_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = demo(folder.path(), &["--once", "--users", "20", "--seed", "3"]).output().expect("a demo runs");
    let (out, errors) = succeeded(&output);
    for title in titles() {
        assert!(out.contains(&title), "{title} was not asked:\n{out}");
    }
    assert!(out.contains("and every one has rows") && out.contains("query --data"), "{out}");
    assert!(errors.contains("the tables hold exactly these"), "{errors}");
    assert_silent_about(&planted(), &out, "the answers");
    assert_silent_about(&planted(), &errors, "what it says");
    assert!(is_empty(folder.path()), "the folder was not removed");
}

#[test]
fn what_goes_wrong_on_purpose_is_found_and_nothing_planted_is_stored() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let keep = data.display().to_string();
    succeeded(&demo(folder.path(), &["--once", "--users", "24", "--keep", &keep]).output().expect("a demo runs"));
    let setup = Setup::new(&data);
    for (sql, expected) in INCIDENTS {
        let rows = setup.query(sql);
        let expected: Value = serde_json::from_str(expected).expect("JSON");
        assert_eq!(json!(rows), expected, "{sql}");
    }
    for (view, table) in SAME {
        assert_eq!(setup.query(view), setup.query(table), "{view}\nand {table}");
    }
    let planted = planted();
    for table in TABLES {
        let rows = json!(setup.query(&format!("SELECT * FROM {table}"))).to_string();
        assert_silent_about(&planted, &rows, table);
    }
    let found = setup.query("SELECT DISTINCT redacted FROM redaction_counts ORDER BY 1");
    assert!(found.len() >= 5, "kinds that were found, which shows that they came: {found:?}");
    let mut files = 0;
    for path in files_below(&data) {
        let bytes = std::fs::read(&path).expect("a file");
        let there = |value: &String| bytes.windows(value.len()).any(|window| window == value.as_bytes());
        let leak = planted.iter().position(there);
        assert_eq!(leak, None, "number of the planted value that is in {}", path.display());
        files += 1;
    }
    assert!(files > 20, "{files} files are no lake");
    let again = demo(folder.path(), &["--once", "--keep", &keep]).output().expect("a demo runs");
    let text = String::from_utf8_lossy(&again.stderr);
    assert!(!again.status.success() && text.contains("is not empty"), "a folder in use is not taken: {text}");
}

/// Each incident by value.
const INCIDENTS: &[(&str, &str)] = &[
    (
        "SELECT service_name, calls >= 60 AS many, CAST(cost_usd AS DOUBLE) > 20 AS dear, known_days >= 7 AS judged FROM spend_per_hour WHERE is_spike",
        r#"[{"service_name": "seeme-api", "many": true, "dear": true, "judged": true}]"#,
    ),
    (
        "SELECT client_prefix, failures, account FROM failed_login_bursts WHERE counted_per = 'address' AND failures > 20",
        r#"[{"client_prefix": "203.0.113.0/24", "failures": 40.0, "account": null}]"#,
    ),
    (
        "SELECT is_banned, reasons FROM suspicious_addresses WHERE failures = 40",
        r#"[{"is_banned": true, "reasons": "many failures, many accounts, banned"}]"#,
    ),
    (
        "SELECT seen_in, limited, refused FROM rate_limit_effectiveness WHERE refused > 20 ORDER BY 1",
        r#"[{"seen_in": "rate_limits", "limited": "analyses_per_hour", "refused": 70.0},
            {"seen_in": "requests", "limited": "/api/analysis/analyze/", "refused": 70.0}]"#,
    ),
    (
        "SELECT sum(aborted) >= 25 AS many FROM ai_streaming_issues WHERE hour BETWEEN now() - INTERVAL '52 hours' AND now() - INTERVAL '48 hours'",
        r#"[{"many": true}]"#,
    ),
    (
        "SELECT provider, used, limit_count, last_event FROM api_key_health WHERE health = 'exhausted'",
        r#"[{"provider": "elevenlabs", "used": 499900.0, "limit_count": 500000, "last_event": "exhausted"}]"#,
    ),
    (
        "SELECT action, affected_records, alert FROM exports_and_bulk_operations WHERE alert IS NOT NULL ORDER BY 2",
        r#"[{"action": "BULK_OPERATION", "affected_records": 480, "alert": "bulk_change"},
            {"action": "DATA_EXPORT", "affected_records": 25840, "alert": "large_export"}]"#,
    ),
    (
        "SELECT old_role, new_role, is_escalation, is_self FROM permission_changes",
        r#"[{"old_role": "operator", "new_role": "admin", "is_escalation": true, "is_self": true}]"#,
    ),
    (
        "SELECT count(*) AS n, max(days_since_last) >= 18 AS long_ago, max(quests_completed_30d) AS completed FROM dropout_risk WHERE is_at_risk AND days_since_last >= 17",
        r#"[{"n": 3, "long_ago": true, "completed": 0.0}]"#,
    ),
    (
        "SELECT safety_reason, user_ref IS NOT NULL AS known FROM audit_log WHERE action = 'TUTOR_SAFETY_FLAG'",
        r#"[{"safety_reason": "self_harm", "known": true}]"#,
    ),
];

/// A view and the tables below it, which say the same in another way.
const SAME: &[(&str, &str)] = &[
    (
        "SELECT service_name, sum(cost_usd) AS usd FROM spend_per_hour GROUP BY 1 HAVING sum(cost_usd) > 0 ORDER BY 1",
        "SELECT service_name, sum(cost_usd) AS usd FROM provider_calls WHERE echo_of IS NULL GROUP BY 1 HAVING sum(cost_usd) > 0 ORDER BY 1",
    ),
    (
        "SELECT sum(events) AS n FROM event_counts",
        "SELECT CAST(sum(n) AS DOUBLE) AS n FROM (SELECT count(*) AS n FROM activity_events WHERE echo_of IS NULL UNION ALL SELECT count(*) AS n FROM auth_events WHERE echo_of IS NULL UNION ALL SELECT count(*) AS n FROM errors WHERE echo_of IS NULL)",
    ),
    (
        "SELECT max(monthly) AS n FROM active_users WHERE service_name = 'postbro-api'",
        "SELECT count(DISTINCT user_ref) AS n FROM (SELECT user_ref, service_name FROM requests UNION ALL SELECT user_ref, service_name FROM auth_events WHERE action <> 'login_failed' UNION ALL SELECT user_ref, service_name FROM provider_calls) WHERE service_name = 'postbro-api'",
    ),
    (
        "SELECT sum(analyses) AS n, sum(cost_usd) AS usd FROM cost_per_analysis WHERE route = '/api/analysis/analyze/'",
        "SELECT CAST(count(DISTINCT trace_id) AS DOUBLE) AS n, (SELECT sum(cost_usd) FROM provider_calls WHERE echo_of IS NULL AND service_name = 'postbro-api') AS usd FROM requests WHERE route = '/api/analysis/analyze/' AND status_code <> 429 AND CAST(time AS DATE) IN (SELECT DISTINCT CAST(time AS DATE) FROM provider_calls WHERE service_name = 'postbro-api')",
    ),
    (
        "SELECT sum(errors) AS n, sum(critical) AS critical FROM errors_per_type",
        "SELECT CAST(count(*) AS DOUBLE) AS n, CAST(count(*) FILTER (WHERE severity_number >= 21) AS DOUBLE) AS critical FROM errors WHERE echo_of IS NULL",
    ),
    (
        "SELECT sum(total) AS n FROM user_event_stats",
        "SELECT CAST(sum(n) AS DOUBLE) AS n FROM (SELECT count(*) AS n FROM activity_events WHERE echo_of IS NULL UNION ALL SELECT count(*) AS n FROM auth_events WHERE echo_of IS NULL UNION ALL SELECT count(*) AS n FROM errors WHERE echo_of IS NULL)",
    ),
    (
        "SELECT sum(total_quests_completed) AS n, sum(total_xp) AS xp FROM journey_summary",
        "SELECT CAST(count(*) FILTER (WHERE event_name = 'quest_completed') AS DOUBLE) AS n, CAST(sum(xp) AS DOUBLE) AS xp FROM activity_events WHERE echo_of IS NULL",
    ),
    (
        "SELECT sum(signups) AS n, sum(accounts_created) AS made FROM signups_per_day",
        "SELECT CAST(count(*) AS DOUBLE) AS n, (SELECT CAST(count(*) AS DOUBLE) FROM audit_log WHERE action = 'USER_CREATE') AS made FROM auth_events WHERE action = 'signup'",
    ),
    (
        "SELECT sum(steps) > 100 AS many, count(DISTINCT session_ref) AS n FROM user_journeys WHERE seen_in = 'requests'",
        "SELECT true AS many, count(DISTINCT session_ref) AS n FROM requests WHERE echo_of IS NULL",
    ),
    (
        "SELECT sum(requests) AS n FROM slowest_routes WHERE service_name = 'seeme-api' AND route = '/api/chat'",
        "SELECT CAST(count(*) AS DOUBLE) AS n FROM requests WHERE route = '/api/chat' AND time >= now() - INTERVAL '7 days'",
    ),
    (
        "SELECT max(events) AS n FROM engagement_per_user",
        "SELECT CAST(max(n) AS DOUBLE) AS n FROM (SELECT count(*) AS n FROM activity_events WHERE user_ref IS NOT NULL GROUP BY user_ref)",
    ),
    (
        "SELECT sum(uses) AS n FROM feature_adoption WHERE feature_name = 'voice'",
        "SELECT CAST(count(*) AS DOUBLE) AS n FROM provider_calls WHERE echo_of IS NULL AND feature_name = 'voice'",
    ),
];

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

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { found.extend(files_below(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn an_interrupt_ends_the_live_part_cleanly() {
    let folder = tempfile::tempdir().expect("a folder");
    let (temporary, said) = (folder.path().join("tmp"), folder.path().join("said"));
    std::fs::create_dir(&temporary).expect("a folder");
    let log = File::create(&said).expect("a file");
    let mut child = demo(&temporary, &["--users", "10", "--rate", "50"])
        .stdout(log.try_clone().expect("a second handle"))
        .stderr(log)
        .spawn()
        .expect("a demo runs");
    let text = || std::fs::read_to_string(&said).unwrap_or_default();
    wait_for("the live part", || text().contains("The systems go on"));
    // Long enough for something to go wrong while it runs.
    wait_for("an incident", || text().contains("live: "));
    kill_process(Pid::from_child(&child), Signal::INT).expect("interrupting it");
    let asked = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("asking for its end") {
            break status;
        }
        if asked.elapsed() > Duration::from_secs(60) {
            let _ = child.kill();
            panic!("still running a minute after the interrupt:\n{}", text());
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(status.success(), "it ended with {status}:\n{}", text());
    assert_silent_about(&planted(), &text(), "what it says");
    assert!(is_empty(&temporary), "the folder was not removed");
}
