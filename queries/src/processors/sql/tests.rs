//! Rules as data: what is said, what came in, what is left.

use std::sync::{LazyLock, Mutex};

use arrow::array::{Array, AsArray, BooleanArray, Int64Array, MapBuilder, MapFieldNames, StringArray, StringBuilder};
use arrow::util::display::array_value_to_string;
use component::Keyring;
use proptest::prelude::*;
use schemas::{Catalog, Type};
use serde_json::json;

use super::*;

fn context() -> Context {
    Context::new(Arc::new(Catalog::built_in().unwrap()), Arc::new(Keyring::new(&[7; 32], 1).unwrap()))
}

/// One row: its cells as `column=value`, and `attributes.key=value`.
fn cells(row: &str) -> Vec<(&str, &str)> {
    row.split_whitespace().map(|cell| cell.split_once('=').unwrap()).collect()
}

fn gather(cx: &Context, table: &str, rows: &[&str]) -> Gather {
    let table = cx.catalog.tables().iter().find(|t| t.name == table).unwrap();
    let rows: Vec<Vec<(&str, &str)>> = rows.iter().map(|row| cells(row)).collect();
    let known = |name: &str| table.index(name.split_once('.').map_or(name, |(map, _)| map)).is_some();
    rows.iter().flatten().for_each(|(name, _)| assert!(known(name), "{name}"));
    let column = |column: &schemas::Column| {
        let cell = |row: &Vec<(&str, &str)>| row.iter().find(|(n, _)| *n == column.name).map(|(_, v)| (*v).to_owned());
        let values: Vec<Option<String>> = rows.iter().map(cell).collect();
        let array: ArrayRef = match column.r#type {
            Type::Map => map(&rows, &column.name),
            Type::Int => {
                Arc::new(values.iter().map(|v| v.as_ref().map(|v| v.parse::<i64>().unwrap())).collect::<Int64Array>())
            }
            Type::Bool => Arc::new(values.iter().map(|v| v.as_ref().map(|v| v == "true")).collect::<BooleanArray>()),
            other => cast(&(Arc::new(StringArray::from(values)) as ArrayRef), &other.gather()).unwrap(),
        };
        (array.null_count() < array.len()).then_some(array)
    };
    let columns = table.columns.iter().map(column).collect();
    Gather::new(vec![Rows::new(Arc::clone(table), columns, vec![0; rows.len()]).unwrap()])
}

fn map(rows: &[Vec<(&str, &str)>], name: &str) -> ArrayRef {
    let names = MapFieldNames { entry: "key_value".into(), key: "key".into(), value: "value".into() };
    let mut out = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    for row in rows {
        let mut any = false;
        for (key, value) in row.iter().filter_map(|(n, v)| Some((n.strip_prefix(name)?.strip_prefix('.')?, v))) {
            out.keys().append_value(key);
            out.values().append_value(value);
            any = true;
        }
        out.append(any).unwrap();
    }
    Arc::new(out.finish())
}

