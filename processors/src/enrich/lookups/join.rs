//! From the rows of a gather to the lines of a file, once per distinct value.

use std::sync::Arc;

use arrow::array::{BooleanArray, UInt32Array};
use arrow::compute::take;
use component::{ProcessError, Rows};
use hashbrown::HashMap;

use super::Key;
use super::load::Sheet;
use crate::enrich::read::{Texts, set};
use crate::hash::Pseudonyms;

/// Where the rows of a table stand in the file.
pub(super) struct Found {
    /// The number of the row's set of values.
    sets: UInt32Array,
    /// Whether the row's key is in the file; NULL where it has none.
    known: BooleanArray,
    pub(super) hits: u64,
    pub(super) misses: u64,
}

/// Looks every row up by the column that `by` names.
pub(super) fn find(
    rows: &Rows,
    sheet: &Sheet,
    by: &Key,
    domain: usize,
    pseudonyms: &mut Pseudonyms,
) -> Result<Found, ProcessError> {
    let origin = by.origin.as_str();
    let (tenants, keys) = (Texts::of(rows, "tenant"), Texts::of(rows, origin));
    // Whom other records name may be somebody else once the merge knows all of them.
    let source = match origin {
        "user_id" => Some(Texts::of(rows, "user_source")),
        "session_id" => Some(Texts::of(rows, "session_source")),
        _ => None,
    };
    let said = |row| source.is_none_or(|source| source.get(row) == Some("attribute"));
    let mut seen: HashMap<(&str, &str), Option<u32>> = HashMap::new();
    let mut last: Option<((&str, &str), Option<u32>)> = None;
    let (mut sets, mut known) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
    let (mut hits, mut misses) = (0, 0);
    for row in 0..rows.len() {
        let Some(key) = keys.get(row).filter(|_| said(row)) else {
            sets.push(None);
            known.push(None);
            continue;
        };
        let asked = (tenants.get(row).unwrap_or_default(), key);
        let set = match (last, seen.get(&asked)) {
            (Some((same, set)), _) if same == asked => set,
            (_, Some(set)) => *set,
            _ => {
                let set = look_up(sheet, by, asked, domain, pseudonyms)?;
                seen.insert(asked, set);
                set
            }
        };
        last = Some((asked, set));
        hits += u64::from(set.is_some());
        misses += u64::from(set.is_none());
        sets.push(set);
        known.push(Some(set.is_some()));
    }
    Ok(Found { sets: sets.into(), known: known.into(), hits, misses })
}

/// The set of values of one key of a tenant.
fn look_up(
    sheet: &Sheet,
    by: &Key,
    (tenant, key): (&str, &str),
    domain: usize,
    pseudonyms: &mut Pseudonyms,
) -> Result<Option<u32>, ProcessError> {
    let Some(lines) = sheet.rows.get(tenant) else { return Ok(None) };
    let current = pseudonyms.of(tenant, domain, key)?;
    let found = current.and_then(|pseudonym| lines.get(&pseudonym)).copied();
    if found.is_some() || !by.pseudonyms {
        return Ok(found);
    }
    // A file with pseudonyms was written at some time, maybe before a rotation.
    let live = pseudonyms.live(tenant, domain, key)?;
    Ok(live.iter().find_map(|(_, pseudonym)| lines.get(pseudonym.as_str())).copied())
}

/// Writes what was found.
pub(super) fn store(
    rows: &mut Rows,
    sheet: &Sheet,
    found: &Found,
    targets: &[String],
    mark: Option<&str>,
) -> Result<(), ProcessError> {
    for (target, values) in targets.iter().zip(&sheet.values) {
        if found.hits > 0 && rows.table().index(target).is_some() {
            let failed = |e| ProcessError::Refused(format!("looking up column {target}: {e}"));
            rows.set(target, take(values, &found.sets, None).map_err(failed)?)?;
        }
    }
    match mark {
        Some(mark) => set(rows, mark, Arc::new(found.known.clone())),
        None => Ok(()),
    }
}
