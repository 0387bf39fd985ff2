//! Which signals come, by which clock, under which names.

use serde::Deserialize;

use super::super::facts::Facts;
use super::super::finding::{Finding, Seen, Severity, counted, listed};
use super::super::snippets;
use super::{Arrived, Rule, by};
use crate::error::Error;

/// Seconds between two clocks that nobody notices; batches and retries are within it.
const SKEW: i64 = 60;
/// Seconds by which a queue that is worked off, or a history that is sent, is late.
const LATE: i64 = 3600;

/// Services that send spans and no log.
pub(super) fn no_logs(rule: &Rule, facts: &Facts<'_>) -> Result<Vec<Finding>, Error> {
    let rows: Vec<Arrived> = facts.rows("arrived")?;
    let services = by(rows, |row: &Arrived| (row.language.clone(), row.service.clone()));
    let silent = services.into_iter().filter(|(_, rows)| rows.iter().all(|row| row.kind != "log"));
    let mut languages = std::collections::BTreeMap::<String, Vec<Seen>>::new();
    for ((language, service), rows) in silent {
        // A browser's events are often spans alone.
        if language != "webjs" {
            let total = rows.iter().map(|r| r.total).sum();
            languages.entry(language).or_default().push(Seen::new(&service, total));
        }
    }
    let finding = |(language, seen): (String, Vec<Seen>)| {
        let services = listed(seen.iter().map(|s| s.service.as_str()));
        let total = seen.iter().map(|s| s.count).sum();
        let title = format!("{} of {services}, and no log", counted(total, "span"));
        let mend = snippets::of_language("logs", &language, "send the logs as well");
        rule.found(Severity::Hint, title).of(seen).mended(mend)
    };
    Ok(languages.into_iter().map(finding).collect())
}

#[derive(Debug, Deserialize)]
struct Clock {
    service: String,
    language: String,
    total: u64,
    least: i64,
    median: i64,
}

/// Services whose clock is not ours.
pub(super) fn clock_skew(rule: &Rule, facts: &Facts<'_>) -> Result<Vec<Finding>, Error> {
    let rows: Vec<Clock> = facts.rows("clocks")?;
    let mut findings = Vec::new();
    for row in rows {
        // Ahead: what happened before it arrived says that it will happen. Behind: even the quickest record took long,
        // which may also be a queue that is worked off.
        let (seconds, how) = if row.median < -SKEW {
            (-row.median, "ahead")
        } else if row.least > SKEW {
            (row.least, "behind, or it sends that late")
        } else {
            continue;
        };
        let minutes = (seconds + 30) / 60;
        let title = format!("the clock of {} is {minutes} min {how}", row.service);
        // A visitor's clock is nobody's here to set, and what comes an hour late was rather kept that long.
        let is_mild = row.language == "webjs" || row.least > LATE;
        let severity = if is_mild { Severity::Hint } else { Severity::Problem };
        let seen = Seen::new(&row.service, row.total).with("minutes", minutes.to_string());
        let mend = snippets::filled("clock", "sh", "keep the clock right", &[]);
        findings.push(rule.found(severity, title).of(vec![seen]).mended(mend));
    }
    Ok(findings)
}

#[derive(Debug, Deserialize)]
struct Old {
    service: String,
    language: String,
    scope: String,
    total: u64,
}

/// Spans under the HTTP names of before.
pub(super) fn old_names(rule: &Rule, facts: &Facts<'_>) -> Result<Vec<Finding>, Error> {
    let rows: Vec<Old> = facts.rows("old_names")?;
    let finding = |(language, rows): (String, Vec<Old>)| {
        let total = rows.iter().map(|r| r.total).sum();
        let services = listed(rows.iter().map(|r| r.service.as_str()));
        let title = format!("{} of {services} carry old HTTP names", counted(total, "span"));
        let seen = rows.iter().map(|r| Seen::new(&r.service, r.total).with("scope", &*r.scope)).collect();
        let mend = snippets::of_language("names", &language, "send the present names");
        rule.found(Severity::Info, title).of(seen).mended(mend)
    };
    Ok(by(rows, |row: &Old| row.language.clone()).into_iter().map(finding).collect())
}
