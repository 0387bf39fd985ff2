//! Traces that nobody will ask for: what goes, what stays, and that it is the same whatever way the records came.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use lake::Completing;
use lake::Options;
use processors::complete::{Complete, Tail};
use proptest::prelude::*;

use crate::property::{Table, cases, compare, run, sent};
use crate::records::{BASE, HOUR, Record, What, records};
use crate::rig::{Rig, completing, hours};

/// Options with completion and thinning to a half.
fn thinning() -> Options {
    let mut how = Completing::new(Arc::new(Complete::default()));
    how.thinning = Some(Arc::new(Tail::new(0.5, Some(2_000_000_000), None)));
    Options { completing: Some(how), ..Options::default() }
}

fn request(trace: u8, at: i64) -> Record {
    Record { trace, at, user: 1, session: 1, ..Record::default() }
}

/// Tables and traces of the rows, and what they stand for.
async fn left(rig: &Rig) -> Vec<String> {
    let rows = rig.rows().await;
    let shown = rows.iter().map(|row| {
        let trace = u64::from_str_radix(&row["trace_id"], 16).unwrap() / 0x0055_5555_5555_5555;
        let get = |name: &str| row.get(name).map_or("-", String::as_str);
        format!("{} {trace} {} {}", row["table"], get("sample_weight"), get("trace_state"))
    });
    let mut shown: Vec<String> = shown.collect();
    shown.sort();
    shown
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_trace_goes_once_its_hour_rests_and_a_failing_one_stays_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(folder.path(), "journal", thinning()).await;
    let error = Record { what: What::ErrorLog, ..request(1, HOUR / 2) };
    let (quiet, kept) = (Record { tenant: 1, ..request(1, 0) }, request(2, 0));
    rig.send(&[(1, &request(1, 0)), (2, &quiet), (3, &kept)]).await;
    rig.flush(hours(0.1)).await;
    rig.send(&[(4, &error)]).await;
    rig.flush(hours(0.6)).await;
    let all = ["errors 1 - -", "requests 1 - -", "requests 1 - -", "requests 2 - -"];
    for now in [0.9, 2.5, 4.9] {
        rig.tidy(hours(now)).await;
        assert_eq!(left(&rig).await, all, "{now}");
    }
    let before = rig.snapshot("requests").await;
    rig.tidy(hours(5.2)).await;
    assert_eq!(left(&rig).await, ["errors 1 - -", "requests 1 - -", "requests 2 2.0 ot=th:8"]);
    assert_eq!(rig.completed().dropped, 1);
    let after = rig.snapshot("requests").await;
    let file = after.files().next().unwrap();
    assert!(file.data_change && file.rows() == Some(2), "{file:?}");
    assert_eq!(after.version(), before.version() + 1, "rows and weights change in one commit");
    let versions = rig.versions().await;
    for round in 0..3 {
        rig.tidy(hours(6.0 + f64::from(round))).await;
    }
    assert_eq!(rig.versions().await, versions, "nothing is written where nothing changes");
    // What comes late is judged by what is left, and brings nothing back.
    rig.send(&[(5, &quiet), (6, &request(1, 1)), (7, &request(2, 1))]).await;
    rig.flush(hours(9.0)).await;
    for round in 0..8 {
        rig.tidy(hours(10.0 + f64::from(round))).await;
    }
    let stay = ["errors 1 - -", "requests 1 - -", "requests 1 - -", "requests 2 2.0 ot=th:8", "requests 2 2.0 ot=th:8"];
    assert_eq!(left(&rig).await, stay);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_which_nothing_stays_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(folder.path(), "journal", thinning()).await;
    rig.send(&[(1, &request(1, 0)), (2, &Record { what: What::Audit, ..request(0, 0) })]).await;
    rig.flush(hours(0.1)).await;
    rig.tidy(hours(6.0)).await;
    assert_eq!(rig.snapshot("requests").await.files().count(), 0);
    assert_eq!(rig.rows().await.len(), 1, "what is audited stays");
    rig.tidy(hours(7.0)).await;
    rig.send(&[(3, &request(2, 8 * HOUR))]).await;
    rig.flush(hours(8.1)).await;
    assert_eq!(rig.rows().await.len(), 2, "the table goes on");
}

