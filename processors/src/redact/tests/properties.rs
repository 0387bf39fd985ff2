//! What holds for any text.

use std::time::{Duration, Instant};

use super::super::steps::taken;
use super::{Dice, Redact, check, redactor};

/// Parts that detectors react to, to be thrown together.
pub(super) const PARTS: &[&str] = &[
    "bob@example.com",
    "4111 1111 1111 1111",
    "4111111111111111",
    "+1 415 555 2671",
    "415-555-2671",
    "203.0.113.7",
    "2001:db8::1",
    "DE89370400440532013000",
    "sk-proj-abcDEF0123456789abcdef",
    "AKIAIOSFODNN7EXAMPLE",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdef12",
    "password",
    "=",
    ":",
    "\"",
    "'",
    "{",
    "}",
    "[",
    "]",
    ",",
    " ",
    "\n",
    "\\",
    "\\\"",
    "%40",
    "%",
    "\\u0040",
    "@",
    "://",
    "user:pass@",
    "Bearer ",
    "Basic dXNlcjpwYXNz",
    "cookie: ",
    "token",
    "api_key",
    "?",
    "&",
    "[EMAIL]",
    "[SECRET]",
    "[",
    "1",
    "12",
    "0",
    ".",
    "-",
    "+",
    "x",
    "abc",
    "é",
    "\u{a0}",
    "-----BEGIN PRIVATE KEY-----",
    "-----END",
    "{\"a\":\"",
    "\"}",
    "536-22-8123",
    "null",
    "tel. 04102 3344",
    "112-233-445 95",
    "AB 12 34 56 C",
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "[EMAIL:",
    "[CARD:1111]",
    "[IP:203.0.113.0/24]",
    "the api key is 4f9c0b1a2d3e4f5a6b7c",
    "call ",
    "office",
    "email",
    "phone ",
    "EMP-123456",
];

const CONFIG: &str = r#"{"patterns":[{"name":"employee","pattern":"EMP-[0-9]+","action":"last_four"},{"name":"x","pattern":"x+","action":"drop"},{"name":"cap","pattern":"[A-Z]{4,}"}]}"#;

const ACTIONS: &str = r#"{"actions":{"email":"pseudonym","ip":"truncate","card":"last_four","phone":"truncate","iban":"truncate","secret":"last_four","key":"pseudonym","name":"pseudonym","id":"drop","jwt":"last_four","ssn":"pseudonym"},"patterns":[{"name":"token","pattern":"EMP-[0-9]+","action":"pseudonym"},{"name":"abc","pattern":"abc|12","validator":"entropy"},{"name":"one","pattern":"1","context":["null"],"within":4}]}"#;

#[test]
fn a_second_time_changes_nothing() {
    let mut dice = Dice::new(11);
    for config in ["{}", CONFIG, ACTIONS] {
        let mut redact = redactor(config);
        for _ in 0..15_000 {
            let text: String = (0..1 + dice.below(14)).map(|_| dice.pick(PARTS)).collect();
            if let Some(once) = redact.cleaner.clean(&text) {
                assert_eq!(redact.cleaner.clean(&once), None, "from {text:?} came {once:?}");
            }
            redact.cleaner.drain();
        }
    }
}

#[test]
fn a_cut_text_stays_as_it_is() {
    let mut dice = Dice::new(12);
    let mut redact = redactor("{}");
    for _ in 0..8_000 {
        let text: String = (0..1 + dice.below(20)).map(|_| dice.pick(PARTS)).collect();
        let most = dice.below(80) as usize;
        if let Some(once) = redact.cleaner.clean_and_cut(&text, most) {
            assert!(once.len() <= most, "{text:?} to {once:?}");
            assert_eq!(redact.cleaner.clean_and_cut(&once, most), None, "from {text:?} came {once:?}");
        }
        redact.cleaner.drain();
    }
}

#[test]
fn redacted_before_it_is_cut() {
    let mut redact = redactor("{}");
    assert_eq!(redact.cleaner.clean_and_cut("to bob@example.com", 10).as_deref(), Some("to [EMAIL]"));
    assert_eq!(redact.cleaner.clean_and_cut("to bob@example.com", 6).as_deref(), Some("to "));
    assert_eq!(redact.cleaner.clean_and_cut("ééé", 3).as_deref(), Some("é"));
}

