//! Which rows stay.

use super::*;
use crate::fixture::{Row, cell, context, gather, process};

/// Rows are marked by `trace_id`; those expected to stay are named, in alphabetical order.
fn check(config: &str, rows: &[Row], stays: &[&str], counted: &[(&str, u64)]) {
    let mut gather = gather(rows);
    let cx = process::<Filter>(config, &mut gather);
    let mut left: Vec<String> = gather
        .tables()
        .flat_map(|t| {
            (0..t.len()).filter_map(|row| cell(&gather, &t.table().name, row, "trace_id")).collect::<Vec<_>>()
        })
        .collect();
    left.sort();
    assert_eq!(left, stays, "{config}");
    let counts: Vec<(String, u64)> = cx.counts.snapshot().into_iter().map(|(_, label, n)| (label, n)).collect();
    assert_eq!(counts, counted.iter().map(|(l, n)| ((*l).to_owned(), *n)).collect::<Vec<_>>(), "{config}");
}

const REQUESTS: &[Row] = &[
    ("requests", &[("trace_id", "1"), ("path", "/health/live/")]),
    ("requests", &[("trace_id", "2"), ("route", "/static/{file}"), ("path", "/static/app.js")]),
    ("requests", &[("trace_id", "3"), ("path", "/healthcare/plans")]),
    ("requests", &[("trace_id", "4"), ("route", "/health"), ("status_code", "503")]),
    ("requests", &[("trace_id", "5"), ("route", "/health"), ("status_code", "200")]),
    ("requests", &[("trace_id", "6")]),
    ("requests", &[("trace_id", "7"), ("route", "/media/{id}"), ("span_status", "error")]),
];

