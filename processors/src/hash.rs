//! Turns identities and keys into keyed pseudonyms: every column with `from_hash`, by the `domain` it names.
//!
//! ```yaml
//! processors:
//!   hash:
//!     default_region: KZ             # how national phone numbers dial; without it they stay bare digits
//!     regions: { acme-us: US }       # the same by tenant
//!     memory: 16777216               # bytes a worker may use to remember pseudonyms
//! ```
//!
//! A pseudonym is `<letter><key id>_<26 base32 digits>`, a keyed hash of the normal form: one person is one pseudonym
//! however the e-mail, phone number or address is spelled (see `normalise`). Tenants and domains have keys of their
//! own, so that equal values in two of them give unrelated pseudonyms. What a sender put into such a column is
//! overwritten: only our hashes may stand there. A value that is empty once normalised gives NULL.
//!
//! Rows get pseudonyms of the current key id (`keys.kid`). [`Maker`] gives those of every live one (`keys.kids`), which is
//! what a search has to ask for: `marquetry pseudonym` prints them.

mod normalise;
mod phone;
mod pseudonyms;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use component::{Component, ConfigError, Context, Gather, ProcessError, Processor};
use serde::Deserialize;

use normalise::Normal;

pub use pseudonyms::Maker;
pub(crate) use pseudonyms::{Pseudonyms, Scope, lock};

/// The normal form of a value in a domain, without a region for national telephone numbers.
pub(crate) fn normal_form<'a>(domain: &str, value: &'a str) -> Cow<'a, str> {
    Normal::of(domain, None).form(value)
}

/// Settings.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Two letters of the region whose dialling rules national phone numbers follow.
    pub default_region: Option<String>,
    /// The same for single tenants.
    pub regions: BTreeMap<String, String>,
    /// Bytes that each worker may use to remember pseudonyms.
    pub memory: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { default_region: None, regions: BTreeMap::new(), memory: 16 << 20 }
    }
}

/// The processor.
pub struct Hash {
    /// What to fill, by table.
    plans: HashMap<String, Vec<Plan>>,
    pseudonyms: Arc<Mutex<Pseudonyms>>,
}

/// A column and the column whose hash it is.
struct Plan {
    target: usize,
    origin: usize,
    domain: usize,
}

impl Component for Hash {
    const NAME: &'static str = "hash";
    const ABOUT: &'static str = "Turns identities and keys into keyed pseudonyms.";
    type Config = Config;

    fn new(config: Config, cx: &Context) -> Result<Self, ConfigError> {
        let shared = Pseudonyms::shared(&config, cx)?;
        let mut pseudonyms = lock(&shared);
        let mut plans: HashMap<String, Vec<Plan>> = HashMap::new();
        for table in cx.catalog.tables() {
            for (target, column) in table.columns.iter().enumerate() {
                let (Some(origin), Some(name)) = (&column.from_hash, &column.domain) else { continue };
                let Some(origin) = table.index(origin) else { continue };
                let domain = pseudonyms.domain(name);
                plans.entry(table.name.clone()).or_default().push(Plan { target, origin, domain });
            }
        }
        drop(pseudonyms);
        Ok(Self { plans, pseudonyms: shared })
    }
}

impl Processor for Hash {
    fn process(&mut self, gather: &mut Gather) -> Result<(), ProcessError> {
        let mut pseudonyms = lock(&self.pseudonyms);
        for rows in gather.tables_mut() {
            let tenant = rows.get("tenant").cloned();
            for plan in self.plans.get(&rows.table().name).into_iter().flatten() {
                match rows.at(plan.origin).cloned() {
                    Some(origin) => {
                        rows.set_at(plan.target, pseudonyms.column(tenant.as_ref(), &origin, plan.domain)?)?
                    }
                    None => rows.clear_at(plan.target),
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
