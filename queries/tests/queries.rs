//! SQL over a real journal and a real lake folder, hot and committed rows together.

#![expect(clippy::unwrap_used, reason = "what a test sets up fails as the test does")]

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Int64Array, StringArray, TimestampMicrosecondArray,
};
use chrono::{DateTime, Utc};
use component::{Gather, Rows, Seal, Sealed};
use journal::Journal;
use lake::{Lake, Location, Options};
use queries::{DOCTOR, Engine, Format, Source, VIEWS, View};
use schemas::Catalog;
use tempfile::TempDir;

struct House {
    _folder: TempDir,
    catalog: Arc<Catalog>,
    journal: Journal,
    lake: Lake,
    engine: Engine,
}

impl House {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let catalog = Arc::new(Catalog::built_in().unwrap());
        let location = Location::parse(&folder.path().join("lake").display().to_string()).unwrap();
        let path = folder.path().join("journal");
        let journal = Journal::open(&path, Arc::clone(&catalog), journal::Options::default()).unwrap();
        let lake = Lake::open(&location, journal.clone(), Options::default(), "f".into()).await.unwrap();
        let source = Source { lake: location, journal: Some(path) };
        let engine = Engine::open(source, Arc::clone(&catalog)).await.unwrap();
        Self { _folder: folder, catalog, journal, lake, engine }
    }

    async fn spans(&self, from: i64, count: i64) {
        let position = self.journal.append(&spans(&self.catalog, from, count)).unwrap();
        self.journal.durable(position).await.unwrap();
    }

    async fn number(&self, sql: &str) -> i64 {
        let answer = self.engine.query(sql).await.unwrap();
        answer.batches[0].column(0).as_primitive::<arrow::datatypes::Int64Type>().value(0)
    }
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_000_000, 0).unwrap()
}

