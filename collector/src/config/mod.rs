//! Configuration in the collector's shape: `receivers`, `processors`, `exporters`, `extensions`, `service`, and
//! our own `data`, `keys`, `schemas`, `journal` and `pipeline`.
//!
//! Sources are laid over each other as trees that remember where each value stands, then read into checked types
//! with private parts. Everything that is wrong is found at once and shown with its line.

mod check;
mod components;
mod expand;
mod keys;
mod listeners;
mod mask;
mod model;
mod node;
mod problem;
mod read;
mod sources;
mod telemetry;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use component::{Component, Rotation};
pub use component::{Period, Size, human};
pub(crate) use components::BUILT_IN;
pub use listeners::{CorsRules, Listener, Wire};
pub(crate) use model::{BearerTokens, Token};
pub use model::{Encoding, Level};
pub use problem::Problems;
pub(crate) use read::meant;
pub use sources::Inputs;
pub(crate) use telemetry::reaches;
pub use telemetry::{OtlpProtocol, OtlpTarget, OwnTelemetry, PageNames, Push};

use crate::Distribution;

/// A configuration that was checked; what is in here can be trusted.
#[derive(Debug)]
pub struct Config {
    /// Folder of journal, keys and (unless said otherwise) lake.
    pub data: PathBuf,
    /// Where the root key comes from.
    pub key: KeySource,
    /// Key ids: which one writes and which are searched for, by tenant.
    pub rotation: Rotation,
    /// Folder of schema files on top of the built-in ones.
    pub overlay: Option<PathBuf>,
    /// Endpoints that take OTLP.
    pub listeners: Vec<Listener>,
    /// Processors in order, the seal's steps included, each with its section.
    pub chain: Vec<(&'static str, serde_json::Value)>,
    /// Where the tables are and how often they are written.
    pub lake: LakeSettings,
    /// How the user directory is kept; `None` where there is none.
    pub directory: Option<DirectorySettings>,
    /// Limits of the journal.
    pub journal: JournalSettings,
    /// Limits of the pipeline.
    pub pipeline: PipelineSettings,
    /// Where Prometheus finds the metrics; `None` when switched off.
    pub metrics: Option<String>,
    /// Where health is answered, and under which path.
    pub health: Option<(String, String)>,
    /// Log level, when said.
    pub log_level: Option<Level>,
    /// Form of log lines, when said.
    pub log_encoding: Option<Encoding>,
    /// What the process says of itself, to whom.
    pub telemetry: OwnTelemetry,
    /// Log what passes, as counts.
    pub debug: bool,
    /// What the reader of the start lines should know, such as upstream components that are built in.
    pub notes: Vec<String>,
}

/// Where the root key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// `<data>/keys/root.key`, made at the first start of a local lake.
    Own,
    /// A file.
    File(PathBuf),
    /// An environment variable.
    Env(String),
    /// A program that prints it, and its arguments.
    Command(Vec<String>),
}

/// The `lake` section.
#[derive(Debug, Clone)]
pub struct LakeSettings {
    /// Folder or URL.
    pub location: String,
    /// Whether it is a folder of this machine.
    pub local: bool,
    /// Longest time between commits.
    pub flush_interval: Option<std::time::Duration>,
    /// Bytes that make a commit before that.
    pub flush_bytes: Option<u64>,
    /// Time between two rounds of tidying.
    pub tidy_interval: Option<std::time::Duration>,
    /// Whether files of other writers are merged as well.
    pub merge_all: bool,
    /// How long after its end an hour is taken as whole and completed.
    pub lateness: Option<std::time::Duration>,
    /// Bytes that the facts of an hour may take.
    pub complete_memory: Option<u64>,
    /// Which traces stay once their hour rests; without it all of them do.
    pub thin: Option<processors::complete::Tail>,
}

/// The exporter `directory`.
#[derive(Debug, Clone, Copy, Default)]
pub struct DirectorySettings {
    /// Longest time between an OK and the row in the directory.
    pub flush_interval: Option<std::time::Duration>,
    /// How long opened values stay in memory after the last question.
    pub keep_open: Option<std::time::Duration>,
}

/// The `journal` section.
#[derive(Debug, Clone, Copy)]
pub struct JournalSettings {
    /// Most bytes that wait for the lake before senders are refused.
    pub max_bytes: u64,
    /// Size of one file.
    pub segment_bytes: u64,
}

/// The `pipeline` section.
#[derive(Debug, Clone, Copy)]
pub struct PipelineSettings {
    /// Threads that decode and process.
    pub workers: usize,
    /// Bytes of requests in memory before senders are told to wait.
    pub max_in_flight_bytes: usize,
    /// Connections to one endpoint.
    pub max_connections: usize,
}

impl Config {
    /// Reads and checks a configuration.
    pub fn load(inputs: &Inputs, distribution: &Distribution) -> Result<Self, Problems> {
        let (tree, problems) = sources::tree(inputs, distribution, &[]);
        check::check(&tree, problems, distribution, inputs)
    }

    /// What it takes to ask: data, lake, keys and schemas. Who asks need not hold what senders and processors need, such
    /// as tokens, so those sections are not read.
    pub(crate) fn for_questions(inputs: &Inputs, distribution: &Distribution) -> Result<Self, Problems> {
        Self::without(
            &["receivers", "processors", "extensions", "service", "journal", "pipeline"],
            inputs,
            distribution,
        )
    }

    /// What it takes to price calls besides: the processors' settings.
    pub(crate) fn for_prices(inputs: &Inputs, distribution: &Distribution) -> Result<Self, Problems> {
        Self::without(&["receivers", "extensions", "service", "journal", "pipeline"], inputs, distribution)
    }

    /// What it takes to make pseudonyms besides: the settings of `hash`, and of no other processor.
    pub(crate) fn for_pseudonyms(inputs: &Inputs, distribution: &Distribution) -> Result<Self, Problems> {
        let others = distribution.processors.iter().filter(|factory| factory.name != processors::hash::Hash::NAME);
        let others: Vec<String> = others.map(|factory| format!("processors.{}", factory.name)).collect();
        let mut unread = vec!["receivers", "extensions", "service", "journal", "pipeline"];
        unread.extend(others.iter().map(String::as_str));
        Self::without(&unread, inputs, distribution)
    }

    /// What it takes to ask for users: what is read for questions, and the seal's settings, since a look-up is written.
    pub(crate) fn for_users(inputs: &Inputs, distribution: &Distribution) -> Result<Self, Problems> {
        Self::without(&["receivers", "extensions", "service", "pipeline"], inputs, distribution)
    }

    fn without(unread: &[&str], inputs: &Inputs, distribution: &Distribution) -> Result<Self, Problems> {
        let (tree, problems) = sources::tree(inputs, distribution, unread);
        check::check(&tree, problems, distribution, inputs)
    }
}

/// The effective configuration as YAML, secrets masked.
pub fn print(inputs: &Inputs, distribution: &Distribution) -> Result<String, Problems> {
    let (tree, problems) = sources::tree(inputs, distribution, &[]);
    if problems.is_empty() { Ok(mask::to_yaml(&tree)) } else { Err(problems) }
}
