//! What should not have been sent.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::super::facts::Facts;
use super::super::finding::{Finding, Seen, Severity, counted, listed};
use super::super::snippets::{self, quoted};
use super::{Rule, by};
use crate::error::Error;

#[derive(Debug, Deserialize)]
struct Place {
    table_name: String,
    service: String,
    place: String,
    is_attribute: bool,
    kind: String,
    total: u64,
}

/// Kinds of personal data by the column or attribute that held them.
pub(super) fn personal(rule: &Rule, facts: &Facts<'_>) -> Result<Vec<Finding>, Error> {
    let rows: Vec<Place> = facts.rows("personal")?;
    let (in_attributes, in_columns): (Vec<Place>, Vec<Place>) = rows.into_iter().partition(|row| row.is_attribute);
    let mut findings: Vec<Finding> = Vec::new();
    if !in_columns.is_empty() {
        let places: Vec<String> = in_columns.iter().map(|p| format!("{}.{}", p.table_name, p.place)).collect();
        let mend = snippets::filled("drop-source", "any", "leave it out at the source", &[]);
        findings.push(finding(rule, &in_columns, &listed(places.iter().map(String::as_str))).mended(mend));
    }
    for (table, rows) in by(in_attributes, |row: &Place| row.table_name.clone()) {
        let keys: BTreeSet<&str> = rows.iter().map(|row| row.place.as_str()).collect();
        let items: Vec<_> = keys.iter().map(|key| vec![("column", column(key)), ("key", quoted(key))]).collect();
        let about = "take what these attributes hold out, whatever it is";
        let mend = snippets::list("drop-overlay", about, &[("table", &table)], &items);
        let attributes = if keys.len() == 1 { "attribute" } else { "attributes" };
        let place = format!("{attributes} {} of {table}", listed(keys.iter().copied()));
        findings.push(finding(rule, &rows, &place).mended(mend));
    }
    Ok(findings)
}

fn finding(rule: &Rule, rows: &[Place], where_found: &str) -> Finding {
    let total = rows.iter().map(|r| r.total).sum();
    let kinds = listed(rows.iter().map(|r| r.kind.as_str()));
    let title = format!("{where_found}: {} held {kinds}", counted(total, "record"));
    let seen = |r: &Place| {
        let place = Seen::new(&r.service, r.total).with("table", &*r.table_name).with("kind", &*r.kind);
        place.with(if r.is_attribute { "attribute" } else { "column" }, &*r.place)
    };
    rule.found(Severity::Hint, title).of(rows.iter().map(seen).collect())
}

/// A name that a column may have.
fn column(key: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    format!("dropped_{}", key.chars().map(plain).collect::<String>())
}

#[derive(Debug, Deserialize)]
struct Content {
    service: String,
    total: u64,
    kept: u64,
}

/// Conversations on the wire.
pub(super) fn content(rule: &Rule, facts: &Facts<'_>) -> Result<Vec<Finding>, Error> {
    let rows: Vec<Content> = facts.rows("content")?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let total = rows.iter().map(|r| r.total).sum();
    let kept: u64 = rows.iter().map(|r| r.kept).sum();
    let services = listed(rows.iter().map(|r| r.service.as_str()));
    let fate =
        if kept > 0 { format!("{kept} are kept, as redact.keep_content says") } else { "none is kept".to_owned() };
    let title = format!("{} of {services} brought a conversation; {fate}", counted(total, "record"));
    let seen = rows.iter().map(|r| Seen::new(&r.service, r.total).with("kept", r.kept.to_string())).collect();
    let mend = snippets::of_language("content", "sh", "do not capture it");
    Ok(vec![rule.found(Severity::Hint, title).of(seen).mended(mend)])
}
