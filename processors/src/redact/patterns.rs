//! Patterns that the configuration adds.

use component::ConfigError;
use regex::Regex;
use serde::Deserialize;

use super::kind::{BUILT_IN, Finding, Kind};

/// More would not fit the kinds of a text.
const MOST: usize = 40;

/// One pattern of the configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    /// What it finds: counted under this name, replaced by `[NAME]`.
    pub name: String,
    /// A regular expression without look-around, so that it stays linear. What it matches is replaced.
    pub pattern: String,
    /// What happens to a match.
    #[serde(default)]
    pub action: Action,
}

/// What happens to a match.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A token that says what it was.
    #[default]
    Mask,
    /// The token, then the last four characters.
    LastFour,
    /// Nothing stays.
    Drop,
}

/// All patterns, ready to run.
#[derive(Debug, Default)]
pub(super) struct Patterns(Vec<Ready>);

#[derive(Debug)]
struct Ready {
    label: String,
    token: String,
    regex: Regex,
    action: Action,
}

impl Patterns {
    /// Checks and compiles.
    pub(super) fn new(patterns: &[Pattern]) -> Result<Self, ConfigError> {
        let mut ready = Vec::new();
        for (index, pattern) in patterns.iter().enumerate() {
            let at = |field: &str, what: String| ConfigError::at(&format!("patterns.{index}.{field}"), what);
            let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if pattern.name.is_empty() || pattern.name.len() > 24 || !pattern.name.chars().all(fits) {
                return Err(at("name", "a name has 1 to 24 letters, digits and underscores".to_owned()));
            }
            let label = pattern.name.to_lowercase();
            let taken = BUILT_IN.iter().any(|(_, l, _)| *l == label) || ready.iter().any(|r: &Ready| r.label == label);
            if taken {
                return Err(at("name", format!("{label} is the name of another kind; choose one of its own")));
            }
            let regex = Regex::new(&pattern.pattern).map_err(|e| at("pattern", e.to_string()))?;
            if regex.is_match("") {
                return Err(at(
                    "pattern",
                    "the pattern matches the empty text; make it match one character at least".to_owned(),
                ));
            }
            let token = format!("[{}]", label.to_uppercase());
            ready.push(Ready { label, token, regex, action: pattern.action });
        }
        if ready.len() > MOST {
            return Err(ConfigError::at("patterns", format!("at most {MOST} patterns; join some with `|`")));
        }
        Ok(Self(ready))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn label(&self, index: usize) -> &str {
        self.0.get(index).map_or("", |p| &p.label)
    }

    pub(super) fn token(&self, index: u8) -> &str {
        self.0.get(usize::from(index)).map_or("", |p| &p.token)
    }

    pub(super) fn action(&self, index: u8) -> Action {
        self.0.get(usize::from(index)).map_or(Action::Mask, |p| p.action)
    }

    /// Adds every match that leaves the tokens of earlier passes alone.
    pub(super) fn find(&self, text: &str, found: &mut Vec<Finding>) {
        for (index, pattern) in (0u8..).zip(&self.0) {
            for hit in pattern.regex.find_iter(text) {
                if !self.touches_token(text, hit.start(), hit.end()) {
                    found.push(Finding::new(hit.start(), hit.end(), Kind::Custom(index)));
                }
            }
        }
    }

    /// Whether a range touches a token: redacting a second time must find nothing new in the first time's result.
    fn touches_token(&self, text: &str, start: usize, end: usize) -> bool {
        let longest = 26;
        let reach = text.floor_char_boundary(start.saturating_sub(longest));
        let until = text.ceil_char_boundary((end + longest).min(text.len()));
        let near = &text[reach..until];
        let tokens = BUILT_IN.iter().map(|(_, _, token)| *token).chain(self.0.iter().map(|p| p.token.as_str()));
        tokens.into_iter().any(|token| {
            memchr::memmem::find_iter(near.as_bytes(), token).any(|at| {
                let kept = if self.0.iter().any(|p| p.token == token && p.action == Action::LastFour) { 4 } else { 0 };
                reach + at < end && start < reach + at + token.len() + kept
            })
        })
    }
}
