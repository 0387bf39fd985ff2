//! What a row must hold, worked out slowly from prost's structs and the table's columns.

use arrow::compute::kernels::cast_utils::string_to_timestamp_nanos;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use schemas::{Column, Source, Table, Type};
use serde_json::json;

use crate::support::{Cell, RECEIVED};

const DAY: u64 = 86_400_000_000_000;

/// Fields of a record as prost sees it, and what it is wrapped in.
#[derive(Debug, Clone, Default)]
pub struct Record {
    pub kind: &'static str,
    pub time: u64,
    pub end: u64,
    pub observed: u64,
    pub trace_id: Vec<u8>,
    pub span_id: Vec<u8>,
    pub parent_span_id: Vec<u8>,
    pub name: String,
    pub event_name: String,
    pub trace_state: String,
    pub flags: u32,
    pub status: Option<(&'static str, String)>,
    pub severity: (i32, String),
    pub body: Option<AnyValue>,
    pub attributes: Vec<KeyValue>,
    /// Of the span, if this is an event of one.
    pub outer: Vec<KeyValue>,
    pub events: Vec<Event>,
    pub links: Vec<Link>,
    pub event_index: Option<i64>,
    pub uid: Option<String>,
    /// Attributes that gave a log its name or identity.
    pub taken: Vec<String>,
    pub resource: Vec<KeyValue>,
    pub scope: (String, String, Vec<KeyValue>),
}

type Pairs = Vec<(String, Option<Value>)>;

/// Each key once, at its first place, with its last value.
fn distinct(attributes: &[KeyValue]) -> Pairs {
    let mut all = Pairs::new();
    for attribute in attributes {
        let value = attribute.value.as_ref().and_then(|v| v.value.clone());
        match all.iter_mut().find(|(key, _)| *key == attribute.key) {
            Some((_, known)) => *known = value,
            None => all.push((attribute.key.clone(), value)),
        }
    }
    all
}

fn find<'p>(pairs: &'p Pairs, key: &str) -> Option<&'p Value> {
    pairs.iter().find(|(k, _)| k == key)?.1.as_ref()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

pub fn as_json(value: Option<&Value>) -> serde_json::Value {
    let of = |v: &AnyValue| as_json(v.value.as_ref());
    match value {
        None => json!(null),
        Some(Value::StringValue(v)) => json!(v),
        Some(Value::BoolValue(v)) => json!(v),
        Some(Value::IntValue(v)) => json!(v),
        Some(Value::DoubleValue(v)) if v.is_nan() => json!("NaN"),
        Some(Value::DoubleValue(v)) if v.is_infinite() => json!(if *v > 0.0 { "Infinity" } else { "-Infinity" }),
        Some(Value::DoubleValue(v)) => json!(v),
        Some(Value::BytesValue(v)) => json!(STANDARD.encode(v)),
        Some(Value::ArrayValue(v)) => v.values.iter().map(of).collect(),
        Some(Value::KvlistValue(v)) => object(&v.values),
        Some(Value::StringValueStrindex(_)) => json!(null),
    }
}

fn object(attributes: &[KeyValue]) -> serde_json::Value {
    let pairs = distinct(attributes).into_iter().map(|(key, value)| (key, as_json(value.as_ref())));
    serde_json::Value::Object(pairs.collect())
}

/// A cell, or text whose JSON must be this.
#[derive(Debug, Clone)]
pub enum Expected {
    Cell(Cell),
    Json(serde_json::Value),
    Map(Pairs),
    Anything,
    Whatever,
}

