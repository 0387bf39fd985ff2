//! Where records go, by a plain reading of the clauses.

use crate::{Catalog, Clause, Signal, SpanKind, Table};

use super::{Overlay, built_in};

#[derive(Clone, Copy)]
struct Record<'a> {
    signal: Signal,
    kind: SpanKind,
    event: &'a str,
    keys: &'a [&'a str],
    host: &'a str,
    severity: i32,
    failed: bool,
}

const SPAN: Record<'static> = Record {
    signal: Signal::Span,
    kind: SpanKind::Internal,
    event: "",
    keys: &[],
    host: "",
    severity: 0,
    failed: false,
};
const SERVER: Record<'static> = Record { kind: SpanKind::Server, ..SPAN };
const CLIENT: Record<'static> = Record { kind: SpanKind::Client, ..SPAN };
const LOG: Record<'static> = Record { signal: Signal::Log, kind: SpanKind::Unspecified, severity: 9, ..SPAN };
const EVENT: Record<'static> = Record { signal: Signal::SpanEvent, ..SPAN };

fn fits(clause: &Clause, record: &Record) -> bool {
    let has = |key: &String| record.keys.contains(&key.as_str());
    let named = |pattern: &String| match pattern.strip_suffix('*') {
        Some(prefix) => record.event.to_lowercase().starts_with(&prefix.to_lowercase()),
        None => record.event.eq_ignore_ascii_case(pattern),
    };
    let hosted = |host: &String| record.host == host || record.host.ends_with(&format!(".{host}"));
    clause.signal == record.signal
        && (clause.kind.is_empty() || clause.kind.contains(&record.kind))
        && (clause.any.is_empty() || clause.any.iter().any(has))
        && clause.all.iter().all(has)
        && !clause.none.iter().any(has)
        && (clause.event.is_empty() || clause.event.iter().any(named))
        && (clause.host.is_empty() || clause.host.iter().any(hosted))
        && clause.severity_min.is_none_or(|least| record.severity >= least)
        && (!clause.status_error || record.failed)
}

/// The home table and those that get a row besides.
fn route<'a>(catalog: &'a Catalog, record: &Record) -> (Option<&'a str>, Vec<&'a str>) {
    let fitting = |table: &Table, also: bool| table.clauses.iter().any(|c| c.also == also && fits(c, record));
    let home = catalog.tables().iter().find(|t| fitting(t, false)).map(|t| t.name.as_str());
    let also = catalog.tables().iter().filter(|t| fitting(t, true)).map(|t| t.name.as_str());
    (home, also.filter(|t| Some(*t) != home).collect())
}

fn check(what: &str, record: Record, home: &str, also: &[&str]) {
    assert_eq!(route(&built_in(), &record), (Some(home), also.to_vec()), "{what}");
}

#[test]
fn spans_go_where_they_belong() {
    let http = &["http.request.method", "url.path"];
    let old = &["http.method", "http.target", "net.peer.ip"];
    let gen_ai = &["gen_ai.operation.name", "gen_ai.provider.name", "server.address"];
    check("request", Record { keys: http, ..SERVER }, "requests", &[]);
    check("request, old names", Record { keys: old, failed: true, ..SERVER }, "requests", &[]);
    check(
        "sign-in request",
        Record { keys: &["http.route", "app.auth.action"], ..SERVER },
        "requests",
        &["auth_events"],
    );
    check(
        "audited request",
        Record { keys: &["http.route", "app.audit.action"], ..SERVER },
        "requests",
        &["audit_log"],
    );
    check(
        "limited request",
        Record { keys: &["http.route", "app.rate_limit.action"], ..SERVER },
        "requests",
        &["rate_limits"],
    );
    check("rpc server", Record { keys: &["rpc.system"], ..SERVER }, "spans", &[]);
    check("chat", Record { keys: gen_ai, ..CLIENT }, "provider_calls", &[]);
    check("failed chat", Record { keys: gen_ai, failed: true, ..CLIENT }, "provider_calls", &["errors"]);
    check("chat of an old SDK", Record { keys: &["gen_ai.system"], ..CLIENT }, "provider_calls", &[]);
    check("OpenInference", Record { keys: &["llm.model_name"], ..SPAN }, "provider_calls", &[]);
    check("Vercel", Record { keys: &["ai.operationId"], ..SPAN }, "provider_calls", &[]);
    check(
        "Gemini by host",
        Record { keys: http, host: "generativelanguage.googleapis.com", ..CLIENT },
        "provider_calls",
        &[],
    );
    check(
        "Supabase by host",
        Record { keys: old, host: "abc.supabase.co", failed: true, ..CLIENT },
        "provider_calls",
        &["errors"],
    );
    check("not Supabase", Record { keys: http, host: "notsupabase.co", ..CLIENT }, "spans", &[]);
    check("served at the same host", Record { keys: http, host: "api.openai.com", ..SERVER }, "requests", &[]);
    check("peer service", Record { keys: &["peer.service"], ..CLIENT }, "provider_calls", &[]);
    check("database", Record { keys: &["peer.service", "db.system"], failed: true, ..CLIENT }, "spans", &[]);
    check("other HTTP call", Record { keys: http, host: "example.org", failed: true, ..CLIENT }, "spans", &[]);
    check("bare span", SPAN, "spans", &[]);
}