/// The rows back as text, without attributes.
fn shown(gather: &Gather) -> Vec<String> {
    let mut out = Vec::new();
    for rows in gather.tables() {
        for row in 0..rows.len() {
            let cell = |(index, column): (usize, &schemas::Column)| {
                let array = rows.at(index).filter(|_| column.r#type != Type::Map)?;
                let valid = array.logical_nulls().is_none_or(|nulls| nulls.is_valid(row));
                valid.then(|| format!("{}={}", column.name, array_value_to_string(array, row).unwrap()))
            };
            let cells: Vec<String> = rows.table().columns.iter().enumerate().filter_map(cell).collect();
            out.push(cells.join(" "));
        }
    }
    out
}

fn build(rules: &serde_json::Value, cx: &Context) -> Result<Sql, ConfigError> {
    Sql::new(serde_json::from_value(json!({ "rules": rules })).unwrap(), cx)
}

/// Runs rules over rows of `table`; the rows that are left, cells in the table's order, and what was counted.
fn check(table: &str, rules: serde_json::Value, before: &[&str], after: &[&str], counted: &[(&str, u64)]) {
    let cx = context();
    let mut gather = gather(&cx, table, before);
    build(&rules, &cx).unwrap_or_else(|e| panic!("{rules}: {e}")).process(&mut gather).unwrap();
    assert_eq!(shown(&gather), after, "{rules}");
    let counts: Vec<(String, u64)> =
        cx.counts.take().into_iter().map(|(m, rule, n)| (format!("{m}{{{rule}}}"), n)).collect();
    let counts: Vec<(&str, u64)> = counts.iter().map(|(name, n)| (name.as_str(), *n)).collect();
    assert_eq!(counts, counted, "{rules}");
}

/// What is said of rules that cannot be.
fn refused(rules: serde_json::Value, path: &str, what: &str) {
    let error = build(&rules, &context()).err().unwrap_or_else(|| panic!("{rules} was taken"));
    assert_eq!(error.path.join("."), path, "{rules}: {error}");
    assert!(error.what.contains(what), "{rules}: {error}");
}

#[test]
fn rows_are_dropped_where_the_condition_is_true() {
    let rows = [
        "route=/a status_code=200 is_bot=true",
        "route=/b status_code=500 is_bot=true",
        "route=/c status_code=200",
        "route=/d is_bot=true",
    ];
    let bots = json!([{ "name": "bots", "table": "requests", "drop": "is_bot AND status_code < 400" }]);
    check("requests", bots, &rows, &rows[1..], &[("filter_dropped{bots}", 1)]);
    let by_map = json!([{ "table": "logs", "drop": "attributes['app.job'] IN ('sync', 'poll')" }]);
    let jobs = ["body=a attributes.app.job=sync", "body=b attributes.app.job=other", "body=c"];
    check("logs", by_map, &jobs, &["body=b", "body=c"], &[("filter_dropped{rules.0}", 1)]);
    let raw = json!([{ "name": "tests", "table": "errors", "drop": "user_email LIKE '%@example.com'" }]);
    let users = ["user_email=ann@example.com error_type=A", "user_email=bob@other.test error_type=B", "error_type=C"];
    check("errors", raw, &users, &users[1..], &[("filter_dropped{tests}", 1)]);
    let all = json!([{ "name": "all", "table": "requests", "drop": "route LIKE '/%'" }]);
    check("requests", all, &rows, &[], &[("filter_dropped{all}", 4)]);
    let other = json!([{ "table": "logs", "drop": "route LIKE '/%' OR true" }]);
    refused(other, "rules.0.drop", "no column `route`");
}

#[test]
fn columns_are_set_all_at_once_from_the_values_before() {
    let shops = json!([{ "name": "shops", "table": "requests", "set": { "route": "regexp_replace(route, '^/shops/[a-z]+', '/shops/{shop}')" } }]);
    let rows = ["route=/shops/kiev/1", "status_code=1", "route=/shops/oslo/2", "route=/x", "route=/shops/kiev/1"];
    let after =
        ["route=/shops/{shop}/1", "status_code=1", "route=/shops/{shop}/2", "route=/x", "route=/shops/{shop}/1"];
    check("requests", shops, &rows, &after, &[("sql_set{shops}", 5)]);
    let swap = json!([{ "table": "requests", "set": { "error_type": "error_code", "error_code": "error_type" } }]);
    check("requests", swap, &["error_type=a error_code=b"], &["error_type=b error_code=a"], &[("sql_set{rules.0}", 1)]);
    let some = json!([
        { "name": "one", "table": "provider_calls", "where": "service_name = 'importer'", "set": { "feature_name": "'import'", "request_model": "lower(request_model)" } },
        { "name": "two", "table": "provider_calls", "drop": "feature_name = 'import' AND request_model = 'b'" },
    ]);
    let rows = [
        "service_name=importer request_model=GPT",
        "service_name=shop request_model=GPT",
        "service_name=importer request_model=B",
    ];
    let after = ["service_name=importer request_model=gpt feature_name=import", "service_name=shop request_model=GPT"];
    let cx = context();
    let mut given = gather(&cx, "provider_calls", &rows);
    build(&some, &cx).unwrap().process(&mut given).unwrap();
    let mut shown = shown(&given);
    shown.iter_mut().for_each(|row| *row = sorted(row));
    assert_eq!(shown, after.map(sorted));
    assert_eq!(cx.counts.take(), [("filter_dropped", "two".to_owned(), 1), ("sql_set", "one".to_owned(), 2)]);
    let typed = json!([{ "table": "requests", "set": { "status_code": "CAST(error_code AS BIGINT)", "is_success": "path NOT LIKE '/x%'" } }]);
    let rows = ["path=/x/1 error_code=7", "path=/y error_code=8"];
    let after =
        ["path=/x/1 status_code=7 is_success=false error_code=7", "path=/y status_code=8 is_success=true error_code=8"];
    check("requests", typed, &rows, &after, &[("sql_set{rules.0}", 2)]);
    let null = json!([{ "table": "requests", "set": { "route": "coalesce(route, 'none')", "path": "NULL" } }]);
    check(
        "requests",
        null,
        &["path=/a", "route=/b", "route=/b"],
        &["route=none", "route=/b", "route=/b"],
        &[("sql_set{rules.0}", 3)],
    );
}

fn sorted(row: &str) -> String {
    let mut cells: Vec<&str> = row.split_whitespace().collect();
    cells.sort_unstable();
    cells.join(" ")
}

#[test]
fn what_cannot_be_computed_costs_itself_alone() {
    let rows = [
        "status_code=1 request_bytes=0",
        "status_code=2 request_bytes=4",
        "status_code=3",
        "status_code=4 request_bytes=0",
    ];
    let drop = json!([{ "name": "d", "table": "requests", "drop": "8 / request_bytes = 2" }]);
    check("requests", drop, &rows, &[rows[0], rows[2], rows[3]], &[("filter_dropped{d}", 1), ("sql_failed{d}", 2)]);
    let set = json!([{ "name": "s", "table": "requests", "set": { "status_code": "8 / request_bytes" } }]);
    let after = ["request_bytes=0", "status_code=2 request_bytes=4", "", "request_bytes=0"];
    check("requests", set, &rows, &after, &[("sql_failed{s}", 2), ("sql_set{s}", 4)]);
    // One dictionary is judged by its values; its rows are counted.
    let text = json!([{ "name": "t", "table": "requests", "set": { "status_code": "CAST(error_code AS BIGINT)" } }]);
    let rows = ["error_code=x", "error_code=x", "error_code=5", "error_code=x"];
    let after = ["error_code=x", "error_code=x", "status_code=5 error_code=5", "error_code=x"];
    check("requests", text, &rows, &after, &[("sql_failed{t}", 3), ("sql_set{t}", 4)]);
}

#[test]
fn an_error_names_what_is_meant() {
    let drop = |text: &str| json!([{ "table": "requests", "drop": text }]);
    refused(drop("is_bt"), "rules.0.drop", "no column `is_bt`; did you mean `is_bot`?; it has ");
    refused(
        drop("user_ref = 'x'"),
        "rules.0.drop",
        "`user_ref` is made behind the expressions, by the seal; `user_id` is",
    );
    refused(drop("echo_of IS NULL"), "rules.0.drop", "`echo_of` is filled behind the expressions");
    refused(drop("route ="), "rules.0.drop", "not an SQL expression");
    refused(drop("is_bot; DROP TABLE x"), "rules.0.drop", "not an SQL expression");
    refused(drop(""), "rules.0.drop", "not an SQL expression");
    refused(drop("route"), "rules.0.drop", "a condition is true or false, and this gives Utf8");
    refused(drop("true"), "rules.0.drop", "would meet every row or none");
    refused(drop("nope(route)"), "rules.0.drop", "nope");
    for clock in [
        "now() > time",
        "random() < 0.1 AND is_bot",
        "uuid() = route",
        "current_date() = date",
        "current_timestamp > time",
    ] {
        refused(drop(clock), "rules.0.drop", "");
    }
    refused(drop("random() < 0.1 AND is_bot"), "rules.0.drop", "`random()` says something else each time");
    refused(drop("now() > time"), "rules.0.drop", "`now()` says something else each time");
    refused(drop("max(status_code) > 1"), "rules.0.drop", "no aggregate");
    refused(drop("row_number() OVER () > 1 AND is_bot"), "rules.0.drop", "no aggregate");
    refused(drop("route IN (SELECT route FROM requests)"), "rules.0.drop", "");
    refused(
        json!([{ "table": "request", "drop": "is_bot" }]),
        "rules.0.table",
        "there is no table `request`; did you mean `requests`?",
    );
    refused(json!([{ "drop": "is_bot" }]), "rules.0", "a rule names its `table`");
    refused(json!([{ "table": "requests" }]), "rules.0", "give `drop` or `set`");
    refused(
        json!([{ "table": "requests", "drop": "is_bot", "set": { "route": "'x'" } }]),
        "rules.0",
        "one of `drop` and `set`",
    );
    refused(json!([{ "table": "requests", "drop": "is_bot", "where": "is_bot" }]), "rules.0.where", "goes with `set`");
    refused(json!([{ "table": "audit_log", "drop": "action = 'LOGIN'" }]), "rules.0.table", "kept as they came");
    refused(json!([{ "table": "audit_log", "set": { "action": "'LOGIN'" } }]), "rules.0.table", "kept as they came");
}

#[test]
fn only_what_attributes_fill_may_be_set() {
    let set = |column: &str, text: &str| json!([{ "table": "requests", "set": { column: text } }]);
    for closed in [
        "tenant",
        "time",
        "date",
        "trace_id",
        "span_id",
        "record_uid",
        "is_primary",
        "echo_of",
        "user_ref",
        "user_id",
        "user_email",
        "email_ref",
        "client_address",
        "client_prefix",
        "user_source",
        "sample_weight",
        "redactions",
        "name",
        "kind",
        "attributes",
        "events",
        "received_as",
        "api_key",
        "secret",
        "content",
        "time_unix_nano",
    ] {
        refused(set(closed, "NULL"), &format!("rules.0.set.{closed}"), "these may be set: ");
    }
    refused(set("rout", "route"), "rules.0.set.rout", "did you mean `route`?; these may be set: ");
    refused(set("status_code", "route"), "rules.0.set.status_code", "`status_code` is int and this gives Utf8");
    let cost = json!([{ "table": "provider_calls", "set": { "cost_usd": "0" } }]);
    refused(cost, "rules.0.set.cost_usd", "these may be set: ");
}

#[test]
fn no_value_goes_where_it_is_guarded_less() {
    let set = |column: &str, text: &str| json!([{ "table": "requests", "set": { column: text } }]);
    let leaks = [
        ("route", "user_email", "`user_email` is direct and `route` only operational"),
        ("url", "substr(api_key, 1, 8)", "`api_key` is secret and `url` only indirect"),
        ("error_message", "concat('u ', user_id)", "`user_id` is direct and `error_message` only free_text"),
        // One bit at a time is a leak as well.
        ("feature_name", "CASE WHEN user_email LIKE 'a%' THEN 'a' ELSE 'b' END", "`user_email` is direct"),
        ("is_success", "api_key LIKE 'sk-live%'", "`api_key` is secret"),
        ("route", "path", "`path` is indirect and `route` only operational"),
        ("error_message", "path", "`path` is indirect and `error_message` only free_text"),
        ("feature_name", "CASE WHEN is_bot THEN query END", "`query` is free_text"),
        ("feature_name", "CASE path WHEN '/a' THEN 'a' END", "`path` is indirect"),
        ("route", "attributes['http.route']", "`attributes` is free_text"),
    ];
    for (column, text, what) in leaks {
        refused(set(column, text), &format!("rules.0.set.{column}"), what);
    }
    for (column, text) in [
        ("url", "error_message"),
        ("path", "regexp_replace(path, '[0-9]+', '{n}')"),
        ("feature_name", "CASE WHEN path LIKE '/internal/%' THEN 'internal' ELSE feature_name END"),
        ("error_message", "attributes['error.text']"),
    ] {
        assert!(build(&set(column, text), &context()).is_ok(), "{column}: {text}");
    }
}

/// Rules of which some rows cannot be computed, planned once.
static SPLIT: LazyLock<(Context, Mutex<Sql>)> = LazyLock::new(|| {
    let rules = json!([
        { "name": "a", "table": "requests", "where": "request_bytes > 0 OR 6 / request_bytes > 1",
          "set": { "status_code": "12 / (request_bytes - 1)", "error_code": "concat(error_code, '!')" } },
        { "name": "b", "table": "requests", "drop": "request_bytes <> 0 AND status_code / request_bytes > 2" },
        { "name": "c", "table": "requests", "set": { "response_bytes": "CAST(error_type AS BIGINT)", "route": "coalesce(route, error_type)" } },
        { "name": "d", "table": "requests", "drop": "error_type = '3'" },
    ]);
    let cx = context();
    let sql = Mutex::new(build(&rules, &cx).unwrap());
    (cx, sql)
});

proptest! {
    /// Rows do not know of each other: any split of them gives the same rows and the same counts.
    #[test]
    fn any_split_gives_the_same(
        rows in prop::collection::vec((0..4u8, 0..4i64, prop::option::of(0..3i64)), 1..40),
        cut in 0..40usize,
    ) {
        let (cx, sql) = &*SPLIT;
        let row = |(kind, status, bytes): &(u8, i64, Option<i64>)| {
            let kind = ["x", "7", "y", "3"][usize::from(*kind)];
            let bytes = bytes.map(|b| format!("request_bytes={b}")).unwrap_or_default();
            format!("error_type={kind} error_code={kind} status_code={status} {bytes}")
        };
        let texts: Vec<String> = rows.iter().map(row).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let run = |parts: &[&[&str]]| {
            let mut out = Vec::new();
            for part in parts.iter().filter(|part| !part.is_empty()) {
                let mut gather = gather(cx, "requests", part);
                sql.lock().unwrap().process(&mut gather).unwrap();
                out.extend(shown(&gather));
            }
            (out, cx.counts.take())
        };
        let (left, right) = texts.split_at(cut.min(texts.len()));
        let singles: Vec<&[&str]> = texts.chunks(1).collect();
        prop_assert_eq!(run(&[&texts]), run(&[left, right]));
        prop_assert_eq!(run(&[&texts]), run(&singles));
    }
}

#[test]
fn a_dictionary_stays_one() {
    let cx = context();
    let rows = ["route=/a", "route=/b", "route=/a", "route=/a"];
    let mut given = gather(&cx, "requests", &rows);
    let rules = json!([{ "table": "requests", "set": { "route": "upper(route)" } }]);
    build(&rules, &cx).unwrap().process(&mut given).unwrap();
    let column = given.table("requests").unwrap().get("route").unwrap();
    assert_eq!(column.as_any_dictionary_opt().unwrap().values().len(), 3, "two values and NULL");
    assert_eq!(shown(&given), ["route=/A", "route=/B", "route=/A", "route=/A"]);
    assert!(given.table("requests").unwrap().int("status_code").is_none());
}
