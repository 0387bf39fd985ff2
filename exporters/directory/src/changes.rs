//! Which records still say something: the newest of each user and facet.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use crate::file::{Batch, HEADER, Image};
use crate::keys::Keys;
use crate::record::{FACETS, Facet, Record};

/// A place in the file, in units of eight bytes; 0 is none, since a header is there.
pub(crate) type Place = u32;

/// The newest places of a user's facets.
pub(crate) type Places = [Place; FACETS];

/// Users of one tenant by pseudonym, numbered in the order in which they came.
#[derive(Default)]
pub(crate) struct Users {
    names: Vec<u8>,
    starts: Vec<u32>,
    places: Vec<Places>,
    table: HashTable<u32>,
    hasher: RandomState,
}

/// What a record did.
pub(crate) struct Change {
    /// The number of the user whom it is about.
    pub(crate) user: u32,
    /// Facets that it says something new of.
    pub(crate) facets: [bool; FACETS],
}

impl Users {
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn places(&self, user: u32) -> Places {
        self.places.get(user as usize).copied().unwrap_or_default()
    }

    pub(crate) fn all(&self) -> &[Places] {
        &self.places
    }

    pub(crate) fn name(&self, user: u32) -> &str {
        let at = |number: usize| self.starts.get(number).map_or(self.names.len(), |start| *start as usize);
        let user = user as usize;
        std::str::from_utf8(&self.names[at(user)..at(user + 1)]).unwrap_or_default()
    }

    pub(crate) fn find(&self, name: &str) -> Option<u32> {
        self.table.find(self.hasher.hash_one(name), |user| self.name(*user) == name).copied()
    }

    /// Bytes of memory.
    pub(crate) fn bytes(&self) -> usize {
        self.names.capacity()
            + self.starts.capacity() * size_of::<u32>()
            + self.places.capacity() * size_of::<Places>()
            + self.table.allocation_size()
    }

    /// Takes a record into account.
    pub(crate) fn apply(&mut self, at: usize, record: &Record<'_>) -> Option<Change> {
        let place = Place::try_from(at / 8).ok()?;
        let user = self.find(record.user_ref).or_else(|| self.add(record.user_ref))?;
        let places = self.places.get_mut(user as usize)?;
        if record.erases() {
            *places = Places::default();
            return Some(Change { user, facets: [true; FACETS] });
        }
        let mut facets = [false; FACETS];
        for facet in Facet::ALL.into_iter().filter(|facet| record.has(*facet)) {
            // A user begins once.
            if facet == Facet::Created && places[facet as usize] != 0 {
                continue;
            }
            places[facet as usize] = place;
            facets[facet as usize] = true;
        }
        Some(Change { user, facets })
    }

    fn add(&mut self, name: &str) -> Option<u32> {
        let user = u32::try_from(self.places.len()).ok()?;
        self.starts.push(u32::try_from(self.names.len()).ok()?);
        self.names.extend_from_slice(name.as_bytes());
        self.places.push(Places::default());
        let Self { names, starts, table, hasher, .. } = self;
        let hash = |user: &u32| {
            let at = |number: usize| starts.get(number).map_or(names.len(), |start| *start as usize);
            let bytes = &names[at(*user as usize)..at(*user as usize + 1)];
            hasher.hash_one(std::str::from_utf8(bytes).unwrap_or_default())
        };
        table.insert_unique(hash(&user), user, hash);
        Some(user)
    }
}

/// The records that still say something, without what they no longer say, in their order; and what is gone for good.
pub(crate) fn live(image: &Image) -> Batch {
    let mut tenants: Vec<(String, Users)> = Vec::new();
    for (at, record) in image.rows(HEADER) {
        if let Some(users) = users(&mut tenants, record.tenant) {
            users.apply(at, &record);
        }
    }
    let keys = Keys::of(image, |_| true);
    let mut batch = Batch::default();
    keys.gone().for_each(|id| batch.gone(id));
    for (at, mut record) in image.rows(HEADER) {
        if record.is_key() {
            if keys.tells(at, &record) {
                batch.row(&record);
            }
            continue;
        }
        let Some(users) = users(&mut tenants, record.tenant) else { continue };
        let Some(user) = users.find(record.user_ref) else { continue };
        let places = users.places(user);
        for facet in Facet::ALL {
            if places[facet as usize] as usize != at / 8 {
                record.forget(facet);
            }
        }
        if Facet::ALL.iter().any(|facet| record.has(*facet)) {
            batch.row(&record);
        }
    }
    batch
}

fn users<'a>(tenants: &'a mut Vec<(String, Users)>, tenant: &str) -> Option<&'a mut Users> {
    let index = tenants.iter().position(|(name, _)| name == tenant).unwrap_or_else(|| {
        tenants.push((tenant.to_owned(), Users::default()));
        tenants.len() - 1
    });
    tenants.get_mut(index).map(|(_, users)| users)
}
