//! A store that does what it was asked and does not say so, or does it when nobody waits any more.

use std::fmt;
use std::ops::Range;
use std::path::Path as FsPath;
use std::sync::{Arc, Mutex};

use arrow::array::{ArrayRef, Date32Array, StringArray, TimestampMicrosecondArray};
use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use component::{Gather, Rows, Seal};
use futures::stream::BoxStream;
use journal::Journal;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result as StoreResult,
};
use schemas::Catalog;
use url::Url;

use crate::delta::Snapshot;
use crate::{Lake, Options, Store};

/// What becomes of a log entry that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is there, and its writer hears so.
    Told,
    /// It is there, and its writer hears of an error.
    Lost,
    /// Its writer hears of an error; it is there after so many other calls.
    Late(usize),
    /// Its writer hears of an error, rightly.
    Failed,
}

/// An entry on its way.
struct Held {
    calls: usize,
    path: Path,
    payload: PutPayload,
    options: PutOptions,
}

/// An object store whose log entries have the fates that a list of bytes decides.
struct Fickle {
    inner: InMemory,
    fates: Mutex<Vec<Fate>>,
    held: Mutex<Vec<Held>>,
    /// How often each fate came about, in the order of [`Fate`].
    met: Mutex<[usize; 4]>,
}

impl Fickle {
    /// One more call: what is due lands now.
    async fn tick(&self) {
        let due: Vec<Held> = {
            let mut held = self.held.lock().unwrap();
            held.iter_mut().for_each(|entry| entry.calls = entry.calls.saturating_sub(1));
            held.extract_if(.., |entry| entry.calls == 0).collect()
        };
        for entry in due {
            // Somebody else may be there by now: then it is refused, as it would have been.
            let _ = self.inner.put_opts(&entry.path, entry.payload, entry.options).await;
        }
    }

    fn fate(&self, path: &Path, options: &PutOptions) -> Fate {
        let is_entry = options.mode == PutMode::Create && path.as_ref().contains("_delta_log/");
        if !is_entry { Fate::Told } else { self.fates.lock().unwrap().pop().unwrap_or(Fate::Told) }
    }
}

fn unheard() -> object_store::Error {
    object_store::Error::Generic { store: "fickle", source: "the connection was reset".into() }
}

impl fmt::Debug for Fickle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fickle")
    }
}

impl fmt::Display for Fickle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("fickle")
    }
}

