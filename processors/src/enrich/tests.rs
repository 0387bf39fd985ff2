//! Rows before and after.

use component::{Component, Gather, Processor};

use super::*;
use crate::fixture::{Row, cell, cells, context, gather, process};

/// Runs `rows` and compares some columns of every row of `table`, NULL written as `-`.
fn check(config: &str, rows: &[Row], table: &str, columns: &[&str], expected: &[&str]) {
    let mut gather = gather(rows);
    process::<Enrich>(config, &mut gather);
    assert_eq!(lines(&gather, table, columns), expected, "{table} {columns:?}");
}

fn lines(gather: &Gather, table: &str, columns: &[&str]) -> Vec<String> {
    let len = gather.table(table).map_or(0, Rows::len);
    let line =
        |row| columns.iter().map(|c| cell(gather, table, row, c).unwrap_or_else(|| "-".into())).collect::<Vec<_>>();
    (0..len).map(|row| line(row).join(" ")).collect()
}

const WHO: &[&str] = &["user_id", "user_source", "session_id"];

#[test]
fn users_come_from_trace_session_and_device() {
    let rows: &[Row] = &[
        ("spans", &[("trace_id", "a1"), ("time", "5"), ("user_id", "ann"), ("session_id", "s1"), ("device_id", "d1")]),
        ("spans", &[("trace_id", "a1")]),
        ("spans", &[("trace_id", "b2"), ("session_id", "s1")]),
        ("spans", &[("trace_id", "c3"), ("device_id", "d1")]),
        ("spans", &[("trace_id", "d4")]),
        ("spans", &[]),
        ("spans", &[("trace_id", "a1"), ("tenant", "other"), ("session_id", "s1"), ("device_id", "d1")]),
        ("spans", &[("trace_id", "a1"), ("user_id", "Anonymous")]),
        ("spans", &[("trace_id", "e5"), ("user_id", "null"), ("session_id", " ")]),
    ];
    let expected = [
        "ann attribute s1",
        "ann trace s1",
        "ann session s1",
        "ann device -",
        "- - -",
        "- - -",
        "- - s1",
        "ann trace s1",
        "- - -",
    ];
    check("{}", rows, "spans", WHO, &expected);
}

#[test]
fn any_table_tells_and_audit_rows_take_no_hint() {
    let rows: &[Row] = &[
        ("requests", &[("trace_id", "a1"), ("kind", "server"), ("user_id", "ann")]),
        ("provider_calls", &[("trace_id", "a1"), ("kind", "client")]),
        ("audit_log", &[("trace_id", "a1"), ("action", "USER_UPDATE")]),
    ];
    check("{}", rows, "provider_calls", WHO, &["ann trace -"]);
    check("{}", rows, "audit_log", WHO, &["- - -"]);
}

#[test]
fn two_facts_are_settled_without_regard_to_order() {
    let facts: [&[(&str, &str)]; 4] = [
        &[("trace_id", "a1"), ("time", "1"), ("kind", "client"), ("user_id", "early")],
        &[("trace_id", "a1"), ("time", "9"), ("kind", "server"), ("user_id", "zoe"), ("device_id", "d")],
        &[("trace_id", "a1"), ("time", "9"), ("kind", "server"), ("user_id", "bob"), ("device_id", "d")],
        &[("trace_id", "a1"), ("time", "0"), ("kind", "client"), ("user_id", "ann"), ("device_id", "d")],
    ];
    let unknown: [&[(&str, &str)]; 2] = [&[("trace_id", "a1"), ("name", "?")], &[("device_id", "d"), ("name", "?")]];
    let mut all: Vec<Row> = facts.iter().chain(&unknown).map(|cells| ("spans", *cells)).collect();
    for _ in 0..all.len() {
        all.rotate_left(1);
        let mut gather = gather(&all);
        process::<Enrich>("{}", &mut gather);
        let mut told: Vec<String> = lines(&gather, "spans", &["name", "user_id", "user_source"]);
        told.retain(|l| l.starts_with('?'));
        told.sort();
        // The server span's, by value; the device's latest.
        assert_eq!(told, ["? bob trace", "? zoe device"]);
    }
}

