//! The configuration as a tree that remembers where every value was written.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

/// Where a value stands: which source, and line and column from 1 (0 when unknown).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) source: usize,
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// One value and its place.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Value,
    /// The text that the environment gave, if any: never shown in an error, and a string again where one is wanted.
    pub(crate) expanded: Option<String>,
}

/// What YAML knows.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One key of a map.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) place: Place,
    pub(crate) node: Node,
}

impl Node {
    pub(crate) fn new(value: Value) -> Self {
        Self { place: Place::default(), value, expanded: None }
    }

    pub(crate) fn empty_map() -> Self {
        Self::new(Value::Map(Vec::new()))
    }

    /// Parses YAML. An empty document is an empty map.
    pub(crate) fn parse(yaml: &str) -> Result<Self, serde_saphyr::Error> {
        if yaml.lines().all(|l| l.trim().is_empty() || l.trim_start().starts_with('#')) {
            return Ok(Self::empty_map());
        }
        serde_saphyr::from_str(yaml)
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    pub(crate) fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|e| e.key == key)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|e| &e.node)
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// The node under one key or index.
    pub(crate) fn child(&self, segment: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(_) => self.get(segment),
            Value::List(items) => items.get(segment.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// The node under one key or index, to change.
    pub(crate) fn child_mut(&mut self, segment: &str) -> Option<&mut Node> {
        match &mut self.value {
            Value::Map(entries) => entries.iter_mut().find(|e| e.key == segment).map(|e| &mut e.node),
            Value::List(items) => items.get_mut(segment.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// The node under a path.
    pub(crate) fn at(&self, path: &[String]) -> Option<&Node> {
        path.iter().try_fold(self, |node, segment| node.child(segment))
    }

    /// Takes away what stands under a path; says whether there was something.
    pub(crate) fn remove(&mut self, path: &[String]) -> bool {
        let Some((last, above)) = path.split_last() else { return false };
        let Some(parent) = above.iter().try_fold(self, |node, segment| node.child_mut(segment)) else { return false };
        match &mut parent.value {
            Value::Map(entries) => {
                let before = entries.len();
                entries.retain(|e| &e.key != last);
                entries.len() < before
            }
            Value::List(items) => match last.parse::<usize>() {
                Ok(index) if index < items.len() => {
                    items.remove(index);
                    true
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// Lays `over` on top: maps merge, everything else replaces.
    pub(crate) fn merge(&mut self, over: Node) {
        match (&mut self.value, over.value) {
            (Value::Map(under), Value::Map(entries)) => {
                for entry in entries {
                    match under.iter_mut().find(|e| e.key == entry.key) {
                        // `otlp:` with nothing behind it means "this, with what is already said of it".
                        Some(known) if entry.node.is_null() && matches!(known.node.value, Value::Map(_)) => {}
                        Some(known) => {
                            known.place = entry.place;
                            known.node.merge(entry.node);
                        }
                        None => under.push(entry),
                    }
                }
            }
            (_, value) => *self = Node { place: over.place, value, expanded: over.expanded },
        }
    }

    /// Says of every value which source it comes from.
    pub(crate) fn belongs_to(&mut self, source: usize) {
        self.place.source = source;
        match &mut self.value {
            Value::List(items) => items.iter_mut().for_each(|n| n.belongs_to(source)),
            Value::Map(entries) => entries.iter_mut().for_each(|e| {
                e.place.source = source;
                e.node.belongs_to(source);
            }),
            _ => {}
        }
    }

    pub(crate) fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(b) => (*b).into(),
            Value::Int(i) => (*i).into(),
            Value::Float(f) => (*f).into(),
            Value::Text(t) => t.clone().into(),
            Value::List(items) => items.iter().map(Node::to_json).collect::<Vec<_>>().into(),
            Value::Map(entries) => {
                serde_json::Value::Object(entries.iter().map(|e| (e.key.clone(), e.node.to_json())).collect())
            }
        }
    }
}

// === impl Deserialize ===

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Self { place: place(&spanned.referenced), value: spanned.value, expanded: None })
    }
}

fn place(location: &serde_saphyr::Location) -> Place {
    let number = |n: u64| usize::try_from(n).unwrap_or(0);
    Place { source: 0, line: number(location.line()), column: number(location.column()) }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        i64::try_from(value).map(Value::Int).map_err(|_| E::custom("a number this large has no use here"))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, node)) = access.next_entry::<Spanned<String>, Node>()? {
            entries.push(Entry { place: place(&key.referenced), key: key.value, node });
        }
        Ok(Value::Map(entries))
    }
}
