//! A whole text: found, resolved and replaced until nothing is left to find.

use component::{Counts, ProcessError, Rows};

use super::action::{Action, Actions};
use super::encoded;
use super::encrypt::Masked;
use super::json;
use super::kind::{BUILT_IN, Finding, Kind, is_token, resolve};
use super::names::{Names, Rule};
use super::patterns::Patterns;
use super::scan::{Off, scan};
use super::tokens::Tokens;

/// A replacement can part what stood together, so the result is looked at again, at most this often.
const ROUNDS: usize = 6;

/// JSON in strings in JSON is opened so deep; below, it is looked at as plain text.
const DEPTH: usize = 6;

/// Finds and replaces in one text after another, and counts what it replaced.
pub(super) struct Cleaner {
    pub(super) names: Names,
    patterns: Patterns,
    actions: Actions,
    off: Off,
    found: Vec<Finding>,
    /// What was replaced since the last drain.
    counted: Vec<Kind>,
    /// Whether what takes a value's place depends on whose it is.
    keyed: bool,
    /// Values of this gather that were masked, since nobody is known whose they are.
    nobodys: u64,
}

impl Cleaner {
    pub(super) fn new(names: Names, patterns: Patterns, actions: Actions, off: Off) -> Self {
        let uses = |action: Action| actions.contain(action) || patterns.contain(action);
        let keyed = uses(Action::Pseudonym) || uses(Action::Encrypt);
        Self { names, patterns, actions, off, found: Vec::new(), counted: Vec::new(), keyed, nobodys: 0 }
    }

    /// Whether what takes a value's place depends on whose it is.
    pub(super) fn is_keyed(&self) -> bool {
        self.keyed
    }

    /// A new gather begins.
    pub(super) fn clear(&mut self) {
        self.actions.clear();
        self.nobodys = 0;
    }

    /// The rows of a table come now.
    pub(super) fn begin(&mut self, rows: &Rows) {
        if self.keyed {
            self.actions.begin(rows);
        }
    }

    /// Texts of a row come now; gives the number of its subject.
    pub(super) fn set_row(&mut self, row: usize) -> usize {
        if self.keyed { self.actions.set_row(row) } else { 0 }
    }

    /// Whether something of the subject came into a text since this was asked last.
    pub(super) fn told(&mut self) -> bool {
        self.actions.told()
    }

    /// Books something that was replaced in a row, by the position of its kind.
    pub(super) fn note(&mut self, row: usize, kind: usize) {
        if self.keyed && self.action_at(kind) == Action::Encrypt && self.actions.is_nobodys(row) {
            self.nobodys += 1;
        }
    }

    /// Rows of the directory for the keys that this gather uses.
    pub(super) fn keys_used(&self) -> Result<Option<Rows>, ProcessError> {
        self.actions.keys_used()
    }

    /// Counts what should have been encrypted and was masked, by why.
    pub(super) fn count_masked(&self, counts: &Counts) {
        let (long, no_key) = (self.actions.masked(Masked::TooLong), self.actions.masked(Masked::NoKey));
        for (why, n) in [("no_user", self.nobodys), ("too_long", long), ("no_key", no_key)] {
            counts.add("redact_encrypt_masked", why, n);
        }
    }

    /// The word a kind is counted under.
    pub(super) fn label(&self, index: usize) -> &str {
        BUILT_IN.get(index).map_or_else(|| self.patterns.label(index - BUILT_IN.len()), |(_, label, _)| *label)
    }

    /// Number of kinds.
    pub(super) fn kinds(&self) -> usize {
        BUILT_IN.len() + self.patterns.len()
    }

