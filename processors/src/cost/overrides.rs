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
//!       - provider: supabase            # nothing is billed by the call
//!         prices: { requests_kcount: 0 }
//!       - provider: elevenlabs          # a share of what the plan costs a month: an estimate
//!         plan: { usd: 99, includes: { input_characters: 500000 } }
//!       - provider: openai              # a contract: one tenant's, one project's, between two days
//!         model: gpt-5.1*
//!         tenant: acme
//!         effective_from: 2026-07-01
//!         effective_until: 2026-12-31
//!         prices: { input_mtok: { base: 1.10, above: { 200000: 2.20 } }, cache_read_mtok: 0.11, output_mtok: 9 }
//!       - provider: aws.bedrock         # list prices and ten percent
//!         when: { region: eu-* }
//!         multiplier: 1.1
//!       - provider: acme-stt            # cheap at night and at weekends, ten seconds at least, whole minutes
//!         weekdays: sat,sun
//!         hours: 20:00-08:00
//!         timezone: Europe/Berlin
//!         minimum_seconds: 10
//!         increment_seconds: 60
//!         prices: { audio_hours: 0.12 }
//! ```

use std::collections::BTreeMap;

use component::ConfigError;
use serde::Deserialize;

use super::book::{Book, Price, PriceSet, Rounding, Times, When};
use super::decimal;
use super::list::threshold;
use super::pattern::Rule;

const BUILT_IN: &str = include_str!("built_in.json");

/// The most that a plan may include; more would be a mistake.
const MOST_INCLUDED: u64 = 1_000_000_000_000;

/// A price of one's own. One for a tenant goes before one for a project, both before the rest; among equals the last that
/// fits a call counts. Listed prices are never mixed into it; without prices it changes how the listed ones apply.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Override {
    /// For this tenant alone.
    tenant: Option<String>,
    /// For this project alone: what the column `project` says, else `service_namespace`.
    project: Option<String>,
    /// Provider: a name, or a pattern with an asterisk at either end.
    provider: String,
    /// Model: likewise; without it every call, also those that name no model.
    model: Option<String>,
    /// First day.
    effective_from: Option<String>,
    /// Last day.
    effective_until: Option<String>,
    /// Days of the week: `mon-fri`, `sat,sun`.
    weekdays: Option<String>,
    /// Hours of the day: `16:30-00:30`; across midnight they belong to the day on which they began.
    hours: Option<String>,
    /// Whose days and hours: `Asia/Shanghai`, `+08:00`; UTC unless said.
    timezone: Option<String>,
    /// What the call must ask for: `operation`, `service_tier`, `processing`, `size`, `quality`, `region`, `speed`,
    /// `search_type`, `route`, `output_type`; a value, or a pattern.
    when: BTreeMap<String, String>,
    /// Which calls are billed; the others cost 0.
    bill_when: BillWhen,
    /// Price by unit, US dollars: `input_mtok`, `output_mtok`, `requests_kcount`, `input_mchars`, `image` and so on.
    prices: BTreeMap<String, Amount>,
    /// A monthly fee and what it includes: a call costs its share, which is an estimate.
    plan: Option<Allowance>,
    /// Factor on the listed prices: a region's surcharge, a discount. All that fit apply.
    multiplier: Option<Amount>,
    /// Seconds of audio that are billed at least.
    minimum_seconds: Option<u32>,
    /// Seconds of audio of which a multiple is billed.
    increment_seconds: Option<u32>,
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

/// What a plan costs and includes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Allowance {
    usd: Amount,
    /// How many of one unit, such as `input_characters`.
    includes: BTreeMap<String, u64>,
}

/// A decimal number, best written as text; a plain number means its shortest decimal form.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Amount {
    Text(String),
    Number(serde_json::Number),
    Tiered {
        base: Box<Amount>,
        /// Number of input tokens above which the whole call costs another price.
        above: BTreeMap<String, Amount>,
        /// Whether that number itself is above.
        #[serde(default)]
        inclusive: bool,
    },
}