#[test]
fn health_and_static_endpoints_go_unless_they_fail() {
    check("{}", REQUESTS, &["3", "4", "6", "7"], &[("health", 2), ("static", 1)]);
    check(r#"{"defaults": false}"#, REQUESTS, &["1", "2", "3", "4", "5", "6", "7"], &[]);
}

#[test]
fn routes_without_their_first_slash_are_met_as_well() {
    let rows: &[Row] = &[
        ("requests", &[("trace_id", "1"), ("route", "health/live/")]),
        ("requests", &[("trace_id", "2"), ("route", "healthcare/<int:plan>/")]),
        ("requests", &[("trace_id", "3"), ("route", "poll/<int:id>/")]),
        ("requests", &[("trace_id", "4"), ("route", "api/poll/<int:id>/")]),
    ];
    check("{}", rows, &["2", "3", "4"], &[("health", 1)]);
    let everything = r#"{"defaults": false, "skip": [{"name": "own", "route": ["/poll/*", "/"]}]}"#;
    check(everything, rows, &["1", "2", "4"], &[("own", 1)]);
}

#[test]
fn asgi_send_and_receive_spans_go() {
    let asgi = r#"{"asgi.event.type": "http.response.body"}"#;
    let rows: &[Row] = &[
        ("spans", &[("trace_id", "1"), ("kind", "internal"), ("attributes", asgi)]),
        ("spans", &[("trace_id", "2"), ("kind", "internal"), ("attributes", r#"{"db.system": "redis"}"#)]),
        ("spans", &[("trace_id", "3"), ("kind", "server"), ("attributes", asgi)]),
        ("spans", &[("trace_id", "4"), ("kind", "internal"), ("span_status", "error"), ("attributes", asgi)]),
        ("spans", &[("trace_id", "5")]),
    ];
    check("{}", rows, &["2", "3", "4", "5"], &[("asgi", 1)]);
}

#[test]
fn own_rules_join_their_conditions() {
    let rows: &[Row] = &[
        ("requests", &[("trace_id", "r1"), ("path", "/poll/1"), ("method", "GET")]),
        ("requests", &[("trace_id", "r2"), ("path", "/poll/2"), ("method", "POST")]),
        ("logs", &[("trace_id", "l1"), ("kind", "log"), ("name", "HeartBeat"), ("scope_name", "app.jobs")]),
        ("logs", &[("trace_id", "l2"), ("kind", "log"), ("name", "heartbeat"), ("severity_number", "17")]),
        ("logs", &[("trace_id", "l3"), ("kind", "log"), ("attributes", r#"{"noise": "true"}"#)]),
        ("spans", &[("trace_id", "s1"), ("name", "heartbeat"), ("kind", "internal")]),
    ];
    let cases: &[(&str, &[&str])] = &[
        (r#"{"route": "/poll/*"}"#, &["r1", "r2"]),
        (r#"{"route": "/poll/*", "attribute": "http.request.method", "equals": "GET"}"#, &["r1"]),
        (r#"{"table": "requests", "column": "path", "prefix": "/poll/2"}"#, &["r2"]),
        (r#"{"table": "requests", "column": "path", "glob": "*/1"}"#, &["r1"]),
        (r#"{"event": "heart*"}"#, &["l1"]),
        (r#"{"event": ["x", "heartbeat"], "scope": "app.*"}"#, &["l1"]),
        (r#"{"event": "heartbeat", "scope": "lib.*"}"#, &[]),
        (r#"{"attribute": "noise", "equals": "true"}"#, &["l3"]),
        (r#"{"attribute": "noise"}"#, &["l3"]),
        (r#"{"attribute": "noise", "equals": "false"}"#, &[]),
        (r#"{"table": "spans", "attribute": "noise"}"#, &[]),
    ];
    for (rule, dropped) in cases {
        let mut left: Vec<&str> = vec!["l1", "l2", "l3", "r1", "r2", "s1"];
        left.retain(|t| !dropped.contains(t));
        let counted: &[(&str, u64)] = &[("skip.0", dropped.len() as u64)];
        check(&format!(r#"{{"skip": [{rule}]}}"#), rows, &left, if dropped.is_empty() { &[] } else { counted });
    }
}

#[test]
fn security_rows_and_the_other_rows_of_a_record_stay() {
    let rows: &[Row] = &[
        ("auth_events", &[("trace_id", "a"), ("kind", "log"), ("name", "login")]),
        ("audit_log", &[("trace_id", "b"), ("kind", "log"), ("name", "login")]),
        ("errors", &[("trace_id", "c"), ("kind", "log"), ("name", "login")]),
        ("logs", &[("trace_id", "d"), ("kind", "log"), ("name", "login")]),
        ("requests", &[("trace_id", "d"), ("span_id", "1"), ("path", "/health")]),
    ];
    check(r#"{"skip": [{"name": "logins", "event": "*"}]}"#, &rows[..4], &["a", "b", "c"], &[("logins", 1)]);
    let mut fanned = gather(&rows[3..]);
    process::<Filter>("{}", &mut fanned);
    assert_eq!((fanned.len(), cell(&fanned, "logs", 0, "trace_id").as_deref()), (1, Some("d")));
}

#[test]
fn doubtful_rules_are_refused() {
    let cases = [
        (r#"{}"#, "skip.0", "without condition"),
        (r#"{"table": "requests"}"#, "skip.0", "without condition"),
        (r#"{"column": "path"}"#, "skip.0", "needs a `table`"),
        (r#"{"table": "request", "column": "path"}"#, "skip.0.table", "no table"),
        (r#"{"table": "requests", "column": "pth"}"#, "skip.0.column", "no column"),
        (r#"{"table": "audit_log", "column": "name"}"#, "skip.0.table", "never dropped"),
        (r#"{"attribute": "a", "equals": "1", "glob": "2"}"#, "skip.0", "one of"),
        (r#"{"route": "/a", "equals": "1"}"#, "skip.0", "go with"),
    ];
    for (rule, path, what) in cases {
        let config: Config = serde_json::from_str(&format!(r#"{{"skip": [{rule}]}}"#)).unwrap();
        let Err(error) = Filter::new(config, &context()) else { panic!("{rule} passed") };
        assert_eq!((error.path.join("."), error.what.contains(what)), (path.to_owned(), true), "{rule}: {error}");
    }
}

#[test]
fn globs_match_whole_texts() {
    let cases = [
        ("/a/*", "/a/", true),
        ("/a/*", "/a", false),
        ("*", "", true),
        ("a*b*c", "aXbYbZc", true),
        ("a*b*c", "aXcYb", false),
        ("*.js", "/x.js", true),
        ("ab*ba", "aba", false),
        ("a", "ab", false),
    ];
    for (pattern, text, fits) in cases {
        assert_eq!(crate::rule::glob(pattern, text), fits, "{pattern} {text}");
    }
}

#[test]
fn events_methods_and_services_are_met() {
    let rows: &[Row] = &[
        (
            "activity_events",
            &[("trace_id", "a"), ("kind", "span_event"), ("name", "debug.step"), ("event_name", "step")],
        ),
        ("activity_events", &[("trace_id", "b"), ("kind", "log"), ("name", "debug.step")]),
        ("requests", &[("trace_id", "c"), ("method", "OPTIONS"), ("service_name", "web-a")]),
        ("requests", &[("trace_id", "d"), ("method", "OPTIONS"), ("service_name", "api")]),
        ("requests", &[("trace_id", "e"), ("method", "GET"), ("service_name", "web-a")]),
    ];
    let skip = r#"{"skip": [{"event": "DEBUG.*"}, {"method": "options", "service": "web-*"}]}"#;
    check(skip, rows, &["d", "e"], &[("skip.0", 2), ("skip.1", 1)]);
}

#[test]
fn rows_behind_which_no_user_stands_go_if_asked() {
    let rows: &[Row] = &[
        ("requests", &[("trace_id", "own"), ("user_id", "ann")]),
        ("requests", &[("trace_id", "by trace")]),
        ("logs", &[("trace_id", "by trace"), ("user_id", "ann")]),
        ("requests", &[("trace_id", "by session"), ("session_id", "s1")]),
        ("auth_events", &[("trace_id", "login"), ("session_id", "s1"), ("user_id", "ann")]),
        ("activity_events", &[("trace_id", "trace of session")]),
        ("spans", &[("trace_id", "trace of session"), ("session_id", "s1")]),
        ("requests", &[("trace_id", "nobody")]),
        ("activity_events", &[("trace_id", "nobody")]),
        ("spans", &[("trace_id", "nobody")]),
        ("requests", &[("trace_id", "said to be nobody"), ("user_id", " Anonymous "), ("session_id", "unknown")]),
        ("requests", &[("trace_id", "a session that is none"), ("session_id", "unknown")]),
        ("auth_events", &[("trace_id", "odd"), ("session_id", "unknown"), ("user_id", "bob")]),
        ("requests", &[("trace_id", "failed"), ("status_code", "500")]),
        ("errors", &[("trace_id", "error")]),
        ("audit_log", &[("trace_id", "act")]),
        ("requests", &[("trace_id", "other tenant"), ("tenant", "b"), ("session_id", "s1")]),
        ("requests", &[]),
    ];
    let stay = [
        "act",
        "by session",
        "by trace",
        "by trace",
        "error",
        "failed",
        "login",
        "nobody",
        "odd",
        "own",
        "trace of session",
        "trace of session",
    ];
    check(r#"{"authenticated_only": true}"#, rows, &stay, &[("authenticated_only", 6)]);
    let mut without: Vec<&str> = stay.iter().copied().filter(|trace| *trace != "nobody").collect();
    let all = ["a session that is none", "nobody", "nobody", "other tenant", "said to be nobody"];
    without.extend(all);
    without.sort_unstable();
    check(r#"{"authenticated_only": ["spans"]}"#, rows, &without, &[("authenticated_only", 1)]);
    let config = |text: &str| serde_json::from_str::<Config>(text).unwrap();
    for (text, what) in [(r#"["requests", "errors"]"#, "never dropped"), (r#"["requests", "users"]"#, "no table")] {
        let config = config(&format!(r#"{{"authenticated_only": {text}}}"#));
        let Err(error) = Filter::new(config, &context()) else { panic!("{text} passed") };
        assert_eq!((error.path.join("."), error.what.contains(what)), ("authenticated_only.1".to_owned(), true));
    }
}

#[test]
fn a_user_whose_record_is_dropped_still_stands_behind_the_others() {
    let rows: &[Row] = &[
        ("logs", &[("trace_id", "t"), ("kind", "log"), ("name", "noise"), ("user_id", "ann")]),
        ("requests", &[("trace_id", "t")]),
    ];
    check(
        r#"{"authenticated_only": true, "skip": [{"name": "noise", "event": "noise"}]}"#,
        rows,
        &["t"],
        &[("noise", 1)],
    );
}

#[test]
fn nobody_is_who_enrich_says_is_nobody() {
    let rows: &[Row] = &[
        ("requests", &[("trace_id", "guest"), ("user_id", "Guest")]),
        ("requests", &[("trace_id", "user"), ("user_id", "ann")]),
    ];
    let sections = [("enrich", serde_json::json!({"nobody": ["guest"]}))].into();
    for (cx, left) in [(context(), 2), (Context { sections, ..context() }, 1)] {
        let mut gather = gather(rows);
        let config = serde_json::from_str(r#"{"authenticated_only": true}"#).unwrap();
        Filter::new(config, &cx).unwrap().process(&mut gather).unwrap();
        assert_eq!(gather.table("requests").unwrap().len(), left);
    }
}
