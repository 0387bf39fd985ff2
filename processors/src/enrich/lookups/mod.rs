//! What a file says of a user, an address or a device: plan, role, cohort, parents, bans.
//!
//! ```yaml
//! processors:
//!   enrich:
//!     lookups:
//!       - name: plans
//!         file: plans.csv                # .csv, .json, .ndjson or .parquet; read again when it has changed
//!         key: user_id                   # the column that rows are found by; user_ref: the file holds pseudonyms
//!         # file_key: id                 # what the file calls it
//!         columns: { plan: user_plan, role: user_role, parents: parent_refs }
//!         # tables: [requests]           # every table that has the columns
//!         # tenants: [default]           # whose rows
//!         # tenant_column: tenant        # or the file says it line by line
//!         # max_bytes: 67108864
//!       - name: banned
//!         file: banned.ndjson
//!         key: client_ip
//!         mark: is_banned_client         # true for what is in the file, false for what is not
//! ```
//!
//! Keys become pseudonyms while the file is read, by the tenant's key and the seal's normal forms; nothing else of them is
//! kept. In a file that holds pseudonyms itself, those of every live key id (`keys.kids`) are found, the current one first. A file that cannot be used does not start; one that turns bad later is refused whole, and the last good one stays.
//! Columns that can be filled say `by: lookup` in the tables, those of an overlay too.
//!
//! Values are those of the moment when a row came in, and follow from what the row itself says: a user or session that
//! other records tell (`user_source` is not `attribute`) finds nothing, since the merge may find another one. Audit rows
//! hold what was sent and nothing looked up.

mod join;
mod load;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use component::{ConfigError, Context, Counts, Gather, ProcessError, Reference};
use schemas::{Catalog, Class, Column, Table, Type};
use serde::Deserialize;

use crate::hash::{self, Maker, Pseudonyms, lock};
use load::{Loader, Sheet, Target};

/// Columns of one lookup, rows of all tables: more cannot be meant.
const MOST_COLUMNS: usize = 64;

/// One file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What counters and errors call it.
    pub name: String,
    /// CSV, JSON or Parquet, by its ending.
    pub file: PathBuf,
    /// The column that rows are found by, or its pseudonym.
    pub key: String,
    /// What the file calls the key.
    #[serde(default)]
    pub file_key: Option<String>,
    /// What is filled: the file's column and ours.
    #[serde(default)]
    pub columns: BTreeMap<String, String>,
    /// A bool column that says whether the key is in the file.
    #[serde(default)]
    pub mark: Option<String>,
    /// Tables that are filled; all that have a column for it unless said.
    #[serde(default)]
    pub tables: Vec<String>,
    /// Tenants that every line holds for; `default` unless said.
    #[serde(default)]
    pub tenants: Vec<String>,
    /// The file's column that says whose line it is.
    #[serde(default)]
    pub tenant_column: Option<String>,
    /// Bytes that the file and what is kept of it may each take.
    #[serde(default = "max_bytes")]
    pub max_bytes: u64,
}

fn max_bytes() -> u64 {
    64 << 20
}

/// All lookups, in the order in which they stand.
pub(super) struct Lookups {
    all: Vec<Lookup>,
    pseudonyms: Option<Arc<Mutex<Pseudonyms>>>,
    counts: Counts,
}

struct Lookup {
    name: String,
    sheet: Reference<Sheet>,
    by: Key,
    domain: usize,
    /// Our columns in the order of the sheet's, and the mark.
    targets: Vec<String>,
    mark: Option<String>,
    tables: Vec<String>,
}

