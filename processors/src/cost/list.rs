//! How the price list is written: plain text, one model a line, made by `generate_prices.py` and readable by people.
//!
//! ```text
//! marquetry prices 1
//! date 2026-11-26
//! source genai-prices 0.2.3; MIT License, ...
//! unit i input_mtok input_tokens 1000000 family=tokens direction=input
//! from genai-prices
//! provider openai<TAB>url=^https://api\.openai\.com<TAB>named=*openai*<TAB>fallback=azure
//! gpt-4o<TAB>gpt-4o gpt-4o-2024-08-06*<TAB>@2024-05-13 i=5 o=15<TAB>?processing=batch i=2.5 o=7.5
//! ```
//!
//! A unit has a short name or `-`, its price, its count, how many the price is for, and dimensions. A model has its name,
//! the names that mean it (none: its own) and its prices. `@` is the first day, `?` what the call must ask for,
//! `01:00-04:00 mon-fri tz=Asia/Shanghai` a window, `x1.1` a factor on tokens, `min=10` and `step=60` seconds of audio.
//! `i=2>200000:4` is a price above 200,000 tokens of input, `>=` from there on.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::book::{Book, Model, Price, PriceSet, Provider, Rounding, Times, Variant, When};
use super::decimal::{self, WHOLE};
use super::pattern::{Expression, Rule};
use super::units::{RawUnit, Units};

const FIRST_LINE: &str = "marquetry prices 1";

/// A price list could not be read.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// The file itself.
    #[error("reading the price list {path}: {why}")]
    File {
        /// Which one.
        path: String,
        /// The system's answer.
        why: String,
    },
    /// One of its lines.
    #[error("reading the price list, line {line}: {why}")]
    Line {
        /// Its number.
        line: usize,
        /// What is wrong.
        why: String,
    },
}

impl ListError {
    pub(super) fn file(path: &Path, error: &std::io::Error) -> Self {
        Self::File { path: path.display().to_string(), why: error.to_string() }
    }
}

/// Which part of the list is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    GenaiPrices,
    Litellm,
}

#[derive(Default)]
struct Reading {
    date: String,
    sources: Vec<String>,
    raw_units: Vec<RawUnit>,
    units: Option<Units>,
    origin: Option<Origin>,
    providers: Vec<Provider>,
    by_id: HashMap<String, usize>,
    /// Whose lines come now.
    current: Option<usize>,
    /// Names that stand for providers which may come later, with the line.
    fallbacks: Vec<(usize, Vec<String>, usize)>,
}

/// Reads a list, and all that it leaves for later besides: for one that nobody has checked.
pub(super) fn checked(text: &str) -> Result<Book, ListError> {
    let book = parse(text)?;
    for provider in &book.providers {
        let rules = [&provider.named, &provider.serves].into_iter().flatten();
        let models = provider.models.iter().chain(&provider.breadth).map(|model| &model.rule);
        let valid = provider.url.as_ref().is_none_or(Expression::is_valid);
        if !valid || !rules.chain(models).all(Rule::is_valid) {
            let head = format!("provider {}", provider.id);
            let line = text.lines().position(|line| line.split('\t').next() == Some(head.as_str())).unwrap_or(0) + 1;
            let why = format!("a pattern of provider {} or of its models is no regular expression", provider.id);
            return Err(ListError::Line { line, why });
        }
    }
    Ok(book)
}

/// Reads a list.
pub(super) fn parse(text: &str) -> Result<Book, ListError> {
    let at = |line: usize, why: String| ListError::Line { line: line + 1, why };
    let mut lines = text.lines().enumerate();
    if lines.next().is_none_or(|(_, first)| first.trim_end() != FIRST_LINE) {
        return Err(at(
            0,
            format!("it does not begin with `{FIRST_LINE}`; `marquetry prices update` makes such a file"),
        ));
    }
    let mut reading = Reading::default();
    for (number, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        reading.line(line, number).map_err(|why| at(number, why))?;
    }
    let fallbacks = std::mem::take(&mut reading.fallbacks);
    for (provider, names, number) in fallbacks {
        let indexes = names.iter().map(|name| reading.by_id.get(name).copied()).collect::<Option<_>>();
        reading.providers[provider].fallback = indexes.ok_or_else(|| at(number, "an unknown provider".to_owned()))?;
    }
    let units = reading.units.ok_or_else(|| at(text.lines().count(), "the list has no prices".to_owned()))?;
    let version = format!("{}-{}", reading.date, fingerprint(text));
    Ok(Book { version, sources: reading.sources, units, providers: reading.providers })
}

