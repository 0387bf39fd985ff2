//! What takes the place of a value.

use std::borrow::Cow;
use std::sync::Arc;

use component::{KeyError, Keyring, ProcessError, Rows};
use serde::Deserialize;

use super::encoded;
use super::encrypt::{Encrypter, Masked};
use super::kind::{BUILT_IN, Kind, LONGEST_LEFT};
use super::subjects::Subjects;
use super::token::Proofs;
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
    /// The token with the value encrypted under a key of the row's user: `[EMAIL:<key id>:..]`. `marquetry reveal` opens it
    /// until the user is erased. Without a user, and for values above 512 bytes, as `mask`.
    Encrypt,
    /// Nothing stays; under a name, the entry goes. Behind `name=` in a text the token stays, or the next word would be
    /// taken for the value.
    Drop,
}

/// The action of every built-in kind, and what keyed ones need.
pub(super) struct Actions {
    of: [Action; BUILT_IN.len()],
    keys: Arc<Keyring>,
    pub(super) proofs: Proofs,
    /// There when a kind or pattern is encrypted.
    encrypter: Option<Encrypter>,
    subjects: Subjects,
    /// Number of the subject whose values come now.
    subject: usize,
    /// Whether something of the subject came into a text.
    told: bool,
}

impl Actions {
    /// Everything is masked.
    pub(super) fn new(keys: Arc<Keyring>) -> Result<Self, KeyError> {
        Ok(Self {
            of: [Action::Mask; BUILT_IN.len()],
            proofs: Proofs::new(&keys)?,
            keys,
            encrypter: None,
            subjects: Subjects::default(),
            subject: 0,
            told: false,
        })
    }

    /// Sets the action of a built-in kind.
    pub(super) fn set(&mut self, kind: Kind, action: Action) {
        if let Some(of) = self.of.get_mut(kind.index()) {
            *of = action;
        }
    }

    /// With this, values can be encrypted.
    pub(super) fn encrypt_by(&mut self, encrypter: Encrypter) {
        self.encrypter = Some(encrypter);
    }

    /// The action of a built-in kind.
    pub(super) fn get(&self, kind: Kind) -> Action {
        self.of.get(kind.index()).copied().unwrap_or_default()
    }

    /// Whether a kind is treated so.
    pub(super) fn contain(&self, action: Action) -> bool {
        self.of.contains(&action)
    }

    /// A new gather begins.
    pub(super) fn clear(&mut self) {
        self.subjects.clear();
        self.encrypter.iter_mut().for_each(Encrypter::clear);
    }

    /// The rows of a table come now.
    pub(super) fn begin(&mut self, rows: &Rows) {
        self.subjects.begin(rows, self.encrypter.is_some());
    }

    /// Values of a row come now; gives the number of its subject.
    pub(super) fn set_row(&mut self, row: usize) -> usize {
        self.subject = self.subjects.of(row);
        self.subject
    }

    /// Whether nobody is known whose row it is.
    pub(super) fn is_nobodys(&self, row: usize) -> bool {
        self.subjects.get(self.subjects.of(row)).is_none_or(|met| met.subject.user.is_none())
    }

    /// Whether something of the subject came into a text since this was asked last.
    pub(super) fn told(&mut self) -> bool {
        std::mem::take(&mut self.told)
    }

    /// The token of an encrypted value; `None` when it must be masked.
    pub(super) fn encrypted(&mut self, label: &str, value: &str) -> Option<String> {
        self.told = true;
        let met = self.subjects.get(self.subject)?;
        self.encrypter.as_mut()?.token(self.subject, met, &self.proofs, label, value)
    }

    /// How many values of the gather were masked for a reason that should have been encrypted.
    pub(super) fn masked(&self, why: Masked) -> u64 {
        self.encrypter.as_ref().map_or(0, |encrypter| encrypter.masked(why))
    }

    /// Rows of the directory for the keys that this gather uses.
    pub(super) fn keys_used(&self) -> Result<Option<Rows>, ProcessError> {
        self.encrypter.as_ref().map_or(Ok(None), |encrypter| encrypter.rows(&self.subjects, &self.proofs))
    }

    /// What an action leaves of a value, to stand in its token.
    pub(super) fn left(&mut self, action: Action, kind: Kind, value: &str) -> Option<String> {
        match action {
            Action::Mask | Action::Drop | Action::Encrypt => None,
            Action::LastFour => last_four(value),
            Action::Pseudonym => {
                self.told = true;
                self.pseudonym(kind, &meant(value))
            }
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
        let tenant = self.subjects.get(self.subject).map_or("", |met| &met.subject.tenant);
        let key = self.keys.key(tenant, domain).ok()?;
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
