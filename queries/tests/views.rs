//! What views answer to rows that are known: `views/<view>.txt` names rows, asks, and says the answer.
//!
//! ```text
//! rows auth_events
//!   ago=2h times=6 every=20s client_ref=bad attempted_ref=e{i} action=login_failed
//!   day=-1 clock=10:00 user_ref=ann action=login
//! ask
//!   SELECT counted_per, failures FROM failed_login_bursts
//! answer
//!   counted_per,failures
//!   address,6.0
//! ```
//!
//! A row line stands for `times` rows, `every` apart; `{i}` is the row's number. `{day-1}` is yesterday's date.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test sets up fails as the test does")]

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};
use component::{Gather, Rows, Seal};
use journal::Journal;
use lake::{Lake, Location, Options};
use queries::{Engine, Format, Source, VIEWS};
use schemas::{Catalog, Column, Type};

/// Views that came before these tests; every other one has a file.
const OLDER: &[&str] = &[
    "ai_error_frequency",
    "ai_errors_detailed",
    "ai_interactions",
    "ai_streaming_issues",
    "ai_success_rate",
    "anonymous_rate",
    "api_access_log",
    "app_errors",
    "authentication_log",
    "cost_per_service_day",
    "cost_per_user_day",
    "cost_reconciliation",
    "elevenlabs_key_health",
    "elevenlabs_key_usage",
    "error_events",
    "external_api_call_log",
    "failed_logins_per_address",
    "failed_logins_per_user",
    "learning_journey_events",
    "page_view_analytics",
    "popular_quests",
    "redaction_counts",
    "requests_per_route",
    "table_freshness",
    "unmapped",
    "unpriced_models",
    "usage_limits",
    "user_activity_events",
    "user_activity_log",
    "user_activity_logs",
    "user_ai_stats",
    "user_errors_stats",
    "user_logs",
    "user_logs_stats",
    "user_sessions",
    "user_timeline",
];

/// One file.
#[derive(Default)]
struct Case {
    rows: Vec<(String, Vec<Row>)>,
    asked: Vec<(String, String)>,
}

struct Row {
    time: DateTime<Utc>,
    values: Vec<(String, String)>,
}

