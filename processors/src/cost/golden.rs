//! Hand cases, from a row to its columns.

use arrow::compute::kernels::cast_utils::string_to_timestamp_nanos;
use component::Processor;

use super::*;
use crate::fixture::{Row, cell, cells, context, gather};

const CONFIG: &str = r#"{"overrides": [
    {"provider": "brightdata", "bill_when": "success", "prices": {"requests_kcount": 1.50}},
    {"provider": "bright*", "when": {"operation": "collect"}, "prices": {"requests_kcount": "0"}},
    {"provider": "acme", "prices": {"input_mtok": "1"}},
    {"provider": "openai", "model": "gpt-5.1*", "tenant": "acme", "effective_from": "2026-07-01", "prices": {"input_mtok": "1", "output_mtok": "8"}}
]}"#;

/// A Friday, so that no price of a weekend is needed.
const NOW: &str = "2026-11-20T12:00:00Z";

fn micros(time: &str) -> String {
    (string_to_timestamp_nanos(time).unwrap() / 1_000).to_string()
}

/// `column=value` pairs as cells, with a time.
fn row(text: &str) -> Vec<(&str, String)> {
    let mut cells: Vec<(&str, String)> =
        text.split_whitespace().map(|pair| pair.split_once('=').unwrap()).map(|(k, v)| (k, v.to_owned())).collect();
    match cells.iter_mut().find(|(column, _)| *column == "time") {
        Some((_, time)) => *time = micros(time),
        None => cells.push(("time", micros(NOW))),
    }
    cells
}

fn priced(config: &str, rows: &[&str]) -> Gather {
    let owned: Vec<_> = rows.iter().map(|text| row(text)).collect();
    let borrowed: Vec<Vec<(&str, &str)>> =
        owned.iter().map(|cells| cells.iter().map(|(k, v)| (*k, v.as_str())).collect()).collect();
    let rows: Vec<Row> = borrowed.iter().map(|cells| (TABLE, cells.as_slice())).collect();
    let mut gather = gather(&rows);
    Cost::new(serde_json::from_str(config).unwrap(), &context()).unwrap().process(&mut gather).unwrap();
    gather
}