#[test]
fn what_one_gather_told_helps_the_next() {
    let cx = context();
    let mut enrich = Enrich::new(Config::default(), &cx).unwrap();
    let mut run = |rows: &[Row]| {
        let mut gather = gather(rows);
        enrich.process(&mut gather).unwrap();
        let table = rows[0].0;
        lines(&gather, table, WHO)
    };
    run(&[(
        "spans",
        &[("trace_id", "a1"), ("time", "1"), ("user_id", "ann"), ("session_id", "s1"), ("device_id", "d1")],
    )]);
    assert_eq!(run(&[("logs", &[("trace_id", "a1")])]), ["ann trace s1"]);
    assert_eq!(run(&[("logs", &[("trace_id", "b2"), ("session_id", "s1")])]), ["ann session s1"]);
    assert_eq!(run(&[("logs", &[("trace_id", "c3"), ("device_id", "d1")])]), ["ann device -"]);
    let out: &[(&str, &str)] = &[("time", "2"), ("action", "logout"), ("user_id", "ann"), ("device_id", "d1")];
    assert_eq!(run(&[("auth_events", out)]), ["ann attribute -"]);
    assert_eq!(run(&[("logs", &[("trace_id", "d4"), ("device_id", "d1")])]), ["- - -"]);
    assert_eq!(run(&[("logs", &[("trace_id", "a1"), ("tenant", "other")])]), ["- - -"]);
}

#[test]
fn clients_and_agents_are_filled() {
    let chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
    let rows: &[Row] = &[
        ("requests", &[("client_address", "10.0.0.1"), ("forwarded_for", "203.0.113.9"), ("user_agent", chrome)]),
        ("requests", &[("client_address", "db.internal"), ("user_agent", "curl/8.1"), ("client_ip", "planted")]),
        ("requests", &[("synthetic_type", "test"), ("client_address", "::ffff:192.0.2.1")]),
    ];
    let columns = &["client_ip", "client_prefix", "ua_family", "ua_version", "os_family", "device_class", "is_bot"];
    let hops = r#"{"client": {"trusted_hops": 1}}"#;
    let expected = [
        "203.0.113.9 203.0.113.0/24 Chrome 126 Windows desktop false",
        "- - curl 8 - other false",
        "192.0.2.1 192.0.2.0/24 - - - - true",
    ];
    check(hops, rows, "requests", columns, &expected);
    let nothing: &[Row] = &[("requests", &[("client_ip", "planted"), ("client_prefix", "planted")])];
    check("{}", nothing, "requests", &["client_ip", "client_prefix"], &["- -"]);
    let calls: &[Row] = &[
        ("provider_calls", &[("kind", "client"), ("client_address", "198.51.100.7")]),
        ("provider_calls", &[("kind", "internal"), ("client_address", "198.51.100.7")]),
    ];
    check("{}", calls, "provider_calls", &["client_ip"], &["-", "198.51.100.7"]);
}

#[test]
fn requests_are_derived() {
    let rows: &[Row] = &[
        ("requests", &[("path", "/u/42?page=2"), ("status_code", "200")]),
        ("requests", &[("route", "/u/{user}"), ("path", "/u/42"), ("query", "a=b"), ("status_code", "404")]),
        ("requests", &[("url", "https://shop.example/a/7?x=1"), ("span_status", "error")]),
        ("requests", &[("path", "/x"), ("is_success", "true"), ("status_code", "500")]),
        ("requests", &[]),
    ];
    let expected =
        ["/u/{id} /u/42 page=2 true", "/u/{user} /u/42 a=b false", "/a/{id} /a/7 x=1 false", "/x /x - true", "- - - -"];
    check("{}", rows, "requests", &["route", "path", "query", "is_success"], &expected);
}

