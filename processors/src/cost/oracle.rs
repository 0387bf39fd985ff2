//! Compares costs with those of the genai-prices package, at 18 decimals.
//!
//! `tests/oracle/cost_oracle.py` writes the cases; `MARQUETRY_COST_ORACLE` says where they are.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::book::Book;
use super::decimal;
use super::find::Names;
use super::plan::Bill;
use super::resolve::{Asks, Resolver};
use super::units::Usage;
use super::usage::Reader;

const WHERE: &str = "MARQUETRY_COST_ORACLE";

/// Fewer would say little.
const FEWEST: usize = 5_000;

#[derive(Deserialize)]
struct Case {
    provider: Option<String>,
    url: Option<String>,
    model: String,
    time: i64,
    context: BTreeMap<String, String>,
    usage: BTreeMap<String, String>,
    cost: Option<String>,
    error: Option<String>,
}

/// Ours, in the oracle's words.
fn answer(resolver: &mut Resolver, reader: &Reader, case: &Case) -> Result<i128, &'static str> {
    let mut asks = Asks::default();
    for (key, value) in &case.context {
        asks.add(key, value);
    }
    let names = Names {
        provider: case.provider.as_deref(),
        host: case.url.as_deref(),
        response_model: None,
        request_model: Some(&case.model),
    };
    let decision = resolver.decide(names, None, &asks, case.time);
    let plan = decision.plan.ok_or("lookup")?;
    let units = &resolver.book.units;
    let mut usage = Usage::default();
    for (key, count) in &case.usage {
        // Counts are billionths; prices are parsed to 10^-18.
        usage.set(units.usage(key).unwrap(), decimal::parse(count).unwrap() / decimal::WHOLE);
    }
    if let Some(seconds) = decision.minimum_seconds {
        reader.raise_audio(&mut usage, seconds);
    }
    let mut bill = Bill::default();
    plan.apply(units, &usage, &mut bill).map_err(|_| "usage")?;
    Ok(bill.total)
}

#[test]
fn costs_are_those_of_genai_prices() {
    let Some(path) = std::env::var_os(WHERE) else {
        println!("skipped: {WHERE} is not set; tests/oracle/cost_oracle.py says how to write its file");
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let book = Book::built_in().unwrap();
    let reader = Reader::new(&book.units).unwrap();
    let mut resolver = Resolver::new(book, &[]).unwrap();
    let (mut kinds, mut wrong): (HashMap<String, usize>, Vec<String>) = (HashMap::new(), Vec::new());
    let mut cases = 0;
    for line in text.lines() {
        let case: Case = serde_json::from_str(line).unwrap();
        let expected = match (&case.cost, &case.error) {
            (Some(cost), None) => Ok(decimal::parse(cost).unwrap()),
            (None, Some(error)) => Err(error.as_str()),
            _ => panic!("a case has a cost or an error: {line}"),
        };
        let ours = answer(&mut resolver, &reader, &case);
        cases += 1;
        *kinds.entry(expected.err().unwrap_or("priced").to_owned()).or_default() += 1;
        if ours != expected {
            wrong.push(format!("ours {ours:?}, expected {expected:?}: {line}"));
        }
    }
    println!("{cases} cases, {kinds:?}, {} differ", wrong.len());
    assert!(cases >= FEWEST, "{cases} cases are too few");
    assert!(kinds.get("priced").is_some_and(|priced| *priced >= FEWEST), "{kinds:?}");
    assert!(wrong.is_empty(), "{}", wrong.iter().take(20).cloned().collect::<Vec<_>>().join("\n"));
}
