//! Rows behind which no user stands, judged on the facts of one gather.

use std::collections::HashSet;

use component::{ConfigError, Context, Gather, Rows, Text};
use schemas::Catalog;
use serde::Deserialize;

use crate::identity::{Columns, Names, Said};
use crate::kept::is_kept;

/// Name of the rule in the metric.
pub(super) const RULE: &str = "authenticated_only";

/// Tables that `true` stands for.
const TABLES: [&str; 2] = ["requests", "activity_events"];

/// As sent: nothing has been hashed or inferred yet.
const SENT: Names = Names { user: "user_id", session: "session_id", device: "device_id", sources: None };

/// Which tables hold only what a user stands behind.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Authenticated {
    /// `requests` and `activity_events`, or none.
    Every(bool),
    /// These.
    Tables(Vec<String>),
}

impl Default for Authenticated {
    fn default() -> Self {
        Self::Every(false)
    }
}

impl Authenticated {
    pub(super) fn tables(self, catalog: &Catalog) -> Result<Vec<String>, ConfigError> {
        let names = match self {
            Self::Every(false) => Vec::new(),
            Self::Every(true) => TABLES.map(str::to_owned).to_vec(),
            Self::Tables(names) => names,
        };
        for (index, name) in names.iter().enumerate() {
            let what = match catalog.table(name) {
                None => format!("there is no table {name:?}"),
                Some(table) if is_kept(table) => format!("rows of {name} are never dropped"),
                Some(_) => continue,
            };
            return Err(ConfigError::at(&format!("authenticated_only.{index}"), what));
        }
        Ok(names)
    }
}

/// Of rows that name somebody, whose words mean that nobody is known: those of `enrich`.
pub(super) fn words(cx: &Context) -> Vec<String> {
    let enrich: crate::enrich::Config = serde_json::from_value(cx.section("enrich")).unwrap_or_default();
    enrich.nobody
}

/// What the records of a gather say of who it was, by tenant.
struct Named<'a> {
    words: &'a [String],
    traces: HashSet<(&'a str, &'a str)>,
    sessions: HashSet<(&'a str, &'a str)>,
}

/// Of every table that is named and has rows, in the gather's order: which of its rows no user stands behind.
pub(super) fn nobody(gather: &Gather, tables: &[String], words: &[String]) -> Vec<Vec<bool>> {
    if tables.is_empty() {
        return Vec::new();
    }
    let mut named = Named { words, traces: HashSet::new(), sessions: HashSet::new() };
    // Sessions first: a trace is known as well if any of its records lies in the session of a user.
    for (tenant, said) in gather.tables().flat_map(said) {
        if named.user(&said) {
            let session = named.session(&said);
            named.sessions.extend(session.map(|session| (tenant, session)));
        }
    }
    for (tenant, said) in gather.tables().flat_map(said) {
        if named.user(&said) || named.in_session(tenant, &said) {
            named.traces.extend(said.trace.map(|trace| (tenant, trace)));
        }
    }
    let mine = gather.tables().filter(|rows| tables.contains(&rows.table().name));
    mine.map(|rows| said(rows).map(|(tenant, said)| !named.knows(tenant, &said)).collect()).collect()
}

impl Named<'_> {
    fn knows(&self, tenant: &str, said: &Said) -> bool {
        self.user(said)
            || said.trace.is_some_and(|trace| self.traces.contains(&(tenant, trace)))
            || self.in_session(tenant, said)
    }

    /// Whether a record lies in the session of a user.
    fn in_session(&self, tenant: &str, said: &Said) -> bool {
        self.session(said).is_some_and(|session| self.sessions.contains(&(tenant, session)))
    }

    /// Whether a record names a user.
    fn user(&self, said: &Said) -> bool {
        said.user.is_some_and(|user| self.says(user))
    }

    /// The session of a record.
    fn session<'s>(&self, said: &Said<'s>) -> Option<&'s str> {
        said.session.filter(|session| self.says(session))
    }

    /// What senders write when they know of nobody says nothing.
    fn says(&self, text: &str) -> bool {
        let text = text.trim();
        !text.is_empty() && !self.words.iter().any(|word| word.eq_ignore_ascii_case(text))
    }
}

fn said(rows: &Rows) -> impl Iterator<Item = (&str, Said<'_>)> {
    let columns = Columns::of(&rows.table().name, &SENT, |name| rows.get(name));
    let tenants: Option<Text> = rows.text("tenant");
    (0..rows.len()).map(move |row| (tenants.and_then(|t| t.get(row)).unwrap_or_default(), columns.said(row)))
}