impl Lookups {
    pub(super) fn new(configs: &[Config], cx: &Context) -> Result<Self, ConfigError> {
        if configs.is_empty() {
            return Ok(Self { all: Vec::new(), pseudonyms: None, counts: cx.counts.clone() });
        }
        // Mistakes in the seal's own section are told where they stand.
        let seal: hash::Config = serde_json::from_value(cx.section("hash")).unwrap_or_default();
        let pseudonyms = Pseudonyms::shared(&seal, cx)?;
        let mut filled: Vec<(String, String)> = Vec::new();
        let mut all: Vec<Lookup> = Vec::new();
        for (index, config) in configs.iter().enumerate() {
            let at = |path: &str, what: String| ConfigError::at(&format!("lookups.{index}.{path}"), what);
            if config.name.is_empty() || all.iter().any(|known| known.name == config.name) {
                return Err(at("name", "give every lookup a name of its own".to_owned()));
            }
            let (lookup, loader) = plan(config, cx, &mut filled, &at)?;
            let domain = lock(&pseudonyms).domain(&loader.domain);
            let loader = Loader { maker: Maker::new(&seal, cx)?, ..loader };
            let settings = format!("{config:?} {seal:?}");
            let sheet = cx
                .references
                .open(&config.name, &settings, &config.file, move |files| loader.load(files))
                .map_err(|why| at("file", why))?;
            let Plan { by, targets, tables } = lookup;
            all.push(Lookup {
                name: config.name.clone(),
                sheet,
                by,
                domain,
                targets,
                mark: config.mark.clone(),
                tables,
            });
        }
        Ok(Self { all, pseudonyms: Some(pseudonyms), counts: cx.counts.clone() })
    }

    /// Fills the columns of every lookup.
    pub(super) fn fill(&mut self, gather: &mut Gather) -> Result<(), ProcessError> {
        let Some(pseudonyms) = &self.pseudonyms else { return Ok(()) };
        let mut pseudonyms = lock(pseudonyms);
        for lookup in &self.all {
            let sheet = lookup.sheet.get();
            let (mut hits, mut misses) = (0, 0);
            for rows in gather.tables_mut().filter(|rows| lookup.tables.contains(&rows.table().name)) {
                let found = join::find(rows, &sheet, &lookup.by, lookup.domain, &mut pseudonyms)?;
                hits += found.hits;
                misses += found.misses;
                join::store(rows, &sheet, &found, &lookup.targets, lookup.mark.as_deref())?;
            }
            self.counts.add("lookup_hits", &lookup.name, hits);
            self.counts.add("lookup_misses", &lookup.name, misses);
        }
        Ok(())
    }
}

/// What of a lookup concerns rows.
struct Plan {
    by: Key,
    targets: Vec<String>,
    tables: Vec<String>,
}

