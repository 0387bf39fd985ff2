//! From a row back to the attributes it came from: nothing that a forward needs is lost on the way.

use std::collections::BTreeMap;

use component::Rows;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use otlp::{Decoded, Signal};
use proptest::prelude::*;
use prost::Message;
use schemas::{Source, Type};

use crate::generate::{MARK, logs, mark_logs, mark_spans, traces};
use crate::oracle::as_json;
use crate::support::{Cell, cell, decode};

/// Kind and text of each attribute; no text where the column says the same in other words.
type Attributes = BTreeMap<String, (char, Option<String>)>;

fn kind(value: Option<&Value>) -> char {
    match value {
        None | Some(Value::StringValueStrindex(_)) => '-',
        Some(Value::StringValue(_)) => 's',
        Some(Value::BoolValue(_)) => 'b',
        Some(Value::IntValue(_)) => 'i',
        Some(Value::DoubleValue(_)) => 'd',
        Some(Value::BytesValue(_)) => 'y',
        Some(Value::ArrayValue(_)) => 'a',
        Some(Value::KvlistValue(_)) => 'k',
    }
}

fn sent(attributes: &[KeyValue]) -> Attributes {
    let one = |attribute: &KeyValue| {
        let value = attribute.value.as_ref().and_then(|v| v.value.as_ref());
        let text = match value {
            Some(Value::StringValue(text)) => Some(text.clone()),
            Some(value) => Some(as_json(Some(value)).to_string()),
            None => None,
        };
        (attribute.key.clone(), (kind(value), text))
    };
    attributes.iter().map(one).collect()
}

fn natural(r#type: Type) -> char {
    match r#type {
        Type::Text | Type::Dict => 's',
        Type::Int | Type::Time | Type::Date => 'i',
        Type::Float | Type::Money => 'd',
        Type::Bool => 'b',
        Type::Map => 'k',
    }
}

/// The attributes of a row, from its columns, its map and the column that says how they stood.
fn rebuilt(rows: &Rows, row: usize, shape: &str, rest: &str) -> Attributes {
    let text = |column: &str| match cell(rows, column, row) {
        Cell::Text(text) => text,
        _ => String::new(),
    };
    let shape = text(shape);
    let (taken, kinds) = shape.split_once(';').unwrap_or((&shape, ""));
    let mut out = Attributes::new();
    for word in taken.split(' ').filter(|word| !word.is_empty()) {
        let (word, told) = word.split_once('/').unwrap_or((word, ""));
        let (name, alias) = word.split_once('.').unwrap_or((word, "0"));
        let column = rows.table().column(name).unwrap_or_else(|| panic!("no column {name}"));
        let (key, scale) = match alias.parse::<usize>().ok().map(|alias| &column.from[alias]) {
            Some(Source::Attribute { key, scale }) => (key.clone(), *scale),
            Some(Source::Resource(key)) => (key.clone(), None),
            Some(Source::Field(field)) => panic!("{name} took an attribute as field {field}"),
            None => (if name == "record_uid" { "log.record.uid" } else { "event.name" }.to_owned(), None),
        };
        let kind = told.chars().next().unwrap_or_else(|| natural(column.r#type));
        // Other spellings, factors and kinds are said in the column's own words, and a uid as its hash.
        let same = column.values.is_empty() && scale.is_none() && kind == natural(column.r#type) && alias != "e";
        let text = match cell(rows, name, row) {
            Cell::Text(text) if same => Some(text),
            Cell::Int(number) if same && column.r#type == Type::Int => Some(number.to_string()),
            Cell::Bool(flag) if same => Some(flag.to_string()),
            Cell::Null => panic!("{name} took an attribute and is empty"),
            _ => None,
        };
        out.insert(key, (kind, text));
    }
    if let Cell::Map(entries) = cell(rows, rest, row) {
        let kinds = kinds.chars().chain(std::iter::repeat('s'));
        out.extend(entries.into_iter().zip(kinds).map(|((key, value), kind)| (key, (kind, value))));
    }
    out
}

fn same(rebuilt: &Attributes, sent: &Attributes) -> Result<(), TestCaseError> {
    prop_assert_eq!(rebuilt.keys().collect::<Vec<_>>(), sent.keys().collect::<Vec<_>>());
    for (key, (kind, text)) in rebuilt {
        let (sent_kind, sent_text) = &sent[key];
        prop_assert_eq!(kind, sent_kind, "kind of {}", key);
        let json = |text: &Option<String>| text.as_deref().map(|t| serde_json::from_str::<serde_json::Value>(t).ok());
        let equal = text == sent_text || (*kind != 's' && json(text).is_some() && json(text) == json(sent_text));
        prop_assert!(text.is_none() || equal, "{}: {:?} was {:?}", key, text, sent_text);
    }
    Ok(())
}

/// Every home row says of its record, its resource and its scope what was sent.
fn check(decoded: &Decoded, records: &[[Vec<KeyValue>; 3]]) -> Result<(), TestCaseError> {
    let mut found = 0;
    for rows in decoded.gather.tables() {
        for row in (0..rows.len()).filter(|row| cell(rows, "is_primary", *row) == Cell::Bool(true)) {
            let own = rebuilt(rows, row, "received_as", "attributes");
            let number: usize = own[MARK].1.as_ref().unwrap().parse().unwrap();
            let [attributes, resource, scope] = &records[number];
            same(&own, &sent(attributes))?;
            same(&rebuilt(rows, row, "resource_as", "resource"), &sent(resource))?;
            same(&rebuilt(rows, row, "scope_as", "scope_attributes"), &sent(scope))?;
            found += 1;
        }
    }
    prop_assert_eq!(found, records.len());
    Ok(())
}

fn distinct(attributes: &[KeyValue]) -> Vec<KeyValue> {
    let last: BTreeMap<&str, &KeyValue> = attributes.iter().map(|a| (a.key.as_str(), a)).collect();
    last.into_values().cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn spans_can_be_forwarded(mut request in traces()) {
        mark_spans([&mut request]);
        let mut records = Vec::new();
        for group in &request.resource_spans {
            let resource = group.resource.as_ref().map(|r| distinct(&r.attributes)).unwrap_or_default();
            for scope in &group.scope_spans {
                let of_scope = scope.scope.as_ref().map(|s| distinct(&s.attributes)).unwrap_or_default();
                let each = scope.spans.iter().map(|s| [distinct(&s.attributes), resource.clone(), of_scope.clone()]);
                records.extend(each);
            }
        }
        check(&decode(Signal::Traces, &[&request.encode_to_vec()]), &records)?;
    }

    #[test]
    fn log_records_can_be_forwarded(mut request in logs()) {
        mark_logs([&mut request]);
        let mut records = Vec::new();
        for group in &request.resource_logs {
            let resource = group.resource.as_ref().map(|r| distinct(&r.attributes)).unwrap_or_default();
            for scope in &group.scope_logs {
                let of_scope = scope.scope.as_ref().map(|s| distinct(&s.attributes)).unwrap_or_default();
                let each = scope.log_records.iter().map(|l| [distinct(&l.attributes), resource.clone(), of_scope.clone()]);
                records.extend(each);
            }
        }
        check(&decode(Signal::Logs, &[&request.encode_to_vec()]), &records)?;
    }
}
