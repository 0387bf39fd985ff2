//! Reads every section, checks what one section says against the others, and gathers all that is wrong.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use component::{Component, Context, Keyring, References};
use processors::complete::Tail;
use processors::redact::Redact;
use schemas::Catalog;

use super::components::{BUILT_IN, EXTENSIONS, Pipelines, kind_of, known_entries, pipelines, references};
use super::listeners::{listeners, normalise};
use super::node::Node;
use super::problem::Problems;
use super::read::{hide, locate, meant, mend, not_known, read};
use super::sources::Inputs;
use super::{Config, DirectorySettings, JournalSettings, LakeSettings, PipelineSettings, keys, model, telemetry};
use crate::Distribution;
use crate::references::Disk;

const SECTIONS: &[&str] = &[
    "data",
    "keys",
    "schemas",
    "journal",
    "pipeline",
    "receivers",
    "processors",
    "exporters",
    "extensions",
    "service",
];

const GIB: u64 = 1 << 30;
const MIB: u64 = 1 << 20;

/// The checked configuration, or everything that is wrong.
pub(crate) fn check(
    root: &Node,
    mut problems: Problems,
    distribution: &Distribution,
    inputs: &Inputs,
) -> Result<Config, Problems> {
    let broken = !problems.is_empty();
    let mut notes = Vec::new();
    let mut section = Sections { root, problems: &mut problems };
    section.names();
    let data = section.data();
    let keys: model::Keys = section.read("keys");
    let schemas: model::Schemas = section.read("schemas");
    let journal: model::Journal = section.read("journal");
    let pipeline: model::Pipeline = section.read("pipeline");
    let health = section.health();
    let lake = section.lake(&data);
    let key = keys::source(root, &keys, &lake, &mut problems);
    let rotation = keys::rotation(root, &keys, &mut problems);
    let telemetry = telemetry::telemetry(root, &mut problems);
    let lines = pipelines(root, &mut problems);
    let active = |id: &str| lines.receivers.as_ref().is_none_or(|r| r.contains(id));
    let endpoints = listeners(root, &active, inputs, &mut problems, &mut notes);
    telemetry::no_loop(root, &telemetry.own, &endpoints, &mut problems);
    let catalog = catalog(root, schemas.overlay.as_deref(), &mut problems);
    let directory = directory(root, &lines, &mut problems);
    let chain = chain(root, &lines, catalog, distribution, &mut problems);
    let chain = if directory.is_some() { chain } else { without_directory(chain, &mut problems) };
    built_in(root, &mut notes);
    let pipeline = settings(&pipeline);
    if endpoints.is_empty() && problems.is_empty() && !broken {
        problems.add_anywhere("no receiver runs; add `otlp` to `receivers` and to a pipeline");
    }
    if !problems.is_empty() {
        problems.list.sort_by_key(|p| p.place.map_or((usize::MAX, 0, 0), |p| (p.source, p.line, p.column)));
        return Err(problems);
    }
    Ok(Config {
        data,
        key,
        rotation,
        overlay: schemas.overlay,
        listeners: endpoints,
        chain,
        lake,
        journal: JournalSettings {
            max_bytes: journal.max_bytes.map_or(10 * GIB, |s| s.0),
            segment_bytes: journal.segment_bytes.map_or(24 * MIB, |s| s.0.max(MIB)),
        },
        pipeline,
        metrics: telemetry.address,
        health,
        log_level: telemetry.level,
        log_encoding: telemetry.encoding,
        telemetry: telemetry.own,
        debug: runs(root, &lines, exporters::debug::NAME).is_some(),
        directory,
        notes,
    })
}

/// Reads sections one by one.
struct Sections<'a> {
    root: &'a Node,
    problems: &'a mut Problems,
}

