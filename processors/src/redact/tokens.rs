//! Where a text holds tokens: of an earlier pass, or of another process.

use super::kind::LONGEST_TOKEN;
use super::patterns::Patterns;
use super::token::Proofs;

/// Signs that may stand behind a token that is the whole of a value.
pub(super) const BEHIND: &[u8] = b"[](){}.,;:%";

/// The tokens of one text.
pub(super) struct Tokens<'a> {
    text: &'a [u8],
    patterns: &'a Patterns,
    proofs: &'a Proofs,
    /// The place that was looked at last, and the length of the token there: findings often share one.
    last: Option<(usize, Option<usize>)>,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a [u8], patterns: &'a Patterns, proofs: &'a Proofs) -> Self {
        Self { text, patterns, proofs, last: None }
    }

    /// Length of a token that begins at a place.
    pub(super) fn at(&mut self, at: usize) -> Option<usize> {
        match self.last {
            Some((last, length)) if last == at => length,
            _ => {
                let length = self.patterns.token_at(self.text, at);
                let length = length.or_else(|| self.proofs.length_at(self.text, at));
                self.last = Some((at, length));
                length
            }
        }
    }

    /// Beginning and end of the token that reaches over a place.
    pub(super) fn over(&mut self, at: usize) -> Option<(usize, usize)> {
        let from = opening(self.text, at)?;
        let until = from + self.at(from)?;
        (until > at).then_some((from, until))
    }

    /// Whether a range lies inside a token, or is one with nothing but signs behind it: what an earlier pass left.
    pub(super) fn hold(&mut self, start: usize, end: usize) -> bool {
        self.over(start).is_some_and(|(from, until)| {
            end <= until || (from == start && self.text[until..end].iter().all(|b| BEHIND.contains(b)))
        })
    }

    /// Whether a range touches a token: redacting a second time must find nothing new in the first time's result.
    pub(super) fn touch(&mut self, start: usize, end: usize) -> bool {
        let inside = self.text.get(start + 1..end).unwrap_or_default();
        self.over(start).is_some() || memchr::memchr_iter(b'[', inside).any(|at| self.at(start + 1 + at).is_some())
    }
}

/// Where a token that reaches over a place would have to begin: none holds a space or another bracket.
pub(super) fn opening(text: &[u8], at: usize) -> Option<usize> {
    if text.get(at) == Some(&b'[') {
        return Some(at);
    }
    let from = at.saturating_sub(LONGEST_TOKEN);
    let last = from + memchr::memrchr3(b'[', b']', b' ', &text[from..at])?;
    (text[last] == b'[').then_some(last)
}
