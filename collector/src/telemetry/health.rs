//! Whether the process should be sent to.

use super::serve::Page;
use super::{Sources, Telemetry};

/// Where the process is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Not yet listening.
    Starting,
    /// Taking data.
    Ready,
    /// Finishing what it has.
    Draining,
    /// Something ended that must not; says what.
    Failing(String),
}

/// A journal this full is about to refuse.
const NEARLY_FULL: f64 = 0.95;

/// The health page. An object store that is away for a while is no reason to be restarted or avoided: the journal is
/// there for that. A journal that is full or broken is.
pub(crate) fn page(telemetry: &Telemetry, sources: &Sources) -> Page {
    let journal = sources.journal.stats();
    let reason = match telemetry.phase() {
        Phase::Starting => Some("starting".to_owned()),
        Phase::Draining => Some("draining".to_owned()),
        Phase::Failing(why) => Some(why),
        Phase::Ready => None,
    };
    let broken = || sources.journal.subscribe().borrow().as_ref().err().map(ToString::to_string);
    let full = || {
        let used = journal.bytes as f64 / sources.journal_max.max(1) as f64;
        (used > NEARLY_FULL).then(|| "the journal is full; the lake does not take its rows".to_owned())
    };
    let reason = reason.or_else(broken).or_else(full);
    let lake = sources.lake().last_error;
    let uptime = format!("{}s", telemetry.started.elapsed().as_secs());
    let mut body = match &reason {
        None => serde_json::json!({ "status": "Server available", "uptime": uptime }),
        Some(why) => serde_json::json!({ "status": "Server not available", "reason": why, "uptime": uptime }),
    };
    if let Some(why) = lake {
        body["lake"] = format!("waiting: {why}").into();
    }
    Page { status: if reason.is_none() { 200 } else { 503 }, kind: "application/json", body: body.to_string() }
}
