//! Patterns that the configuration adds.

use component::ConfigError;
use regex::Regex;
use serde::Deserialize;

use super::action::Action;
use super::kind::{Finding, Kind, token_at, token_of};
use super::tokens::Tokens;
use super::validate::Validator;

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
    /// A check that a match must pass as well, its signs and spaces left out.
    #[serde(default)]
    pub validator: Option<Validator>,
    /// Words of which one must stand near a match, in any case.
    #[serde(default)]
    pub context: Vec<String>,
    /// How many bytes before or behind a match the words are looked for.
    #[serde(default = "within")]
    pub within: usize,
}

fn within() -> usize {
    48
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
    validator: Option<Validator>,
    context: Option<Regex>,
    within: usize,
}

impl Patterns {
    /// Checks and compiles.
    pub(super) fn new(patterns: &[Pattern]) -> Result<Self, ConfigError> {
        let mut ready: Vec<Ready> = Vec::new();
        for (index, pattern) in patterns.iter().enumerate() {
            let at = |field: &str, what: String| ConfigError::at(&format!("patterns.{index}.{field}"), what);
            let new = Ready::new(pattern, &at)?;
            if Kind::named(&new.label).is_some() || ready.iter().any(|r| r.label == new.label) {
                return Err(at("name", format!("{} is the name of another kind; choose one of its own", new.label)));
            }
            ready.push(new);
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

    /// Whether a pattern's matches are treated so.
    pub(super) fn contain(&self, action: Action) -> bool {
        self.0.iter().any(|p| p.action == action)
    }

    /// Adds every match that leaves the tokens of earlier passes alone.
    pub(super) fn find(&self, text: &str, tokens: &mut Tokens<'_>, found: &mut Vec<Finding>) {
        for (index, pattern) in (0u8..).zip(&self.0) {
            let mut near: Option<Vec<(usize, usize)>> = None;
            for hit in pattern.regex.find_iter(text) {
                if pattern.validator.is_some_and(|validator| !validator.accepts(hit.as_str()))
                    || !pattern.is_told(text, hit.start(), hit.end(), &mut near, tokens)
                    || tokens.touch(hit.start(), hit.end())
                {
                    continue;
                }
                found.push(Finding::new(hit.start(), hit.end(), Kind::Custom(index)));
            }
        }
    }

    /// Length of a token, ours or the configuration's, that starts at `at`.
    pub(super) fn token_at(&self, text: &[u8], at: usize) -> Option<usize> {
        let own = || {
            let known = |label: &[u8]| self.0.iter().any(|p| p.token.as_bytes()[1..p.token.len() - 1] == *label);
            token_of(text, at, known)
        };
        token_at(text, at).or_else(|| if self.0.is_empty() { None } else { own() })
    }
}

impl Ready {
    fn new(pattern: &Pattern, at: &dyn Fn(&str, String) -> ConfigError) -> Result<Self, ConfigError> {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if pattern.name.is_empty() || pattern.name.len() > 24 || !pattern.name.chars().all(fits) {
            return Err(at("name", "a name has 1 to 24 letters, digits and underscores".to_owned()));
        }
        let label = pattern.name.to_lowercase();
        let regex = Regex::new(&pattern.pattern).map_err(|e| at("pattern", e.to_string()))?;
        if regex.is_match("") {
            return Err(at(
                "pattern",
                "the pattern matches the empty text; make it match one character at least".to_owned(),
            ));
        }
        if pattern.context.iter().any(|word| word.trim().is_empty()) {
            return Err(at("context", "a word of the context is empty".to_owned()));
        }
        let words: Vec<String> = pattern.context.iter().map(|word| regex::escape(word.trim())).collect();
        let context = format!(r"(?i)\b{{start-half}}(?:{})\b{{end-half}}", words.join("|"));
        let context = (!words.is_empty()).then(|| Regex::new(&context)).transpose();
        Ok(Self {
            token: format!("[{}]", label.to_uppercase()),
            label,
            regex,
            action: pattern.action,
            validator: pattern.validator,
            context: context.map_err(|e| at("context", e.to_string()))?,
            within: pattern.within,
        })
    }

    /// Whether a word of the context stands near; `near` remembers where the words of this text are. Those inside a token
    /// are none.
    fn is_told(
        &self,
        text: &str,
        start: usize,
        end: usize,
        near: &mut Option<Vec<(usize, usize)>>,
        tokens: &mut Tokens<'_>,
    ) -> bool {
        let Some(context) = &self.context else { return true };
        let words = near.get_or_insert_with(|| {
            let words = context.find_iter(text).map(|word| (word.start(), word.end()));
            words.filter(|(from, _)| tokens.over(*from).is_none()).collect()
        });
        // Words are in order: the last that begins before the match, and the first behind it.
        let behind = words.partition_point(|(from, _)| *from < end);
        let before = behind.checked_sub(1).is_some_and(|i| words[i].1 + self.within >= start);
        before || words.get(behind).is_some_and(|(from, _)| *from <= end + self.within)
    }
}
