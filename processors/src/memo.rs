//! What a worker remembers between gathers, bounded by bytes.

use std::hash::{BuildHasher, Hash};
use std::mem;

use hashbrown::{DefaultHashBuilder, HashTable};

/// Room that one entry takes besides its texts: slot, pointers, allocator.
const ENTRY: usize = 96;

/// Values by text within numbered scopes (a tenant, a tenant and a domain).
///
/// Two generations stand in for an exact order of use: what is asked for moves to the young one, and when that is
/// half of the bound, the old one goes.
#[derive(Debug)]
pub(crate) struct Memo<V> {
    young: HashTable<Entry<V>>,
    old: HashTable<Entry<V>>,
    hasher: DefaultHashBuilder,
    bytes: usize,
    bound: usize,
}

#[derive(Debug)]
struct Entry<V> {
    /// Kept, since a text is longer than its hash and a table that grows wants all of them again.
    hash: u64,
    scope: u32,
    text: Box<str>,
    value: V,
}

#[derive(Clone, Copy, Hash)]
struct Asked<'a> {
    scope: u32,
    text: &'a str,
}

impl Asked<'_> {
    fn is<V>(self, entry: &Entry<V>) -> bool {
        self.scope == entry.scope && *self.text == *entry.text
    }
}

impl<V> Memo<V> {
    /// Remembers at most about `bound` bytes.
    pub(crate) fn new(bound: usize) -> Self {
        Self { young: HashTable::new(), old: HashTable::new(), hasher: DefaultHashBuilder::default(), bytes: 0, bound }
    }

    /// What is remembered of `text`.
    pub(crate) fn get(&mut self, scope: u32, text: &str) -> Option<&V> {
        let asked = Asked { scope, text };
        let hash = self.hasher.hash_one(asked);
        if self.young.find(hash, |entry| asked.is(entry)).is_none() {
            let (entry, _) = self.old.find_entry(hash, |entry| asked.is(entry)).ok()?.remove();
            self.bytes += ENTRY + entry.text.len();
            self.young.insert_unique(hash, entry, |entry| entry.hash);
        }
        self.young.find(hash, |entry| asked.is(entry)).map(|entry| &entry.value)
    }

    /// Remembers `value`, which holds about `size` bytes on the heap, in place of what was remembered of the text.
    pub(crate) fn put(&mut self, scope: u32, text: &str, value: V, size: usize) {
        let cost = ENTRY + text.len() + size;
        if self.bytes + cost > self.bound / 2 {
            self.old = mem::take(&mut self.young);
            self.bytes = 0;
        }
        if cost <= self.bound / 2 {
            self.bytes += cost;
            let asked = Asked { scope, text };
            let hash = self.hasher.hash_one(asked);
            match self.young.find_mut(hash, |entry| asked.is(entry)) {
                Some(entry) => entry.value = value,
                None => {
                    let entry = Entry { hash, scope, text: text.into(), value };
                    self.young.insert_unique(hash, entry, |entry| entry.hash);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_holds_and_what_is_asked_for_stays() {
        let mut memo = Memo::new(64 * ENTRY);
        memo.put(0, "kept", 1, 0);
        for n in 0..10_000 {
            memo.put(0, &n.to_string(), n, 0);
            assert_eq!(memo.get(0, "kept"), Some(&1));
            assert!(memo.young.len() + memo.old.len() <= 64);
        }
        assert_eq!(memo.get(0, "9999"), Some(&9999));
        assert_eq!(memo.get(0, "1"), None);
    }

    #[test]
    fn the_last_word_counts() {
        let mut memo = Memo::new(64 * ENTRY);
        for n in 0..1000 {
            memo.put(0, "told again", n, 0);
            assert_eq!(memo.get(0, "told again"), Some(&n));
            assert_eq!(memo.young.len(), 1);
        }
    }

    #[test]
    fn scopes_are_apart_and_giants_are_not_kept() {
        let mut memo = Memo::new(10 * ENTRY);
        memo.put(1, "a", 'x', 0);
        assert_eq!(memo.get(1, "a"), Some(&'x'));
        assert_eq!(memo.get(2, "a"), None);
        memo.put(1, "giant", 'y', 100 * ENTRY);
        assert_eq!(memo.get(1, "giant"), None);
    }
}
