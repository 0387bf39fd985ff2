//! The attributes of one record, resource, scope or event, each key with the number that plans know it by.

use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

use crate::keys::{Keys, UNKNOWN, hash};
use crate::value::{Refusal, Value, key_value, refuse_unless_utf8};
use crate::wire::WireError;

/// From this many attributes on, equal keys are found by a table that a sender cannot make slow.
const MANY: usize = 48;

/// One attribute.
#[derive(Debug, Clone)]
pub(crate) struct Attribute<'a> {
    pub(crate) number: u16,
    hash: u64,
    pub(crate) key: &'a [u8],
    pub(crate) value: Value<'a>,
}

/// Attributes in the order their keys were first seen, each with its last value.
#[derive(Debug, Default)]
pub(crate) struct Attributes<'a> {
    list: Vec<Attribute<'a>>,
    /// Where each known key stands, if the stamp is the current one.
    places: Vec<(u32, u32)>,
    stamp: u32,
    /// One bit for each known key that has a value.
    present: Vec<u64>,
    /// A bit for each hash seen, so that most unknown keys need no search.
    seen: u64,
    many: HashTable<u32>,
    seeds: DefaultHashBuilder,
}

impl<'a> Attributes<'a> {
    /// No attributes, with room for marks of all known keys. The first `conditions` keys also have a presence bit.
    pub(crate) fn new(keys: &Keys, conditions: usize) -> Self {
        Self { places: vec![(0, 0); keys.len()], present: vec![0; conditions.div_ceil(64)], ..Self::default() }
    }

    pub(crate) fn clear(&mut self) {
        self.list.clear();
        self.present.fill(0);
        self.seen = 0;
        self.many.clear();
        if self.stamp == u32::MAX {
            self.places.fill((0, 0));
            self.stamp = 0;
        }
        self.stamp += 1;
    }

    pub(crate) fn list(&self) -> &[Attribute<'a>] {
        &self.list
    }

    /// Which keys named by clauses have a value.
    pub(crate) fn present(&self) -> &[u64] {
        &self.present
    }

    /// Where a known key stands, if it has a value.
    #[inline]
    pub(crate) fn place(&self, number: u16) -> Option<usize> {
        let (stamp, place) = *self.places.get(usize::from(number))?;
        (stamp == self.stamp && !self.list[place as usize].value.is_empty()).then_some(place as usize)
    }

    /// The value of a known key.
    pub(crate) fn get(&self, number: u16) -> Option<&Value<'a>> {
        self.place(number).map(|place| &self.list[place].value)
    }

    /// Reads one encoded `KeyValue`. An invalid one is remembered in `refusal`, broken framing is an error.
    #[inline]
    pub(crate) fn read(
        &mut self,
        keys: &Keys,
        message: &'a [u8],
        refusal: &mut Option<Refusal>,
    ) -> Result<(), WireError> {
        let (key, value) = key_value(message)?;
        // One look at the whole message settles UTF-8 for nearly all attributes, key and value together.
        let ascii = message.is_ascii();
        if !ascii {
            refuse_unless_utf8(key, "an attribute key", refusal);
        }
        match &value {
            Value::Text(_) if ascii => {}
            Value::Text(_) | Value::Array(_) | Value::List(_) => value.check(refusal)?,
            _ => {}
        }
        self.add(keys, key, value);
        Ok(())
    }

    /// Adds an attribute, or replaces the value of an equal key.
    #[inline]
    pub(crate) fn add(&mut self, keys: &Keys, key: &'a [u8], value: Value<'a>) {
        let hash = hash(key);
        let number = keys.number(hash, key);
        let known = if number == UNKNOWN { self.find_unknown(hash, key) } else { self.find_known(number) };
        let place = match known {
            Some(place) => {
                self.list[place].value = value;
                place
            }
            None => {
                self.list.push(Attribute { number, hash, key, value });
                self.list.len() - 1
            }
        };
        if let Some(word) = self.present.get_mut(usize::from(number) / 64) {
            let bit = 1 << (number % 64);
            *word = if self.list[place].value.is_empty() { *word & !bit } else { *word | bit };
        }
    }

    #[inline]
    fn find_known(&mut self, number: u16) -> Option<usize> {
        let next = u32::try_from(self.list.len()).ok()?;
        let mark = self.places.get_mut(usize::from(number))?;
        if mark.0 == self.stamp {
            return Some(mark.1 as usize);
        }
        *mark = (self.stamp, next);
        None
    }

    #[inline]
    fn find_unknown(&mut self, hash: u64, key: &'a [u8]) -> Option<usize> {
        let bit = 1 << (hash >> 58);
        let maybe = self.seen & bit != 0;
        self.seen |= bit;
        if self.list.len() >= MANY {
            return self.find_among_many(key);
        }
        if !maybe {
            return None;
        }
        self.list.iter().position(|a| a.hash == hash && a.number == UNKNOWN && a.key == key)
    }

    fn find_among_many(&mut self, key: &'a [u8]) -> Option<usize> {
        let Self { list, many, seeds, .. } = self;
        if many.is_empty() {
            for (place, attribute) in list.iter().enumerate().filter(|(_, a)| a.number == UNKNOWN) {
                many.insert_unique(seeds.hash_one(attribute.key), place as u32, |p| {
                    seeds.hash_one(list[*p as usize].key)
                });
            }
        }
        let seeded = seeds.hash_one(key);
        if let Some(place) = many.find(seeded, |p| list[*p as usize].key == key) {
            return Some(*place as usize);
        }
        // The caller appends the attribute at this place; rehashing before that must not look it up.
        let next = list.len();
        many.insert_unique(seeded, next as u32, |p| list.get(*p as usize).map_or(seeded, |a| seeds.hash_one(a.key)));
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_equal_keys_stands_in_the_place_of_the_first() {
        let keys = Keys::new(vec![b"known".as_slice().into()]).unwrap();
        let names: Vec<String> = (0..200).map(|n| format!("key{n}")).collect();
        for count in [0, 3, 47, 48, 49, 200] {
            let mut attributes = Attributes::new(&keys, 1);
            attributes.clear();
            for round in 0..3i64 {
                attributes.add(&keys, b"known", Value::Int(round));
                for name in &names[..count] {
                    attributes.add(&keys, name.as_bytes(), Value::Int(round));
                }
            }
            assert_eq!(attributes.list().len(), count + 1, "{count}");
            assert!(attributes.list().iter().all(|a| matches!(a.value, Value::Int(2))), "{count}");
            assert_eq!(attributes.list()[0].key, b"known");
            assert_eq!(attributes.present(), [1]);
            attributes.add(&keys, b"known", Value::Empty);
            assert_eq!(attributes.present(), [0]);
            assert!(attributes.get(0).is_none());
        }
    }
}
