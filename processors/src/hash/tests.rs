//! Golden pseudonyms, and what must not be equal.

use super::*;
use crate::fixture::{Row, cell, context, gather, process};

fn refs(config: &str, rows: &[Row], table: &str, column: &str) -> Vec<Option<String>> {
    let mut gather = gather(rows);
    process::<Hash>(config, &mut gather);
    (0..rows.len()).map(|row| cell(&gather, table, row, column)).collect()
}

#[test]
fn pseudonyms_are_what_they_have_always_been() {
    // Worked out apart from this code, with HKDF and HMAC of another language.
    let cases = [
        ("user_id", "user_ref", "ann", "u1_7digjsqbfa5y5nu43k7mkrh5jm"),
        ("session_id", "session_ref", "s-1", "s1_g37qodsiewtcebtum5ckdjoofq"),
        ("device_id", "device_ref", "d-1", "d1_z3iwmmyie6g65rwbgwbikljvx4"),
        ("client_ip", "client_ref", "203.0.113.9", "i1_nwxk7zlq3fev3gsdhgu6jhu26i"),
        ("user_email", "email_ref", "Ann@Example.com", "e1_i3vuw4nawxjukwxj2sgwee7cvm"),
        ("user_phone", "phone_ref", "+7 701 123 45 67", "p1_uk2dy3luigxicpegisbkr262su"),
    ];
    for (origin, target, value, golden) in cases {
        let made = refs("{}", &[("spans", &[(origin, value)])], "spans", target);
        assert_eq!(made, [Some(golden.to_owned())], "{target}");
        let (head, digits) = golden.split_once('_').unwrap();
        assert!(head.len() == 2 && head.ends_with('1') && digits.len() == 26, "{golden}");
        assert!(digits.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7')), "{golden}");
    }
}

#[test]
fn equal_values_meet_and_unequal_scopes_do_not() {
    let rows: &[Row] = &[
        ("spans", &[("user_id", "x"), ("session_id", "x"), ("device_id", "x")]),
        ("spans", &[("user_id", " x ")]),
        ("spans", &[("user_id", "x"), ("tenant", "other")]),
        ("spans", &[("user_id", "x")]),
        ("spans", &[("user_id", "X")]),
    ];
    let users = refs("{}", rows, "spans", "user_ref");
    assert_eq!((&users[0], &users[0]), (&users[1], &users[3]));
    assert_ne!(users[0], users[2]);
    assert_ne!(users[0], users[4]);
    let bodies: Vec<String> = ["user_ref", "session_ref", "device_ref"]
        .map(|c| refs("{}", &rows[..1], "spans", c)[0].clone().unwrap().split_once('_').unwrap().1.to_owned())
        .to_vec();
    assert!(bodies[0] != bodies[1] && bodies[1] != bodies[2] && bodies[0] != bodies[2]);
}

#[test]
fn nothing_but_hashes_stands_there() {
    let rows: &[Row] = &[
        ("spans", &[("user_ref", "planted"), ("user_id", "ann")]),
        ("spans", &[("user_ref", "planted"), ("session_ref", "planted")]),
        ("spans", &[("user_ref", "planted"), ("user_id", "  ")]),
    ];
    let users = refs("{}", rows, "spans", "user_ref");
    assert!(users[0].as_ref().is_some_and(|u| u.starts_with("u1_")));
    assert_eq!(users[1..], [None, None]);
    assert_eq!(refs("{}", rows, "spans", "session_ref"), [None, None, None]);
}

#[test]
fn what_is_remembered_changes_nothing() {
    let values: Vec<String> = (0..500).map(|n| format!("user-{}", n % 50)).collect();
    let cells: Vec<[(&str, &str); 1]> = values.iter().map(|v| [("user_id", v.as_str())]).collect();
    let rows: Vec<Row> = cells.iter().map(|c| ("spans", c.as_slice())).collect();
    let plenty = refs("{}", &rows, "spans", "user_ref");
    let none = refs(r#"{"memory": 0}"#, &rows, "spans", "user_ref");
    let little = refs(r#"{"memory": 2000}"#, &rows, "spans", "user_ref");
    assert_eq!((&plenty, &plenty), (&none, &little));
    assert_eq!(plenty.iter().flatten().collect::<std::collections::BTreeSet<_>>().len(), 50);
}

#[test]
fn an_attempted_address_meets_the_address() {
    let rows: &[Row] = &[("auth_events", &[("user_name", "Ann@Example.com"), ("user_email", "ann@example.com")])];
    let attempted = refs("{}", rows, "auth_events", "attempted_ref");
    assert!(attempted[0].is_some());
    assert_eq!(attempted, refs("{}", rows, "auth_events", "email_ref"));
}

#[test]
fn regions_are_checked_and_told_apart_by_tenant() {
    for (config, path) in [(r#"{"default_region": "Z9"}"#, "default_region"), (r#"{"regions": {"a": ""}}"#, "regions")]
    {
        let Err(error) = Hash::new(serde_json::from_str(config).unwrap(), &context()) else {
            panic!("{config} passed")
        };
        assert_eq!(error.path.join("."), path);
    }
    let config = r#"{"default_region": "KZ", "regions": {"us": "US"}}"#;
    let rows: &[Row] = &[
        ("auth_events", &[("user_phone", "8 701 123 45 67")]),
        ("auth_events", &[("user_phone", "+77011234567")]),
        ("auth_events", &[("user_phone", "(415) 555-2671"), ("tenant", "us")]),
        ("auth_events", &[("user_phone", "+14155552671"), ("tenant", "us")]),
    ];
    let phones = refs(config, rows, "auth_events", "phone_ref");
    assert!(phones.iter().all(Option::is_some));
    assert_eq!((&phones[0], &phones[2]), (&phones[1], &phones[3]));
}
