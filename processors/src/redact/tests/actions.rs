//! What takes the place of a value, by the configuration.

use component::{Component, Gather};

use super::super::{Config, Redact};
use super::redactor;
use crate::fixture::{cell, context, gather, process};

const ACTIONS: &str = r#"{"actions":{"email":"pseudonym","ip":"truncate","card":"last_four","phone":"truncate","iban":"truncate","secret":"drop","jwt":"last_four","user":"pseudonym"}}"#;

#[test]
fn by_kind() {
    let mut redact = redactor(ACTIONS);
    let cases = [
        ("pan 4111 1111 1111 1111 ok", "pan [CARD:1111] ok"),
        ("from 203.0.113.7:443", "from [IP:203.0.113.0/24]:443"),
        ("from 2001:db8:7::1", "from [IP:2001:db8:7::/48]"),
        ("call +44 20 7946 0958", "call [PHONE:+44]"),
        ("tel 020 7946 0958", "tel [PHONE]"),
        ("to DE89370400440532013000", "to [IBAN:DE]"),
        ("password=hunter2 user=1", "password=[SECRET] user=1"),
        (r#"x "password": "hunter2""#, r#"x "password": """#),
        ("got Bearer a1b2c3d4e5 from", "got Bearer  from"),
        (r#"{"password":"x","a":1,"n":4111111111111111}"#, r#"{"a":1,"n":"[CARD:1111]"}"#),
    ];
    for (text, expected) in cases {
        assert_eq!(redact.cleaner.clean(text).as_deref(), Some(expected), "from {text}");
        assert_eq!(redact.cleaner.clean(expected), None, "a second time, from {text}");
    }
    let once = redact.cleaner.clean("to bob@example.com").unwrap();
    let again = redact.cleaner.clean("to BOB%40Example.com").unwrap();
    assert_eq!(once, again, "two spellings of one address have one pseudonym");
    assert_eq!(redact.cleaner.clean(&once), None);
}

#[test]
fn a_pseudonym_in_a_text_is_the_one_in_the_column() {
    let mut rows =
        gather(&[("logs", &[("tenant", "acme"), ("user_email", "bob@example.com"), ("body", "to Bob@Example.com")])]);
    process::<crate::hash::Hash>("{}", &mut rows);
    process::<Redact>(ACTIONS, &mut rows);
    let column = cell(&rows, "logs", 0, "email_ref").unwrap();
    assert_eq!(cell(&rows, "logs", 0, "body").unwrap(), format!("to [EMAIL:{column}]"));
}

fn bodies(rows: &Gather) -> Vec<String> {
    (0..4).map(|row| cell(rows, "logs", row, "body").unwrap()).collect()
}

#[test]
fn tenants_have_pseudonyms_of_their_own() {
    let row = |tenant: &'static str| -> [(&str, &str); 3] {
        [("tenant", tenant), ("body", "to bob@example.com"), ("attributes", r#"{"user.id":"7","password":"x"}"#)]
    };
    let (a, b) = (row("a"), row("b"));
    let mut rows = gather(&[("logs", &a), ("logs", &b), ("logs", &a), ("logs", &[("body", "nothing")])]);
    let cx = process::<Redact>(ACTIONS, &mut rows);
    let stored = bodies(&rows);
    assert_eq!(stored[0], stored[2]);
    assert!(stored[0] != stored[1] && stored[1].starts_with("to [EMAIL:e1_"), "{stored:?}");
    assert_eq!(stored[3], "nothing");
    let users: Vec<_> = (0..3).map(|row| cell(&rows, "logs", row, "attributes").unwrap()).collect();
    assert!(users[0] == users[2] && users[0] != users[1] && !users[0].contains("password"), "{users:?}");
    assert_eq!(cell(&rows, "logs", 0, "redactions").as_deref(), Some(r#"{"email":"1","secret":"1","user":"1"}"#));
    assert_eq!(cell(&rows, "logs", 3, "redactions"), None);
    assert_eq!(cx.counts.snapshot().iter().map(|(_, _, n)| n).sum::<u64>(), 9);
}

#[test]
fn patterns_with_check_digits_and_words() {
    let mut redact = redactor(
        r#"{"patterns":[{"name":"member","pattern":"[0-9]{8,10}","validator":"luhn","context":["member","мембер"],"within":12,"action":"last_four"},
            {"name":"blob","pattern":"[a-z0-9]{12}","validator":"entropy"}]}"#,
    );
    let cases = [
        ("member 123456782", "[MEMBER:6782]"),
        ("Member: 123456782", "[MEMBER:6782]"),
        ("123456782 is a МЕМБЕР", "[MEMBER:6782]"),
        ("member 123456783", "member 123456783"),
        ("remembered 123456782", "remembered 123456782"),
        ("member of this and that club 123456782", "member of this and that club 123456782"),
        ("aaaaaaaaaaaa a1b2c3d4e5f6", "[BLOB]"),
    ];
    for (text, expected) in cases {
        let stored = redact.cleaner.clean(text).unwrap_or_else(|| text.to_owned());
        assert!(stored.contains(expected), "from {text} came {stored}");
        assert_eq!(redact.cleaner.clean(&stored), None, "a second time, from {text}");
    }
}

#[test]
fn refused_actions() {
    let cases = [
        (r#"{"actions":{"mail":"mask"}}"#, "actions.mail"),
        (r#"{"actions":{"content":"mask"}}"#, "actions.content"),
        (r#"{"patterns":[{"name":"a","pattern":"x","context":[" "]}]}"#, "patterns.0.context"),
    ];
    for (config, path) in cases {
        let config: Config = serde_json::from_str(config).unwrap();
        let refused = Redact::new(config, &context()).err();
        assert_eq!(refused.map(|e| e.path.join(".")).as_deref(), Some(path));
    }
    for config in
        [r#"{"actions":{"email":"scramble"}}"#, r#"{"patterns":[{"name":"a","pattern":"x","validator":"sum"}]}"#]
    {
        assert!(serde_json::from_str::<Config>(config).is_err(), "{config}");
    }
}