#[tokio::test(flavor = "multi_thread")]
async fn views_answer_what_their_files_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/views");
    let mut wrong = String::new();
    let mut asked = 0;
    for view in VIEWS.iter().filter(|view| !OLDER.contains(&view.name)) {
        let path = folder.join(view.name).with_extension("txt");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let now = Utc::now();
        let case = Case::parse(&text, now);
        assert!(!case.asked.is_empty(), "{} asks nothing", view.name);
        asked += 1;
        let house = House::with(&case, now).await;
        for (sql, expected) in &case.asked {
            assert!(sql.contains(view.name), "{} asks for something else: {sql}", view.name);
            let answer = house.ask(sql).await;
            if answer != *expected {
                writeln!(wrong, "{}: {sql}\n{answer}instead of\n{expected}", view.name).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert_eq!(asked, std::fs::read_dir(folder).unwrap().count(), "every file is a view's, and was asked");
}

impl Case {
    fn parse(text: &str, now: DateTime<Utc>) -> Self {
        let mut case = Self::default();
        let mut section = "";
        for line in text.lines().filter(|line| !line.trim().is_empty() && !line.trim().starts_with('#')) {
            let Some(inside) = line.strip_prefix("  ") else {
                section = line.split(' ').next().unwrap();
                match line.split_once(' ') {
                    Some((_, table)) => case.rows.push((table.to_owned(), Vec::new())),
                    None if section == "ask" => case.asked.push(Default::default()),
                    None => {}
                }
                continue;
            };
            match section {
                "rows" => case.rows.last_mut().unwrap().1.extend(Row::parse(inside, now)),
                "ask" => writeln!(case.asked.last_mut().unwrap().0, "{}", dated(inside, now)).unwrap(),
                "answer" => writeln!(case.asked.last_mut().unwrap().1, "{}", dated(inside, now)).unwrap(),
                other => panic!("no section is called {other}"),
            }
        }
        case
    }
}

impl Row {
    fn parse(line: &str, now: DateTime<Utc>) -> Vec<Self> {
        let mut values: Vec<(&str, &str)> = line.split_whitespace().map(|pair| pair.split_once('=').unwrap()).collect();
        let mut take = |name: &str| {
            let at = values.iter().position(|(key, _)| *key == name)?;
            Some(values.remove(at).1)
        };
        let first = match take("ago") {
            Some(ago) => now - span(ago),
            None => {
                let days: i64 = take("day").unwrap().parse().unwrap();
                let clock = take("clock").unwrap();
                let clock = NaiveTime::parse_from_str(clock, if clock.len() > 5 { "%H:%M:%S" } else { "%H:%M" });
                now.date_naive().and_time(clock.unwrap()).and_utc() + TimeDelta::days(days)
            }
        };
        let times: i32 = take("times").unwrap_or("1").parse().unwrap();
        let every = span(take("every").unwrap_or("0s"));
        let row = |i: i32| {
            let number = i.to_string();
            let values = values.iter().map(|(key, value)| ((*key).to_owned(), value.replace("{i}", &number)));
            Self { time: first + every * i, values: values.collect() }
        };
        (0..times).map(row).collect()
    }
}

/// `1d2h3m4s`.
fn span(text: &str) -> TimeDelta {
    let mut total = TimeDelta::zero();
    for part in text.split_inclusive(|c: char| c.is_alphabetic()) {
        let (number, unit) = part.split_at(part.len() - 1);
        let seconds = match unit {
            "d" => 86_400,
            "h" => 3600,
            "m" => 60,
            _ => 1,
        };
        total += TimeDelta::seconds(number.parse::<i64>().unwrap() * seconds);
    }
    total
}

fn dated(line: &str, now: DateTime<Utc>) -> String {
    let mut out = line.to_owned();
    while let Some(at) = out.find("{day-") {
        let end = at + out[at..].find('}').unwrap();
        let day = now.date_naive() - Days::new(out[at + 5..end].parse().unwrap());
        out.replace_range(at..=end, &day.to_string());
    }
    out
}

/// A lake with the rows of one case.
struct House {
    _folder: tempfile::TempDir,
    engine: Engine,
}

impl House {
    async fn with(case: &Case, now: DateTime<Utc>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let catalog = Arc::new(Catalog::built_in().unwrap());
        let location = Location::parse(&folder.path().join("lake").display().to_string()).unwrap();
        let path = folder.path().join("journal");
        let journal = Journal::open(&path, Arc::clone(&catalog), journal::Options::default()).unwrap();
        let mut lake = Lake::open(&location, journal.clone(), Options::default(), "f".into()).await.unwrap();
        for (index, (table, rows)) in case.rows.iter().enumerate() {
            let gather = Gather::new(vec![stored(&catalog, table, rows)]);
            let position = journal.append(&Seal::new(Vec::new()).seal(gather).unwrap()).unwrap();
            journal.durable(position).await.unwrap();
            // Views see committed and hot rows alike.
            if index == 0 {
                lake.flush(now).await.unwrap();
            }
        }
        let source = Source { lake: location, journal: Some(path) };
        let engine = Engine::open(source, catalog).await.unwrap();
        Self { _folder: folder, engine }
    }

    async fn ask(&self, sql: &str) -> String {
        let answer = self.engine.query(sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
        let mut text = Vec::new();
        answer.write(Format::Csv, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    }
}

fn stored(catalog: &Catalog, table: &str, rows: &[Row]) -> Rows {
    let table = catalog.table(table).unwrap_or_else(|| panic!("there is no table {table}"));
    let mut out = Rows::new(Arc::clone(table), vec![None; table.columns.len()], vec![0; rows.len()]).unwrap();
    let micros: Vec<i64> = rows.iter().map(|row| row.time.timestamp_micros()).collect();
    let days: Vec<i32> = micros.iter().map(|m| i32::try_from(m.div_euclid(86_400_000_000)).unwrap()).collect();
    out.set("tenant", Arc::new(StringArray::from(vec!["default"; rows.len()]))).unwrap();
    out.set("time", Arc::new(TimestampMicrosecondArray::from(micros).with_timezone("UTC"))).unwrap();
    out.set("date", Arc::new(Date32Array::from(days))).unwrap();
    let mut names: Vec<&str> = rows.iter().flat_map(|row| row.values.iter().map(|(name, _)| name.as_str())).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let column = table.columns.iter().find(|column| column.name == name);
        let column = column.unwrap_or_else(|| panic!("{} has no column {name}", table.name));
        let values: Vec<Option<&str>> =
            rows.iter().map(|row| row.values.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())).collect();
        out.set(name, array(column, &values)).unwrap();
    }
    out
}

fn array(column: &Column, values: &[Option<&str>]) -> ArrayRef {
    let each = values.iter();
    match column.r#type {
        Type::Text | Type::Dict => Arc::new(StringArray::from(values.to_vec())),
        Type::Int => Arc::new(each.map(|v| v.map(|v| v.parse().unwrap())).collect::<Int64Array>()),
        Type::Float => Arc::new(each.map(|v| v.map(|v| v.parse().unwrap())).collect::<Float64Array>()),
        Type::Bool => Arc::new(each.map(|v| v.map(|v| v.parse().unwrap())).collect::<BooleanArray>()),
        Type::Money => {
            let cents = each.map(|v| v.map(|v| i128::from((v.parse::<f64>().unwrap() * 100.0).round() as i64)));
            let scaled = cents.map(|v| v.map(|cents| cents * 10_i128.pow(16)));
            Arc::new(scaled.collect::<Decimal128Array>().with_precision_and_scale(38, 18).unwrap())
        }
        other => panic!("{}: rows of a test have no {}", column.name, other.as_str()),
    }
}
