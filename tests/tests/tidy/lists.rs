//! A component is one file and one line in the list beside it; a folder says what it owns.

use std::collections::BTreeSet;
use std::path::Path;

use tests::places;

use crate::tree;

/// The folders of the root: `ls` shows the architecture.
const FOLDERS: &[&str] = &["schemas", "collector", "processors", "exporters", "queries", "deploy", "tests"];

#[test]
fn every_folder_says_what_it_owns() {
    for folder in FOLDERS {
        let readme = tree::read(format!("{folder}/README.md"));
        assert!(
            readme.lines().count() >= 5,
            "{folder}/README.md says what it owns, what it must not know, how to add one"
        );
    }
    let known: BTreeSet<_> = FOLDERS.iter().copied().collect();
    for entry in std::fs::read_dir(places::root()).expect("the root") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
        let ours =
            path.is_dir() && !name.starts_with('.') && !["target", "data", "marquetry-data"].contains(&name.as_str());
        assert!(!ours || known.contains(name.as_str()), "folder {name} is not part of the architecture");
    }
}

/// Stems of the components in a folder: files and folders, without the list itself.
fn stems(folder: &str, extension: &str, without: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(places::root().join(folder)).expect("a folder") {
        let path = entry.expect("an entry").path();
        let component = path.is_dir() || path.extension().is_some_and(|e| e == extension);
        let stem = path.file_stem().and_then(|s| s.to_str()).unwrap_or_default().to_owned();
        if component && !without.contains(&stem.as_str()) {
            found.insert(stem);
        }
    }
    found
}

/// The source of a component: `stem.rs`, or the files of `stem/`.
fn source(folder: &str, stem: &str) -> String {
    let root = places::root().join(folder);
    let single = root.join(stem).with_extension("rs");
    let mut text = std::fs::read_to_string(single).unwrap_or_default();
    text.push_str(&std::fs::read_to_string(root.join(stem).join("mod.rs")).unwrap_or_default());
    text
}

#[test]
fn every_processor_is_listed_under_its_own_name() {
    for (folder, list) in [("processors/src", "lib"), ("queries/src/processors", "mod")] {
        let text = tree::read(format!("{folder}/{list}.rs"));
        let mut listed = 0;
        for stem in stems(folder, "rs", &[list]) {
            listed += usize::from(is_processor(folder, &stem, &text));
        }
        assert_eq!(listed, text.matches("processor::<").count(), "every line of ALL has a file");
        assert!(listed > 0, "{folder} has processors");
    }
}

/// Whether a file is a component, and then it is listed, configured by its own name and begins with an example.
fn is_processor(folder: &str, stem: &str, list: &str) -> bool {
    let text = source(folder, stem);
    let is_component = text.contains("impl Component for");
    let is_listed = list.contains(&format!("processor::<{stem}::"));
    assert_eq!(is_component, is_listed, "{folder}/{stem} and its line in ALL");
    if is_component {
        assert!(
            text.contains(&format!("const NAME: &'static str = \"{stem}\"")),
            "{stem} is configured by its own name"
        );
        assert!(text.contains("//! ```yaml"), "{stem} begins with an example of its configuration");
    }
    is_component
}

#[test]
fn every_receiver_is_listed() {
    let list = tree::read("collector/src/config/components.rs");
    for stem in stems("collector/src/receivers", "rs", &["mod"]) {
        assert!(
            list.contains(&format!("RECEIVERS: &[&str] = &[\"{stem}\"")) || list.contains(&format!("\"{stem}\",")),
            "{stem}"
        );
    }
}

#[test]
fn every_table_is_listed_under_its_own_name() {
    let list = tree::read("schemas/src/catalog.rs");
    let tables = stems("schemas/tables", "yaml", &["common"]);
    for table in &tables {
        assert!(list.contains(&format!("../tables/{table}.yaml")), "schemas/tables/{table}.yaml is not in BUILT_IN");
        let text = tree::read(Path::new("schemas/tables").join(table).with_extension("yaml"));
        assert!(
            text.contains(&format!("table: {table}\n")),
            "schemas/tables/{table}.yaml names its table after itself"
        );
    }
    assert_eq!(list.matches("../tables/").count(), tables.len() + 1, "every line of BUILT_IN has a file, and common");
}

#[test]
fn every_view_is_listed() {
    let list = tree::read("queries/src/views.rs");
    for view in stems("queries/views", "sql", &[]) {
        assert!(list.contains(&format!("{view}.sql")) || list.contains(&format!("\"{view}\"")), "{view} is not listed");
    }
}

#[test]
fn every_question_has_a_title() {
    for path in tree::files(&["sql"]) {
        let text = tree::read(&path);
        let title = text.lines().next().and_then(|line| line.strip_prefix("-- title: "));
        assert!(title.is_some_and(|t| t.len() > 5), "{} begins with `-- title: ...`", path.display());
    }
}
