//! What a row of any table says about its user.

use std::borrow::Cow;
use std::hash::Hash;

use arrow::array::{Array, TimestampMicrosecondArray};
use component::{ProcessError, Rows, Text};

use super::Part;
use crate::hash::Maker;

/// Longer than any address or number; what is longer is something else.
const MOST: usize = 320;

/// Words for a user's beginning, by the column that has them.
const CREATED: [(&str, &[&str]); 2] = [("action", &["signup", "USER_CREATE"]), ("event_name", &["user_created"])];

/// The columns of a table that say something about users.
pub(super) struct Source<'a> {
    tenant: Option<Text<'a>>,
    user_ref: Text<'a>,
    user_source: Option<Text<'a>>,
    outcome: Option<Text<'a>>,
    email: Option<Text<'a>>,
    phone: Option<Text<'a>>,
    full_name: Option<Text<'a>>,
    user_name: Option<Text<'a>>,
    email_ref: Option<Text<'a>>,
    phone_ref: Option<Text<'a>>,
    roles: Option<Text<'a>>,
    created: [Option<Text<'a>>; CREATED.len()],
    time: Option<&'a TimestampMicrosecondArray>,
}

/// What one row says.
pub(super) struct Said<'a> {
    pub(super) tenant: &'a str,
    pub(super) user_ref: &'a str,
    pub(super) email_ref: Option<&'a str>,
    pub(super) phone_ref: Option<&'a str>,
    pub(super) roles: Option<&'a str>,
    pub(super) time: Option<i64>,
    pub(super) created: Option<i64>,
    parts: [Option<&'a str>; Part::ALL.len()],
}

impl<'a> Source<'a> {
    /// `None` if no row of the table can say anything.
    pub(super) fn of(rows: &'a Rows, keep: &[Part]) -> Option<Self> {
        let kept = |part: Part, column: &str| rows.text(column).filter(|_| keep.contains(&part));
        let source = Self {
            tenant: rows.text("tenant"),
            user_ref: rows.text("user_ref")?,
            user_source: rows.text("user_source"),
            outcome: rows.text("outcome"),
            email: kept(Part::Email, "user_email"),
            phone: kept(Part::Phone, "user_phone"),
            full_name: kept(Part::Name, "full_name"),
            user_name: kept(Part::Name, "user_name"),
            email_ref: rows.text("email_ref"),
            phone_ref: rows.text("phone_ref"),
            roles: rows.text("user_role"),
            created: CREATED.map(|(column, _)| rows.text(column)),
            time: rows.get("time").and_then(|time| time.as_any().downcast_ref()),
        };
        let says = [&source.email, &source.phone, &source.full_name, &source.user_name];
        says.iter().any(|column| column.is_some()).then_some(source)
    }

    /// What a row says, if it says anything of a user that is known.
    pub(super) fn said(&self, row: usize) -> Option<Said<'a>> {
        let at =
            |column: &Option<Text<'a>>| column.and_then(|text| text.get(row)).map(str::trim).filter(|t| !t.is_empty());
        let user_ref = self.user_ref.get(row)?;
        let inferred = at(&self.user_source).is_some_and(|source| source != "attribute");
        if inferred || at(&self.outcome) == Some("failure") {
            return None;
        }
        // A user name is often the address that was typed; then it names nobody that the address does not.
        let user_name = at(&self.user_name).filter(|name| !name.contains('@'));
        let parts = [at(&self.email), at(&self.phone), at(&self.full_name).or(user_name)];
        let parts = parts.map(|part| part.filter(|value| value.len() <= MOST));
        if parts.iter().all(Option::is_none) {
            return None;
        }
        let time = self.time.filter(|time| time.is_valid(row)).map(|time| time.value(row));
        let mut words = self.created.iter().zip(CREATED);
        let created = words.any(|(column, (_, words))| at(column).is_some_and(|word| words.contains(&word)));
        Some(Said {
            tenant: at(&self.tenant).unwrap_or_default(),
            user_ref,
            email_ref: at(&self.email_ref),
            phone_ref: at(&self.phone_ref),
            roles: at(&self.roles),
            time,
            created: time.filter(|_| created),
            parts,
        })
    }
}

impl<'a> Said<'a> {
    /// What makes it news: who, what and since when, as it was sent.
    pub(super) fn content(&self) -> impl Hash {
        (self.tenant, self.user_ref, self.parts, self.roles, self.created)
    }

    /// One part of what names the user, in its normal form.
    pub(super) fn part(&self, part: Part, maker: &Maker) -> Result<Option<Cow<'a, str>>, ProcessError> {
        let Some(value) = self.parts[part as usize] else { return Ok(None) };
        let normal = match part {
            Part::Email | Part::Phone => maker.scope(self.tenant, part.as_str())?.normal(value),
            Part::Name => value.into(),
        };
        Ok(Some(normal).filter(|normal| !normal.is_empty()))
    }
}
