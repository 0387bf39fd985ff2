//! A day in a minute: a flush every ten seconds of simulated time, with the merges and the cleaning that fall due.
//!
//! `cargo run --release -p lake --example day -- FOLDER` leaves a data folder, which `marquetry query --data FOLDER` reads,
//! and prints as JSON what it holds and what commits cost in the morning and in the evening.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, Date32Array, StringArray, TimestampMicrosecondArray};
use chrono::{DateTime, TimeDelta, Utc};
use component::{Gather, Rows, Seal, Sealed};
use journal::Journal;
use lake::delta::Snapshot;
use lake::{Lake, Location, Options};
use schemas::Catalog;

/// Ten seconds apart.
const FLUSHES: usize = 8_640;
/// Spans of each flush.
const SPANS: usize = 2;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or("which folder? day FOLDER")?);
    let catalog = Arc::new(Catalog::built_in()?);
    let journal = Journal::open(&folder.join("journal"), Arc::clone(&catalog), journal::Options::default())?;
    let location = Location::Folder(folder.join("lake"));
    let mut lake = Lake::open(&location, journal.clone(), Options::default(), "a simulated day".into()).await?;
    let start = Utc::now() - TimeDelta::days(1);
    let mut flushes = Vec::with_capacity(FLUSHES);
    for round in 0..FLUSHES {
        let now = start + TimeDelta::seconds(i64::try_from(round)? * 10);
        let position = journal.append(&spans(&catalog, round * SPANS, now)?)?;
        journal.durable(position).await?;
        let begun = Instant::now();
        lake.flush(now).await?;
        flushes.push(begun.elapsed());
        lake.maintain(round % 360 == 359, now).await?;
    }
    let begun = Instant::now();
    let snapshot = Snapshot::load(&location.open()?, "spans").await?;
    let opened = begun.elapsed();
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    let told = serde_json::json!({
        "rows": snapshot.files().filter_map(|file| file.rows()).sum::<u64>(),
        "live_files": snapshot.files().len(),
        "objects": objects(&folder.join("lake/spans"))?,
        "open_ms": millis(opened),
        "flush_ms_early": millis(median(&flushes[100..1_100])),
        "flush_ms_late": millis(median(&flushes[FLUSHES - 1_000..])),
    });
    println!("{told}");
    Ok(journal.close()?)
}

/// Spans with numbers of their own, at `now`.
fn spans(catalog: &Catalog, from: usize, now: DateTime<Utc>) -> Result<Sealed, Box<dyn Error>> {
    let table = catalog.table("spans").ok_or("no table spans")?;
    let micros = now.timestamp_micros();
    let date = i32::try_from(micros.div_euclid(86_400_000_000))?;
    let numbers = from..from + SPANS;
    let columns: [(&str, ArrayRef); 6] = [
        ("tenant", Arc::new(StringArray::from(vec!["default"; SPANS]))),
        ("time", Arc::new(TimestampMicrosecondArray::from(vec![micros; SPANS]).with_timezone("UTC"))),
        ("service_name", Arc::new(StringArray::from(vec!["shop"; SPANS]))),
        ("trace_id", Arc::new(StringArray::from_iter_values(numbers.clone().map(|n| format!("{:032x}", n + 1))))),
        ("span_id", Arc::new(StringArray::from_iter_values(numbers.map(|n| format!("{:016x}", n + 1))))),
        ("date", Arc::new(Date32Array::from(vec![date; SPANS]))),
    ];
    let mut rows = Rows::new(Arc::clone(table), vec![None; table.columns.len()], vec![0; SPANS])?;
    for (column, values) in columns {
        rows.set(column, values)?;
    }
    Ok(Seal::new(Vec::new()).seal(Gather::new(vec![rows]))?)
}

fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort();
    times[times.len() / 2]
}

/// Files below a folder.
fn objects(folder: &Path) -> std::io::Result<usize> {
    let mut count = 0;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        count += if path.is_dir() { objects(&path)? } else { 1 };
    }
    Ok(count)
}
