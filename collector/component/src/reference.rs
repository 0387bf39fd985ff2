//! Reference data in files: the engine reads and watches them, components hold snapshots.
//!
//! A component opens a reference when it is built and takes its snapshot once per gather, so that no row sees two. What was
//! opened with the same settings before is handed out again: the workers share one copy.

use std::any::{Any, TypeId};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// What is done with one row: the cells of the wanted columns, in their order. Its error holds no value.
pub type Take<'a> = dyn FnMut(&[Option<&str>]) -> Result<(), String> + 'a;

/// Access to files, given by the engine. Errors say which file and line, never what stands there.
pub trait Files: Send + Sync {
    /// Hands the rows of a table in a file to `take`, one by one. A list is JSON text.
    fn rows(&self, path: &Path, columns: &[&str], max_bytes: u64, take: &mut Take<'_>) -> Result<(), String>;

    /// A whole file.
    fn bytes(&self, path: &Path, max_bytes: u64) -> Result<Vec<u8>, String>;

    /// What differs between two versions of a file; `None` while it cannot be read.
    fn stamp(&self, path: &Path) -> Option<u128>;
}

/// Data of a file as it was last good.
pub struct Reference<T>(Arc<RwLock<Arc<T>>>);

impl<T> Clone for Reference<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Reference<T> {
    /// The newest snapshot.
    pub fn get(&self) -> Arc<T> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What is made of a file, and of how many entries.
pub struct Loaded<T> {
    /// The data.
    pub data: T,
    /// Entries, for the counters.
    pub entries: u64,
}

/// Every reference of the process.
#[derive(Clone, Default)]
pub struct References {
    files: Option<Arc<dyn Files>>,
    held: Arc<Mutex<Vec<Held>>>,
}

/// How a reference stands, for the counters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its name in the configuration.
    pub name: String,
    /// Entries of the snapshot in use.
    pub entries: u64,
    /// How often a changed file was taken.
    pub reloaded: u64,
    /// How often one was refused.
    pub refused: u64,
}

/// What became of a file that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refreshed {
    /// Name of the reference.
    pub name: String,
    /// Entries that it has now, or why the last good ones stay.
    pub outcome: Result<u64, String>,
}

type Remake = dyn Fn(&dyn Files) -> Result<u64, String> + Send + Sync;

struct Held {
    standing: Standing,
    kind: TypeId,
    settings: String,
    path: PathBuf,
    /// The version that was last taken or refused.
    stamp: Option<u128>,
    /// The version that was there at the last look: a file that is still being written is left alone.
    seen: Option<u128>,
    slot: Box<dyn Any + Send + Sync>,
    remake: Arc<Remake>,
}

impl fmt::Debug for References {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.standings()).finish()
    }
}

impl References {
    /// References that are read through `files`.
    pub fn new(files: Arc<dyn Files>) -> Self {
        Self { files: Some(files), held: Arc::default() }
    }

