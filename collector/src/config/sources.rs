//! Where configuration comes from, and how its layers become one tree.

use std::path::PathBuf;

use super::expand;
use super::node::{Entry, Node, Place, Value};
use super::problem::{Problems, Source};
use crate::Distribution;

const DEFAULTS: &str = include_str!("default.yaml");

/// Where a configuration comes from.
#[derive(Default)]
pub struct Inputs {
    /// `FILE`, `file:FILE`, `env:NAME` or `yaml:TEXT`, later ones on top.
    pub configs: Vec<String>,
    /// `a.b=c`, on top of all files.
    pub sets: Vec<String>,
    /// Replaces `data`.
    pub data: Option<PathBuf>,
    /// Replaces the environment in tests.
    pub environment: Option<fn(&str) -> Option<String>>,
}

impl Inputs {
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        match self.environment {
            Some(look_up) => look_up(name),
            None => std::env::var(name).ok(),
        }
    }
}

/// The effective tree, and what is wrong with its sources. Sections that are `unread`, or `section.entry`, have their
/// defaults.
pub(crate) fn tree(inputs: &Inputs, distribution: &Distribution, unread: &[&str]) -> (Node, Problems) {
    let mut problems = Problems::default();
    let mut tree = Node::empty_map();
    for config in &inputs.configs {
        if let Some(text) = text_of(config, inputs, &mut problems) {
            tree.merge(parse(name_of(config), text, &mut problems));
        }
    }
    let defaults = parse("built-in defaults", DEFAULTS.to_owned(), &mut problems);
    fill(&mut tree, defaults.clone());
    for factory in distribution.processors {
        fill_in(&mut tree, &["processors", factory.name], Node::empty_map());
    }
    for set in &inputs.sets {
        set_value(&mut tree, set, &mut problems);
    }
    if let Some(data) = &inputs.data {
        let text = data.display().to_string();
        problems.sources.push(Source { name: "--data".to_owned(), text: text.clone() });
        let place = Place { source: problems.sources.len() - 1, line: 1, column: 1 };
        // A folder's name is taken as it is: no `${}` in it is expanded.
        let text = text.replace('$', "$$");
        put(&mut tree, &["data"], Node { place, value: Value::Text(text), expanded: None });
    }
    // Before variables are looked up: those of an unread section need not be set.
    for section in unread {
        let path: Vec<String> = section.split('.').map(str::to_owned).collect();
        tree.remove(&path);
    }
    fill(&mut tree, defaults);
    expand::expand(&mut tree, &|name| inputs.variable(name), &mut problems);
    (tree, problems)
}

fn name_of(config: &str) -> &str {
    match config {
        c if c.starts_with("yaml:") => "yaml:",
        c => c.strip_prefix("file:").unwrap_or(c),
    }
}

fn text_of(config: &str, inputs: &Inputs, problems: &mut Problems) -> Option<String> {
    if let Some(name) = config.strip_prefix("env:") {
        let text = inputs.variable(name);
        if text.is_none() {
            problems.add_anywhere(format!("--config {config}: environment variable {name} is not set"));
        }
        return text;
    }
    if let Some(text) = config.strip_prefix("yaml:") {
        return Some(text.to_owned());
    }
    let file = name_of(config);
    std::fs::read_to_string(file).map_err(|e| problems.add_anywhere(format!("reading configuration {file}: {e}"))).ok()
}

fn parse(name: &str, text: String, problems: &mut Problems) -> Node {
    problems.sources.push(Source { name: name.to_owned(), text: text.clone() });
    let source = problems.sources.len() - 1;
    let mut node = match Node::parse(&text) {
        Ok(node) => node,
        Err(e) => {
            let location = e.location();
            let number = |n: u64| usize::try_from(n).unwrap_or(1).max(1);
            let line = location.map_or(1, |l| number(l.line()));
            let column = location.map_or(1, |l| number(l.column()));
            problems.add(Place { source, line, column }, 1, message(&e));
            Node::empty_map()
        }
    };
    if !matches!(node.value, Value::Map(_)) {
        problems.add(Place { source, line: 1, column: 1 }, 1, "a configuration is a map, such as `receivers:`");
        node = Node::empty_map();
    }
    node.belongs_to(source);
    node
}