#[async_trait]
impl ObjectStore for Fickle {
    async fn put_opts(&self, path: &Path, payload: PutPayload, options: PutOptions) -> StoreResult<PutResult> {
        self.tick().await;
        let fate = self.fate(path, &options);
        let index = match fate {
            Fate::Told => 0,
            Fate::Lost => 1,
            Fate::Late(_) => 2,
            Fate::Failed => 3,
        };
        self.met.lock().unwrap()[index] += 1;
        match fate {
            Fate::Told => self.inner.put_opts(path, payload, options).await,
            Fate::Lost => {
                let _ = self.inner.put_opts(path, payload, options).await;
                Err(unheard())
            }
            Fate::Late(calls) => {
                self.held.lock().unwrap().push(Held { calls, path: path.clone(), payload, options });
                Err(unheard())
            }
            Fate::Failed => Err(unheard()),
        }
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> StoreResult<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> StoreResult<GetResult> {
        self.tick().await;
        self.inner.get_opts(path, options).await
    }

    async fn get_ranges(&self, path: &Path, ranges: &[Range<u64>]) -> StoreResult<Vec<Bytes>> {
        self.inner.get_ranges(path, ranges).await
    }

    fn delete_stream(&self, paths: BoxStream<'static, StoreResult<Path>>) -> BoxStream<'static, StoreResult<Path>> {
        self.inner.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> StoreResult<ListResult> {
        self.tick().await;
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> StoreResult<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

const DAY: i32 = 20_000;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(i64::from(DAY) * 86_400, 0).unwrap()
}

/// Appends spans with numbers of their own.
async fn append(journal: &Journal, catalog: &Catalog, numbers: Range<usize>) {
    let n = numbers.len();
    let table = catalog.table("spans").unwrap();
    let time = TimestampMicrosecondArray::from(vec![now().timestamp_micros(); n]).with_timezone("UTC");
    let columns: [(&str, ArrayRef); 5] = [
        ("tenant", Arc::new(StringArray::from(vec!["default"; n]))),
        ("time", Arc::new(time)),
        ("trace_id", Arc::new(StringArray::from(vec!["1234567890abcdef1234567890abcdef"; n]))),
        ("span_id", Arc::new(StringArray::from_iter_values(numbers.map(|i| format!("{i:016x}"))))),
        ("date", Arc::new(Date32Array::from(vec![DAY; n]))),
    ];
    let mut rows = Rows::new(Arc::clone(table), vec![None; table.columns.len()], vec![0; n]).unwrap();
    for (column, values) in columns {
        rows.set(column, values).unwrap();
    }
    let position = journal.append(&Seal::new(Vec::new()).seal(Gather::new(vec![rows])).unwrap()).unwrap();
    journal.durable(position).await.unwrap();
}

/// A small generator: the same fates for the same seed.
fn fates(seed: u64) -> Vec<Fate> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    (0..60)
        .map(|_| match next(6) {
            0 | 1 => Fate::Told,
            2 => Fate::Lost,
            3 => Fate::Failed,
            _ => Fate::Late(1 + usize::try_from(next(12)).unwrap()),
        })
        .collect()
}

/// Runs a lake over a fickle store, opening it anew now and then; returns rows in the table and rows appended.
async fn run(folder: &FsPath, seed: u64) -> (u64, usize, [usize; 4]) {
    let catalog = Arc::new(Catalog::built_in().unwrap());
    let journal = Journal::open(folder, Arc::clone(&catalog), journal::Options::default()).unwrap();
    let fickle = Arc::new(Fickle {
        inner: InMemory::new(),
        fates: Mutex::new(fates(seed)),
        held: Mutex::default(),
        met: Mutex::default(),
    });
    let objects: Arc<dyn ObjectStore> = Arc::<Fickle>::clone(&fickle);
    let store = Store::new(objects, Path::default(), None, Url::parse("memory:///").unwrap());
    let open = || Lake::over(store.clone(), journal.clone(), Options::default(), "fingerprint".into());
    let mut appended = 0;
    let mut lake = open().await.unwrap();
    for round in 0..20_usize {
        append(&journal, &catalog, appended..appended + round % 4 + 1).await;
        appended += round % 4 + 1;
        let _ = lake.flush(now()).await;
        if round % 7 == 6 {
            let _ = lake.maintain(true, now()).await;
        }
        if round % 5 == 4
            && let Ok(fresh) = open().await
        {
            lake = fresh;
        }
    }
    // What is still on its way lands late or never; from here on the store is as others are.
    fickle.fates.lock().unwrap().clear();
    for _ in 0..20 {
        fickle.tick().await;
    }
    lake.flush(now()).await.unwrap();
    lake.maintain(true, now()).await.unwrap();
    let snapshot = Snapshot::load(&store, "spans").await.unwrap();
    let rows = snapshot.files().map(|file| file.rows().unwrap()).sum();
    let met = *fickle.met.lock().unwrap();
    (rows, appended, met)
}

#[tokio::test]
async fn a_store_that_answers_late_or_not_at_all_loses_and_doubles_nothing() {
    let mut all = [0; 4];
    for seed in 1..=60 {
        let folder = tempfile::tempdir().unwrap();
        let (rows, appended, met) = run(folder.path(), seed).await;
        assert_eq!(rows, appended as u64, "seed {seed}: rows in the table and rows appended");
        all.iter_mut().zip(met).for_each(|(sum, n)| *sum += n);
    }
    assert!(all.iter().all(|n| *n > 100), "every fate was met: {all:?}");
}
