//! Values that a name beside them gives away: `password=..`, `"api_key": ".."`, `Cookie: ..`, `?token=..`.

use super::super::kind::{Finding, Kind, token_at};
use super::super::names::{Names, Rule};
use super::super::tokens::BEHIND;
use super::{before, byte, iban, phone, run, steps};

/// Names that count in the query of a URL alone, where they are credentials or persons.
pub(in super::super) const QUERY_NAMES: &[&str] = &[
    "key",
    "code",
    "sig",
    "signature",
    "auth",
    "pass",
    "pin",
    "sid",
    "ticket",
    "assertion",
    "hash",
    "user",
    "login",
    "email",
];

/// Longest name that is looked at.
const NAME: usize = 48;
/// A bare value as long as this is no word of a sentence.
const LONG: usize = 24;

/// Words that follow a name in prose.
const PROSE: &[&str] = &[
    "true",
    "false",
    "null",
    "none",
    "nil",
    "undefined",
    "required",
    "invalid",
    "expired",
    "missing",
    "incorrect",
    "wrong",
    "empty",
    "must",
    "is",
    "not",
    "has",
    "cannot",
    "the",
    "failed",
    "failure",
    "error",
    "ok",
    "yes",
    "no",
    "unknown",
    "set",
    "unset",
    "valid",
    "changed",
    "reset",
    "updated",
    "too",
    "should",
    "was",
    "and",
    "or",
    "for",
    "string",
    "str",
    "object",
];

/// Whether the name before a sign may say something: most say nothing, which their last letters tell.
#[inline]
pub(in super::super) fn could_name(text: &[u8], at: usize, names: &Names) -> bool {
    names.could_end(&text[..name_end(text, at)])
}

/// The value that belongs to the name before the `=` or `:` at `at`.
pub(in super::super) fn pair(text: &[u8], at: usize, names: &mut Names) -> Option<Finding> {
    let name = name_before(text, at, names)?;
    let kind = kind_of(text, name, at, names)?;
    value(text, name, at, kind)
}

/// Where the name before a sign ends: closing quotes and spaces may stand between them.
#[inline]
pub(in super::super) fn name_end(text: &[u8], at: usize) -> usize {
    let mut end = at;
    while end > 0 && at - end < 8 && matches!(text[end - 1], b' ' | b'"' | b'\'' | b'\\' | b'`' | b']') {
        end -= 1;
    }
    end
}

fn name_before(text: &[u8], at: usize, names: &Names) -> Option<(usize, usize)> {
    let end = name_end(text, at);
    let reach = end.saturating_sub(NAME);
    if !names.could_end(&text[..end]) {
        return None;
    }
    let mut start = end;
    while start > reach
        && (text[start - 1].is_ascii_alphanumeric() || text[start - 1] >= 0x80 || b"_-.".contains(&text[start - 1]))
    {
        start -= 1;
    }
    (end - start >= 2).then_some((start, end))
}

fn kind_of(text: &[u8], (start, end): (usize, usize), at: usize, names: &mut Names) -> Option<Kind> {
    let name = std::str::from_utf8(&text[start..end]).ok()?;
    if let Rule::Mask(kind) | Rule::Remove(kind) = names.rule(name) {
        // Who is meant by an id stays for typed columns and structured data: prose is full of ids.
        return (!matches!(kind, Kind::User | Kind::Session | Kind::Device | Kind::Ip | Kind::Content)).then_some(kind);
    }
    // A query that stands alone has no mark before its first name.
    let alone = || start == 0 && matches!(byte(text, bare_end(text, at + 1)), 0 | b'&');
    let in_query = text[at] == b'=' && (matches!(before(text, start), b'?' | b'&' | b';') || alone());
    let listed = || QUERY_NAMES.iter().find(|q| q.eq_ignore_ascii_case(name));
    let listed = in_query.then(listed).flatten()?;
    Some(match *listed {
        "email" => Kind::Email,
        "user" | "login" => Kind::Name,
        _ => Kind::Secret,
    })
}

