//! From YAML to checked tables. Unknown keys, doubtful types and privacy slips fail the load.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::table::{Class, Clause, Column, Leaf, Retention, Source, Table, Type};

/// Longest value of a dict column unless the file says otherwise, in bytes. A word is stored once for many rows: without
/// a bound a few kilobytes on the wire could become gigabytes where the rows are written out.
const DICT_LEN: usize = 1024;

/// Columns that the merge may still fill or change: files that are sorted by one would lose their order.
const HINTS: [&str; 6] = ["user_ref", "user_source", "session_ref", "session_source", "echo_of", "sample_weight"];

/// Why a schema file was refused.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file could not be read.
    #[error("reading schema file {file}")]
    Read {
        /// Which file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// Not the YAML that a table is written in.
    #[error("in schema file {file}: {source}")]
    Yaml {
        /// Which file.
        file: String,
        /// Where and why.
        source: Box<serde_saphyr::Error>,
    },
    /// Readable, but it cannot be what was meant.
    #[error("in schema file {file}: {what}")]
    Invalid {
        /// Which file.
        file: String,
        /// What is wrong and how to mend it.
        what: String,
    },
}

/// Columns that every table has.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawCommon {
    first: Vec<RawColumn>,
    last: Vec<RawColumn>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawTable {
    pub(crate) table: String,
    #[serde(default)]
    about: String,
    #[serde(default)]
    order: Option<u32>,
    #[serde(default)]
    r#match: Vec<Clause>,
    #[serde(default)]
    sort: Vec<String>,
    #[serde(default)]
    lookup: Vec<String>,
    #[serde(default)]
    retention: RawRetention,
    #[serde(default)]
    audit: bool,
    #[serde(default)]
    journal_only: bool,
    #[serde(default)]
    columns: Vec<RawColumn>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRetention {
    keep: Option<String>,
    anonymise_after: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawColumn {
    name: String,
    r#type: Type,
    #[serde(default)]
    from: Vec<String>,
    #[serde(default)]
    from_hash: Option<String>,
    #[serde(default)]
    domain: Option<String>,
    #[serde(default)]
    class: Option<Class>,
    #[serde(default)]
    transient: bool,
    #[serde(default)]
    journal_only: bool,
    #[serde(default)]
    by: Option<String>,
    #[serde(default)]
    values: BTreeMap<String, String>,
    #[serde(default)]
    max_len: Option<usize>,
    #[serde(default)]
    leaf: Option<Leaf>,
    #[serde(default)]
    about: String,
}

/// Reads the columns that every table has.
pub(crate) fn common(file: &str, yaml: &str) -> Result<RawCommon, LoadError> {
    parse(file, yaml)
}

/// Reads one table file.
pub(crate) fn raw(file: &str, yaml: &str) -> Result<RawTable, LoadError> {
    parse(file, yaml)
}

fn parse<T: serde::de::DeserializeOwned>(file: &str, yaml: &str) -> Result<T, LoadError> {
    serde_saphyr::from_str(yaml).map_err(|source| LoadError::Yaml { file: file.to_owned(), source: Box::new(source) })
}

/// Adds an overlay's columns, aliases and clauses to a table that is already there.
pub(crate) fn extend(base: &mut RawTable, overlay: RawTable) {
    for column in overlay.columns {
        match base.columns.iter_mut().find(|c| c.name == column.name) {
            Some(known) => {
                known.from.extend(column.from.into_iter().filter(|f| !known.from.contains(f)).collect::<Vec<_>>());
                known.values.extend(column.values);
            }
            None => base.columns.push(column),
        }
    }
    base.r#match.extend(overlay.r#match);
    if overlay.retention.keep.is_some() {
        base.retention.keep = overlay.retention.keep;
    }
    if overlay.retention.anonymise_after.is_some() {
        base.retention.anonymise_after = overlay.retention.anonymise_after;
    }
}

/// Joins a table with the common columns and checks it.
pub(crate) fn check(file: &str, raw: RawTable, common: &RawCommon) -> Result<Table, LoadError> {
    let invalid = |what: String| LoadError::Invalid { file: file.to_owned(), what };
    if raw.table.is_empty() || !raw.table.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
        return Err(invalid(format!("table name {:?} must be lower-case letters, digits and underscores", raw.table)));
    }
    if raw.journal_only && !raw.r#match.is_empty() {
        return Err(invalid("a table of the journal alone takes no records: it has no `match`".to_owned()));
    }
    let (first, last) = match raw.journal_only {
        true => (&[][..], &[][..]),
        false => (common.first.as_slice(), common.last.as_slice()),
    };
    // A common column comes before what a table adds to it, so that its class and hash always hold.
    let shared = |c: &&RawColumn| first.iter().chain(last).any(|known| known.name == c.name);
    let own = raw.columns.iter().filter(|c| !shared(c));
    let all = first.iter().chain(own).chain(last).chain(raw.columns.iter().filter(shared));
    let mut columns: Vec<Column> = Vec::new();
    for column in all {
        if let Some(known) = columns.iter().position(|c| c.name == column.name) {
            // A table may say more of a common column (its aliases), never give it another type.
            if columns[known].r#type != column.r#type {
                return Err(invalid(format!("column {} is declared twice with different types", column.name)));
            }
            // Only a bound that is written here takes the place of the common one.
            let more = Column { max_len: column.max_len, ..build(column).map_err(&invalid)? };
            merge(&mut columns[known], more);
            continue;
        }
        columns.push(build(column).map_err(&invalid)?);
    }
    privacy(&columns).map_err(&invalid)?;
    let names: BTreeSet<&str> = columns.iter().filter(|c| !c.transient).map(|c| c.name.as_str()).collect();
    for name in raw.sort.iter().chain(&raw.lookup) {
        if !names.contains(name.as_str()) {
            return Err(invalid(format!("sort or lookup names {name:?}, which is not a stored column of the table")));
        }
    }
    if let Some(name) = raw.sort.iter().find(|name| HINTS.contains(&name.as_str())) {
        return Err(invalid(format!("sort names {name:?}, which may still change when a row is stored")));
    }
    Ok(Table {
        order: raw.order.ok_or_else(|| invalid("a table needs an `order`".to_owned()))?,
        retention: Retention {
            keep_days: days(raw.retention.keep.as_deref()).map_err(&invalid)?,
            anonymise_after_days: days(raw.retention.anonymise_after.as_deref()).map_err(&invalid)?,
        },
        name: raw.table,
        about: raw.about,
        clauses: raw.r#match,
        sort: raw.sort,
        lookup: raw.lookup,
        audit: raw.audit,
        journal_only: raw.journal_only,
        columns,
    })
}

