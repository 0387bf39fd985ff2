use component::{Context, Envelopes, Gather, Recent};

use super::*;
use crate::fixture::{Row, cell, context, gather};
use crate::hash::Hash;

const ANN: &str = "u1_7digjsqbfa5y5nu43k7mkrh5jm";

/// The seal's steps up to this one, over one gather after another, with the memory of one worker.
struct Chain {
    cx: Context,
    hash: Hash,
    directory: Directory,
}

impl Chain {
    fn new(config: &str) -> Self {
        let cx = context();
        let hash = Hash::new(hash::Config::default(), &cx).unwrap();
        let directory = Directory::new(serde_json::from_str(config).unwrap(), &cx).unwrap();
        Self { cx, hash, directory }
    }

    fn run(&mut self, rows: &[Row]) -> Gather {
        let mut gather = gather(rows);
        self.hash.process(&mut gather).unwrap();
        self.directory.process(&mut gather).unwrap();
        gather
    }

    fn written(&self) {
        self.cx.shared.get::<Recent>().unwrap().keep();
    }

    /// `email phone name` of a row of the directory, opened.
    fn opened(&self, gather: &Gather, row: usize) -> [Option<String>; 3] {
        let at = |column: &str| cell(gather, TABLE, row, column);
        let (tenant, user) = (at("tenant").unwrap(), at("user_ref").unwrap());
        let envelopes = Envelopes::new(Arc::clone(&self.cx.keys), TABLE);
        let key = envelopes.open(&tenant, &user, &at("key_id").unwrap(), &at("key_wrapped").unwrap()).unwrap();
        Part::ALL.map(|part| {
            let mut sealed = STANDARD_NO_PAD.decode(at(&format!("{}_enc", part.as_str()))?).unwrap();
            let opened = key.decrypt(&[&user, part.as_str(), VERSION], &mut sealed).unwrap();
            Some(String::from_utf8(opened.to_vec()).unwrap())
        })
    }
}

fn count(gather: &Gather) -> usize {
    gather.table(TABLE).map_or(0, Rows::len)
}

#[test]
fn a_sign_up_makes_a_row_that_opens_again() {
    let mut chain = Chain::new("{}");
    let gather = chain.run(&[(
        "auth_events",
        &[
            ("time", "1700000000000000"),
            ("action", "signup"),
            ("user_id", "ann"),
            ("user_source", "attribute"),
            ("user_email", "Ann Lee <Ann@Example.com>"),
            ("user_phone", "+7 (701) 555-12-34"),
            ("full_name", " Ann Lee "),
            ("user_role", "teacher"),
        ],
    )]);
    assert_eq!(count(&gather), 1);
    let at = |column: &str| cell(&gather, TABLE, 0, column);
    assert_eq!(at("user_ref").as_deref(), Some(ANN));
    assert_eq!(at("email_ref"), cell(&gather, "auth_events", 0, "email_ref"));
    assert_eq!(at("phone_ref"), cell(&gather, "auth_events", 0, "phone_ref"));
    assert_eq!(at("time"), at("created_time"));
    assert_eq!(at("roles").as_deref(), Some("teacher"));
    let opened = ["ann@example.com", "+77015551234", "Ann Lee"].map(|t| Some(t.to_owned()));
    assert_eq!(chain.opened(&gather, 0), opened);
    let shown = format!("{:?}", gather.table(TABLE));
    assert!(!shown.to_lowercase().contains("example.com") && !shown.contains("Ann Lee") && !shown.contains("5551234"));
}

#[test]
fn whose_values_are_kept() {
    let ann = ("user_id", "ann");
    let mail = ("user_email", "ann@example.com");
    let cases: &[(&str, Row, usize)] = &[
        ("a user and an address, whatever the table", ("spans", &[ann, mail]), 1),
        ("a fact", ("activity_events", &[ann, mail, ("user_source", "attribute")]), 1),
        ("a hint", ("activity_events", &[ann, mail, ("user_source", "trace")]), 0),
        ("nobody", ("auth_events", &[mail]), 0),
        ("nothing", ("auth_events", &[ann]), 0),
        ("an attempt", ("auth_events", &[ann, mail, ("outcome", "failure")]), 0),
        ("a name alone", ("logs", &[ann, ("user_name", "ann.lee")]), 1),
        ("an address as a name", ("logs", &[ann, ("user_name", "ann@example.com")]), 0),
        ("spaces", ("logs", &[ann, ("full_name", "  "), ("user_phone", "  ")]), 0),
    ];
    for (what, row, expected) in cases {
        assert_eq!(count(&Chain::new("{}").run(&[*row])), *expected, "{what}");
    }
    let long = "a".repeat(400);
    assert_eq!(count(&Chain::new("{}").run(&[("logs", &[ann, ("full_name", &long)])])), 0);
    let row: Row = ("logs", &[ann, mail, ("full_name", "Ann")]);
    assert_eq!(count(&Chain::new(r#"{"enabled": false}"#).run(&[row])), 0);
    let mut chain = Chain::new(r#"{"keep": ["name"]}"#);
    let gather = chain.run(&[row]);
    assert_eq!(chain.opened(&gather, 0), [None, None, Some("Ann".to_owned())]);
    assert_eq!(cell(&gather, TABLE, 0, "email_ref"), None);
}

#[test]
fn what_was_written_is_not_written_again_and_what_was_not_is() {
    let mut chain = Chain::new("{}");
    let row: Row = ("auth_events", &[("user_id", "ann"), ("user_email", "ann@example.com")]);
    let same: Row = ("logs", &[("user_id", "ann"), ("user_email", "ann@example.com")]);
    assert_eq!(count(&chain.run(&[row, same])), 1, "once in a gather");
    assert_eq!(count(&chain.run(&[row])), 1, "the journal was full");
    chain.written();
    assert_eq!(count(&chain.run(&[row])), 0);
    let moved: Row = ("auth_events", &[("user_id", "ann"), ("user_email", "ann@example.org")]);
    let other: Row = ("auth_events", &[("user_id", "ann"), ("user_email", "ann@example.com"), ("tenant", "acme")]);
    assert_eq!(count(&chain.run(&[moved, other])), 2, "a change, and another tenant's");
}

#[test]
fn every_row_has_a_key_of_its_own() {
    let mut chain = Chain::new("{}");
    let rows: Vec<[(&str, String); 2]> =
        (0..50).map(|n| [("user_id", format!("u{n}")), ("user_email", "a@example.com".to_owned())]).collect();
    let cells: Vec<Vec<(&str, &str)>> =
        rows.iter().map(|r| r.iter().map(|(k, v)| (*k, v.as_str())).collect()).collect();
    let gather = chain.run(&cells.iter().map(|c| ("logs", c.as_slice())).collect::<Vec<Row>>());
    for column in ["key_id", "key_wrapped", "email_enc"] {
        let distinct: std::collections::BTreeSet<_> = (0..50).map(|row| cell(&gather, TABLE, row, column)).collect();
        assert_eq!(distinct.len(), 50, "{column}");
    }
}
