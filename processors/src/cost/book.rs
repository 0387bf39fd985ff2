//! The price list: who sells which model at what price since when.
//!
//! The list that ships with the program is `prices.txt`, written by `generate_prices.py` from two packages, genai-prices and
//! LiteLLM (both MIT; the file names versions and owners). `list.rs` says how it is written.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::list::{self, ListError};
use super::pattern::{Expression, Rule};
use super::units::{UnitId, Units};

pub(super) const BUILT_IN: &str = include_str!("prices.txt");

/// Prices of units: a unit has one price, or is not sold.
pub(super) type PriceSet = Vec<(UnitId, Price)>;

/// The whole list.
#[derive(Debug)]
pub(super) struct Book {
    /// Its date and a fingerprint.
    pub(super) version: String,
    /// What it was made from, with versions and licences.
    pub(super) sources: Vec<String>,
    pub(super) units: Units,
    pub(super) providers: Vec<Provider>,
}

/// Somebody who sells calls.
#[derive(Debug, Default)]
pub(super) struct Provider {
    pub(super) id: String,
    /// Recognises the URL of its API, from the start.
    pub(super) url: Option<Expression>,
    /// Recognises its other names.
    pub(super) named: Option<Rule>,
    /// Recognises models that say by their name who sells them.
    pub(super) serves: Option<Rule>,
    /// Whose models it sells at their prices; indexes of providers.
    pub(super) fallback: Vec<usize>,
    pub(super) models: Vec<Model>,
    /// What only LiteLLM knows.
    pub(super) breadth: Vec<Model>,
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
    pub(super) rounding: Rounding,
}

/// Prices of requests that say how they want to be served.
#[derive(Debug)]
pub(super) struct Variant {
    pub(super) asks: Vec<(String, String)>,
    pub(super) when: When,
    pub(super) prices: PriceSet,
    /// What tokens cost more, by all that fit.
    pub(super) times: Option<Times>,
}

pub(super) use super::when::When;

/// How seconds of audio become those that are billed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Rounding {
    /// Seconds that are billed at least.
    pub(super) minimum: Option<u32>,
    /// Seconds of which a multiple is billed.
    pub(super) increment: Option<u32>,
}

/// A factor: a region's surcharge, a discount. Numerator and denominator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times(i128, i128);

/// The price of one unit: above a number of input tokens the whole call costs another price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Price {
    pub(super) base: i128,
    /// (more input than this, in billionths of a token; price), ascending.
    pub(super) above: Vec<(i128, i128)>,
    /// How many the price is for, where it is not what the unit says.
    pub(super) per: Option<i128>,
}

impl Book {
    /// The list that ships with the program, read once per process.
    pub(super) fn built_in() -> Result<Arc<Self>, ListError> {
        static BOOK: OnceLock<Result<Arc<Book>, ListError>> = OnceLock::new();
        BOOK.get_or_init(|| list::parse(BUILT_IN).map(Arc::new)).clone()
    }

    /// A list from a file, read once per process however many workers want it.
    pub(super) fn from_file(path: &Path) -> Result<Arc<Self>, ListError> {
        static BOOKS: Mutex<Option<HashMap<PathBuf, Arc<Book>>>> = Mutex::new(None);
        let mut books = BOOKS.lock().unwrap_or_else(PoisonError::into_inner);
        let books = books.get_or_insert_default();
        if let Some(book) = books.get(path) {
            return Ok(Arc::clone(book));
        }
        let text = std::fs::read_to_string(path).map_err(|e| ListError::file(path, &e))?;
        let book = Arc::new(list::checked(&text)?);
        books.insert(path.to_owned(), Arc::clone(&book));
        Ok(book)
    }
}

impl Times {
    /// A factor in 10^-18ths; `None` if it has more than six decimals or is beyond a thousand.
    pub(super) fn new(scaled: i128) -> Option<Self> {
        const STEP: i128 = 1_000_000_000_000;
        const MILLION: i128 = 1_000_000;
        let whole = scaled % STEP == 0 && scaled <= 1000 * STEP * MILLION;
        Self(1, 1).and(Self(scaled / STEP, MILLION)).filter(|_| whole)
    }

    pub(super) const ONE: Self = Self(1, 1);

    /// This factor and another.
    pub(super) fn and(self, other: Self) -> Option<Self> {
        let (n, d) = (self.0.checked_mul(other.0)?, self.1.checked_mul(other.1)?);
        let common = greatest_divisor(n, d).max(1);
        Some(Self(n / common, d / common))
    }

    /// The factor in millionths, for people.
    pub(super) fn millionths(self) -> i128 {
        self.0.saturating_mul(1_000_000) / self.1
    }

    /// A price of `per` times the factor. Where the product has no 18 decimals, the price is for more instead.
    pub(super) fn apply(self, price: &Price, per: i64) -> Option<Price> {
        let Self(n, d) = self;
        let exact = |p: i128| p.checked_mul(n).map(|product| (product, product % d == 0));
        let all: Vec<(i128, bool)> =
            price.above.iter().map(|(_, p)| *p).chain([price.base]).map(exact).collect::<Option<_>>()?;
        let divide = all.iter().all(|(_, exact)| *exact);
        let scaled = |p: i128| if divide { p * n / d } else { p * n };
        let per = if divide { price.per } else { Some(price.per.unwrap_or(i128::from(per)).checked_mul(d)?) };
        let above = price.above.iter().map(|(start, p)| (*start, scaled(*p))).collect();
        Some(Price { base: scaled(price.base), above, per })
    }
}

pub(super) fn greatest_divisor(a: i128, b: i128) -> i128 {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    x
}

impl Price {
    /// The same price for any call.
    pub(super) fn flat(base: i128) -> Self {
        Self { base, above: Vec::new(), per: None }
    }

    /// The price of a call with so many input tokens, in billionths.
    pub(super) fn at(&self, input_tokens: i128) -> i128 {
        let above = self.above.iter().rev().find(|(start, _)| input_tokens > *start);
        above.map_or(self.base, |(_, price)| *price)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::decimal;

    #[test]
    fn a_factor_is_exact() {
        let times = Times::new(decimal::parse("1.1").unwrap()).unwrap();
        let price = |base| Price::flat(base);
        assert_eq!(times.apply(&price(10), 1_000_000), Some(price(11)));
        // A price that has no digit left is one for more.
        assert_eq!(times.apply(&price(3), 1_000), Some(Price { base: 33, above: Vec::new(), per: Some(10_000) }));
        let both = times.and(Times::new(decimal::parse("0.5").unwrap()).unwrap()).unwrap();
        assert_eq!(both.apply(&price(20), 1), Some(price(11)));
        assert!(Times::new(decimal::parse("1.0000001").unwrap()).is_none());
    }

    #[test]
    fn the_list_is_small_and_quick_to_read() {
        assert!(BUILT_IN.len() < 400_000, "{} bytes are in every binary", BUILT_IN.len());
        let start = std::time::Instant::now();
        let book = list::parse(BUILT_IN).unwrap();
        println!("read in {:?}", start.elapsed());
        list::checked(BUILT_IN).unwrap();
        let models: usize = book.providers.iter().map(|p| p.models.len()).sum();
        let breadth: usize = book.providers.iter().map(|p| p.breadth.len()).sum();
        assert!(models > 2_000 && breadth > 2_000, "{models} and {breadth} models");
        assert_eq!(book.sources.len(), 2, "{:?}", book.sources);
    }
}
