//! How much a request carries, without reading it.

use crate::wire::{Reader, WireError};

/// How many data points a metrics export request carries.
pub fn count_data_points(body: &[u8]) -> Result<u64, WireError> {
    let mut count = 0;
    each(body, 1, |resource| each(resource, 2, |scope| each(scope, 2, |metric| points(metric, &mut count))))?;
    Ok(count)
}

/// How many spans or log records an export request carries.
pub fn count_records(body: &[u8]) -> Result<u64, WireError> {
    let mut count = 0;
    each(body, 1, |resource| {
        each(resource, 2, |scope| {
            each(scope, 2, |_| {
                count += 1;
                Ok(())
            })
        })
    })?;
    Ok(count)
}

/// Calls `f` with every occurrence of an embedded message.
fn each<'a>(
    message: &'a [u8],
    number: u32,
    mut f: impl FnMut(&'a [u8]) -> Result<(), WireError>,
) -> Result<(), WireError> {
    let mut reader = Reader::new(message);
    while let Some(field) = reader.field()? {
        if field.number == number {
            f(field.bytes()?)?;
        }
    }
    Ok(())
}

/// A metric has points of one kind; of several kinds the last one given counts.
fn points(metric: &[u8], count: &mut u64) -> Result<(), WireError> {
    let (mut kind, mut of_kind) = (0, 0);
    let mut reader = Reader::new(metric);
    while let Some(field) = reader.field()? {
        if !matches!(field.number, 5 | 7 | 9 | 10 | 11) {
            continue;
        }
        if field.number != kind {
            (kind, of_kind) = (field.number, 0);
        }
        each(field.bytes()?, 1, |_| {
            of_kind += 1;
            Ok(())
        })?;
    }
    *count += of_kind;
    Ok(())
}
