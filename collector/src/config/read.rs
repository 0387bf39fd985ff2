//! From the tree to typed settings: every mistake is found, located, and given the nearest right name.

use serde::de::DeserializeOwned;

use super::mask::MASK;
use super::node::{Node, Place, Value};
use super::problem::{Problems, nearest};

/// No section has more mistakes than this that are worth reading.
const MAX_PROBLEMS: usize = 50;

/// Reads a typed section; what is wrong is noted and left out, so that what follows is checked as well.
pub(crate) fn read<T: DeserializeOwned + Default>(node: &Node, problems: &mut Problems) -> T {
    let mut node = node.clone();
    if node.is_null() {
        return T::default();
    }
    for _ in 0..MAX_PROBLEMS {
        let error = match serde_path_to_error::deserialize::<_, T>(node.to_json()) {
            Ok(section) => return section,
            Err(error) => error,
        };
        let path = path_of(error.path());
        if !mend(&mut node, &path, &error.inner().to_string(), problems) {
            break;
        }
    }
    T::default()
}

/// Notes one mistake under `path` and takes it out of `node`; says whether trying again makes sense.
pub(crate) fn mend(node: &mut Node, path: &[String], what: &str, problems: &mut Problems) -> bool {
    if restore_text(node, path, what) {
        return true;
    }
    if let Some(key) = unknown(what, "unknown field ") {
        return mend_key(node, path, &key, what, problems);
    }
    let (place, width) = locate(node, shown(path));
    let what = hide_expanded(node, path, what);
    let known = quoted_names(&what).into_iter().skip(1).collect::<Vec<_>>();
    match unknown(&what, "unknown variant ") {
        Some(word) => {
            let help = format!("known here: {}", known.join(", "));
            problems.add_with_help(
                place,
                width,
                format!("{}{}", not_known("value", &word), meant(&word, &known)),
                help,
            );
        }
        None => problems.add(place, width, format!("{}{what}", named(path))),
    }
    node.remove(path)
}

/// The path to point at: of a list that is secret the key, for the line of an item would show it.
fn shown(path: &[String]) -> &[String] {
    let is_index = |segment: &String| segment.bytes().all(|b| b.is_ascii_digit());
    match path {
        [above @ .., index] if is_index(index) && above.last().is_some_and(|key| super::mask::is_secret(key)) => above,
        _ => path,
    }
}

fn mend_key(node: &mut Node, path: &[String], key: &str, what: &str, problems: &mut Problems) -> bool {
    // The path of an unknown field ends above it or at it, by the kind of map.
    let mut at = path.to_vec();
    if node.at(path).is_none_or(|n| n.entry(key).is_none()) && at.last().is_some_and(|last| last == key) {
        at.pop();
    }
    let known: Vec<String> = quoted_names(what).into_iter().skip(1).collect();
    let place = node.at(&at).and_then(|n| n.entry(key)).map_or(Place::default(), |e| e.place);
    let help = if known.is_empty() {
        "no settings are known here".to_owned()
    } else {
        format!("known here: {}", known.join(", "))
    };
    let text = format!("{}{}", not_known("key", key), meant(key, &known));
    problems.add_with_help(place, key.chars().count(), text, help);
    at.push(key.to_owned());
    node.remove(&at)
}

/// A number or flag where text is wanted: `tenant: 12` means "12".
fn restore_text(node: &mut Node, path: &[String], what: &str) -> bool {
    if !what.starts_with("invalid type: ") || !what.contains("expected a string") {
        return false;
    }
    let Some(target) = path.iter().try_fold(node, |n, segment| n.child_mut(segment)) else { return false };
    let text = match (&target.expanded, &target.value) {
        (Some(text), Value::Bool(_) | Value::Int(_) | Value::Float(_)) => text.clone(),
        (None, Value::Int(i)) => i.to_string(),
        (None, Value::Bool(b)) => b.to_string(),
        (None, Value::Float(f)) => f.to_string(),
        _ => return false,
    };
    target.value = Value::Text(text);
    true
}

/// What the environment gave may be a secret, so an error does not repeat it.
fn hide_expanded(node: &Node, path: &[String], what: &str) -> String {
    let secret = path.last().is_some_and(|key| super::mask::is_secret(key));
    let at = node.at(path).unwrap_or(node);
    match &at.value {
        Value::Text(text) if secret && !text.is_empty() => {
            // An error quotes a text, and quotes inside it are escaped then.
            let escaped = text.escape_debug().to_string();
            hide(at, &what.replace(&escaped, MASK).replace(text.as_str(), MASK))
        }
        _ => hide(at, what),
    }
}

/// An error's text without anything that the environment gave to `node` or below it.
pub(crate) fn hide(node: &Node, what: &str) -> String {
    let mut given = Vec::new();
    from_environment(node, &mut given);
    // A longer text first, for it may contain a shorter one.
    given.sort_unstable_by_key(|text| std::cmp::Reverse(text.len()));
    given.iter().fold(what.to_owned(), |what, text| what.replace(text.as_str(), MASK))
}

/// Every text that the environment gave, in each form in which an error could quote it.
fn from_environment(node: &Node, given: &mut Vec<String>) {
    node.items().iter().for_each(|item| from_environment(item, given));
    node.entries().iter().for_each(|entry| from_environment(&entry.node, given));
    let Some(text) = node.expanded.as_ref().filter(|text| !text.is_empty()) else { return };
    given.push(text.clone());
    given.push(text.escape_debug().to_string());
    match &node.value {
        Value::Int(i) => given.push(i.to_string()),
        Value::Float(f) => given.push(f.to_string()),
        Value::Bool(b) => given.push(b.to_string()),
        _ => {}
    }
}

/// Where a path points, as well as it can be followed.
pub(crate) fn locate(node: &Node, path: &[String]) -> (Place, usize) {
    let mut at = node;
    let mut best = (node.place, 1);
    for segment in path {
        let Some(next) = at.child(segment) else { break };
        best = match at.entry(segment) {
            // A value on its own line is underlined itself; a map or list is found by its key.
            Some(entry) if matches!(next.value, Value::Map(_) | Value::List(_) | Value::Null) => {
                (entry.place, segment.chars().count())
            }
            _ => (next.place, width(next)),
        };
        at = next;
    }
    best
}

fn width(node: &Node) -> usize {
    match &node.value {
        Value::Text(text) if node.expanded.is_none() => text.chars().count(),
        Value::Int(i) => i.to_string().len(),
        Value::Bool(b) => b.to_string().len(),
        _ => 1,
    }
}

fn named(path: &[String]) -> String {
    path.last().map(|key| format!("`{key}`: ")).unwrap_or_default()
}

pub(crate) fn not_known(kind: &str, name: &str) -> String {
    format!("unknown {kind} `{name}`")
}

/// "; did you mean `x`?" or nothing.
pub(crate) fn meant<S: AsRef<str>>(wrong: &str, known: &[S]) -> String {
    nearest(wrong, known.iter().map(AsRef::as_ref)).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

fn unknown(what: &str, start: &str) -> Option<String> {
    what.strip_prefix(start)?;
    quoted_names(what).into_iter().next()
}

/// Everything between backticks.
fn quoted_names(what: &str) -> Vec<String> {
    what.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn path_of(path: &serde_path_to_error::Path) -> Vec<String> {
    path.iter()
        .filter_map(|segment| match segment {
            serde_path_to_error::Segment::Map { key } => Some(key.clone()),
            serde_path_to_error::Segment::Seq { index } => Some(index.to_string()),
            _ => None,
        })
        .collect()
}
