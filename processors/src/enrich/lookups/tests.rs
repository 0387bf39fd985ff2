//! Files as text, rows before and after.

use std::path::Path;
use std::sync::Mutex;

use component::{Component, Files, Gather, KeyIds, Keyring, Processor, References, Rotation, Take};

use super::*;
use crate::enrich::Enrich;
use crate::fixture::{Row, cell, context, gather};
use crate::hash::Hash;

/// Files by name: a first line of columns, then lines of cells, with bars between them.
#[derive(Default)]
struct Shelf(Mutex<BTreeMap<String, (u128, String)>>);

impl Shelf {
    fn put(&self, name: &str, text: &str) {
        let mut files = self.0.lock().unwrap();
        let version = files.get(name).map_or(0, |(version, _)| version + 1);
        files.insert(name.to_owned(), (version, text.to_owned()));
    }

    fn text(&self, path: &Path) -> Option<(u128, String)> {
        self.0.lock().unwrap().get(path.to_str()?).cloned()
    }
}

impl Files for Shelf {
    fn rows(&self, path: &Path, columns: &[&str], _: u64, take: &mut Take<'_>) -> Result<(), String> {
        let (_, text) = self.text(path).ok_or("no such file")?;
        let mut lines = text.lines().map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
        let head = lines.next().unwrap_or_default();
        let place = |name: &&str| head.iter().position(|cell| cell == name).ok_or(format!("no column {name}"));
        let places: Vec<usize> = columns.iter().map(place).collect::<Result<_, _>>()?;
        for (number, line) in lines.enumerate() {
            let cells: Vec<Option<&str>> =
                places.iter().map(|place| line.get(*place).copied().filter(|c| !c.is_empty())).collect();
            take(&cells).map_err(|why| format!("line {}: {why}", number + 2))?;
        }
        Ok(())
    }

    fn bytes(&self, path: &Path, _: u64) -> Result<Vec<u8>, String> {
        Ok(self.text(path).ok_or("no such file")?.1.into_bytes())
    }

    fn stamp(&self, path: &Path) -> Option<u128> {
        Some(self.text(path)?.0)
    }
}

const PLANS: &str = "user_id | plan | role | parents
                     ann     | pro  | student | mum; dad; mum
                     bob     | free |         |
                     carl    | pro  | teacher | [\"mum\", 7]";

const PLAN: &str = r#"{"name": "plans", "file": "plans.csv", "key": "user_id",
    "columns": {"plan": "user_plan", "role": "user_role", "parents": "parent_refs"}}"#;

fn with(files: &[(&str, &str)]) -> (Arc<Shelf>, Context) {
    let shelf = Arc::new(Shelf::default());
    files.iter().for_each(|(name, text)| shelf.put(name, text));
    let cx = Context { references: References::new(Arc::clone(&shelf) as Arc<dyn Files>), ..context() };
    (shelf, cx)
}

