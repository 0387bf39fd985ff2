//! The fuzzer's laws, for texts thrown together from what the processors react to: the same on every run, unless
//! `PROPTEST_RNG_SEED` or `PROPTEST_CASES` say otherwise.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that fails must panic")]

use std::cell::RefCell;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

#[path = "../fuzz/laws.rs"]
mod laws;

thread_local! {
    static RIG: RefCell<laws::Rig> = RefCell::new(laws::Rig::new());
}

/// Parts that the processors react to.
const PARTS: &[&str] = &[
    "bob@example.com",
    "БОБ@пример.рф",
    "\"a b\"@x.org",
    "+1 (415) 555-2671",
    "00 49 30 901820",
    "8 (701) 123-45-67",
    "tel:",
    ";ext=5",
    "203.0.113.7",
    "2001:db8::1",
    "[2001:db8::1]:443",
    "::ffff:10.0.0.1",
    "for=",
    "for=\"[2001:db8::2]\"",
    ";proto=https;by=",
    "unknown",
    "_hidden",
    ", ",
    ",",
    "4111 1111 1111 1111",
    "DE89370400440532013000",
    "sk-proj-abcDEF0123456789abcdef",
    "eyJhbGciOiJIUzI1NiJ9.",
    "password=",
    "Bearer ",
    "\"",
    "\\",
    "\\\"",
    "{",
    "}",
    "[",
    "]",
    ":",
    "=",
    "%40",
    "%",
    "\\u0040",
    "\u{a0}",
    "\u{200b}",
    "\u{202e}",
    "é",
    "ß",
    "İ",
    "٣",
    "４",
    "\0",
    "\n",
    "\t",
    " ",
    "@",
    ".",
    "-",
    "+",
    "(",
    ")",
    "/",
    "a",
    "7",
    "-1",
    "0",
    "1000000",
    "9223372036854775807",
    "-9223372036854775808",
    "1e9",
    "[EMAIL]",
];

fn text() -> impl Strategy<Value = String> {
    let part = prop_oneof![8 => prop::sample::select(PARTS).prop_map(str::to_owned), 1 => "\\PC{0,6}"];
    prop::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
}

fn numbers() -> impl Strategy<Value = String> {
    let few = prop_oneof![0..4i64, 0..2_000_000i64, any::<i64>()];
    prop::collection::vec(prop::option::weighted(0.8, few), 7).prop_map(|counts| {
        counts.iter().map(|c| c.map(|c| c.to_string()).unwrap_or_default()).collect::<Vec<_>>().join(",")
    })
}

fn config() -> ProptestConfig {
    let given = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let fixed = ProptestConfig { rng_seed: RngSeed::Fixed(41), ..given.clone() };
    if std::env::var_os("PROPTEST_RNG_SEED").is_some() { given } else { fixed }
}

/// The laws look at values, not at nothing.
#[test]
fn the_laws_see_what_they_judge() {
    let mut rig = laws::Rig::new();
    assert_eq!(rig.redact("to bob@example.com"), "to [EMAIL]");
    let json = rig.json("bob@example.com");
    assert!(json.contains("[EMAIL]") && !json.contains("bob@"), "{json}");
    assert!(rig.cost("1000,100").is_some());
    assert_eq!(rig.normalise("Ann@Example.com").as_deref(), Some("e1_i3vuw4nawxjukwxj2sgwee7cvm"));
    assert_eq!(rig.forwarded("203.0.113.9").as_deref(), Some("203.0.113.9"));
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn redact(text in text()) {
        RIG.with_borrow_mut(|rig| drop(rig.redact(&text)));
    }

    #[test]
    fn json(text in text()) {
        RIG.with_borrow_mut(|rig| drop(rig.json(&text)));
    }

    #[test]
    fn cost(text in numbers()) {
        RIG.with_borrow_mut(|rig| drop(rig.cost(&text)));
    }

    #[test]
    fn normalise(text in text()) {
        RIG.with_borrow_mut(|rig| drop(rig.normalise(&text)));
    }

    #[test]
    fn forwarded(text in text()) {
        RIG.with_borrow_mut(|rig| drop(rig.forwarded(&text)));
    }
}
