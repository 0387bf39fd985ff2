//! What a worker remembers between gathers, bounded by bytes.

use std::hash::{Hash, Hasher};
use std::mem;

use hashbrown::{Equivalent, HashMap};

/// Room that one entry takes besides its texts: map slot, pointers, allocator.
const ENTRY: usize = 96;

/// Values by text within numbered scopes (a tenant, a tenant and a domain).
///
/// Two generations stand in for an exact order of use: what is asked for moves to the young one, and when that is
/// half of the bound, the old one goes.
#[derive(Debug)]
pub(crate) struct Memo<V> {
    young: HashMap<Owned, V>,
    old: HashMap<Owned, V>,
    bytes: usize,
    bound: usize,
}

#[derive(Debug, PartialEq, Eq)]
struct Owned {
    scope: u32,
    text: Box<str>,
}

impl Hash for Owned {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Asked { scope: self.scope, text: &self.text }.hash(state);
    }
}

#[derive(Hash)]
struct Asked<'a> {
    scope: u32,
    text: &'a str,
}

impl Equivalent<Owned> for Asked<'_> {
    fn equivalent(&self, key: &Owned) -> bool {
        self.scope == key.scope && self.text == &*key.text
    }
}

impl<V> Memo<V> {
    /// Remembers at most about `bound` bytes.
    pub(crate) fn new(bound: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), bytes: 0, bound }
    }

    /// What is remembered of `text`.
    pub(crate) fn get(&mut self, scope: u32, text: &str) -> Option<&V> {
        let asked = Asked { scope, text };
        if !self.young.contains_key(&asked) {
            let (key, value) = self.old.remove_entry(&asked)?;
            self.bytes += ENTRY + key.text.len();
            self.young.insert(key, value);
        }
        self.young.get(&asked)
    }

    /// Remembers `value`, which holds about `size` bytes on the heap.
    pub(crate) fn put(&mut self, scope: u32, text: &str, value: V, size: usize) {
        let cost = ENTRY + text.len() + size;
        if self.bytes + cost > self.bound / 2 {
            self.old = mem::take(&mut self.young);
            self.bytes = 0;
        }
        if cost <= self.bound / 2 {
            self.bytes += cost;
            self.young.insert(Owned { scope, text: text.into() }, value);
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
    fn scopes_are_apart_and_giants_are_not_kept() {
        let mut memo = Memo::new(10 * ENTRY);
        memo.put(1, "a", 'x', 0);
        assert_eq!(memo.get(1, "a"), Some(&'x'));
        assert_eq!(memo.get(2, "a"), None);
        memo.put(1, "giant", 'y', 100 * ENTRY);
        assert_eq!(memo.get(1, "giant"), None);
    }
}
