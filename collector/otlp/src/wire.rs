//! Reading protobuf fields off a byte slice, nothing copied.
//!
//! Groups are refused: OTLP has none, and skipping them is the one place where a reader would have to recurse.

/// Why bytes are not the message they were sent as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The bytes end inside a field.
    #[error("a message ends inside a field")]
    Truncated,
    /// A length reaches beyond the message that holds it.
    #[error("a field is longer than the message that holds it")]
    Length,
    /// A varint does not fit 64 bits.
    #[error("a varint does not fit 64 bits")]
    Varint,
    /// A tag with field number 0, or one that does not fit 32 bits.
    #[error("a field has an impossible tag")]
    Tag,
    /// A wire type that is no longer in use, or never was.
    #[error("a field has a wire type that OTLP does not use")]
    Group,
    /// A known field with another wire type than its own.
    #[error("field {field} has the wrong wire type")]
    Type {
        /// Its number, in whichever message was being read.
        field: u32,
    },
}

/// One field as it stands on the wire.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field<'a> {
    pub(crate) number: u32,
    value: Wire<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Wire<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32(u32),
}

impl<'a> Field<'a> {
    fn wrong<T>(self) -> Result<T, WireError> {
        Err(WireError::Type { field: self.number })
    }

    #[inline]
    pub(crate) fn bytes(self) -> Result<&'a [u8], WireError> {
        match self.value {
            Wire::Bytes(bytes) => Ok(bytes),
            _ => self.wrong(),
        }
    }

    #[inline]
    pub(crate) fn varint(self) -> Result<u64, WireError> {
        match self.value {
            Wire::Varint(value) => Ok(value),
            _ => self.wrong(),
        }
    }

    /// An `int32` or enum: the low 32 bits, as every protobuf reader takes them.
    #[inline]
    pub(crate) fn int32(self) -> Result<i32, WireError> {
        self.varint().map(|v| v as i32)
    }

    #[inline]
    pub(crate) fn fixed64(self) -> Result<u64, WireError> {
        match self.value {
            Wire::Fixed64(value) => Ok(value),
            _ => self.wrong(),
        }
    }

    #[inline]
    pub(crate) fn fixed32(self) -> Result<u32, WireError> {
        match self.value {
            Wire::Fixed32(value) => Ok(value),
            _ => self.wrong(),
        }
    }
}

/// The fields of one message, in wire order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    #[inline]
    pub(crate) fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    /// The next field, or `None` at the end of the message.
    #[inline(always)]
    pub(crate) fn field(&mut self) -> Result<Option<Field<'a>>, WireError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = u32::try_from(self.varint()?).map_err(|_| WireError::Tag)?;
        let number = tag >> 3;
        if number == 0 {
            return Err(WireError::Tag);
        }
        let value = match tag & 7 {
            0 => Wire::Varint(self.varint()?),
            1 => Wire::Fixed64(u64::from_le_bytes(self.array()?)),
            2 => Wire::Bytes(self.delimited()?),
            5 => Wire::Fixed32(u32::from_le_bytes(self.array()?)),
            _ => return Err(WireError::Group),
        };
        Ok(Some(Field { number, value }))
    }

    #[inline(always)]
    fn varint(&mut self) -> Result<u64, WireError> {
        match self.rest {
            [byte, rest @ ..] if *byte < 0x80 => {
                self.rest = rest;
                Ok(u64::from(*byte))
            }
            _ => self.long_varint(),
        }
    }

    #[inline(never)]
    fn long_varint(&mut self) -> Result<u64, WireError> {
        let mut value = 0u64;
        for (index, byte) in self.rest.iter().take(10).enumerate() {
            // The tenth byte has room for one bit.
            if index == 9 && *byte > 1 {
                return Err(WireError::Varint);
            }
            value |= u64::from(byte & 0x7f) << (7 * index);
            if *byte < 0x80 {
                self.rest = &self.rest[index + 1..];
                return Ok(value);
            }
        }
        Err(if self.rest.len() < 10 { WireError::Truncated } else { WireError::Varint })
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(WireError::Truncated)?;
        self.rest = rest;
        Ok(*array)
    }

    #[inline(always)]
    fn delimited(&mut self) -> Result<&'a [u8], WireError> {
        let length = self.varint()?;
        let length = usize::try_from(length).map_err(|_| WireError::Length)?;
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(WireError::Length)?;
        self.rest = rest;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: Result<u32, WireError>) {
        let mut reader = Reader::new(bytes);
        let mut last = Ok(0);
        loop {
            match reader.field() {
                Ok(Some(field)) => last = Ok(field.number),
                Ok(None) => break,
                Err(error) => {
                    last = Err(error);
                    break;
                }
            }
        }
        assert_eq!(last, expected, "{bytes:02x?}");
    }

    #[test]
    fn framing() {
        check(&[], Ok(0));
        check(&[0x08, 0x01], Ok(1));
        check(&[0x0a, 0x02, 1, 2, 0x15, 1, 2, 3, 4], Ok(2));
        check(&[0x08], Err(WireError::Truncated));
        check(&[0x88], Err(WireError::Truncated));
        check(&[0x0a, 0x02, 1], Err(WireError::Length));
        check(&[0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f, 1], Err(WireError::Length));
        check(&[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], Err(WireError::Length));
        check(&[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], Ok(1));
        check(&[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02], Err(WireError::Varint));
        check(&[0x09, 1, 2, 3, 4, 5, 6, 7], Err(WireError::Truncated));
        check(&[0x0d, 1, 2, 3], Err(WireError::Truncated));
        check(&[0x00, 0x01], Err(WireError::Tag));
        check(&[0xf8, 0xff, 0xff, 0xff, 0x1f, 0x01], Err(WireError::Tag));
        check(&[0x0b, 0x0c], Err(WireError::Group));
        check(&[0x0e], Err(WireError::Group));
    }
}
