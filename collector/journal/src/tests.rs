//! The journal against crashes, damage, full disks and readers at work.

mod audited;
mod cost;
mod damage;
mod lifecycle;
mod readers;
mod resent;
mod round_trip;
mod sample;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::Int64Type;
use component::{Rows, Sealed};
use schemas::Catalog;

use crate::{Entry, Error, Journal, JournalId, Options, Part, Place, Position, Snapshot};

/// One column of every type.
const PROBE: &str = "
table: probe
order: 90001
columns:
  - { name: text, type: text }
  - { name: dict, type: dict }
  - { name: int, type: int }
  - { name: float, type: float }
  - { name: bool, type: bool }
  - { name: moment, type: time }
  - { name: day, type: date }
  - { name: money, type: money }
  - { name: map, type: map }
  - { name: password, type: text, class: secret, transient: true }
";

/// An audit table that does not depend on what the built-in one holds.
const LEDGER: &str = "
table: ledger
order: 90002
audit: true
columns:
  - { name: time, type: time, leaf: public }
  - { name: action, type: dict, leaf: public }
  - { name: amount, type: money, leaf: public }
  - { name: ratio, type: float, leaf: public }
  - { name: allowed, type: bool, leaf: public }
  - { name: due, type: date, leaf: public }
  - { name: actor_ref, type: text, leaf: personal }
  - { name: details, type: map, leaf: personal }
  - { name: attempts, type: int, leaf: personal }
  - { name: remark, type: text }
  - { name: log_id, type: text }
  - { name: log_seq, type: int }
  - { name: canon_ver, type: int }
  - { name: salt, type: text }
  - { name: commitment, type: text }
  - { name: leaf, type: text }
";

/// The built-in tables and the two above.
fn catalog() -> Arc<Catalog> {
    static CATALOG: OnceLock<Arc<Catalog>> = OnceLock::new();
    let load = || {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("probe.yaml"), PROBE).unwrap();
        std::fs::write(folder.path().join("ledger.yaml"), LEDGER).unwrap();
        Arc::new(Catalog::load(Some(folder.path())).unwrap())
    };
    Arc::clone(CATALOG.get_or_init(load))
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn open(folder: &Path) -> Journal {
    open_with(folder, Options::default())
}

fn open_with(folder: &Path, options: Options) -> Journal {
    Journal::open(folder, catalog(), options).unwrap()
}

/// Rows whose values tell their number: `int` counts from `first`, `text` says the same in words.
fn numbered(first: u64, rows: usize) -> Sealed {
    let numbers = || (first..).take(rows);
    let table = catalog();
    let table = table.table("probe").unwrap();
    sample::seal(vec![sample::rows(
        table,
        vec![
            ("int", Arc::new(Int64Array::from_iter_values(numbers().map(|n| n as i64)))),
            ("text", Arc::new(StringArray::from_iter_values(numbers().map(|n| format!("number {n}"))))),
        ],
    )])
}

/// The numbers of a gather that [`numbered`] made; fails if a value does not fit its number.
fn numbers(entry: &Entry) -> Vec<u64> {
    let parts = entry.parts(&catalog(), |_| true).unwrap();
    assert_eq!(parts.len(), 1);
    let batch = &parts[0].batch;
    let ints = batch.column_by_name("int").unwrap().as_primitive::<Int64Type>();
    let texts = batch.column_by_name("text").unwrap().as_string::<i32>();
    assert_eq!(ints.null_count() + texts.null_count(), 0);
    let mut out = Vec::new();
    for row in 0..batch.num_rows() {
        assert_eq!(texts.value(row), format!("number {}", ints.value(row)));
        out.push(ints.value(row) as u64);
    }
    out
}

/// What a folder holds: journal, position and numbers of every gather, in reading order.
fn contents(folder: &Path) -> Vec<(JournalId, u64, Vec<u64>)> {
    let snapshot = Snapshot::open(folder).unwrap();
    let entries = snapshot.views().iter().flat_map(|view| view.entries());
    entries.map(|entry| (entry.journal(), entry.position().0, numbers(&entry))).collect()
}

/// Damage counted in a folder.
fn damaged(folder: &Path) -> u64 {
    let count = |view: &crate::View| {
        let mut entries = view.entries();
        entries.by_ref().for_each(drop);
        entries.damage().len() as u64
    };
    Snapshot::open(folder).unwrap().views().iter().map(count).sum()
}

/// Segment files of a folder, in order.
fn segments(folder: &Path) -> Vec<PathBuf> {
    crate::reader::list(folder).unwrap().into_iter().map(|(_, _, path)| path).collect()
}

/// Every gather of a folder, decoded.
fn parts(folder: &Path) -> Vec<Vec<Part>> {
    let snapshot = Snapshot::open(folder).unwrap();
    let entries = snapshot.views().iter().flat_map(|view| view.entries());
    entries.map(|entry| entry.parts(&catalog(), |_| true).unwrap()).collect()
}

/// A column as the lake would store it.
fn stored(array: &ArrayRef) -> ArrayRef {
    match array.as_any_dictionary_opt() {
        Some(dict) => cast(array, dict.values().data_type()).unwrap(),
        None => Arc::clone(array),
    }
}

/// Fails unless a batch holds exactly the stored columns of `rows`, value by value.
fn assert_same(batch: &RecordBatch, rows: &Rows) {
    assert_eq!(batch.num_rows(), rows.len());
    let mut expected = 0;
    for (index, column) in rows.table().columns.iter().enumerate() {
        let want = rows.at(index).filter(|_| !column.transient);
        let got = batch.column_by_name(&column.name);
        assert_eq!(got.is_some(), want.is_some(), "presence of {}", column.name);
        if let (Some(got), Some(want)) = (got, want) {
            expected += 1;
            let (got, want) = (stored(got), stored(want));
            assert_eq!(got.data_type(), &column.r#type.stored(), "type of {}", column.name);
            assert_eq!(got.as_ref(), want.as_ref(), "values of {}", column.name);
        }
    }
    assert_eq!(batch.num_columns(), expected);
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// A test that runs alone in a process of its own, in `folder`, with writes beyond a limit failing instead of killing.
fn alone(test: &str, folder: &Path) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture", "--test-threads", "1"])
        .env("JOURNAL_FOLDER", folder);
    command
}

/// The folder of a test that [`alone`] started.
fn given_folder() -> PathBuf {
    std::env::var_os("JOURNAL_FOLDER").map(PathBuf::from).expect("started by another test, which names a folder")
}

/// Runs such a test to its end.
fn run_alone(test: &str, folder: &Path) {
    let output = alone(test, folder).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("1 passed"), "no such test: {text}");
    print!("{text}");
}