impl Sections<'_> {
    fn names(&mut self) {
        let unknown = |entries: &[super::node::Entry], known: &[&str], problems: &mut Problems| {
            for entry in entries.iter().filter(|e| !known.contains(&e.key.as_str())) {
                let text = format!("{}{}", not_known("key", &entry.key), meant(&entry.key, known));
                let help = format!("known here: {}", known.join(", "));
                problems.add_with_help(entry.place, entry.key.chars().count(), text, help);
            }
        };
        unknown(self.root.entries(), SECTIONS, self.problems);
        let service = self.root.get("service").map(Node::entries).unwrap_or_default();
        unknown(service, &["extensions", "telemetry", "pipelines"], self.problems);
        for entry in known_entries(self.root, "exporters", &exporters::names(), self.problems) {
            if kind_of(&entry.key) == exporters::debug::NAME {
                let _: model::Debug = read(&entry.node, self.problems);
            }
        }
        for entry in known_entries(self.root, "extensions", EXTENSIONS, self.problems) {
            if kind_of(&entry.key) == "bearertokenauth" {
                let _: model::BearerTokens = read(&entry.node, self.problems);
            }
        }
    }

    fn read<T: serde::de::DeserializeOwned + Default>(&mut self, name: &str) -> T {
        self.root.get(name).map(|node| read(node, self.problems)).unwrap_or_default()
    }

    fn data(&mut self) -> PathBuf {
        match self.root.get("data").map(|n| (n, n.text())) {
            Some((_, Some(text))) if !text.is_empty() => PathBuf::from(text),
            Some((node, _)) => {
                self.problems.add(node.place, 1, "`data` is the name of a folder");
                PathBuf::new()
            }
            None => PathBuf::from("./marquetry-data"),
        }
    }

    /// An extension runs when `service.extensions` names it, or when that list is not written.
    fn health(&mut self) -> Option<(String, String)> {
        let listed = self.root.get("service").and_then(|s| s.get("extensions")).filter(|n| !n.is_null());
        let listed = listed.map(|list| references(self.root, "extensions", list, self.problems));
        let entries = self.root.get("extensions").map(Node::entries).unwrap_or_default();
        let entry = entries
            .iter()
            .filter(|e| kind_of(&e.key) == "health_check")
            .find(|e| listed.as_ref().is_none_or(|ids| ids.contains(&e.key)))?;
        let settings: model::HealthCheck = read(&entry.node, self.problems);
        let endpoint = settings.endpoint.unwrap_or_else(|| "127.0.0.1:13133".to_owned());
        let endpoint = normalise(&endpoint).unwrap_or_else(|what| {
            let (place, width) = locate(&entry.node, &["endpoint".to_owned()]);
            self.problems.add(place, width, what);
            endpoint.clone()
        });
        Some((endpoint, settings.path.unwrap_or_else(|| "/".to_owned())))
    }

    fn lake(&mut self, data: &Path) -> LakeSettings {
        let node = self
            .root
            .get("exporters")
            .and_then(|e| e.entries().iter().find(|entry| kind_of(&entry.key) == "lake").map(|entry| &entry.node));
        let settings: model::Lake = node.map(|n| read(n, self.problems)).unwrap_or_default();
        let place = |key: &str| node.map(|n| locate(n, &[key.to_owned()])).unwrap_or_default();
        if settings.path.is_some() && settings.url.is_some() {
            let (at, width) = place("url");
            self.problems.add(at, width, "say either `path` or `url`");
        }
        let said = settings.url.as_ref().map(|u| ("url", u)).or(settings.path.as_ref().map(|p| ("path", p)));
        let location = said.map_or_else(|| data.join("lake").display().to_string(), |(_, text)| text.clone());
        if let (Err(e), Some((key, _))) = (crate::store::check_location(&location), said) {
            let (at, width) = place(key);
            self.problems.add(at, width, node.map_or_else(|| e.clone(), |node| hide(node, &e)));
        }
        LakeSettings {
            local: location.starts_with("file://") || !location.contains("://"),
            location,
            flush_interval: settings.flush_interval.map(|p| p.0),
            flush_bytes: settings.flush_bytes.map(|s| s.0),
            tidy_interval: settings.tidy_interval.map(|p| p.0),
            merge_all: settings.merge == model::Merge::All,
            lateness: settings.complete.lateness.map(|p| p.0),
            complete_memory: settings.complete.memory.map(|s| s.0),
            thin: self.thin(&settings.thin, node),
        }
    }

    fn thin(&mut self, thin: &model::Thin, node: Option<&Node>) -> Option<Tail> {
        let rate = thin.rate.unwrap_or(1.0);
        let wrong = [
            ("rate", !(0.0..=1.0).contains(&rate), "a rate is a share from 0 to 1"),
            (
                "cost_usd",
                thin.cost_usd.is_some_and(|usd| !(0.0..1e15).contains(&usd)),
                "a bound in US dollars is not negative",
            ),
        ];
        for (key, _, what) in wrong.into_iter().filter(|(_, wrong, _)| *wrong) {
            let place = node.map(|node| locate(node, &["thin".to_owned(), key.to_owned()]));
            let (at, width) = place.unwrap_or_default();
            self.problems.add(at, width, what);
        }
        let slow = thin.slow.map_or(Duration::from_secs(2), |period| period.0);
        let slow = i64::try_from(slow.as_nanos()).unwrap_or(i64::MAX);
        (rate < 1.0).then(|| Tail::new(rate, Some(slow), thin.cost_usd))
    }
}

