//! The lake over real journals and a real folder: exactly once, two writers, whole days gone in time.

#![expect(clippy::unwrap_used, reason = "what a test sets up fails as the test does")]

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, StringArray, TimestampMicrosecondArray};
use chrono::{DateTime, TimeDelta, Utc};
use component::{Gather, Rows, Seal, Sealed};
use journal::Journal;
use lake::delta::Snapshot;
use lake::{Lake, Location, Options};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use schemas::Catalog;

const DAY: i32 = 20_000;

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(i64::from(DAY) * 86_400, 0).unwrap()
}

/// Spans named by `names`, one each, at `now`.
fn spans(catalog: &Catalog, names: &[String], now: DateTime<Utc>) -> Sealed {
    let table = catalog.table("spans").unwrap();
    let n = names.len();
    let micros = now.timestamp_micros();
    let set: [(&str, ArrayRef); 6] = [
        ("trace_id", Arc::new(StringArray::from(vec!["1234567890abcdef1234567890abcdef"; n]))),
        ("tenant", Arc::new(StringArray::from(vec!["default"; n]))),
        ("time", Arc::new(TimestampMicrosecondArray::from(vec![micros; n]).with_timezone("UTC"))),
        ("span_id", Arc::new(StringArray::from(names.to_vec()))),
        ("service_name", Arc::new(StringArray::from(vec!["shop"; n]))),
        ("date", Arc::new(Date32Array::from(vec![i32::try_from(micros / 86_400_000_000).unwrap(); n]))),
    ];
    let mut rows = Rows::new(Arc::clone(table), vec![None; table.columns.len()], vec![0; n]).unwrap();
    for (column, values) in set {
        rows.set(column, values).unwrap();
    }
    Seal::new(Vec::new()).seal(Gather::new(vec![rows])).unwrap()
}

struct Setup {
    catalog: Arc<Catalog>,
    location: Location,
}

impl Setup {
    fn new(folder: &Path) -> Self {
        let location = Location::parse(&folder.join("lake").display().to_string()).unwrap();
        Self { catalog: Arc::new(Catalog::built_in().unwrap()), location }
    }

    fn journal(&self, folder: &Path) -> Journal {
        Journal::open(folder, Arc::clone(&self.catalog), journal::Options::default()).unwrap()
    }

    async fn lake(&self, journal: &Journal) -> Lake {
        Lake::open(&self.location, journal.clone(), Options::default(), "fingerprint".into()).await.unwrap()
    }

    async fn snapshot(&self) -> Snapshot {
        Snapshot::load(&self.location.open().unwrap(), "spans").await.unwrap()
    }

    async fn rows(&self) -> u64 {
        self.snapshot().await.files().map(|f| f.rows().unwrap()).sum()
    }