    /// Hands over what was replaced since the last time, and begins anew.
    pub(super) fn drain(&mut self) -> std::vec::Drain<'_, Kind> {
        self.counted.drain(..)
    }

    /// Counts something that was replaced.
    pub(super) fn count(&mut self, kind: Kind) {
        self.counted.push(kind);
    }

    /// The text without what it may not hold; `None` when there was nothing. JSON is walked by its keys.
    pub(super) fn clean(&mut self, text: &str) -> Option<String> {
        self.clean_at(text, 0)
    }

    /// As [`Cleaner::clean`], then cut: never before, so that no half of a secret is left at the end.
    pub(super) fn clean_and_cut(&mut self, text: &str, most: usize) -> Option<String> {
        let mut cleaned = self.clean(text);
        for _ in 0..ROUNDS {
            let now = cleaned.as_deref().unwrap_or(text);
            if now.len() <= most {
                break;
            }
            let cut = self.cut(now, most).to_owned();
            // What is left may look like something that the whole did not.
            let again = self.clean(&cut);
            cleaned = Some(again.unwrap_or(cut));
        }
        cleaned.map(|text| self.cut(&text, most).to_owned())
    }

    /// The beginning of a text, at most so many bytes, no token and no character in halves.
    fn cut<'t>(&self, text: &'t str, most: usize) -> &'t str {
        if text.len() <= most {
            return text;
        }
        let end = text.floor_char_boundary(most);
        let mut tokens = self.tokens(text);
        let last = end.checked_sub(1).and_then(|last| tokens.over(last));
        let halved = last.filter(|(_, until)| *until > end).map(|(from, _)| from);
        &text[..halved.unwrap_or(end)]
    }

    pub(super) fn clean_at(&mut self, text: &str, depth: usize) -> Option<String> {
        if depth < DEPTH && text.len() > 2 && matches!(text.trim_ascii_start().as_bytes().first(), Some(b'{' | b'[')) {
            match json::walk(text, self, depth) {
                json::Walked::Same => return None,
                json::Walked::Changed(new) => return Some(new),
                json::Walked::NotJson => {}
            }
        }
        self.clean_plain(text)
    }

    /// The value under a name: the name decides first. `Err` when the entry must go.
    pub(super) fn clean_value(&mut self, rule: Rule, value: &str) -> Result<Option<String>, Removed> {
        match rule {
            Rule::Remove(kind) => {
                self.count(kind);
                Err(Removed)
            }
            Rule::Mask(kind) => {
                let masked = self.masked(kind, value);
                if masked.is_some() {
                    self.count(kind);
                }
                Ok(masked)
            }
            Rule::Scan => Ok(self.clean(value)),
        }
    }

    /// What takes the place of a whole value, unless there is nothing to hide; uncounted.
    pub(super) fn masked(&mut self, kind: Kind, value: &str) -> Option<String> {
        let is_ours = || self.actions.proofs.length_at(value.as_bytes(), 0) == Some(value.len());
        let nothing =
            matches!(value, "" | "true" | "false" | "null" | "\"\"" | "[]" | "{}") || is_token(value) || is_ours();
        (!nothing).then(|| self.replacement(kind, value))
    }

    /// The rule for a name, and the name without what it may not hold. What is redacted from a name says nothing.
    pub(super) fn name(&mut self, name: &str, depth: usize, done: &mut Vec<Kind>) -> (Rule, Option<String>) {
        let known = self.names.known(name);
        if known.harmless {
            return (known.rule, None);
        }
        match self.clean_aside(name, depth, done) {
            Some(new) => (self.names.rule(&new), Some(new)),
            None => {
                self.names.is_harmless(name);
                (known.rule, None)
            }
        }
    }

    /// Cleans a part of a larger text; the counts go to `done`, for when it is known that the part stands.
    pub(super) fn clean_aside(&mut self, text: &str, depth: usize, done: &mut Vec<Kind>) -> Option<String> {
        let outer = std::mem::replace(&mut self.counted, std::mem::take(done));
        let cleaned = self.clean_at(text, depth);
        *done = std::mem::replace(&mut self.counted, outer);
        cleaned
    }

    /// The tokens of a text.
    pub(super) fn tokens<'a>(&'a self, text: &'a str) -> Tokens<'a> {
        Tokens::new(text.as_bytes(), &self.patterns, &self.actions.proofs)
    }

    fn token(&self, kind: Kind) -> &str {
        token(&self.patterns, kind)
    }

    fn action(&self, kind: Kind) -> Action {
        match kind {
            Kind::Custom(n) => self.patterns.action(n),
            known => self.actions.get(known),
        }
    }

    fn action_at(&self, index: usize) -> Action {
        let custom = || u8::try_from(index - BUILT_IN.len()).map_or(Action::Mask, |n| self.patterns.action(n));
        BUILT_IN.get(index).map_or_else(custom, |(kind, ..)| self.actions.get(*kind))
    }

    /// Whether values of a kind are encrypted.
    pub(super) fn encrypts(&self, kind: Kind) -> bool {
        self.action(kind) == Action::Encrypt
    }

    /// What takes the place of a value.
    pub(super) fn replacement(&mut self, kind: Kind, value: &str) -> String {
        let action = self.action(kind);
        let token = token(&self.patterns, kind);
        let open = token.trim_end_matches(']');
        let made = match action {
            Action::Drop => return String::new(),
            Action::Encrypt => self.actions.encrypted(&open[1..], value),
            _ => self.actions.left(action, kind, value).map(|left| format!("{open}:{left}]")),
        };
        made.unwrap_or_else(|| token.to_owned())
    }

    fn clean_plain(&mut self, text: &str) -> Option<String> {
        let mut current = None;
        for _ in 0..ROUNDS {
            match self.round(current.as_deref().unwrap_or(text)) {
                Some(next) => current = Some(next),
                None => break,
            }
        }
        current
    }

    /// The kind of the first thing that a short text holds, uncounted.
    pub(super) fn first_kind(&mut self, text: &str) -> Option<Kind> {
        self.find(text);
        self.found.first().map(|f| f.kind)
    }

    fn find(&mut self, text: &str) {
        self.found.clear();
        let encoded = scan(text.as_bytes(), &mut self.names, &self.actions.proofs, &mut self.found);
        if encoded {
            self.find_encoded(text.as_bytes());
        }
        let mut tokens = Tokens::new(text.as_bytes(), &self.patterns, &self.actions.proofs);
        self.patterns.find(text, &mut tokens, &mut self.found);
        if self.found.is_empty() {
            return;
        }
        let off = self.off;
        self.found.retain(|f| !off.has(f.kind) && !tokens.hold(f.start, f.end));
        for finding in &mut self.found {
            finding.start = text.floor_char_boundary(finding.start);
            finding.end = text.ceil_char_boundary(finding.end);
        }
        resolve(&mut self.found);
    }

    fn find_encoded(&mut self, text: &[u8]) {
        let mut inside = Vec::new();
        for level in encoded::levels(text) {
            inside.clear();
            scan(&level.bytes, &mut self.names, &self.actions.proofs, &mut inside);
            self.found.extend(inside.iter().map(|f| {
                let (start, end) = level.original(f.start, f.end);
                Finding::new(start, end, f.kind)
            }));
        }
    }

    fn round(&mut self, text: &str) -> Option<String> {
        self.find(text);
        if self.found.is_empty() {
            return None;
        }
        let found = std::mem::take(&mut self.found);
        let mut out = String::with_capacity(text.len());
        let mut from = 0;
        for finding in &found {
            out.push_str(&text[from..finding.start]);
            self.count(finding.kind);
            let new = self.replacement(finding.kind, &text[finding.start..finding.end]);
            // Behind a name the next word would be taken for the value that was dropped.
            let is_value = new.is_empty() && out.trim_end_matches(' ').ends_with(['=', ':']);
            out.push_str(if is_value { self.token(finding.kind) } else { &new });
            from = finding.end;
        }
        out.push_str(&text[from..]);
        self.found = found;
        Some(out)
    }
}

/// The token of a kind, without anything of a value.
fn token(patterns: &Patterns, kind: Kind) -> &str {
    match kind {
        Kind::Custom(n) => patterns.token(n),
        known => BUILT_IN[known.index()].2,
    }
}

/// The entry must not stay.
#[derive(Debug)]
pub(super) struct Removed;