/// An exporter that is configured and, where there are pipelines, in one.
fn runs<'a>(root: &'a Node, lines: &Pipelines, name: &str) -> Option<&'a Node> {
    let configured = root.get("exporters").map(Node::entries).unwrap_or_default();
    let runs = |id: &str| lines.exporters.as_ref().is_none_or(|ids| ids.contains(id));
    configured.iter().find(|e| kind_of(&e.key) == name && runs(&e.key)).map(|e| &e.node)
}

/// How the user directory is kept, if it is.
fn directory(root: &Node, lines: &Pipelines, problems: &mut Problems) -> Option<DirectorySettings> {
    let settings: model::Directory = read(runs(root, lines, "directory")?, problems);
    let [flush_interval, keep_open] = [settings.flush_interval, settings.keep_open].map(|period| period.map(|p| p.0));
    Some(DirectorySettings { flush_interval, keep_open })
}

/// Texts that are encrypted under keys which nobody keeps would be lost.
fn no_lost_keys(chain: &[(&'static str, serde_json::Value)], problems: &mut Problems) {
    let section = chain.iter().find(|(name, _)| *name == Redact::NAME).map(|(_, section)| section.clone());
    let config: Option<processors::redact::Config> = section.and_then(|section| serde_json::from_value(section).ok());
    if let Some(path) = config.and_then(|config| config.encrypts()) {
        problems.add_anywhere(format!(
            "processors.redact.{path}: `encrypt` needs the exporter `directory`, which keeps the keys; add it to `exporters`, \
             and to the pipelines where they name exporters"
        ));
    }
}

/// Without its exporter nobody would take the rows of the processor out of the journal.
fn without_directory(
    mut chain: Vec<(&'static str, serde_json::Value)>,
    problems: &mut Problems,
) -> Vec<(&'static str, serde_json::Value)> {
    no_lost_keys(&chain, problems);
    for (_, section) in chain.iter_mut().filter(|(name, _)| *name == processors::directory::TABLE) {
        if section.is_null() {
            *section = serde_json::json!({});
        }
        if let Some(section) = section.as_object_mut() {
            section.insert("enabled".to_owned(), false.into());
        }
    }
    chain
}

fn settings(pipeline: &model::Pipeline) -> PipelineSettings {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let bytes = pipeline.max_in_flight_bytes.map_or(24 * MIB, |s| s.0.clamp(MIB, 4 * GIB - 1));
    PipelineSettings {
        workers: pipeline.workers.unwrap_or(cores / 2).clamp(1, 256),
        max_in_flight_bytes: usize::try_from(bytes).unwrap_or(usize::MAX),
        max_connections: pipeline.max_connections.unwrap_or(1024).max(1),
    }
}

fn catalog(root: &Node, overlay: Option<&Path>, problems: &mut Problems) -> Option<Arc<Catalog>> {
    match Catalog::load(overlay) {
        Ok(catalog) => Some(Arc::new(catalog)),
        Err(e) => {
            let what = crate::with_sources(&e);
            match root.get("schemas") {
                Some(node) => {
                    let (place, width) = locate(node, &["overlay".to_owned()]);
                    problems.add(place, width, hide(node, &what));
                }
                None => problems.add_anywhere(what),
            }
            None
        }
    }
}

/// The processors that run, in order, each built once to see that its section is right.
fn chain(
    root: &Node,
    lines: &Pipelines,
    catalog: Option<Arc<Catalog>>,
    distribution: &Distribution,
    problems: &mut Problems,
) -> Vec<(&'static str, serde_json::Value)> {
    let names: Vec<&str> = distribution.processors.iter().map(|f| f.name).collect();
    let entries = known_entries(root, "processors", &names, problems);
    order(lines, &names, problems);
    // Keys do not matter for a check, and a check must not need them.
    let keys = Keyring::new(&[0; 32], 0).ok().map(Arc::new);
    let sections = entries.iter().filter(|e| listed(lines, &e.key)).filter_map(|e| {
        let name = names.iter().find(|name| **name == kind_of(&e.key))?;
        Some((*name, e.node.to_json()))
    });
    let context = catalog.zip(keys).map(|(catalog, keys)| Context {
        references: References::new(Arc::new(Disk)),
        sections: sections.collect(),
        ..Context::new(catalog, keys)
    });
    let mut chain = Vec::new();
    for factory in distribution.processors {
        let of_kind: Vec<_> = entries.iter().filter(|e| kind_of(&e.key) == factory.name).collect();
        let mut running = of_kind.iter().filter(|e| listed(lines, &e.key));
        let entry = running.next();
        if let Some(second) = running.next() {
            let text = format!("there is one `{}` in the chain; leave the others out of the pipelines", factory.name);
            problems.add(second.place, second.key.chars().count(), text);
        }
        let sealing = distribution.seal.contains(&factory.name);
        let entry = entry.or(of_kind.first().filter(|_| sealing));
        let wanted = lines.processors.is_none() || entry.is_some() || sealing;
        if !wanted || (lines.processors.is_some() && !sealing && !entry.is_some_and(|e| listed(lines, &e.key))) {
            continue;
        }
        let mut node = entry.map_or_else(|| Node::new(super::node::Value::Null), |e| e.node.clone());
        let section = node.to_json();
        if let Some(context) = &context {
            while let Err(e) = factory.make(node.to_json(), context).map(drop) {
                if !mend(&mut node, &e.path, &e.what, problems) {
                    break;
                }
            }
        }
        chain.push((factory.name, if problems.is_empty() { node.to_json() } else { section }));
    }
    chain
}

/// Whether a processor is in the pipelines, or all are.
fn listed(lines: &Pipelines, id: &str) -> bool {
    lines.processors.as_ref().is_none_or(|ids| ids.iter().any(|i| i == id))
}

/// Listed in another order than they run, processors would surprise.
fn order(lines: &Pipelines, names: &[&str], problems: &mut Problems) {
    let Some(ids) = &lines.processors else { return };
    let ranks: Vec<(usize, &String)> =
        ids.iter().filter_map(|id| Some((names.iter().position(|n| *n == kind_of(id))?, id))).collect();
    if let Some(pair) = ranks.windows(2).find(|p| p[0].0 > p[1].0) {
        problems.add_anywhere(format!(
            "in service.pipelines, `{}` stands before `{}`; processors run in the order {}",
            pair[0].1,
            pair[1].1,
            names.join(", ")
        ));
    }
}

fn built_in(root: &Node, notes: &mut Vec<String>) {
    for (section, name, why) in BUILT_IN {
        let entries = root.get(section).map(Node::entries).unwrap_or_default();
        if entries.iter().any(|e| kind_of(&e.key) == *name) {
            notes.push(format!("{name} is built in ({why}); its settings are not needed"));
        }
    }
}
