//! Who logs in inside a URL: `https://user:password@host`.

use super::super::kind::{Finding, Kind, token_at};

/// Longest part before the host that is looked through.
const LONGEST: usize = 1024;

/// The user and password behind `://`, where `at` is the place of the colon. Also the place of the `@`.
pub(in super::super) fn user_info(text: &[u8], at: usize) -> Option<(Option<Finding>, usize)> {
    if !text[at..].starts_with(b"://") {
        return None;
    }
    let start = at + 3;
    let authority = super::run(text, start, LONGEST, |b| !b.is_ascii_whitespace() && !b"/?#\"'<>\\`,".contains(&b));
    let end = start + text[start..start + authority].iter().rposition(|b| *b == b'@')?;
    let info = &text[start..end];
    if info.is_empty() || info == b"git" || token_at(text, start) == Some(info.len()) {
        return Some((None, end));
    }
    Some((Some(Finding::new(start, end, Kind::Secret)), end))
}
