//! Makes pseudonyms and remembers them: one memory a worker, for the seal and for what looks up before it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::{ArrayRef, StringBuilder};
use component::{ConfigError, Context, Key, KeyError, Keyring, ProcessError, Pseudonym, Text};

use super::Config;
use super::normalise::Normal;
use super::phone::Region;
use crate::memo::Memo;

/// Characters of a pseudonym, to reserve room.
const PSEUDONYM: usize = 30;

/// Makes pseudonyms by the settings of `hash` and remembers none.
#[derive(Debug, Clone)]
pub struct Maker {
    keys: Arc<Keyring>,
    region: Option<Region>,
    regions: BTreeMap<String, Region>,
}

/// A tenant's domain: values here share a key and a normal form.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    key: Arc<Key>,
    normal: Normal,
}

/// Makes pseudonyms, each as long as it is remembered once.
pub(crate) struct Pseudonyms {
    config: Config,
    maker: Maker,
    domains: Vec<String>,
    /// By tenant, one place per domain.
    scopes: BTreeMap<String, Vec<Option<(u32, Scope)>>>,
    next_scope: u32,
    memo: Memo<Option<Box<str>>>,
}

/// The memory of a worker, which nothing else wants at the same time.
pub(crate) fn lock(shared: &Mutex<Pseudonyms>) -> MutexGuard<'_, Pseudonyms> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Maker {
    /// By these settings and the keys of `cx`.
    pub fn new(config: &Config, cx: &Context) -> Result<Self, ConfigError> {
        let region = |path: &str, code: &str| {
            let unknown = || ConfigError::at(path, "not a region: give the two letters of a country, such as KZ or US");
            Region::find(code).ok_or_else(unknown)
        };
        let mut regions = BTreeMap::new();
        for (tenant, code) in &config.regions {
            let found = region("regions", code)?;
            regions.insert(tenant.clone(), found);
        }
        Ok(Self {
            keys: Arc::clone(&cx.keys),
            region: config.default_region.as_deref().map(|code| region("default_region", code)).transpose()?,
            regions,
        })
    }

    /// The normal form of a value, which its pseudonym is the hash of; empty when nothing is left of it.
    pub fn normal<'a>(&self, tenant: &str, domain: &str, value: &'a str) -> Cow<'a, str> {
        self.form(tenant, domain).form(value)
    }

    /// The pseudonyms of a value by every live key id, as rows of any time may have them: the current one first, then
    /// the others, newest first. None if nothing is left of its normal form.
    pub fn live(&self, tenant: &str, domain: &str, value: &str) -> Result<Vec<(u32, Pseudonym)>, KeyError> {
        let normal = self.normal(tenant, domain, value);
        if normal.is_empty() {
            return Ok(Vec::new());
        }
        let keys = self.keys.live(tenant, domain)?;
        Ok(keys.iter().map(|key| (key.kid(), key.pseudonym(&normal))).collect())
    }

    pub(crate) fn scope(&self, tenant: &str, domain: &str) -> Result<Scope, KeyError> {
        Ok(Scope { key: self.keys.key(tenant, domain)?, normal: self.form(tenant, domain) })
    }

    fn form(&self, tenant: &str, domain: &str) -> Normal {
        Normal::of(domain, self.regions.get(tenant).or(self.region.as_ref()).copied())
    }
}

impl Scope {
    /// The normal form of a value.
    pub(crate) fn normal<'a>(&self, value: &'a str) -> Cow<'a, str> {
        self.normal.form(value)
    }

    /// The pseudonym of a value; `None` if nothing is left of its normal form.
    pub(crate) fn pseudonym(&self, value: &str) -> Option<Box<str>> {
        let normal = self.normal.form(value);
        (!normal.is_empty()).then(|| self.key.pseudonym(&normal).into_string().into())
    }
}

impl Pseudonyms {
    /// The worker's, if another stage has made it with the same settings.
    pub(crate) fn shared(config: &Config, cx: &Context) -> Result<Arc<Mutex<Self>>, ConfigError> {
        if let Some(known) = cx.shared.get::<Mutex<Self>>()
            && lock(&known).config == *config
        {
            return Ok(known);
        }
        let made = Arc::new(Mutex::new(Self {
            config: config.clone(),
            maker: Maker::new(config, cx)?,
            domains: Vec::new(),
            scopes: BTreeMap::new(),
            next_scope: 0,
            memo: Memo::new(config.memory),
        }));
        cx.shared.put(Arc::clone(&made));
        Ok(made)
    }

    /// The number of a domain.
    pub(crate) fn domain(&mut self, name: &str) -> usize {
        self.domains.iter().position(|d| d == name).unwrap_or_else(|| {
            self.domains.push(name.to_owned());
            self.domains.len() - 1
        })
    }

    /// The pseudonym of one value.
    pub(crate) fn of(&mut self, tenant: &str, domain: usize, value: &str) -> Result<Option<Box<str>>, KeyError> {
        let (number, scope) = self.scope(tenant, domain)?;
        if let Some(known) = self.memo.get(number, value) {
            return Ok(known.clone());
        }
        let made = scope.pseudonym(value);
        self.memo.put(number, value, made.clone(), PSEUDONYM);
        Ok(made)
    }

    /// The pseudonyms of one value by every live key id, the current one first.
    pub(crate) fn live(&self, tenant: &str, domain: usize, value: &str) -> Result<Vec<(u32, Pseudonym)>, KeyError> {
        self.maker.live(tenant, &self.domains[domain], value)
    }

    /// The pseudonyms of a column. Each distinct value is hashed once, as long as it is remembered.
    pub(crate) fn column(
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
        let mut current: Option<(&str, (u32, Scope))> = None;
        for (row, value) in values.iter().enumerate() {
            let Some(value) = value else {
                out.append_null();
                continue;
            };
            let tenant = tenant.and_then(|t| t.get(row)).unwrap_or("");
            let (number, scope) = match &current {
                Some((known, scope)) if *known == tenant => scope,
                _ => &current.insert((tenant, self.scope(tenant, domain)?)).1,
            };
            if let Some(known) = self.memo.get(*number, value) {
                out.append_option(known.as_deref());
                continue;
            }
            let made = scope.pseudonym(value);
            out.append_option(made.as_deref());
            self.memo.put(*number, value, made, PSEUDONYM);
        }
        Ok(Arc::new(out.finish()))
    }

    fn scope(&mut self, tenant: &str, domain: usize) -> Result<(u32, Scope), KeyError> {
        if let Some(scope) = self.scopes.get(tenant).and_then(|s| s.get(domain)?.as_ref()) {
            return Ok(scope.clone());
        }
        let scope = (self.next_scope, self.maker.scope(tenant, &self.domains[domain])?);
        self.next_scope += 1;
        let scopes = self.scopes.entry(tenant.to_owned()).or_default();
        if scopes.len() <= domain {
            scopes.resize(domain + 1, None);
        }
        scopes[domain] = Some(scope.clone());
        Ok(scope)
    }
}