fn value(text: &[u8], (name_start, name_end): (usize, usize), at: usize, kind: Kind) -> Option<Finding> {
    let mut start = at + 1;
    start += usize::from(matches!(byte(text, start), b'=' | b'>' | b':'));
    let spaces = text.get(start..)?.iter().take(3).take_while(|b| matches!(b, b' ' | b'\t')).count();
    start += spaces;
    let slashes = text[start..].iter().take(8).take_while(|b| **b == b'\\').count();
    let quote = byte(text, start + slashes);
    if matches!(quote, b'"' | b'\'' | b'`') {
        return quoted(text, start + slashes + 1, quote, kind);
    }
    let tight = text[at] == b'=' && spaces == 0;
    // "phone: yes" is prose, and what is a telephone number is found without its name.
    if !tight && kind != Kind::Secret {
        return None;
    }
    let header = matches!(kind, Kind::Secret) && is_header(&text[name_start..name_end]);
    let end = if header { line_end(text, start) } else { bare_end(text, start).max(spaced_end(text, start, kind)) };
    let end = end - text[start..end].iter().rev().take_while(|b| matches!(b, b'.' | b']' | b'}' | b' ' | b':')).count();
    let value = &text[start..end];
    if value.is_empty() || already(text, start, end) || !(header || is_worth(value, tight, kind)) {
        return None;
    }
    Some(Finding::new(start, end, kind))
}

/// End of a number that is written with spaces.
fn spaced_end(text: &[u8], start: usize, kind: Kind) -> usize {
    let end = match kind {
        Kind::Iban => iban::iban(text, start).map(|found| found.end),
        Kind::Phone | Kind::Card | Kind::Id | Kind::Ssn => phone::extent(text, start),
        _ => None,
    };
    end.unwrap_or(start)
}

/// Up to the closing quote, of the same kind, that no backslash more than the opening one's precedes.
fn quoted(text: &[u8], start: usize, quote: u8, kind: Kind) -> Option<Finding> {
    let mut end = start;
    while end < text.len() {
        let next = memchr::memchr(quote, &text[end..]).map_or(text.len(), |n| end + n);
        steps::add(next - end + 1);
        end = next;
        let slashes = text[start..end].iter().rev().take_while(|b| **b == b'\\').count();
        steps::add(slashes);
        let opening = text[..start - 1].iter().rev().take(8).take_while(|b| **b == b'\\').count();
        if slashes <= opening {
            end -= slashes;
            break;
        }
        end += 1;
    }
    let end = end.min(text.len());
    let value = &text[start..end];
    (!value.is_empty() && !already(text, start, end)).then(|| Finding::new(start, end, kind))
}

/// Headers whose value is the rest of the line.
fn is_header(name: &[u8]) -> bool {
    let ends = |tail: &[u8]| name.len() >= tail.len() && name[name.len() - tail.len()..].eq_ignore_ascii_case(tail);
    ends(b"cookie") || ends(b"authorization")
}

fn line_end(text: &[u8], start: usize) -> usize {
    start + run(text, start, usize::MAX, |b| !b"\r\n\"'\\<>`|".contains(&b))
}

fn bare_end(text: &[u8], start: usize) -> usize {
    start + run(text, start, usize::MAX, |b| !b.is_ascii_whitespace() && !b",;&\"'<>(){}\\`|".contains(&b))
}

/// Whether the value has been redacted before.
fn already(text: &[u8], start: usize, end: usize) -> bool {
    token_at(text, start).is_some_and(|length| {
        let rest = text.get(start + length..end).unwrap_or_default();
        rest.iter().all(|b| BEHIND.contains(b))
    })
}

/// Whether a value without quotes is one. `tight` is `name=value`, which no sentence is.
fn is_worth(value: &[u8], tight: bool, kind: Kind) -> bool {
    let Ok(text) = std::str::from_utf8(value) else { return true };
    if PROSE.iter().any(|word| word.eq_ignore_ascii_case(text)) {
        return false;
    }
    if tight {
        return value.len() >= 4 || kind != Kind::Secret || value.iter().any(|b| !b.is_ascii_digit());
    }
    let digits = value.iter().any(u8::is_ascii_digit);
    let special = value.iter().skip(1).any(|b| b.is_ascii_uppercase() || b"!@#$%^*+=/_-".contains(b));
    value.len() >= LONG || (value.len() >= 6 && (digits || special))
}
