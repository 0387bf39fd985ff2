//! Values that are encrypted under a key of the row's user.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use component::{Component, Context, Envelopes, Gather, Keyring, Processor, Recent, Rows, Shared};
use serde_json::Value;

use super::super::names::Rule;
use super::super::token::{LONGEST, LONGEST_VALUE, Proofs, Token};
use super::super::{Config, Redact};
use super::Dice;
use super::properties::PARTS;
use crate::directory::{Directory, TABLE};
use crate::fixture::{Row, cell, context, gather};

const KINDS: &str = r#"{"actions":{"key":"encrypt","jwt":"encrypt","secret":"encrypt","card":"encrypt","iban":"encrypt","email":"encrypt","phone":"encrypt","ip":"encrypt","mac":"encrypt","ssn":"encrypt","id":"encrypt","crypto":"encrypt","name":"encrypt","address":"encrypt","birth":"encrypt","user":"encrypt","session":"encrypt","device":"encrypt"}}"#;

const EMAIL: &str = r#"{"actions":{"email":"encrypt"}}"#;

/// A process with one worker or more, and what a directory has of it.
struct Process {
    cx: Context,
    /// Tenant, user and wrapped key, by the id of the key.
    directory: HashMap<String, [String; 3]>,
}

impl Process {
    fn new() -> Self {
        Self { cx: context(), directory: HashMap::new() }
    }

    fn worker(&self, config: &str) -> Redact {
        self.worker_with(&Shared::default(), config)
    }

    fn worker_with(&self, shared: &Shared, config: &str) -> Redact {
        let config: Config = serde_json::from_str(config).unwrap();
        Redact::new(config, &Context { shared: shared.clone(), ..self.cx.clone() }).unwrap()
    }

    /// Redacts rows and keeps the keys; says how many came along.
    fn run(&mut self, worker: &mut Redact, rows: &[Row]) -> (Gather, usize) {
        let mut gather = gather(rows);
        worker.process(&mut gather).unwrap();
        let keys = gather.table(TABLE).map_or(0, Rows::len);
        self.keep(&gather);
        (gather, keys)
    }

    fn keep(&mut self, gather: &Gather) {
        for row in 0..gather.table(TABLE).map_or(0, Rows::len) {
            let at = |column: &str| cell(gather, TABLE, row, column).unwrap();
            let known = self.directory.insert(at("key_id"), ["tenant", "user_ref", "key_wrapped"].map(at));
            assert!(known.is_none_or(|known| known == ["tenant", "user_ref", "key_wrapped"].map(at)), "one row a key");
        }
    }

    /// A text with what its tokens hold; tokens of unknown keys stay.
    fn reveal(&self, text: &str) -> String {
        let envelopes = Envelopes::new(Arc::clone(&self.cx.keys), TABLE);
        let mut text = text.to_owned();
        loop {
            let open = |token: &Token<'_>| {
                let [tenant, user, wrapped] = self.directory.get(token.key_id)?;
                let key = envelopes.open(tenant, user, token.key_id, wrapped).unwrap();
                token.open(&key, user).ok()
            };
            let opened = Token::all(&text).into_iter().find_map(|(place, token)| Some((place, open(&token)?)));
            let Some((place, value)) = opened else { return text };
            text.replace_range(place, &value);
        }
    }
}

const ANN: [(&str, &str); 2] = [("tenant", "acme"), ("user_ref", "u1_ann")];
const BOB: [(&str, &str); 2] = [("tenant", "acme"), ("user_ref", "u1_bob")];
/// Ann's name in another tenant.
const OTHER: [(&str, &str); 2] = [("tenant", "other"), ("user_ref", "u1_ann")];

fn with<'a>(whose: &[(&'a str, &'a str)], cells: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [whose, cells].concat()
}

