//! What an append costs without its fsync, and how many bytes a row takes, by the size of the gather.
//!
//! `cargo bench -p journal`. Set `JOURNAL_BENCH` to a folder of a disk in memory to leave the disk out altogether.

#![expect(clippy::unwrap_used, reason = "a benchmark may end with a panic")]

#[path = "../src/tests/sample.rs"]
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
mod sample;

use std::sync::Arc;
use std::time::{Duration, Instant};

use component::Sealed;
use journal::{Journal, Options, Snapshot};
use schemas::Catalog;

/// How long each size is appended, and read.
const SPEND: Duration = Duration::from_secs(2);

fn main() {
    let catalog = Arc::new(Catalog::built_in().unwrap());
    println!(
        "{:>8} {:>12} {:>14} {:>12} {:>12} {:>14}",
        "rows", "µs/append", "CPU µs/append", "rows/s", "bytes/row", "read rows/s"
    );
    for rows in [1, 10, 200, 5000] {
        // Different gathers, as a real sender's are.
        let gathers: Vec<Sealed> = (0..8).map(|seed| sample::spans(&catalog, rows, seed * 1000)).collect();
        let folder = match std::env::var_os("JOURNAL_BENCH") {
            Some(parent) => tempfile::tempdir_in(parent).unwrap(),
            None => tempfile::tempdir().unwrap(),
        };
        let journal = Journal::open(folder.path(), Arc::clone(&catalog), Options::default()).unwrap();
        let (begin, cpu) = (Instant::now(), cpu());
        let mut appends = 0;
        while begin.elapsed() < SPEND && journal.stats().bytes < 1 << 30 {
            for gather in &gathers {
                journal.append(gather).unwrap();
            }
            appends += gathers.len();
        }
        let took = begin.elapsed().as_secs_f64() / appends as f64;
        let cpu = (self::cpu() - cpu) / appends as f64;
        let bytes = journal.stats().bytes as f64 / (appends * rows) as f64;
        let read = read(&folder, &catalog);
        let (wall, cpu, rate) = (took * 1e6, cpu * 1e6, rows as f64 / took);
        println!("{rows:>8} {wall:>12.1} {cpu:>14.1} {rate:>12.0} {bytes:>12.0} {read:>14.0}");
    }
}

/// Processor seconds of this process so far, the sync thread's included; on a busy machine the better measure.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: f64 = fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap()).sum();
    ticks / 100.0
}

/// Rows decoded in a second.
fn read(folder: &tempfile::TempDir, catalog: &Catalog) -> f64 {
    let begin = Instant::now();
    let mut rows = 0;
    let snapshot = Snapshot::open(folder.path()).unwrap();
    for entry in snapshot.views().iter().flat_map(|view| view.entries()) {
        rows += entry.parts(catalog, |_| true).unwrap().iter().map(|part| part.batch.num_rows()).sum::<usize>();
        if begin.elapsed() > SPEND {
            break;
        }
    }
    rows as f64 / begin.elapsed().as_secs_f64()
}
