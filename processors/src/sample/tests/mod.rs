//! What stays, and what it stands for.

mod laws;

use super::*;
use crate::fixture::{Row, cell, context, gather, process};

/// Traces whose randomness is at the start of the scale (rarely kept), in its middle and at its end (always kept).
const LOW: &str = "000000000000000000100000000000aa";
const MIDDLE: &str = "000000000000000000900000000000aa";
const HIGH: &str = "000000000000000000f80000000000aa";

/// What is left, in the order of tables and rows: span id (of a log: identity), weight and trace state, `-` for NULL.
fn left(gather: &Gather) -> Vec<String> {
    let mut left = Vec::new();
    for rows in gather.tables() {
        let name = &rows.table().name;
        for row in 0..rows.len() {
            let get = |column: &str| cell(gather, name, row, column);
            let id = get("span_id").or_else(|| get("record_uid")).unwrap_or_default();
            let [weight, state] = ["sample_weight", "trace_state"].map(|c| get(c).unwrap_or_else(|| "-".to_owned()));
            left.push(format!("{name} {id} {weight} {state}"));
        }
    }
    left
}

fn check(config: &str, before: &[Row], after: &[&str], counted: &[(&str, u64)]) {
    let mut gather = gather(before);
    let cx = process::<Sample>(config, &mut gather);
    assert_eq!(left(&gather), after, "{config}");
    let counts: Vec<(&str, String, u64)> = cx.counts.snapshot();
    let expected: Vec<_> = counted.iter().map(|(rule, n)| ("sample_dropped", (*rule).to_owned(), *n)).collect();
    assert_eq!(counts, expected, "{config}");
}

/// One span for each trace.
const SPANS: &[Row] = &[
    ("spans", &[("trace_id", LOW), ("span_id", "low"), ("kind", "internal")]),
    ("spans", &[("trace_id", MIDDLE), ("span_id", "middle"), ("kind", "internal")]),
    ("spans", &[("trace_id", HIGH), ("span_id", "high"), ("kind", "internal")]),
];

#[test]
fn nothing_is_sampled_unless_a_rate_says_so() {
    let all = ["spans low - -", "spans middle - -", "spans high - -"];
    for config in ["{}", r#"{"rules": [{"table": "spans", "rate": 1}]}"#, r#"{"upstream": "ignore"}"#] {
        check(config, SPANS, &all, &[]);
    }
}

