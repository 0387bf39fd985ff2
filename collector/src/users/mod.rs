//! Who is behind a pseudonym, and what an encrypted value says: `marquetry users find` and `marquetry reveal`, asked of the
//! process that runs, or of what one left behind.
//!
//! Nobody is answered before the question stands in `access_log`, on disk: who asked, when, why, and whom they found. If that
//! row cannot be written, there is no answer.

mod access;
mod ask;
mod desk;
mod reveal;
mod serve;
mod show;
mod who;

use serde::{Deserialize, Serialize};

pub(crate) use ask::{desk, find};
pub(crate) use desk::Desk;
pub(crate) use reveal::reveal;
pub(crate) use serve::{Socket, serve};

/// Users that one answer shows at most.
const MOST: usize = 1000;

/// What is asked.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Asked {
    /// Who somebody is.
    Find(Question),
    /// What tokens hold.
    Reveal(Tokens),
}

/// Tokens to be opened.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tokens {
    /// Whose.
    pub(crate) tenant: String,
    /// Each as it stands in a text.
    pub(crate) tokens: Vec<String>,
    /// Why.
    pub(crate) reason: Option<String>,
    /// Who became root to ask; believed of root alone.
    pub(crate) sudo_user: Option<String>,
}

/// Who is asked for.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    /// Whose users.
    pub(crate) tenant: String,
    /// A piece of e-mail, name or phone.
    pub(crate) text: String,
    /// How many users to show.
    pub(crate) limit: usize,
    /// Whether to show them in clear.
    pub(crate) show: bool,
    /// Why.
    pub(crate) reason: Option<String>,
    /// Who became root to ask; believed of root alone.
    pub(crate) sudo_user: Option<String>,
}

/// What is answered.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    /// Who was found.
    Found(Found),
    /// What became of each token, in their order.
    Revealed(Vec<Opened>),
    /// Why there is no answer.
    Refused(String),
}

/// What became of a token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Opened {
    /// What it holds.
    Value(String),
    /// Its key went with its user.
    Gone,
    /// The directory has no such key, or not for this tenant.
    Unknown,
    /// Its key does not open it.
    Damaged,
}

/// Who was found.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Found {
    /// The first ones.
    pub(crate) users: Vec<User>,
    /// How many there are.
    pub(crate) total: u64,
}

/// One user, in clear or masked, as was asked.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct User {
    /// The pseudonym, as in every table.
    pub(crate) user_ref: String,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) roles: Option<String>,
    /// When the user signed up.
    pub(crate) created: Option<String>,
}