impl Expected {
    pub fn matches(&self, cell: &Cell) -> bool {
        let same_json = |text: &str, json: &serde_json::Value| {
            serde_json::from_str::<serde_json::Value>(text).is_ok_and(|parsed| parsed == *json)
        };
        match (self, cell) {
            (Self::Cell(Cell::Float(a)), Cell::Float(b)) => a == b || (a.is_nan() && b.is_nan()),
            (Self::Cell(expected), cell) => expected == cell,
            (Self::Json(json), Cell::Text(text)) => same_json(text, json),
            (Self::Anything, cell) => *cell != Cell::Null,
            (Self::Whatever, _) => true,
            (Self::Map(pairs), Cell::Null) => pairs.is_empty(),
            (Self::Map(pairs), Cell::Map(entries)) => {
                pairs.len() == entries.len()
                    && pairs.iter().zip(entries).all(|((key, value), (got_key, got))| {
                        key == got_key
                            && match (value, got) {
                                (None, None) => true,
                                (Some(Value::StringValue(text)), Some(got)) => text == got,
                                (Some(value), Some(got)) => same_json(got, &as_json(Some(value))),
                                _ => false,
                            }
                    })
            }
            _ => false,
        }
    }
}

fn text(text: &str) -> Option<Expected> {
    (!text.is_empty()).then(|| Expected::Cell(text.into()))
}

fn int(value: i64) -> Option<Expected> {
    Some(Expected::Cell(Cell::Int(value)))
}

fn id(id: &[u8]) -> Option<Expected> {
    if id.iter().all(|b| *b == 0) { None } else { text(&hex(id)) }
}

/// When the row happened: what the record says, else when it came.
fn moment(record: &Record) -> u64 {
    if record.time != 0 { record.time } else { RECEIVED }
}

fn is_suspect(nanos: u64) -> bool {
    !(RECEIVED - 30 * DAY..=RECEIVED + DAY).contains(&nanos)
}

fn unless_0(value: i64) -> Option<Expected> {
    if value == 0 { None } else { int(value) }
}

fn clamp(nanos: u64) -> i64 {
    i64::try_from(nanos).unwrap_or(i64::MAX)
}

fn time_field(record: &Record, name: &str, r#type: Type) -> Option<Expected> {
    let time = |nanos: u64| {
        let cell = if r#type == Type::Int { Cell::Int(clamp(nanos)) } else { Cell::Time((nanos / 1000) as i64) };
        Some(Expected::Cell(cell))
    };
    match name {
        "time" => time(moment(record)),
        "time_unix_nano" => int(clamp(moment(record))),
        "observed_time" if record.observed == 0 => None,
        "observed_time" => time(record.observed),
        "received_time" => time(RECEIVED),
        "date" => {
            let nanos = if is_suspect(moment(record)) { RECEIVED } else { moment(record) };
            Some(Expected::Cell(Cell::Date((nanos / DAY) as i32)))
        }
        "time_suspect" => is_suspect(moment(record)).then_some(Expected::Cell(Cell::Bool(true))),
        "duration" if record.end == 0 => None,
        "duration" => record.end.checked_sub(record.time).and_then(|d| int(clamp(d))),
        other => panic!("the oracle does not know the field {other}"),
    }
}

