//! Users, sessions, browsers.

use serde::Deserialize;

use super::super::facts::Facts;
use super::super::finding::{Finding, Mend, Seen, Severity, counted, listed, percent};
use super::super::snippets;
use super::{Arrived, Rule, by};
use crate::error::Error;

/// Requests without a user in percent: visitors who have not signed in are normal, up to here.
const SOME: u64 = 20;
/// From here on the app does not say who its users are.
const MOST: u64 = 50;

/// Tables whose rows have a user behind them, besides `requests`.
const OF_USERS: &[&str] = &["provider_calls", "activity_events", "audit_log", "rate_limits"];

#[derive(Debug, Deserialize)]
struct Requests {
    service: String,
    language: String,
    scope: String,
    total: u64,
    without_user: u64,
    without_session: u64,
    from_browsers: u64,
}

/// The part of the app where a user is known first, as the instrumentation's name tells.
fn framework(language: &str, scope: &str) -> &'static str {
    let named = ["flask", "fastapi", "django", "express"].into_iter().find(|name| scope.contains(name));
    match (named, language) {
        (Some(name), _) => name,
        (None, "nodejs") => "express",
        (None, "java") => "java",
        (None, "python") if scope.contains("asgi") || scope.contains("starlette") => "fastapi",
        (None, "python") => "flask",
        _ => "any",
    }
}

fn identify(language: &str, framework: &str) -> Mend {
    let about = match framework {
        "any" => "say who the user is and which session it is".to_owned(),
        name => format!("say who the user is and which session it is ({name})"),
    };
    snippets::mend(&[format!("identity-{framework}")], language, about, &[])
}

/// Services of one framework whose requests lack something.
fn lacking(
    rule: &Rule,
    facts: &Facts<'_>,
    what: &str,
    lack: fn(&Requests) -> u64,
    severity: fn(u64) -> Option<Severity>,
) -> Result<Vec<Finding>, Error> {
    let rows: Vec<Requests> = facts.rows("identity")?;
    let groups = by(rows, |row: &Requests| (row.language.clone(), framework(&row.language, &row.scope)));
    let mut findings = Vec::new();
    for ((language, framework), rows) in groups {
        let judged = rows.iter().filter_map(|row| Some((row, severity(percent(lack(row), row.total))?)));
        let judged: Vec<(&Requests, Severity)> = judged.collect();
        let Some(worst) = judged.iter().map(|(_, severity)| *severity).min() else { continue };
        let (missing, total) = judged.iter().fold((0, 0), |(m, t), (row, _)| (m + lack(row), t + row.total));
        let services = listed(judged.iter().map(|(row, _)| row.service.as_str()));
        let title = format!("{missing} of {} of {services} have no {what}", counted(total, "request"));
        let seen = judged.iter().map(|(row, _)| Seen::new(&row.service, lack(row)).out_of(row.total));
        findings.push(rule.found(worst, title).of(seen.collect()).mended(identify(&language, framework)));
    }
    Ok(findings)
}

/// Requests whose whole trace names no user.
pub(super) fn without_user(rule: &Rule, facts: &Facts<'_>) -> Result<Vec<Finding>, Error> {
    lacking(
        rule,
        facts,
        "user",
        |row| row.without_user,
        |share| match share {
            s if s > MOST => Some(Severity::Problem),
            s if s > SOME => Some(Severity::Hint),
            _ => None,
        },
    )
}

/// Services none of whose requests has a session.
pub(super) fn without_session(rule: &Rule, facts: &Facts<'_>) -> Result<Vec<Finding>, Error> {
    lacking(rule, facts, "session", |row| row.without_session, |share| (share == 100).then_some(Severity::Hint))
}

/// Rows below requests that lost the user on the way.
pub(super) fn anonymous(rule: &Rule, facts: &Facts<'_>) -> Result<Vec<Finding>, Error> {
    let rows: Vec<Arrived> = facts.rows("arrived")?;
    let of_users: Vec<_> = rows.into_iter().filter(|row| OF_USERS.contains(&row.table_name.as_str())).collect();
    let groups = by(of_users, |row: &Arrived| (row.language.clone(), row.service.clone(), row.table_name.clone()));
    let mut languages = std::collections::BTreeMap::<String, Vec<Seen>>::new();
    for ((language, service, table), rows) in groups {
        let total: u64 = rows.iter().map(|r| r.total).sum();
        let without = total - rows.iter().map(|r| r.with_user).sum::<u64>();
        if percent(without, total) > MOST {
            languages
                .entry(language)
                .or_default()
                .push(Seen::new(&service, without).out_of(total).with("table", table));
        }
    }
    let finding = |(language, seen): (String, Vec<Seen>)| {
        let tables = listed(seen.iter().filter_map(|s| s.about.get("table").map(String::as_str)));
        let missing = seen.iter().map(|s| s.count).sum();
        let title = format!("{} in {tables} know no user", counted(missing, "row"));
        let mend = identify(&language, framework(&language, ""));
        rule.found(Severity::Hint, title).of(seen).mended(mend)
    };
    Ok(languages.into_iter().map(finding).collect())
}

/// Browsers ask, and none of them tells.
pub(super) fn no_browser(rule: &Rule, facts: &Facts<'_>) -> Result<Vec<Finding>, Error> {
    let arrived: Vec<Arrived> = facts.rows("arrived")?;
    if arrived.iter().any(|row| row.language == "webjs") {
        return Ok(Vec::new());
    }
    let rows: Vec<Requests> = facts.rows("identity")?;
    let asked: Vec<&Requests> = rows.iter().filter(|row| row.from_browsers > 0).collect();
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let total = asked.iter().map(|row| row.from_browsers).sum();
    let title = format!("{} came from browsers, and no browser sends anything", counted(total, "request"));
    let seen = asked.iter().map(|row| Seen::new(&row.service, row.from_browsers).out_of(row.total)).collect();
    let mend = snippets::filled("browser", "webjs", "let the page send spans with their session", &[]);
    Ok(vec![rule.found(Severity::Hint, title).of(seen).mended(mend)])
}
