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

mod normalise;
mod phone;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder};
use component::{Component, ConfigError, Context, Gather, Key, KeyError, Keyring, ProcessError, Processor, Text};
use serde::Deserialize;

use crate::memo::Memo;
use normalise::Normal;
use phone::Region;

/// The normal form of a value in a domain, without a region for national telephone numbers.
pub(crate) fn normal_form<'a>(domain: &str, value: &'a str) -> Cow<'a, str> {
    Normal::of(domain, None).form(value)
}

/// Characters of a pseudonym, to reserve room.
const PSEUDONYM: usize = 30;

/// Settings.
#[derive(Debug, Clone, Deserialize)]
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
    keys: Arc<Keyring>,
    /// What to fill, by table.
    plans: HashMap<String, Vec<Plan>>,
    domains: Vec<String>,
    region: Option<Region>,
    regions: BTreeMap<String, Region>,
    /// By tenant, one place per domain.
    scopes: BTreeMap<String, Vec<Option<Scope>>>,
    next_scope: u32,
    memo: Memo<Option<Box<str>>>,
}

/// A column and the column whose hash it is.
struct Plan {
    target: usize,
    origin: usize,
    domain: usize,
}

/// A tenant's domain: values here share a key and a normal form.
#[derive(Clone)]
struct Scope {
    number: u32,
    key: Arc<Key>,
    normal: Normal,
}

impl Component for Hash {
    const NAME: &'static str = "hash";
    const ABOUT: &'static str = "Turns identities and keys into keyed pseudonyms.";
    type Config = Config;

    fn new(config: Config, cx: &Context) -> Result<Self, ConfigError> {
        let region = |path: &str, code: &str| {
            let unknown = || ConfigError::at(path, "not a region: give the two letters of a country, such as KZ or US");
            Region::find(code).ok_or_else(unknown)
        };
        let mut regions = BTreeMap::new();
        for (tenant, code) in &config.regions {
            let found = region("regions", code)?;
            regions.insert(tenant.clone(), found);
        }
        let mut domains: Vec<String> = Vec::new();
        let mut plans: HashMap<String, Vec<Plan>> = HashMap::new();
        for table in cx.catalog.tables() {
            for (target, column) in table.columns.iter().enumerate() {
                let (Some(origin), Some(name)) = (&column.from_hash, &column.domain) else { continue };
                let Some(origin) = table.index(origin) else { continue };
                let domain = domains.iter().position(|d| d == name).unwrap_or_else(|| {
                    domains.push(name.clone());
                    domains.len() - 1
                });
                plans.entry(table.name.clone()).or_default().push(Plan { target, origin, domain });
            }
        }
        Ok(Self {
            keys: Arc::clone(&cx.keys),
            plans,
            domains,
            region: config.default_region.as_deref().map(|code| region("default_region", code)).transpose()?,
            regions,
            scopes: BTreeMap::new(),
            next_scope: 0,
            memo: Memo::new(config.memory),
        })
    }
}

impl Processor for Hash {
    fn process(&mut self, gather: &mut Gather) -> Result<(), ProcessError> {
        let plans = std::mem::take(&mut self.plans);
        let done = gather.tables_mut().try_for_each(|rows| {
            let tenant = rows.get("tenant").cloned();
            for plan in plans.get(&rows.table().name).into_iter().flatten() {
                match rows.at(plan.origin).cloned() {
                    Some(origin) => {
                        rows.set_at(plan.target, self.pseudonyms(tenant.as_ref(), &origin, plan.domain)?)?
                    }
                    None => rows.clear_at(plan.target),
                }
            }
            Ok(())
        });
        self.plans = plans;
        done
    }
}

impl Hash {
    /// The pseudonyms of a column. Each distinct value is hashed once, as long as it is remembered.
    fn pseudonyms(
        &mut self,
        tenant: Option<&ArrayRef>,
        origin: &ArrayRef,
        domain: usize,
    ) -> Result<ArrayRef, ProcessError> {
        let Some(values) = Text::new(origin) else {
            return Err(ProcessError::Refused(format!(
                "hashing a column of domain {}: it is not text",
                self.domains[domain]
            )));
        };
        let tenant = tenant.and_then(Text::new);
        let mut out = StringBuilder::with_capacity(values.len(), values.len() * PSEUDONYM);
        let mut current: Option<(&str, Scope)> = None;
        for (row, value) in values.iter().enumerate() {
            let Some(value) = value else {
                out.append_null();
                continue;
            };
            let tenant = tenant.and_then(|t| t.get(row)).unwrap_or("");
            let scope = match &current {
                Some((known, scope)) if *known == tenant => scope,
                _ => &current.insert((tenant, self.scope(tenant, domain)?)).1,
            };
            if let Some(known) = self.memo.get(scope.number, value) {
                out.append_option(known.as_deref());
                continue;
            }
            let made = pseudonym(scope, value);
            out.append_option(made.as_deref());
            self.memo.put(scope.number, value, made, PSEUDONYM);
        }
        Ok(Arc::new(out.finish()))
    }

    fn scope(&mut self, tenant: &str, domain: usize) -> Result<Scope, KeyError> {
        if let Some(scope) = self.scopes.get(tenant).and_then(|s| s[domain].as_ref()) {
            return Ok(scope.clone());
        }
        let name = &self.domains[domain];
        let region = self.regions.get(tenant).or(self.region.as_ref()).copied();
        let scope =
            Scope { number: self.next_scope, key: self.keys.key(tenant, name)?, normal: Normal::of(name, region) };
        self.next_scope += 1;
        let scopes = self.scopes.entry(tenant.to_owned()).or_insert_with(|| vec![None; self.domains.len()]);
        scopes[domain] = Some(scope.clone());
        Ok(scope)
    }
}

fn pseudonym(scope: &Scope, value: &str) -> Option<Box<str>> {
    let normal = scope.normal.form(value);
    (!normal.is_empty()).then(|| scope.key.pseudonym(&normal).into_string().into())
}

#[cfg(test)]
mod tests;
