//! The price list: who sells which model at what price since when.
//!
//! The data is `prices.json`, written by `generate_prices.py` from the genai-prices package (MIT, see
//! `LICENSE-genai-prices`), and `built_in.json`, our own additions.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use arrow::compute::kernels::cast_utils::Parser;
use arrow::datatypes::Date32Type;
use regex::Regex;
use serde::Deserialize;

use super::decimal;
use super::pattern::{RawRule, Rule};
use super::units::{RawUnit, UnitId, Units};

const DATA: &[u8] = include_bytes!("prices.json");

const MICROS_A_MINUTE: i64 = 60_000_000;
const MICROS_A_DAY: i64 = 24 * 60 * MICROS_A_MINUTE;

/// Prices of units: a unit has one price, or is not sold.
pub(super) type PriceSet = Vec<(UnitId, Price)>;

/// The whole list.
#[derive(Debug)]
pub(super) struct Book {
    pub(super) units: Units,
    pub(super) providers: Vec<Provider>,
}

/// Somebody who sells calls.
#[derive(Debug)]
pub(super) struct Provider {
    pub(super) id: String,
    /// Recognises the URL of its API, from the start.
    pub(super) url: Regex,
    /// Recognises its other names.
    pub(super) named: Option<Rule>,
    /// Recognises models that say by their name who sells them.
    pub(super) serves: Option<Rule>,
    /// Whose models it sells at their prices; indexes of providers.
    pub(super) fallback: Vec<usize>,
    pub(super) models: Vec<Model>,
}

/// A model and its prices.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) id: String,
    pub(super) rule: Rule,
    /// The last whose time has come counts; the first if none has.
    pub(super) prices: Vec<(When, PriceSet)>,
    /// Other prices for some kinds of request; the first that fits counts, unit by unit.
    pub(super) variants: Vec<Variant>,
    /// Seconds of audio that are billed at least.
    pub(super) minimum_seconds: Option<i64>,
}

/// Prices of requests that say how they want to be served.
#[derive(Debug)]
pub(super) struct Variant {
    pub(super) asks: Vec<(String, String)>,
    pub(super) when: When,
    pub(super) prices: PriceSet,
}

/// When a price holds, UTC.
#[derive(Debug, Clone, Default)]
pub(super) struct When {
    /// From this day on, counted from 1970.
    pub(super) from: Option<i32>,
    /// From and until, microseconds after midnight; may cross midnight.
    daily: Option<(i64, i64)>,
}

/// The price of one unit: above a number of input tokens the whole call costs another price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Price {
    pub(super) base: i128,
    /// (more input tokens than this, price), ascending.
    pub(super) above: Vec<(i64, i128)>,
}

/// The list could not be read; it ships with the program, so this is a fault of the build.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum BookError {
    #[error("reading the price list: {0}")]
    Json(String),
    #[error("reading the price list: {0}")]
    Invalid(String),
}