/// An override, ready to match.
#[derive(Debug)]
pub(super) struct Tariff {
    /// `override` for the operator's, `built_in` for ours.
    pub(super) source: &'static str,
    tenant: Option<String>,
    project: Option<String>,
    provider: Rule,
    model: Option<Rule>,
    pub(super) when: When,
    asks: Vec<(String, Rule)>,
    pub(super) bill_when: BillWhen,
    /// None: the listed ones, changed.
    pub(super) prices: PriceSet,
    /// Whether the price is a share of a plan.
    pub(super) is_share: bool,
    pub(super) times: Option<Times>,
    pub(super) rounding: Rounding,
    /// Beginning of the price id.
    pub(super) name: String,
}

/// Who called and what was asked for, as tariffs see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller<'a> {
    pub(super) tenant: Option<&'a str>,
    pub(super) project: Option<&'a str>,
}

impl Tariff {
    /// Those that go first stand last: ours, the operator's, a project's, a tenant's.
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
        all.sort_by_key(|tariff| (tariff.source == "override", tariff.tenant.is_some(), tariff.project.is_some()));
        Ok(all)
    }

    fn new(book: &Book, raw: &Override, source: &'static str, index: usize) -> Result<Self, ConfigError> {
        let at = |key: &str, what: String| ConfigError::at(&format!("overrides.{index}.{key}"), what);
        if raw.provider.is_empty() {
            return Err(at("provider", "it is missing; give a name, or a pattern such as bright*".to_owned()));
        }
        let when = raw.when().map_err(|(key, why)| at(key, why.to_owned()))?;
        let prices = raw.prices(book).map_err(|(key, why)| at(key, why))?;
        let times = match raw.multiplier.as_ref().map(|amount| amount.scaled().and_then(Times::new)) {
            Some(None) => {
                return Err(at("multiplier", "reading a factor: it has at most six decimals, such as 1.1".to_owned()));
            }
            known => known.flatten(),
        };
        let rounding = Rounding { minimum: raw.minimum_seconds, increment: raw.increment_seconds };
        let changes = times.is_some() || raw.bill_when != BillWhen::Always || rounding != Rounding::default();
        if prices.is_empty() && !changes {
            return Err(at("prices", "they are missing, and the override changes nothing else".to_owned()));
        }
        if rounding.increment == Some(0) {
            return Err(at("increment_seconds", "it must be at least one second".to_owned()));
        }
        let model = raw.model.as_deref().unwrap_or("*").trim_matches('*');
        let from = raw.effective_from.as_deref().map(|day| format!("@{day}")).unwrap_or_default();
        Ok(Self {
            source,
            tenant: raw.tenant.clone(),
            project: raw.project.clone(),
            provider: Rule::text(&raw.provider),
            model: raw.model.as_deref().map(Rule::text),
            when,
            asks: raw.when.iter().map(|(key, value)| (key.clone(), Rule::text(value))).collect(),
            bill_when: raw.bill_when,
            prices,
            is_share: raw.plan.is_some(),
            times,
            rounding,
            name: format!("{source}:{}/{model}{from}", raw.provider.trim_matches('*')),
        })
    }

    /// Whether the tariff is about this provider and one of these models; all lower case.
    pub(super) fn is_about(&self, providers: &[&str], models: &[String]) -> bool {
        providers.iter().any(|provider| self.provider.fit(provider).is_some())
            && self.model.as_ref().is_none_or(|rule| models.iter().any(|model| rule.fit(model).is_some()))
    }

    /// Whether it holds for this caller, time and kind of request.
    pub(super) fn fits(&self, caller: Caller, time: i64, asked: impl Fn(&str, &Rule) -> bool) -> bool {
        self.when.holds(time)
            && self.tenant.as_deref().is_none_or(|wanted| Some(wanted) == caller.tenant)
            && self.project.as_deref().is_none_or(|wanted| Some(wanted) == caller.project)
            && self.asks.iter().all(|(key, rule)| asked(key, rule))
    }
}

