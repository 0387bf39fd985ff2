//! Compares costs with those of the genai-prices package, at 18 decimals: every price of every model, and random calls.
//!
//! `tests/oracle/cost_oracle.py` writes the cases, in the Python environment that `tests/run` installs. Each is asked twice:
//! as counts, which must agree but for the reasons listed here, and as a row of `provider_calls` through the processor.
//! `MARQUETRY_SEED` repeats a run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use component::Processor;
use serde::Deserialize;

use super::*;
use crate::fixture::{Row, cells, context, gather};
use find::Names;
use overrides::Caller;
use plan::Bill;
use resolve::{Asks, Question};
use units::Usage;
use usage::Reader;

const MICROS_A_DAY: i64 = 86_400_000_000;

/// Cases with the fixed seed, and with one that is new in every run.
const CASES: [usize; 2] = [9_000, 6_000];

#[derive(Debug, Deserialize)]
struct Case {
    provider: Option<String>,
    url: Option<String>,
    model: String,
    time: i64,
    context: BTreeMap<String, String>,
    usage: BTreeMap<String, String>,
    seller: String,
    entry: Option<String>,
    cost: Option<String>,
    error: Option<String>,
}

/// What an answer says: a cost, or `lookup` or `usage`.
type Answer = Result<i128, String>;

impl Case {
    fn expected(&self) -> Answer {
        match (&self.cost, &self.error) {
            (Some(cost), None) => Ok(decimal::parse(cost).unwrap()),
            (None, Some(error)) => Err(error.clone()),
            _ => panic!("a case has a cost or an error: {self:?}"),
        }
    }

    /// LiteLLM says that DeepSeek has no peak at weekends; genai-prices has no weekdays.
    fn is_weekend_peak(&self, ours: i128, theirs: i128) -> bool {
        let weekday = (self.time.div_euclid(MICROS_A_DAY) + 3).rem_euclid(7);
        let hour = self.time.rem_euclid(MICROS_A_DAY) / (MICROS_A_DAY / 24);
        let peak = (1..4).contains(&hour) || (6..10).contains(&hour);
        self.model.to_lowercase().contains("deepseek") && weekday >= 5 && peak && ours < theirs
    }

    fn count(&self, key: &str) -> i128 {
        self.usage.get(key).map_or(0, |count| decimal::parse(count).unwrap() / decimal::WHOLE)
    }

    /// Whether a count is not stated and parts of it are, which the package refuses.
    fn states_parts_alone(&self) -> bool {
        let alone = |(whole, parts): &(&str, &[&str])| {
            !self.usage.contains_key(*whole) && parts.iter().any(|part| self.count(part) > 0)
        };
        usage::WHOLES.iter().any(alone)
    }

    /// The package has no prices for what is free, and so it checks no counts.
    fn is_free(&self) -> bool {
        self.model.to_lowercase().ends_with(":free")
    }

    fn counts_nothing(&self) -> bool {
        self.usage.keys().all(|key| self.count(key) == 0)
    }
}

/// The cases of a seed, from the package.
fn cases(count: usize, seed: u64) -> Vec<Case> {
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let base = || set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    let cache = set("MARQUETRY_CACHE").or_else(|| base().map(|base| base.join("marquetry"))).expect("HOME is set");
    let python = cache.join("venv/bin/python");
    assert!(python.exists(), "{} is missing: run tests/run once, it installs what the tests need", python.display());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/oracle/cost_oracle.py");
    let arguments = [script.to_owned(), format!("--cases={count}"), format!("--seed={seed}")];
    let output = Command::new(python).env("PYTHONDONTWRITEBYTECODE", "1").args(arguments).output().unwrap();
    assert!(output.status.success(), "cost_oracle.py: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let cases: Vec<Case> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(cases.len(), count);
    cases
}

fn all_cases() -> impl Iterator<Item = (u64, Vec<Case>)> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let given = std::env::var("MARQUETRY_SEED").ok().and_then(|seed| seed.parse().ok());
    let fresh = given.unwrap_or_else(|| u64::try_from(now % 1_000_000_007).unwrap());
    CASES.into_iter().zip([1, fresh]).map(|(count, seed)| (seed, cases(count, seed)))
}

