//! What takes the place of a value.

use std::borrow::Cow;
use std::sync::Arc;

use component::Keyring;
use serde::Deserialize;

use super::encoded;
use super::kind::{BUILT_IN, Kind, LONGEST_LEFT};
use crate::address::{parse, prefix};
use crate::hash::normal_form;

/// What happens to a value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A token that says what it was: `[CARD]`.
    #[default]
    Mask,
    /// The token with the last four letters or digits, when they are less than half: `[CARD:1111]`.
    LastFour,
    /// The token with a keyed pseudonym of the tenant, the same as in the columns of `hash`: `[EMAIL:e1_..]`.
    Pseudonym,
    /// The token with what many people share: an address' network, a mailbox' domain, a telephone's country, a card's
    /// issuer, an account's country.
    Truncate,
    /// Nothing stays; under a name, the entry goes. Behind `name=` in a text the token stays, or the next word would be
    /// taken for the value.
    Drop,
}

/// The action of every built-in kind, and the keys that pseudonyms need.
pub(super) struct Actions {
    of: [Action; BUILT_IN.len()],
    keys: Arc<Keyring>,
    tenant: String,
}

impl Actions {
    /// Everything is masked.
    pub(super) fn new(keys: Arc<Keyring>) -> Self {
        Self { of: [Action::Mask; BUILT_IN.len()], keys, tenant: String::new() }
    }

    /// Sets the action of a built-in kind.
    pub(super) fn set(&mut self, kind: Kind, action: Action) {
        if let Some(of) = self.of.get_mut(kind.index()) {
            *of = action;
        }
    }

    /// The action of a built-in kind.
    pub(super) fn get(&self, kind: Kind) -> Action {
        self.of.get(kind.index()).copied().unwrap_or_default()
    }

    /// Whether a kind becomes a pseudonym, so that the tenant matters.
    pub(super) fn are_keyed(&self) -> bool {
        self.of.contains(&Action::Pseudonym)
    }

    /// Whose values come now.
    pub(super) fn set_tenant(&mut self, tenant: &str) {
        tenant.clone_into(&mut self.tenant);
    }

    /// What an action leaves of a value, to stand in its token.
    pub(super) fn left(&self, action: Action, kind: Kind, value: &str) -> Option<String> {
        match action {
            Action::Mask | Action::Drop => None,
            Action::LastFour => last_four(value),
            Action::Pseudonym => self.pseudonym(kind, &meant(value)),
            Action::Truncate => truncated(kind, &meant(value)).filter(|left| left.len() <= LONGEST_LEFT),
        }
    }

    fn pseudonym(&self, kind: Kind, value: &str) -> Option<String> {
        let domain = match kind {
            Kind::Email => "email",
            Kind::Phone => "phone",
            Kind::Ip => "ip",
            Kind::User => "user",
            Kind::Session => "session",
            Kind::Device => "device",
            Kind::Key | Kind::Jwt | Kind::Secret => "apikey",
            _ => "redacted",
        };
        let form = normal_form(domain, value);
        let key = self.keys.key(&self.tenant, domain).ok()?;
        (!form.is_empty()).then(|| key.pseudonym(&form).into_string())
    }
}

/// The value without the encoding that it stands in.
fn meant(value: &str) -> Cow<'_, str> {
    if !value.contains(['%', '\\']) && value.is_ascii() {
        return value.into();
    }
    let decoded = encoded::levels(value.as_bytes()).pop().and_then(|level| String::from_utf8(level.bytes).ok());
    decoded.map_or(value.into(), Cow::Owned)
}

/// Of a short value the last four would be most of it.
fn last_four(value: &str) -> Option<String> {
    let letters: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
    (letters.len() > 8).then(|| letters[letters.len() - 4..].to_owned())
}

fn truncated(kind: Kind, value: &str) -> Option<String> {
    let digits = || value.chars().filter(char::is_ascii_digit);
    match kind {
        Kind::Ip => Some(prefix(parse(value)?)),
        Kind::Email => value.rsplit_once('@').map(|(_, domain)| format!("@{}", domain.to_lowercase())),
        Kind::Phone if value.starts_with('+') => {
            let digits: Vec<u8> = digits().filter_map(|c| u8::try_from(c).ok()).collect();
            super::detect::calling_code(&digits)
        }
        Kind::Card => Some(digits().take(6).collect::<String>()).filter(|issuer| issuer.len() == 6),
        Kind::Iban => value.get(..2).map(str::to_uppercase),
        _ => None,
    }
}
