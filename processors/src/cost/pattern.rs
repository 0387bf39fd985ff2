//! How names are recognised: a rule tree over lower-case text, written in the data as short patterns.
//!
//! `gpt-4o` is that name, `gpt-4o*` a beginning, `*-latest` an end, `*claude*` a part; a list means any of its rules,
//! and `{all: [..]}`, `{not: ..}` and `{regex: ..}` are what they say.

use regex::Regex;
use serde::Deserialize;

/// A rule as the data states it.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum RawRule {
    Text(String),
    Any(Vec<RawRule>),
    All { all: Vec<RawRule> },
    Not { not: Box<RawRule> },
    Regex { regex: String },
}

/// A rule, ready to match.
#[derive(Debug)]
pub(super) enum Rule {
    Equals(String),
    StartsWith(String),
    EndsWith(String),
    Contains(String),
    Matches(Regex),
    Any(Vec<Rule>),
    All(Vec<Rule>),
    Not(Box<Rule>),
}

/// How a rule fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// The whole name, letter by letter.
    Exact,
    /// A pattern.
    Pattern,
}

impl Rule {
    pub(super) fn new(raw: &RawRule) -> Result<Self, regex::Error> {
        let all = |rules: &[RawRule]| rules.iter().map(Self::new).collect::<Result<Vec<_>, _>>();
        Ok(match raw {
            RawRule::Text(text) => Self::text(text),
            RawRule::Any(rules) => Self::Any(all(rules)?),
            RawRule::All { all: rules } => Self::All(all(rules)?),
            RawRule::Not { not } => Self::Not(Box::new(Self::new(not)?)),
            RawRule::Regex { regex } => Self::Matches(Regex::new(regex)?),
        })
    }

    /// A short pattern with an asterisk at its beginning, its end, both or neither.
    pub(super) fn text(pattern: &str) -> Self {
        let pattern = pattern.to_lowercase();
        let (open_start, open_end) = (pattern.starts_with('*'), pattern.ends_with('*'));
        let literal = pattern.trim_matches('*').to_owned();
        match (open_start, open_end) {
            (false, false) => Self::Equals(literal),
            (false, true) => Self::StartsWith(literal),
            (true, false) => Self::EndsWith(literal),
            (true, true) => Self::Contains(literal),
        }
    }

    /// Whether and how `name`, already in lower case, fits.
    pub(super) fn fit(&self, name: &str) -> Option<Fit> {
        let pattern = |yes: bool| yes.then_some(Fit::Pattern);
        match self {
            Self::Equals(text) => (name == text).then_some(Fit::Exact),
            Self::StartsWith(text) => pattern(name.starts_with(text.as_str())),
            Self::EndsWith(text) => pattern(name.ends_with(text.as_str())),
            Self::Contains(text) => pattern(name.contains(text.as_str())),
            Self::Matches(regex) => pattern(regex.is_match(name)),
            Self::Any(rules) => {
                // An exact alternative says more than a pattern that stands before it.
                let mut fits = rules.iter().filter_map(|rule| rule.fit(name));
                let first = fits.next()?;
                Some(if first == Fit::Exact || fits.any(|fit| fit == Fit::Exact) { Fit::Exact } else { first })
            }
            Self::All(rules) => pattern(rules.iter().all(|rule| rule.fit(name).is_some())),
            Self::Not(rule) => pattern(rule.fit(name).is_none()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit() {
        for (rule, name, expected) in [
            (r#""GPT-4o""#, "gpt-4o", Some(Fit::Exact)),
            (r#""gpt-4o""#, "gpt-4o-mini", None),
            (r#""gpt-4o*""#, "gpt-4o-mini", Some(Fit::Pattern)),
            (r#""*-latest""#, "sonar-latest", Some(Fit::Pattern)),
            (r#""*-latest""#, "latest-sonar", None),
            (r#""*claude*""#, "us.anthropic.claude-3", Some(Fit::Pattern)),
            (r#""*""#, "anything", Some(Fit::Pattern)),
            (r#"["gpt*", "gpt-4"]"#, "gpt-4", Some(Fit::Exact)),
            (r#"["gpt*", "o3"]"#, "o4", None),
            (r#"{"all": ["gemini*", {"not": {"regex": "-tts$"}}]}"#, "gemini-2.5", Some(Fit::Pattern)),
            (r#"{"all": ["gemini*", {"not": {"regex": "-tts$"}}]}"#, "gemini-2.5-tts", None),
        ] {
            let raw: RawRule = serde_json::from_str(rule).unwrap();
            assert_eq!(Rule::new(&raw).unwrap().fit(name), expected, "{rule} on {name}");
        }
    }
}
