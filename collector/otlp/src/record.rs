//! One received record, read whole: after this nothing of it can fail, so no half a row is ever written.

use schemas::SpanKind;

use crate::attributes::Attributes;
use crate::keys::Keys;
use crate::value::{Refusal, Value, refuse_unless_utf8};
use crate::wire::{Reader, WireError};

/// Fields of a span, a log record, or of an event together with those of its span. Zero and empty mean absent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Record<'a> {
    pub(crate) kind: &'static str,
    pub(crate) span_kind: Option<SpanKind>,
    pub(crate) time: u64,
    pub(crate) end: u64,
    pub(crate) observed: u64,
    pub(crate) trace_id: &'a [u8],
    pub(crate) span_id: &'a [u8],
    pub(crate) parent_span_id: &'a [u8],
    pub(crate) name: &'a [u8],
    pub(crate) event_name: &'a [u8],
    pub(crate) trace_state: &'a [u8],
    pub(crate) flags: u32,
    pub(crate) status: Option<&'static str>,
    pub(crate) status_message: &'a [u8],
    pub(crate) severity_number: i32,
    pub(crate) severity_text: &'a [u8],
    pub(crate) body: Value<'a>,
    pub(crate) event_index: Option<i64>,
}

/// An event of a span.
#[derive(Debug, Clone, Default)]
pub(crate) struct Event<'a> {
    pub(crate) time: u64,
    pub(crate) name: &'a [u8],
    /// Its encoded attributes, as a range of [`Parts::attributes`].
    pub(crate) attributes: std::ops::Range<usize>,
}

/// A link of a span.
#[derive(Debug, Clone, Default)]
pub(crate) struct Link<'a> {
    pub(crate) trace_id: &'a [u8],
    pub(crate) span_id: &'a [u8],
    pub(crate) trace_state: &'a [u8],
    pub(crate) flags: u32,
    /// Its encoded attributes, as a range of [`Parts::attributes`].
    pub(crate) attributes: std::ops::Range<usize>,
}

/// Events and links of the span at hand; kept between spans for their memory.
#[derive(Debug, Default)]
pub(crate) struct Parts<'a> {
    pub(crate) events: Vec<Event<'a>>,
    pub(crate) links: Vec<Link<'a>>,
    pub(crate) attributes: Vec<(&'a [u8], Value<'a>)>,
}

/// Reads records into memory that is used again.
pub(crate) struct Scanner<'k, 'a> {
    pub(crate) keys: &'k Keys,
    pub(crate) attributes: Attributes<'a>,
    pub(crate) parts: Parts<'a>,
    /// Why the record at hand is refused.
    pub(crate) refusal: Option<Refusal>,
}