/// What thinning must leave of rows that are complete.
fn expected(rows: &Table) -> Table {
    let hour = |row: &BTreeMap<String, String>| row["time"].parse::<i64>().unwrap().div_euclid(HOUR);
    let trace = |row: &BTreeMap<String, String>| Some((row["tenant"].clone(), row.get("trace_id")?.clone()));
    let stays =
        |row: &BTreeMap<String, String>| ["errors", "auth_events", "audit_log"].contains(&row["table"].as_str());
    let mut asked = HashSet::new();
    for row in rows.iter().filter(|row| stays(row)) {
        if let Some(trace) = trace(row) {
            asked.extend((-1..=1).map(|near| (hour(row) + near, trace.clone())));
        }
    }
    let mut left = Vec::new();
    for row in rows {
        let mut row = row.clone();
        if let Some(trace) = trace(&row).filter(|trace| !stays(&row) && !asked.contains(&(hour(&row), trace.clone()))) {
            let randomness = u64::from_str_radix(&trace.1, 16).unwrap();
            if randomness < 1 << 55 {
                continue;
            }
            row.insert("sample_weight".to_owned(), "2.0".to_owned());
            if row["kind"] != "log" {
                row.insert("trace_state".to_owned(), "ot=th:8".to_owned());
            }
        }
        left.push(row);
    }
    left.sort();
    left
}

/// Rows as they are without thinning, from one request.
async fn whole(records: &[Record]) -> Table {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(folder.path(), "journal", completing()).await;
    rig.send(&sent(records)).await;
    rig.flush(hours(12.0)).await;
    rig.tidy(hours(12.0)).await;
    rig.rows().await
}

/// Records come in the hour in which they happen, in any order and split, with restarts, flushes, rounds and crashes
/// between them; then the hours pass.
async fn live(records: &[Record], way: &[(u32, u8)], two: bool) -> Table {
    let folder = tempfile::tempdir().unwrap();
    let first = if two { completing() } else { thinning() };
    let mut rigs = vec![Rig::new(folder.path(), "journal", first).await];
    if two {
        rigs.push(Rig::new(folder.path(), "second", Options { merge_all: true, ..thinning() }).await);
    }
    let mut all: Vec<_> = sent(records).into_iter().zip(way).collect();
    all.sort_by_key(|((_, record), (order, _))| (record.at / HOUR, *order));
    let mut writer = 0;
    for ((number, record), (_, step)) in all {
        let now = (record.at / HOUR) as f64 + 0.5;
        rigs[writer].send(&[(number, record)]).await;
        match step % 8 {
            0 | 1 => rigs[writer].flush(hours(now)).await,
            2 => {
                rigs[writer].flush(hours(now)).await;
                rigs[writer].tidy(hours(now)).await;
            }
            3 => {
                rigs[writer].flush(hours(now)).await;
                rigs[writer].crash(hours(now), usize::from(*step)).await;
            }
            4 => rigs[writer].restart().await,
            _ => {}
        }
        writer = (writer + 1) % rigs.len();
    }
    for quarter in 0..56_u8 {
        let now = hours(4.0 + f64::from(quarter) / 4.0);
        for rig in &mut rigs {
            if quarter == 0 {
                rig.flush(now).await;
            }
            rig.tidy(now).await;
        }
        if quarter % 7 == way[0].1 % 7 {
            rigs[0].crash(now, usize::from(way[0].1)).await;
        }
    }
    rigs[0].restart().await;
    rigs[0].rows().await
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn what_is_left_is_the_same_whatever_way_records_came(
        records in records(24, 4),
        way in prop::collection::vec((any::<u32>(), any::<u8>()), 72),
        two in any::<bool>(),
    ) {
        // Times that nobody believes say nothing of when a record came.
        let records: Vec<Record> = records.into_iter().map(|record| Record { suspect: false, ..record }).collect();
        prop_assert!(records.iter().all(|record| BASE + record.at >= BASE));
        let (whole, found) = run(async { (whole(&records).await, live(&records, &way, two).await) });
        compare(&expected(&whole), &found)?;
    }
}
