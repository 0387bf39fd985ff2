use std::collections::BTreeSet;
use std::path::Path;

use queries::DOCTOR;
use schemas::Catalog;

use super::finding::{Finding, Seen, Severity};
use super::rules::{self, Rule};
use super::snippets::{self, quoted};
use super::*;

fn here(below: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(below)
}

#[test]
fn every_snippet_is_listed_once_and_says_something() {
    let entries = std::fs::read_dir(here("src/doctor/snippets")).unwrap();
    let files: BTreeSet<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    let listed: BTreeSet<String> = snippets::ALL.iter().map(|s| s.file.to_owned()).collect();
    assert_eq!(files, listed);
    let stems: BTreeSet<&str> = snippets::ALL.iter().map(|s| s.file.split('.').next().unwrap()).collect();
    assert_eq!(stems.len(), listed.len(), "a snippet is found by its name without the ending");
    assert!(snippets::ALL.iter().all(|s| !s.text.trim().is_empty()));
}

/// `name==version`, wherever it stands.
fn pins(text: &str) -> Vec<(String, String)> {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, '\'' | '"' | ',' | ')' | ';'));
    words
        .filter_map(|word| word.split_once("=="))
        .map(|(name, version)| (name.to_owned(), version.to_owned()))
        .collect()
}

#[test]
fn snippets_pin_what_the_tests_run_with() {
    let tested = std::fs::read_to_string(here("../tests/python/requirements.in")).unwrap();
    let tested: Vec<_> = tested.lines().filter(|line| !line.starts_with('#')).flat_map(pins).collect();
    let mut compared = 0;
    for snippet in snippets::ALL {
        for (name, version) in pins(snippet.text) {
            if let Some((_, pinned)) = tested.iter().find(|(known, _)| *known == name) {
                assert_eq!(version, *pinned, "{name} in {}", snippet.file);
                compared += 1;
            }
        }
        let installs = snippet.text.lines().filter(|line| line.contains("pip install"));
        for line in installs {
            let loose: Vec<&str> =
                line.split(' ').filter(|w| w.starts_with("opentelemetry-") && !w.contains("==")).collect();
            assert!(loose.is_empty(), "{} does not pin {loose:?}", snippet.file);
        }
    }
    assert!(compared >= 10, "only {compared} pins were compared");
}

#[test]
fn every_rule_asks_and_every_question_is_asked() {
    let asked: BTreeSet<&str> = rules::ALL.iter().flat_map(|rule: &Rule| rule.asks).copied().collect();
    let questions: BTreeSet<&str> = DOCTOR.iter().map(|question| question.name).collect();
    assert_eq!(asked, questions);
    let names: BTreeSet<&str> = rules::ALL.iter().map(|rule| rule.name).collect();
    assert_eq!(names.len(), rules::ALL.len(), "two rules have one name");
    for rule in rules::ALL {
        assert!(rule.why.ends_with('.') && !rule.right.ends_with('.'), "{}", rule.name);
    }
}

/// What a sender may call things.
const HOSTILE: &[&str] =
    &["plain", "a: b", "x\"y", "back\\slash", "[list", "- item", "line\nbreak", "{{name}}", "*", "#"];

fn accepted(yaml: &str) {
    let inputs = Inputs { configs: vec![format!("yaml:{yaml}")], ..Inputs::default() };
    let loaded = Config::load(&inputs, &Distribution::default());
    assert!(loaded.is_ok(), "{}\n{yaml}", loaded.unwrap_err());
}

#[test]
fn configurations_that_mend_are_valid_whatever_a_sender_calls_things() {
    let filters: Vec<_> =
        HOSTILE.iter().map(|route| vec![("name", "polling".to_owned()), ("route", quoted(route))]).collect();
    accepted(&snippets::list("filter", "", &[], &filters).snippet);
    let units = [
        "input_mtok: 1.00, output_mtok: 2.00",
        "input_mchars: 1.00",
        "audio_hours: 1.00",
        "image: 0.01",
        "requests_kcount: 1.00",
    ];
    let prices: Vec<_> = HOSTILE
        .iter()
        .zip(units.iter().cycle())
        .map(|(name, unit)| {
            vec![("provider", quoted(name)), ("model", quoted(name)), ("prices", format!("{{ {unit} }}"))]
        })
        .collect();
    let price = snippets::list("price", "", &[], &prices).snippet;
    assert_eq!(price.matches("- provider:").count(), HOSTILE.len());
    accepted(&price);
}

#[test]
fn overlays_that_mend_are_loaded_whatever_a_sender_calls_things() {
    for table in Catalog::built_in().unwrap().tables() {
        for name in HOSTILE {
            let folder = tempfile::tempdir().unwrap();
            let key = quoted(name);
            let items = [1, 2].map(|n| vec![("column", format!("dropped_{n}")), ("key", key.clone())]);
            let drop = snippets::list("drop-overlay", "", &[("table", table.name.as_str())], &items);
            let event = [("table", table.name.as_str()), ("event", &*key)];
            let event = snippets::filled("event-overlay", "yaml", "", &event);
            for yaml in [drop.snippet, event.snippet] {
                std::fs::write(folder.path().join("overlay.yaml"), &yaml).unwrap();
                let loaded = Catalog::load(Some(folder.path()));
                assert!(loaded.is_ok(), "{}\n{yaml}", crate::with_sources(&loaded.unwrap_err()));
            }
        }
    }
}

#[test]
fn text_groups_by_how_much_it_matters_and_obeys_no_sender() {
    let seen = vec![Seen::new("shop\u{1b}[31m", 3).out_of(4).with("route", "/poll")];
    let mend = snippets::filled("private", "sh", "do it", &[("mode", "600"), ("path", "k")]);
    let findings = [
        Finding::ok("fine", "all is well"),
        Finding::hint("smell", "it could be better").mended(mend.clone()),
        Finding::problem("fault", "3 of\nthem").because("It matters.").of(seen).mended(mend),
    ];
    let expected = "Problems\n\n  fault: 3 of\\nthem\n      It matters.\n      - shop\\u{1b}[31m: 3 of 4 (route /poll)\n      \
                    To mend it (sh), do it:\n\n          chmod 600 k\n\nHints\n\n  smell: it could be better\n      To mend it (sh): the lines under fault above\n\nRight\n\n  \
                    fine                     all is well\n\n1 problem, 1 hint\n";
    assert_eq!(report::text(&findings), expected);
    let json: serde_json::Value = serde_json::from_str(&report::json(&findings).unwrap()).unwrap();
    let service = serde_json::json!({ "service": "shop\u{1b}[31m", "count": 3, "of": 4, "route": "/poll" });
    assert_eq!(json[2]["services"], serde_json::json!([service]));
    assert_eq!(json[2]["mend"], serde_json::json!({ "about": "do it", "language": "sh", "snippet": "chmod 600 k" }));
    assert_eq!((&json[0]["severity"], &json[0]["mend"]), (&"ok".into(), &serde_json::Value::Null));
}

#[test]
fn a_while_is_spelt_in_its_largest_unit() {
    let cases = [(86_400, "day"), (604_800, "7 days"), (90_000, "25 hours"), (60, "minute"), (61, "61 seconds")];
    for (seconds, expected) in cases {
        assert_eq!(spelt(Duration::from_secs(seconds)), expected);
    }
    assert!(Severity::Problem < Severity::Hint, "the worst comes first");
}