#[derive(Deserialize)]
struct RawBook {
    units: Vec<RawUnit>,
    providers: Vec<RawProvider>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProvider {
    id: String,
    url: String,
    named: Option<RawRule>,
    serves: Option<RawRule>,
    #[serde(default)]
    fallback: Vec<String>,
    models: Vec<RawModel>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawModel {
    id: String,
    r#match: RawRule,
    prices: Vec<RawDated>,
    #[serde(default)]
    variants: Vec<RawVariant>,
    minimum_seconds: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDated {
    from: Option<String>,
    daily: Option<(String, String)>,
    price: BTreeMap<String, RawPrice>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawVariant {
    when: BTreeMap<String, String>,
    from: Option<String>,
    daily: Option<(String, String)>,
    price: BTreeMap<String, RawPrice>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawPrice {
    Flat(String),
    Tiered { base: String, above: Vec<(i64, String)> },
}

impl Book {
    /// The list that ships with the program, read once per process.
    pub(super) fn built_in() -> Result<Arc<Self>, BookError> {
        static BOOK: OnceLock<Result<Arc<Book>, BookError>> = OnceLock::new();
        BOOK.get_or_init(|| Self::parse(DATA).map(Arc::new)).clone()
    }

    fn parse(json: &[u8]) -> Result<Self, BookError> {
        let raw: RawBook = serde_json::from_slice(json).map_err(|e| BookError::Json(e.to_string()))?;
        let invalid = |what: &str| BookError::Invalid(what.to_owned());
        let units = Units::new(raw.units).ok_or_else(|| invalid("more than 64 units"))?;
        let ids: Vec<String> = raw.providers.iter().map(|p| p.id.clone()).collect();
        let providers = raw
            .providers
            .into_iter()
            .map(|provider| {
                let id = provider.id.clone();
                build_provider(&units, &ids, provider)
                    .ok_or_else(|| invalid(&format!("provider {id} has a rule, date or price that cannot be read")))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { units, providers })
    }
}

fn build_provider(units: &Units, ids: &[String], raw: RawProvider) -> Option<Provider> {
    let rule = |raw: Option<RawRule>| raw.map(|raw| Rule::new(&raw)).transpose().ok();
    Some(Provider {
        id: raw.id,
        url: Regex::new(&format!("^(?:{})", raw.url)).ok()?,
        named: rule(raw.named)?,
        serves: rule(raw.serves)?,
        fallback: raw.fallback.iter().map(|id| ids.iter().position(|i| i == id)).collect::<Option<_>>()?,
        models: raw.models.into_iter().map(|model| build_model(units, model)).collect::<Option<_>>()?,
    })
}

fn build_model(units: &Units, raw: RawModel) -> Option<Model> {
    let dated =
        |raw: RawDated| Some((When::new(raw.from.as_deref(), raw.daily.as_ref())?, price_set(units, raw.price)?));
    let variant = |raw: RawVariant| {
        let when = When::new(raw.from.as_deref(), raw.daily.as_ref())?;
        Some(Variant { asks: raw.when.into_iter().collect(), when, prices: price_set(units, raw.price)? })
    };
    Some(Model {
        id: raw.id,
        rule: Rule::new(&raw.r#match).ok()?,
        prices: raw.prices.into_iter().map(dated).collect::<Option<_>>()?,
        variants: raw.variants.into_iter().map(variant).collect::<Option<_>>()?,
        minimum_seconds: raw.minimum_seconds,
    })
}

fn price_set(units: &Units, raw: BTreeMap<String, RawPrice>) -> Option<PriceSet> {
    raw.into_iter()
        .map(|(key, price)| {
            let price = match price {
                RawPrice::Flat(base) => Price { base: decimal::parse(&base)?, above: Vec::new() },
                RawPrice::Tiered { base, above } => {
                    let above = above.iter().map(|(start, price)| Some((*start, decimal::parse(price)?)));
                    Price { base: decimal::parse(&base)?, above: above.collect::<Option<_>>()? }
                }
            };
            Some((units.price(&key)?, price))
        })
        .collect()
}

impl When {
    /// `None` if a date or a time of day cannot be read.
    pub(super) fn new(from: Option<&str>, daily: Option<&(String, String)>) -> Option<Self> {
        let from = match from {
            None => None,
            Some(day) => Some(Date32Type::parse(day)?),
        };
        let daily = match daily {
            None => None,
            Some((start, end)) => Some((clock(start)?, clock(end)?)),
        };
        Some(Self { from, daily })
    }

    /// Whether the price holds at a time, in microseconds since 1970.
    pub(super) fn holds(&self, time: i64) -> bool {
        let (day, moment) = (time.div_euclid(MICROS_A_DAY), time.rem_euclid(MICROS_A_DAY));
        let daily = self.daily.is_none_or(|(start, end)| {
            if end < start { moment >= start || moment < end } else { (start..end).contains(&moment) }
        });
        daily && self.from.is_none_or(|from| day >= i64::from(from))
    }
}

/// `HH:MM` as microseconds after midnight.
fn clock(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes) = (hours.parse::<i64>().ok()?, minutes.parse::<i64>().ok()?);
    ((0..24).contains(&hours) && (0..60).contains(&minutes)).then_some((hours * 60 + minutes) * MICROS_A_MINUTE)
}

impl Price {
    /// The price of a call with so many input tokens, in billionths.
    pub(super) fn at(&self, input_tokens: i128) -> i128 {
        let above = self.above.iter().rev().find(|(start, _)| input_tokens > i128::from(*start) * decimal::WHOLE);
        above.map_or(self.base, |(_, price)| *price)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_cross_midnight() {
        let hour = 60 * MICROS_A_MINUTE;
        let window = ("16:30".to_owned(), "00:30".to_owned());
        let night = When::new(None, Some(&window)).unwrap();
        for (moment, holds) in [(0, true), (hour / 2, false), (16 * hour, false), (33 * hour / 2, true), (-hour, true)]
        {
            assert_eq!(night.holds(moment), holds, "{moment}");
        }
        let from = When::new(Some("1970-01-02"), None).unwrap();
        assert!(!from.holds(24 * hour - 1) && from.holds(24 * hour));
        assert!(When::new(Some("soon"), None).is_none());
        assert!(clock("24:00").is_none());
    }

    #[test]
    fn a_tier_begins_above_its_start() {
        let price = Price { base: 1, above: vec![(200, 2), (500, 3)] };
        for (tokens, expected) in [(0, 1), (200, 1), (201, 2), (500, 2), (501, 3)] {
            assert_eq!(price.at(tokens * decimal::WHOLE), expected, "{tokens}");
        }
    }
}
