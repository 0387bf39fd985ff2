//! From the rows of a file to what is kept of them: pseudonyms, and each set of values once.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray, StringDictionaryBuilder};
use arrow::datatypes::Int32Type;
use component::{Files, Loaded};
use schemas::{Class, Column, Type};

use crate::hash::{Maker, Scope};

/// What one entry takes besides its texts: map slot, pointers, allocator.
const ENTRY: usize = 64;

/// Characters of a pseudonym, which is all that is kept of a key.
const PSEUDONYM: usize = 40;

/// Longest value, unless the column says less.
const LONGEST: usize = 1024;

/// What is kept of a file.
pub(super) struct Sheet {
    /// By tenant and pseudonym: which set of values.
    pub(super) rows: BTreeMap<String, HashMap<Box<str>, u32>>,
    /// Sets of values, by column.
    pub(super) values: Vec<ArrayRef>,
}

/// One of our columns.
#[derive(Debug, Clone)]
pub(super) struct Target {
    name: String,
    kind: Type,
    longest: usize,
    /// Spellings and the one that is stored.
    spellings: BTreeMap<String, String>,
    /// The file holds ids of persons: they become pseudonyms of this domain.
    persons: Option<String>,
}

/// Reads one file, now and whenever it has changed.
pub(super) struct Loader {
    pub(super) name: String,
    pub(super) file: PathBuf,
    pub(super) key: String,
    pub(super) pseudonyms: bool,
    pub(super) domain: String,
    pub(super) columns: Vec<String>,
    pub(super) targets: Vec<Target>,
    pub(super) tenants: Vec<String>,
    pub(super) tenant_column: Option<String>,
    pub(super) max_bytes: u64,
    pub(super) maker: Maker,
}

/// A value as it is kept until its column is built.
type Set = Vec<Option<Box<str>>>;

/// What has been read so far.
struct Reading<'a> {
    loader: &'a Loader,
    sheet: BTreeMap<String, HashMap<Box<str>, u32>>,
    sets: HashMap<Set, u32>,
    scopes: HashMap<(String, String), Scope>,
    bytes: usize,
    entries: u64,
}

impl Target {
    pub(super) fn of(column: &Column) -> Self {
        let persons = column.class == Class::Pseudonym;
        Self {
            name: column.name.clone(),
            kind: column.r#type,
            longest: column.max_len.unwrap_or(LONGEST),
            spellings: column.values.clone(),
            persons: persons.then(|| column.domain.clone().unwrap_or_else(|| "user".to_owned())),
        }
    }

    /// A cell as its column keeps it. The error holds nothing of it.
    fn value(&self, cell: &str, person: impl FnMut(&str, &str) -> Result<Option<Box<str>>, String>) -> Read {
        let cell = cell.trim();
        if cell.is_empty() {
            return Ok(None);
        }
        if let Some(domain) = &self.persons {
            return self.people(cell, domain, person);
        }
        let wrong = || format!("what column {} is to hold is not {}", self.name, self.kind.as_str());
        let value = match self.kind {
            Type::Int => cell.parse::<i64>().map_err(|_| wrong())?.to_string(),
            Type::Float => cell.parse::<f64>().ok().filter(|f| f.is_finite()).ok_or_else(wrong)?.to_string(),
            Type::Bool => match cell.to_ascii_lowercase().as_str() {
                "true" | "yes" | "1" => "true".to_owned(),
                "false" | "no" | "0" => "false".to_owned(),
                _ => return Err(wrong()),
            },
            _ => self.spellings.get(&cell.to_lowercase()).map_or(cell, String::as_str).to_owned(),
        };
        if value.len() > self.longest {
            return Err(format!("what column {} is to hold is longer than {} bytes", self.name, self.longest));
        }
        Ok(Some(value.into()))
    }

    /// One id or several, as a JSON array or with semicolons between them, as a JSON array of pseudonyms.
    fn people(
        &self,
        cell: &str,
        domain: &str,
        mut person: impl FnMut(&str, &str) -> Result<Option<Box<str>>, String>,
    ) -> Read {
        let listed = cell.starts_with('[').then(|| serde_json::from_str::<Vec<serde_json::Value>>(cell));
        let ids: Vec<String> = match listed {
            Some(Ok(ids)) => ids.iter().map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned)).collect(),
            Some(Err(_)) => return Err(format!("what column {} is to hold is no JSON array", self.name)),
            None => cell.split(';').map(str::to_owned).collect(),
        };
        let mut refs = Vec::new();
        for id in ids {
            refs.extend(person(domain, &id)?);
        }
        refs.sort_unstable();
        refs.dedup();
        let text = serde_json::to_string(&refs).map_err(|e| e.to_string())?;
        Ok((!refs.is_empty()).then(|| text.into()))
    }

    fn build(&self, values: &[Option<&str>]) -> ArrayRef {
        let parsed = values.iter().copied();
        match self.kind {
            Type::Int => Arc::new(parsed.map(|v| v?.parse().ok()).collect::<Int64Array>()),
            Type::Float => Arc::new(parsed.map(|v| v?.parse().ok()).collect::<Float64Array>()),
            Type::Bool => Arc::new(parsed.map(|v| v.map(|v| v == "true")).collect::<BooleanArray>()),
            Type::Dict => {
                let mut words = StringDictionaryBuilder::<Int32Type>::new();
                parsed.for_each(|v| words.append_option(v));
                Arc::new(words.finish())
            }
            _ => Arc::new(parsed.collect::<StringArray>()),
        }
    }
}

