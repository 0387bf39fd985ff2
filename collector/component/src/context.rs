//! What a component is given when it is built.

use std::any::{Any, TypeId};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use schemas::Catalog;

use crate::{Keyring, References};

/// Snapshots of reference data, keys and counters; everything a processor may know besides its rows.
#[derive(Clone)]
pub struct Context {
    /// Every table.
    pub catalog: Arc<Catalog>,
    /// Keys for pseudonyms.
    pub keys: Arc<Keyring>,
    /// Where to count by rule.
    pub counts: Counts,
    /// Reference data in files.
    pub references: References,
    /// What the stages of one worker share.
    pub shared: Shared,
    /// What the chains of all workers share; a lock in it is waited for.
    pub common: Shared,
    /// Settings of every component of the chain by name, for what must follow another one's.
    pub sections: Arc<[(&'static str, serde_json::Value)]>,
}

impl Context {
    /// With no files, nothing counted and default settings.
    pub fn new(catalog: Arc<Catalog>, keys: Arc<Keyring>) -> Self {
        Self {
            catalog,
            keys,
            counts: Counts::default(),
            references: References::default(),
            shared: Shared::default(),
            common: Shared::default(),
            sections: Arc::default(),
        }
    }

    /// The settings of a component; `null` where it has none.
    pub fn section(&self, name: &str) -> serde_json::Value {
        self.sections.iter().find(|(known, _)| *known == name).map(|(_, section)| section.clone()).unwrap_or_default()
    }
}

/// One thing of each type, for stages that would else do the same work twice. Each worker has one of its own, so that a lock
/// in it is never waited for.
#[derive(Clone, Default)]
pub struct Shared(Arc<Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>>);

impl Shared {
    /// The thing of this type, if a stage has put one here.
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let things = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(things.get(&TypeId::of::<T>())?).downcast().ok()
    }

    /// The thing of this type, made if nobody has put one here.
    pub fn get_or_put<T: Send + Sync + 'static>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        let mut things = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = things.get(&TypeId::of::<T>()).and_then(|thing| Arc::clone(thing).downcast().ok());
        known.unwrap_or_else(|| {
            let made = Arc::new(make());
            things.insert(TypeId::of::<T>(), Arc::clone(&made) as Arc<dyn Any + Send + Sync>);
            made
        })
    }

    /// Puts a thing in the place of the one of its type.
    pub fn put<T: Send + Sync + 'static>(&self, thing: Arc<T>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(TypeId::of::<T>(), thing);
    }
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
