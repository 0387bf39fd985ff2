//! The fields of a record, written to whichever column asks for them.

use crate::columns::Column;
use crate::plan::Field;
use crate::record::{Event, Link, Parts};
use crate::rows::{Row, put_shared};
use crate::text;
use crate::value::Value;

const DAY: u64 = 86_400_000_000_000;
/// How far before its receipt an event's own date is believed.
const PAST: u64 = 30 * DAY;
/// How far after.
const FUTURE: u64 = DAY;

/// When something happened, as columns have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    nanos: u64,
    received: u64,
    date: i32,
    is_suspect: bool,
}

impl Moment {
    /// `nanos` is believed if it lies near `received`; otherwise the date is that of receipt.
    pub(crate) fn new(nanos: u64, received: u64) -> Self {
        let is_suspect = nanos < received.saturating_sub(PAST) || nanos > received.saturating_add(FUTURE);
        let day = if is_suspect { received } else { nanos } / DAY;
        // 2^64 nanoseconds are 213,503 days.
        Self { nanos, received, date: day as i32, is_suspect }
    }
}

/// Writes a field, and says whether there was anything to write.
#[inline]
pub(crate) fn put_field(column: &mut Column, at: usize, field: Field, row: &Row<'_, '_>) -> bool {
    let record = row.record;
    match field {
        Field::Time => put_time(column, at, row.moment.nanos),
        Field::ObservedTime => record.observed != 0 && put_time(column, at, record.observed),
        Field::ReceivedTime => put_time(column, at, row.moment.received),
        Field::TimeUnixNano => put_number(column, at, clamped(row.moment.nanos)),
        Field::Date => match column {
            Column::Date(column) => {
                column.push(at, row.moment.date);
                true
            }
            _ => false,
        },
        Field::TimeSuspect => row.moment.is_suspect && put_bool(column, at, true),
        Field::TraceId => put_hex(column, at, record.trace_id),
        Field::SpanId => put_hex(column, at, record.span_id),
        Field::ParentSpanId => put_hex(column, at, record.parent_span_id),
        Field::Name if record.name.is_empty() => put_text(column, at, record.event_name),
        Field::Name => put_text(column, at, record.name),
        Field::EventName => put_text(column, at, record.event_name),
        Field::Kind => put_text(column, at, record.kind.as_bytes()),
        Field::Duration => match record.end.checked_sub(record.time) {
            // Only spans have an end; without a start its distance from 1970 means nothing.
            Some(duration) if record.time != 0 && record.end != 0 => put_number(column, at, clamped(duration)),
            _ => false,
        },
        Field::StatusCode => put_text(column, at, record.status.unwrap_or_default().as_bytes()),
        Field::StatusMessage => put_text(column, at, record.status_message),
        Field::SeverityNumber => put_number_unless_0(column, at, i64::from(record.severity_number)),
        Field::SeverityText => put_text(column, at, record.severity_text),
        Field::Body => put_body(column, at, &record.body),
        Field::Events => put_list(column, at, &row.parts.events, |out, event| write_event(out, event, row.parts)),
        Field::Links => put_list(column, at, &row.parts.links, |out, link| write_link(out, link, row.parts)),
        Field::TraceState => put_text(column, at, record.trace_state),
        Field::Flags => put_number_unless_0(column, at, i64::from(record.flags)),
        Field::RecordUid => put_text(column, at, row.uid),
        Field::EventIndex => record.event_index.is_some_and(|index| put_number(column, at, index)),
        Field::IsPrimary => put_bool(column, at, row.is_primary),
        // Whatever is left over is written when it is known.
        Field::Attributes | Field::Resource | Field::ReceivedAs | Field::ResourceAs => false,
        Field::Tenant | Field::ScopeName | Field::ScopeVersion | Field::ScopeAttributes | Field::ScopeAs => {
            put_shared(column, at, field, row.around)
        }
    }
}

fn clamped(nanos: u64) -> i64 {
    i64::try_from(nanos).unwrap_or(i64::MAX)
}