    async fn append(&self, journal: &Journal, from: usize, count: usize, now: DateTime<Utc>) {
        let names: Vec<String> = (from..from + count).map(|i| format!("{i:016x}")).collect();
        let position = journal.append(&spans(&self.catalog, &names, now)).unwrap();
        journal.durable(position).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replay_after_a_lost_cursor_or_a_crash_commits_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup::new(folder.path());
    let journal = setup.journal(&folder.path().join("journal"));
    for round in 0..5 {
        setup.append(&journal, round * 10, 10, start()).await;
        // A lake that is opened anew has no cursor: it reads the journal from its beginning.
        let mut lake = setup.lake(&journal).await;
        assert_eq!(lake.flush(start()).await.unwrap(), 10);
        assert_eq!(lake.flush(start()).await.unwrap(), 0);
    }
    setup.append(&journal, 50, 7, start()).await;
    drop(journal);
    let journal = setup.journal(&folder.path().join("journal"));
    setup.append(&journal, 57, 3, start()).await;
    let mut lake = setup.lake(&journal).await;
    assert_eq!(lake.flush(start()).await.unwrap(), 10);
    assert_eq!(setup.rows().await, 60);
    assert_eq!(lake.flush(start()).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_writers_lose_and_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let setup = Arc::new(Setup::new(folder.path()));
    let mut writers = Vec::new();
    for writer in 0..2 {
        let setup = Arc::clone(&setup);
        let path = folder.path().join(format!("journal{writer}"));
        writers.push(tokio::spawn(async move {
            let journal = setup.journal(&path);
            let mut lake = setup.lake(&journal).await;
            for round in 0..60 {
                setup.append(&journal, writer * 1_000_000 + round * 5, 5, start()).await;
                lake.flush(start()).await.unwrap();
                lake.maintain(round % 10 == 9, start()).await.unwrap();
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(setup.rows().await, 600);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_was_lost_is_not_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup::new(folder.path());
    let journal = setup.journal(&folder.path().join("journal"));
    // The second lake stands for the same one after a commit of which it never heard.
    let (mut first, mut second) = (setup.lake(&journal).await, setup.lake(&journal).await);
    setup.append(&journal, 0, 10, start()).await;
    first.flush(start()).await.unwrap();
    setup.append(&journal, 10, 5, start()).await;
    second.flush(start()).await.unwrap();
    assert_eq!(setup.rows().await, 15);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_was_idle_while_the_log_was_cleaned_goes_on_at_its_head() {
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup::new(folder.path());
    let (idle, busy) = (setup.journal(&folder.path().join("idle")), setup.journal(&folder.path().join("busy")));
    let (mut sleeper, mut worker) = (setup.lake(&idle).await, setup.lake(&busy).await);
    setup.append(&idle, 0, 3, start()).await;
    sleeper.flush(start()).await.unwrap();
    for round in 0..120 {
        let now = start() + TimeDelta::minutes(round);
        setup.append(&busy, 1_000 + usize::try_from(round).unwrap() * 2, 2, now).await;
        worker.flush(now).await.unwrap();
        worker.maintain(round % 30 == 29, now).await.unwrap();
    }
    let log = folder.path().join("lake/spans/_delta_log/00000000000000000002.json");
    assert!(!log.exists(), "the log was cleaned");
    setup.append(&idle, 3, 4, start()).await;
    sleeper.flush(start()).await.unwrap();
    assert_eq!(setup.rows().await, 3 + 240 + 4);
    // Nor does tidying take another writer's files for left-overs.
    sleeper.maintain(true, start() + TimeDelta::days(3)).await.unwrap();
    assert_eq!(setup.rows().await, 3 + 240 + 4);
    let files: Vec<String> = setup.snapshot().await.files().map(|f| f.path.clone()).collect();
    assert!(files.iter().all(|path| folder.path().join("lake/spans").join(path).exists()));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup::new(folder.path());
    let journal = setup.journal(&folder.path().join("journal"));
    setup.append(&journal, 0, 1, start()).await;
    setup.lake(&journal).await.flush(start()).await.unwrap();
    let other = Lake::open(&setup.location, journal, Options::default(), "other".into()).await;
    assert!(other.is_err_and(|e| e.to_string().contains("another root key")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_journal_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup::new(folder.path());
    let path = folder.path().join("journal");
    let journal = setup.journal(&path);
    setup.append(&journal, 0, 1, start()).await;
    journal.close().unwrap();
    drop(journal);
    let copy: Vec<_> = std::fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()).collect();
    let copy: Vec<_> = copy.into_iter().map(|p| (std::fs::read(&p).unwrap(), p)).collect();
    let journal = setup.journal(&path);
    setup.append(&journal, 1, 1, start()).await;
    setup.lake(&journal).await.flush(start()).await.unwrap();
    drop(journal);
    std::fs::remove_dir_all(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    copy.into_iter().for_each(|(bytes, path)| std::fs::write(path, bytes).unwrap());
    let journal = setup.journal(&path);
    let refused = Lake::open(&setup.location, journal, Options::default(), "fingerprint".into()).await;
    assert!(refused.is_err_and(|e| e.to_string().contains("restored from an older copy")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_was_sent_again_counts_once_after_the_merge() {
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup::new(folder.path());
    let journal = setup.journal(&folder.path().join("journal"));
    let mut lake = setup.lake(&journal).await;
    for _ in 0..2 {
        setup.append(&journal, 0, 3, start()).await;
        lake.flush(start()).await.unwrap();
    }
    setup.append(&journal, 3, 1, start()).await;
    lake.flush(start()).await.unwrap();
    lake.maintain(true, start()).await.unwrap();
    let snapshot = setup.snapshot().await;
    let files: Vec<_> = snapshot.files().collect();
    assert_eq!(files.len(), 1);
    let bytes = std::fs::read(folder.path().join("lake/spans").join(&files[0].path)).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes)).unwrap().build().unwrap();
    let mut counts = Vec::new();
    for batch in reader.map(|b| b.unwrap()) {
        let column = |name: &str| batch.column_by_name(name).unwrap().as_string::<i32>().clone();
        let (spans, echoes) = (column("span_id"), column("echo_of"));
        counts.extend((0..batch.num_rows()).map(|row| (spans.value(row).to_owned(), echoes.is_valid(row))));
    }
    counts.sort();
    let rows: Vec<(&str, bool)> = counts.iter().map(|(span, echo)| (&span[15..], *echo)).collect();
    assert_eq!(rows, [("0", false), ("0", true), ("1", false), ("1", true), ("2", false), ("2", true), ("3", false)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_days_expire() {
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup::new(folder.path());
    let journal = setup.journal(&folder.path().join("journal"));
    let keep = setup.catalog.table("spans").unwrap().retention.keep_days.unwrap();
    let mut lake = setup.lake(&journal).await;
    setup.append(&journal, 0, 3, start()).await;
    setup.append(&journal, 3, 4, start() + TimeDelta::days(1)).await;
    lake.flush(start()).await.unwrap();
    let last = start() + TimeDelta::days(i64::from(keep));
    lake.maintain(true, last).await.unwrap();
    assert_eq!(setup.rows().await, 7, "the day is kept to its end");
    lake.maintain(true, last + TimeDelta::days(1)).await.unwrap();
    assert_eq!(setup.rows().await, 4);
}
