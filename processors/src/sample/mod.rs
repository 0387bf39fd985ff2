//! Keeps a share of the traces, the same ones everywhere, and writes how many records each kept row stands for.
//!
//! ```yaml
//! processors:
//!   sample:
//!     rate: 1                                            # share of the traces that stay; 1 samples nothing
//!     upstream: equalize                                 # equalize, multiply or ignore: what an earlier sampler did
//!     slow: 2s                                           # spans that took as long always stay; 0s turns that off
//!     keep: [rate_limits, key_events]                    # tables whose rows always stay, beside those named below
//!     rules:                                             # the first one that meets a row decides
//!       - { name: polling, route: "/api/poll/*", method: GET, rate: 0.01 }
//!       - { table: provider_calls, rate: 1 }
//!       - { service: "web-*", event: "screen.*", rate: 0.1 }
//!       - { attribute: app.plan, equals: free, rate: 0.25 }
//! ```
//!
//! Conditions are those of `filter`; a rule may also name a table alone. Nothing is sampled unless a rate says so.
//!
//! Rows of `errors`, `auth_events` and `audit_log` always stay, as do rows that say an error (span status error, HTTP
//! status 500 and above, severity error and above) and slow spans; with such a row the other rows of its record stay.
//! They stand for themselves. Every other row lives or dies with its trace: the randomness of the trace (`rv` of its
//! trace state, else the last seven bytes of its id) must reach the threshold of the rate, as OpenTelemetry's consistent
//! sampling has it. The rows of a trace that share a rate live or die together, whatever request they came in, and a
//! trace that stays at a low rate stays at every higher one: give a lower rate to an endpoint, and what stays of it is
//! whole. A record without a trace is judged by its identity. Drops are counted as `sample_dropped` by rule name, those
//! of `rate` as `default`.
//!
//! `sample_weight` is NULL for one. What an upstream sampler states in the trace state (`ot=th:`) counts as well, also
//! where nothing is sampled here: `equalize` keeps the stricter of both thresholds, so that a rate is the share of all
//! that was made; `multiply` keeps the rate of what arrived; `ignore` takes no notice. A threshold that its own trace
//! does not reach is not believed. The new threshold is written into the trace state, so that whoever is forwarded to
//! weighs alike. Audited rows have neither weight nor threshold: an act that somebody answers for is no estimate.

mod state;
mod threshold;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, BooleanArray, Float64Array, Int64Array, StringArray, StringBuilder};
use component::{Component, ConfigError, Context, Counts, Gather, Period, ProcessError, Processor, Rows, Text};
use hashbrown::HashSet;
use schemas::Table;
use serde::Deserialize;

use crate::kept::{Errors, is_kept};
use crate::rule::Rule;
pub use crate::rule::{Globs, When};
use threshold::Randomness;
pub(crate) use threshold::Threshold;

/// Name of the rate that holds where no rule does, in the metric.
const DEFAULT: &str = "default";
/// Kind of a log record.
const LOG: &str = "log";

/// Settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Share of the traces that stay where no rule says otherwise.
    pub rate: f64,
    /// What becomes of thresholds that earlier samplers state.
    pub upstream: Upstream,
    /// Spans that took as long or longer always stay; zero turns that off.
    pub slow: Period,
    /// Tables whose rows always stay, beside `errors`, `auth_events` and `audit_log`.
    pub keep: Vec<String>,
    /// Rates by table, endpoint, service, event or attribute.
    pub rules: Vec<When>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            rate: 1.0,
            upstream: Upstream::Equalize,
            slow: Period(Duration::from_secs(2)),
            keep: vec!["rate_limits".to_owned(), "key_events".to_owned()],
            rules: Vec::new(),
        }
    }
}

/// What becomes of thresholds that earlier samplers state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Upstream {
    /// The stricter threshold decides.
    Equalize,
    /// Of what was kept, the rate is kept.
    Multiply,
    /// Nobody sampled before.
    Ignore,
}

/// The processor.
pub struct Sample {
    /// By table, the rates that may hold for its rows, in order.
    rates: HashMap<String, Vec<Rate>>,
    default: Threshold,
    /// Whether any rate takes anything away.
    is_on: bool,
    upstream: Upstream,
    slow: Option<i64>,
    keep: Vec<String>,
    counts: Counts,
}