/// A value that was read, or why it could not be.
type Read = Result<Option<Box<str>>, String>;

impl Loader {
    /// The whole file, or why not a line of it is used.
    pub(super) fn load(&self, files: &dyn Files) -> Result<Loaded<Sheet>, String> {
        let columns: Vec<&str> =
            std::iter::once(&self.key).chain(&self.tenant_column).chain(&self.columns).map(String::as_str).collect();
        let mut reading = Reading {
            loader: self,
            sheet: BTreeMap::new(),
            sets: HashMap::new(),
            scopes: HashMap::new(),
            bytes: 0,
            entries: 0,
        };
        files.rows(&self.file, &columns, self.max_bytes, &mut |cells| reading.take(cells))?;
        Ok(reading.finish())
    }
}

impl Reading<'_> {
    fn take(&mut self, cells: &[Option<&str>]) -> Result<(), String> {
        let loader = self.loader;
        let key = cells.first().copied().flatten().unwrap_or_default().trim();
        let owned = usize::from(loader.tenant_column.is_some());
        let line = match owned {
            0 => None,
            _ => Some(cells.get(1).copied().flatten().filter(|t| !t.is_empty()).ok_or("it says no tenant")?),
        };
        if key.is_empty() {
            return Err("it has no key".to_owned());
        }
        if loader.pseudonyms && !is_pseudonym(key) {
            return Err(format!("its key is no pseudonym; a file with {} themselves has another `key`", loader.domain));
        }
        let tenants = line.map_or(loader.tenants.as_slice(), |_| &[]);
        for tenant in tenants.iter().map(String::as_str).chain(line) {
            let mut set = Set::new();
            for (target, cell) in loader.targets.iter().zip(&cells[1 + owned..]) {
                let person = |domain: &str, id: &str| self.pseudonym(tenant, domain, id);
                set.push(cell.map_or(Ok(None), |cell| target.value(cell, person))?);
            }
            let pseudonym = match loader.pseudonyms {
                true => Some(key.into()),
                false => self.pseudonym(tenant, &loader.domain, key)?,
            };
            self.keep(tenant, pseudonym.ok_or("nothing is left of its key in normal form")?, set)?;
        }
        self.entries += 1;
        Ok(())
    }

    fn keep(&mut self, tenant: &str, pseudonym: Box<str>, set: Set) -> Result<(), String> {
        let next = u32::try_from(self.sets.len()).map_err(|_| "too many lines")?;
        let size: usize = set.iter().flatten().map(|value| value.len()).sum();
        let number = *self.sets.entry(set).or_insert_with(|| {
            self.bytes += 2 * size + ENTRY;
            next
        });
        if !self.sheet.contains_key(tenant) {
            self.sheet.insert(tenant.to_owned(), HashMap::new());
        }
        let known = self.sheet.get_mut(tenant).and_then(|rows| rows.insert(pseudonym, number));
        if known.is_some_and(|known| known != number) {
            return Err("its key stands above with other values".to_owned());
        }
        if known.is_none() {
            self.bytes += PSEUDONYM + ENTRY;
        }
        match self.bytes as u64 > self.loader.max_bytes {
            true => Err(format!(
                "lookup {} takes more than the {} bytes of its `max_bytes`",
                self.loader.name, self.loader.max_bytes
            )),
            false => Ok(()),
        }
    }

    fn pseudonym(&mut self, tenant: &str, domain: &str, value: &str) -> Read {
        let id = (tenant.to_owned(), domain.to_owned());
        if !self.scopes.contains_key(&id) {
            let scope = self.loader.maker.scope(tenant, domain).map_err(|e| e.to_string())?;
            self.scopes.insert(id.clone(), scope);
        }
        Ok(self.scopes.get(&id).and_then(|scope| scope.pseudonym(value)))
    }

    fn finish(self) -> Loaded<Sheet> {
        let mut sets: Vec<(Set, u32)> = self.sets.into_iter().collect();
        sets.sort_unstable_by_key(|(_, number)| *number);
        let column = |index: usize, target: &Target| {
            let values: Vec<Option<&str>> = sets.iter().map(|(set, _)| set[index].as_deref()).collect();
            target.build(&values)
        };
        let values = self.loader.targets.iter().enumerate().map(|(index, target)| column(index, target)).collect();
        Loaded { data: Sheet { rows: self.sheet, values }, entries: self.entries }
    }
}

/// Letters, a key id and 26 digits.
fn is_pseudonym(text: &str) -> bool {
    let Some((head, digits)) = text.split_once('_') else { return false };
    let kid = head.trim_start_matches(|c: char| c.is_ascii_lowercase());
    !kid.is_empty()
        && kid.len() < head.len()
        && kid.len() <= 10
        && head.len() - kid.len() <= 2
        && kid.bytes().all(|b| b.is_ascii_digit())
        && digits.len() == 26
        && digits.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7'))
}
