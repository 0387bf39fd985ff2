//! Which crate may know which, and one version of each that must not be there twice.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;
use tests::places;

use crate::tree;

/// Who may use whom, in the order data flows. Tests of a crate may use more.
const ARROWS: &[(&str, &[&str])] = &[
    ("schemas", &[]),
    ("component", &["schemas"]),
    ("otlp", &["schemas", "component"]),
    ("journal", &["schemas", "component"]),
    ("processors", &["schemas", "component"]),
    ("lake", &["schemas", "component", "journal"]),
    ("directory", &["schemas", "component", "journal"]),
    ("exporters", &["schemas", "component", "journal", "lake"]),
    ("queries", &["schemas", "component", "journal", "lake"]),
    ("demo", &[]),
    (
        "collector",
        &["schemas", "component", "otlp", "journal", "processors", "exporters", "lake", "directory", "queries", "demo"],
    ),
    ("tests", &[]),
    ("bench", &[]),
];

/// Who alone may use a crate directly.
const OWNERS: &[(&str, &[&str])] = &[
    ("tonic", &["collector"]),
    ("prost", &["tests", "bench"]),
    // The collector reads lookup files, for processors that may not.
    ("parquet", &["lake", "queries", "collector"]),
    ("datafusion", &["queries"]),
    ("object_store", &["lake", "queries", "collector"]),
];

/// Crates whose types cross ours: two versions would not fit each other.
const ONCE: &[&str] = &["arrow", "arrow-array", "parquet", "datafusion", "object_store", "prost", "hyper", "tokio"];

/// The same, where nothing has to bring them.
const AT_MOST_ONCE: &[&str] = &["tonic", "axum"];

fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo).args(arguments).current_dir(places::root()).output().expect("cargo runs");
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Direct dependencies of the workspace's crates, by crate: (name, whether only its tests use it).
fn direct() -> BTreeMap<String, Vec<(String, bool)>> {
    let text = cargo(&["metadata", "--format-version", "1", "--no-deps", "--locked", "--offline"]);
    let metadata: Value = serde_json::from_str(&text).expect("JSON");
    let text = |value: &Value| value.as_str().expect("a name").to_owned();
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().expect("dependencies");
            let direct = dependencies.iter().map(|d| (text(&d["name"]), d["kind"] == "dev")).collect();
            (text(&package["name"]), direct)
        })
        .collect()
}

#[test]
fn dependencies_point_one_way() {
    let direct = direct();
    let members: BTreeSet<_> = direct.keys().map(String::as_str).collect();
    let known: BTreeSet<_> = ARROWS.iter().map(|(name, _)| *name).collect();
    assert_eq!(members, known, "crates of the workspace and crates with a place in the flow");
    for (name, allowed) in ARROWS {
        for (dependency, dev) in &direct[*name] {
            let internal = members.contains(dependency.as_str());
            assert!(*dev || !internal || allowed.contains(&dependency.as_str()), "{name} must not know {dependency}");
        }
    }
}

#[test]
fn only_owners_use_heavy_crates() {
    for (name, dependencies) in direct() {
        for (dependency, dev) in dependencies.iter().filter(|(_, dev)| !dev) {
            let owners = OWNERS.iter().find(|(owned, _)| owned == dependency).map(|(_, owners)| *owners);
            assert!(owners.is_none_or(|o| o.contains(&name.as_str())), "{name} must not use {dependency} (dev: {dev})");
        }
    }
}

/// Names of all crates that are linked, whoever brings them.
fn linked(arguments: &[&str]) -> BTreeSet<String> {
    let tree = cargo(&[&["tree", "--locked", "--offline", "-e", "normal", "--prefix", "none"], arguments].concat());
    tree.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn processors_can_do_no_input_or_output() {
    let linked = linked(&["-p", "processors"]);
    for banned in ["tokio", "object_store", "tonic", "hyper", "reqwest", "parquet"] {
        assert!(!linked.contains(banned), "processors link {banned}");
    }
    let schemas = self::linked(&["-p", "schemas"]);
    assert!(!schemas.contains("tokio") && !schemas.contains("parquet"), "schemas know arrow and serde");
}

#[test]
fn the_sidecar_links_no_query_engine() {
    let linked = linked(&["-p", "collector", "--no-default-features"]);
    let engine: Vec<_> = linked.iter().filter(|name| name.starts_with("datafusion") || *name == "sqlparser").collect();
    assert!(engine.is_empty(), "the sidecar build links {engine:?}");
    assert!(linked.contains("lake"), "it still has a lake: {linked:?}");
}

#[test]
fn one_version_of_each() {
    let lock = tree::read("Cargo.lock");
    let versions = |name: &str| lock.matches(&format!("name = \"{name}\"\n")).count();
    for name in ONCE {
        assert_eq!(versions(name), 1, "versions of {name} in Cargo.lock");
    }
    for name in AT_MOST_ONCE {
        assert!(versions(name) <= 1, "versions of {name} in Cargo.lock");
    }
}

/// The tests and the binary share their dependencies only if cargo gives these the same features in both builds.
#[test]
fn dependencies_are_built_once() {
    let features = |arguments: &[&str]| -> BTreeMap<String, String> {
        let fixed = ["tree", "--locked", "--offline", "--prefix", "none", "-f", "{p}|{f}"];
        let tree = cargo(&[&fixed, arguments].concat());
        let pairs = tree.lines().filter_map(|line| line.trim_end_matches(" (*)").split_once('|'));
        pairs.map(|(package, features)| (package.to_owned(), features.to_owned())).collect()
    };
    let binary = features(&["-p", "collector", "-e", "normal,build"]);
    let everything = features(&["--workspace", "-e", "normal,build,dev"]);
    for (package, features) in &binary {
        let other = &everything[package];
        assert_eq!(features, other, "features of {package}: in `cargo run`, and in `cargo test --workspace`");
    }
}
