mod tail;

use arrow::array::AsArray;
use arrow::datatypes::TimestampMicrosecondType;

use super::*;
use crate::fixture::{Row, gather};

const HOUR: i64 = 3_600_000_000;

/// Every table's rows as they are stored, and the hour of each.
fn stored(rows: &[Row]) -> Vec<(Arc<Table>, RecordBatch, Vec<i64>)> {
    let gather = gather(rows);
    let tables = gather.tables().map(|rows| {
        let table = Arc::clone(rows.table());
        let columns = table.stored_columns().filter_map(|c| Some((c.name.as_str(), rows.get(&c.name)?.clone())));
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let time =
            |row| batch.column_by_name("time").map_or(0, |t| t.as_primitive::<TimestampMicrosecondType>().value(row));
        let hours = (0..batch.num_rows()).map(|row| time(row) / HOUR).collect();
        (table, batch, hours)
    });
    tables.collect()
}

/// Completes rows with what `bound` bytes hold and returns some columns of one table.
fn completed(rows: &[Row], bound: usize, table: &str, columns: &[&str]) -> (Vec<String>, u64) {
    let stored = stored(rows);
    let mut facts = Complete::default().collect(bound);
    for (table, batch, hours) in &stored {
        facts.add(table, batch, hours);
    }
    facts.settle();
    let (table, batch, hours) = stored.iter().find(|(t, ..)| t.name == table).unwrap();
    let hours: Vec<Option<i64>> = hours.iter().copied().map(Some).collect();
    let hints = facts.complete(table, batch, &hours);
    let cell = |row: usize, name: &&str| {
        let new = hints.columns.iter().find(|(hint, _)| hint == name).map(|(_, column)| column);
        let column = new.or_else(|| batch.column_by_name(name));
        column.and_then(Text::new).and_then(|text| text.get(row)).unwrap_or("-").to_owned()
    };
    let lines = (0..batch.num_rows()).map(|row| columns.iter().map(|c| cell(row, c)).collect::<Vec<_>>().join(" "));
    (lines.collect(), hints.changed)
}

const WHO: &[&str] = &["user_ref", "user_source", "session_ref", "session_source"];

fn check(rows: &[Row], table: &str, expected: &[&str]) {
    assert_eq!(completed(rows, 1 << 20, table, WHO).0, expected);
}

#[test]
fn hints_are_worked_out_from_facts_and_nothing_else() {
    let rows: &[Row] = &[
        (
            "requests",
            &[("trace_id", "a1"), ("kind", "server"), ("time", "9"), ("user_ref", "u1"), ("session_ref", "s1")],
        ),
        ("spans", &[("trace_id", "a1"), ("user_ref", "u9"), ("user_source", "trace")]),
        ("spans", &[("trace_id", "b2"), ("session_ref", "s1"), ("session_source", "attribute")]),
        (
            "spans",
            &[
                ("trace_id", "c3"),
                ("user_ref", "u8"),
                ("user_source", "session"),
                ("session_ref", "s8"),
                ("session_source", "trace"),
            ],
        ),
        ("spans", &[("trace_id", "c3")]),
        ("spans", &[("trace_id", "a1"), ("tenant", "other")]),
        ("spans", &[("trace_id", "a1"), ("user_ref", "u7"), ("user_source", "attribute")]),
        ("audit_log", &[("trace_id", "a1")]),
    ];
    check(
        rows,
        "spans",
        &["u1 trace s1 trace", "u1 session s1 attribute", "- - - -", "- - - -", "- - - -", "u7 attribute s1 trace"],
    );
    check(rows, "audit_log", &["- - - -"]);
}

#[test]
fn a_device_is_whose_it_was_at_the_time() {
    let device = |time: &'static str| [("time", time), ("device_ref", "d1")];
    let rows: &[Row] = &[
        ("auth_events", &[("action", "login"), ("time", "10"), ("user_ref", "u1"), ("device_ref", "d1")]),
        ("auth_events", &[("action", "logout"), ("time", "20"), ("user_ref", "u1"), ("device_ref", "d1")]),
        ("auth_events", &[("action", "login"), ("time", "7200000000"), ("user_ref", "u2"), ("device_ref", "d1")]),
        ("logs", &device("9")),
        ("logs", &device("10")),
        ("logs", &device("20")),
        ("logs", &device("3600000000")),
        ("logs", &device("7200000001")),
        ("logs", &device("14400000000")),
    ];
    check(rows, "logs", &["- - - -", "u1 device - -", "- - - -", "- - - -", "u2 device - -", "- - - -"]);
}

#[test]
fn a_trace_is_seen_an_hour_away_and_no_further() {
    let rows: &[Row] = &[
        ("requests", &[("trace_id", "a1"), ("time", "3600000000"), ("user_ref", "u1")]),
        ("spans", &[("trace_id", "a1"), ("time", "0")]),
        ("spans", &[("trace_id", "a1"), ("time", "10799999999")]),
        ("spans", &[("trace_id", "a1"), ("time", "10800000000")]),
    ];
    check(rows, "spans", &["u1 trace - -", "u1 trace - -", "- - - -"]);
}

#[test]
fn echoes_are_found_whatever_came_first_and_wrong_ones_are_taken_back() {
    const TRACE: &str = "11111111111111111111111111111111";
    let call: &[(&str, &str)] =
        &[("trace_id", TRACE), ("span_id", "aaaaaaaaaaaaaaaa"), ("kind", "client"), ("operation", "chat")];
    let child: &[(&str, &str)] = &[
        ("trace_id", TRACE),
        ("span_id", "bbbbbbbbbbbbbbbb"),
        ("parent_span_id", "aaaaaaaaaaaaaaaa"),
        ("kind", "client"),
    ];
    let wrong: &[(&str, &str)] =
        &[("trace_id", TRACE), ("span_id", "cccccccccccccccc"), ("kind", "client"), ("echo_of", "elsewhere")];
    let itself = "11111111111111111111111111111111:dddddddddddddddd";
    let twice: &[(&str, &str)] =
        &[("trace_id", TRACE), ("span_id", "dddddddddddddddd"), ("kind", "client"), ("echo_of", itself)];
    let rows: &[Row] =
        &[("provider_calls", child), ("provider_calls", wrong), ("provider_calls", twice), ("provider_calls", call)];
    let (echoes, changed) = completed(rows, 1 << 20, "provider_calls", &["echo_of"]);
    assert_eq!(echoes, ["11111111111111111111111111111111:aaaaaaaaaaaaaaaa", "-", itself, "-"]);
    assert_eq!(changed, 2);
    // Without room nothing is decided.
    assert_eq!(completed(rows, 100, "provider_calls", &["echo_of"]).1, 0);
}

#[test]
fn every_column_that_is_read_is_stored_somewhere() {
    let catalog = schemas::Catalog::built_in().unwrap();
    let known = |name: &str| catalog.tables().iter().any(|t| t.column(name).is_some_and(|c| !c.transient));
    for name in IDENTITY.iter().chain(users::READS).chain(Call::READS).chain(Fault::READS) {
        assert!(known(name), "no table stores {name}");
    }
    for table in catalog.tables() {
        let hints = Complete::default().hints(table);
        assert_eq!(hints.is_empty(), table.audit, "{}", table.name);
        let reads = Complete::default().reads(table);
        // Audit rows give facts as well.
        let told = hints.iter().chain(&users::HINTS).chain(IDENTITY);
        told.for_each(|name| assert!(reads.contains(name), "{}.{name}", table.name));
    }
}