#[test]
fn routes_of_frameworks_begin_with_a_slash() {
    let route: &[(&str, &str)] = &[("route", "api/analysis/<int:i>/")];
    for table in ["requests", "auth_events", "audit_log", "rate_limits"] {
        check("{}", &[(table, route)], table, &["route"], &["/api/analysis/<int:i>/"]);
    }
    check("{}", &[("errors", &[("route", "api.shop.example/pay")])], "errors", &["route"], &["api.shop.example/pay"]);
}

#[test]
fn errors_and_events_are_derived() {
    let rows: &[Row] = &[
        ("errors", &[("function", "pay"), ("file", "shop.py"), ("line", "7"), ("page_path", "/a?b=c")]),
        ("errors", &[("screen", "Home"), ("function", "pay"), ("server_address", "api.openai.com")]),
        ("errors", &[("location", "here"), ("screen", "Home"), ("url", "https://x.example/p?q=1")]),
    ];
    let expected = ["pay (shop.py:7) /a -", "Home - openai", "here /p -"];
    check("{}", rows, "errors", &["location", "page_path", "provider"], &expected);
    let rows: &[Row] = &[
        ("errors", &[("kind", "log"), ("name", "API_ERROR"), ("url", "/api/x/123?y=1")]),
        ("errors", &[("kind", "log"), ("status_code", "500"), ("url", "/api/x/123")]),
        ("errors", &[("kind", "log"), ("status_code", "500"), ("url", "/api/x/123"), ("route", "/api/x/{x}")]),
        ("errors", &[("kind", "log"), ("name", "CLIENT_ERROR"), ("url", "https://shop.example/cart/5")]),
        ("errors", &[("kind", "client"), ("method", "POST"), ("url", "https://api.example/v1/chat")]),
    ];
    check("{}", rows, "errors", &["route"], &["/api/x/{id}", "/api/x/{id}", "/api/x/{x}", "-", "-"]);
    let rows: &[Row] = &[
        ("activity_events", &[("name", "browser.navigation"), ("event_name", "page_view"), ("same_document", "true")]),
        (
            "activity_events",
            &[("name", "shop.cart.filled"), ("category", "shop.cart.filled"), ("object_type", "shop.cart.filled")],
        ),
        (
            "activity_events",
            &[
                ("name", "quest_viewed"),
                ("event_name", "quest_viewed"),
                ("category", "quest"),
                ("object_type", "quest"),
            ],
        ),
        ("activity_events", &[("name", "odd"), ("category", "odd")]),
    ];
    let expected = ["route_change - -", "- shop -", "quest_viewed quest quest", "- - -"];
    check("{}", rows, "activity_events", &["event_name", "category", "object_type"], &expected);
    let rows: &[Row] = &[
        ("rate_limits", &[("action", "block")]),
        ("rate_limits", &[("action", "rate_limit.checked"), ("used", "3"), ("limit_count", "5")]),
        ("rate_limits", &[("action", "rate_limit.checked"), ("allowed", "false")]),
        ("rate_limits", &[("status_code", "429")]),
        ("rate_limits", &[("action", "rate_limit.checked")]),
    ];
    check(
        "{}",
        rows,
        "rate_limits",
        &["action", "allowed"],
        &["block false", "allow true", "block false", "block false", "- -"],
    );
}

