//! Prices that stand before the price list: the operator's own, and the few that ship with us.
//!
//! ```yaml
//! processors:
//!   cost:
//!     overrides:
//!       - provider: brightdata          # a name, or a pattern: `bright*`
//!         bill_when: success            # a failed request costs nothing
//!         prices: { requests_kcount: 1.50 }
//!       - provider: brightdata
//!         when: { operation: collect }  # stands later, so it goes first
//!         prices: { requests_kcount: 0 }
//!       - provider: supabase            # part of a plan: nothing is billed by the call
//!         prices: { requests_kcount: 0 }
//!       - provider: openai
//!         model: gpt-5.1*
//!         tenant: acme
//!         effective_from: 2026-07-01
//!         prices: { input_mtok: 1.10, cache_read_mtok: 0.11, output_mtok: 9 }
//! ```

use std::collections::BTreeMap;

use component::ConfigError;
use serde::Deserialize;

use super::book::{Book, Price, PriceSet, When};
use super::decimal;
use super::pattern::Rule;

const BUILT_IN: &str = include_str!("built_in.json");

/// A price of one's own. The last that fits a call counts, and none of the listed prices is mixed into it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// For this tenant alone.
    #[serde(default)]
    tenant: Option<String>,
    /// Provider: a name, or a pattern with an asterisk at either end.
    provider: String,
    /// Model: likewise; without it every call, also those that name no model.
    #[serde(default)]
    model: Option<String>,
    /// First day, UTC.
    #[serde(default)]
    effective_from: Option<String>,
    /// What the call must ask for: `operation`, `service_tier`, `processing`, `size`, `quality`, `region`, `output_type`.
    #[serde(default)]
    when: BTreeMap<String, String>,
    /// Which calls are billed; the others cost 0.
    #[serde(default)]
    bill_when: BillWhen,
    /// Price by unit, US dollars: `input_mtok`, `output_mtok`, `requests_kcount`, `input_mchars`, `image` and so on.
    prices: BTreeMap<String, Amount>,
}

/// Which calls a provider bills.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BillWhen {
    /// Every call.
    #[default]
    Always,
    /// Only calls that succeeded.
    Success,
}

/// A decimal number, best written as text; a plain number means its shortest decimal form.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Amount {
    Text(String),
    Number(serde_json::Number),
}

/// An override, ready to match.
#[derive(Debug)]
pub(super) struct Tariff {
    /// `override` for the operator's, `built_in` for ours.
    pub(super) source: &'static str,
    pub(super) tenant: Option<String>,
    provider: Rule,
    model: Option<Rule>,
    pub(super) when: When,
    pub(super) asks: Vec<(String, String)>,
    pub(super) bill_when: BillWhen,
    pub(super) prices: PriceSet,
    /// Beginning of the price id.
    pub(super) name: String,
}

impl Tariff {
    /// Ours, then the operator's: the last that fits counts.
    pub(super) fn all(book: &Book, configured: &[Override]) -> Result<Vec<Self>, ConfigError> {
        let built_in: Vec<Override> = serde_json::from_str(BUILT_IN)
            .map_err(|e| ConfigError::at("", format!("reading the built-in prices: {e}")))?;
        let mut all = Vec::new();
        for (index, one) in built_in.iter().enumerate() {
            all.push(Self::new(book, one, "built_in", index)?);
        }
        for (index, one) in configured.iter().enumerate() {
            all.push(Self::new(book, one, "override", index)?);
        }
        Ok(all)
    }

    fn new(book: &Book, raw: &Override, source: &'static str, index: usize) -> Result<Self, ConfigError> {
        let at = |key: &str, what: String| ConfigError::at(&format!("overrides.{index}.{key}"), what);
        let when = When::new(raw.effective_from.as_deref(), None)
            .ok_or_else(|| at("effective_from", "reading a day: write it as 2026-07-01".to_owned()))?;
        let mut prices = PriceSet::new();
        for (key, amount) in &raw.prices {
            let unit = book.units.price(key).ok_or_else(|| {
                let known = "input_mtok, output_mtok, cache_read_mtok, cache_write_mtok, requests_kcount, input_mchars, audio_hours, image";
                at("prices", format!("no unit has the price {key}; common ones are {known}"))
            })?;
            let base = decimal::parse(&amount.text()).ok_or_else(|| {
                at(
                    "prices",
                    format!("the price {key} must be a number of dollars, not negative, with at most 18 decimals"),
                )
            })?;
            prices.push((unit, Price { base, above: Vec::new() }));
        }
        let model = raw.model.as_deref().unwrap_or("*").trim_matches('*');
        let from = raw.effective_from.as_deref().map(|day| format!("@{day}")).unwrap_or_default();
        Ok(Self {
            source,
            tenant: raw.tenant.clone(),
            provider: Rule::text(&raw.provider),
            model: raw.model.as_deref().map(Rule::text),
            when,
            asks: raw.when.clone().into_iter().collect(),
            bill_when: raw.bill_when,
            prices,
            name: format!("{source}:{}/{model}{from}", raw.provider.trim_matches('*')),
        })
    }

    /// Whether the tariff is about this provider and one of these models; all lower case.
    pub(super) fn is_about(&self, providers: &[&str], models: &[String]) -> bool {
        providers.iter().any(|provider| self.provider.fit(provider).is_some())
            && self.model.as_ref().is_none_or(|rule| models.iter().any(|model| rule.fit(model).is_some()))
    }
}

impl Amount {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.trim().to_owned(),
            Self::Number(number) => number.to_string(),
        }
    }
}