#[inline]
fn put_text(column: &mut Column, at: usize, text: &[u8]) -> bool {
    if !text.is_empty() {
        column.text(at, text);
    }
    !text.is_empty()
}

#[inline]
fn put_hex(column: &mut Column, at: usize, id: &[u8]) -> bool {
    if !id.is_empty() {
        column.write(at, |out| text::hex(out, id));
    }
    !id.is_empty()
}

#[inline]
fn put_time(column: &mut Column, at: usize, nanos: u64) -> bool {
    match column {
        // A thousandth of any u64 is an i64.
        Column::Time(column) => column.push(at, (nanos / 1000) as i64),
        Column::Int(column) => column.push(at, clamped(nanos)),
        _ => return false,
    }
    true
}

#[inline]
fn put_number(column: &mut Column, at: usize, value: i64) -> bool {
    match column {
        Column::Int(column) => column.push(at, value),
        Column::Float(column) => column.push(at, value as f64),
        _ => return false,
    }
    true
}

fn put_number_unless_0(column: &mut Column, at: usize, value: i64) -> bool {
    value != 0 && put_number(column, at, value)
}

fn put_bool(column: &mut Column, at: usize, value: bool) -> bool {
    match column {
        Column::Bool(column) => column.push(at, value),
        _ => return false,
    }
    true
}

fn put_body(column: &mut Column, at: usize, body: &Value<'_>) -> bool {
    match body {
        Value::Empty => return false,
        Value::Text(text) if memchr::memchr(0x1b, text).is_some() => {
            column.write(at, |out| text::without_ansi(out, text));
        }
        Value::Text(text) => column.text(at, text),
        other => column.write(at, |out| text::json(out, other)),
    }
    true
}

/// A JSON array, if there is anything in it.
fn put_list<T>(column: &mut Column, at: usize, list: &[T], write: impl Fn(&mut Vec<u8>, &T)) -> bool {
    if list.is_empty() {
        return false;
    }
    column.write(at, |out| {
        out.push(b'[');
        for (index, item) in list.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            write(out, item);
        }
        out.push(b']');
    });
    true
}

fn write_event(out: &mut Vec<u8>, event: &Event<'_>, parts: &Parts<'_>) {
    out.extend_from_slice(b"{\"name\":");
    text::quoted(out, event.name);
    out.extend_from_slice(b",\"time_unix_nano\":");
    text::integer(out, event.time);
    out.extend_from_slice(b",\"attributes\":");
    write_attributes(out, event.attributes.clone(), parts);
    out.push(b'}');
}

fn write_link(out: &mut Vec<u8>, link: &Link<'_>, parts: &Parts<'_>) {
    out.extend_from_slice(b"{\"trace_id\":\"");
    text::hex(out, link.trace_id);
    out.extend_from_slice(b"\",\"span_id\":\"");
    text::hex(out, link.span_id);
    out.push(b'"');
    if !link.trace_state.is_empty() {
        out.extend_from_slice(b",\"trace_state\":");
        text::quoted(out, link.trace_state);
    }
    if link.flags != 0 {
        out.extend_from_slice(b",\"flags\":");
        text::integer(out, link.flags);
    }
    out.extend_from_slice(b",\"attributes\":");
    write_attributes(out, link.attributes.clone(), parts);
    out.push(b'}');
}

fn write_attributes(out: &mut Vec<u8>, range: std::ops::Range<usize>, parts: &Parts<'_>) {
    let attributes = parts.attributes.get(range).unwrap_or_default();
    text::object(out, attributes.iter().map(|(key, value)| (*key, value.clone())));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        let received = 20_000 * DAY + 5;
        let check = |nanos: u64, date: i32, is_suspect: bool| {
            let moment = Moment::new(nanos, received);
            assert_eq!((moment.date, moment.is_suspect), (date, is_suspect), "{nanos}");
        };
        check(received, 20_000, false);
        check(received - PAST, 19_970, false);
        check(received - PAST - 1, 20_000, true);
        check(received + FUTURE, 20_001, false);
        check(received + FUTURE + 1, 20_000, true);
        check(0, 20_000, true);
        check(u64::MAX, 20_000, true);
    }
}
