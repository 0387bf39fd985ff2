//! One row of the directory as bytes.

/// What is known of a user, each thing by its newest record: the three encrypted values, then what needs no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Facet {
    Email,
    Phone,
    Name,
    Roles,
    Status,
    Created,
}

impl Facet {
    pub(crate) const ALL: [Self; 6] = [Self::Email, Self::Phone, Self::Name, Self::Roles, Self::Status, Self::Created];
}

/// Facets of a user.
pub(crate) const FACETS: usize = Facet::ALL.len();

/// The word of a user of whom nothing may be left.
pub(crate) const ERASED: &str = "erased";

/// A row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) user_ref: &'a str,
    pub(crate) key_id: &'a str,
    pub(crate) key_wrapped: &'a str,
    pub(crate) sealed: [Option<&'a [u8]>; 3],
    pub(crate) email_ref: Option<&'a str>,
    pub(crate) phone_ref: Option<&'a str>,
    pub(crate) roles: Option<&'a str>,
    pub(crate) status: Option<&'a str>,
    /// Microseconds since 1970.
    pub(crate) created: Option<i64>,
}

/// Length of a field that is not there; no field is that long.
const NONE: u16 = u16::MAX;

impl<'a> Record<'a> {
    /// Appends its fields, each preceded by its length. `None` if one is too long, which is no row of ours.
    pub(crate) fn write(&self, out: &mut Vec<u8>) -> Option<()> {
        let created = self.created.map(i64::to_le_bytes);
        let text = |text: Option<&'a str>| text.map(str::as_bytes);
        let fields = [
            Some(self.tenant.as_bytes()),
            Some(self.user_ref.as_bytes()),
            Some(self.key_id.as_bytes()),
            Some(self.key_wrapped.as_bytes()),
            self.sealed[0],
            self.sealed[1],
            self.sealed[2],
            text(self.email_ref),
            text(self.phone_ref),
            text(self.roles),
            text(self.status),
            created.as_ref().map(|bytes| bytes.as_slice()),
        ];
        for field in fields {
            let length = field.map_or(Some(NONE), |f| u16::try_from(f.len()).ok().filter(|len| *len < NONE))?;
            out.extend_from_slice(&length.to_le_bytes());
            out.extend_from_slice(field.unwrap_or_default());
        }
        Some(())
    }

    /// Reads it back. Fields behind the known ones are a later version's.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut rest = bytes;
        let mut next = || -> Option<Option<&'a [u8]>> {
            let length = u16::from_le_bytes(rest.get(..2)?.try_into().ok()?);
            rest = &rest[2..];
            if length == NONE {
                return Some(None);
            }
            let field = rest.get(..length.into())?;
            rest = &rest[length.into()..];
            Some(Some(field))
        };
        let text = |field: Option<&'a [u8]>| -> Option<Option<&'a str>> {
            field.map_or(Some(None), |bytes| std::str::from_utf8(bytes).ok().map(Some))
        };
        Some(Self {
            tenant: text(next()?)??,
            user_ref: text(next()?)??,
            key_id: text(next()?)??,
            key_wrapped: text(next()?)??,
            sealed: [next()?, next()?, next()?],
            email_ref: text(next()?)?,
            phone_ref: text(next()?)?,
            roles: text(next()?)?,
            status: text(next()?)?,
            created: match next()? {
                Some(bytes) => Some(i64::from_le_bytes(bytes.try_into().ok()?)),
                None => None,
            },
        })
    }

    /// Whether nothing said before may be left.
    pub(crate) fn erases(&self) -> bool {
        self.status == Some(ERASED)
    }

    /// Whether it is about a data key alone, under which texts of tables are encrypted.
    pub(crate) fn is_key(&self) -> bool {
        !self.key_id.is_empty()
            && !self.key_wrapped.is_empty()
            && !self.erases()
            && !Facet::ALL.into_iter().any(|facet| self.has(facet))
    }

    /// Whether it says something of a facet.
    pub(crate) fn has(&self, facet: Facet) -> bool {
        match facet {
            Facet::Email | Facet::Phone | Facet::Name => self.sealed[facet as usize].is_some(),
            Facet::Roles => self.roles.is_some(),
            Facet::Status => self.status.is_some(),
            Facet::Created => self.created.is_some(),
        }
    }

    /// Without what it says of a facet.
    pub(crate) fn forget(&mut self, facet: Facet) {
        match facet {
            Facet::Email => (self.sealed[0], self.email_ref) = (None, None),
            Facet::Phone => (self.sealed[1], self.phone_ref) = (None, None),
            Facet::Name => self.sealed[2] = None,
            Facet::Roles => self.roles = None,
            Facet::Status => self.status = None,
            Facet::Created => self.created = None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back() {
        let whole = Record {
            tenant: "default",
            user_ref: "u1_a",
            key_id: "k",
            key_wrapped: "w1_x",
            sealed: [Some(&[1, 2, 255]), None, Some(&[])],
            email_ref: Some("e1_a"),
            phone_ref: None,
            roles: Some("teacher"),
            status: None,
            created: Some(-5),
        };
        for record in [whole.clone(), Record::default()] {
            let mut bytes = Vec::new();
            record.write(&mut bytes).unwrap();
            assert_eq!(Record::read(&bytes), Some(record.clone()));
            bytes.extend_from_slice(b"later");
            assert_eq!(Record::read(&bytes), Some(record), "fields of a later version");
        }
        let mut bytes = Vec::new();
        whole.write(&mut bytes).unwrap();
        for at in 0..bytes.len() {
            assert_eq!(Record::read(&bytes[..at]), None, "cut at {at}");
        }
        let long = "x".repeat(70_000);
        assert_eq!(Record { user_ref: &long, ..Record::default() }.write(&mut bytes), None);
    }
}
