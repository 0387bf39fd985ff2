//! What the five systems would send in some minutes: spans and logs with people, keys and messages in realistic places,
//! and what must be found of it afterwards, worked out here and not by the engine.

mod logs;
mod people;
mod services;
mod spans;
mod systems;
mod table;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

pub use self::services::{resources, scopes};
pub use self::table::{Expected, TABLES, Table};
use crate::random::Draw;

/// A span or a log record.
pub enum Record {
    Span(Box<Span>),
    Log(Box<LogRecord>),
}

/// One record, who sends it, and where it has to arrive.
pub struct Item {
    /// Index into [`resources`].
    pub resource: usize,
    /// Index into [`scopes`].
    pub scope: usize,
    pub record: Record,
    /// Its home table; `None` when the filter drops it.
    pub home: Option<Table>,
    /// Rows besides the home row, one for each mention.
    pub also: Vec<Table>,
    /// Whether it holds what people and models said.
    pub content: bool,
}

/// Everything that is sent once.
pub struct Corpus {
    pub items: Vec<Item>,
    /// Information that was drawn for it.
    pub bits: f64,
    /// Protobuf bytes of the records, without resources and scopes.
    pub bytes: u64,
}

impl Corpus {
    /// At least `count` records, beginning at `start`; the last story is told to its end.
    pub fn new(seed: u64, count: usize, start: u64) -> Self {
        let mut writer = systems::Writer::new(Draw::new(seed), start);
        while writer.items.len() < count {
            writer.story();
        }
        let bytes = writer.items.iter().map(|item| item.record.size()).sum();
        Self { bits: writer.draw.bits(), items: writer.items, bytes }
    }

    /// How many of the records are spans.
    pub fn spans(&self) -> u64 {
        self.items.iter().filter(|item| matches!(item.record, Record::Span(_))).count() as u64
    }
}

impl Record {
    fn size(&self) -> u64 {
        match self {
            Self::Span(span) => span.encoded_len() as u64,
            Self::Log(log) => log.encoded_len() as u64,
        }
    }
}

fn value(value: Value) -> AnyValue {
    AnyValue { value: Some(value) }
}

fn attribute(key: &str, of: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(value(of)), ..KeyValue::default() }
}

fn text(key: &str, of: impl Into<String>) -> KeyValue {
    attribute(key, Value::StringValue(of.into()))
}

fn int(key: &str, of: i64) -> KeyValue {
    attribute(key, Value::IntValue(of))
}

fn float(key: &str, of: f64) -> KeyValue {
    attribute(key, Value::DoubleValue(of))
}

fn list(key: &str, of: impl Into<String>) -> KeyValue {
    let values = vec![value(Value::StringValue(of.into()))];
    attribute(key, Value::ArrayValue(ArrayValue { values }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mix_is_what_the_numbers_are_quoted_for() {
        let corpus = Corpus::new(1, 20_000, 1_795_245_353_000_000_000);
        let count = corpus.items.len() as u64;
        let share = corpus.spans() as f64 / count as f64;
        assert!((0.72..0.78).contains(&share), "{share} of the records are spans");
        let size = corpus.bytes as f64 / count as f64;
        assert!((640.0..740.0).contains(&size), "{size} bytes a record");
        let bits = corpus.bits / count as f64;
        assert!((300.0..2000.0).contains(&bits), "{bits} bits a record");
        let expected = Expected::of(&corpus.items);
        for (table, rows) in TABLES.iter().zip(expected.rows) {
            assert!(rows > 0, "{} gets no row", table.name());
        }
        assert_eq!(expected.home.iter().sum::<u64>() + expected.dropped, count);
    }

    #[test]
    fn a_seed_gives_the_same_bytes() {
        let encode = |seed| -> Vec<Vec<u8>> {
            let corpus = Corpus::new(seed, 500, 1_000);
            let bytes = |item: &Item| match &item.record {
                Record::Span(span) => span.encode_to_vec(),
                Record::Log(log) => log.encode_to_vec(),
            };
            corpus.items.iter().map(bytes).collect()
        };
        assert_eq!(encode(3), encode(3));
        assert_ne!(encode(3), encode(4));
    }
}
