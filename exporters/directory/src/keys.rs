//! Data keys of texts that stand in tables: the processor `redact` makes them, and each has a row without values.
//!
//! Such a row may come again and again, and is kept once. A key goes with its user for good: its id stays behind, so that a row
//! that comes late, from a process which does not know of the erasure, does not bring it back. The id is random and says nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::changes::Place;
use crate::file::{HEADER, Image};
use crate::record::Record;

/// A data key of a user's texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextKey {
    /// Whose user.
    pub tenant: String,
    /// The user's pseudonym.
    pub user_ref: String,
    /// Encrypted under the tenant's key.
    pub wrapped: String,
}

/// What became of a data key that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is there.
    Kept(TextKey),
    /// Its user was erased.
    Gone,
}

/// Data keys of a file.
#[derive(Default)]
pub(crate) struct Keys<'a> {
    /// Tenant, user and place, by id.
    kept: BTreeMap<&'a str, (&'a str, &'a str, Place)>,
    gone: BTreeSet<&'a str>,
}

impl<'a> Keys<'a> {
    /// All that count, of those whose id is `wanted`.
    pub(crate) fn of(image: &'a Image, wanted: impl Fn(&str) -> bool) -> Self {
        let mut keys = Self { kept: BTreeMap::new(), gone: image.gone().filter(|id| wanted(id)).collect() };
        for (at, record) in image.rows(HEADER) {
            if record.erases() {
                keys.erase(&record);
            } else if record.is_key() && wanted(record.key_id) && !keys.gone.contains(record.key_id) {
                let place = Place::try_from(at / 8).unwrap_or_default();
                keys.kept.entry(record.key_id).or_insert((record.tenant, record.user_ref, place));
            }
        }
        keys
    }

    fn erase(&mut self, record: &Record<'a>) {
        let gone = &mut self.gone;
        self.kept.retain(|id, (tenant, user, _)| {
            let stays = (*tenant, *user) != (record.tenant, record.user_ref);
            if !stays {
                gone.insert(*id);
            }
            stays
        });
    }

    /// Whether the record at a place is the one that tells of a key.
    pub(crate) fn tells(&self, at: usize, record: &Record<'_>) -> bool {
        self.kept.get(record.key_id).is_some_and(|(_, _, place)| *place as usize == at / 8)
    }

    /// Ids of keys that are gone.
    pub(crate) fn gone(&self) -> impl Iterator<Item = &str> {
        self.gone.iter().copied()
    }

    /// What became of a key; `None` if there was never one with this id.
    pub(crate) fn standing(&self, image: &Image, id: &str) -> Option<Standing> {
        if self.gone.contains(id) {
            return Some(Standing::Gone);
        }
        let (tenant, user_ref, place) = self.kept.get(id)?;
        let wrapped = image.row(*place as usize * 8)?.key_wrapped.to_owned();
        Some(Standing::Kept(TextKey { tenant: (*tenant).to_owned(), user_ref: (*user_ref).to_owned(), wrapped }))
    }
}