#[test]
fn a_rate_keeps_the_traces_that_reach_its_threshold() {
    let cases: [(&str, &[&str], u64); 4] = [
        (
            "0.9",
            &[
                "spans middle 1.1111111111111112 ot=th:19999999999998",
                "spans high 1.1111111111111112 ot=th:19999999999998",
            ],
            1,
        ),
        ("0.5", &["spans middle 2 ot=th:8", "spans high 2 ot=th:8"], 1),
        ("0.1", &["spans high 10 ot=th:e6666666666666"], 2),
        ("0", &[], 3),
    ];
    for (rate, after, dropped) in cases {
        check(&format!(r#"{{"rate": {rate}}}"#), SPANS, after, &[("default", dropped)]);
    }
}

#[test]
fn errors_sign_ins_audited_acts_and_slow_spans_stay() {
    let rows: &[Row] = &[
        ("requests", &[("trace_id", LOW), ("span_id", "ok"), ("kind", "server"), ("status_code", "404")]),
        ("requests", &[("trace_id", LOW), ("span_id", "failed"), ("kind", "server"), ("status_code", "500")]),
        ("requests", &[("trace_id", LOW), ("span_id", "slow"), ("kind", "server"), ("duration_ns", "2000000000")]),
        ("requests", &[("trace_id", LOW), ("span_id", "quick"), ("kind", "server"), ("duration_ns", "1999999999")]),
        ("spans", &[("trace_id", LOW), ("span_id", "broken"), ("kind", "client"), ("span_status", "error")]),
        ("logs", &[("trace_id", LOW), ("record_uid", "severe"), ("kind", "log"), ("severity_number", "17")]),
        ("logs", &[("trace_id", LOW), ("record_uid", "warning"), ("kind", "log"), ("severity_number", "13")]),
        ("errors", &[("trace_id", LOW), ("record_uid", "error"), ("kind", "log")]),
        ("auth_events", &[("trace_id", LOW), ("record_uid", "login"), ("kind", "log")]),
        ("audit_log", &[("trace_id", LOW), ("record_uid", "act"), ("kind", "log")]),
        ("rate_limits", &[("trace_id", LOW), ("record_uid", "limit"), ("kind", "log")]),
        ("key_events", &[("trace_id", LOW), ("record_uid", "key"), ("kind", "log")]),
    ];
    let mut expected: Vec<&str> = vec![
        "audit_log act - -",
        "auth_events login - -",
        "key_events key - -",
        "rate_limits limit - -",
        "errors error - -",
        "requests failed - -",
        "requests slow - -",
        "spans broken - -",
        "logs severe - -",
    ];
    check(r#"{"rate": 0}"#, rows, &expected, &[("default", 3)]);
    expected.retain(|row| !row.contains("slow"));
    check(r#"{"rate": 0, "slow": "0s"}"#, rows, &expected, &[("default", 4)]);
    expected.retain(|row| !row.contains("limit") && !row.contains("key"));
    check(r#"{"rate": 0, "slow": "1h", "keep": []}"#, rows, &expected, &[("default", 6)]);
}

#[test]
fn the_rows_of_a_record_stay_together() {
    let rows: &[Row] = &[
        // A request that threw and met a limit, though it answered: its events and itself.
        ("requests", &[("trace_id", LOW), ("span_id", "r"), ("kind", "server"), ("status_code", "200")]),
        ("errors", &[("trace_id", LOW), ("span_id", "r"), ("kind", "span_event"), ("event_index", "0")]),
        ("activity_events", &[("trace_id", LOW), ("span_id", "r"), ("kind", "span_event"), ("event_index", "1")]),
        // An act that is activity as well.
        ("audit_log", &[("record_uid", "act"), ("kind", "log")]),
        ("activity_events", &[("record_uid", "act"), ("kind", "log")]),
        // A log within the failing span is another record.
        ("logs", &[("trace_id", LOW), ("span_id", "r"), ("record_uid", "line"), ("kind", "log")]),
        // So is a span of the same ids that belongs to somebody else.
        ("spans", &[("tenant", "other"), ("trace_id", LOW), ("span_id", "r"), ("kind", "internal")]),
    ];
    let after =
        ["audit_log act - -", "errors r - -", "requests r - -", "activity_events r - -", "activity_events act - -"];
    check(r#"{"rate": 0}"#, rows, &after, &[("default", 2)]);
}

#[test]
fn the_first_rule_that_meets_a_row_gives_its_rate() {
    let rows: &[Row] = &[
        (
            "requests",
            &[
                ("trace_id", MIDDLE),
                ("span_id", "poll"),
                ("kind", "server"),
                ("route", "/api/poll/{id}"),
                ("method", "GET"),
            ],
        ),
        (
            "requests",
            &[
                ("trace_id", MIDDLE),
                ("span_id", "push"),
                ("kind", "server"),
                ("route", "/api/poll/{id}"),
                ("method", "POST"),
            ],
        ),
        (
            "requests",
            &[
                ("trace_id", HIGH),
                ("span_id", "seen"),
                ("kind", "server"),
                ("route", "api/poll/{id}"),
                ("method", "get"),
            ],
        ),
        ("provider_calls", &[("trace_id", LOW), ("span_id", "call"), ("kind", "client")]),
        ("logs", &[("trace_id", MIDDLE), ("record_uid", "tick"), ("kind", "log"), ("name", "Tick")]),
        ("logs", &[("trace_id", MIDDLE), ("record_uid", "web"), ("kind", "log"), ("service_name", "web-a")]),
        (
            "logs",
            &[("trace_id", MIDDLE), ("record_uid", "free"), ("kind", "log"), ("attributes", r#"{"app.plan":"free"}"#)],
        ),
        (
            "logs",
            &[("trace_id", MIDDLE), ("record_uid", "paid"), ("kind", "log"), ("attributes", r#"{"app.plan":"paid"}"#)],
        ),
    ];
    let config = r#"{"rate": 0.5, "rules": [
        {"name": "polling", "route": "/api/poll/*", "method": "GET", "rate": 0.1},
        {"table": "provider_calls", "rate": 1},
        {"name": "ticks", "event": "tick", "rate": 0.1},
        {"name": "web", "service": "web-*", "rate": 0.25},
        {"name": "free", "attribute": "app.plan", "equals": "free", "rate": 0.01},
        {"name": "never", "route": "/api/*", "rate": 0}
    ]}"#;
    let after = ["provider_calls call - -", "requests seen 10 ot=th:e6666666666666", "logs paid 2 -"];
    check(config, rows, &after, &[("free", 1), ("never", 1), ("polling", 1), ("ticks", 1), ("web", 1)]);
}

#[test]
fn a_record_without_a_trace_is_judged_by_its_identity() {
    let logs: Vec<(String, [(&str, &str); 1])> =
        (0..1000).map(|n| (format!("r1_{n:026}"), [("kind", "log")])).collect();
    let cells: Vec<Vec<(&str, &str)>> =
        logs.iter().map(|(uid, kind)| vec![kind[0], ("record_uid", uid.as_str())]).collect();
    let rows: Vec<Row> = cells.iter().map(|cells| ("logs", cells.as_slice())).collect();
    let run = |config: &str| {
        let mut gather = gather(&rows);
        process::<Sample>(config, &mut gather);
        left(&gather)
    };
    let kept = run(r#"{"rate": 0.2}"#);
    assert!((140..260).contains(&kept.len()) && kept.iter().all(|row| row.ends_with(" 5 -")), "{}", kept.len());
    assert_eq!(run(r#"{"rate": 0.2}"#), kept);
    check(r#"{"rate": 0}"#, &[("spans", &[("kind", "internal")])], &["spans  - -"], &[]);
}

#[test]
fn what_was_sampled_before_counts() {
    let of = |state: &'static str| -> [(&'static str, &'static str); 4] {
        [("trace_id", HIGH), ("span_id", "s"), ("kind", "internal"), ("trace_state", state)]
    };
    let low = [("trace_id", LOW), ("span_id", "s"), ("kind", "internal"), ("trace_state", "ot=th:8")];
    let random =
        [("trace_id", LOW), ("span_id", "s"), ("kind", "internal"), ("trace_state", "a=b,ot=rv:f8000000000000;th:c")];
    let (half, none, broken) = (of("ot=th:8,x=y"), of("ot=th:0"), of("ot=th:zz"));
    type Cells<'a> = &'a [(&'a str, &'a str)];
    let cases: [(&str, Cells, &[&str]); 14] = [
        // Off: the weight alone.
        ("{}", &half, &["spans s 2 ot=th:8,x=y"]),
        ("{}", &none, &["spans s - ot=th:0"]),
        ("{}", &broken, &["spans s - ot=th:zz"]),
        ("{}", &low, &["spans s - ot=th:8"]),
        ("{}", &random, &["spans s 4 a=b,ot=rv:f8000000000000;th:c"]),
        (r#"{"upstream": "ignore"}"#, &half, &["spans s - ot=th:8,x=y"]),
        // The stricter of both.
        (r#"{"rate": 0.1}"#, &half, &["spans s 10 ot=th:e6666666666666,x=y"]),
        (r#"{"rate": 0.75}"#, &half, &["spans s 2 ot=th:8,x=y"]),
        (r#"{"rate": 0.1}"#, &random, &["spans s 10 ot=th:e6666666666666;rv:f8000000000000,a=b"]),
        (r#"{"rate": 0.1}"#, &low, &[]),
        // Of what arrived.
        (r#"{"rate": 0.5, "upstream": "multiply"}"#, &half, &["spans s 4 ot=th:c,x=y"]),
        (r#"{"rate": 0.1, "upstream": "multiply"}"#, &none, &["spans s 10 ot=th:e6666666666666"]),
        (r#"{"rate": 0.01, "upstream": "multiply"}"#, &half, &[]),
        (r#"{"rate": 0.5, "upstream": "ignore"}"#, &half, &["spans s 2 ot=th:8,x=y"]),
    ];
    for (config, cells, after) in cases {
        let counted: &[(&str, u64)] = if after.is_empty() { &[("default", 1)] } else { &[] };
        check(config, &[("spans", cells)], after, counted);
    }
    let failed = [half[0], half[1], half[2], half[3], ("span_status", "error")];
    check(r#"{"rate": 0}"#, &[("spans", &failed)], &["spans s 2 ot=th:8,x=y"], &[]);
    check(r#"{"rate": 0}"#, &[("audit_log", &failed)], &["audit_log s - ot=th:8,x=y"], &[]);
}

#[test]
fn doubtful_rates_are_refused() {
    let cases = [
        (r#"{"rate": 1.5}"#, "rate", "from 0 to 1"),
        (r#"{"rate": -0.1}"#, "rate", "from 0 to 1"),
        (r#"{"rules": [{"route": "/a"}]}"#, "rules.0", "give the `rate`"),
        (r#"{"rules": [{"rate": 0.1}]}"#, "rules.0", "what `rate` is for"),
        (r#"{"rules": [{"route": "/a", "rate": 10}]}"#, "rules.0.rate", "from 0 to 1"),
        (r#"{"rules": [{"table": "errors", "rate": 0.1}]}"#, "rules.0.table", "never dropped"),
        (r#"{"rules": [{"table": "audit_log", "rate": 0.1}]}"#, "rules.0.table", "never dropped"),
        (r#"{"rules": [{"table": "request", "rate": 0.1}]}"#, "rules.0.table", "no table"),
        (r#"{"keep": ["rate_limits", "limits"]}"#, "keep.1", "no table"),
    ];
    for (config, path, what) in cases {
        let parsed: Config = serde_json::from_str(config).unwrap();
        let Err(error) = Sample::new(parsed, &context()) else { panic!("{config} passed") };
        assert_eq!((error.path.join("."), error.what.contains(what)), (path.to_owned(), true), "{config}: {error}");
    }
    assert!(serde_json::from_str::<Config>(r#"{"ratio": 0.1}"#).is_err());
}

/// What names a threshold is digits and letters, and the seal must not take it for a number of somebody.
#[test]
fn the_seal_leaves_thresholds_alone() {
    let rates = (1..1000).map(|n| f64::from(n) / 1000.0).chain((2..400).map(|n| 1.0 / f64::from(n)));
    let states: Vec<String> = rates.map(|rate| state::write("", Threshold::of_rate(rate)).into_owned()).collect();
    let cells: Vec<[(&str, &str); 1]> = states.iter().map(|state| [("trace_state", state.as_str())]).collect();
    let rows: Vec<Row> = cells.iter().map(|cells| ("spans", cells.as_slice())).collect();
    let mut gather = gather(&rows);
    process::<crate::redact::Redact>("{}", &mut gather);
    let after = (0..states.len()).map(|row| cell(&gather, "spans", row, "trace_state").unwrap_or_default());
    let changed: Vec<_> = states.iter().zip(after).filter(|(before, after)| **before != *after).collect();
    assert!(changed.is_empty(), "{changed:?}");
}
