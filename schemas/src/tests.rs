//! What the shipped tables must hold, and what a load must refuse.

mod fields;
mod routing;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::{Catalog, Class, Column, Leaf, Source, Table, Type, reference};

fn built_in() -> Catalog {
    Catalog::built_in().unwrap()
}

/// A folder of overlay files, gone when dropped.
struct Overlay(PathBuf);

impl Overlay {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let folder = std::env::temp_dir().join(format!("marquetry-schemas-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for (file, yaml) in files {
            std::fs::write(folder.join(file), yaml).unwrap();
        }
        Self(folder)
    }

    fn load(&self) -> Result<Catalog, String> {
        Catalog::load(Some(&self.0)).map_err(|e| e.to_string())
    }
}

impl Drop for Overlay {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

/// Every attribute key of a table and the columns that take it.
fn keys(table: &Table) -> BTreeMap<&str, Vec<&Column>> {
    let mut keys: BTreeMap<&str, Vec<&Column>> = BTreeMap::new();
    for column in &table.columns {
        for source in &column.from {
            if let Source::Attribute { key, .. } = source {
                keys.entry(key).or_default().push(column);
            }
        }
    }
    keys
}

#[test]
fn tables_come_in_routing_order() {
    let tables: Vec<_> = built_in().tables().iter().map(|t| (t.name.clone(), t.order)).collect();
    let expected = [
        ("audit_log", 10),
        ("auth_events", 20),
        ("key_events", 25),
        ("rate_limits", 28),
        ("errors", 30),
        ("provider_calls", 40),
        ("requests", 50),
        ("activity_events", 60),
        ("spans", 900),
        ("logs", 910),
        ("access_log", 920),
    ];
    assert_eq!(tables, expected.map(|(name, order)| (name.to_owned(), order)));
}

#[test]
fn one_key_fills_one_column() {
    for table in built_in().tables() {
        for (key, columns) in keys(table) {
            let names: Vec<_> = columns.iter().map(|c| &c.name).collect();
            assert_eq!(names.len(), 1, "{}: {key} fills {names:?}", table.name);
        }
    }
}

#[test]
fn what_names_a_person_or_opens_a_door_is_taken_out_of_every_table() {
    let dangerous = [
        "user.id",
        "enduser.id",
        "session.id",
        "session.previous_id",
        "device.id",
        "app.installation.id",
        "user.email",
        "email",
        "user.phone",
        "phone",
        "user.name",
        "username",
        "user.full_name",
        "full_name",
        "client.address",
        "http.client_ip",
        "net.sock.peer.addr",
        "http.request.header.x-forwarded-for",
        "http.request.header.x-real-ip",
        "http.request.header.authorization",
        "http.request.header.cookie",
        "http.response.header.set-cookie",
        "http.request.header.x-api-key",
        "http.request.header.xi-api-key",
        "http.request.header.x-goog-api-key",
        "app.api_key",
        "api_key",
        "password",
        "token",
        "access_token",
        "refresh_token",
        "gen_ai.headers",
        "llm.headers",
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.system_instructions",
        "gen_ai.tool.call.arguments",
        "gen_ai.tool.call.result",
        "gen_ai.retrieval.query.text",
        "llm.input_messages",
        "input.value",
        "output.value",
        "traceloop.entity.input",
        "traceloop.entity.output",
        "ai.prompt",
        "ai.prompt.messages",
        "ai.response.text",
        "http.request.body.content",
    ];
    // A table that takes no record has nothing to take out.
    for table in built_in().tables().iter().filter(|t| !t.clauses.is_empty()) {
        let keys = keys(table);
        for key in dangerous {
            let column = keys.get(key).unwrap_or_else(|| panic!("{}: {key} stays in the attributes", table.name))[0];
            assert!(column.transient, "{}: {key} is stored in {}", table.name, column.name);
        }
        // What a server answered stays only as a short, scanned piece of an error.
        let body = keys["http.response.body.content"][0];
        assert!(body.transient || (table.name == "errors" && body.class == Class::FreeText), "{}", table.name);
    }
}

#[test]
fn pseudonyms_are_of_known_domains_and_stored() {
    let domains = ["user", "session", "device", "email", "phone", "ip", "apikey"];
    for table in built_in().tables() {
        for column in &table.columns {
            let domain = column.domain.as_deref();
            assert_eq!(column.from_hash.is_some(), column.name.ends_with("_ref"), "{}.{}", table.name, column.name);
            assert_eq!(column.from_hash.is_some(), domain.is_some_and(|d| domains.contains(&d)), "{}", column.name);
            assert!(column.from_hash.is_none() || !column.transient, "{}.{}", table.name, column.name);
        }
    }
}

#[test]
fn every_column_says_where_it_comes_from_and_what_it_is() {
    let processors = ["enrich", "lookup", "cost", "sample", "redact", "journal", "access"];
    for table in built_in().tables() {
        assert!(!table.about.is_empty(), "{}", table.name);
        for column in &table.columns {
            let name = format!("{}.{}", table.name, column.name);
            assert!(column.about.ends_with('.'), "{name} needs a sentence");
            let by = column.by.as_deref();
            assert!(by.is_none_or(|p| processors.contains(&p)), "{name} is filled by {by:?}");
            assert!(!column.from.is_empty() || by.is_some() || column.from_hash.is_some(), "{name} is never filled");
            assert!(column.values.is_empty() || column.r#type == Type::Dict, "{name} has values and is not dict");
            let suffixes = [("_ns", Type::Int), ("_bytes", Type::Int), ("_usd", Type::Money), ("_time", Type::Time)];
            for (suffix, kind) in suffixes {
                assert!(!column.name.ends_with(suffix) || column.r#type == kind, "{name} is {:?}", column.r#type);
            }
        }
    }
}

#[test]
fn a_canonical_value_is_its_own() {
    for table in built_in().tables() {
        for column in &table.columns {
            for canonical in column.values.values() {
                let again = column.values.get(&canonical.to_lowercase()).unwrap_or(canonical);
                assert_eq!(again, canonical, "{}.{}", table.name, column.name);
            }
        }
    }
}

#[test]
fn spellings_become_one_value() {
    let cases = [
        ("auth_events", "action", "login_success", "login"),
        ("auth_events", "action", "LOGIN_FAILED", "login_failed"),
        ("auth_events", "action", "user.login.failure", "login_failed"),
        ("auth_events", "outcome", "auth.login_failed", "failure"),
        ("auth_events", "outcome", "LOGIN", "success"),
        ("audit_log", "action", "audit.user.created", "USER_CREATE"),
        ("audit_log", "action", "USER_CREATED", "USER_CREATE"),
        ("audit_log", "action", "audit.data_export", "DATA_EXPORT"),
        ("provider_calls", "provider", "az.ai.openai", "azure.ai.openai"),
        ("provider_calls", "provider", "gemini", "gcp.gemini"),
        ("provider_calls", "provider", "xai", "x_ai"),
        ("provider_calls", "provider", "api.openai.com", "openai"),
        ("provider_calls", "operation", "conversation", "chat"),
        ("provider_calls", "operation", "tts", "text_to_speech"),
        ("provider_calls", "operation", "ai.generateText", "invoke_agent"),
        ("provider_calls", "operation", "ai.generateText.doGenerate", "chat"),
        ("activity_events", "event_name", "browser.navigation", "page_view"),
        ("activity_events", "event_name", "VIDEO_VIEW", "video_view"),
        ("activity_events", "category", "quest_started", "quest"),
        ("key_events", "event", "app.key.rotated", "rotated"),
        ("rate_limits", "action", "ip_banned", "ban"),
    ];
    let catalog = built_in();
    for (table, column, sent, stored) in cases {
        let values = &catalog.table(table).unwrap().column(column).unwrap().values;
        let found = values.get(&sent.to_lowercase()).map_or(sent, String::as_str);
        assert_eq!(found, stored, "{table}.{column} {sent}");
    }
}

#[test]
fn every_stored_audit_column_is_hashed_or_named_here() {
    let files = ["client_country", "client_asn", "client_as_org"];
    let hints = ["user_source", "session_source", "echo_of", "sample_weight", "time_suspect", "date"];
    let outside = [&files[..], &hints].concat();
    let catalog = built_in();
    let audit = catalog.table("audit_log").unwrap();
    assert!(audit.audit);
    for column in audit.stored_columns() {
        let ours = column.by.as_deref() == Some("journal");
        // What a file of ours says is not what was sent, and stays empty here.
        let looked_up = column.by.as_deref() == Some("lookup");
        let free = ours || looked_up || outside.contains(&column.name.as_str());
        assert_eq!(column.leaf.is_none(), free, "{}", column.name);
        let personal = column.class != Class::Operational && column.class != Class::Safe;
        assert!(!personal || free || column.leaf == Some(Leaf::Personal), "{} must be erasable", column.name);
    }
    assert!(catalog.tables().iter().filter(|t| t.audit).count() == 1);
}

#[test]
fn rows_go_in_time() {
    let expected = [
        ("audit_log", 730, 365),
        ("auth_events", 730, 90),
        ("key_events", 730, 90),
        ("rate_limits", 90, 90),
        ("errors", 90, 90),
        ("provider_calls", 90, 90),
        ("requests", 90, 90),
        ("activity_events", 90, 90),
        ("spans", 30, 30),
        ("logs", 30, 30),
    ];
    let catalog = built_in();
    for (table, keep, anonymise) in expected {
        let retention = catalog.table(table).unwrap().retention;
        assert_eq!((retention.keep_days, retention.anonymise_after_days), (Some(keep), Some(anonymise)), "{table}");
    }
}

#[test]
fn transient_columns_live_in_the_gather_alone() {
    for table in built_in().tables() {
        let gather: BTreeSet<_> = table.gather_schema().fields().iter().map(|f| f.name().clone()).collect();
        let stored: BTreeSet<_> = table.stored_schema().fields().iter().map(|f| f.name().clone()).collect();
        let passing = |c: &&Column| c.transient || c.journal_only;
        let transient: BTreeSet<_> = table.columns.iter().filter(passing).map(|c| c.name.clone()).collect();
        assert_eq!(gather.difference(&stored).cloned().collect::<BTreeSet<_>>(), transient, "{}", table.name);
        assert!(transient.contains("user_id") && transient.contains("content"), "{}", table.name);
    }
}

#[test]
fn the_directory_is_in_the_journal_alone() {
    let catalog = built_in();
    let [directory] = catalog.journal_only() else { panic!("{:?}", catalog.journal_only()) };
    assert_eq!(directory.name, "directory");
    assert!(catalog.table("directory").is_some() && catalog.tables().iter().all(|t| !t.journal_only));
    for column in &directory.columns {
        // What a user is called stands in no column: what looks like it is encrypted, and the processor alone fills it.
        assert_eq!(column.by.as_deref(), Some("directory"), "{}", column.name);
        assert!(column.from.is_empty() && !column.transient && !column.about.is_empty(), "{}", column.name);
    }
    assert!(directory.index("user_email").is_none() && directory.index("attributes").is_none());
}

#[test]
fn the_reference_names_every_column() {
    let catalog = built_in();
    let text = reference(&catalog);
    for table in catalog.tables().iter().chain(catalog.journal_only()) {
        let section = text.split(&format!("\n## {}\n", table.name)).nth(1).unwrap();
        let section = section.split("\n## ").next().unwrap();
        for column in &table.columns {
            assert!(
                section.contains(&format!("\n| {} | {} |", column.name, column.r#type.as_str())),
                "{}",
                column.name
            );
        }
    }
}

#[test]
fn an_overlay_adds_a_column_an_alias_and_a_table() {
    let requests = "table: requests\nretention: { keep: 1y }\nmatch: [{ signal: log, event: [access] }]\ncolumns:\n  - { name: region, type: dict, from: [app.region] }\n  - { name: method, type: dict, from: [verb], values: { fetch: GET } }\n";
    let orders = "table: orders\norder: 15\nmatch: [{ signal: log, event: [order.*] }]\nsort: [time]\ncolumns:\n  - { name: amount_usd, type: money, from: [order.amount] }\n";
    let overlay =
        Overlay::new("adds", &[("orders.yml", orders), ("requests.yaml", requests), ("notes.txt", "not: [a table")]);
    let catalog = overlay.load().unwrap();

    let table = catalog.table("requests").unwrap();
    assert_eq!(table.column("region").unwrap().from, [Source::Attribute { key: "app.region".to_owned(), scale: None }]);
    let method = table.column("method").unwrap();
    assert_eq!(method.from.len(), built_in().table("requests").unwrap().column("method").unwrap().from.len() + 1);
    assert_eq!(method.values["fetch"], "GET");
    assert_eq!(table.clauses.len(), 2);
    // A longer stay leaves the day of anonymising alone.
    assert_eq!((table.retention.keep_days, table.retention.anonymise_after_days), (Some(365), Some(90)));

    assert_eq!(catalog.tables()[1].name, "orders");
    assert!(catalog.tables()[1].index("user_ref").is_some(), "a new table has the common columns");
    assert_eq!(catalog.tables().len(), 12);
}

#[test]
fn more_said_of_a_common_column_never_weakens_it() {
    let yaml = "table: logs\ncolumns:\n  - { name: client_address, type: text, from: [caller], class: operational }\n  - { name: body, type: text, class: safe, max_len: 64 }\n  - { name: user_ref, type: text }\n";
    let catalog = Overlay::new("weakens", &[("logs.yaml", yaml)]).load().unwrap();
    let logs = catalog.table("logs").unwrap();
    let address = logs.column("client_address").unwrap();
    assert!(address.transient && address.class == Class::Direct && address.from.len() > 1);
    let body = logs.column("body").unwrap();
    assert_eq!((body.class, body.max_len), (Class::FreeText, Some(64)));
    assert_eq!(logs.column("user_ref").unwrap().from_hash.as_deref(), Some("user_id"));
    assert_eq!(logs.index("body"), built_in().table("logs").unwrap().index("body"), "its place in the schema");
}

#[test]
fn doubtful_files_are_refused_with_a_reason() {
    let head = "table: t\norder: 70\n";
    let cases = [
        (
            "a secret stored",
            "columns: [{ name: k, type: text, class: secret }]",
            "column k has class secret and must be `transient: true`",
        ),
        (
            "a person stored",
            "columns: [{ name: mail, type: text, class: direct }]",
            "store a `from_hash` of it instead",
        ),
        (
            "a hash of nothing",
            "columns: [{ name: k_ref, type: text, from_hash: k, domain: user }]",
            "column k_ref hashes \"k\", which is not a column",
        ),
        (
            "a hash without domain",
            "columns: [{ name: k_ref, type: text, from_hash: user_id }]",
            "column k_ref has `from_hash` and needs a `domain`",
        ),
        (
            "records in the journal alone",
            "journal_only: true\nmatch: [{ signal: log, event: [a] }]",
            "a table of the journal alone takes no records",
        ),
        ("an unknown key", "columns: [{ name: k, type: text, colour: red }]", "colour"),
        ("an unknown key of a clause", "match: [{ signal: log, evnt: [a] }]", "evnt"),
        ("an unknown type", "columns: [{ name: k, type: uuid }]", "uuid"),
        ("an unknown class", "columns: [{ name: k, type: text, class: p3 }]", "p3"),
        (
            "another type for a common column",
            "columns: [{ name: time, type: text }]",
            "column time is declared twice with different types",
        ),
        (
            "a column twice",
            "columns: [{ name: k, type: text }, { name: k, type: int }]",
            "column k is declared twice with different types",
        ),
        ("a sort by nothing", "sort: [k]", "sort or lookup names \"k\""),
        ("a sort by a hint", "sort: [user_ref, time]", "sort names \"user_ref\", which may still change"),
        ("a lookup of what is not stored", "lookup: [user_id]", "sort or lookup names \"user_id\""),
        ("days in words", "retention: { keep: 90 days }", "is not a number of days or years, such as 90d or 2y"),
        ("hours", "retention: { keep: 24h }", "\"24h\" is not a number of days"),
        ("no unit", "retention: { anonymise_after: \"90\" }", "\"90\" is not a number of days"),
        ("less than nothing", "retention: { keep: -1d }", "\"-1d\" is not a number of days"),
        ("too many years", "retention: { keep: 99999999y }", "is not a number of days"),
        (
            "a factor that is no number",
            "columns: [{ name: k, type: int, from: [\"a * ten\"] }]",
            "\"ten\" in source \"a * ten\" is not a number",
        ),
    ];
    for (name, body, message) in cases {
        let overlay = Overlay::new(&name.replace(' ', "-"), &[("t.yaml", &format!("{head}{body}\n"))]);
        let error = overlay.load().expect_err(name);
        assert!(error.contains(message), "{name}: {error}");
        assert!(error.contains("t.yaml"), "{name} does not name the file: {error}");
    }
    let cases = [
        ("equal-orders", "table: t\norder: 50\n", "tables requests and t have the same order 50"),
        ("no-order", "table: t\n", "a table needs an `order`"),
        ("bad-name", "table: T-1\norder: 70\n", "must be lower-case letters, digits and underscores"),
        ("no-yaml", "table: [t\n", "in schema file"),
    ];
    for (name, yaml, message) in cases {
        let error = Overlay::new(name, &[("t.yaml", yaml)]).load().expect_err(name);
        assert!(error.contains(message), "{name}: {error}");
    }
    let error = Catalog::load(Some(&std::env::temp_dir().join("marquetry-no-such-folder"))).unwrap_err().to_string();
    assert!(error.starts_with("reading schema file "), "{error}");
}

#[test]
fn no_dictionary_word_is_unbounded() {
    for table in built_in().tables() {
        for column in table.columns.iter().filter(|c| c.r#type == Type::Dict) {
            assert!(column.max_len.is_some_and(|most| most <= 4096), "{}.{}", table.name, column.name);
        }
    }
    let user_agent = |catalog: &Catalog| catalog.table("requests").unwrap().column("user_agent").unwrap().max_len;
    assert_eq!(user_agent(&built_in()), Some(512), "a bound of its own stays");
}

/// `UPDATE_REFERENCE=1 cargo test -p schemas` writes it anew.
#[test]
fn the_committed_reference_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/REFERENCE.md");
    let now = reference(&built_in());
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        std::fs::write(path, &now).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == now, "schemas/REFERENCE.md is not what the tables say; run this test with UPDATE_REFERENCE=1");
}
