//! What a call costs, from its span to its row, and what `marquetry prices` says of it.

use std::process::Command;

use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::Value;
use tests::otlp::{self, int, tag};
use tests::{Setup, places, python};

/// A call to a model, seen by its instrumentation or as HTTP alone.
fn call(id: u64, attributes: Vec<opentelemetry_proto::tonic::common::v1::KeyValue>) -> Span {
    Span { kind: 3, name: "chat".to_owned(), attributes, ..otlp::served(id, "/") }
}

fn prices(setup: &Setup, arguments: &[&str]) -> Command {
    let mut command = setup.command("prices");
    command.args(arguments);
    command
}

#[test]
fn a_call_is_priced_explained_and_priced_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let setup = Setup::new(&folder.path().join("data"));
    let marquetry = setup.start();
    let cached = vec![
        tag("gen_ai.provider.name", "openai"),
        tag("gen_ai.request.model", "gpt-5.1"),
        tag("gen_ai.operation.name", "chat"),
        otlp::attribute("gen_ai.usage.input_tokens", int(2006)),
        otlp::attribute("gen_ai.usage.cache_read.input_tokens", int(1920)),
        otlp::attribute("gen_ai.usage.output_tokens", int(300)),
    ];
    let http = vec![
        tag("http.request.method", "POST"),
        tag("url.full", "https://api.openai.com/v1/chat/completions"),
        tag("server.address", "api.openai.com"),
        otlp::attribute("http.response.status_code", int(200)),
    ];
    marquetry.accept("/v1/traces", &otlp::spans("shop", vec![call(1, cached), call(2, http)]));
    let rows = setup.query("SELECT record_id, CAST(cost_usd AS VARCHAR) AS cost, cost_status, price_match, price_list FROM provider_calls ORDER BY cost_status");
    let [priced, unpriced] = rows.as_slice() else { panic!("two rows, not {rows:?}") };
    assert_eq!(priced["cost"], "0.003347500000000000");
    assert_eq!(unpriced["cost_status"], "unpriced");
    assert_eq!(unpriced["price_match"], "http_only");
    assert!(unpriced.get("cost").is_none_or(Value::is_null), "unknown is NULL: {unpriced}");
    assert_eq!(
        setup.count("SELECT CAST(sum(calls) AS BIGINT) AS n FROM unpriced_models WHERE price_match = 'http_only'"),
        1
    );

    let id = priced["record_id"].as_str().expect("an id");
    let explained = python::output(&mut prices(&setup, &["explain", id]));
    for part in ["cache_read_tokens", "1920", "0.0033475", "genai-prices", "openai/gpt-5.1#", "when it came"] {
        assert!(explained.contains(part), "{part} is not in:\n{explained}");
    }

    // A list of one's own, with another price for the same model.
    let list = std::fs::read_to_string(places::root().join("processors/src/cost/prices.txt")).expect("the price list");
    let dearer = list.replace("\ti=1.25 r=0.125 o=10 s=10 f=2.5\t", "\ti=2.5 r=0.25 o=20 s=10 f=2.5\t");
    assert_ne!(list, dearer, "the list still has the price that this test changes");
    let file = folder.path().join("dearer.txt");
    std::fs::write(&file, dearer).expect("writing a list");
    let said = python::output(&mut prices(&setup, &["update", file.to_str().expect("UTF-8")]));
    assert!(said.contains("0 models are new, 0 are gone"), "{said}");
    let installed = setup.data.join("prices.txt");
    let mut newer = setup.clone();
    newer.settings.push(format!("processors.cost.prices={}", installed.display()));
    let shown = python::output(&mut prices(&newer, &["show", "openai/gpt-5.1"]));
    assert!(shown.contains("input_mtok 2.5"), "{shown}");
    let report = python::output(&mut prices(&newer, &["reprice", "--from", "2020-01-01", "--format", "json"]));
    let report: Vec<Value> = serde_json::from_str(&report).expect("JSON");
    let line = report.iter().find(|line| line["record_id"] == id).expect("the call is in the report");
    let money = |key: &str| line[key].to_string().trim_matches('"').parse::<f64>().expect("money");
    assert!(
        (money("new_cost_usd") - 0.006695).abs() < 1e-12 && (money("cost_usd") - 0.0033475).abs() < 1e-12,
        "{line}"
    );
    assert_ne!(line["price_list"], line["new_price_list"]);
    // Nothing that is stored has changed.
    assert_eq!(
        setup.query("SELECT CAST(cost_usd AS VARCHAR) AS cost FROM provider_calls WHERE cost_usd IS NOT NULL").len(),
        1
    );
    assert_eq!(
        setup.value(&format!("SELECT CAST(cost_usd AS VARCHAR) AS cost FROM provider_calls WHERE record_id = '{id}'")),
        "0.003347500000000000"
    );
}

#[test]
fn mistakes_say_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let setup = Setup::new(&folder.path().join("data"));
    let file = folder.path().join("not-a-list");
    std::fs::write(&file, "i am no list").expect("writing a file");
    for (arguments, expected) in [
        (&["show", "no-such-model"][..], "the price list has nothing called no-such-model"),
        (&["explain", "{\"input_tokenz\": 1}"], "no column of provider_calls comes from input_tokenz"),
        (&["explain", "{"], "reading the call as JSON"),
        (&["explain", "a' OR 'b"], "a call is JSON, or the record_id"),
        (&["update", file.to_str().expect("UTF-8")], "it does not begin with"),
        (&["reprice", "--from", "yesterday"], "yesterday is no time"),
    ] {
        let output = prices(&setup, arguments).output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && text.contains(expected), "{arguments:?}: {text}");
    }
}
