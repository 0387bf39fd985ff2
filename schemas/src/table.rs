//! One table as the YAML states it, checked.

use std::collections::BTreeMap;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use serde::Deserialize;

/// Digits and scale of every money column: 18 decimals hold the cheapest token exactly.
const MONEY: (u8, i8) = (38, 18);

/// A table: which records it takes and what it keeps of them.
#[derive(Debug, Clone)]
pub struct Table {
    /// Name in SQL and folder in the lake.
    pub name: String,
    /// One sentence for people.
    pub about: String,
    /// Routing precedence: the lowest order that matches is the record's home.
    pub order: u32,
    /// A record that fits any clause belongs here.
    pub clauses: Vec<Clause>,
    /// Columns that order the rows inside a file.
    pub sort: Vec<String>,
    /// Columns that get a bloom filter.
    pub lookup: Vec<String>,
    /// How long rows stay.
    pub retention: Retention,
    /// Whether rows are numbered and hashed as they are appended.
    pub audit: bool,
    /// Whether rows live in the journal alone, for a follower of their own: no lake, no SQL, no common columns.
    pub journal_only: bool,
    /// All columns, common ones included, in schema order.
    pub columns: Vec<Column>,
}

impl Table {
    /// Index of a column by name.
    pub fn index(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == column)
    }

    /// A column by name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name == name)
    }

    /// What a gather holds before the seal: transient columns included, `dict` columns as dictionaries.
    pub fn gather_schema(&self) -> SchemaRef {
        Schema::new(self.columns.iter().map(Column::gather_field).collect::<Vec<_>>()).into()
    }

    /// What is stored and served: transient columns gone, dictionaries plain.
    pub fn stored_schema(&self) -> SchemaRef {
        Schema::new(self.stored_columns().map(Column::stored_field).collect::<Vec<_>>()).into()
    }

    /// Columns that the lake keeps and SQL serves.
    pub fn stored_columns(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|c| !c.transient && !c.journal_only)
    }
}

/// One way for a record to belong to a table: every condition that is given must hold.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    /// What kind of record.
    pub signal: Signal,
    /// Span kinds; empty takes any.
    #[serde(default)]
    pub kind: Vec<SpanKind>,
    /// At least one of these attributes is present.
    #[serde(default)]
    pub any: Vec<String>,
    /// All of these attributes are present.
    #[serde(default)]
    pub all: Vec<String>,
    /// None of these attributes is present.
    #[serde(default)]
    pub none: Vec<String>,
    /// Event names (`LogRecord.event_name`, or attribute `event.name`), compared without case; `auth.*` is a prefix.
    #[serde(default)]
    pub event: Vec<String>,
    /// Host names of the called server, exact or as a suffix after a dot.
    #[serde(default)]
    pub host: Vec<String>,
    /// Lowest severity number of a log record.
    #[serde(default)]
    pub severity_min: Option<i32>,
    /// Only spans whose status is error.
    #[serde(default)]
    pub status_error: bool,
    /// Adds a row here besides the record's home.
    #[serde(default)]
    pub also: bool,
}

/// Kinds of record that can become a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// A span.
    Span,
    /// A log record.
    Log,
    /// An event inside a span; attributes missing on the event are looked up on the span.
    SpanEvent,
}

/// OTLP span kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpanKind {
    /// Kind 0, as old senders leave it.
    Unspecified,
    /// Kind 1.
    Internal,
    /// Kind 2.
    Server,
    /// Kind 3.
    Client,
    /// Kind 4.
    Producer,
    /// Kind 5.
    Consumer,
}

impl SpanKind {
    /// The kind of an OTLP number; unknown numbers are unspecified.
    pub fn from_otlp(kind: i64) -> Self {
        match kind {
            1 => Self::Internal,
            2 => Self::Server,
            3 => Self::Client,
            4 => Self::Producer,
            5 => Self::Consumer,
            _ => Self::Unspecified,
        }
    }

    /// The word stored in the column `kind`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Internal => "internal",
            Self::Server => "server",
            Self::Client => "client",
            Self::Producer => "producer",
            Self::Consumer => "consumer",
        }
    }
}