/// Agreements and differences of one run.
#[derive(Default)]
struct Tally {
    agree: usize,
    priced: usize,
    entries: BTreeSet<String>,
    sellers: BTreeSet<String>,
    reasons: BTreeMap<&'static str, usize>,
    wrong: Vec<String>,
}

impl Tally {
    fn add(&mut self, case: &Case, ours: &Answer, reason: Option<&'static str>) {
        let expected = case.expected();
        if *ours == expected {
            self.agree += 1;
            if expected.is_ok() {
                self.priced += 1;
                self.sellers.insert(case.seller.clone());
                self.entries.extend(case.entry.clone());
            }
        } else if let Some(reason) = reason {
            *self.reasons.entry(reason).or_default() += 1;
        } else {
            self.wrong.push(format!("ours {ours:?}, expected {expected:?}: {case:?}"));
        }
    }

    fn check(&self, what: &str, seed: u64) {
        let (agree, priced) = (self.agree, self.priced);
        println!("{what}, seed {seed}: {agree} agree at 18 decimals, {priced} of them priced");
        println!("  {} providers, {} prices in force", self.sellers.len(), self.entries.len());
        for (reason, count) in &self.reasons {
            println!("  {count} differ: {reason}");
        }
        let shown = self.wrong.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
        assert!(self.wrong.is_empty(), "{} differ without a reason, seed {seed}:\n{shown}", self.wrong.len());
    }
}

/// Ours, in the oracle's words: from counts, past the columns. And where the price comes from.
fn by_counts(resolver: &mut Resolver, reader: &Reader, case: &Case) -> (Answer, &'static str) {
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
    let caller = Caller { tenant: None, project: None };
    let decision = resolver.decide(&Question { names, caller, asks: &asks, time: case.time });
    let Some(plan) = decision.plan else { return (Err("lookup".to_owned()), "") };
    let units = &resolver.book.units;
    let mut usage = Usage::default();
    for key in case.usage.keys() {
        usage.set(units.usage(key).unwrap(), case.count(key));
    }
    reader.round_audio(&mut usage, decision.rounding);
    let mut bill = Bill::default();
    let applied = plan.apply(units, &usage, &mut bill).map_err(|_| "usage".to_owned());
    (applied.map(|()| bill.total), decision.source)
}

#[test]
fn counts_cost_what_genai_prices_says() {
    let book = Book::built_in().unwrap();
    let reader = Reader::new(&book.units).unwrap();
    let mut resolver = Resolver::new(book, &[]).unwrap();
    for (seed, cases) in all_cases() {
        let mut tally = Tally::default();
        for case in &cases {
            let (ours, source) = by_counts(&mut resolver, &reader, case);
            let reason = match (&ours, case.expected()) {
                (Ok(ours), Ok(theirs)) if case.is_weekend_peak(*ours, theirs) => Some("no peak price at weekends"),
                (_, Err(error)) if error == "lookup" && source == "litellm" => Some("only LiteLLM has the model"),
                (Err(_), Ok(0)) if case.is_free() => Some("free, and its counts contradict each other"),
                _ => None,
            };
            tally.add(case, &ours, reason);
        }
        tally.check("counts", seed);
        assert!(tally.priced >= 4_000 && tally.sellers.len() >= 45, "the cases say too little");
        assert!(tally.entries.len() >= 2_800, "{} prices were in force", tally.entries.len());
    }
}

