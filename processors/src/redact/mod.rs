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
//!     actions:                          # what takes a value's place; a token that says what it was, unless told here
//!       email: pseudonym                # [EMAIL:e1_..], the same as email_ref
//!       ip: truncate                    # [IP:203.0.113.0/24]
//!       card: last_four                 # [CARD:1111]
//!       phone: encrypt                  # [PHONE:<key id>:..], which `marquetry reveal` opens until the user is erased
//!       secret: drop                    # nothing; under a name, the entry goes
//!     secret_names: [x-internal-pass]   # attributes whose value is a secret
//!     keep_names: [app.token]           # attributes whose name says nothing
//!     patterns:
//!       - name: employee                # counted under this name, replaced by [EMPLOYEE]
//!         pattern: "[0-9]{8}"
//!         validator: luhn               # a check that must fit as well
//!         context: [employee, staff]    # words of which one must stand near
//!         within: 48                    # so many bytes away at most
//!         action: last_four
//!     memory: 16777216                  # bytes in which the process remembers whose data key is which
//! ```
//!
//! Overlapping finds become one, the leftmost and longest; redacting twice changes nothing.
//!
//! # Encryption
//!
//! With `encrypt` a value can be read again by who holds the root key and has the directory, until the user is erased: then
//! the key is gone and every copy of the token says nothing any more, in whatever file it lies. It is for values that must be
//! kept but not be seen, of which erasing must not rewrite the lake.
//!
//! - The key is that of the user whose **row** it is (`user_ref`), and not of whom the text is about: in a teacher's row the
//!   address of a student goes with the teacher. A user who was inferred counts as well as one who was sent.
//! - In a row of nobody the value is masked, and so are values above 512 bytes: `redact_encrypt_masked{no_user|too_long}`.
//! - One user's equal values are equal tokens as long as the process remembers the key; between users, and from one process to
//!   the next, they are not. Search and counting need `pseudonym` or the columns `email_ref`, `phone_ref`.
//! - A token is 105 bytes and more. A column with a `max_len` is cut before a token that does not fit.
//! - The exporter `directory` must run, since it keeps the keys.

mod action;
mod columns;
mod detect;
mod encoded;
mod encrypt;
mod json;
mod kind;
mod lists;
mod marks;
mod names;
mod own;
mod patterns;
mod scan;
mod steps;
mod subjects;
#[cfg(test)]
mod tests;
mod text;
mod token;
mod tokens;
mod validate;

#[cfg(fuzzing)]
pub use steps::taken as steps_taken;

use std::collections::BTreeMap;
use std::sync::Arc;

use component::{Component, ConfigError, Context, Counts, Gather, KeyError, ProcessError, Processor};
use serde::Deserialize;

pub use action::Action;
pub use patterns::Pattern;
pub use token::Token;
pub use validate::Validator;

use action::Actions;
use encrypt::Encrypter;
use kind::{BUILT_IN, Kind};
use names::Names;
use patterns::Patterns;
use scan::Off;
use text::Cleaner;

/// Settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Keeps the content of model calls and HTTP bodies, looked through like any text.
    pub keep_content: bool,
    /// Kinds that are left alone, by the names they are counted under.
    pub skip: Vec<String>,
    /// What takes the place of a kind's values, by the names they are counted under.
    pub actions: BTreeMap<String, Action>,
    /// More attribute names whose value is a secret.
    pub secret_names: Vec<String>,
    /// Attribute names that say nothing about their value.
    pub keep_names: Vec<String>,
    /// More that is to be found.
    pub patterns: Vec<Pattern>,
    /// Bytes in which the process remembers whose data key is which, where something is encrypted.
    pub memory: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            keep_content: false,
            skip: Vec::new(),
            actions: BTreeMap::new(),
            secret_names: Vec::new(),
            keep_names: Vec::new(),
            patterns: Vec::new(),
            memory: 16 << 20,
        }
    }
}

impl Config {
    /// Where encryption is asked for first, below this section.
    pub fn encrypts(&self) -> Option<String> {
        let kinds = self.actions.iter().map(|(kind, action)| (format!("actions.{kind}"), *action));
        let patterns = self.patterns.iter().enumerate().map(|(n, p)| (format!("patterns.{n}.action"), p.action));
        kinds.chain(patterns).find(|(_, action)| *action == Action::Encrypt).map(|(path, _)| path)
    }
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
            off.add(kind_named(name, &format!("skip.{index}"))?);
        }
        let mut names = Names::new(&cx.catalog, config.keep_content, &config.secret_names, &config.keep_names, off);
        let no_key = |e: KeyError| ConfigError::at("", e.to_string());
        let mut actions = Actions::new(Arc::clone(&cx.keys)).map_err(no_key)?;
        for (name, action) in &config.actions {
            let path = format!("actions.{name}");
            let kind = kind_named(name, &path)?;
            if kind == Kind::Content {
                return Err(ConfigError::at(&path, "content is dropped, or looked through with keep_content"));
            }
            actions.set(kind, *action);
            if *action == Action::Drop {
                names.drop(kind);
            }
        }
        if let Some(path) = config.encrypts() {
            let nowhere = || ConfigError::at(&path, "there is no table `directory` that could keep the keys");
            actions.encrypt_by(Encrypter::new(cx, config.memory).ok_or_else(nowhere)?);
        }
        let cleaner = Cleaner::new(names, Patterns::new(&config.patterns)?, actions, off);
        Ok(Self { cleaner, counts: cx.counts.clone() })
    }
}

impl Processor for Redact {
    fn process(&mut self, gather: &mut Gather) -> Result<(), ProcessError> {
        let mut totals = vec![0; self.cleaner.kinds()];
        self.cleaner.clear();
        for rows in gather.tables_mut() {
            columns::redact(rows, &mut self.cleaner, &mut totals)?;
        }
        if let Some(keys) = self.cleaner.keys_used()? {
            gather.add(keys)?;
        }
        self.cleaner.count_masked(&self.counts);
        for (index, total) in totals.into_iter().enumerate() {
            self.counts.add("redactions", self.cleaner.label(index), total);
        }
        Ok(())
    }
}

fn kind_named(name: &str, path: &str) -> Result<Kind, ConfigError> {
    Kind::named(name).ok_or_else(|| {
        let all: Vec<&str> = BUILT_IN.iter().map(|(_, label, _)| *label).collect();
        ConfigError::at(path, format!("no such kind; the kinds are {}", all.join(", ")))
    })
}