fn field(record: &Record, name: &str, is_primary: bool, r#type: Type) -> Option<Expected> {
    match name {
        "tenant" => text("acme"),
        "trace_id" => id(&record.trace_id),
        "span_id" => id(&record.span_id),
        "parent_span_id" => id(&record.parent_span_id),
        "name" if record.name.is_empty() => text(&record.event_name),
        "name" => text(&record.name),
        "event_name" => text(&record.event_name),
        "kind" => text(record.kind),
        "status_code" => record.status.as_ref().and_then(|(code, _)| text(code)),
        "status_message" => record.status.as_ref().and_then(|(_, message)| text(message)),
        "severity_number" => unless_0(i64::from(record.severity.0)),
        "severity_text" => text(&record.severity.1),
        "body" => match record.body.as_ref()?.value.as_ref()? {
            Value::StringValue(body) if body == "\u{1b}[31mred\u{1b}[0m" => text("red"),
            Value::StringValue(body) => (!body.contains('\u{1b}')).then(|| Expected::Cell(body.as_str().into())),
            other => Some(Expected::Json(as_json(Some(other)))),
        },
        "events" => {
            let events = record.events.iter().map(|event| {
                json!({"name": event.name, "time_unix_nano": event.time_unix_nano, "attributes": object(&event.attributes)})
            });
            (!record.events.is_empty()).then(|| Expected::Json(events.collect()))
        }
        "links" => (!record.links.is_empty()).then(|| Expected::Json(record.links.iter().map(link).collect())),
        "trace_state" => text(&record.trace_state),
        "flags" => unless_0(i64::from(record.flags)),
        "scope_name" => text(&record.scope.0),
        "scope_version" => text(&record.scope.1),
        "scope_attributes" => Some(Expected::Map(distinct(&record.scope.2))),
        "record_uid" => text(record.uid.as_ref()?),
        "event_index" => int(record.event_index?),
        "is_primary" => Some(Expected::Cell(Cell::Bool(is_primary))),
        // What they must say is worked out in `faithful`.
        "received_as" | "resource_as" | "scope_as" => Some(Expected::Whatever),
        other => time_field(record, other, r#type),
    }
}

fn link(link: &Link) -> serde_json::Value {
    let mut json = json!({
        "trace_id": hex(&link.trace_id), "span_id": hex(&link.span_id), "attributes": object(&link.attributes),
    });
    if !link.trace_state.is_empty() {
        json["trace_state"] = json!(link.trace_state);
    }
    if link.flags != 0 {
        json["flags"] = json!(link.flags);
    }
    json
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::IntValue(v) => Some(*v as f64),
        Value::DoubleValue(v) => Some(*v),
        Value::StringValue(v) if v.trim().contains(|c: char| c.is_alphabetic() && !"eE".contains(c)) => None,
        Value::StringValue(v) => v.trim().parse().ok(),
        _ => None,
    }
}

fn integer(value: &Value, scale: Option<f64>) -> Option<i64> {
    let exact = match value {
        Value::IntValue(v) => Some(*v),
        Value::StringValue(v) => v.trim().parse().ok(),
        _ => None,
    };
    match (exact, scale) {
        (Some(exact), None) => Some(exact),
        // Every factor in the tables is whole.
        (Some(exact), Some(scale)) => exact.checked_mul(scale as i64),
        (None, scale) => {
            let number = number(value)? * scale.unwrap_or(1.0);
            let number = if scale.is_some() { number.round() } else { number };
            (number.fract() == 0.0 && number.abs() < 9.2e18).then_some(number as i64)
        }
    }
}

fn nanos(value: &Value, scale: Option<f64>) -> Option<i64> {
    integer(value, scale).or_else(|| match value {
        Value::StringValue(v) => string_to_timestamp_nanos(v.trim()).ok(),
        Value::DoubleValue(v) if v.abs() < 9e18 => Some(v.round() as i64),
        _ => None,
    })
}

fn spelled(column: &Column, value: &str) -> Cell {
    column.values.get(&value.to_lowercase()).map_or(value, String::as_str).into()
}

/// The value in the column's type; `None` if it does not fit.
fn converted(column: &Column, key: &str, value: &Value, scale: Option<f64>) -> Option<Expected> {
    let is_header = key.starts_with("http.request.header.") || key.starts_with("http.response.header.");
    let cell = match (column.r#type, value) {
        (Type::Text | Type::Dict, Value::StringValue(v)) => spelled(column, v),
        (Type::Text | Type::Dict, Value::ArrayValue(v)) if is_header => {
            let all: Option<Vec<&str>> = v
                .values
                .iter()
                .map(|v| match &v.value {
                    Some(Value::StringValue(v)) => Some(v.as_str()),
                    _ => None,
                })
                .collect();
            match all {
                Some(all) => all.join(", ").as_str().into(),
                None => return Some(Expected::Json(as_json(Some(value)))),
            }
        }
        // A header is a list, and a size or an amount is one header.
        (r#type, Value::ArrayValue(list)) if is_header && r#type != Type::Map && list.values.len() == 1 => {
            return converted(column, "", list.values[0].value.as_ref()?, scale);
        }
        // Spellings also meet JSON words.
        (Type::Text | Type::Dict, Value::BoolValue(v)) => spelled(column, &v.to_string()),
        (Type::Text | Type::Dict, Value::IntValue(v)) => spelled(column, &v.to_string()),
        (Type::Text | Type::Dict, other) => return Some(Expected::Json(as_json(Some(other)))),
        (Type::Int, value) => Cell::Int(integer(value, scale)?),
        (Type::Float, value) => Cell::Float(number(value)? * scale.unwrap_or(1.0)),
        (Type::Bool, Value::BoolValue(v)) => Cell::Bool(*v),
        (Type::Bool, Value::StringValue(v)) => Cell::Bool(v.to_lowercase().parse().ok()?),
        (Type::Time, value) => Cell::Time(nanos(value, scale)?.div_euclid(1000)),
        (Type::Date, value) => Cell::Date(i32::try_from(nanos(value, scale)?.div_euclid(DAY as i64)).ok()?),
        (Type::Map, Value::KvlistValue(list)) if !list.values.is_empty() => {
            return Some(Expected::Map(distinct(&list.values)));
        }
        (Type::Money, value) => return money(value),
        _ => return None,
    };
    Some(Expected::Cell(cell))
}