fn enrich(lookups: &str, cx: &Context) -> Result<Enrich, ConfigError> {
    Enrich::new(serde_json::from_str(&format!(r#"{{"lookups": [{lookups}]}}"#)).unwrap(), cx)
}

/// The columns of each row, `-` for NULL.
fn shown(gather: &Gather, table: &str, columns: &[&str]) -> Vec<String> {
    let row = |row| {
        let cells: Vec<String> =
            columns.iter().map(|column| cell(gather, table, row, column).unwrap_or_else(|| "-".to_owned())).collect();
        cells.join(" ")
    };
    (0..gather.table(table).unwrap().len()).map(row).collect()
}

fn check(files: &[(&str, &str)], lookups: &str, rows: &[Row], columns: &[&str], expected: &[&str]) {
    let (_, cx) = with(files);
    let mut gather = gather(rows);
    enrich(lookups, &cx).unwrap().process(&mut gather).unwrap();
    assert_eq!(shown(&gather, rows[0].0, columns), expected, "{lookups}");
}

#[test]
fn rows_are_found_by_what_they_say_of_their_user() {
    let rows: &[Row] = &[
        ("requests", &[("user_id", "ann"), ("trace_id", "a1")]),
        ("requests", &[("user_id", " bob ")]),
        ("requests", &[("user_id", "dora")]),
        ("requests", &[("user_id", "ann"), ("tenant", "other")]),
        ("requests", &[("trace_id", "a1")]),
        ("requests", &[]),
        ("requests", &[("user_id", "ann")]),
    ];
    let expected = [
        "pro student attribute",
        "free - attribute",
        "- - attribute",
        "- - attribute",
        "- - trace",
        "- - -",
        "pro student attribute",
    ];
    check(&[("plans.csv", PLANS)], PLAN, rows, &["user_plan", "user_role", "user_source"], &expected);
}

#[test]
fn parents_become_pseudonyms_as_the_seal_makes_them() {
    let (_, cx) = with(&[("plans.csv", PLANS)]);
    let rows: &[Row] = &[
        ("spans", &[("user_id", "ann")]),
        ("spans", &[("user_id", "mum")]),
        ("spans", &[("user_id", "dad")]),
        ("spans", &[("user_id", "carl")]),
    ];
    let mut gather = gather(rows);
    enrich(PLAN, &cx).unwrap().process(&mut gather).unwrap();
    Hash::new(hash::Config::default(), &cx).unwrap().process(&mut gather).unwrap();
    let (mum, dad) = (cell(&gather, "spans", 1, "user_ref").unwrap(), cell(&gather, "spans", 2, "user_ref").unwrap());
    let mut both = [mum.clone(), dad];
    both.sort();
    assert_eq!(cell(&gather, "spans", 0, "parent_refs"), Some(serde_json::to_string(&both).unwrap()));
    assert!(cell(&gather, "spans", 3, "parent_refs").unwrap().contains(&mum));
}

#[test]
fn marks_tell_who_is_listed_and_who_is_not() {
    let banned = "address\n203.0.113.9\n2001:DB8::9";
    let lookup =
        r#"{"name": "banned", "file": "b", "key": "client_ip", "file_key": "address", "mark": "is_banned_client"}"#;
    let rows: &[Row] = &[
        ("requests", &[("client_address", "203.0.113.9:4711")]),
        ("requests", &[("client_address", "[2001:db8::9]:1")]),
        ("requests", &[("client_address", "203.0.113.8")]),
        ("requests", &[]),
    ];
    check(&[("b", banned)], lookup, rows, &["is_banned_client"], &["true", "true", "false", "-"]);
}

#[test]
fn pseudonyms_from_before_a_rotation_are_found() {
    let (_, cx) =
        with(&[("l", "user_ref | p\nu1_7digjsqbfa5y5nu43k7mkrh5jm | basic"), ("b", "user_id | p\nann | gold")]);
    let lookup = |file: &str, key: &str, live: &[u32]| {
        let ids = KeyIds::new(2, live.iter().copied());
        let keys = Keyring::rotated(&[7; 32], Rotation::new(ids, BTreeMap::new())).unwrap();
        let cx = Context { keys: Arc::new(keys), references: cx.references.clone(), ..context() };
        let config =
            format!(r#"{{"name": "l{live:?}", "file": "{file}", "key": "{key}", "columns": {{"p": "user_plan"}}}}"#);
        let mut gather = gather(&[("spans", &[("user_id", "ann")]), ("spans", &[("user_id", "bob")])]);
        enrich(&config, &cx).unwrap().process(&mut gather).unwrap();
        shown(&gather, "spans", &["user_plan"])
    };
    assert_eq!(lookup("l", "user_ref", &[1, 2]), ["basic", "-"]);
    assert_eq!(lookup("l", "user_ref", &[2]), ["-", "-"], "an id that is not live any more");
    assert_eq!(lookup("b", "user_id", &[1, 2]), ["gold", "-"]);
}

#[test]
fn files_may_hold_pseudonyms_and_say_whose_lines_they_are() {
    let lookup =
        r#"{"name": "l", "file": "l", "key": "email_ref", "tenant_column": "t", "columns": {"p": "user_plan"}}"#;
    let lines = "email_ref | t | p\ne1_i3vuw4nawxjukwxj2sgwee7cvm | default | pro\ne1_i3vuw4nawxjukwxj2sgwee7cvm | other | free";
    let rows: &[Row] = &[
        ("requests", &[("user_email", " ANN@example.com")]),
        ("requests", &[("user_email", "bob@example.com")]),
        ("requests", &[("user_email", "Ann@example.com"), ("tenant", "other")]),
    ];
    // Another tenant's key makes another pseudonym of the same address.
    check(&[("l", lines)], lookup, rows, &["user_plan"], &["pro", "-", "-"]);
}

#[test]
fn telephones_dial_as_the_seal_has_them_dial() {
    let lookup = r#"{"name": "l", "file": "l", "key": "user_phone", "columns": {"p": "user_plan"}}"#;
    let (_, cx) = with(&[("l", "user_phone | p\n8 701 123 45 67 | pro")]);
    let section = serde_json::json!({"default_region": "KZ"});
    let cx = Context { sections: [("hash", section)].into(), ..cx };
    let mut gather = gather(&[("requests", &[("user_phone", "+7 701 123 45 67")])]);
    enrich(lookup, &cx).unwrap().process(&mut gather).unwrap();
    assert_eq!(shown(&gather, "requests", &["user_plan"]), ["pro"]);
}

#[test]
fn tables_are_all_that_have_the_column_or_those_that_are_named_and_never_audits() {
    let (_, cx) = with(&[("plans.csv", PLANS)]);
    let rows: &[Row] =
        &[("requests", &[("user_id", "ann")]), ("spans", &[("user_id", "ann")]), ("audit_log", &[("user_id", "ann")])];
    let run = |lookup: &str, cx: &Context| {
        let mut gather = gather(rows);
        enrich(lookup, cx).unwrap().process(&mut gather).unwrap();
        ["requests", "spans", "audit_log"].map(|table| cell(&gather, table, 0, "user_plan").is_some())
    };
    assert_eq!(run(PLAN, &cx), [true, true, false]);
    let some = PLAN.replace(r#""key""#, r#""tables": ["spans"], "key""#);
    assert_eq!(run(&some, &cx), [false, true, false]);
    assert!(cx.counts.snapshot().contains(&("lookup_hits", "plans".to_owned(), 3)), "{:?}", cx.counts.snapshot());
}

#[test]
fn a_changed_file_counts_from_the_next_gather_and_a_bad_one_does_not() {
    let (shelf, cx) = with(&[("plans.csv", PLANS)]);
    let mut step = enrich(PLAN, &cx).unwrap();
    let mut plan = || {
        let mut gather = gather(&[("requests", &[("user_id", "ann")])]);
        step.process(&mut gather).unwrap();
        cell(&gather, "requests", 0, "user_plan")
    };
    assert_eq!(plan().as_deref(), Some("pro"));
    shelf.put("plans.csv", &PLANS.replace("pro ", "gold"));
    cx.references.refresh();
    assert_eq!(plan().as_deref(), Some("pro"));
    assert_eq!(cx.references.refresh()[0].outcome, Ok(3));
    assert_eq!(plan().as_deref(), Some("gold"));
    shelf.put("plans.csv", "user_id | plan");
    cx.references.refresh();
    let why = cx.references.refresh()[0].outcome.clone().unwrap_err();
    assert_eq!((why.as_str(), plan().as_deref()), ("no column parents", Some("gold")));
}

/// What stands in a file that is refused, and what is said of it.
#[test]
fn bad_files_are_refused_whole_and_nothing_of_them_is_told() {
    let lookup = r#"{"name": "l", "file": "l", "key": "KEY", "columns": {"v": "user_plan", "p": "parent_refs"}, "max_bytes": 2000}"#;
    let long = format!("user_id | v | p\nsecret-ann | {} |", "x".repeat(129));
    let many: String = (0..40).map(|n| format!("\nsecret-{n} | p |")).collect();
    let many = format!("user_id | v | p{many}");
    for (key, file, expected) in [
        (
            "user_id",
            "user_id | v | p\nsecret-ann | a |\n secret-ann | b |",
            "line 3: its key stands above with other values",
        ),
        ("user_id", "user_id | v | p\n | secret |", "line 2: it has no key"),
        ("user_ref", "user_ref | v | p\nsecret-ann | a |", "line 2: its key is no pseudonym"),
        ("user_id", long.as_str(), "line 2: what column user_plan is to hold is longer than 128 bytes"),
        (
            "user_id",
            "user_id | v | p\nsecret-ann | a | [secret",
            "line 2: what column parent_refs is to hold is no JSON",
        ),
        ("user_id", many.as_str(), "bytes of its `max_bytes`"),
        ("user_id", "secret-ann | a | b", "no column user_id"),
    ] {
        let (_, cx) = with(&[("l", file)]);
        let Err(error) = enrich(&lookup.replace("KEY", key), &cx) else { panic!("{file} passed") };
        assert!(error.what.contains(expected), "{file}: {}", error.what);
        assert!(!error.what.contains("secret"), "{}", error.what);
        assert_eq!(error.path.join("."), "lookups.0.file");
    }
}

#[test]
fn doubtful_settings_are_refused() {
    let twice = format!("{PLAN}, {}", PLAN.replace(r#""plans""#, r#""again""#));
    for (lookups, path, expected) in [
        (r#"{"name": "", "file": "l", "key": "user_id", "mark": "is_banned_device"}"#, "name", "a name of its own"),
        (
            r#"{"name": "l", "file": "l", "key": "user_plan", "mark": "is_banned_device"}"#,
            "key",
            "device_id, device_ref",
        ),
        (r#"{"name": "l", "file": "l", "key": "user_id"}"#, "", "fills nothing"),
        (r#"{"name": "l", "file": "l", "key": "user_id", "mark": "user_plan"}"#, "mark", "a mark is bool"),
        (
            r#"{"name": "l", "file": "l", "key": "user_id", "columns": {"p": "route"}}"#,
            "columns.p",
            "user_cohort, user_plan",
        ),
        (r#"{"name": "l", "file": "l", "key": "user_id", "columns": {"p": "user_ref"}}"#, "columns.p", "by: lookup"),
        (
            r#"{"name": "l", "file": "l", "key": "user_id", "columns": {"p": "user_plan"}, "tables": ["audit_log"]}"#,
            "tables.0",
            "not a table",
        ),
        (r#"{"name": "l", "file": "none", "key": "user_id", "columns": {"p": "user_plan"}}"#, "file", "no such file"),
    ] {
        let (_, cx) = with(&[("plans.csv", PLANS)]);
        let Err(error) = enrich(lookups, &cx) else { panic!("{lookups} passed") };
        let whole = ["lookups.0", path].join(".");
        assert_eq!(error.path.join("."), whole.trim_end_matches('.'), "{lookups}");
        assert!(error.what.contains(expected), "{lookups}: {}", error.what);
    }
    let (_, cx) = with(&[("plans.csv", PLANS)]);
    let Err(error) = enrich(&twice, &cx) else { panic!("a column was filled twice") };
    assert!(error.path.join(".") == "lookups.1.columns" && error.what.contains("is filled twice"), "{error}");
}

#[test]
fn the_seal_finds_what_was_hashed_for_a_lookup() {
    let (_, cx) = with(&[("plans.csv", PLANS)]);
    let step = enrich(PLAN, &cx).unwrap();
    Hash::new(hash::Config::default(), &cx).unwrap();
    assert!(
        Arc::ptr_eq(step.lookups.pseudonyms.as_ref().unwrap(), &cx.shared.get().unwrap()),
        "one memory of a worker"
    );
}