fn fingerprint(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(4).fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

impl Reading {
    fn line(&mut self, line: &str, number: usize) -> Result<(), String> {
        match line.split_once(' ') {
            _ if line.contains('\t') && !line.starts_with("provider ") => self.model(line),
            Some(("date", date)) => {
                self.date = date.to_owned();
                Ok(())
            }
            Some(("source", source)) => {
                self.sources.push(source.to_owned());
                Ok(())
            }
            Some(("unit", unit)) => self.unit(unit),
            Some(("from", origin)) => self.from(origin),
            Some(("provider", provider)) => self.provider(provider, number),
            _ => Err("not a line of a price list".to_owned()),
        }
    }

    fn unit(&mut self, text: &str) -> Result<(), String> {
        let mut words = text.split(' ');
        let mut word = || words.next().ok_or_else(|| "a unit lacks a part".to_owned());
        let (code, price, usage, per) = (word()?, word()?, word()?, word()?);
        let dimensions =
            words.map(|pair| pair.split_once('=')).map(|pair| pair.map(|(k, v)| (k.to_owned(), v.to_owned())));
        self.raw_units.push(RawUnit {
            code: (code != "-").then(|| code.to_owned()),
            price: price.to_owned(),
            usage: usage.to_owned(),
            per: per.parse().map_err(|_| format!("how many the price {price} is for"))?,
            dimensions: dimensions.collect::<Option<BTreeMap<_, _>>>().ok_or("a dimension without a value")?,
        });
        Ok(())
    }

    fn from(&mut self, origin: &str) -> Result<(), String> {
        self.origin = Some(match origin {
            "genai-prices" => Origin::GenaiPrices,
            "litellm" => Origin::Litellm,
            other => return Err(format!("no part is called {other}")),
        });
        self.current = None;
        if self.units.is_none() {
            let units = Units::new(std::mem::take(&mut self.raw_units));
            self.units = Some(units.ok_or("there are more than 128 units, or a price is for none")?);
        }
        Ok(())
    }

    /// A provider, or one that was there before.
    fn provider(&mut self, line: &str, number: usize) -> Result<(), String> {
        let mut fields = line.split('\t');
        let id = fields.next().unwrap_or_default();
        let index = *self.by_id.entry(id.to_owned()).or_insert_with(|| {
            self.providers.push(Provider { id: id.to_owned(), ..Provider::default() });
            self.providers.len() - 1
        });
        self.current = Some(index);
        for field in fields {
            let (key, value) = field.split_once('=').ok_or("a part of a provider has no value")?;
            let provider = &mut self.providers[index];
            match key {
                "url" => provider.url = Some(Expression::new(format!("^(?:{value})"))),
                "named" => provider.named = Some(Rule::any(value)),
                "serves" => provider.serves = Some(Rule::any(value)),
                "fallback" => self.fallbacks.push((index, value.split(' ').map(str::to_owned).collect(), number)),
                other => return Err(format!("a provider has no part {other}")),
            }
        }
        Ok(())
    }

    fn model(&mut self, line: &str) -> Result<(), String> {
        let (Some(provider), Some(units)) = (self.current, &self.units) else {
            return Err("a model before its provider".to_owned());
        };
        let mut fields = line.split('\t');
        let id = fields.next().unwrap_or_default();
        let names = fields.next().filter(|names| !names.is_empty()).unwrap_or(id);
        let mut model = Model {
            id: id.to_owned(),
            rule: Rule::any(names),
            prices: Vec::new(),
            variants: Vec::new(),
            rounding: Rounding::default(),
        };
        for field in fields {
            let entry = Entry::parse(field, units).ok_or_else(|| format!("the prices `{field}` cannot be read"))?;
            entry.add_to(&mut model);
        }
        let provider = &mut self.providers[provider];
        match self.origin {
            Some(Origin::Litellm) => provider.breadth.push(model),
            _ => provider.models.push(model),
        }
        Ok(())
    }
}

/// One entry of a model.
#[derive(Default)]
pub(super) struct Entry {
    pub(super) asks: Vec<(String, String)>,
    pub(super) when: When,
    prices: PriceSet,
    times: Option<Times>,
    rounding: Rounding,
}

impl Entry {
    pub(super) fn parse(text: &str, units: &Units) -> Option<Self> {
        let mut entry = Self::default();
        for word in text.split(' ').filter(|word| !matches!(*word, "-" | "")) {
            let when = std::mem::take(&mut entry.when);
            entry.when = match word.split_once('=') {
                None if word.starts_with('@') => when.from(&word[1..])?,
                None if word.starts_with('x') => {
                    entry.times = Some(Times::new(decimal::parse(&word[1..])?)?);
                    when
                }
                None if word.contains(':') => when.hours(word)?,
                None => when.weekdays(word)?,
                Some(("tz", zone)) => when.zone(zone)?,
                Some((key, value)) => {
                    entry.set(key, value, units)?;
                    when
                }
            };
        }
        Some(entry)
    }

    fn set(&mut self, key: &str, value: &str, units: &Units) -> Option<()> {
        match (key, key.strip_prefix('?')) {
            (_, Some(ask)) => self.asks.push((ask.to_owned(), value.to_owned())),
            ("min", _) => self.rounding.minimum = Some(value.parse().ok()?),
            ("step", _) => self.rounding.increment = Some(value.parse().ok().filter(|step| *step > 0)?),
            _ => self.prices.push((units.price(key)?, price(value)?)),
        }
        Some(())
    }

    fn add_to(self, model: &mut Model) {
        let Self { asks, when, prices, times, rounding } = self;
        model.rounding.minimum = model.rounding.minimum.or(rounding.minimum);
        model.rounding.increment = model.rounding.increment.or(rounding.increment);
        if asks.is_empty() {
            model.prices.push((when, prices));
        } else {
            model.variants.push(Variant { asks, when, prices, times });
        }
    }
}

/// `2>200000:4`: a price and those above a number of input tokens.
fn price(text: &str) -> Option<Price> {
    let mut parts = text.split('>');
    let mut price = Price::flat(decimal::parse(parts.next()?)?);
    for part in parts {
        let (start, amount) = part.split_once(':')?;
        let (start, inclusive) = start.strip_prefix('=').map_or((start, false), |start| (start, true));
        price.above.push((threshold(start.parse().ok()?, inclusive), decimal::parse(amount)?));
    }
    price.above.is_sorted_by(|a, b| a.0 < b.0).then_some(price)
}

/// A number of tokens as what a count must exceed, in billionths.
pub(super) fn threshold(tokens: u32, inclusive: bool) -> i128 {
    i128::from(tokens) * WHOLE - i128::from(inclusive)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNITS: &str =
        "marquetry prices 1\nunit i input_mtok input_tokens 1000000 family=tokens direction=input\nfrom genai-prices\n";

    fn error(rest: &str) -> String {
        checked(&format!("{UNITS}{rest}")).unwrap_err().to_string()
    }

    #[test]
    fn a_tier_begins_above_its_start_or_at_it() {
        let strict = price("1>200:2>500:3").unwrap();
        let inclusive = price("1>=200:2").unwrap();
        for (tokens, above, from) in [(0, 1, 1), (199, 1, 1), (200, 1, 2), (201, 2, 2), (500, 2, 2), (501, 3, 2)] {
            let dollars = |price: &Price| price.at(tokens * WHOLE) / (WHOLE * WHOLE);
            assert_eq!((dollars(&strict), dollars(&inclusive)), (above, from), "{tokens}");
        }
        assert!(price("1>500:2>200:3").is_none() && price("1>x:2").is_none());
    }

    #[test]
    fn mistakes_have_a_line() {
        assert!(parse("").unwrap_err().to_string().contains("line 1: it does not begin"));
        for (rest, expected) in [
            ("gpt\t\ti=1", "line 4: a model before its provider"),
            ("provider a\ngpt\t\ti=x", "line 5: the prices `i=x` cannot be read"),
            ("provider a\ngpt\t\tinput_gtok=1", "line 5: the prices `input_gtok=1` cannot be read"),
            ("provider a\turl=(", "line 4: a pattern of provider a or of its models is no regular expression"),
            ("provider a\nm\tm ^(\ti=1", "line 4: a pattern of provider a or of its models is no regular expression"),
            ("provider a\tfallback=b", "line 4: an unknown provider"),
            ("from nowhere", "line 4: no part is called nowhere"),
            ("what is this", "line 4: not a line of a price list"),
        ] {
            assert!(error(rest).ends_with(expected), "{rest}: {}", error(rest));
        }
    }

    #[test]
    fn an_entry_may_have_every_condition() {
        let text = "provider a\nm\t\ti=1\t?region=eu ?speed=fast @2026-01-01 01:00-04:00 mon-fri tz=Asia/Shanghai min=10 step=60 x1.1 i=2>=5:3";
        let book = parse(&format!("{UNITS}{text}")).unwrap();
        let model = &book.providers[0].models[0];
        assert_eq!(model.rounding, Rounding { minimum: Some(10), increment: Some(60) });
        assert_eq!(model.variants[0].asks.len(), 2);
        assert!(model.variants[0].times.is_some());
        assert_eq!(model.prices.len(), 1);
    }
}