/// The columns that say what a case says; `None` if they cannot.
fn row_of(case: &Case) -> Option<Vec<(&'static str, String)>> {
    let mut row = vec![("time", case.time.to_string()), ("operation", "chat".to_owned())];
    row.push(("request_model", case.model.clone()));
    row.extend(case.provider.clone().map(|provider| ("provider", provider)));
    row.extend(case.url.clone().map(|url| ("server_address", url)));
    for (key, value) in &case.context {
        row.push(match (key.as_str(), value.as_str()) {
            ("processing", "batch") => ("is_batch", "true".to_owned()),
            ("service_tier", _) => ("service_tier", value.clone()),
            ("speed", _) => ("speed", value.clone()),
            ("search_type", _) => ("search_type", value.clone()),
            ("route", _) => ("provider_route", value.clone()),
            _ => return None,
        });
    }
    for (key, count) in &case.usage {
        let column = match key.as_str() {
            // The columns state the length of audio once.
            "audio_seconds" => "audio_ns",
            "input_audio_seconds" | "output_audio_seconds" => continue,
            _ => usage::COLUMNS.iter().find(|(_, unit)| unit == key).map(|(column, _)| *column)?,
        };
        let whole = if column == "audio_ns" { case.count(key).to_string() } else { count.clone() };
        row.push((column, whole));
    }
    Some(row)
}

/// Why a row may differ from what the package says of its counts.
fn reason(case: &Case, ours: &Answer, status: &str, source: &str, semantics: Option<&str>) -> Option<&'static str> {
    let written = case.count("cache_write_tokens").max(case.count("cache_write_1h_tokens"));
    let cached = case.count("cache_read_tokens") + written;
    match (ours, case.expected()) {
        (Ok(ours), Ok(theirs)) if case.is_weekend_peak(*ours, theirs) => Some("no peak price at weekends"),
        (_, Err(error)) if error == "lookup" && source == "litellm" => Some("only LiteLLM has the model"),
        (Ok(_), Ok(_)) if source == "litellm" => Some("LiteLLM has a price for what genai-prices counts as free"),
        (Err(_), Err(_)) if case.counts_nothing() => Some("nothing was used: what it would cost is no question"),
        (Err(_), Ok(0)) if status == "no_usage" && case.counts_nothing() => Some("nothing was used: unknown, not 0"),
        (Err(_), Ok(0)) if case.is_free() => Some("free, and its counts contradict each other"),
        (Err(_), Ok(0)) if status == "unpriced" => Some("what was used has no price: unknown, not 0"),
        (Ok(_), _) if semantics == Some("exclusive") && cached > case.count("input_tokens") => {
            Some("more was cached than came in: reported apart, so it is added")
        }
        (Ok(_), Err(_)) if case.states_parts_alone() => Some("a count by its parts alone: it is their sum"),
        (Ok(_), Err(_)) if status == "lower_bound" && !case.usage.contains_key("input_tokens") => {
            Some("no count of input: at least what is known")
        }
        (Ok(_), _) if case.count("output_reasoning_tokens") > case.count("output_tokens") => {
            Some("more was reasoned than came out: reported apart, so it is added")
        }
        (Ok(_), Err(_)) if status == "lower_bound" => Some("two parts overlap by an unknown amount: at least this"),
        _ => None,
    }
}

#[test]
fn rows_cost_what_genai_prices_says() {
    for (seed, cases) in all_cases() {
        let mut tally = Tally::default();
        let (cases, rows): (Vec<_>, Vec<_>) = cases.iter().filter_map(|case| Some((case, row_of(case)?))).unzip();
        let borrowed: Vec<Vec<(&str, &str)>> =
            rows.iter().map(|row| row.iter().map(|(column, value)| (*column, value.as_str())).collect()).collect();
        let rows: Vec<Row> = borrowed.iter().map(|cells| (TABLE, cells.as_slice())).collect();
        let mut gather = gather(&rows);
        Cost::new(Config::default(), &context()).unwrap().process(&mut gather).unwrap();
        for (number, case) in cases.iter().enumerate() {
            let [cost, status, source, semantics] =
                cells(&gather, TABLE, number, ["cost_usd", "cost_status", "cost_source", "usage_semantics"]);
            let status = status.unwrap();
            let ours = cost
                .map(|cost| decimal::parse(&cost).unwrap())
                .ok_or_else(|| if status == "unpriced" { "lookup".to_owned() } else { "usage".to_owned() });
            let why = reason(case, &ours, &status, source.as_deref().unwrap_or_default(), semantics.as_deref());
            tally.add(case, &ours, why);
        }
        tally.check("rows", seed);
        assert!(tally.priced >= 4_000 && tally.sellers.len() >= 45, "the cases say too little");
    }
}