/// Money where it is easy to say; its own tests cover the rest.
fn money(value: &Value) -> Option<Expected> {
    match value {
        Value::IntValue(v) => {
            let units = i128::from(*v).checked_mul(10i128.pow(18)).filter(|v| v.abs() < 10i128.pow(38))?;
            Some(Expected::Cell(Cell::Money(units)))
        }
        Value::StringValue(v) if v == "0.000000140" => Some(Expected::Cell(Cell::Money(140_000_000_000))),
        other => number(other).filter(|v| v.abs() < 1e20).map(|_| Expected::Anything),
    }
}

/// Every column of a row, by name, in the table's order.
pub fn row(table: &Table, record: &Record, is_primary: bool) -> Vec<(String, Expected)> {
    let (attributes, outer, resource) =
        (distinct(&record.attributes), distinct(&record.outer), distinct(&record.resource));
    let (mut taken, mut of_resource) = (Vec::new(), Vec::new());
    let mut cells = Vec::new();
    for column in &table.columns {
        let only_resource = column.from.iter().all(|s| matches!(s, Source::Resource(_)));
        let mut found = None;
        for source in &column.from {
            found = match source {
                Source::Attribute { key, scale } => {
                    let own = find(&attributes, key);
                    own.or_else(|| find(&outer, key)).map(|value| {
                        let cell = converted(column, key, value, *scale);
                        if cell.is_some() && own.is_some() {
                            taken.push(key.clone());
                        }
                        cell
                    })
                }
                Source::Resource(key) => find(&resource, key).map(|value| {
                    if only_resource {
                        of_resource.push(key.clone());
                    }
                    converted(column, key, value, None)
                }),
                Source::Field(name) if name == "attributes" || name == "resource" => None,
                Source::Field(name) => field(record, name, is_primary, column.r#type).map(|value| match value {
                    Expected::Cell(Cell::Text(text)) if column.r#type == Type::Dict => {
                        Some(Expected::Cell(spelled(column, &text)))
                    }
                    other => Some(other),
                }),
            };
            if found.is_some() {
                break;
            }
        }
        cells.push((column.name.clone(), found.flatten().unwrap_or(Expected::Cell(Cell::Null))));
    }
    // What gave the record its name or identity is taken too.
    taken.extend(record.taken.iter().cloned());
    let rest = |pairs: Pairs, taken: &[String]| -> Expected {
        Expected::Map(pairs.into_iter().filter(|(key, _)| !taken.contains(key)).collect())
    };
    for (column, (_, cell)) in table.columns.iter().zip(&mut cells) {
        match &column.from[..] {
            [Source::Field(name)] if name == "attributes" => *cell = rest(attributes.clone(), &taken),
            [Source::Field(name)] if name == "resource" => *cell = rest(resource.clone(), &of_resource),
            _ => {}
        }
    }
    cells
}