/// A rule and its threshold.
struct Rate {
    rule: Rule,
    threshold: Threshold,
}

impl Component for Sample {
    const NAME: &'static str = "sample";
    const ABOUT: &'static str = "Keeps a share of the traces and writes what each row stands for.";
    type Config = Config;

    fn new(config: Config, cx: &Context) -> Result<Self, ConfigError> {
        let default = threshold(config.rate, "rate")?;
        let mut rules = Vec::new();
        for (index, when) in config.rules.iter().enumerate() {
            let at = format!("rules.{index}");
            when.check(&at, cx)?;
            let rate = when.rate.ok_or_else(|| ConfigError::at(&at, "give the `rate` of what the rule meets"))?;
            if when.table.is_none() && !when.has_condition() {
                return Err(ConfigError::at(
                    &at,
                    "a rule without condition meets everything; that is what `rate` is for",
                ));
            }
            let name = when.name.clone().unwrap_or_else(|| at.clone());
            rules.push((name, when, threshold(rate, &format!("{at}.rate"))?));
        }
        if let Some((index, name)) = config.keep.iter().enumerate().find(|(_, name)| cx.catalog.table(name).is_none()) {
            return Err(ConfigError::at(&format!("keep.{index}"), format!("there is no table {name:?}")));
        }
        let rates = cx.catalog.tables().iter().map(|table| {
            let of_table = rules.iter().filter_map(|(name, when, threshold)| {
                Some(Rate { rule: Rule::new(name, when, table)?, threshold: *threshold })
            });
            (table.name.clone(), of_table.collect())
        });
        Ok(Self {
            rates: rates.collect(),
            default,
            is_on: default > Threshold::NONE || rules.iter().any(|(_, _, threshold)| *threshold > Threshold::NONE),
            upstream: config.upstream,
            slow: i64::try_from(config.slow.0.as_nanos()).ok().filter(|bound| *bound > 0),
            keep: config.keep,
            counts: cx.counts.clone(),
        })
    }
}

fn threshold(rate: f64, at: &str) -> Result<Threshold, ConfigError> {
    let is_share = (0.0..=1.0).contains(&rate);
    is_share.then(|| Threshold::of_rate(rate)).ok_or_else(|| ConfigError::at(at, "a rate is a share from 0 to 1"))
}

impl Processor for Sample {
    fn process(&mut self, gather: &mut Gather) -> Result<(), ProcessError> {
        if !self.is_on && self.upstream == Upstream::Ignore {
            return Ok(());
        }
        let verdicts: Vec<Option<Verdict>> = {
            let kept = self.kept(gather);
            let has_work = |rows: &Rows| !rows.table().audit && (self.is_on || rows.get("trace_state").is_some());
            gather.tables().map(|rows| has_work(rows).then(|| self.judge(rows, &kept))).collect()
        };
        for (rows, verdict) in gather.tables_mut().zip(verdicts) {
            let Some(verdict) = verdict else { continue };
            for (rule, n) in verdict.dropped {
                self.counts.add("sample_dropped", &rule, n);
            }
            if let Some(weights) = verdict.weights {
                rows.set("sample_weight", Arc::new(weights))?;
            }
            if let Some(states) = verdict.states {
                rows.set("trace_state", Arc::new(states))?;
            }
            if let Some(keep) = verdict.keep {
                rows.retain(&keep)?;
            }
        }
        Ok(())
    }
}

/// What becomes of the rows of one table.
#[derive(Default)]
struct Verdict {
    keep: Option<BooleanArray>,
    weights: Option<Float64Array>,
    states: Option<StringArray>,
    dropped: Vec<(String, u64)>,
}

/// Records of which a row always stays.
type Kept<'a> = HashSet<(&'a str, &'a str, &'a str)>;

impl Sample {
    fn keeps_all(&self, table: &Table) -> bool {
        is_kept(table) || self.keep.contains(&table.name)
    }