/// The parser's words without its own idea of place and snippet.
fn message(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    let first = text.lines().next().unwrap_or_default();
    let first = first.strip_prefix("error: ").unwrap_or(first);
    let first = match first.split_once(": ") {
        Some((place, rest)) if place.starts_with("line ") => rest,
        _ => first,
    };
    match first.rsplit_once(" at line ") {
        Some((what, _)) => what.to_owned(),
        None => first.to_owned(),
    }
}

/// Takes over what nobody wrote. Receivers are replaced as a whole, for who names one endpoint wants no other;
/// the other sections are filled entry by entry, for to set one processor is not to give up the rest.
fn fill(tree: &mut Node, defaults: Node) {
    let Value::Map(defaults) = defaults.value else { return };
    for section in defaults {
        let whole = section.key == "receivers" || !matches!(section.node.value, Value::Map(_));
        if whole {
            fill_in(tree, &[&section.key], section.node.clone());
            continue;
        }
        for entry in section.node.entries() {
            fill_in(tree, &[&section.key, &entry.key], entry.node.clone());
        }
    }
}

fn fill_in(tree: &mut Node, path: &[&str], node: Node) {
    let written: Vec<String> = path.iter().map(|&part| part.to_owned()).collect();
    // `health_check:` with nothing behind it is written, and means its defaults.
    let missing = match tree.at(&written) {
        None => true,
        Some(known) => known.is_null() && path.len() == 1,
    };
    if missing {
        put(tree, path, node);
    }
}

fn set_value(tree: &mut Node, set: &str, problems: &mut Problems) {
    problems.sources.push(Source { name: "--set".to_owned(), text: set.to_owned() });
    let source = problems.sources.len() - 1;
    let place = Place { source, line: 1, column: 1 };
    let Some((path, text)) = set.split_once('=') else {
        problems.add(place, set.chars().count(), "a setting is written as `a.b=c`");
        return;
    };
    let path: Vec<&str> = path.split('.').flat_map(|part| part.split("::")).map(str::trim).collect();
    if path.iter().any(|part| part.is_empty()) {
        problems.add(place, set.chars().count(), "a setting is written as `a.b=c`");
        return;
    }
    let mut node = Node::parse(text).unwrap_or_else(|_| Node::new(Value::Text(text.to_owned())));
    if text.trim().is_empty() {
        node.value = Value::Text(String::new());
    }
    node.belongs_to(source);
    node.place = Place { source, line: 1, column: set.find('=').map_or(1, |at| at + 2) };
    put(tree, &path, node);
}

/// Puts a value under a path, making the maps above it.
fn put(tree: &mut Node, path: &[&str], node: Node) {
    let Some((first, rest)) = path.split_first() else {
        tree.merge(node);
        return;
    };
    let place = Place { column: 1, ..node.place };
    if let Value::List(items) = &mut tree.value
        && let Some(item) = first.parse::<usize>().ok().and_then(|index| items.get_mut(index))
    {
        return put(item, rest, node);
    }
    if !matches!(tree.value, Value::Map(_)) {
        tree.value = Value::Map(Vec::new());
    }
    let Value::Map(entries) = &mut tree.value else { return };
    if let Some(entry) = entries.iter_mut().find(|e| e.key == *first) {
        entry.place = if rest.is_empty() { place } else { entry.place };
        return put(&mut entry.node, rest, node);
    }
    let mut below = Node { place, ..Node::empty_map() };
    put(&mut below, rest, node);
    entries.push(Entry { key: (*first).to_owned(), place, node: below });
}
