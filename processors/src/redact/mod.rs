//! Finds personal data and secrets in every text and replaces them by what they were.
//!
//! A name decides first: `authorization` is a secret whatever stands there, `gen_ai.input.messages` goes. Then every text
//! is passed over once, bytes only, with anchored checks where something could begin; JSON is walked by its keys, and
//! percent-encoded, escaped and base64 text is read as what it means. It runs last, in the seal.
//!
//! ```yaml
//! processors:
//!   redact:
//!     keep_content: false               # keep prompts, completions and HTTP bodies, looked through like any text
//!     skip: [mac]                       # kinds that are left alone
//!     secret_names: [x-internal-pass]   # attributes whose value is a secret
//!     keep_names: [app.token]           # attributes whose name says nothing
//!     patterns:
//!       - { name: employee, pattern: "EMP-[0-9]{6}", action: last_four }   # mask, last_four or drop
//! ```

mod columns;
mod detect;
mod encoded;
mod json;
mod kind;
mod names;
mod own;
mod patterns;
mod scan;
#[cfg(test)]
mod tests;
mod text;

use component::{Component, ConfigError, Context, Counts, Gather, ProcessError, Processor};
use serde::Deserialize;

pub use patterns::{Action, Pattern};

use kind::BUILT_IN;
use names::Names;
use patterns::Patterns;
use scan::Off;
use text::Cleaner;

/// Settings.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Keeps the content of model calls and HTTP bodies, looked through like any text.
    pub keep_content: bool,
    /// Kinds that are left alone, by the names they are counted under.
    pub skip: Vec<String>,
    /// More attribute names whose value is a secret.
    pub secret_names: Vec<String>,
    /// Attribute names that say nothing about their value.
    pub keep_names: Vec<String>,
    /// More that is to be found.
    pub patterns: Vec<Pattern>,
}

/// The processor.
pub struct Redact {
    cleaner: Cleaner,
    counts: Counts,
}

impl Component for Redact {
    const NAME: &'static str = "redact";
    const ABOUT: &'static str = "Finds personal data and secrets in every text and replaces them.";
    type Config = Config;

    fn new(config: Config, cx: &Context) -> Result<Self, ConfigError> {
        let mut off = Off::default();
        for (index, name) in config.skip.iter().enumerate() {
            let known = BUILT_IN.iter().find(|(_, label, _)| label == name);
            let (kind, ..) = known.ok_or_else(|| {
                let all: Vec<&str> = BUILT_IN.iter().map(|(_, label, _)| *label).collect();
                ConfigError::at(&format!("skip.{index}"), format!("no such kind; the kinds are {}", all.join(", ")))
            })?;
            off.add(*kind);
        }
        let names = Names::new(&cx.catalog, config.keep_content, &config.secret_names, &config.keep_names, off);
        let cleaner = Cleaner::new(names, Patterns::new(&config.patterns)?, off);
        Ok(Self { cleaner, counts: cx.counts.clone() })
    }
}

impl Processor for Redact {
    fn process(&mut self, gather: &mut Gather) -> Result<(), ProcessError> {
        let mut totals = vec![0; self.cleaner.kinds()];
        for rows in gather.tables_mut() {
            columns::redact(rows, &mut self.cleaner, &mut totals)?;
        }
        for (index, total) in totals.into_iter().enumerate() {
            self.counts.add("redactions", self.cleaner.label(index), total);
        }
        Ok(())
    }
}
