//! A whole text: found, resolved and replaced until nothing is left to find.

use super::encoded;
use super::json;
use super::kind::{BUILT_IN, Finding, Kind, is_token, resolve, token_at};
use super::names::{Names, Rule};
use super::patterns::{Action, Patterns};
use super::scan::{Off, scan};

/// A replacement can part what stood together, so the result is looked at again, at most this often.
const ROUNDS: usize = 6;

/// Length of the longest token.
const LONGEST_TOKEN: usize = 12;

/// JSON in strings in JSON is opened so deep; below, it is looked at as plain text.
const DEPTH: usize = 6;

/// Finds and replaces in one text after another, and counts what it replaced.
pub(super) struct Cleaner {
    pub(super) names: Names,
    patterns: Patterns,
    off: Off,
    found: Vec<Finding>,
    /// What was replaced since the last drain.
    counted: Vec<Kind>,
}

impl Cleaner {
    pub(super) fn new(names: Names, patterns: Patterns, off: Off) -> Self {
        Self { names, patterns, off, found: Vec::new(), counted: Vec::new() }
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
            let cut = cut(now, most).to_owned();
            // What is left may look like something that the whole did not.
            let again = self.clean(&cut);
            cleaned = Some(again.unwrap_or(cut));
        }
        cleaned.map(|text| cut(&text, most).to_owned())
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
            Rule::Remove => {
                self.count(Kind::Content);
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

    /// The token of a kind, unless there is nothing to hide; uncounted.
    pub(super) fn masked(&self, kind: Kind, value: &str) -> Option<String> {
        let nothing = matches!(value, "" | "true" | "false" | "null" | "\"\"" | "[]" | "{}") || is_token(value);
        (!nothing).then(|| self.token(kind).to_owned())
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

    pub(super) fn token(&self, kind: Kind) -> &str {
        match kind {
            Kind::Custom(n) => self.patterns.token(n),
            known => BUILT_IN[known.index()].2,
        }
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
        let encoded = scan(text.as_bytes(), &mut self.names, &mut self.found);
        if encoded {
            self.find_encoded(text.as_bytes());
        }
        self.patterns.find(text, &mut self.found);
        if self.found.is_empty() {
            return;
        }
        let off = self.off;
        self.found.retain(|f| !off.has(f.kind) && token_at(text.as_bytes(), f.start) != Some(f.end - f.start));
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
            scan(&level.bytes, &mut self.names, &mut inside);
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
            self.replace(&mut out, &text[finding.start..finding.end], finding.kind);
            from = finding.end;
        }
        out.push_str(&text[from..]);
        self.found = found;
        Some(out)
    }

    fn replace(&mut self, out: &mut String, value: &str, kind: Kind) {
        self.count(kind);
        let action = match kind {
            Kind::Custom(n) => self.patterns.action(n),
            _ => Action::Mask,
        };
        match action {
            Action::Drop => {}
            Action::Mask => out.push_str(self.token(kind)),
            Action::LastFour => {
                out.push_str(self.token(kind));
                let tail = value.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
                // Of a short value the last four would be most.
                if value.len() >= 8 {
                    out.push_str(&value[tail..]);
                }
            }
        }
    }
}

/// The beginning of a text, at most so many bytes, no token and no character in halves.
fn cut(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let end = text.floor_char_boundary(most);
    let reach = end.saturating_sub(LONGEST_TOKEN);
    let halved = (reach..end).find(|at| token_at(text.as_bytes(), *at).is_some_and(|length| at + length > end));
    &text[..halved.unwrap_or(end)]
}

/// The entry must not stay.
#[derive(Debug)]
pub(super) struct Removed;
