//! What the processor that encrypts users and the exporter that keeps them must agree on.

use serde::Deserialize;

/// The table between them, and the domain of its keys.
pub const TABLE: &str = "directory";

/// Version of what is encrypted; part of the place that every value is encrypted for.
pub const VERSION: &str = "1";

/// What names a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
    /// A name.
    Name,
}

impl Part {
    /// All, in the order of the table's columns.
    pub const ALL: [Self; 3] = [Self::Email, Self::Phone, Self::Name];

    /// Its word, which is part of the place that its values are encrypted for.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Name => "name",
        }
    }
}
