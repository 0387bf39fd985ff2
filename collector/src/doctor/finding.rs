//! What a rule or a check has to say, and what mends it.

use std::collections::BTreeMap;

use serde::Serialize;

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// Data is lost, wrong or missing until somebody does something.
    Problem,
    /// It would be better otherwise.
    Hint,
    /// Worth knowing.
    Info,
    /// Looked at and found right.
    Ok,
}

/// One thing that was found. Holds counts, names of services, attributes, hosts and models; never a value of a record.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Finding {
    /// Which rule or check.
    pub(crate) rule: &'static str,
    /// How much it matters.
    pub(crate) severity: Severity,
    /// In one line.
    pub(crate) title: String,
    /// Why it matters.
    pub(crate) detail: String,
    /// Whom it concerns.
    pub(crate) services: Vec<Seen>,
    /// What mends it.
    pub(crate) mend: Option<Mend>,
}

/// What was seen of one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Seen {
    /// Which one.
    pub(crate) service: String,
    /// How many records.
    pub(crate) count: u64,
    /// Of how many, where that says something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) of: Option<u64>,
    /// Host, model, route, attribute, kind: what the rule is about.
    #[serde(flatten)]
    pub(crate) about: BTreeMap<&'static str, String>,
}

/// What to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Mend {
    /// What the snippet does.
    pub(crate) about: String,
    /// Language of the app, or of the file that the snippet belongs to.
    pub(crate) language: String,
    /// To be copied.
    pub(crate) snippet: String,
}

impl Finding {
    pub(crate) fn new(rule: &'static str, severity: Severity, title: impl Into<String>) -> Self {
        Self { rule, severity, title: title.into(), detail: String::new(), services: Vec::new(), mend: None }
    }

    pub(crate) fn problem(rule: &'static str, title: impl Into<String>) -> Self {
        Self::new(rule, Severity::Problem, title)
    }

    pub(crate) fn hint(rule: &'static str, title: impl Into<String>) -> Self {
        Self::new(rule, Severity::Hint, title)
    }

    pub(crate) fn ok(rule: &'static str, title: impl Into<String>) -> Self {
        Self::new(rule, Severity::Ok, title)
    }

    pub(crate) fn because(self, detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), ..self }
    }

    pub(crate) fn of(self, services: Vec<Seen>) -> Self {
        Self { services, ..self }
    }

    pub(crate) fn mended(self, mend: Mend) -> Self {
        Self { mend: Some(mend), ..self }
    }
}

impl Seen {
    pub(crate) fn new(service: &str, count: u64) -> Self {
        Self { service: service.to_owned(), count, of: None, about: BTreeMap::new() }
    }

    pub(crate) fn out_of(self, of: u64) -> Self {
        Self { of: Some(of), ..self }
    }

    pub(crate) fn with(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.about.insert(key, value.into());
        self
    }
}

/// `1 call`, `2 calls`.
pub(crate) fn counted(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// A share in whole percent.
pub(crate) fn percent(part: u64, whole: u64) -> u64 {
    if whole == 0 { 0 } else { (part as f64 * 100.0 / whole as f64).round() as u64 }
}

/// Names in a sentence, in order, each once; many are cut short.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const MOST: usize = 6;
    let mut unique: Vec<&str> = Vec::new();
    for name in names {
        if !unique.contains(&name) {
            unique.push(name);
        }
    }
    let more = unique.len().saturating_sub(MOST);
    let shown = unique.iter().take(MOST).copied().collect::<Vec<_>>().join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}
