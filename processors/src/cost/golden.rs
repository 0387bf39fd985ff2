//! Hand cases, from a row to its columns.

use arrow::compute::kernels::cast_utils::string_to_timestamp_nanos;
use component::Processor;

use super::*;
use crate::fixture::{Row, cell, cells, context, gather};

const CONFIG: &str = r#"{"overrides": [
    {"provider": "brightdata", "bill_when": "success", "prices": {"requests_kcount": 1.50}},
    {"provider": "bright*", "when": {"operation": "collect"}, "prices": {"requests_kcount": "0"}},
    {"provider": "acme", "prices": {"input_mtok": "1"}},
    {"provider": "openai", "model": "gpt-5.1*", "tenant": "acme", "effective_from": "2026-07-01", "effective_until": "2026-12-31", "prices": {"input_mtok": "1", "output_mtok": "8"}},
    {"provider": "openai", "model": "gpt-5.1*", "project": "alpha", "prices": {"input_mtok": "0.5", "output_mtok": "8"}},
    {"provider": "openai", "model": "gpt-5.1*", "prices": {"input_mtok": "1.25", "cache_read_mtok": "0.125", "output_mtok": "10"}, "when": {"region": "mars"}},
    {"provider": "perplexity", "tenant": "half", "multiplier": 0.5},
    {"provider": "perplexity", "when": {"region": "eu-*"}, "multiplier": "1.1"},
    {"provider": "cohere", "bill_when": "success"},
    {"provider": "planned", "plan": {"usd": 99, "includes": {"input_characters": 500000}}},
    {"provider": "tiered", "prices": {"input_mtok": {"base": 1, "above": {"1000": 2, "2000": "3.5"}, "inclusive": true}}},
    {"provider": "tools", "prices": {"tool_calls_kcount": 5, "code_executions_kcount": 50}},
    {"provider": "dictation", "minimum_seconds": 10, "increment_seconds": 60, "prices": {"audio_hours": "0.36"}},
    {"provider": "nightly", "prices": {"requests_kcount": 2}},
    {"provider": "nightly", "weekdays": "mon-fri", "hours": "22:00-06:00", "timezone": "America/New_York", "prices": {"requests_kcount": 1}}
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
    assert!(cases.len() > 100, "cases were lost");
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
    let version = cell(&gather, TABLE, 0, "price_list").unwrap();
    assert_eq!(version, Book::built_in().unwrap().version);
    assert!(version.starts_with("202"), "{version}");
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
        (r#"{"overrides": [{"provider": "a", "weekdays": "someday", "prices": {}}]}"#, "overrides.0.weekdays"),
        (r#"{"overrides": [{"provider": "a", "hours": "9-5", "prices": {}}]}"#, "overrides.0.hours"),
        (r#"{"overrides": [{"provider": "a", "timezone": "Mars/Olympus", "prices": {}}]}"#, "overrides.0.timezone"),
        (r#"{"overrides": [{"provider": "a", "multiplier": 1.12345678}]}"#, "overrides.0.multiplier"),
        (r#"{"overrides": [{"provider": "a", "plan": {"usd": 1, "includes": {}}}]}"#, "overrides.0.plan"),
        (r#"{"overrides": [{"provider": "a", "plan": {"usd": 1, "includes": {"requests": 0}}}]}"#, "overrides.0.plan"),
        (r#"{"overrides": [{"provider": "a"}]}"#, "overrides.0.prices"),
        (r#"{"overrides": [{"prices": {"image": 1}}]}"#, "overrides.0.provider"),
        (r#"{"prices": "/no/such/file"}"#, "prices"),
    ] {
        let error = Cost::new(serde_json::from_str(config).unwrap(), &context()).err().unwrap();
        assert_eq!(error.path.join("."), path, "{config}");
    }
    assert!(serde_json::from_str::<Config>(r#"{"override": []}"#).is_err());
}

#[test]
fn a_list_of_ones_own_counts_instead() {
    let folder = std::env::temp_dir().join(format!("marquetry-prices-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("prices.txt");
    let units =
        include_str!("prices.txt").lines().filter(|line| line.starts_with("unit ")).collect::<Vec<_>>().join("\n");
    let text =
        format!("marquetry prices 1\ndate 2030-01-01\n{units}\nfrom genai-prices\nprovider openai\no3\t\ti=7 o=1\n");
    std::fs::write(&path, text).unwrap();
    let config = serde_json::json!({ "prices": path }).to_string();
    let gather =
        priced(&config, &["provider=openai request_model=o3 operation=chat input_tokens=1000000 output_tokens=0"]);
    std::fs::remove_dir_all(&folder).unwrap();
    let [cost, list] = cells(&gather, TABLE, 0, ["cost_usd", "price_list"]);
    assert_eq!(cost.map(short).as_deref(), Some("7"));
    assert!(list.unwrap().starts_with("2030-01-01-"));
}

#[test]
fn what_the_list_says_stays_beside_what_the_provider_says() {
    let call = "provider=openai request_model=o3 operation=chat input_tokens=1000000 output_tokens=0 reported_cost=1.5";
    let gather = priced("{}", &[&format!("{call} reported_cost_source=provider"), call]);
    let row = |row| cells(&gather, TABLE, row, ["cost_usd", "list_cost_usd"]).map(|money| money.map(short));
    assert_eq!(row(0), [Some("1.5".to_owned()), Some("2".to_owned())]);
    assert_eq!(row(1), [Some("2".to_owned()), None]);
}