/// Spans with numbers from `from` on, one a second.
fn spans(catalog: &Catalog, from: i64, count: i64) -> Sealed {
    let table = catalog.table("spans").unwrap();
    let n = usize::try_from(count).unwrap();
    let numbers: Vec<i64> = (from..from + count).collect();
    let micros: Vec<i64> = numbers.iter().map(|i| now().timestamp_micros() + i * 1_000_000).collect();
    let days: Vec<i32> = micros.iter().map(|m| i32::try_from(m / 86_400_000_000).unwrap()).collect();
    let text = |f: &dyn Fn(&i64) -> String| Arc::new(StringArray::from(numbers.iter().map(f).collect::<Vec<_>>()));
    let set: [(&str, ArrayRef); 8] = [
        ("tenant", text(&|_| "default".into())),
        ("time", Arc::new(TimestampMicrosecondArray::from(micros).with_timezone("UTC"))),
        ("trace_id", text(&|i| format!("{i:032x}"))),
        ("span_id", text(&|i| format!("{i:016x}"))),
        ("service_name", text(&|i| if i % 3 == 0 { "shop".into() } else { "school".into() })),
        ("duration_ns", Arc::new(Int64Array::from(numbers.clone()))),
        ("is_primary", Arc::new(BooleanArray::from(vec![true; n]))),
        ("date", Arc::new(Date32Array::from(days))),
    ];
    let mut rows = Rows::new(Arc::clone(table), vec![None; table.columns.len()], vec![0; n]).unwrap();
    for (column, values) in set {
        rows.set(column, values).unwrap();
    }
    Seal::new(Vec::new()).seal(Gather::new(vec![rows])).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_seen_once_whether_hot_committed_or_merged() {
    let mut house = House::new().await;
    let check = "SELECT count(*) + 1000 * count(distinct record_id) FROM spans";
    assert_eq!(house.number("SELECT count(*) FROM spans").await, 0);
    house.spans(0, 100).await;
    assert_eq!(house.number(check).await, 100_100, "hot");
    house.lake.flush(now()).await.unwrap();
    assert_eq!(house.number(check).await, 100_100, "committed");
    house.spans(100, 50).await;
    assert_eq!(house.number(check).await, 150_150, "both");
    house.lake.flush(now()).await.unwrap();
    house.lake.maintain(true, now()).await.unwrap();
    house.spans(150, 5).await;
    assert_eq!(house.number(check).await, 155_155, "merged and hot");
    let by_service = "SELECT count(*) FROM spans WHERE service_name = 'shop' AND duration_ns >= 30";
    assert_eq!(house.number(by_service).await, (30..155).filter(|i| i % 3 == 0).count() as i64);
    let by_trace = format!("SELECT count(*) FROM spans WHERE trace_id = '{:032x}'", 42);
    assert_eq!(house.number(&by_trace).await, 1);
    let by_time = "SELECT count(*) FROM spans WHERE time >= to_timestamp(1795000140)";
    assert_eq!(house.number(by_time).await, 15);
    let sums = "SELECT sum(duration_ns) FROM spans";
    assert_eq!(house.number(sums).await, (0..155).sum::<i64>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_boundary_makes_two_partitions_with_the_right_dates() {
    let mut house = House::new().await;
    house.spans(0, 3).await;
    house.spans(86_400, 4).await;
    house.lake.flush(now()).await.unwrap();
    let answer =
        house.engine.query("SELECT CAST(date AS VARCHAR), count(*) FROM spans GROUP BY 1 ORDER BY 1").await.unwrap();
    let mut text = Vec::new();
    answer.write(Format::Csv, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    let lines: Vec<&str> = text.lines().skip(1).collect();
    assert_eq!(lines, ["2026-11-18,3", "2026-11-19,4"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_view_fits_the_tables_and_every_file_is_in_the_list() {
    let house = House::new().await;
    house.engine.check_views().await.unwrap();
    assert_eq!(files("views"), names(VIEWS));
    for view in VIEWS {
        assert!(!view.title().is_empty() && !view.about().is_empty(), "{} lacks its header", view.name);
        house.engine.query(&format!("SELECT * FROM {}", view.name)).await.unwrap();
    }
}

/// Stems of the files of a folder.
fn files(folder: &str) -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<String> =
        entries.map(|e| e.unwrap().file_name().into_string().unwrap().replace(".sql", "")).collect();
    files.sort();
    files
}

fn names(listed: &[View]) -> Vec<String> {
    let mut names: Vec<String> = listed.iter().map(|v| v.name.to_owned()).collect();
    names.sort_unstable();
    names
}

/// A column that is renamed in the schemas fails here, not in front of somebody who looks for help.
#[tokio::test(flavor = "multi_thread")]
async fn every_question_of_the_doctor_fits_the_tables_and_counts_from_its_moment_on() {
    let house = House::new().await;
    assert_eq!(files("doctor"), names(DOCTOR));
    house.spans(1, 7).await;
    for question in DOCTOR {
        assert!(!question.title().is_empty() && !question.about().is_empty(), "{} lacks its header", question.name);
        let answer = house.engine.query_since(question.sql, now().into()).await;
        assert!(answer.is_ok(), "{}: {}", question.name, answer.unwrap_err());
    }
    // Rows that were never received, as these, are before every moment.
    let sql = "SELECT count(*) FROM spans WHERE time >= $since";
    for (since, expected) in [(0, 7), (4, 4), (60, 0)] {
        let answer = house.engine.query_since(sql, (now() + chrono::Duration::seconds(since)).into()).await.unwrap();
        let count = answer.batches[0].column(0).as_primitive::<arrow::datatypes::Int64Type>().value(0);
        assert_eq!(count, expected, "from {since} s on");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_answers_the_common_columns() {
    let house = House::new().await;
    for table in house.catalog.tables() {
        let sql = format!("SELECT record_id, is_primary, echo_of, tenant, time, date FROM {}", table.name);
        house.engine.query(&sql).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_questions_may_be_asked() {
    let house = House::new().await;
    let refused = [
        "CREATE TABLE t AS SELECT 1",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "COPY (SELECT 1) TO '/tmp/marquetry-must-not-write.csv'",
        "INSERT INTO spans SELECT * FROM spans",
        "DROP TABLE spans",
        "SET datafusion.execution.batch_size = 1",
        "SELECT * FROM '/etc/passwd'",
    ];
    for sql in refused {
        assert!(house.engine.query(sql).await.is_err(), "{sql} was run");
    }
    let missing = house.engine.query("SELECT colour FROM spans").await.unwrap_err().to_string();
    assert!(missing.contains("colour"), "{missing}");
    let tables = house.engine.query("SHOW TABLES").await.unwrap();
    assert!(tables.rows() > 10 + VIEWS.len(), "{} names", tables.rows());
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_written_in_every_format() {
    let house = House::new().await;
    house.spans(1, 2).await;
    let answer = house.engine.query("SELECT span_id, user_ref, duration_ns FROM spans ORDER BY 1").await.unwrap();
    let cases = [
        (Format::Table, "| 0000000000000001 | NULL"),
        (Format::Json, r#"{"span_id":"0000000000000001","user_ref":null,"duration_ns":1}"#),
        (Format::Csv, "span_id,user_ref,duration_ns\n0000000000000001,,1\n"),
    ];
    for (format, expected) in cases {
        let mut out = Vec::new();
        answer.write(format, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains(expected), "{format:?}: {text}");
    }
    let mut out = Vec::new();
    answer.write(Format::Parquet, &mut out).unwrap();
    let reader =
        parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(out)).unwrap();
    let rows: usize = reader.build().unwrap().map(|b| b.unwrap().num_rows()).sum();
    assert_eq!(rows, 2);
    let mut nested = Vec::new();
    let maps = house.engine.query("SELECT map(['a'], ['x']) AS m, [1, 2] AS l, NULL AS n").await.unwrap();
    maps.write(Format::Csv, &mut nested).unwrap();
    assert_eq!(String::from_utf8(nested).unwrap(), "m,l,n\n\"{\"\"a\"\":\"\"x\"\"}\",\"[1,2]\",\n");
    let mut all = Vec::new();
    house.engine.query("SELECT * FROM spans").await.unwrap().write(Format::Csv, &mut all).unwrap();
    let mut empty = Vec::new();
    house.engine.query("SELECT span_id FROM spans WHERE false").await.unwrap().write(Format::Csv, &mut empty).unwrap();
    assert_eq!(String::from_utf8(empty).unwrap(), "span_id\n");
    let nothing = house.engine.query("SELECT * FROM logs").await.unwrap();
    assert!(nothing.batches.iter().all(|b| b.num_rows() == 0 && b.column(0).is_empty()));
}