#[test]
fn logs_go_where_they_belong() {
    let event = |event| Record { event, ..LOG };
    let cases: &[(&str, &str, &[&str])] = &[
        ("audit.price_change", "audit_log", &[]),
        ("DATA_EXPORT", "audit_log", &[]),
        ("PERMISSION_CHANGE", "audit_log", &[]),
        ("USER_CREATED", "audit_log", &["activity_events"]),
        ("tutor_safety_flag", "audit_log", &["activity_events"]),
        ("audit.login_failed", "audit_log", &["auth_events"]),
        ("auth.login", "auth_events", &[]),
        ("app.auth.signup", "auth_events", &[]),
        ("user.login.success", "auth_events", &[]),
        ("LOGIN", "auth_events", &[]),
        ("LOGOUT", "auth_events", &[]),
        ("LOGIN_FAILED", "auth_events", &[]),
        ("login_success", "auth_events", &[]),
        ("login_failed", "auth_events", &[]),
        ("session_expired", "auth_events", &[]),
        ("auth.password_reset", "auth_events", &["audit_log"]),
        ("app.key.rotated", "key_events", &[]),
        ("app.key.exhausted", "key_events", &[]),
        ("elevenlabs.characters", "key_events", &[]),
        ("app.rate_limit.check", "rate_limits", &[]),
        ("device_banned", "rate_limits", &[]),
        ("CLIENT_ERROR", "errors", &[]),
        ("API_ERROR", "errors", &[]),
        ("javascript_error", "errors", &[]),
        ("api_error", "errors", &[]),
        ("network_error", "errors", &[]),
        ("app.crash", "errors", &[]),
        ("exception", "errors", &[]),
        ("gen_ai.client.inference.operation.details", "provider_calls", &[]),
        ("session.start", "activity_events", &[]),
        ("session.end", "activity_events", &[]),
        ("startAppSession", "activity_events", &[]),
        ("browser.navigation", "activity_events", &[]),
        ("browser.web_vital", "activity_events", &[]),
        ("feature_flag.evaluation", "activity_events", &[]),
        ("device.app.lifecycle", "activity_events", &[]),
        ("app.widget.click", "activity_events", &[]),
        ("VIDEO_VIEW", "activity_events", &[]),
        ("HOMEWORK_SUBMIT", "activity_events", &[]),
        ("LESSON_COMPLETE", "activity_events", &[]),
        ("file.download", "activity_events", &[]),
        ("something else", "logs", &[]),
        ("", "logs", &[]),
    ];
    for (name, home, also) in cases {
        check(name, event(name), home, also);
    }
    let learning = "page_view route_change page_exit quest_viewed quest_started quest_abandoned quest_completed task_viewed \
        task_completed evidence_uploaded badge_viewed badge_claimed badge_earned tutor_opened tutor_message_sent \
        connection_request_sent connection_accepted profile_viewed parent_dashboard_opened parent_evidence_uploaded";
    for name in learning.split_whitespace() {
        check(name, event(name), "activity_events", &[]);
    }

    check("exception in a log", Record { keys: &["exception.type"], ..LOG }, "errors", &[]);
    check("exception without a type", Record { keys: &["exception.stacktrace"], ..LOG }, "errors", &[]);
    check("severity ERROR", Record { severity: 17, ..LOG }, "errors", &[]);
    check("severity WARN", Record { severity: 13, ..LOG }, "logs", &[]);
    check("refused sign-in at ERROR", Record { severity: 17, ..event("login_failed") }, "auth_events", &[]);
    check(
        "a child's safety at FATAL",
        Record { severity: 21, ..event("tutor_safety_flag") },
        "audit_log",
        &["activity_events"],
    );
    check("audit by attribute", Record { keys: &["app.audit.action"], ..LOG }, "audit_log", &[]);
    let ecs = &["event.category", "event.action", "event.outcome", "user.name"];
    check("ECS", Record { keys: ecs, ..LOG }, "auth_events", &[]);
    check("ECS at ERROR", Record { keys: ecs, severity: 17, ..LOG }, "auth_events", &[]);
    check("ECS without an outcome", Record { keys: &ecs[..2], ..LOG }, "logs", &[]);
    let file = &["event.category", "event.action", "event.outcome", "file.path"];
    check("ECS of a file", Record { keys: file, ..LOG }, "logs", &[]);
    check("OCSF", Record { keys: &["class_uid", "activity_id", "status_id"], ..LOG }, "auth_events", &[]);
    check("OCSF, prefixed", Record { keys: &["ocsf.class_uid", "ocsf.activity_id"], ..LOG }, "auth_events", &[]);
    check("OCSF of an API", Record { keys: &["class_uid", "activity_id", "api.operation"], ..LOG }, "logs", &[]);
    check("a class of another kind", Record { keys: &["class_uid"], ..LOG }, "logs", &[]);
    check("auth by attribute", Record { keys: &["auth.outcome"], ..LOG }, "auth_events", &[]);
}

#[test]
fn span_events_become_rows_only_where_a_table_wants_them() {
    check("exception", Record { event: "exception", keys: &["exception.type"], ..EVENT }, "errors", &[]);
    check("sign-in", Record { event: "auth.login", ..EVENT }, "auth_events", &[]);
    check("flag", Record { event: "feature_flag", ..EVENT }, "activity_events", &[]);
    let other = Record { event: "cache.miss", keys: &["http.method", "gen_ai.system"], ..EVENT };
    assert_eq!(route(&built_in(), &other), (None, vec![]));
}

#[test]
fn an_overlay_takes_records_before_the_built_in_tables() {
    let yaml = "table: orders\norder: 15\nmatch: [{ signal: log, event: [order.*] }]\n";
    let overlay = Overlay::new("routes", &[("orders.yaml", yaml)]);
    let catalog = overlay.load().unwrap();
    assert_eq!(route(&catalog, &Record { event: "order.paid", ..LOG }).0, Some("orders"));
    assert_eq!(route(&catalog, &Record { event: "order.assigned", ..LOG }).0, Some("audit_log"));
}