    fn kept<'a>(&self, gather: &'a Gather) -> Kept<'a> {
        let mut kept = Kept::new();
        if !self.is_on {
            return kept;
        }
        for rows in gather.tables() {
            let (columns, all) = (Columns::of(rows), self.keeps_all(rows.table()));
            let stays = (0..rows.len()).filter(|row| all || columns.stays(*row, self.slow));
            kept.extend(stays.filter_map(|row| columns.record(row)));
        }
        kept
    }

    /// Decides on every row of a table. What is dropped keeps whatever weight it has got.
    fn judge(&self, rows: &Rows, kept: &Kept) -> Verdict {
        let columns = Columns::of(rows);
        let (all, rates) = (self.keeps_all(rows.table()), self.assign(rows));
        let of_table = self.rates.get(&rows.table().name).map(Vec::as_slice).unwrap_or_default();
        let mut dropped = vec![0_u64; of_table.len() + 1];
        let mut keep = vec![true; rows.len()];
        let mut weights = Weights::default();
        let mut states = States::of(&columns, rows);
        for row in 0..rows.len() {
            let before = columns.upstream(row, self.upstream);
            let rate = rates.as_ref().map_or(of_table.len(), |rates| rates[row]);
            let own = of_table.get(rate).map_or(self.default, |rate| rate.threshold);
            let stays = |columns: &Columns| {
                let kept = || !kept.is_empty() && columns.record(row).is_some_and(|record| kept.contains(&record));
                own == Threshold::NONE || all || columns.stays(row, self.slow) || kept()
            };
            let mut after = before;
            // What has neither trace nor identity cannot be sampled consistently, so that it stays.
            if let Some(randomness) = columns.randomness(row).filter(|_| self.is_on && !stays(&columns)) {
                after = self.upstream.joined(before, own);
                if !after.keeps(randomness) {
                    keep[row] = false;
                    dropped[rate] += 1;
                    continue;
                }
            }
            weights.set(row, after.weight());
            states.set(row, before, after);
        }
        let names = of_table.iter().map(|rate| rate.rule.name.as_str()).chain([DEFAULT]);
        Verdict {
            dropped: names.zip(dropped).filter(|(_, n)| *n > 0).map(|(name, n)| (name.to_owned(), n)).collect(),
            keep: keep.contains(&false).then(|| BooleanArray::from(keep)),
            weights: weights.finish(rows.len()),
            states: states.finish(),
        }
    }

    /// Which rate holds for each row, as its place in the table's; `None` if that is the default's for all.
    fn assign(&self, rows: &Rows) -> Option<Vec<usize>> {
        let rates = self.rates.get(&rows.table().name).filter(|rates| self.is_on && !rates.is_empty())?;
        let mut assigned = vec![rates.len(); rows.len()];
        for (place, rate) in rates.iter().enumerate() {
            let mut hit: Vec<bool> = assigned.iter().map(|place| *place == rates.len()).collect();
            if rate.rule.narrow(rows, &mut hit) {
                (0..hit.len()).filter(|row| hit[*row]).for_each(|row| assigned[row] = place);
            }
        }
        Some(assigned)
    }
}

/// The number that decides about a trace: what its state says, else its id.
pub(crate) fn randomness(state: Option<&str>, trace: Option<&str>) -> Option<Randomness> {
    state.and_then(|state| state::read(state).randomness).or_else(|| Randomness::of_trace(trace?))
}

/// The trace state with the stricter threshold of both.
pub(crate) fn stricter(state: &str, threshold: Threshold) -> Cow<'_, str> {
    let stated = state::read(state).threshold.is_some_and(|stated| stated >= threshold);
    if stated { Cow::Borrowed(state) } else { state::write(state, threshold) }
}

impl Upstream {
    /// The threshold of both.
    fn joined(self, before: Threshold, own: Threshold) -> Threshold {
        match self {
            Self::Equalize => before.max(own),
            Self::Multiply => before.and_then(own),
            Self::Ignore => own,
        }
    }
}

/// The columns that decide.
struct Columns<'a> {
    tenant: Option<Text<'a>>,
    trace: Option<Text<'a>>,
    span: Option<Text<'a>>,
    uid: Option<Text<'a>>,
    kind: Option<Text<'a>>,
    state: Option<Text<'a>>,
    duration: Option<&'a Int64Array>,
    errors: Errors<'a>,
}

impl<'a> Columns<'a> {
    fn of(rows: &'a Rows) -> Self {
        Self {
            tenant: rows.text("tenant"),
            trace: rows.text("trace_id"),
            span: rows.text("span_id"),
            uid: rows.text("record_uid"),
            kind: rows.text("kind"),
            state: rows.text("trace_state"),
            duration: rows.int("duration_ns"),
            errors: Errors::of(rows),
        }
    }

