//! What a component is given when it is built.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use schemas::Catalog;

use crate::Keyring;

/// Snapshots of reference data, keys and counters; everything a processor may know besides its rows.
#[derive(Clone)]
pub struct Context {
    /// Every table.
    pub catalog: Arc<Catalog>,
    /// Keys for pseudonyms.
    pub keys: Arc<Keyring>,
    /// Where to count by rule.
    pub counts: Counts,
}

/// Counters by metric and label. Add once per gather: the lock is shared by the workers.
#[derive(Debug, Clone, Default)]
pub struct Counts(Arc<Mutex<BTreeMap<(&'static str, String), u64>>>);

impl Counts {
    /// Adds `n` to `metric{label}`. Labels are rule names and kinds, never values.
    pub fn add(&self, metric: &'static str, label: &str, n: u64) {
        if n == 0 {
            return;
        }
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match counts.iter_mut().find(|((m, l), _)| *m == metric && l == label) {
            Some((_, count)) => *count += n,
            None => {
                counts.insert((metric, label.to_owned()), n);
            }
        }
    }

    /// Adds what another one counted.
    pub fn absorb(&self, counted: Vec<(&'static str, String, u64)>) {
        counted.into_iter().for_each(|(metric, label, n)| self.add(metric, &label, n));
    }

    /// Everything counted since it was last taken. A worker counts what a gather did by itself and hands it on when the
    /// gather is through: one that is tried again counts once.
    pub fn take(&self) -> Vec<(&'static str, String, u64)> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *counts).into_iter().map(|((m, l), n)| (m, l, n)).collect()
    }

    /// Everything counted so far: (metric, label, count).
    pub fn snapshot(&self) -> Vec<(&'static str, String, u64)> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().map(|((m, l), n)| (*m, l.clone(), *n)).collect()
    }
}
