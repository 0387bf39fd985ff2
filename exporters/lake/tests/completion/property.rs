//! For any split, order, restart, crash, flush and merge, by one writer or two: equal tables.

use std::collections::BTreeMap;

use lake::Options;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use crate::records::{Record, records};
use crate::rig::{Rig, completing, hours, is_sent_again};

/// One way for records to come.
#[derive(Debug, Clone)]
struct Way {
    /// By which the records are ordered.
    order: Vec<u32>,
    /// What happens before each of them.
    before: Vec<Step>,
    /// Whether a second writer takes every other request and merges the files of both.
    two: bool,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    /// It is in the request of the one before.
    Nothing,
    Request,
    Restart,
    Flush,
    /// A round of merges, so many quarters of an hour later than the last thing.
    Tidy(u8),
    /// The same, that ends after so many steps.
    Crash(u8, u8),
}

fn way(most: usize) -> impl Strategy<Value = Way> {
    let step = prop_oneof![
        6 => Just(Step::Nothing),
        4 => Just(Step::Request),
        1 => Just(Step::Restart),
        3 => Just(Step::Flush),
        2 => (0..16_u8).prop_map(Step::Tidy),
        1 => (0..16_u8, 0..120_u8).prop_map(|(quarters, polls)| Step::Crash(quarters, polls)),
    ];
    let order = prop::collection::vec(any::<u32>(), most * 3);
    let before = prop::collection::vec(step, most * 3);
    (order, before, any::<bool>()).prop_map(|(order, before, two)| Way { order, before, two })
}

pub type Table = Vec<BTreeMap<String, String>>;

/// Rounds until nothing is left to complete; the last writer may merge everything.
async fn settle(rigs: &mut [Rig], mut at: f64) -> Table {
    for _ in 0..3 {
        for rig in &mut *rigs {
            rig.flush(hours(at)).await;
        }
        for rig in &mut *rigs {
            rig.tidy(hours(at)).await;
        }
        at += 1.0;
    }
    rigs[0].rows().await
}

pub fn sent(records: &[Record]) -> Vec<(usize, &Record)> {
    let copies = |record: &Record| usize::from(record.copies.max(1));
    (1..).zip(records).flat_map(|(number, record)| std::iter::repeat_n((number, record), copies(record))).collect()
}

async fn at_once(records: &[Record]) -> Table {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(folder.path(), "journal", completing()).await;
    rig.send(&sent(records)).await;
    settle(&mut [rig], 12.0).await
}

async fn by(way: &Way, records: &[Record]) -> Table {
    let folder = tempfile::tempdir().unwrap();
    let mut rigs = vec![Rig::new(folder.path(), "journal", completing()).await];
    if way.two {
        let all = Options { merge_all: true, ..completing() };
        rigs.push(Rig::new(folder.path(), "second", all).await);
    }
    let mut all: Vec<_> = sent(records).into_iter().zip(&way.order).collect();
    all.sort_by_key(|(_, order)| **order);
    let mut now = 0.5;
    let mut writer = 0;
    let mut request: Vec<(usize, &Record)> = Vec::new();
    for ((record, _), step) in all.into_iter().zip(&way.before) {
        if !matches!(step, Step::Nothing) && !request.is_empty() {
            rigs[writer].send(&request).await;
            request.clear();
            take(&mut rigs[writer], *step, &mut now).await;
            writer = (writer + 1) % rigs.len();
        }
        request.push(record);
    }
    rigs[writer].send(&request).await;
    settle(&mut rigs, now + 12.0).await
}

async fn take(rig: &mut Rig, step: Step, now: &mut f64) {
    match step {
        Step::Nothing | Step::Request => {}
        Step::Restart => rig.restart().await,
        Step::Flush => rig.flush(hours(*now)).await,
        Step::Tidy(quarters) | Step::Crash(quarters, _) => {
            rig.flush(hours(*now)).await;
            *now += f64::from(quarters) / 4.0;
            match step {
                Step::Crash(_, polls) => rig.crash(hours(*now), usize::from(polls)).await,
                _ => rig.tidy(hours(*now)).await,
            }
        }
    }
}

pub fn compare(one: &Table, other: &Table) -> TestCaseResult {
    prop_assert_eq!(one.len(), other.len(), "rows are lost or doubled");
    for (one, other) in one.iter().zip(other) {
        prop_assert_eq!(one, other);
    }
    Ok(())
}

pub fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap().block_on(work)
}

pub fn cases(n: u32) -> ProptestConfig {
    // A case makes two lakes on a disk.
    let cases = std::env::var("PROPTEST_CASES").map_or(n, |n| n.parse().unwrap());
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn merged_tables_are_equal_whatever_way_records_came(records in records(24, 4), way in way(24)) {
        let (expected, found) = run(async { (at_once(&records).await, by(&way, &records).await) });
        compare(&expected, &found)?;
    }

    /// Within one hour ingest sees in one gather all that completion sees, and says the same.
    #[test]
    fn what_one_gather_told_is_what_completion_tells(records in records(24, 1)) {
        let (told, completed) = run(async {
            let folder = tempfile::tempdir().unwrap();
            let mut rig = Rig::new(folder.path(), "journal", Options::default()).await;
            rig.send(&sent(&records)).await;
            rig.flush(hours(1.0)).await;
            (rig.rows().await, at_once(&records).await)
        });
        // Which copy of a row counts is not for completion to say.
        let [told, completed] = [told, completed].map(|mut table| {
            table.iter_mut().filter(|row| is_sent_again(row)).for_each(|row| _ = row.remove("echo_of"));
            table.sort();
            table
        });
        compare(&told, &completed)?;
    }
}
