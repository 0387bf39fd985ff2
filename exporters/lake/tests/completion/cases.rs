//! Single cases: what is completed when, at what cost, and what stays.

use std::time::Instant;

use crate::records::{BASE, Cells, HOUR, Record, What};
use crate::rig::{Rig, completing, hours, is_sent_again};

fn server(trace: u8) -> Record {
    Record { trace, user: 1, session: 1, ..Record::default() }
}

fn child(trace: u8, at: i64) -> Record {
    Record { what: What::Span, trace, at, ..Record::default() }
}

async fn rig() -> (tempfile::TempDir, Rig) {
    let folder = tempfile::tempdir().unwrap();
    let rig = Rig::new(folder.path(), "journal", completing()).await;
    (folder, rig)
}

/// `user_source` and `session_source` of the rows of a table.
async fn sources(rig: &Rig, table: &str) -> Vec<String> {
    let rows = rig.rows().await;
    let rows = rows.iter().filter(|row| row["table"] == table);
    let told = rows.map(|row| {
        let get = |name: &str| row.get(name).map_or("-", String::as_str);
        assert_eq!(get("user_source") == "-", get("user_ref") == "-");
        assert_eq!(get("session_source") == "-", get("session_ref") == "-");
        format!("{} {}", get("user_source"), get("session_source"))
    });
    let mut told: Vec<String> = told.collect();
    told.sort();
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_came_before_its_parent_learns_who_it_was() {
    let (_folder, mut rig) = rig().await;
    rig.send(&[(1, &child(1, 5))]).await;
    rig.flush(hours(0.1)).await;
    rig.send(&[(2, &server(1))]).await;
    rig.flush(hours(0.2)).await;
    rig.tidy(hours(1.9)).await;
    assert_eq!(sources(&rig, "spans").await, ["- -"], "the hour is not whole");
    rig.tidy(hours(2.2)).await;
    assert_eq!(sources(&rig, "spans").await, ["trace trace"]);
    assert_eq!(sources(&rig, "requests").await, ["attribute attribute"]);
    let done = rig.completed();
    assert_eq!((done.windows, done.rows, done.changed, done.left_out), (1, 2, 4, 0));
    let versions = rig.versions().await;
    for round in 0..3 {
        rig.tidy(hours(3.0 + f64::from(round))).await;
    }
    assert_eq!(rig.versions().await, versions, "nothing is written where nothing changes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_row_completes_what_was_completed_and_writes_nothing_else() {
    let (_folder, mut rig) = rig().await;
    rig.send(&[(1, &child(1, 5)), (2, &child(2, 6))]).await;
    rig.send(&[(3, &Record { what: What::Log, at: 7, ..server(3) })]).await;
    rig.flush(hours(0.1)).await;
    rig.tidy(hours(2.5)).await;
    assert_eq!(sources(&rig, "spans").await, ["- -", "- -"]);
    let logs = rig.snapshot("logs").await.version();
    rig.send(&[(4, &server(1))]).await;
    rig.flush(hours(5.0)).await;
    rig.tidy(hours(5.1)).await;
    assert_eq!(sources(&rig, "spans").await, ["- -", "trace trace"]);
    assert_eq!(rig.snapshot("logs").await.version(), logs, "no value of that table differs");
    let versions = rig.versions().await;
    rig.tidy(hours(6.0)).await;
    assert_eq!(rig.versions().await, versions);
}

/// A file with rows of two hours is written again for one of them: facts for the other are still to come.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_seen_for_one_hour_says_nothing_of_another() {
    let (_folder, mut rig) = rig().await;
    rig.send(&[(1, &child(1, 5)), (2, &child(2, 3 * HOUR + 5))]).await;
    rig.flush(hours(0.5)).await;
    rig.tidy(hours(2.5)).await;
    rig.renew();
    rig.send(&[(3, &server(1))]).await;
    rig.flush(hours(3.0)).await;
    rig.send(&[(4, &Record { at: 3 * HOUR, ..server(2) })]).await;
    rig.flush(hours(3.0)).await;
    rig.tidy(hours(3.2)).await;
    assert_eq!(sources(&rig, "spans").await, ["- -", "trace trace"]);
    rig.tidy(hours(6.0)).await;
    assert_eq!(sources(&rig, "spans").await, ["trace trace", "trace trace"]);
}

/// What one writer knew of a row and the other did not makes it no other row.
#[tokio::test(flavor = "multi_thread")]
async fn copies_are_found_in_every_table_whatever_was_known_of_them() {
    const TABLES: [What; 8] =
        [What::Request, What::Span, What::Log, What::SignIn, What::Audit, What::Call, What::Exception, What::Activity];
    let folder = tempfile::tempdir().unwrap();
    let mut all = completing();
    all.merge_all = true;
    let mut one = Rig::new(folder.path(), "one", completing()).await;
    let mut two = Rig::new(folder.path(), "two", all).await;
    let rows = TABLES.map(|what| Record { what, trace: 1, at: 5, ..Record::default() });
    let numbered: Vec<_> = (1..).zip(&rows).collect();
    one.send(&numbered).await;
    one.flush(hours(0.1)).await;
    two.send(&[(99, &server(1))]).await;
    two.send(&numbered).await;
    two.flush(hours(0.1)).await;
    two.tidy(hours(3.0)).await;
    let rows = two.rows().await;
    assert_eq!(rows.iter().filter(|row| is_sent_again(row)).count(), TABLES.len(), "of each one copy counts");
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_reach_an_hour_and_no_further() {
    let (_folder, mut rig) = rig().await;
    let spans = [child(1, HOUR - 1), child(1, 2 * HOUR - 1), child(1, 2 * HOUR)];
    for (number, span) in (1..).zip(&spans) {
        rig.send(&[(number, span)]).await;
        rig.renew();
    }
    rig.send(&[(9, &server(1))]).await;
    rig.flush(hours(3.0)).await;
    rig.tidy(hours(8.0)).await;
    assert_eq!(sources(&rig, "spans").await, ["- -", "trace trace", "trace trace"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_that_find_no_room_are_counted_and_leave_what_ingest_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = completing();
    options.completing.as_mut().unwrap().memory = 10;
    let mut rig = Rig::new(folder.path(), "journal", options).await;
    rig.send(&[(1, &child(1, 5)), (2, &server(1))]).await;
    rig.renew();
    rig.send(&[(3, &child(1, 6))]).await;
    rig.flush(hours(0.2)).await;
    rig.tidy(hours(3.0)).await;
    assert_eq!(sources(&rig, "spans").await, ["- -", "trace trace"]);
    let done = rig.completed();
    assert!(done.left_out > 0 && done.changed == 0, "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn traces_join_across_writers_where_all_files_are_merged() {
    let folder = tempfile::tempdir().unwrap();
    let mut all = completing();
    all.merge_all = true;
    let mut own = Rig::new(folder.path(), "one", completing()).await;
    let mut other = Rig::new(folder.path(), "two", all).await;
    own.send(&[(1, &child(1, 5))]).await;
    own.flush(hours(0.1)).await;
    other.send(&[(2, &server(1))]).await;
    other.flush(hours(0.1)).await;
    own.tidy(hours(3.0)).await;
    assert_eq!(sources(&own, "spans").await, ["- -"], "a writer knows its own rows");
    other.tidy(hours(3.1)).await;
    assert_eq!(sources(&own, "spans").await, ["trace trace"]);
    let versions = other.versions().await;
    own.tidy(hours(4.0)).await;
    other.tidy(hours(4.1)).await;
    assert_eq!(other.versions().await, versions, "the two do not take turns");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_complete_everything_at_once_lose_and_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut all = completing();
    all.merge_all = true;
    let mut one = Rig::new(folder.path(), "one", all.clone()).await;
    let mut two = Rig::new(folder.path(), "two", all).await;
    for number in (1..40).step_by(4) {
        let at = i64::try_from(number).unwrap();
        one.send(&[(number, &child(1, at)), (number + 1, &child(2, at))]).await;
        one.flush(hours(0.1)).await;
        two.send(&[(number + 2, &server(1)), (number + 3, &child(1, at))]).await;
        two.flush(hours(0.1)).await;
    }
    for round in 0..3 {
        let now = hours(3.0 + f64::from(round));
        tokio::join!(one.tidy(now), two.tidy(now));
    }
    let told = sources(&one, "spans").await;
    assert_eq!(told.len(), 30);
    assert_eq!(told.iter().filter(|told| *told == "trace trace").count(), 20);
    assert_eq!(sources(&one, "requests").await.len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_sent_again_to_a_completed_hour_is_marked_where_it_came() {
    let (_folder, mut rig) = rig().await;
    let row = Record { what: What::Log, at: 5, ..Record::default() };
    rig.send(&[(1, &row)]).await;
    rig.flush(hours(0.1)).await;
    rig.tidy(hours(3.0)).await;
    let first: Vec<String> = rig.snapshot("logs").await.files().map(|f| f.path.clone()).collect();
    for _ in 0..2 {
        rig.send(&[(1, &row)]).await;
        // Nobody makes an echo of another's row.
        rig.send(&[(1, &Record { tenant: 1, ..row.clone() })]).await;
        rig.flush(hours(3.5)).await;
    }
    rig.tidy(hours(4.0)).await;
    assert!(rig.snapshot("logs").await.files().any(|f| f.path == first[0]), "the first file stays");
    let rows = rig.rows().await;
    let echoes = |tenant: &str| {
        rows.iter().filter(|row| row["tenant"] == tenant).map(|row| row.contains_key("echo_of")).collect::<Vec<_>>()
    };
    assert_eq!(echoes("acme").iter().filter(|echo| **echo).count(), 2, "of three");
    assert_eq!(echoes("other").iter().filter(|echo| **echo).count(), 1, "of two");
}

/// Steady traffic with hints to complete in every hour: each hour is written once, and old hours rest.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_not_written_again_each_hour() {
    let (_folder, mut rig) = rig().await;
    for hour in 0..20_u8 {
        for part in 0..4_usize {
            let at = i64::from(hour) * HOUR + part as i64 * HOUR / 4;
            let (trace, number) = (hour + 1, usize::from(hour) * 10 + 2 * part);
            rig.send(&[(number + 1, &child(trace, at))]).await;
            rig.renew();
            rig.send(&[(number + 2, &Record { at, ..server(trace) })]).await;
            let now = hours(f64::from(hour) + (part as f64 + 0.1) / 4.0);
            rig.flush(now).await;
        }
        rig.tidy(hours(f64::from(hour) + 1.0)).await;
    }
    let files = rig.completed().files;
    assert_eq!(files, 18, "one an hour that is whole; requests name their users and are only tagged");
    let told = sources(&rig, "spans").await;
    assert!(told.iter().filter(|told| *told == "trace trace").count() >= 4 * 18);
    assert!(rig.snapshot("spans").await.files().len() < 24);
}

/// Prints what a busy hour costs: `cargo test --release -p lake --test completion -- --ignored --nocapture`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "it measures"]
async fn what_an_hour_costs() {
    const FLUSHES: usize = 100;
    const ROWS: usize = 4_000;
    let (_folder, mut rig) = rig().await;
    for flush in 0..FLUSHES {
        let rows: Vec<(&'static str, Cells)> = (0..ROWS).map(|row| busy(flush * ROWS + row, FLUSHES * ROWS)).collect();
        rig.send_rows(&rows).await;
        rig.flush(hours(flush as f64 / FLUSHES as f64)).await;
    }
    let begun = Instant::now();
    rig.tidy(hours(1.1)).await;
    let merged = begun.elapsed();
    let begun = Instant::now();
    rig.tidy(hours(2.5)).await;
    let rows = (FLUSHES * ROWS) as f64;
    let per_million = |seconds: f64| seconds / rows * 1e6;
    println!(
        "seconds per million rows: merge {:.2}, completion with its merge {:.2}; {:?}",
        per_million(merged.as_secs_f64()),
        per_million(begun.elapsed().as_secs_f64()),
        rig.completed()
    );
}

/// Nine spans of a trace and then the request that knows the user.
fn busy(number: usize, of: usize) -> (&'static str, Cells) {
    let last = number % 10 == 9;
    let time = BASE + (number as i64 * (HOUR - 1)) / of as i64;
    let mut row: Cells = vec![
        ("tenant", "acme".to_owned()),
        ("time", time.to_string()),
        ("date", time.div_euclid(24 * HOUR).to_string()),
        ("service_name", format!("service-{}", number % 7)),
        ("kind", if last { "server" } else { "internal" }.to_owned()),
        ("trace_id", format!("{:032x}", number / 10 + 1)),
        ("span_id", format!("{:016x}", number + 1)),
        ("name", format!("step {}", number % 40)),
    ];
    row.extend(last.then(|| ("user_id", format!("user {}", number % 1_000))));
    row.extend(last.then(|| ("session_id", format!("session {}", number % 5_000))));
    (if last { "requests" } else { "spans" }, row)
}