/// Checks the settings of one lookup against the tables.
fn plan(
    config: &Config,
    cx: &Context,
    filled: &mut Vec<(String, String)>,
    at: &dyn Fn(&str, String) -> ConfigError,
) -> Result<(Plan, Loader), ConfigError> {
    let key = Key::find(&config.key, &cx.catalog).map_err(|what| at("key", what))?;
    if config.columns.is_empty() && config.mark.is_none() {
        return Err(at("", format!("lookup {} fills nothing: give `columns` or `mark`", config.name)));
    }
    if config.columns.len() > MOST_COLUMNS {
        return Err(at("columns", format!("at most {MOST_COLUMNS} columns of one file")));
    }
    if !config.tenants.is_empty() && config.tenant_column.is_some() {
        return Err(at("tenants", "give `tenants` or `tenant_column`, not both".to_owned()));
    }
    let mut targets = Vec::new();
    for (theirs, ours) in &config.columns {
        let column = target(ours, &cx.catalog).map_err(|what| at(&format!("columns.{theirs}"), what))?;
        targets.push(Target::of(column));
    }
    if let Some(mark) = &config.mark {
        let column = target(mark, &cx.catalog).map_err(|what| at("mark", what))?;
        if column.r#type != Type::Bool {
            return Err(at("mark", format!("column {mark} is {}, and a mark is bool", column.r#type.as_str())));
        }
    }
    let ours: Vec<&String> = config.columns.values().chain(&config.mark).collect();
    if let Some(unknown) = config.tables.iter().position(|name| cx.catalog.table(name).is_none_or(|t| t.audit)) {
        return Err(at(&format!("tables.{unknown}"), "not a table that lookups fill".to_owned()));
    }
    let wanted = |t: &Table| !t.audit && (config.tables.is_empty() || config.tables.contains(&t.name));
    let has = |t: &Table| ours.iter().any(|name| t.index(name).is_some()) && t.index(&key.origin).is_some();
    let tables: Vec<String> =
        cx.catalog.tables().iter().filter(|t| wanted(t) && has(t)).map(|t| t.name.clone()).collect();
    for pair in tables.iter().flat_map(|table| ours.iter().map(|column| (table.clone(), (*column).clone()))) {
        if filled.contains(&pair) {
            let what = format!("column {}.{} is filled twice: one lookup fills a column", pair.0, pair.1);
            return Err(at(if config.mark.as_ref() == Some(&pair.1) { "mark" } else { "columns" }, what));
        }
        filled.push(pair);
    }
    let loader = Loader {
        name: config.name.clone(),
        file: config.file.clone(),
        key: config.file_key.clone().unwrap_or_else(|| config.key.clone()),
        pseudonyms: key.pseudonyms,
        domain: key.domain.clone(),
        columns: config.columns.keys().cloned().collect(),
        targets,
        tenants: if config.tenants.is_empty() { vec!["default".to_owned()] } else { config.tenants.clone() },
        tenant_column: config.tenant_column.clone(),
        max_bytes: config.max_bytes,
        maker: Maker::new(&hash::Config::default(), cx)?,
    };
    let targets = config.columns.values().cloned().collect();
    Ok((Plan { by: key, targets, tables }, loader))
}

/// What rows are found by.
struct Key {
    /// The column that stands in a gather.
    origin: String,
    domain: String,
    /// Whether the file holds pseudonyms.
    pseudonyms: bool,
}

impl Key {
    fn find(name: &str, catalog: &Catalog) -> Result<Self, String> {
        let columns = || catalog.tables().iter().filter(|t| !t.audit).flat_map(|t| &t.columns);
        let hashed = || columns().filter_map(|c| Some((c, c.from_hash.as_ref()?, c.domain.as_ref()?)));
        for (column, origin, domain) in hashed() {
            if column.name == name || origin == name {
                let pseudonyms = column.name == name;
                return Ok(Self { origin: origin.clone(), domain: domain.clone(), pseudonyms });
            }
        }
        let mut known: Vec<&str> = hashed().flat_map(|(c, origin, _)| [origin.as_str(), c.name.as_str()]).collect();
        known.sort_unstable();
        known.dedup();
        Err(format!("rows are found by a column with a pseudonym: {}", known.join(", ")))
    }
}

/// A column that a lookup may fill.
fn target<'a>(name: &str, catalog: &'a Catalog) -> Result<&'a Column, String> {
    let ours = |c: &&Column| c.by.as_deref() == Some("lookup") && c.from.is_empty() && c.from_hash.is_none();
    let columns = || catalog.tables().iter().filter(|t| !t.audit).flat_map(|t| &t.columns).filter(ours);
    let Some(column) = columns().find(|c| c.name == name) else {
        let mut known: Vec<&str> = columns().map(|c| c.name.as_str()).collect();
        known.sort_unstable();
        known.dedup();
        return Err(format!(
            "a lookup fills {}; an overlay of `schemas` adds others that say `by: lookup`",
            known.join(", ")
        ));
    };
    let plain = matches!(column.r#type, Type::Text | Type::Dict | Type::Int | Type::Float | Type::Bool);
    let open = !column.transient && !matches!(column.class, Class::Direct | Class::Secret);
    match plain && open {
        true => Ok(column),
        false => Err(format!("column {name} is {}: a lookup fills text, numbers and bool", column.r#type.as_str())),
    }
}

#[cfg(test)]
mod tests;