impl<'a> Scanner<'_, 'a> {
    fn begin(&mut self) {
        self.attributes.clear();
        self.parts.events.clear();
        self.parts.links.clear();
        self.parts.attributes.clear();
        self.refusal = None;
    }

    #[inline]
    fn text(&mut self, bytes: &'a [u8], what: &'static str) -> &'a [u8] {
        refuse_unless_utf8(bytes, what, &mut self.refusal);
        bytes
    }

    /// An id of `size` bytes; one of zeros only means that there is none.
    #[inline]
    fn id(&mut self, bytes: &'a [u8], size: usize, what: &'static str) -> &'a [u8] {
        if bytes.len() != size && !bytes.is_empty() {
            self.refusal.get_or_insert(Refusal::IdLength(what));
        }
        if bytes.iter().all(|b| *b == 0) { &[] } else { bytes }
    }

    /// Reads a span, its attributes, events and links.
    pub(crate) fn span(&mut self, bytes: &'a [u8]) -> Result<Record<'a>, WireError> {
        self.begin();
        let mut span = Record { status: Some("unset"), ..Record::default() };
        let mut kind = 0;
        let mut reader = Reader::new(bytes);
        while let Some(field) = reader.field()? {
            match field.number {
                1 => span.trace_id = field.bytes()?,
                2 => span.span_id = field.bytes()?,
                3 => span.trace_state = self.text(field.bytes()?, "the trace state of a span"),
                4 => span.parent_span_id = field.bytes()?,
                5 => span.name = self.text(field.bytes()?, "the name of a span"),
                6 => kind = field.int32()?,
                7 => span.time = field.fixed64()?,
                8 => span.end = field.fixed64()?,
                9 => self.attributes.read(self.keys, field.bytes()?, &mut self.refusal)?,
                11 => self.event(field.bytes()?)?,
                13 => self.link(field.bytes()?)?,
                15 => self.status(field.bytes()?, &mut span)?,
                16 => span.flags = field.fixed32()?,
                10 | 12 | 14 => {
                    field.varint()?;
                }
                _ => {}
            }
        }
        span.trace_id = self.id(span.trace_id, 16, "the trace id of a span");
        span.span_id = self.id(span.span_id, 8, "the span id of a span");
        span.parent_span_id = self.id(span.parent_span_id, 8, "the parent span id of a span");
        let kind = SpanKind::from_otlp(i64::from(kind));
        span.kind = kind.as_str();
        span.span_kind = Some(kind);
        span.observed = span.end;
        Ok(span)
    }

    /// Reads a log record.
    pub(crate) fn log(&mut self, bytes: &'a [u8]) -> Result<Record<'a>, WireError> {
        self.begin();
        let mut log = Record { kind: "log", ..Record::default() };
        let mut reader = Reader::new(bytes);
        while let Some(field) = reader.field()? {
            match field.number {
                1 => log.time = field.fixed64()?,
                2 => log.severity_number = field.int32()?,
                3 => log.severity_text = self.text(field.bytes()?, "the severity text of a log record"),
                5 => log.body.merge(field.bytes()?)?,
                6 => self.attributes.read(self.keys, field.bytes()?, &mut self.refusal)?,
                7 => {
                    field.varint()?;
                }
                8 => log.flags = field.fixed32()?,
                9 => log.trace_id = field.bytes()?,
                10 => log.span_id = field.bytes()?,
                11 => log.observed = field.fixed64()?,
                12 => log.event_name = self.text(field.bytes()?, "the event name of a log record"),
                _ => {}
            }
        }
        log.body.check(&mut self.refusal)?;
        log.trace_id = self.id(log.trace_id, 16, "the trace id of a log record");
        log.span_id = self.id(log.span_id, 8, "the span id of a log record");
        Ok(log)
    }

    fn status(&mut self, bytes: &'a [u8], span: &mut Record<'a>) -> Result<(), WireError> {
        let mut reader = Reader::new(bytes);
        while let Some(field) = reader.field()? {
            match field.number {
                2 => span.status_message = self.text(field.bytes()?, "the status message of a span"),
                3 => {
                    span.status = Some(match field.int32()? {
                        1 => "ok",
                        2 => "error",
                        _ => "unset",
                    });
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn event(&mut self, bytes: &'a [u8]) -> Result<(), WireError> {
        let mut event = Event::default();
        let start = self.parts.attributes.len();
        let mut reader = Reader::new(bytes);
        while let Some(field) = reader.field()? {
            match field.number {
                1 => event.time = field.fixed64()?,
                2 => event.name = self.text(field.bytes()?, "the name of a span event"),
                3 => self.part(field.bytes()?)?,
                4 => {
                    field.varint()?;
                }
                _ => {}
            }
        }
        event.attributes = start..self.parts.attributes.len();
        self.parts.events.push(event);
        Ok(())
    }

    fn link(&mut self, bytes: &'a [u8]) -> Result<(), WireError> {
        let mut link = Link::default();
        let start = self.parts.attributes.len();
        let mut reader = Reader::new(bytes);
        while let Some(field) = reader.field()? {
            match field.number {
                1 => link.trace_id = field.bytes()?,
                2 => link.span_id = field.bytes()?,
                3 => link.trace_state = self.text(field.bytes()?, "the trace state of a span link"),
                4 => self.part(field.bytes()?)?,
                5 => {
                    field.varint()?;
                }
                6 => link.flags = field.fixed32()?,
                _ => {}
            }
        }
        link.attributes = start..self.parts.attributes.len();
        self.parts.links.push(link);
        Ok(())
    }

    /// An attribute of an event or a link.
    fn part(&mut self, bytes: &'a [u8]) -> Result<(), WireError> {
        let (key, value) = crate::value::key_value(bytes)?;
        let key = self.text(key, "an attribute key");
        value.check(&mut self.refusal)?;
        self.parts.attributes.push((key, value));
        Ok(())
    }
}
