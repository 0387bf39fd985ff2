//! Prices every provider call exactly, or says why it cannot.
//!
//! ```yaml
//! processors:
//!   cost:
//!     breakdown: true       # write how each price adds up
//!     remember: 65536       # calls and errors remembered to recognise their echoes
//!     prices: prices.txt    # a newer price list than the one that ships with us: `marquetry prices update` makes one
//!     overrides:            # prices of one's own, the last that fits counts
//!       - provider: brightdata
//!         bill_when: success
//!         prices: { requests_kcount: 1.50 }
//! ```
//!
//! The first of these that knows the call says what it costs: the provider itself, an override (a tenant's before a project's
//! before any), the list of genai-prices, and what only LiteLLM lists (`cost_source: litellm`, `price_match: fallback`).
//! What was priced stays as it is: a newer list or override counts for the rows that come.
//!
//! A cost is worked out in whole 10^-18ths of a dollar and rounded once, half to even. Where it is not known it is
//! NULL and `cost_status` says why; it is 0 only where nothing is billed:
//!
//! | `cost_status` | `cost_usd` | |
//! |---|---|---|
//! | `priced` | exact | all that was used has a price |
//! | `lower_bound` | at least | a count is missing, or two counts overlap by an unknown amount |
//! | `estimated` | about | a count or a measure that is not quite the billed one; a share of a plan |
//! | `reported` | as sent | what the sender says, because the provider worked it out or because we cannot |
//! | `cache_hit`, `not_billed` | 0 | our own cache answered; a failed call that the provider does not bill |
//! | `aggregate` | NULL | sums up its children, which are priced themselves |
//! | `no_usage` | NULL | nothing says how much was used |
//! | `invalid_usage` | NULL | the counts contradict each other |
//! | `unpriced` | NULL | `price_match` says what is missing: `http_only`, `no_model`, `unknown_provider`, `unknown_model`, `no_price` |

mod again;
mod book;
mod decimal;
mod find;
mod list;
mod output;
mod overrides;
mod pattern;
mod plan;
mod resolve;
mod row;
mod show;
mod units;
mod usage;
mod when;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod oracle;

pub use again::{Again, AgainError};
pub use list::ListError;
pub use overrides::{BillWhen, Override};
pub(crate) use row::is_aggregate;
pub use show::{Changes, GENERATOR, Listed, PriceList};

use std::path::PathBuf;

use component::{Component, ConfigError, Context, Counts, Gather, ProcessError, Processor, Rows, RowsError};
use serde::Deserialize;

use crate::echo::Echoes;
use book::Book;
use output::Output;
use resolve::Resolver;
use row::{Calls, Pricer};

const TABLE: &str = "provider_calls";

/// Settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Prices that stand before the price list; the last that fits a call counts.
    pub overrides: Vec<Override>,
    /// Whether `cost_breakdown` is written.
    pub breakdown: bool,
    /// How many calls and errors are remembered to recognise echoes that arrive later.
    pub remember: usize,
    /// A price list to use instead of the one that ships with the program; read when the chain is built.
    pub prices: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Self { overrides: Vec::new(), breakdown: true, remember: 65_536, prices: None }
    }
}

/// The processor.
pub struct Cost {
    pricer: Pricer,
    echoes: Echoes,
    breakdown: bool,
    counts: Counts,
}

impl Component for Cost {
    const NAME: &'static str = "cost";
    const ABOUT: &'static str =
        "Prices every provider call exactly, or says why it cannot; marks what only repeats another row.";
    type Config = Config;

    fn new(config: Config, cx: &Context) -> Result<Self, ConfigError> {
        let book = match &config.prices {
            Some(path) => Book::from_file(path).map_err(|e| ConfigError::at("prices", e.to_string()))?,
            None => Book::built_in().map_err(|e| ConfigError::at("", e.to_string()))?,
        };
        let resolver = Resolver::new(book, &config.overrides)?;
        let pricer = Pricer::new(resolver)
            .ok_or_else(|| ConfigError::at("", "the price list lacks a unit that a column counts"))?;
        Ok(Self {
            pricer,
            echoes: Echoes::new(config.remember),
            breakdown: config.breakdown,
            counts: cx.counts.clone(),
        })
    }
}

impl Processor for Cost {
    fn process(&mut self, gather: &mut Gather) -> Result<(), ProcessError> {
        for (rule, count) in self.echoes.mark(gather)? {
            self.counts.add("echoes", rule, count);
        }
        if let Some(rows) = gather.table_mut(TABLE) {
            self.price(rows)?;
        }
        Ok(())
    }
}

impl Cost {
    /// Fills the columns of money.
    fn price(&mut self, rows: &mut Rows) -> Result<(), RowsError> {
        let mut output = Output::new(rows.len(), self.breakdown);
        let calls = Calls::new(rows, &self.pricer);
        for row in 0..rows.len() {
            let outcome = self.pricer.price(&calls, row);
            output.push(&outcome, &self.pricer);
        }
        drop(calls);
        for (metric, label, count) in output.counts() {
            self.counts.add(metric, label, count);
        }
        output.store(rows, &self.pricer.resolver.book.version)
    }
}
