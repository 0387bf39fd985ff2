//! What an app says: one span or one log record, before the SDK makes it one.

use opentelemetry::KeyValue;
use opentelemetry::logs::Severity;
use opentelemetry::trace::SpanKind;

use crate::services::Service;

/// Nanoseconds since 1970.
pub(crate) type Nanos = u64;

/// Attributes with few words.
macro_rules! attributes {
    ($($key:expr => $value:expr),* $(,)?) => {
        vec![$(opentelemetry::KeyValue::new($key, $value)),*]
    };
}
pub(crate) use attributes;

/// One record of an app.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// Work with a beginning and an end.
    Span(Box<Span>),
    /// Something that happened.
    Log(Box<Log>),
}

impl Item {
    /// When an app would hand it to its SDK.
    pub(crate) fn due(&self) -> Nanos {
        match self {
            Self::Span(span) => span.end,
            Self::Log(log) => log.at,
        }
    }
}

/// A span.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    pub(crate) service: Service,
    pub(crate) trace_id: u128,
    pub(crate) span_id: u64,
    pub(crate) parent: Option<u64>,
    pub(crate) kind: SpanKind,
    pub(crate) name: String,
    pub(crate) start: Nanos,
    pub(crate) end: Nanos,
    pub(crate) attributes: Vec<KeyValue>,
    pub(crate) failure: Option<Failure>,
}

/// Why a span failed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failure {
    pub(crate) kind: &'static str,
    pub(crate) message: String,
    /// Whether it is an exception with a stack, not merely a bad answer.
    pub(crate) thrown: bool,
}

/// A log record.
#[derive(Debug, Clone, PartialEq)]
pub struct Log {
    pub(crate) service: Service,
    pub(crate) at: Nanos,
    pub(crate) event: Option<&'static str>,
    pub(crate) severity: Severity,
    pub(crate) body: Option<String>,
    pub(crate) attributes: Vec<KeyValue>,
    pub(crate) within: Option<(u128, u64)>,
}