fn merge(known: &mut Column, more: Column) {
    known.from.extend(more.from.into_iter().filter(|f| !known.from.contains(f)).collect::<Vec<_>>());
    known.values.extend(more.values);
    known.leaf = more.leaf.or(known.leaf);
    known.max_len = more.max_len.or(known.max_len);
    known.by = more.by.or(known.by.take());
    if !more.about.is_empty() {
        known.about = more.about;
    }
}

fn build(raw: &RawColumn) -> Result<Column, String> {
    let from = raw.from.iter().map(|s| source(s)).collect::<Result<Vec<_>, _>>()?;
    let class = match (raw.class, &raw.from_hash) {
        (Some(class), _) => class,
        (None, Some(_)) => Class::Pseudonym,
        (None, None) => Class::default(),
    };
    if raw.from_hash.is_some() && raw.domain.is_none() {
        return Err(format!("column {} has `from_hash` and needs a `domain`", raw.name));
    }
    Ok(Column {
        name: raw.name.clone(),
        r#type: raw.r#type,
        from,
        from_hash: raw.from_hash.clone(),
        domain: raw.domain.clone(),
        class,
        transient: raw.transient,
        journal_only: raw.journal_only,
        by: raw.by.clone(),
        values: raw.values.iter().map(|(k, v)| (k.to_lowercase(), v.clone())).collect(),
        max_len: raw.max_len.or((raw.r#type == Type::Dict).then_some(DICT_LEN)),
        leaf: raw.leaf,
        about: raw.about.clone(),
    })
}

/// `resource:key`, `field:name`, `key`, or `key * 1e9`.
fn source(text: &str) -> Result<Source, String> {
    if let Some(key) = text.strip_prefix("resource:") {
        return Ok(Source::Resource(key.to_owned()));
    }
    if let Some(name) = text.strip_prefix("field:") {
        return Ok(Source::Field(name.to_owned()));
    }
    match text.split_once(" * ") {
        None => Ok(Source::Attribute { key: text.to_owned(), scale: None }),
        Some((key, factor)) => {
            let scale = factor.trim().parse().map_err(|_| format!("{factor:?} in source {text:?} is not a number"))?;
            Ok(Source::Attribute { key: key.trim().to_owned(), scale: Some(scale) })
        }
    }
}

/// A slip here would put a secret on disk, so the load refuses it.
fn privacy(columns: &[Column]) -> Result<(), String> {
    for column in columns {
        if matches!(column.class, Class::Secret | Class::Direct) && !column.transient {
            return Err(format!(
                "column {} has class {} and must be `transient: true`; store a `from_hash` of it instead",
                column.name,
                column.class.as_str()
            ));
        }
        if let Some(origin) = &column.from_hash
            && !columns.iter().any(|c| &c.name == origin)
        {
            return Err(format!("column {} hashes {origin:?}, which is not a column", column.name));
        }
    }
    Ok(())
}

fn days(text: Option<&str>) -> Result<Option<u32>, String> {
    let Some(text) = text else { return Ok(None) };
    let bad = || format!("{text:?} is not a number of days or years, such as 90d or 2y");
    let (number, factor) = match (text.strip_suffix('d'), text.strip_suffix('y')) {
        (Some(n), _) => (n, 1),
        (_, Some(n)) => (n, 365),
        _ => return Err(bad()),
    };
    number.parse::<u32>().ok().and_then(|n| n.checked_mul(factor)).map(Some).ok_or_else(bad)
}