/// The key that is wrong, and how.
type Mistake = (&'static str, String);

impl Override {
    fn when(&self) -> Result<When, (&'static str, &'static str)> {
        let mut when = When::default();
        let day = "reading a day: write it as 2026-07-01";
        type Part = (&'static str, fn(When, &str) -> Option<When>, &'static str);
        let parts: [(&Option<String>, Part); 5] = [
            (&self.effective_from, ("effective_from", When::from, day)),
            (&self.effective_until, ("effective_until", When::until, day)),
            (
                &self.weekdays,
                ("weekdays", When::weekdays, "reading days of the week: write them as mon-fri or sat,sun"),
            ),
            (&self.hours, ("hours", When::hours, "reading hours: write them as 16:30-00:30")),
            (&self.timezone, ("timezone", When::zone, "reading a time zone: write it as Asia/Shanghai or +08:00")),
        ];
        for (value, (key, read, why)) in parts {
            if let Some(text) = value {
                when = read(when, text).ok_or((key, why))?;
            }
        }
        Ok(when)
    }

    fn prices(&self, book: &Book) -> Result<PriceSet, Mistake> {
        if let Some(plan) = &self.plan {
            return if self.prices.is_empty() {
                plan.prices(book)
            } else {
                Err(("plan", "a call costs either its share of the plan or a price; give one of them".to_owned()))
            };
        }
        let mut prices = PriceSet::new();
        for (key, amount) in &self.prices {
            let unit = book.units.price(key).ok_or_else(|| {
                let known = "input_mtok, output_mtok, cache_read_mtok, cache_write_mtok, requests_kcount, input_mchars, \
                             audio_hours, image";
                ("prices", format!("no unit has the price {key}; common ones are {known}"))
            })?;
            let price = amount.price().ok_or_else(|| {
                let why = "must be a number of dollars, not negative, with at most 18 decimals, or { base: .., above: \
                           { 200000: .. } }";
                ("prices", format!("the price {key} {why}"))
            })?;
            prices.push((unit, price));
        }
        Ok(prices)
    }
}

impl Allowance {
    fn prices(&self, book: &Book) -> Result<PriceSet, Mistake> {
        let mistake = |why: &str| ("plan", why.to_owned());
        let mut units = self.includes.iter();
        let (Some((key, count)), None) = (units.next(), units.next()) else {
            return Err(mistake("a plan is shared by the count of one unit; give one, such as input_characters"));
        };
        let unit = book.units.usage(key).ok_or_else(|| {
            ("plan", format!("nothing is counted as {key}; common ones are input_characters, audio_seconds, requests"))
        })?;
        if !(1..=MOST_INCLUDED).contains(count) {
            return Err(mistake("what a plan includes is a whole number, at least 1"));
        }
        let base = self.usd.scaled().ok_or_else(|| mistake("what a plan costs is a number of dollars"))?;
        Ok(vec![(unit, Price { per: Some(i128::from(*count)), ..Price::flat(base) })])
    }
}

impl Amount {
    fn scaled(&self) -> Option<i128> {
        match self {
            Self::Text(text) => decimal::parse(text.trim()),
            Self::Number(number) => decimal::parse(&number.to_string()),
            Self::Tiered { .. } => None,
        }
    }

    fn price(&self) -> Option<Price> {
        let Self::Tiered { base, above, inclusive } = self else { return self.scaled().map(Price::flat) };
        let tier =
            |(start, amount): (&String, &Self)| Some((threshold(start.parse().ok()?, *inclusive), amount.scaled()?));
        let mut above: Vec<_> = above.iter().map(tier).collect::<Option<_>>()?;
        above.sort_unstable();
        Some(Price { base: base.scaled()?, above, per: None })
    }
}
