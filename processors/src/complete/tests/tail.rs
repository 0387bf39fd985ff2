//! Which traces stay whole, which rows stay for others, and what they then stand for.

use arrow::array::Array;

use super::*;
use crate::complete::Tail;
use crate::fixture::cell;

/// Below and above the threshold of a half.
const LOW: &str = "00000000000000000040000000000000";
const HIGH: &str = "000000000000000000c0000000000000";

/// Thins rows and says of those that stay: table, span, weight and trace state.
fn thinned(tail: Tail, rows: &[Row], bound: usize) -> Vec<String> {
    let stored = stored(rows);
    let mut facts = tail.collect(bound);
    for (table, batch, hours) in &stored {
        facts.add(table, batch, hours);
    }
    facts.settle();
    let mut left = Vec::new();
    for (table, batch, hours) in &stored {
        let hours: Vec<Option<i64>> = hours.iter().copied().map(Some).collect();
        let hints = facts.complete(table, batch, &hours);
        let before = gather(rows);
        for row in (0..batch.num_rows()).filter(|row| hints.keep.as_ref().is_none_or(|keep| keep.value(*row))) {
            let new = |name: &str| hints.columns.iter().find(|(column, _)| *column == name).map(|(_, values)| values);
            let old = |name: &str| cell(&before, &table.name, row, name);
            let weight = new("sample_weight").map(|w| w.as_primitive::<arrow::datatypes::Float64Type>());
            let weight = match weight {
                Some(weights) => weights.is_valid(row).then(|| weights.value(row).to_string()),
                None => old("sample_weight"),
            };
            let state = match new("trace_state").and_then(Text::new) {
                Some(states) => states.get(row).map(str::to_owned),
                None => old("trace_state"),
            };
            let [span, weight, state] = [old("span_id"), weight, state].map(|v| v.unwrap_or_else(|| "-".to_owned()));
            left.push(format!("{} {span} {weight} {state}", table.name));
        }
    }
    left
}

fn half() -> Tail {
    Tail::new(0.5, Some(2_000_000_000), Some(0.05))
}

fn check(rows: &[Row], left: &[&str]) {
    assert_eq!(thinned(half(), rows, 1 << 20), left);
}

/// A span of a trace, and another row of it that may be a reason for it to stay.
fn with(reason: Row) -> Vec<String> {
    let span: Row = ("spans", &[("trace_id", LOW), ("span_id", "span"), ("kind", "internal")]);
    thinned(half(), &[span, reason], 1 << 20)
}

#[test]
fn a_trace_stays_whole_for_a_reason() {
    let reasons: [Row; 8] = [
        ("requests", &[("trace_id", LOW), ("span_id", "r"), ("status_code", "500")]),
        ("spans", &[("trace_id", LOW), ("span_id", "r"), ("span_status", "error")]),
        ("logs", &[("trace_id", LOW), ("span_id", "r"), ("severity_number", "17")]),
        ("errors", &[("trace_id", LOW), ("span_id", "r")]),
        ("auth_events", &[("trace_id", LOW), ("span_id", "r")]),
        ("audit_log", &[("trace_id", LOW), ("span_id", "r")]),
        ("requests", &[("trace_id", LOW), ("span_id", "r"), ("duration_ns", "2000000000")]),
        ("provider_calls", &[("trace_id", LOW), ("span_id", "r"), ("cost_usd", "0.05")]),
    ];
    for reason in reasons {
        let left = with(reason);
        assert_eq!(left.len(), 2, "{reason:?}: {left:?}");
        assert!(left.iter().all(|row| row.ends_with(" - -")), "{left:?}");
    }
    let none: [Row; 4] = [
        ("requests", &[("trace_id", LOW), ("status_code", "404"), ("duration_ns", "1999999999")]),
        ("provider_calls", &[("trace_id", LOW), ("cost_usd", "0.049999999999999999")]),
        ("errors", &[("trace_id", LOW), ("tenant", "other")]),
        ("errors", &[("trace_id", HIGH)]),
    ];
    for reason in none {
        let left = with(reason);
        assert!(!left.iter().any(|row| row.contains("spans span")), "{reason:?}: {left:?}");
    }
}

#[test]
fn other_traces_live_by_their_randomness_and_weigh_more() {
    let rows: &[Row] = &[
        ("spans", &[("trace_id", LOW), ("span_id", "gone"), ("kind", "internal")]),
        ("spans", &[("trace_id", HIGH), ("span_id", "stays"), ("kind", "internal"), ("trace_state", "a=b")]),
        ("logs", &[("trace_id", HIGH), ("span_id", "line"), ("kind", "log")]),
        ("logs", &[("span_id", "alone"), ("kind", "log")]),
        ("rate_limits", &[("trace_id", LOW), ("span_id", "limit"), ("kind", "log")]),
    ];
    check(rows, &["rate_limits limit - -", "spans stays 2 ot=th:8,a=b", "logs line 2 -", "logs alone - -"]);
}

#[test]
fn the_stricter_threshold_holds_so_that_thinning_twice_is_thinning_once() {
    let heavy: &[(&str, &str)] =
        &[("trace_id", HIGH), ("span_id", "s"), ("kind", "server"), ("sample_weight", "4"), ("trace_state", "ot=th:c")];
    let light: &[(&str, &str)] = &[
        ("trace_id", HIGH),
        ("span_id", "s"),
        ("kind", "server"),
        ("sample_weight", "1.25"),
        ("trace_state", "ot=th:333333"),
    ];
    let same: &[(&str, &str)] =
        &[("trace_id", HIGH), ("span_id", "s"), ("kind", "server"), ("sample_weight", "2"), ("trace_state", "ot=th:8")];
    let random: &[(&str, &str)] =
        &[("trace_id", LOW), ("span_id", "s"), ("kind", "server"), ("trace_state", "ot=rv:c0000000000000")];
    check(&[("requests", heavy)], &["requests s 4 ot=th:c"]);
    check(&[("requests", light)], &["requests s 2 ot=th:8"]);
    check(&[("requests", same)], &["requests s 2 ot=th:8"]);
    check(&[("requests", random)], &["requests s 2 ot=th:8;rv:c0000000000000"]);
}

#[test]
fn a_reason_reaches_an_hour_and_no_further() {
    let rows: &[Row] = &[
        ("errors", &[("trace_id", LOW), ("span_id", "e"), ("time", "3600000000")]),
        ("spans", &[("trace_id", LOW), ("span_id", "before"), ("time", "0")]),
        ("spans", &[("trace_id", LOW), ("span_id", "after"), ("time", "10799999999")]),
        ("spans", &[("trace_id", LOW), ("span_id", "too late"), ("time", "10800000000")]),
    ];
    check(rows, &["errors e - -", "spans before - -", "spans after - -"]);
}

#[test]
fn without_room_for_reasons_everything_stays() {
    let rows: &[Row] =
        &[("errors", &[("trace_id", HIGH), ("span_id", "e")]), ("spans", &[("trace_id", LOW), ("span_id", "s")])];
    assert_eq!(thinned(half(), rows, 10), ["errors e - -", "spans s - -"]);
    assert_eq!(thinned(half(), rows, 1000), ["errors e - -"]);
}

#[test]
fn audited_rows_are_never_looked_at() {
    let catalog = schemas::Catalog::built_in().unwrap();
    for table in catalog.tables() {
        let stays = ["errors", "auth_events", "audit_log", "rate_limits", "key_events"].contains(&table.name.as_str());
        assert_eq!(half().hints(table).is_empty(), stays, "{}", table.name);
    }
}
