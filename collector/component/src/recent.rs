//! What has lately been written, so that it need not be written again.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Fingerprints of the last things that were written, at most twice `most`.
///
/// A stage offers what it would write and hears whether that is news; only [`Recent::keep`], after the write, makes it
/// known. What was offered and not written is news again.
#[derive(Debug)]
pub struct Recent(Mutex<State>);

#[derive(Debug)]
struct State {
    most: usize,
    young: HashSet<u128>,
    old: HashSet<u128>,
    offered: HashSet<u128>,
}

impl Recent {
    /// Remembers at least `most` things.
    pub fn new(most: usize) -> Self {
        let (young, old, offered) = (HashSet::new(), HashSet::new(), HashSet::new());
        Self(Mutex::new(State { most: most.max(1), young, old, offered }))
    }

    /// Forgets what was offered: a new gather begins.
    pub fn begin(&self) {
        self.lock().offered.clear();
    }

    /// Whether this was not written lately, and not offered since [`Recent::begin`].
    pub fn offer(&self, print: u128) -> bool {
        let mut state = self.lock();
        if state.young.contains(&print) {
            return false;
        }
        if state.old.remove(&print) {
            // What is still asked for stays.
            state.insert(print);
            return false;
        }
        state.offered.insert(print)
    }

    /// What was offered has been written.
    pub fn keep(&self) {
        let mut state = self.lock();
        for print in std::mem::take(&mut state.offered) {
            state.insert(print);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn insert(&mut self, print: u128) {
        if self.young.len() >= self.most {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(print);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_written_is_old() {
        let recent = Recent::new(4);
        recent.begin();
        assert!(recent.offer(1) && recent.offer(2));
        assert!(!recent.offer(1), "once in a gather");
        recent.begin();
        assert!(recent.offer(1), "it was not written");
        recent.keep();
        recent.begin();
        assert!(!recent.offer(1) && recent.offer(2));
    }

    #[test]
    fn memory_is_bounded_and_what_is_asked_for_stays() {
        let recent = Recent::new(100);
        recent.offer(0);
        recent.keep();
        for print in 1..10_000 {
            recent.begin();
            assert!(recent.offer(print) && !recent.offer(0));
            recent.keep();
        }
        let state = recent.lock();
        assert!(state.young.len() + state.old.len() <= 200);
    }
}