    /// Opens the file at `path`. `settings` says everything that `make` depends on besides the file.
    pub fn open<T: Send + Sync + 'static>(
        &self,
        name: &str,
        settings: &str,
        path: &Path,
        make: impl Fn(&dyn Files) -> Result<Loaded<T>, String> + Send + Sync + 'static,
    ) -> Result<Reference<T>, String> {
        let mut held = self.lock();
        let same = |h: &&Held| h.kind == TypeId::of::<T>() && h.settings == settings && h.path == path;
        if let Some(known) = held.iter().find(same).and_then(|h| h.slot.downcast_ref::<Reference<T>>()) {
            return Ok(known.clone());
        }
        let files = self.files.as_ref().ok_or("this chain was built without access to files")?;
        let stamp = files.stamp(path);
        let Loaded { data, entries } = make(files.as_ref())?;
        let reference = Reference(Arc::new(RwLock::new(Arc::new(data))));
        let slot = reference.clone();
        let remake = move |files: &dyn Files| {
            let Loaded { data, entries } = make(files)?;
            *slot.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(data);
            Ok(entries)
        };
        held.push(Held {
            standing: Standing { name: name.to_owned(), entries, reloaded: 0, refused: 0 },
            kind: TypeId::of::<T>(),
            settings: settings.to_owned(),
            path: path.to_owned(),
            stamp,
            seen: stamp,
            slot: Box::new(reference.clone()),
            remake: Arc::new(remake),
        });
        Ok(reference)
    }

    /// Reads again what has changed and stands still since the last call. For the engine, now and then.
    pub fn refresh(&self) -> Vec<Refreshed> {
        let Some(files) = &self.files else { return Vec::new() };
        let mut changed: Vec<(usize, u128, Arc<Remake>)> = Vec::new();
        for (index, held) in self.lock().iter_mut().enumerate() {
            let now = files.stamp(&held.path);
            let still = held.seen == now;
            held.seen = now;
            if let Some(now) = now.filter(|_| still && held.stamp != now) {
                changed.push((index, now, Arc::clone(&held.remake)));
            }
        }
        // Reading takes its time, and whoever wants the numbers need not wait for it.
        let outcomes: Vec<_> =
            changed.into_iter().map(|(index, stamp, remake)| (index, stamp, remake(files.as_ref()))).collect();
        let mut held = self.lock();
        let mut note = |(index, stamp, outcome): (usize, u128, Result<u64, String>)| {
            let held = held.get_mut(index)?;
            held.stamp = Some(stamp);
            match &outcome {
                Ok(entries) => {
                    held.standing.entries = *entries;
                    held.standing.reloaded += 1;
                }
                Err(_) => held.standing.refused += 1,
            }
            Some(Refreshed { name: held.standing.name.clone(), outcome })
        };
        outcomes.into_iter().filter_map(&mut note).collect()
    }

    /// How every reference stands.
    pub fn standings(&self) -> Vec<Standing> {
        self.lock().iter().map(|held| held.standing.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One file that a test writes.
    #[derive(Default)]
    struct Shelf(Mutex<(u128, String)>);

    impl Files for Shelf {
        fn rows(&self, _: &Path, _: &[&str], _: u64, _: &mut Take<'_>) -> Result<(), String> {
            Err("no tables here".to_owned())
        }

        fn bytes(&self, _: &Path, _: u64) -> Result<Vec<u8>, String> {
            Ok(self.0.lock().unwrap().1.clone().into_bytes())
        }

        fn stamp(&self, _: &Path) -> Option<u128> {
            Some(self.0.lock().unwrap().0)
        }
    }

    fn number(files: &dyn Files) -> Result<Loaded<u32>, String> {
        let text = String::from_utf8(files.bytes(Path::new("n"), 9)?).map_err(|_| "not text")?;
        Ok(Loaded { data: text.parse().map_err(|_| "not a number")?, entries: 1 })
    }

    #[test]
    fn a_changed_file_is_taken_once_it_stands_still_and_a_bad_one_never() {
        let shelf = Arc::new(Shelf(Mutex::new((1, "7".to_owned()))));
        let references = References::new(Arc::clone(&shelf) as Arc<dyn Files>);
        let open = || references.open("n", "", Path::new("n"), number).unwrap();
        let (first, second) = (open(), open());
        assert_eq!(references.standings().len(), 1, "two workers share one copy");
        assert_eq!(references.refresh(), []);
        *shelf.0.lock().unwrap() = (2, "8".to_owned());
        assert_eq!(references.refresh(), [], "it may still be written to");
        assert_eq!(*first.get(), 7);
        assert_eq!(references.refresh(), [Refreshed { name: "n".to_owned(), outcome: Ok(1) }]);
        assert_eq!((*first.get(), *second.get()), (8, 8));
        *shelf.0.lock().unwrap() = (3, "x".to_owned());
        references.refresh();
        let refused = references.refresh();
        assert_eq!(refused, [Refreshed { name: "n".to_owned(), outcome: Err("not a number".to_owned()) }]);
        assert_eq!(references.refresh(), [], "said once");
        assert_eq!(*first.get(), 8, "the last good one stays");
        let standing = Standing { name: "n".to_owned(), entries: 1, reloaded: 1, refused: 1 };
        assert_eq!(references.standings(), [standing]);
        let Err(why) = References::default().open("n", "", Path::new("n"), number) else { panic!("no files, no data") };
        assert!(why.contains("without access"), "{why}");
    }
}
