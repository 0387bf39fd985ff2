//! What can be found, the word it is counted under and the token that takes its place.

use super::token;

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
    Crypto,
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
    (Kind::Crypto, "crypto", "[CRYPTO]"),
    (Kind::Name, "name", "[NAME]"),
    (Kind::Address, "address", "[ADDRESS]"),
    (Kind::Birth, "birth", "[BIRTH]"),
    (Kind::User, "user", "[USER]"),
    (Kind::Session, "session", "[SESSION]"),
    (Kind::Device, "device", "[DEVICE]"),
    (Kind::Content, "content", "[CONTENT]"),
];

/// Length of the longest token: no other leaves as much of a value as encryption does.
pub(super) const LONGEST_TOKEN: usize = token::LONGEST;

/// Bytes that an action leaves of a value, at most.
pub(super) const LONGEST_LEFT: usize = 64;

impl Kind {
    /// Position in [`BUILT_IN`], the configuration's patterns behind it.
    pub(super) fn index(self) -> usize {
        match self {
            Self::Custom(n) => BUILT_IN.len() + usize::from(n),
            known => BUILT_IN.iter().position(|(kind, ..)| *kind == known).unwrap_or_default(),
        }
    }

    /// The kind of a name in the configuration.
    pub(super) fn named(name: &str) -> Option<Self> {
        BUILT_IN.iter().find(|(_, label, _)| *label == name).map(|(kind, ..)| *kind)
    }
}

/// Length of a built-in token that starts at `at`: `[IP]`, or with what was left of the value `[IP:203.0.113.0/24]`.
pub(super) fn token_at(bytes: &[u8], at: usize) -> Option<usize> {
    token_of(bytes, at, |label| BUILT_IN.iter().any(|(_, _, token)| token.as_bytes()[1..token.len() - 1] == *label))
}

/// Length of a token with a known label that starts at `at`.
pub(super) fn token_of(bytes: &[u8], at: usize, is_known: impl Fn(&[u8]) -> bool) -> Option<usize> {
    let rest = bytes.get(at..)?.strip_prefix(b"[")?;
    let fits = |b: &u8| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_';
    let label = rest.iter().take(32).take_while(|b| fits(b)).count();
    if !is_known(&rest[..label]) {
        return None;
    }
    match rest.get(label)? {
        b']' => Some(label + 2),
        b':' => {
            let left = &rest[label + 1..];
            let length = left.iter().take(LONGEST_LEFT + 1).position(|b| *b == b']')?;
            is_left(&left[..length]).then_some(label + length + 3)
        }
        _ => None,
    }
}

/// Whether a token's inside is what an action leaves: nothing else may hide there.
fn is_left(left: &[u8]) -> bool {
    let domain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-') || *b >= 0x80;
    let network = |b: &u8| b.is_ascii_hexdigit() || matches!(b, b':' | b'.');
    match left {
        [b'@', rest @ ..] => !rest.is_empty() && rest.iter().all(domain),
        [b'+', code @ ..] => (1..=3).contains(&code.len()) && code.iter().all(u8::is_ascii_digit),
        [a, b] => a.is_ascii_uppercase() && b.is_ascii_uppercase(),
        [_, _, _, _] => left.iter().all(u8::is_ascii_alphanumeric),
        [_, _, _, _, _, _] => left.iter().all(u8::is_ascii_digit),
        [address @ .., b'/', b'2', b'4'] | [address @ .., b'/', b'4', b'8'] => address.iter().all(network),
        _ => is_pseudonym(left),
    }
}

/// A letter, the number of a key, and 26 digits of base32.
fn is_pseudonym(left: &[u8]) -> bool {
    let Some((head, digits)) = left.split_at_checked(left.len().saturating_sub(26)) else { return false };
    let [letter, number @ .., b'_'] = head else { return false };
    letter.is_ascii_lowercase()
        && (1..=10).contains(&number.len())
        && number.iter().all(u8::is_ascii_digit)
        && digits.iter().all(|b| b.is_ascii_lowercase() || matches!(b, b'2'..=b'7'))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_what_may_stand_in_them() {
        let whole = [
            "[EMAIL]",
            "[EMAIL:e1_abcdefghijklmnopqrstuvwxyz]",
            "[EMAIL:@example.com]",
            "[PHONE:+44]",
            "[CARD:411111]",
            "[CARD:1111]",
            "[IBAN:DE]",
            "[IP:203.0.113.0/24]",
            "[IP:2001:db8:7::/48]",
        ];
        assert!(whole.iter().all(|text| is_token(text)), "{:?}", whole.iter().find(|text| !is_token(text)));
        let none = [
            "[EMAIL:bob@example.com]",
            "[IP:203.0.113.7]",
            "[PHONE:+14155552671]",
            "[CARD:4111111111111111]",
            "[OTHER]",
            "[EMAIL",
            "[EMAIL:]",
        ];
        assert!(!none.iter().any(|text| is_token(text)), "{:?}", none.iter().find(|text| is_token(text)));
    }

    #[test]
    fn overlaps_resolve_in_any_order() {
        let findings = [
            Finding::new(2, 5, Kind::Phone),
            Finding::new(0, 4, Kind::Email),
            Finding::new(0, 4, Kind::Card),
            Finding::new(7, 9, Kind::Ip),
        ];
        let mut orders = [findings, findings];
        orders[1].reverse();
        for order in orders {
            let mut found = order.to_vec();
            resolve(&mut found);
            assert_eq!(found, [Finding::new(0, 5, Kind::Card), Finding::new(7, 9, Kind::Ip)]);
        }
    }
}
