//! Columns by class and type, and what is noted of them.

use arrow::array::{Array, AsArray};
use component::{Component, Gather, Processor};

use super::{Redact, redactor};
use crate::fixture::{cell, context, gather, process};

fn stored(table: &str, column: &str, value: &str) -> Option<String> {
    let mut gather = gather(&[(table, &[(column, value)])]);
    process::<Redact>("{}", &mut gather);
    cell(&gather, table, 0, column)
}

const MAIL: &str = "to bob@example.com";

/// A column of `logs`, what it holds, and what is stored.
const CASES: &[(&str, &str, Option<&str>)] = &[
    // Text and dictionaries of every class that a sender writes.
    ("body", MAIL, Some("to [EMAIL]")),
    ("name", MAIL, Some("to [EMAIL]")),
    ("status_message", MAIL, Some("to [EMAIL]")),
    ("service_name", MAIL, Some("to [EMAIL]")),
    ("user_agent", "bot (bob@example.com) Chrome/120.0.0.0", Some("bot ([EMAIL]) Chrome/120.0.0.0")),
    ("trace_state", "k=bob@example.com", Some("k=[EMAIL]")),
    ("client_prefix", "203.0.113.0/24", Some("203.0.113.0/24")),
    // Ours, pseudonyms, and what the seal drops.
    ("trace_id", MAIL, Some(MAIL)),
    ("user_ref", "u1_aaaaaaaaaaaaaaaaaaaaaaaaaa", Some("u1_aaaaaaaaaaaaaaaaaaaaaaaaaa")),
    ("user_id", MAIL, Some(MAIL)),
    ("time_unix_nano", "4111111111111111", Some("4111111111111111")),
    // Maps: the name first, then the value, then JSON inside it.
    (
        "attributes",
        r#"{"http.request.header.authorization":"x","a":"1"}"#,
        Some(r#"{"a":"1","http.request.header.authorization":"[SECRET]"}"#),
    ),
    (
        "attributes",
        r#"{"user.email":"b","user.full_name":"c","phone":"d"}"#,
        Some(r#"{"phone":"[PHONE]","user.email":"[EMAIL]","user.full_name":"[NAME]"}"#),
    ),
    ("attributes", r#"{"gen_ai.input.messages":"hi","gen_ai.prompt.0.content":"hi","llm.headers":"x"}"#, Some("{}")),
    (
        "attributes",
        r#"{"n":4111111111111111,"t":1731234567890123456,"m":"+14155552671"}"#,
        Some(r#"{"m":"[PHONE]","n":"[CARD]","t":"1731234567890123456"}"#),
    ),
    (
        "attributes",
        r#"{"deep":{"a":[{"password":"x","m":"b@c.de"}]}}"#,
        Some(r#"{"deep":"{\"a\":[{\"m\":\"[EMAIL]\",\"password\":\"[SECRET]\"}]}"}"#),
    ),
    ("attributes", r#"{"for bob@example.com":"1"}"#, Some(r#"{"for [EMAIL]":"1"}"#)),
    ("attributes", r#"{"bob@example.com":"1","amy@example.com":"2"}"#, Some(r#"{"[EMAIL]":"2","[EMAIL]#2":"1"}"#)),
    (
        "attributes",
        r#"{"user.id":"42","session.id":"s","client.address":"x"}"#,
        Some(r#"{"client.address":"[IP]","session.id":"[SESSION]","user.id":"[USER]"}"#),
    ),
    (
        "attributes",
        r#"{"llm.token_count.prompt":"12","gen_ai.usage.input_tokens":"3","gen_ai.prompt.name":"p"}"#,
        Some(r#"{"gen_ai.prompt.name":"p","gen_ai.usage.input_tokens":"3","llm.token_count.prompt":"12"}"#),
    ),
    ("resource", r#"{"host.ip":"[\"203.0.113.7\"]"}"#, Some(r#"{"host.ip":"[\"[IP]\"]"}"#)),
    ("scope_attributes", r#"{"a":"b@c.de"}"#, Some(r#"{"a":"[EMAIL]"}"#)),
    // Events and links are JSON.
    (
        "events",
        r#"[{"name":"for b@c.de","time_unix_nano":1731234567890123456,"attributes":{"api_key":"x","input.value":"y"}}]"#,
        Some(r#"[{"name":"for [EMAIL]","time_unix_nano":1731234567890123456,"attributes":{"api_key":"[SECRET]"}}]"#),
    ),
    (
        "links",
        r#"[{"trace_id":"a1","attributes":{"user.email":"b"}}]"#,
        Some(r#"[{"trace_id":"a1","attributes":{"user.email":"[EMAIL]"}}]"#),
    ),
];

#[test]
fn by_class_and_type() {
    for (column, value, expected) in CASES {
        assert_eq!(stored("logs", column, value).as_deref(), *expected, "{column}: {value}");
    }
}

#[test]
fn conversations_are_dropped_unless_kept() {
    let rows: &[(&str, &[(&str, &str)])] = &[
        ("logs", &[("name", "gen_ai.user.message"), ("body", r#"{"content":"hi b@c.de"}"#)]),
        ("logs", &[("name", "other"), ("body", "stays")]),
        ("logs", &[("attributes", r#"{"input.value":"hi b@c.de"}"#)]),
    ];
    let mut dropped = gather(rows);
    process::<Redact>("{}", &mut dropped);
    assert_eq!(cell(&dropped, "logs", 0, "body"), None);
    assert_eq!(cell(&dropped, "logs", 1, "body").as_deref(), Some("stays"));
    assert_eq!(cell(&dropped, "logs", 2, "attributes").as_deref(), Some("{}"));
    assert_eq!(cell(&dropped, "logs", 0, "redactions").as_deref(), Some(r#"{"content":"1"}"#));
    let mut kept = gather(rows);
    process::<Redact>(r#"{"keep_content":true}"#, &mut kept);
    assert_eq!(cell(&kept, "logs", 0, "body").as_deref(), Some(r#"{"content":"hi [EMAIL]"}"#));
    assert_eq!(cell(&kept, "logs", 2, "attributes").as_deref(), Some(r#"{"input.value":"hi [EMAIL]"}"#));
}

/// Rows whose texts and dictionaries hold something here and there.
fn mixed() -> Gather {
    gather(&[
        ("logs", &[("body", "b@c.de and d@e.fr"), ("name", "x")]),
        ("logs", &[("name", "for b@c.de"), ("attributes", r#"{"password":"x"}"#)]),
        ("logs", &[("body", "nothing")]),
        ("logs", &[("name", "for b@c.de"), ("body", "203.0.113.7")]),
    ])
}

#[test]
fn rows_say_what_was_redacted() {
    let mut gather = mixed();
    let cx = process::<Redact>("{}", &mut gather);
    let expected =
        [Some(r#"{"email":"2"}"#), Some(r#"{"email":"1","secret":"1"}"#), None, Some(r#"{"email":"1","ip":"1"}"#)];
    for (row, expected) in expected.into_iter().enumerate() {
        assert_eq!(cell(&gather, "logs", row, "redactions").as_deref(), expected, "row {row}");
    }
    let counts = cx.counts.snapshot();
    let expected = [
        ("redactions", "email".to_owned(), 4),
        ("redactions", "ip".to_owned(), 1),
        ("redactions", "secret".to_owned(), 1),
    ];
    assert_eq!(counts, expected);
}

#[test]
fn a_second_time_changes_no_column() {
    let mut gather = mixed();
    process::<Redact>("{}", &mut gather);
    let once = gather.clone();
    process::<Redact>("{}", &mut gather);
    for (before, after) in once.tables().zip(gather.tables()) {
        for (index, column) in before.table().columns.iter().enumerate() {
            assert_eq!(before.at(index), after.at(index), "{}", column.name);
        }
    }
}

/// A value that no row uses any more must not come along in a dictionary or behind a map's offsets.
#[test]
fn nothing_comes_along_unseen() {
    let mut gather = gather(&[
        ("logs", &[("service_name", "for b@c.de"), ("attributes", r#"{"note":"plain words of the first row"}"#)]),
        ("logs", &[("service_name", "shop"), ("attributes", r#"{"note":"b"}"#)]),
    ]);
    let rows = gather.table_mut("logs").unwrap();
    for column in ["service_name", "attributes"] {
        let index = rows.table().index(column).unwrap();
        let array = rows.at(index).unwrap().clone();
        // Both rows read the second one's value, the first one's is left behind them.
        let array = arrow::compute::concat(&[&array.slice(1, 1), &array.slice(1, 1)]).unwrap();
        rows.set_at(index, array).unwrap();
    }
    redactor("{}").process(&mut gather).unwrap();
    let rows = gather.table("logs").unwrap();
    let dict = rows.get("service_name").unwrap().as_any_dictionary();
    let left: Vec<&str> = dict.values().as_string::<i32>().iter().flatten().collect();
    assert!(!left.iter().any(|v| v.contains("b@c.de")), "{left:?}");
    let values = rows.map("attributes").unwrap().values().clone();
    assert_eq!(values.len(), 2);
}

#[test]
fn a_rows_own_names_are_taken_out_of_its_texts() {
    let said = r#"{"note":"for Ada Lovelace","other":"Adalbert"}"#;
    let ada = [("full_name", "Ada Lovelace"), ("body", "User Ada Lovelace created"), ("attributes", said)];
    let mut gather = gather(&[("logs", &ada), ("logs", &[("body", "Ada Lovelace of another row")])]);
    process::<Redact>("{}", &mut gather);
    assert_eq!(cell(&gather, "logs", 0, "body").as_deref(), Some("User [NAME] created"));
    let attributes = cell(&gather, "logs", 0, "attributes").unwrap();
    assert_eq!(attributes, r#"{"note":"for [NAME]","other":"Adalbert"}"#);
    assert_eq!(cell(&gather, "logs", 0, "redactions").as_deref(), Some(r#"{"name":"2"}"#));
    assert_eq!(cell(&gather, "logs", 1, "body").as_deref(), Some("Ada Lovelace of another row"));
}

#[test]
fn a_column_is_cut_behind_its_redaction() {
    let long = format!("{}bob@example.com", "a ".repeat(508));
    let cut = stored("logs", "status_message", &long).unwrap();
    assert!(cut.len() <= 1024 && cut.ends_with("[EMAIL]"), "{} {}", cut.len(), &cut[1000..]);
}

#[test]
fn every_secret_column_of_the_schema_is_a_secret_name() {
    let cx = context();
    let mut redact = Redact::new(super::Config::default(), &cx).unwrap();
    for column in cx.catalog.tables().iter().flat_map(|t| &t.columns).filter(|c| c.class == schemas::Class::Secret) {
        for source in &column.from {
            let schemas::Source::Attribute { key, .. } = source else { continue };
            let rule = redact.cleaner.names.rule(key);
            assert_ne!(rule, super::super::names::Rule::Scan, "{key}");
        }
    }
}
