//! Fills what a record does not say itself: user, session, client network, user agent, and every column marked
//! `by: enrich` in the tables.
//!
//! ```yaml
//! processors:
//!   enrich:
//!     client:
//!       trusted_hops: 1                  # proxies of yours that a request passes; 0 believes no forwarding header
//!       # trusted_proxies: [10.0.0.0/8]  # or their networks
//!       # geo: { country: country.mmdb, asn: asn.mmdb }
//!     nobody: [anonymous, guest]         # words that mean that no user is known
//!     memory: 8388608                    # bytes a worker may use to remember traces, sessions, devices and agents
//!     # lookups: [..]                    # files that say more of users, addresses and devices: see `lookups`
//! ```
//!
//! What the sender set is a fact (`user_source` is `attribute`); what other records tell is a hint (`trace`, `session`,
//! `device`), which the merge works out again from facts alone, by the same rules. Audit rows take no hints.

mod agent;
mod calls;
mod client;
mod events;
mod geo;
mod identity;
mod lookups;
mod read;
mod security;
mod url;
mod web;

use component::{Component, ConfigError, Context, Gather, ProcessError, Processor, Rows};
use serde::Deserialize;

/// What senders write when nobody is known, unless the settings say otherwise.
const NOBODY: [&str; 9] = ["anonymous", "anonymoususer", "unknown", "undefined", "null", "none", "nil", "n/a", "-"];

/// Settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Whom to believe about the client's address.
    pub client: client::Config,
    /// Words that senders write when nobody is known, compared without case.
    pub nobody: Vec<String>,
    /// Bytes that each worker may use to remember traces, sessions, devices and user agents.
    pub memory: usize,
    /// Files that say more of users, addresses and devices.
    pub lookups: Vec<lookups::Config>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            client: client::Config::default(),
            nobody: NOBODY.map(str::to_owned).to_vec(),
            memory: 8 << 20,
            lookups: Vec::new(),
        }
    }
}

/// The processor.
pub struct Enrich {
    identity: identity::Identity,
    client: client::Client,
    agents: agent::Agents,
    lookups: lookups::Lookups,
}

impl Component for Enrich {
    const NAME: &'static str = "enrich";
    const ABOUT: &'static str = "Fills user, session, client network, user agent and derived columns.";
    type Config = Config;

    fn new(config: Config, cx: &Context) -> Result<Self, ConfigError> {
        Ok(Self {
            identity: identity::Identity::new(config.memory / 4 * 3, &config.nobody),
            client: client::Client::new(&config.client, cx)?,
            agents: agent::Agents::new(config.memory / 4),
            lookups: lookups::Lookups::new(&config.lookups, cx)?,
        })
    }
}

impl Processor for Enrich {
    fn process(&mut self, gather: &mut Gather) -> Result<(), ProcessError> {
        let places = self.client.places();
        for rows in gather.tables_mut() {
            self.identity.forget_nobody(rows)?;
            self.client.fill(rows, &places)?;
            self.agents.fill(rows)?;
            derive(rows)?;
        }
        // So late that it sees of a row what the merge will see: a sign-out may have its name from its numbers.
        self.identity.fill(gather)?;
        self.lookups.fill(gather)
    }
}

/// Columns that follow from others of the same row.
fn derive(rows: &mut Rows) -> Result<(), ProcessError> {
    let table = std::sync::Arc::clone(rows.table());
    // In these the route is the framework's alone; in `errors` it may be whatever an application calls an endpoint.
    if matches!(table.name.as_str(), "requests" | "auth_events" | "audit_log" | "rate_limits") {
        web::routes(rows)?;
    }
    match table.name.as_str() {
        "requests" => web::requests(rows),
        "errors" => web::errors(rows),
        "activity_events" => events::activity(rows),
        "rate_limits" => events::rate_limits(rows),
        "auth_events" => security::auth(rows),
        "audit_log" => security::audit(rows),
        "provider_calls" => calls::provider_calls(rows),
        "key_events" => calls::key_events(rows),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