/// Texts that send detectors back and forth when they are repeated.
const HOSTILE: &[&str] = &[
    "a@",
    "@",
    "1 ",
    "1-",
    "4111 ",
    "0",
    "+1",
    ":",
    "::",
    "a:",
    "password:",
    "password=",
    "password=\"",
    "token:",
    "cookie:",
    "cookie=\"",
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN ",
    "eyJ",
    "eyJhbGci.",
    "sk-",
    "://",
    "://a@",
    "%40",
    "%25",
    "\\",
    "\\\\\"",
    "DE89 ",
    "[",
    "{\"a\":",
    "\"",
    "{\"a\":\"",
    "[EMAIL]",
    "AIza",
    "Basic ",
    "abcdefgh/",
    "ZZZZ",
    "1.",
    "1.1.1.",
    "tel ",
    "415-555-",
    "?key=",
    "\u{a0}",
    "xoxe-",
    "\u{1b}[1m",
    "é",
    "é@",
    "Bearer a",
    "password: \\\"",
    "https://a",
    "A",
    "(0)",
    "{\"name\":\"",
    "secret=[SECRET]",
    "key=a,",
    "a=\\\"",
    "phone:",
    "email: ",
    "eyJx-",
    "eyJa.b ",
    "eyJa.b-",
    "sk-a-",
    "bearer+",
    "password:a.",
    "cookie:.",
    ":AA",
    "{\"input.value\":1,\"a\":\"b@c.de\"}\n",
    "[\"b@c.de\",{\"input.value\":1}],",
    "{\"\\\"\":",
    "+1 (0)",
    "4111 1111 1111 1111",
    "DE89370400440532013000 ",
];

/// Steps that a text takes which repeats some parts up to a length.
fn steps_for(redact: &mut Redact, parts: &[&str], bytes: usize) -> u64 {
    let whole = parts.concat();
    let text = whole.repeat(bytes / whole.len() + 1);
    taken();
    redact.cleaner.clean(&text);
    redact.cleaner.drain();
    taken()
}

/// Four times the text takes about four times the steps, for texts that send detectors back and forth, each alone and
/// thrown together.
#[test]
fn steps_are_linear_in_hostile_text() {
    let mut redact = redactor("{}");
    let mut dice = Dice::new(13);
    let mixed = (0..150).map(|_| (0..2 + dice.below(3)).map(|_| dice.pick(HOSTILE)).collect());
    for parts in HOSTILE.iter().map(|part| vec![*part]).chain(mixed.collect::<Vec<Vec<&str>>>()) {
        let (small, large) = (steps_for(&mut redact, &parts, 20_000), steps_for(&mut redact, &parts, 80_000));
        // Quadratic would be sixteenfold.
        assert!(large < small * 6 + 20_000, "{parts:?}: {small}, then {large}");
        assert!(large < 80_000 * 400, "{parts:?}: {large} steps for 80 kB");
    }
}

/// What no step counts, the clock does, with room for a busy machine.
#[test]
fn time_is_bounded_for_hostile_text() {
    let mut redact = redactor("{}");
    for part in HOSTILE {
        let text = part.repeat(80_000 / part.len());
        let start = cpu_time();
        redact.cleaner.clean(&text);
        redact.cleaner.drain();
        let took = cpu_time() - start;
        assert!(took < Duration::from_secs(2), "{part:?}: {took:?}");
    }
}

/// Time this thread has had a processor; neighbours on a busy machine do not count.
fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|n| n.parse().ok());
    nanoseconds.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);

#[test]
fn patterns_of_the_configuration() {
    let mut redact = redactor(CONFIG);
    let cases = [("by EMP-123456.", "by [EMPLOYEE:3456]."), ("axxb", "ab"), ("NASA", "[CAP]"), ("EMP-1", "[EMPLOYEE]")];
    for (text, expected) in cases {
        assert_eq!(redact.cleaner.clean(text).as_deref(), Some(expected));
    }
}

#[test]
fn refused_configurations() {
    use component::Component;
    let cases = [
        (r#"{"patterns":[{"name":"e mail","pattern":"x"}]}"#, "patterns.0.name"),
        (r#"{"patterns":[{"name":"email","pattern":"x"}]}"#, "patterns.0.name"),
        (r#"{"patterns":[{"name":"a","pattern":"("}]}"#, "patterns.0.pattern"),
        (r#"{"patterns":[{"name":"a","pattern":"x*"}]}"#, "patterns.0.pattern"),
        (r#"{"skip":["ips"]}"#, "skip.0"),
    ];
    for (config, path) in cases {
        let refused = super::Redact::new(serde_json::from_str(config).unwrap(), &crate::fixture::context()).err();
        assert_eq!(refused.map(|e| e.path.join(".")).as_deref(), Some(path), "{config}");
    }
}

#[test]
fn overlaps_leave_no_half_secret() {
    check(&[
        ("+14155552671@example.com", "[EMAIL]"),
        ("password=bob@example.com", "password=[SECRET]"),
        ("key sk-abcDEF0123456789abcdef@x.com", "key [EMAIL]"),
    ]);
}

#[test]
fn skipped_kinds_stay() {
    let mut redact = redactor(r#"{"skip":["ip","secret"]}"#);
    assert_eq!(
        redact.cleaner.clean("203.0.113.7 password=x bob@example.com").as_deref(),
        Some("203.0.113.7 password=x [EMAIL]")
    );
}