#[test]
fn each_user_has_tokens_of_their_own() {
    let mut process = Process::new();
    let mut worker = process.worker(EMAIL);
    let text = [("body", "from x@y.org or x@y.org")];
    let rows = [with(&ANN, &text), with(&BOB, &text), with(&OTHER, &text), with(&ANN, &text), with(&ANN[..1], &text)];
    let rows: Vec<Row> = rows.iter().map(|cells| ("logs", cells.as_slice())).collect();
    let (gather, keys) = process.run(&mut worker, &rows);
    let stored: Vec<String> = (0..5).map(|row| cell(&gather, "logs", row, "body").unwrap()).collect();
    assert_eq!(keys, 3, "a user of a tenant has one key");
    assert_eq!(stored[0], stored[3]);
    assert!(stored[0] != stored[1] && stored[0] != stored[2] && stored[1] != stored[2]);
    assert_eq!(stored[4], "from [EMAIL] or [EMAIL]", "nobody's");
    let words: Vec<&str> = stored[0].split(' ').collect();
    assert_eq!(words[1], words[3], "equal values of one user are equal tokens");
    assert!(stored[..4].iter().all(|text| process.reveal(text) == "from x@y.org or x@y.org"));
    assert_eq!(cell(&gather, "logs", 0, "redactions").as_deref(), Some(r#"{"email":"2"}"#));
    let counts = process.cx.counts.take();
    let expected = [("redact_encrypt_masked", "no_user".to_owned(), 2), ("redactions", "email".to_owned(), 10)];
    assert_eq!(counts, expected);
}

/// Each column, what stands there, and the same with what is encrypted in it revealed.
const PLACES: &[(&str, &str, Option<&str>)] = &[
    ("body", "to x@y.org, card 4111 1111 1111 1111", None),
    (
        "body",
        r#"{"to":{"email":"x@y.org","n":4111111111111111},"user":{"password":"hunter22"}}"#,
        Some(r#"{"to":{"email":"x@y.org","n":"4111111111111111"},"user":{"password":"hunter22"}}"#),
    ),
    ("body", "GET /?email=x%40y.org&token=a1b2c3d4e5f6", None),
    ("body", "https://bob:hunter22@example.com/ Authorization: Bearer a1b2c3d4e5f6g7", None),
    ("name", "GET for x@y.org", None),
    ("status_message", "no user x@y.org at 203.0.113.7", None),
    (
        "attributes",
        r#"{"note":"x@y.org","user.email":"who","other":"{\"password\":\"hunter22\"}"}"#,
        Some(r#"{"note":"x@y.org","other":"{\"password\":\"hunter22\"}","user.email":"who"}"#),
    ),
    ("attributes", r#"{"for x@y.org":"1"}"#, None),
    (
        "attributes",
        r#"{"postal.address":"{\"street\":\"1 High St\"}"}"#,
        Some(r#"{"postal.address":"{"street":"1 High St"}"}"#),
    ),
    ("body", r#"{"password":{"is":"1 High St"}}"#, Some(r#"{"password":"{"is":"1 High St"}"}"#)),
    ("resource", r#"{"host.ip":"[\"203.0.113.7\"]"}"#, None),
    ("events", r#"[{"name":"for x@y.org","attributes":{"api_key":"x"}}]"#, None),
    ("links", r#"[{"trace_id":"a1","attributes":{"user.email":"b"}}]"#, None),
];

#[test]
fn wherever_a_text_is_redacted_it_is_encrypted() {
    let mut process = Process::new();
    let mut worker = process.worker(KINDS);
    for (column, text, expected) in PLACES {
        let cells = [(*column, *text)];
        let rows = [with(&ANN, &cells), with(&BOB, &cells), with(&ANN, &cells)];
        let rows: Vec<Row> = rows.iter().map(|cells| ("logs", cells.as_slice())).collect();
        let (gather, _) = process.run(&mut worker, &rows);
        let stored: Vec<String> = (0..3).map(|row| cell(&gather, "logs", row, column).unwrap()).collect();
        assert!(stored[0] == stored[2] && stored[0] != stored[1], "{text}: {stored:?}");
        for stored in &stored {
            for plain in ["x@y.org", "x%40y.org", "hunter22", "4111", "a1b2c3", "203.0.113.7", "High St"] {
                assert!(!stored.contains(plain), "{text} is stored as {stored}");
            }
            assert_eq!(process.reveal(stored), expected.unwrap_or(text), "{stored}");
        }
        // A second time, by another process with the same root key.
        let again = [with(&ANN, &[(column, &stored[0])])];
        let (again, _) = Process::new().run(&mut Process::new().worker(KINDS), &[("logs", &again[0])]);
        assert_eq!(cell(&again, "logs", 0, column).as_deref(), Some(stored[0].as_str()), "{text}");
    }
}

#[test]
fn a_key_comes_along_until_it_is_known_to_be_written() {
    let mut process = Process::new();
    let (shared, other) = (Shared::default(), Shared::default());
    let (mut one, mut two) = (process.worker_with(&shared, EMAIL), process.worker_with(&other, EMAIL));
    let (ann, plain) = (with(&ANN, &[("body", "to x@y.org")]), with(&ANN, &[("body", "nothing")]));
    // The gather for which the key was made is refused: what it brought is not kept.
    let mut refused = gather(&[("logs", &ann)]);
    one.process(&mut refused).unwrap();
    let lost = cell(&refused, "logs", 0, "body").unwrap();
    // Another worker's gather overtakes, and must not depend on it.
    let (gather, keys) = process.run(&mut two, &[("logs", &ann), ("spans", &ann)]);
    assert_eq!((keys, cell(&gather, "logs", 0, "body")), (1, Some(lost.clone())), "the process has one key for Ann");
    assert_eq!(process.reveal(&lost), "to x@y.org");
    assert_eq!(process.run(&mut one, &[("logs", &ann)]).1, 1, "its own gather was not written");
    // Gathers without a use of the key tell nothing of it.
    assert_eq!(process.run(&mut one, &[("logs", &plain)]).1, 0);
    shared.get::<Recent>().unwrap().keep();
    assert_eq!(process.run(&mut one, &[("logs", &ann)]).1, 1);
    shared.get::<Recent>().unwrap().keep();
    assert_eq!(process.run(&mut one, &[("logs", &ann)]).1, 0, "it is written");
    assert_eq!(process.run(&mut two, &[("logs", &ann)]).1, 1, "but not by the other worker, so far as it knows");
    assert_eq!(process.directory.len(), 1);
}

#[test]
fn keys_stand_behind_what_the_directory_has_of_the_gather() {
    let mut process = Process::new();
    let mut directory = Directory::new(serde_json::from_str("{}").unwrap(), &process.cx).unwrap();
    let mut worker = process.worker(EMAIL);
    let mut gather =
        gather(&[("logs", &with(&ANN, &[("body", "to x@y.org"), ("user_email", "x@y.org"), ("received_time", "7")]))]);
    directory.process(&mut gather).unwrap();
    worker.process(&mut gather).unwrap();
    let at = |row: usize, column: &str| cell(&gather, TABLE, row, column);
    assert_eq!(gather.table(TABLE).map(Rows::len), Some(2));
    assert!(at(0, "email_enc").is_some() && at(1, "email_enc").is_none());
    assert_eq!((at(1, "tenant").as_deref(), at(1, "user_ref").as_deref()), (Some("acme"), Some("u1_ann")));
    assert_eq!(at(1, "time").as_deref(), Some("7"));
    assert_ne!(at(0, "key_id"), at(1, "key_id"));
    process.keep(&gather);
    assert_eq!(process.reveal(&cell(&gather, "logs", 0, "body").unwrap()), "to x@y.org");
}

#[test]
fn a_forgotten_user_gets_another_key() {
    let mut process = Process::new();
    let mut worker = process.worker(r#"{"actions":{"email":"encrypt"},"memory":4096}"#);
    let mut stored = Vec::new();
    for n in 0..100 {
        let user = format!("u1_{}", n % 50);
        let cells = [("tenant", "acme"), ("user_ref", &*user), ("body", "x@y.org")];
        stored.push(cell(&process.run(&mut worker, &[("logs", &cells)]).0, "logs", 0, "body").unwrap());
    }
    assert_ne!(stored[0], stored[50]);
    assert_eq!(process.directory.len(), 100, "memory is bounded, and all keys are kept elsewhere");
    assert!(stored.iter().all(|text| process.reveal(text) == "x@y.org"));
}

#[test]
fn what_is_too_long_is_masked() {
    let mut process = Process::new();
    let mut worker = process.worker(KINDS);
    for (length, fits) in [(LONGEST_VALUE, true), (LONGEST_VALUE + 1, false)] {
        let text = format!("{{\"password\":\"{}\"}}", "é".repeat(length / 2) + &"x".repeat(length % 2));
        let (gather, _) = process.run(&mut worker, &[("logs", &with(&ANN, &[("body", &text)]))]);
        let stored = cell(&gather, "logs", 0, "body").unwrap();
        assert_eq!(stored == r#"{"password":"[SECRET]"}"#, !fits, "{length}: {stored}");
        assert!(stored.len() <= LONGEST + 20);
        assert_eq!(process.reveal(&stored) == text, fits);
    }
    let counts = process.cx.counts.take();
    assert!(counts.contains(&("redact_encrypt_masked", "too_long".to_owned(), 1)), "{counts:?}");
}

#[test]
fn no_token_is_cut_in_halves() {
    let mut process = Process::new();
    let mut worker = process.worker(EMAIL);
    for before in 860..1020 {
        let text = "a ".repeat(before / 2) + "x@y.org";
        let (gather, _) = process.run(&mut worker, &[("logs", &with(&ANN, &[("status_message", &text)]))]);
        let stored = cell(&gather, "logs", 0, "status_message").unwrap();
        assert!(stored.len() <= 1024);
        let whole = process.reveal(&stored) == text;
        assert_eq!(whole, stored.ends_with(']'), "{stored}");
        assert!(whole || text.starts_with(&stored), "{stored}");
    }
}

/// Whoever writes what looks like a token gets nothing through that would not pass without it.
#[test]
fn a_forged_token_is_text_like_any_other() {
    let mut process = Process::new();
    let mut worker = process.worker(EMAIL);
    let (gather, _) = process.run(&mut worker, &[("logs", &with(&ANN, &[("body", "x@y.org")]))]);
    let ours = cell(&gather, "logs", 0, "body").unwrap();
    let [label, id, content]: [&str; 3] = {
        let inside = ours.trim_matches(['[', ']']);
        inside.split(':').collect::<Vec<_>>().try_into().unwrap()
    };
    let fill = |text: &str| format!("{text:-<width$}", width = content.len());
    let mail = URL_SAFE_NO_PAD.encode("write to bob.smith.the.third@example.com or call me if nothing comes");
    let forged = [
        format!("[{label}:{id}:{}]", &mail[..content.len()]),
        format!("[{label}:{id}:{}]", fill("4111-1111-1111-1111-")),
        format!("[{label}:{id}:{}]", fill("-sk-proj-abcDEF0123456789abcdefXYZ-")),
        format!("[{label}:{}:{}]", "2".repeat(26), fill("AKIAIOSFODNN7EXAMPLE-")),
    ];
    for text in &forged {
        assert_eq!(Token::all(text).len(), 1, "it has the form: {text}");
        let plain = text.replace(['[', ']'], " ");
        let mut clean = |text: &str| worker.cleaner.clean(text);
        assert!(clean(&plain).is_some(), "it is found without brackets: {plain}");
        assert!(clean(text).is_some(), "and within them: {text}");
        assert!(clean(&format!(r#"{{"user.email":"{text}"}}"#)).is_some_and(|stored| !stored.contains(content)));
    }
    // A token of ours in which anything was changed is none.
    assert_eq!(worker.cleaner.clean(&format!(r#"{{"user.email":"{ours}"}}"#)), None);
    for at in [1, 8, 40, ours.len() - 3] {
        let changed = if ours.as_bytes()[at] == b'X' { "Y" } else { "X" };
        let other = [&ours[..at], changed, &ours[at + 1..]].concat();
        let stored = worker.cleaner.clean(&format!(r#"{{"user.email":"{other}"}}"#));
        assert!(stored.is_some(), "{other}");
    }
    // Another root key proves nothing to us, and finds nothing in it either.
    let foreign = Proofs::new(&Keyring::new(&[8; 32], 1).unwrap()).unwrap();
    assert_eq!(foreign.length_at(ours.as_bytes(), 0), None);
}

/// The letters of a token are random: now and then the last of them read like a name that gives a value away.
#[test]
fn the_letters_of_a_token_name_nothing() {
    let process = Process::new();
    let mut worker = process.worker(EMAIL);
    let someone = gather(&[("logs", &ANN)]);
    worker.cleaner.begin(someone.table("logs").unwrap());
    worker.cleaner.set_row(0);
    let mut telling = 0;
    for n in 0.. {
        // Of a value of three blocks the last letter of the token may be any.
        let token = worker.cleaner.clean(&format!("x{n:_>32}@y.org")).unwrap();
        worker.cleaner.drain();
        let name = &token[token.len() - 40..token.len() - 1];
        if worker.cleaner.names.rule(name) == Rule::Scan {
            continue;
        }
        for behind in ["=hello-world", "]=hello-world", ": 'hello world'", "\\\" = \"hello world\""] {
            assert!(worker.cleaner.clean(&format!("{name}{behind}")).is_some(), "without the token: {name}{behind}");
            assert_eq!(worker.cleaner.clean(&format!("{token}{behind}")), None);
        }
        telling += 1;
        if telling == 3 {
            break;
        }
    }
}

#[test]
fn a_second_time_changes_nothing_and_what_was_there_comes_back() {
    let mut dice = Dice::new(21);
    let patterns = r#"[{"name":"employee","pattern":"EMP-[0-9]+","action":"encrypt"},{"name":"cap","pattern":"[A-Z]{4,}","action":"encrypt"},{"name":"one","pattern":"1","context":["null"],"within":4,"action":"encrypt"}]"#;
    let with_patterns = KINDS.replacen('{', &format!("{{\"patterns\":{patterns},"), 1);
    for config in [KINDS, &with_patterns] {
        let mut process = Process::new();
        let mut worker = process.worker(config);
        let someone = gather(&[("logs", &ANN)]);
        worker.cleaner.begin(someone.table("logs").unwrap());
        worker.cleaner.set_row(0);
        for _ in 0..6_000 {
            let text: String = (0..1 + dice.below(14)).map(|_| dice.pick(PARTS)).collect();
            let Some(once) = worker.cleaner.clean(&text) else { continue };
            assert_eq!(worker.cleaner.clean(&once), None, "from {text:?} came {once:?}");
            worker.cleaner.drain();
            if process.directory.is_empty() {
                process.keep(&Gather::new(worker.cleaner.keys_used().unwrap().into_iter().collect()));
            }
            // JSON may be written in another way.
            if !text.trim_start().starts_with(['{', '[']) {
                assert_eq!(process.reveal(&once), text, "from {once:?}");
            }
        }
    }
}

#[test]
fn json_stays_json_and_comes_back() {
    let mut dice = Dice::new(22);
    let mut process = Process::new();
    let mut worker = process.worker(KINDS);
    for _ in 0..500 {
        let part = |dice: &mut Dice| (0..dice.below(4)).map(|_| dice.pick(PARTS)).collect::<String>();
        let inner = serde_json::json!({ "note": part(&mut dice), "n": 5 }).to_string();
        let outer = serde_json::json!({ "message": part(&mut dice), "list": [part(&mut dice), inner], "n": true });
        let text = outer.to_string();
        let (gather, _) = process.run(&mut worker, &[("logs", &with(&ANN, &[("body", &text)]))]);
        let stored: Value = serde_json::from_str(&cell(&gather, "logs", 0, "body").unwrap()).unwrap();
        assert_eq!(revealed(&process, &stored, 0), revealed(&process, &outer, 0));
    }
}

/// With JSON in strings opened, so that spaces and escapes make no difference.
fn revealed(process: &Process, value: &Value, depth: usize) -> Value {
    match value {
        Value::String(text) => {
            let inner = serde_json::from_str(text).ok().filter(|v: &Value| v.is_object() && depth < 8);
            inner.map_or_else(|| process.reveal(text).into(), |inner| revealed(process, &inner, depth + 1))
        }
        Value::Array(all) => all.iter().map(|value| revealed(process, value, depth)).collect(),
        Value::Object(all) => {
            let pairs = all.iter().map(|(k, v)| (process.reveal(k), revealed(process, v, depth)));
            Value::Object(pairs.collect())
        }
        other => other.clone(),
    }
}

/// What is stored must open for as long as there is a root key: neither the token nor the wrapped key may change its form. Both
/// were made by other means, from the description: HKDF, HMAC and ChaCha20-Poly1305 written down in Python.
#[test]
fn tokens_of_today_open_for_ever() {
    const WRAPPED: &str = "w1_ZGVmZ2hpamtsbW5v4OUli5a4MNHy89Jx0t+v9Y3BVMfg4HhCCgEfa9BAbJtJvfeXP8E3E0OnWDO1esuZ";
    const ID: &str = "abcdefghijklmnopqrstuvwxyz";
    const TOKEN: &str =
        "[EMAIL:abcdefghijklmnopqrstuvwxyz:aQ3ctCrbz9mhikuTY7LszRrcoOI8R-2Xuea_ZqCWjEu0k2Bb7tk89homJilqJXjiHBB4_Q]";
    let cx = context();
    let envelopes = Envelopes::new(Arc::clone(&cx.keys), TABLE);
    let key = envelopes.open("acme", "u1_ann", ID, WRAPPED).unwrap();
    let proofs = Proofs::new(&cx.keys).unwrap();
    assert_eq!(proofs.token(&key, "u1_ann", "EMAIL", "bob@example.com").unwrap(), TOKEN);
    assert_eq!(proofs.length_at(TOKEN.as_bytes(), 0), Some(TOKEN.len()));
    let [(_, token)] = Token::all(TOKEN)[..] else { panic!("one token") };
    assert_eq!(token.open(&key, "u1_ann").unwrap(), "bob@example.com");
    assert!(token.open(&key, "u1_bob").is_err(), "another's");
    let moved = TOKEN.replace("EMAIL", "PHONE");
    assert!(Token::all(&moved)[0].1.open(&key, "u1_ann").is_err(), "another kind's");
}
