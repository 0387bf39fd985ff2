//! What can be found, the word it is counted under and the token that takes its place.

/// What a redacted value was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Key,
    Jwt,
    Secret,
    Card,
    Iban,
    Email,
    Phone,
    Ip,
    Mac,
    Ssn,
    Id,
    Name,
    Address,
    Birth,
    User,
    Session,
    Device,
    Content,
    /// A pattern of the configuration, by its position there.
    Custom(u8),
}

/// Kinds that are built in: name in counters and in the configuration, and token.
pub(super) const BUILT_IN: &[(Kind, &str, &str)] = &[
    (Kind::Key, "key", "[KEY]"),
    (Kind::Jwt, "jwt", "[JWT]"),
    (Kind::Secret, "secret", "[SECRET]"),
    (Kind::Card, "card", "[CARD]"),
    (Kind::Iban, "iban", "[IBAN]"),
    (Kind::Email, "email", "[EMAIL]"),
    (Kind::Phone, "phone", "[PHONE]"),
    (Kind::Ip, "ip", "[IP]"),
    (Kind::Mac, "mac", "[MAC]"),
    (Kind::Ssn, "ssn", "[SSN]"),
    (Kind::Id, "id", "[ID]"),
    (Kind::Name, "name", "[NAME]"),
    (Kind::Address, "address", "[ADDRESS]"),
    (Kind::Birth, "birth", "[BIRTH]"),
    (Kind::User, "user", "[USER]"),
    (Kind::Session, "session", "[SESSION]"),
    (Kind::Device, "device", "[DEVICE]"),
    (Kind::Content, "content", "[CONTENT]"),
];

impl Kind {
    /// Position in [`BUILT_IN`], the configuration's patterns behind it.
    pub(super) fn index(self) -> usize {
        match self {
            Self::Custom(n) => BUILT_IN.len() + usize::from(n),
            known => BUILT_IN.iter().position(|(kind, ..)| *kind == known).unwrap_or_default(),
        }
    }
}

/// Length of a built-in token that starts at `at`.
pub(super) fn token_at(bytes: &[u8], at: usize) -> Option<usize> {
    if bytes.get(at) != Some(&b'[') {
        return None;
    }
    let rest = &bytes[at..];
    BUILT_IN.iter().find(|(_, _, token)| rest.starts_with(token.as_bytes())).map(|(_, _, token)| token.len())
}

/// Whether a text is one token and nothing else.
pub(super) fn is_token(text: &str) -> bool {
    token_at(text.as_bytes(), 0) == Some(text.len())
}

/// A place in a text and what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: Kind,
}

impl Finding {
    pub(super) fn new(start: usize, end: usize, kind: Kind) -> Self {
        Self { start, end, kind }
    }
}

/// Leaves non-overlapping findings in order: the leftmost wins, then the longest, then the kind named first.
///
/// A loser that reaches beyond the winner is swallowed by it: half a secret must not stay behind.
pub(super) fn resolve(found: &mut Vec<Finding>) {
    found.sort_unstable_by(|a, b| a.start.cmp(&b.start).then(b.end.cmp(&a.end)).then(a.kind.cmp(&b.kind)));
    found.dedup_by(|later, kept| {
        let overlaps = later.start < kept.end;
        if overlaps {
            kept.end = kept.end.max(later.end);
        }
        overlaps
    });
}