/// One column.
#[derive(Debug, Clone)]
pub struct Column {
    /// Name in SQL.
    pub name: String,
    /// Type.
    pub r#type: Type,
    /// Where the value comes from; the first source that is present wins.
    pub from: Vec<Source>,
    /// The (transient) column whose keyed hash this is.
    pub from_hash: Option<String>,
    /// Key domain of the hash; equal values in two domains give unrelated pseudonyms.
    pub domain: Option<String>,
    /// What kind of secret it could be.
    pub class: Class,
    /// Lives only between decode and seal.
    pub transient: bool,
    /// Lives as long as the row is in the journal, for those that forward records.
    pub journal_only: bool,
    /// The processor that fills it.
    pub by: Option<String>,
    /// Spellings seen in the wild, lower case, and the one that is stored.
    pub values: BTreeMap<String, String>,
    /// Longer text is cut here, in bytes, at a character boundary.
    pub max_len: Option<usize>,
    /// Part of the audit leaf.
    pub leaf: Option<Leaf>,
    /// One sentence for people.
    pub about: String,
}

impl Column {
    fn gather_field(&self) -> Field {
        Field::new(&self.name, self.r#type.gather(), true)
    }

    fn stored_field(&self) -> Field {
        Field::new(&self.name, self.r#type.stored(), true)
    }
}

/// Where a column's value is found in a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// An attribute of the record, times a factor (units: seconds to nanoseconds is 1e9).
    Attribute {
        /// Attribute key.
        key: String,
        /// Factor for numbers.
        scale: Option<f64>,
    },
    /// An attribute of the resource, written `resource:service.name`.
    Resource(String),
    /// A field of the record, the scope or the request, written `field:body`.
    Field(String),
}

/// Column types; nothing else may be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// UTF-8 with many distinct values.
    Text,
    /// UTF-8 with few distinct values.
    Dict,
    /// Signed 64-bit integer.
    Int,
    /// 64-bit float.
    Float,
    /// True or false.
    Bool,
    /// UTC microseconds.
    Time,
    /// A calendar day, UTC.
    Date,
    /// decimal(38,18), US dollars.
    Money,
    /// map<text,text>; values that are not strings are JSON text.
    Map,
}

impl Type {
    /// Arrow type inside a gather.
    pub fn gather(self) -> DataType {
        match self {
            Self::Dict => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
            other => other.stored(),
        }
    }

    /// Arrow type in the lake and in SQL.
    pub fn stored(self) -> DataType {
        match self {
            Self::Text | Self::Dict => DataType::Utf8,
            Self::Int => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Bool => DataType::Boolean,
            Self::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Date => DataType::Date32,
            Self::Money => DataType::Decimal128(MONEY.0, MONEY.1),
            Self::Map => map_type(),
        }
    }

    /// The word used in the YAML and in the reference.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Dict => "dict",
            Self::Int => "int",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::Time => "time",
            Self::Date => "date",
            Self::Money => "money",
            Self::Map => "map",
        }
    }
}

/// The one map type, as Parquet and Delta spell its parts.
fn map_type() -> DataType {
    let entries = DataType::Struct(
        vec![Field::new("key", DataType::Utf8, false), Field::new("value", DataType::Utf8, true)].into(),
    );
    DataType::Map(Field::new("key_value", entries, false).into(), false)
}

/// Privacy classes; the seal's treatment follows from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Says nothing about a person; still scanned if it is text that a sender wrote.
    #[default]
    Operational,
    /// Ours, or a number or fixed word: never scanned.
    Safe,
    /// A keyed hash made by the seal.
    Pseudonym,
    /// Leads to a person with other data: addresses, agents, URLs.
    Indirect,
    /// Names a person: e-mail, phone, user name, user id. Must be transient.
    Direct,
    /// Text or JSON in which anything can stand: scanned.
    FreeText,
    /// Keys, tokens, cookies, passwords. Must be transient.
    Secret,
    /// About a child's safety: scanned, and restricted by role.
    Child,
}

impl Class {
    /// The word used in the YAML and in the reference.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operational => "operational",
            Self::Safe => "safe",
            Self::Pseudonym => "pseudonym",
            Self::Indirect => "indirect",
            Self::Direct => "direct",
            Self::FreeText => "free_text",
            Self::Secret => "secret",
            Self::Child => "child",
        }
    }
}

/// Which half of an audit row's leaf a column is hashed into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leaf {
    /// Hashed in the open half; stays for ever.
    Public,
    /// Hashed into the salted commitment; erasable.
    Personal,
}

/// How long rows stay, in whole days; `None` keeps them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// Whole-day partitions older than this are dropped.
    pub keep_days: Option<u32>,
    /// Pseudonyms and indirect identifiers are nulled after this.
    pub anonymise_after_days: Option<u32>,
}