/// `1.250000000000000000` as `1.25`.
fn short(money: String) -> String {
    money.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[test]
fn every_hand_case_holds() {
    let cases: Vec<Vec<&str>> = include_str!("golden.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split(" | ").collect())
        .collect();
    let gather = priced(CONFIG, &cases.iter().map(|case| case[1]).collect::<Vec<_>>());
    let mut wrong = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        let [cost, status, how] = cells(&gather, TABLE, number, ["cost_usd", "cost_status", "price_match"]);
        let cost = cost.map_or("NULL".to_owned(), short);
        let how = how.unwrap_or_default();
        if cost != case[2] || status.as_deref() != Some(case[3]) || (case[4] != "-" && how != case[4]) {
            wrong.push(format!("{}: {cost} {status:?} {how}, expected {} {} {}", case[0], case[2], case[3], case[4]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases.len() > 60, "cases were lost");
}

#[test]
fn a_price_explains_itself() {
    let call = "provider=openai request_model=o3 operation=chat service_tier=flex input_tokens=3000 cache_read_tokens=1000 output_tokens=10";
    let gather = priced("{}", &[call]);
    assert_eq!(cell(&gather, TABLE, 0, "cost_source").as_deref(), Some("genai-prices"));
    assert_eq!(cell(&gather, TABLE, 0, "usage_semantics").as_deref(), Some("inclusive"));
    let id = cell(&gather, TABLE, 0, "price_id").unwrap();
    assert!(id.starts_with("openai/o3+service_tier=flex#"), "{id}");
    assert_eq!(cell(&gather, TABLE, 0, "price_effective_from"), Some(micros("2026-10-12T00:00:00Z")));
    let breakdown: serde_json::Value =
        serde_json::from_str(&cell(&gather, TABLE, 0, "cost_breakdown").unwrap()).unwrap();
    let lines: Vec<(&str, i64)> = breakdown
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (line["unit"].as_str().unwrap(), line["count"].as_i64().unwrap()))
        .collect();
    assert_eq!(lines, [("cache_read_tokens", 1000), ("input_tokens", 2000), ("output_tokens", 10)]);
    let amounts: i128 =
        breakdown.as_array().unwrap().iter().map(|l| decimal::parse(l["amount"].as_str().unwrap()).unwrap()).sum();
    assert_eq!(Some(amounts), decimal::parse(&cell(&gather, TABLE, 0, "cost_usd").unwrap()));
    let quiet = priced(r#"{"breakdown": false}"#, &[call]);
    assert_eq!(cell(&quiet, TABLE, 0, "cost_breakdown"), None);
    assert_eq!(cell(&quiet, TABLE, 0, "cost_usd"), cell(&gather, TABLE, 0, "cost_usd"));
}

#[test]
fn another_price_has_another_id() {
    let old =
        "time=2025-06-01T00:00:00Z provider=openai request_model=o3 operation=chat input_tokens=1 output_tokens=1";
    let new = "provider=openai request_model=o3 operation=chat input_tokens=1 output_tokens=1";
    let gather = priced("{}", &[old, new, new]);
    let id = |row| cell(&gather, TABLE, row, "price_id").unwrap();
    assert_ne!(id(0), id(1));
    assert_eq!(id(1), id(2));
}

#[test]
fn echoes_are_priced_and_marked() {
    let ids = "trace_id=11111111111111111111111111111111 span_id=aaaaaaaaaaaaaaaa";
    let call = "provider=openai request_model=o3 operation=chat input_tokens=1000000 output_tokens=0";
    let span = format!("{ids} kind=client {call}");
    let log = format!("{ids} kind=log name=gen_ai.client.inference.operation.details {call}");
    let gather = priced("{}", &[&span, &log]);
    let root = "11111111111111111111111111111111:aaaaaaaaaaaaaaaa";
    for (row, echo_of) in [(0, None), (1, Some(root))] {
        let [cost, echo] = cells(&gather, TABLE, row, ["cost_usd", "echo_of"]);
        assert_eq!((cost.map(short).as_deref(), echo.as_deref()), (Some("2"), echo_of), "{row}");
    }
}

#[test]
fn counters_say_what_was_not_priced() {
    let cx = context();
    let mut gather = gather(&[(TABLE, &[("provider", "openai"), ("request_model", "foo-9"), ("input_tokens", "5")])]);
    Cost::new(Config::default(), &cx).unwrap().process(&mut gather).unwrap();
    let counts = cx.counts.snapshot();
    assert!(counts.contains(&("cost_rows", "unpriced".to_owned(), 1)), "{counts:?}");
    assert!(counts.contains(&("cost_unpriced", "unknown_model".to_owned(), 1)), "{counts:?}");
}

#[test]
fn doubtful_overrides_are_refused() {
    for (config, path) in [
        (r#"{"overrides": [{"provider": "a", "prices": {"input_mtoks": 1}}]}"#, "overrides.0.prices"),
        (r#"{"overrides": [{"provider": "a", "prices": {"input_mtok": -1}}]}"#, "overrides.0.prices"),
        (r#"{"overrides": [{"provider": "a", "prices": {"input_mtok": "cheap"}}]}"#, "overrides.0.prices"),
        (r#"{"overrides": [{"provider": "a", "effective_from": "soon", "prices": {}}]}"#, "overrides.0.effective_from"),
    ] {
        let error = Cost::new(serde_json::from_str(config).unwrap(), &context()).err().unwrap();
        assert_eq!(error.path.join("."), path, "{config}");
    }
    assert!(serde_json::from_str::<Config>(r#"{"override": []}"#).is_err());
}