    /// Whether a row says itself that it stays.
    fn stays(&self, row: usize, slow: Option<i64>) -> bool {
        let took = self.duration.filter(|took| took.is_valid(row)).map(|took| took.value(row));
        self.errors.says(row) || slow.is_some_and(|bound| took.is_some_and(|took| took >= bound))
    }

    /// The record of a row, the same in every table: a span's events are part of it.
    fn record(&self, row: usize) -> Option<(&'a str, &'a str, &'a str)> {
        let get = |column: Option<Text<'a>>| column.and_then(|c| c.get(row));
        let tenant = get(self.tenant).unwrap_or_default();
        match get(self.uid) {
            Some(uid) => Some((tenant, "", uid)),
            None if get(self.kind) == Some(LOG) => None,
            None => Some((tenant, get(self.trace)?, get(self.span)?)),
        }
    }

    fn state(&self, row: usize) -> state::Said {
        self.state.and_then(|states| states.get(row)).map(state::read).unwrap_or_default()
    }

    fn randomness(&self, row: usize) -> Option<Randomness> {
        let get = |column: Option<Text<'a>>| column.and_then(|c| c.get(row));
        randomness(get(self.state), get(self.trace)).or_else(|| get(self.uid).map(Randomness::of_identity))
    }

    /// What was sampled before, if the record bears it out.
    fn upstream(&self, row: usize, how: Upstream) -> Threshold {
        if how == Upstream::Ignore || self.state.is_none() {
            return Threshold::NONE;
        }
        let stated = self.state(row).threshold.filter(|threshold| *threshold > Threshold::NONE);
        let believed = stated.filter(|threshold| self.randomness(row).is_some_and(|r| threshold.keeps(r)));
        believed.unwrap_or(Threshold::NONE)
    }
}

/// Weights that are not one.
#[derive(Default)]
struct Weights(Vec<(usize, f64)>);

impl Weights {
    #[expect(
        clippy::float_cmp,
        reason = "a weight of one is exactly one: whatever is near a whole number is that number"
    )]
    fn set(&mut self, row: usize, weight: f64) {
        if weight != 1.0 {
            self.0.push((row, weight));
        }
    }

    fn finish(self, rows: usize) -> Option<Float64Array> {
        let mut values = vec![None; rows];
        self.0.iter().for_each(|(row, weight)| values[*row] = Some(*weight));
        (!self.0.is_empty()).then(|| Float64Array::from(values))
    }
}

/// Trace states that change.
struct States<'a> {
    known: Option<Text<'a>>,
    kind: Option<Text<'a>>,
    trace: Option<Text<'a>>,
    rows: usize,
    new: Vec<(usize, Threshold)>,
}

impl<'a> States<'a> {
    fn of(columns: &Columns<'a>, rows: &Rows) -> Self {
        Self { known: columns.state, kind: columns.kind, trace: columns.trace, rows: rows.len(), new: Vec::new() }
    }

    /// Log records have no trace state, and without a trace there is nothing to be consistent with.
    fn set(&mut self, row: usize, before: Threshold, after: Threshold) {
        let get = |column: Option<Text<'a>>| column.and_then(|c| c.get(row));
        if after != before && get(self.kind) != Some(LOG) && get(self.trace).is_some() {
            self.new.push((row, after));
        }
    }

    fn finish(self) -> Option<StringArray> {
        let mut new = self.new.iter().peekable();
        new.peek()?;
        let mut out = StringBuilder::with_capacity(self.rows, self.rows * 24);
        let mut last: Option<(&str, Threshold, String)> = None;
        for row in 0..self.rows {
            let state = self.known.and_then(|known| known.get(row));
            let Some((_, threshold)) = new.next_if(|(changed, _)| *changed == row) else {
                out.append_option(state);
                continue;
            };
            let state = state.unwrap_or_default();
            // Whole services share one trace state.
            match &last {
                Some((known, of, written)) if *known == state && of == threshold => out.append_value(written),
                _ => {
                    let written = state::write(state, *threshold).into_owned();
                    out.append_value(&written);
                    last = Some((state, *threshold, written));
                }
            }
        }
        Some(out.finish())
    }
}

#[cfg(test)]
mod tests;
