//! Health checks and timers.

use serde::Deserialize;

use super::super::facts::Facts;
use super::super::finding::{Finding, Seen, Severity, listed, percent};
use super::super::snippets::{self, quoted};
use super::{Rule, by};
use crate::error::Error;

/// Share of a service's requests in percent that is too much for nobody.
const SHARE: u64 = 30;

/// Gaps between requests of one client that tell a timer from a person.
const GAPS: u64 = 15;

/// Last parts of the routes that probes and timers ask.
const PROBES: &[&str] = &[
    "health",
    "healthz",
    "healthcheck",
    "health-check",
    "health_check",
    "livez",
    "liveness",
    "live",
    "readyz",
    "readiness",
    "ready",
    "startup",
    "ping",
    "up",
    "alive",
    "heartbeat",
    "status",
    "metrics",
    "poll",
    "keepalive",
];

#[derive(Debug, Deserialize)]
struct Route {
    service: String,
    route: String,
    total: u64,
    gaps: u64,
    low: Option<f64>,
    middle: Option<f64>,
    high: Option<f64>,
}

impl Route {
    fn is_probe(&self) -> bool {
        let last = self.route.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        PROBES.iter().any(|probe| last.eq_ignore_ascii_case(probe))
    }

    /// Whether the time between two requests of a client hardly changes: nobody clicks like that.
    fn is_timed(&self) -> bool {
        let (Some(low), Some(middle), Some(high)) = (self.low, self.middle, self.high) else { return false };
        self.gaps >= GAPS && (1.0..=3600.0).contains(&middle) && high - low <= middle * 0.2
    }
}

/// Services whose requests are mostly a machine's.
pub(super) fn noise(rule: &Rule, facts: &Facts<'_>) -> Result<Vec<Finding>, Error> {
    let rows: Vec<Route> = facts.rows("routes")?;
    let mut findings = Vec::new();
    for (service, routes) in by(rows, |row: &Route| row.service.clone()) {
        let total: u64 = routes.iter().map(|r| r.total).sum();
        let noisy: Vec<&Route> =
            routes.iter().filter(|r| r.route != "unknown" && (r.is_probe() || r.is_timed())).collect();
        let share = percent(noisy.iter().map(|r| r.total).sum(), total);
        if share <= SHARE {
            continue;
        }
        let names = listed(noisy.iter().map(|r| r.route.as_str()));
        let title = format!("{share} % of the requests of {service} are health checks or timers: {names}");
        let what = |r: &Route| if r.is_probe() { "health" } else { "polling" };
        let seen = |r: &&Route| {
            let every = r.middle.filter(|_| r.is_timed()).map(|m| format!("{m:.0}"));
            let seen = Seen::new(&service, r.total).out_of(total).with("route", &*r.route).with("kind", what(r));
            every.map_or(seen.clone(), |seconds| seen.with("every_seconds", seconds))
        };
        let items: Vec<_> =
            noisy.iter().map(|r| vec![("name", what(r).to_owned()), ("route", quoted(&r.route))]).collect();
        let mend = snippets::list("filter", "drop them before they are stored", &[], &items);
        findings.push(rule.found(Severity::Hint, title).of(noisy.iter().map(seen).collect()).mended(mend));
    }
    Ok(findings)
}
