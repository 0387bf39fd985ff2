//! OTLP bytes to table batches: pure functions, no I/O, no clock, no protobuf structs on the way.
//!
//! [`Decoder::decode`] takes the requests of one gather and fills the columns of the tables their records belong to:
//!
//! ```
//! # use std::sync::Arc;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let catalog = Arc::new(schemas::Catalog::built_in()?);
//! let keys = Arc::new(component::Keyring::new(&[7; 32], 1)?);
//! let mut decoder = otlp::Decoder::new(catalog, keys)?;
//! let body = otlp::json_to_protobuf(
//!     otlp::Signal::Logs,
//!     br#"{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": "hello"}}]}]}]}"#,
//! )?;
//! let request =
//!     otlp::Request { signal: otlp::Signal::Logs, tenant: "default", body: &body, received_unix_nano: 1_800_000_000_000_000_000 };
//! let decoded = decoder.decode(&[request])?;
//! assert_eq!(decoded.outcomes[0].accepted, 1);
//! assert_eq!(decoded.gather.len(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! Broken framing costs its request, a bad record costs itself: a record is read whole, and checked, before a row of it
//! is written; the rows of a request whose framing breaks later are taken out again.

mod attributes;
mod columns;
mod context;
mod count;
mod current;
mod decoder;
mod fields;
mod json;
mod json_fields;
mod keys;

mod plan;
mod record;
mod route;
mod rows;
mod session;
mod shapes;
mod text;
mod value;
mod wire;

pub use count::{count_data_points, count_records};
pub use decoder::{DecodeError, Decoder};
pub use json::{JsonError, json_to_protobuf};
pub use plan::BuildError;
pub use wire::WireError;

/// What a request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Spans.
    Traces,
    /// Log records.
    Logs,
    /// Data points; counted, not stored.
    Metrics,
}

/// One export request as it was received.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// What it carries.
    pub signal: Signal,
    /// Whose data it is: from the receiver or its credential, never from the data.
    pub tenant: &'a str,
    /// The protobuf bytes of the export request.
    pub body: &'a [u8],
    /// When it was received.
    pub received_unix_nano: u64,
}

/// The rows of some requests, and what became of each request.
#[derive(Debug)]
pub struct Decoded {
    /// Rows by table; `Rows::requests` holds the place of each row's request.
    pub gather: component::Gather,
    /// One outcome per request, in their order.
    pub outcomes: Vec<Outcome>,
}

/// What became of one request, to tell its sender.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Spans, log records or data points that were taken.
    pub accepted: u64,
    /// Those that were refused.
    pub rejected: u64,
    /// Why the first one was refused, without any value of it.
    pub reason: Option<String>,
    /// The bytes are not the message they should be; nothing of the request was taken, and its records are not counted.
    pub malformed: bool,
    /// A record of it belongs to an audited table: it is taken whole or not at all.
    pub audited: bool,
}
