//! Drops endpoints and noise by rule.
//!
//! ```yaml
//! processors:
//!   filter:
//!     defaults: true                                  # health checks, static files, ASGI send and receive spans
//!     authenticated_only: false                       # true, or the tables: what no user stands behind is dropped
//!     skip:
//!       - { name: polling, route: "/api/poll/*" }     # route or path of `requests`; * is any text
//!       - { table: requests, column: path, prefix: /internal/ }
//!       - { event: [heartbeat, "debug.*"] }           # event name of a log record or span event, without case
//!       - { attribute: app.noise, equals: "true" }    # without equals, prefix or glob: whatever has the attribute
//!       - { scope: "opentelemetry.instrumentation.redis*", attribute: db.operation.name, equals: PING }
//!       - { service: "web-*", method: OPTIONS }
//! ```
//!
//! Every condition of a rule must hold. Rows of `errors`, `auth_events` and `audit_log` are never dropped, nor is a row
//! that says an error: span status error, HTTP status 500 and above, severity error and above. A record that has rows
//! in several tables loses only those that a rule meets. Drops are counted as `filter_dropped` by rule name.
//!
//! `authenticated_only` keeps, of `requests` and `activity_events` or of the tables that it names, the rows behind which
//! a user stands: the row names one, or a record of its trace or session in the same gather does. Only facts count, so
//! that nothing depends on what a worker happened to see before; a trace that comes in several requests may therefore
//! lose the rows that came without its user. Whoever cannot have that sets the user on every record, as baggage does. The
//! words of `enrich.nobody` name no user.

mod authenticated;

use std::collections::HashMap;

use arrow::array::BooleanArray;
use component::{Component, ConfigError, Context, Counts, Gather, ProcessError, Processor, Rows};
use serde::Deserialize;

use crate::kept::{Errors, is_kept};
use crate::rule::Rule;
pub use crate::rule::{Globs, When};
pub use authenticated::Authenticated;

/// Settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Whether the rules that ship with Marquetry apply: `health`, `static` and `asgi`.
    pub defaults: bool,
    /// Which rows are dropped when no user stands behind them.
    pub authenticated_only: Authenticated,
    /// Rules of your own.
    pub skip: Vec<When>,
}

impl Default for Config {
    fn default() -> Self {
        Self { defaults: true, authenticated_only: Authenticated::Every(false), skip: Vec::new() }
    }
}

/// The processor.
pub struct Filter {
    rules: HashMap<String, Vec<Rule>>,
    authenticated: Vec<String>,
    /// Words that mean that nobody is known.
    nobody: Vec<String>,
    counts: Counts,
}

impl Component for Filter {
    const NAME: &'static str = "filter";
    const ABOUT: &'static str = "Drops endpoints and noise by rule.";
    type Config = Config;

    fn new(config: Config, cx: &Context) -> Result<Self, ConfigError> {
        let mut skips = Vec::new();
        for (index, skip) in config.skip.into_iter().enumerate() {
            let at = format!("skip.{index}");
            check(&skip, &at, cx)?;
            skips.push((skip.name.clone().unwrap_or(at), skip));
        }
        if config.defaults {
            skips.extend(shipped());
        }
        let mut rules: HashMap<String, Vec<Rule>> = HashMap::new();
        for table in cx.catalog.tables().iter().filter(|t| !is_kept(t)) {
            let mine = skips.iter().filter_map(|(name, skip)| Rule::new(name, skip, table)).collect::<Vec<_>>();
            if !mine.is_empty() {
                rules.insert(table.name.clone(), mine);
            }
        }
        let authenticated = config.authenticated_only.tables(&cx.catalog)?;
        Ok(Self { rules, authenticated, nobody: authenticated::words(cx), counts: cx.counts.clone() })
    }
}

impl Processor for Filter {
    fn process(&mut self, gather: &mut Gather) -> Result<(), ProcessError> {
        // Judged before anything is dropped: a record that goes may name the user of one that stays.
        let mut nobody = authenticated::nobody(gather, &self.authenticated, &self.nobody).into_iter();
        for rows in gather.tables_mut() {
            let mut keep = vec![true; rows.len()];
            for rule in self.rules.get(&rows.table().name).into_iter().flatten() {
                self.counts.add("filter_dropped", &rule.name, drop(rule, rows, &mut keep));
            }
            if self.authenticated.contains(&rows.table().name) {
                let nobody = nobody.next().unwrap_or_default();
                self.counts.add("filter_dropped", authenticated::RULE, leave(rows, &nobody, &mut keep));
            }
            if keep.contains(&false) {
                rows.retain(&BooleanArray::from(keep))?;
            }
        }
        Ok(())
    }
}

/// Marks the rows that the rule drops, and says how many.
fn drop(rule: &Rule, rows: &Rows, keep: &mut [bool]) -> u64 {
    let mut hit = keep.to_vec();
    if rule.narrow(rows, &mut hit) { leave(rows, &hit, keep) } else { 0 }
}

/// Marks the rows that are hit and say no error, and says how many of them were not marked yet.
fn leave(rows: &Rows, hit: &[bool], keep: &mut [bool]) -> u64 {
    let errors = Errors::of(rows);
    let mut dropped = 0;
    for (row, keep) in keep.iter_mut().enumerate() {
        if *keep && hit.get(row) == Some(&true) && !errors.says(row) {
            *keep = false;
            dropped += 1;
        }
    }
    dropped
}

/// The rules of `defaults: true`.
fn shipped() -> Vec<(String, When)> {
    let globs = |list: &[&str]| Globs::Many(list.iter().map(|g| (*g).to_owned()).collect());
    let health = [
        "/health",
        "/health/*",
        "/healthz",
        "/healthz/*",
        "/livez",
        "/readyz",
        "/_health",
        "/actuator/health",
        "/actuator/health/*",
    ];
    let statics = ["/static/*", "/media/*", "/favicon.ico"];
    vec![
        ("health".to_owned(), When { route: globs(&health), ..When::default() }),
        ("static".to_owned(), When { route: globs(&statics), ..When::default() }),
        (
            // Two or more "http send" and "http receive" spans a request, which say nothing that the request does not.
            "asgi".to_owned(),
            When {
                kind: Some("internal".to_owned()),
                attribute: Some("asgi.event.type".to_owned()),
                ..When::default()
            },
        ),
    ]
}

fn check(skip: &When, at: &str, cx: &Context) -> Result<(), ConfigError> {
    skip.check(at, cx)?;
    if skip.rate.is_some() {
        return Err(ConfigError::at(
            &format!("{at}.rate"),
            "a rule that skips has no rate; sampling is processors.sample",
        ));
    }
    if !skip.has_condition() {
        let what = "a rule without condition would drop everything; give `route`, `method`, `event`, `service`, `scope`, `kind`, `attribute` or `column`";
        return Err(ConfigError::at(at, what));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
