//! Tables that stay empty, and records that go past them.

use std::collections::BTreeSet;

use queries::VIEWS;
use schemas::{Clause, Signal, SpanKind, Table};
use serde::Deserialize;

use super::super::facts::Facts;
use super::super::finding::{Finding, Seen, Severity, counted, listed, percent};
use super::super::snippets::{self, quoted};
use super::{Arrived, Rule, by};
use crate::error::Error;

/// Where whatever matched nothing goes.
const REST: &[&str] = &["spans", "logs"];

/// Records of a service in percent that may lie in `spans` and `logs`: what frameworks do inside is a good part of it.
const UNMAPPED: u64 = 90;
/// Fewer say nothing.
const ENOUGH: u64 = 50;

/// Words of event names that tell no table from another.
const COMMON: &[&str] = &["app", "event", "user", "client"];

/// Typed tables without a row, whose source signal arrives.
pub(super) fn empty(rule: &Rule, facts: &Facts<'_>) -> Result<Vec<Finding>, Error> {
    let arrived: Vec<Arrived> = facts.rows("arrived")?;
    let tables = facts.catalog.tables().iter().filter(|t| !REST.contains(&t.name.as_str()));
    let empty = tables.filter(|table| arrived.iter().all(|row| row.table_name != table.name));
    Ok(empty.filter_map(|table| empty_table(rule, table, &arrived)).collect())
}

fn empty_table(rule: &Rule, table: &Table, arrived: &[Arrived]) -> Option<Finding> {
    let failed: u64 = arrived.iter().map(|row| row.failed).sum();
    if table.name == "errors" && failed == 0 {
        return None;
    }
    let (clause, rows) = table.clauses.iter().filter(|c| !c.also).find_map(|clause| {
        let rows: Vec<&Arrived> = arrived.iter().filter(|row| is_source(clause, row)).collect();
        (!rows.is_empty()).then_some((clause, rows))
    })?;
    let total = rows.iter().map(|r| r.total).sum();
    let wanted = wanted(table, clause.signal);
    let what = if clause.signal == Signal::Log { "log" } else { "span" };
    let title = format!("{} is empty: none of {} {} {wanted}", table.name, counted(total, what), lacks(clause));
    // A server's span that is no request was stripped of what makes it one; the others may simply not have happened.
    let severity = if table.name == "requests" { Severity::Problem } else { Severity::Hint };
    let seen = rows.iter().map(|r| Seen::new(&r.service, r.total).with("table", &*r.table_name)).collect();
    let finding = rule.found(severity, title).of(seen);
    let finding = Finding { detail: format!("{} Readers: {}.", finding.detail, readers(&table.name)), ..finding };
    let language = rows.first().map_or("any", |row| row.language.as_str());
    let name = table.clauses.iter().flat_map(|c| &c.event).next();
    Some(match name {
        Some(name) => finding.mended(event(language, name, &table.name)),
        None => finding,
    })
}

/// Whether a row could have become one of the table, had it had what the clause asks for.
fn is_source(clause: &Clause, row: &Arrived) -> bool {
    match clause.signal {
        Signal::Log => row.table_name == "logs",
        _ => row.table_name == "spans" && has_kind(clause, &row.kind),
    }
}

fn has_kind(clause: &Clause, kind: &str) -> bool {
    clause.kind.is_empty() || clause.kind.iter().copied().map(SpanKind::as_str).any(|k| k == kind)
}

fn lacks(clause: &Clause) -> &'static str {
    if clause.event.is_empty() { "has" } else { "is named" }
}

/// The names that the table waits for.
fn wanted(table: &Table, signal: Signal) -> String {
    let clauses = || table.clauses.iter().filter(move |c| c.signal == signal && !c.also);
    let events: Vec<&str> = clauses().flat_map(|c| &c.event).map(String::as_str).collect();
    let attributes = clauses().flat_map(|c| c.any.iter().chain(&c.all)).map(String::as_str);
    if events.is_empty() { listed(attributes) } else { listed(events.into_iter().chain(attributes)) }
}

/// The views that stand on a table.
fn readers(table: &str) -> String {
    let names: Vec<&str> = VIEWS.iter().filter(|view| reads(view.sql, table)).map(|view| view.name).collect();
    if names.is_empty() { "whoever asks for it".to_owned() } else { listed(names) }
}

fn reads(sql: &str, table: &str) -> bool {
    let words: Vec<&str> = sql.split_whitespace().collect();
    let bare = |word: &str| word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_').to_owned();
    words.windows(2).any(|pair| matches!(pair[0], "FROM" | "JOIN") && bare(pair[1]) == table)
}

fn event(language: &str, name: &str, table: &str) -> super::super::finding::Mend {
    let name = name.replace(".*", ".something");
    let stems = [format!("event-{language}"), "event-any".to_owned()];
    snippets::mend(&stems, language, format!("send a record that {table} takes"), &[("name", &name)])
}