#[test]
fn sign_ins_are_derived() {
    let rows: &[Row] = &[
        ("auth_events", &[("action", "login"), ("outcome", "success")]),
        ("auth_events", &[("action", "login"), ("outcome", "success"), ("success", "false")]),
        ("auth_events", &[("action", "login"), ("outcome", "success"), ("failure_reason", "bad_password")]),
        ("auth_events", &[("action", "login_failed"), ("outcome", "failure")]),
        ("auth_events", &[("action", "login_failed")]),
        ("auth_events", &[("action", "account_unlocked"), ("outcome", "success")]),
        ("auth_events", &[("action", "auth.device_trusted"), ("outcome", "auth.device_trusted")]),
        ("auth_events", &[("action", "logout"), ("outcome", "unknown")]),
        ("auth_events", &[("ocsf_class_uid", "3002"), ("ocsf_activity_id", "1"), ("ocsf_status_id", "1")]),
        (
            "auth_events",
            &[
                ("ocsf_class_uid", "3002"),
                ("ocsf_activity_id", "1"),
                ("ocsf_status_id", "2"),
                ("failure_reason", "bad password"),
            ],
        ),
        ("auth_events", &[("ocsf_class_uid", "3001"), ("ocsf_activity_id", "3"), ("ocsf_status_id", "1")]),
        ("auth_events", &[("ocsf_class_uid", "6003"), ("ocsf_activity_id", "2"), ("ocsf_status_id", "1")]),
        ("auth_events", &[("action", "login"), ("outcome", "failure"), ("ocsf_status_id", "1")]),
    ];
    let expected = [
        "login success true 3002 1 1",
        "login failure false 3002 1 2",
        "login failure false 3002 1 2",
        "login_failed failure false 3002 1 2",
        "login_failed failure false 3002 1 2",
        "account_unlocked success true 3001 12 1",
        "auth.device_trusted unknown - - - -",
        "logout unknown - 3002 2 0",
        "login success true 3002 1 1",
        "login_failed failure false 3002 1 2",
        "password_change success true 3001 3 1",
        "- unknown - 6003 2 0",
        "login failure false 3002 1 2",
    ];
    let columns = &["action", "outcome", "success", "ocsf_class_uid", "ocsf_activity_id", "ocsf_status_id"];
    check("{}", rows, "auth_events", columns, &expected);
}

#[test]
fn audited_acts_are_derived() {
    let rows: &[Row] = &[
        (
            "audit_log",
            &[("action", "USER_UPDATE"), ("user_id", "ann"), ("resource_type", "user"), ("resource_key", "u9")],
        ),
        (
            "audit_log",
            &[("action", "DEVICE_DELETE"), ("actor_id", "bob"), ("user_id", "ann"), ("resource_key", "dev-9")],
        ),
        (
            "audit_log",
            &[("action", "DATA_EXPORT"), ("resource_type", "report"), ("resource_key", "r1"), ("outcome", "FAILURE")],
        ),
        ("audit_log", &[("action", "LOGIN_FAILED")]),
        ("audit_log", &[("action", "PLANOGRAM_OPTIMIZE"), ("status_code", "500")]),
        ("audit_log", &[("action", "SOMETHING_NEW"), ("resource_key", "who knows")]),
        ("audit_log", &[("action", "ORDER_CREATE"), ("resource_type", "order"), ("resource_key", "ann@example.com")]),
        ("audit_log", &[("action", "PRICE_CHANGE"), ("outcome", "unknown")]),
        ("audit_log", &[("action", "PRICE_CHANGE"), ("outcome", "unknown"), ("success", "true")]),
    ];
    let expected = [
        "ann success true - 3001 99 1",
        "bob success true dev-9 3004 4 1",
        "- failure false r1 6001 7 2",
        "- failure false - 3002 1 2",
        "- failure false - 3004 3 2",
        "- success true - - - -",
        "- success true - 3004 1 1",
        "- unknown - - 3004 3 0",
        "- success true - 3004 3 1",
    ];
    let columns =
        &["actor_id", "outcome", "success", "resource_id", "ocsf_class_uid", "ocsf_activity_id", "ocsf_status_id"];
    check("{}", rows, "audit_log", columns, &expected);
}

