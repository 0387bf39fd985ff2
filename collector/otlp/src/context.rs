//! What records share: their resource and their scope.

use std::borrow::Cow;

use crate::attributes::Attributes;
use crate::keys::Keys;
use crate::value::{Refusal, refuse_unless_utf8};
use crate::wire::{Reader, WireError};

/// A resource or a scope, kept while the records of following requests have an equal one.
#[derive(Debug)]
pub(crate) struct Shared<'a> {
    /// As it came; a message sent in parts is the parts one after the other.
    pub(crate) bytes: Cow<'a, [u8]>,
    pub(crate) name: &'a [u8],
    pub(crate) version: &'a [u8],
    pub(crate) attributes: Attributes<'a>,
    /// Why all records below it are refused.
    pub(crate) refusal: Option<Refusal>,
}

/// Which of the two it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    Resource,
    Scope,
}

impl<'a> Shared<'a> {
    /// None given.
    pub(crate) fn none(keys: &Keys) -> Self {
        let mut attributes = Attributes::new(keys, 0);
        attributes.clear();
        Self { bytes: Cow::Borrowed(&[]), name: &[], version: &[], attributes, refusal: None }
    }

    /// Whether these parts say the same, byte by byte.
    pub(crate) fn is(&self, parts: &[&'a [u8]]) -> bool {
        match parts {
            [] => self.bytes.is_empty(),
            [one] => *self.bytes == **one,
            // Rare enough to read again.
            _ => false,
        }
    }

    /// Reads another one in its place. After an error there is none.
    pub(crate) fn read(&mut self, keys: &Keys, sort: Sort, parts: &[&'a [u8]]) -> Result<(), WireError> {
        self.bytes = match parts {
            [] => Cow::Borrowed(&[]),
            [one] => Cow::Borrowed(*one),
            many => Cow::Owned(many.concat()),
        };
        (self.name, self.version, self.refusal) = (&[], &[], None);
        self.attributes.clear();
        for part in parts {
            let result = match sort {
                Sort::Resource => self.read_resource(keys, part),
                Sort::Scope => self.read_scope(keys, part),
            };
            if result.is_err() {
                // An equal one must be read again, to fail again.
                self.bytes = Cow::Borrowed(&[]);
                (self.name, self.version, self.refusal) = (&[], &[], None);
                self.attributes.clear();
                return result;
            }
        }
        Ok(())
    }

    fn read_resource(&mut self, keys: &Keys, part: &'a [u8]) -> Result<(), WireError> {
        let mut reader = Reader::new(part);
        while let Some(field) = reader.field()? {
            match field.number {
                1 => self.attributes.read(keys, field.bytes()?, &mut self.refusal)?,
                2 => {
                    field.varint()?;
                }
                3 => {
                    field.bytes()?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn read_scope(&mut self, keys: &Keys, part: &'a [u8]) -> Result<(), WireError> {
        let mut reader = Reader::new(part);
        while let Some(field) = reader.field()? {
            match field.number {
                1 => self.name = field.bytes()?,
                2 => self.version = field.bytes()?,
                3 => self.attributes.read(keys, field.bytes()?, &mut self.refusal)?,
                4 => {
                    field.varint()?;
                }
                _ => {}
            }
        }
        refuse_unless_utf8(self.name, "the name of a scope", &mut self.refusal);
        refuse_unless_utf8(self.version, "the version of a scope", &mut self.refusal);
        Ok(())
    }
}
