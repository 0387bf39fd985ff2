//! `marquetry doctor`: what is missing in what arrived, what is wrong around it, and the lines that mend it.
//!
//! Rules judge the answers to questions (`queries/doctor/*.sql`); checks look at ports, disk, key and clock, and send a
//! record of their own to a collector that runs. Nothing is started, and nothing is changed but that record.
//!
//! Architecture invariant: no value of a record is shown. What is shown are counts and names: of services, attributes,
//! routes, events, hosts and models.

mod client;
mod environment;
mod facts;
pub(crate) mod finding;
mod report;
mod rules;
mod snippets;
#[cfg(test)]
mod tests;

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use queries::Engine;
use schemas::Catalog;
use serde::Deserialize;

use crate::Distribution;
use crate::cli::Form;
use crate::config::{Config, Inputs};
use crate::error::Error;
use facts::Facts;
use finding::{Finding, Severity};

/// The service that test records are of; what it sent is left out of every count.
const SERVICE: &str = "marquetry-doctor";

/// Looks at everything and says what it found; an error when something must be mended.
pub(crate) async fn doctor(
    inputs: &Inputs,
    distribution: &Distribution,
    form: Form,
    since: Duration,
) -> Result<(), Error> {
    let findings = examine(inputs, distribution, since).await;
    let text = match form {
        Form::Json => report::json(&findings).map_err(|e| Error::Query(e.to_string()))? + "\n",
        Form::Text => report::text(&findings),
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    match findings.iter().any(|finding| finding.severity == Severity::Problem) {
        true => Err(Error::Unhealthy),
        false => Ok(()),
    }
}

/// All findings: of the configuration, of what surrounds the data, of what arrived.
async fn examine(inputs: &Inputs, distribution: &Distribution, since: Duration) -> Vec<Finding> {
    let mut findings = Vec::new();
    let config = Config::load(inputs, distribution);
    match &config {
        Ok(config) => {
            findings.push(Finding::ok("configuration", "the configuration is right"));
            findings.extend(environment::look(config).await);
        }
        Err(problems) => {
            let count = finding::counted(problems.len() as u64, "mistake");
            let why = format!("The collector does not start with it.\n{problems}");
            findings.push(Finding::problem("configuration", format!("the configuration has {count}")).because(why));
        }
    }
    // Who wants to know what arrived need not have tokens or certificates.
    if let Ok(asked) = Config::for_questions(inputs, distribution) {
        match arrived(&asked, since).await {
            Ok(Some(found)) => findings.extend(found),
            Ok(None) => findings.push(nothing(config.as_ref().unwrap_or(&asked), since)),
            // What was found around the data often says why.
            Err(e) => findings.push(Finding::problem("data", format!("what arrived cannot be asked for: {e}"))),
        }
    }
    findings
}

/// What the rules say of the data, if there is any.
pub(crate) async fn arrived(config: &Config, since: Duration) -> Result<Option<Vec<Finding>>, Error> {
    let (engine, catalog) = match open_engine(config).await {
        Ok(opened) => opened,
        // There is no folder yet.
        Err(Error::Usage(_)) => return Ok(None),
        Err(e) => return Err(e),
    };
    let facts = Facts::ask(&engine, &catalog, since).await?;
    let rows: Vec<Total> = facts.rows("arrived")?;
    let total = rows.iter().map(|row| row.total).sum();
    if total == 0 {
        return Ok(None);
    }
    let title = format!("{} arrived in the last {}", finding::counted(total, "row"), spelt(since));
    let mut findings = vec![Finding::ok("data", title)];
    findings.extend(rules::judge(&facts)?);
    Ok(Some(findings))
}

/// A while in the largest unit that fits.
fn spelt(while_: Duration) -> String {
    let seconds = while_.as_secs();
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
    let fits = units.iter().find(|(unit, _)| seconds >= *unit && seconds.is_multiple_of(*unit));
    let (n, unit) = fits.map_or((seconds, "second"), |(unit, name)| (seconds / unit, name));
    if n == 1 { unit.to_owned() } else { finding::counted(n, unit) }
}

#[derive(Deserialize)]
struct Total {
    total: u64,
}

/// The empty state: how to send the first record.
fn nothing(config: &Config, since: Duration) -> Finding {
    let http = config.listeners.iter().find(|l| l.wire == crate::config::Wire::Http);
    let scheme = if http.is_some_and(|l| l.tls.is_some()) { "https" } else { "http" };
    let address = http.map_or("127.0.0.1:4318".to_owned(), |l| client::reachable(&l.address));
    let blanks = [("endpoint", &*format!("{scheme}://{address}"))];
    let mend = snippets::filled("first-record", "sh", "send the first record", &blanks);
    let title = format!("nothing arrived in the last {}, so there is nothing to judge", spelt(since));
    Finding::hint("data", title).mended(mend)
}

/// An engine on the configuration's data, and its catalog.
async fn open_engine(config: &Config) -> Result<(Engine, Arc<Catalog>), Error> {
    let catalog = Catalog::load(config.overlay.as_deref()).map_err(|e| Error::Schemas(crate::with_sources(&e)))?;
    let catalog = Arc::new(catalog);
    let source = crate::asking::source(config)?;
    let engine = Engine::open(source, Arc::clone(&catalog)).await.map_err(|e| crate::asking::failed(&e))?;
    Ok((engine, catalog))
}