#[test]
fn provider_calls_are_derived() {
    let rows: &[Row] = &[
        (
            "provider_calls",
            &[("provider", "openai"), ("kind", "client"), ("operation", "chat"), ("server_address", "proxy.local")],
        ),
        (
            "provider_calls",
            &[
                ("kind", "client"),
                ("url", "https://eu.generativelanguage.googleapis.com/v1/m/12345?key=sk-1&x=2"),
                ("status_code", "429"),
            ],
        ),
        ("provider_calls", &[("kind", "log"), ("status", "pending"), ("endpoint", "/v1/speak?api_key=x")]),
        (
            "provider_calls",
            &[("kind", "client"), ("operation", "chat"), ("is_stream", "true"), ("finish_reasons", "[\"cancelled\"]")],
        ),
        (
            "provider_calls",
            &[
                ("kind", "client"),
                ("server_address", "notopenai.com"),
                ("url_path", "/a/7"),
                ("status", "odd"),
                ("span_status", "error"),
            ],
        ),
        (
            "provider_calls",
            &[
                ("kind", "client"),
                ("is_stream", "true"),
                ("finish_reasons", "[\"stop\"]"),
                ("server_address", "api.openai.com:443"),
            ],
        ),
    ];
    let expected = [
        "openai success - - genai -",
        "gcp.gemini error eu.generativelanguage.googleapis.com/v1/m/{id} sk-1 http -",
        "- pending /v1/speak - event -",
        "- aborted - - genai true",
        "- error notopenai.com/a/{id} - http -",
        "openai success - - http false",
    ];
    let columns = &["provider", "status", "endpoint", "api_key", "seen_as", "stream_aborted"];
    check("{}", rows, "provider_calls", columns, &expected);
    let rows: &[Row] = &[
        ("key_events", &[("name", "elevenlabs.key_rotated")]),
        ("key_events", &[("name", "key.rotated"), ("url", "https://x.example/?key=k1")]),
        ("key_events", &[("name", "key.usage"), ("elevenlabs_characters", "7"), ("characters", "8")]),
        ("key_events", &[("provider", "openai"), ("elevenlabs_limit", "9"), ("characters", "8")]),
    ];
    let expected = ["elevenlabs - - -", "- k1 - -", "elevenlabs - 7 -", "openai - 8 9"];
    check("{}", rows, "key_events", &["provider", "api_key", "characters", "limit_count"], &expected);
}

#[test]
fn every_column_that_enrich_owes_is_filled() {
    let catalog = context().catalog;
    let owed = catalog.tables().iter().flat_map(|t| t.columns.iter().map(move |c| (t, c)));
    let sources =
        [include_str!("web.rs"), include_str!("events.rs"), include_str!("calls.rs"), include_str!("security.rs")];
    let common = [include_str!("identity.rs"), include_str!("client.rs"), include_str!("agent.rs")];
    for (table, column) in owed.filter(|(_, c)| c.by.as_deref() == Some("enrich")) {
        let name = format!("\"{}\"", column.name);
        let named = sources.iter().chain(&common).any(|s| s.contains(&name));
        assert!(named, "nothing fills {}.{}", table.name, column.name);
    }
}

#[test]
fn a_second_run_changes_nothing() {
    let rows: &[Row] = &[
        ("requests", &[("trace_id", "a1"), ("path", "/u/42?page=2"), ("user_id", "ann"), ("status_code", "200")]),
        ("auth_events", &[("action", "login"), ("outcome", "success"), ("failure_reason", "x")]),
        ("provider_calls", &[("url", "https://api.openai.com/v1/9?key=k"), ("status_code", "500")]),
    ];
    let mut gather = gather(rows);
    process::<Enrich>("{}", &mut gather);
    let columns = ["user_id", "user_source", "route", "path", "query"];
    let first = cells(&gather, "requests", 0, columns);
    let auth = cells(&gather, "auth_events", 0, ["outcome", "success"]);
    let call = cells(&gather, "provider_calls", 0, ["provider", "status", "endpoint", "api_key"]);
    process::<Enrich>("{}", &mut gather);
    assert_eq!(cells(&gather, "requests", 0, columns), first);
    assert_eq!(cells(&gather, "auth_events", 0, ["outcome", "success"]), auth);
    assert_eq!(cells(&gather, "provider_calls", 0, ["provider", "status", "endpoint", "api_key"]), call);
}