#[derive(Debug, Deserialize)]
struct Event {
    service: String,
    event: String,
    total: u64,
}

/// Events that sound like a table's and are not among its names.
pub(super) fn read_not_written(rule: &Rule, facts: &Facts<'_>) -> Result<Vec<Finding>, Error> {
    let events: Vec<Event> = facts.rows("events")?;
    let arrived: Vec<Arrived> = facts.rows("arrived")?;
    let tables = || facts.catalog.tables().iter().map(AsRef::as_ref);
    let placed = events.into_iter().filter_map(|row| Some((sounds_like(&row.event, tables())?, row))).collect();
    let mut findings = Vec::new();
    for (table, rows) in by(placed, |(table, _): &(&Table, Event)| table.name.clone()) {
        let rows: Vec<Event> = rows.into_iter().map(|(_, row)| row).collect();
        let is_empty = arrived.iter().all(|row| row.table_name != table);
        let total = rows.iter().map(|r| r.total).sum();
        let services = listed(rows.iter().map(|r| r.service.as_str()));
        let names = listed(rows.iter().map(|r| r.event.as_str()));
        let title = format!("{} named {names} of {services} go past {table}", counted(total, "record"));
        let (severity, title) = match is_empty {
            true => (Severity::Problem, format!("{title}, which nobody fills")),
            false => (Severity::Hint, title),
        };
        let seen = rows.iter().map(|r| Seen::new(&r.service, r.total).with("event", &*r.event).with("table", &*table));
        let unique: BTreeSet<String> = rows.iter().map(|r| quoted(&r.event)).collect();
        let events = unique.into_iter().collect::<Vec<_>>().join(", ");
        let blanks = [("table", table.as_str()), ("event", events.as_str())];
        let mend = snippets::filled("event-overlay", "yaml", format!("let {table} take them"), &blanks);
        let finding = rule.found(severity, title).of(seen.collect()).mended(mend);
        findings.push(Finding { detail: format!("{} Readers: {}.", finding.detail, readers(&table)), ..finding });
    }
    findings.sort_by_key(|finding| finding.severity);
    Ok(findings)
}

/// The table one of whose event names shares the most words with this one.
fn sounds_like<'a>(event: &str, tables: impl Iterator<Item = &'a Table>) -> Option<&'a Table> {
    let words = |name: &str| -> Vec<String> {
        let words = name.split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_ascii_lowercase);
        words.filter(|word| word.len() > 1 && !COMMON.contains(&word.as_str())).collect()
    };
    let own = words(event);
    let shared = |name: &str| words(name).iter().filter(|word| own.contains(word)).count();
    let likeness = |table: &Table| {
        let names = table.clauses.iter().filter(|c| c.signal == Signal::Log).flat_map(|c| &c.event);
        let alike = |name: &String| {
            let begins = words(name).first().is_some_and(|first| own.first() == Some(first));
            (shared(name), begins, (strsim::jaro_winkler(event, name) * 1000.0) as u32)
        };
        names.map(alike).max().unwrap_or_default()
    };
    tables
        .map(|table| (likeness(table), table))
        .filter(|((shared, ..), _)| *shared > 0)
        .max_by_key(|(likeness, _)| *likeness)
        .map(|(_, table)| table)
}

#[derive(Debug, Deserialize)]
struct Leftover {
    table_name: String,
    service: String,
    scope: String,
    total: u64,
}

/// Services most of whose records find no table.
pub(super) fn unmapped(rule: &Rule, facts: &Facts<'_>) -> Result<Vec<Finding>, Error> {
    let arrived: Vec<Arrived> = facts.rows("arrived")?;
    let leftovers: Vec<Leftover> = facts.rows("leftovers")?;
    let mut findings = Vec::new();
    for (service, rows) in by(arrived, |row: &Arrived| row.service.clone()) {
        let total: u64 = rows.iter().map(|r| r.total).sum();
        let left = rows.iter().filter(|r| REST.contains(&r.table_name.as_str())).map(|r| r.total).sum();
        if total < ENOUGH || percent(left, total) <= UNMAPPED {
            continue;
        }
        let title = format!("{} % of {} of {service} found no table", percent(left, total), counted(total, "record"));
        let mine = leftovers.iter().filter(|l| l.service == service);
        let seen = mine
            .take(5)
            .map(|l| Seen::new(&service, l.total).out_of(total).with("table", &*l.table_name).with("scope", &*l.scope));
        let language = rows.first().map_or("any", |row| row.language.as_str());
        let mend = event(language, "app.something", "activity_events");
        findings.push(rule.found(Severity::Hint, title).of(seen.collect()).mended(mend));
    }
    Ok(findings)
}
