//! The rules over what arrived, in the order in which they are judged. A new rule is a function and a line here.

mod calls;
mod noise;
mod people;
mod private;
mod signals;
mod tables;

use super::facts::Facts;
use super::finding::{Finding, Severity};
use crate::error::Error;

/// One rule: a judgement of the answers, and what is said when it finds nothing.
pub(super) struct Rule {
    /// Its name in the findings.
    pub(super) name: &'static str,
    /// What holds where it finds nothing.
    pub(super) right: &'static str,
    /// Why it matters.
    pub(super) why: &'static str,
    /// The questions it judges by, files of `queries/doctor`.
    pub(super) asks: &'static [&'static str],
    judge: fn(&Rule, &Facts<'_>) -> Result<Vec<Finding>, Error>,
}

/// Every rule.
pub(super) const ALL: &[Rule] = &[
    Rule {
        name: "ai_not_instrumented",
        right: "every call to a known AI host has its GenAI record",
        why: "Without a GenAI record there are no tokens, no model and no price: the call looks free and unused.",
        asks: &["calls_without_genai"],
        judge: calls::not_instrumented,
    },
    Rule {
        name: "requests_without_user",
        right: "requests know their users",
        why: "A request whose trace names nobody belongs to no one: no cost per user, no history, nothing to erase.",
        asks: &["identity"],
        judge: people::without_user,
    },
    Rule {
        name: "rows_without_user",
        right: "calls, errors and events know their users",
        why: "The user stands on the request and not on what it caused: carry it as baggage, so that every record has it.",
        asks: &["arrived"],
        judge: people::anonymous,
    },
    Rule {
        name: "no_session",
        right: "requests know their sessions",
        why: "Without session.id there are no visits, no funnels, and an anonymous visitor cannot be told from the next.",
        asks: &["identity"],
        judge: people::without_session,
    },
    Rule {
        name: "no_browser",
        right: "the browser side is seen, or there is none",
        why: "People's browsers ask these services, and none of them says what it saw: errors, waits and pages are missing.",
        asks: &["identity", "arrived"],
        judge: people::no_browser,
    },
    Rule {
        name: "no_logs",
        right: "every service sends logs",
        why: "Sign-ins, audited acts, limits and events are log records: a service that sends only spans tells none of them.",
        asks: &["arrived"],
        judge: signals::no_logs,
    },
    Rule {
        name: "clock_skew",
        right: "clocks agree within a minute",
        why: "Rows are ordered and kept by their own time: with a wrong clock they stand in the wrong hour and day.",
        asks: &["clocks"],
        judge: signals::clock_skew,
    },
    Rule {
        name: "old_http_names",
        right: "HTTP spans carry the present names",
        why: "Both are read here; other tools, and hosts of outgoing calls, need the present ones.",
        asks: &["old_names"],
        judge: signals::old_names,
    },
    Rule {
        name: "model_without_price",
        right: "every call that used something has a price",
        why: "Their cost is NULL, so every sum of money is too low by what they cost.",
        asks: &["prices"],
        judge: calls::without_price,
    },
    Rule {
        name: "aggregate_without_calls",
        right: "agents and workflows have the calls that they sum up",
        why: "A span that sums up others has no price of its own; where the calls below it are not sent, nothing is priced.",
        asks: &["aggregates"],
        judge: calls::aggregates,
    },
    Rule {
        name: "instrumented_twice",
        right: "one instrumentation reports each call",
        why: "Repeated rows are marked and not counted, but they cost room, and where a mark is missed money counts twice.",
        asks: &["instrumentations"],
        judge: calls::twice,
    },
    Rule {
        name: "table_empty",
        right: "every table whose signal arrives has rows",
        why: "Whoever reads the table sees nothing, and cannot tell that from nothing having happened.",
        asks: &["arrived"],
        judge: tables::empty,
    },
    Rule {
        name: "read_not_written",
        right: "no event goes past the table that it sounds like",
        why: "What readers ask for and what apps send have different names: dashboards show zeros while data arrives.",
        asks: &["events", "arrived"],
        judge: tables::read_not_written,
    },
    Rule {
        name: "mostly_unmapped",
        right: "most records find a table",
        why: "What lies in spans and logs is kept 30 days and answers no view.",
        asks: &["arrived", "leftovers"],
        judge: tables::unmapped,
    },
    Rule {
        name: "noise",
        right: "no health check or timer fills the tables",
        why: "They hide what people do, cost room, and make every rate look better than it is.",
        asks: &["routes"],
        judge: noise::noise,
    },
    Rule {
        name: "personal_data",
        right: "no personal value had to be taken out",
        why: "The seal took these out before anything was stored; better not to send what must not be kept.",
        asks: &["personal"],
        judge: private::personal,
    },
    Rule {
        name: "content_captured",
        right: "no conversation is sent",
        why: "Prompts and answers are what people tell a model; here they are dropped unless the configuration keeps them.",
        asks: &["content"],
        judge: private::content,
    },
];

/// Judges by every rule; a rule that finds nothing says so.
pub(super) fn judge(facts: &Facts<'_>) -> Result<Vec<Finding>, Error> {
    let mut findings = Vec::new();
    for rule in ALL {
        let found = (rule.judge)(rule, facts)?;
        if found.is_empty() {
            findings.push(Finding::ok(rule.name, rule.right));
        }
        findings.extend(found);
    }
    Ok(findings)
}

impl Rule {
    fn found(&self, severity: Severity, title: impl Into<String>) -> Finding {
        Finding::new(self.name, severity, title).because(self.why)
    }
}

/// Groups rows by language and, within it, keeps their order.
fn by<T, K: Ord>(rows: Vec<T>, key: impl Fn(&T) -> K) -> std::collections::BTreeMap<K, Vec<T>> {
    let mut groups = std::collections::BTreeMap::<K, Vec<T>>::new();
    for row in rows {
        groups.entry(key(&row)).or_default().push(row);
    }
    groups
}

/// What one row of `arrived` says.
#[derive(Debug, serde::Deserialize)]
struct Arrived {
    table_name: String,
    service: String,
    language: String,
    kind: String,
    total: u64,
    with_user: u64,
    failed: u64,
}
