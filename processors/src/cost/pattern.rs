//! How names are recognised: a rule over lower-case text, written in the data as short patterns.
//!
//! `gpt-4o` is that name, `gpt-4o*` a beginning, `*-latest` an end, `*claude*` a part, `^o[134]` a regular expression.
//! Patterns apart mean any of them; `a*&!*b` means both, the second one not.

use std::sync::OnceLock;

use regex::Regex;

/// A regular expression, compiled when it is first needed: a list has hundreds, and a process meets few.
#[derive(Debug, Default)]
pub(super) struct Expression {
    pattern: String,
    compiled: OnceLock<Option<Regex>>,
}

impl Expression {
    pub(super) fn new(pattern: String) -> Self {
        Self { pattern, compiled: OnceLock::new() }
    }

    fn compiled(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| Regex::new(&self.pattern).ok()).as_ref()
    }

    /// Whether it is one at all.
    pub(super) fn is_valid(&self) -> bool {
        self.compiled().is_some()
    }

    pub(super) fn is_match(&self, text: &str) -> bool {
        self.compiled().is_some_and(|regex| regex.is_match(text))
    }
}

/// A rule, ready to match.
#[derive(Debug)]
pub(super) enum Rule {
    Equals(String),
    StartsWith(String),
    EndsWith(String),
    Contains(String),
    Matches(Expression),
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
    /// Patterns with spaces between them.
    pub(super) fn any(patterns: &str) -> Self {
        if !patterns.contains(' ') {
            return Self::all(patterns);
        }
        Self::Any(patterns.split(' ').map(Self::all).collect())
    }

    fn all(patterns: &str) -> Self {
        if !patterns.contains('&') {
            return Self::one(patterns);
        }
        Self::All(patterns.split('&').map(Self::one).collect())
    }

    fn one(pattern: &str) -> Self {
        if let Some(refused) = pattern.strip_prefix('!') {
            return Self::Not(Box::new(Self::one(refused)));
        }
        if pattern.starts_with('^') {
            return Self::Matches(Expression::new(pattern.to_owned()));
        }
        Self::text(pattern)
    }

    /// Whether every regular expression in it is one.
    pub(super) fn is_valid(&self) -> bool {
        match self {
            Self::Matches(expression) => expression.is_valid(),
            Self::Any(rules) | Self::All(rules) => rules.iter().all(Self::is_valid),
            Self::Not(rule) => rule.is_valid(),
            _ => true,
        }
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
            ("GPT-4o", "gpt-4o", Some(Fit::Exact)),
            ("gpt-4o", "gpt-4o-mini", None),
            ("gpt-4o*", "gpt-4o-mini", Some(Fit::Pattern)),
            ("*-latest", "sonar-latest", Some(Fit::Pattern)),
            ("*-latest", "latest-sonar", None),
            ("*claude*", "us.anthropic.claude-3", Some(Fit::Pattern)),
            ("*", "anything", Some(Fit::Pattern)),
            ("gpt* gpt-4", "gpt-4", Some(Fit::Exact)),
            ("gpt* o3", "o4", None),
            (r"^o\d{1}$", "o3", Some(Fit::Pattern)),
            ("gemini*&!^.*-tts$", "gemini-2.5", Some(Fit::Pattern)),
            ("gemini*&!^.*-tts$", "gemini-2.5-tts", None),
        ] {
            assert_eq!(Rule::any(rule).fit(name), expected, "{rule} on {name}");
        }
        assert!(!Rule::any("a ^(").is_valid() && Rule::any("a&!^b c").is_valid());
    }
}
