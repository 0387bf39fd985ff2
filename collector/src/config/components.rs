//! Which components a configuration names, and which of them run.

use std::collections::BTreeSet;

use super::mask::MASK;
use super::node::{Entry, Node};
use super::problem::Problems;
use super::read::{meant, not_known};

/// Upstream components that need no settings here, and why.
pub(crate) const BUILT_IN: &[(&str, &str, &str)] = &[
    ("processors", "batch", "every worker takes all requests that wait"),
    ("processors", "memory_limiter", "requests are admitted by bytes"),
];

/// Components that a build may lack, what they do, and which build has them.
const LACKING: &[(&str, &str, &str)] = &[(
    "processors",
    "sql",
    "this build lacks `sql`, which filters rows and sets columns by SQL: it has no query engine",
)];

/// The receivers and extensions of this build.
pub(crate) const RECEIVERS: &[&str] = &["otlp"];
pub(crate) const EXTENSIONS: &[&str] = &["health_check", "bearertokenauth"];

const SIGNALS: &[&str] = &["traces", "logs", "metrics"];

/// The type of a component id: `otlp` of `otlp/second`.
pub(crate) fn kind_of(id: &str) -> &str {
    id.split_once('/').map_or(id, |(kind, _)| kind)
}

/// Entries of a section whose type is known; the others are noted.
pub(crate) fn known_entries<'a>(
    root: &'a Node,
    section: &str,
    known: &[&str],
    problems: &mut Problems,
) -> Vec<&'a Entry> {
    let built_in = |kind: &str| BUILT_IN.iter().any(|(s, name, _)| *s == section && *name == kind);
    let what = section.trim_end_matches('s');
    let mut entries = Vec::new();
    for entry in root.get(section).map(Node::entries).unwrap_or_default() {
        let kind = kind_of(&entry.key);
        if known.contains(&kind) {
            entries.push(entry);
        } else if let Some((_, _, what)) = LACKING.iter().find(|(s, name, _)| *s == section && *name == kind) {
            let help = format!(
                "use a build with the feature `queries`, as the default one; in this build: {}",
                known.join(", ")
            );
            problems.add_with_help(entry.place, entry.key.chars().count(), *what, help);
        } else if !built_in(kind) {
            let text = format!("{}{}", not_known(what, kind), meant(kind, known));
            let help = format!("in this build: {}", known.join(", "));
            problems.add_with_help(entry.place, entry.key.chars().count(), text, help);
        }
    }
    entries
}

/// What the pipelines say.
#[derive(Debug, Default)]
pub(crate) struct Pipelines {
    /// Ids of receivers that run; `None` when no pipeline is written.
    pub(crate) receivers: Option<BTreeSet<String>>,
    /// Ids of processors that run, in order; `None` when no pipeline names one of ours.
    pub(crate) processors: Option<Vec<String>>,
    /// Ids of exporters that run; `None` when no pipeline is written.
    pub(crate) exporters: Option<BTreeSet<String>>,
}

/// Reads `service.pipelines` and checks every name in it.
pub(crate) fn pipelines(root: &Node, problems: &mut Problems) -> Pipelines {
    let mut out = Pipelines::default();
    let Some(pipelines) = root.get("service").and_then(|s| s.get("pipelines")) else { return out };
    let mut chains: Vec<(&Entry, Vec<String>)> = Vec::new();
    for pipeline in pipelines.entries() {
        let signal = kind_of(&pipeline.key);
        if !SIGNALS.contains(&signal) {
            let text = format!("{}{}", not_known("pipeline", signal), meant(signal, SIGNALS));
            let help = format!("a pipeline carries one of {}", SIGNALS.join(", "));
            problems.add_with_help(pipeline.place, pipeline.key.chars().count(), text, help);
        }
        for part in pipeline.node.entries() {
            let known = ["receivers", "processors", "exporters"];
            if !known.contains(&part.key.as_str()) {
                let text = format!("{}{}", not_known("key", &part.key), meant(&part.key, &known));
                problems.add(part.place, part.key.chars().count(), text);
                continue;
            }
            let ids = references(root, &part.key, &part.node, problems);
            match part.key.as_str() {
                "receivers" => out.receivers.get_or_insert_default().extend(ids),
                "exporters" => out.exporters.get_or_insert_default().extend(ids),
                // Metrics are counted and go through no chain.
                _ if signal != "metrics" => chains.push((part, ids)),
                _ => {}
            }
        }
    }
    out.processors = one_chain(&chains, problems);
    out
}

/// Workers gather every signal, so there is one chain.
fn one_chain(chains: &[(&Entry, Vec<String>)], problems: &mut Problems) -> Option<Vec<String>> {
    let is_ours = |id: &String| !BUILT_IN.iter().any(|(_, name, _)| *name == kind_of(id));
    let mut first: Option<Vec<String>> = None;
    for (part, ids) in chains {
        let ours: Vec<String> = ids.iter().filter(|id| is_ours(id)).cloned().collect();
        // Only `batch` and the like: a collector's config that knows nothing of ours gets the default chain.
        if ours.is_empty() && !ids.is_empty() {
            continue;
        }
        match &first {
            None => first = Some(ours),
            Some(known) if *known == ours => {}
            Some(known) => {
                let text = format!("one chain serves every signal, and another pipeline lists [{}]", known.join(", "));
                problems.add(part.place, part.key.chars().count(), text);
            }
        }
    }
    first
}

/// A list of component ids, each of which must be configured.
pub(crate) fn references(root: &Node, section: &str, list: &Node, problems: &mut Problems) -> Vec<String> {
    let configured: Vec<&str> =
        root.get(section).map(Node::entries).unwrap_or_default().iter().map(|e| e.key.as_str()).collect();
    let mut ids = Vec::new();
    if !matches!(list.value, super::node::Value::List(_) | super::node::Value::Null) {
        problems.add(list.place, 1, format!("`{section}` is a list, such as [{}]", configured.join(", ")));
    }
    for item in list.items() {
        let Some(id) = item.text() else {
            problems.add(item.place, 1, format!("a name from `{section}` is wanted here"));
            continue;
        };
        if configured.contains(&id) {
            ids.push(id.to_owned());
        } else {
            let id = if item.expanded.is_some() { MASK } else { id };
            let text = format!("`{id}` is not configured under `{section}`{}", meant(id, &configured));
            problems.add_with_help(item.place, id.chars().count(), text, format!("add `{id}:` to `{section}`"));
        }
    }
    ids
}

#[cfg(test)]
mod tests {
    use crate::Distribution;
    use crate::config::{Config, Inputs};

    /// The chain of a build without the query engine, whatever this one has.
    const SIDECAR: Distribution = Distribution { processors: processors::ALL, seal: processors::SEAL };

    #[test]
    fn a_build_without_the_query_engine_says_what_it_lacks() {
        let yaml = "yaml:processors:\n  sql: { rules: [{ table: requests, drop: is_bot }] }\n";
        let inputs = Inputs { configs: vec![yaml.to_owned()], ..Inputs::default() };
        let problems = Config::load(&inputs, &SIDECAR).expect_err("it has no sql").to_string();
        let expected = "\
error: this build lacks `sql`, which filters rows and sets columns by SQL: it has no query engine
 --> yaml::2:3
  |
2 |   sql: { rules: [{ table: requests, drop: is_bot }] }
  |   ^^^
  = use a build with the feature `queries`, as the default one; in this build: ";
        assert!(problems.starts_with(expected), "{problems}");
    }
}
