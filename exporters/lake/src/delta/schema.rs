//! A table's columns in Delta's words, and whether the lake's columns can become them.

use std::collections::BTreeMap;

use schemas::{Table, Type};
use serde_json::{Value, json};

use crate::Error;

/// `schemaString` of a table.
pub(crate) fn schema_string(table: &Table) -> String {
    fields_string(table.stored_columns().map(|c| (c.name.clone(), word(c.r#type))))
}

fn fields_string(fields: impl Iterator<Item = (String, Value)>) -> String {
    let fields: Vec<Value> =
        fields.map(|(name, kind)| json!({ "name": name, "type": kind, "nullable": true, "metadata": {} })).collect();
    json!({ "type": "struct", "fields": fields }).to_string()
}

fn word(kind: Type) -> Value {
    match kind {
        Type::Text | Type::Dict => json!("string"),
        Type::Int => json!("long"),
        Type::Float => json!("double"),
        Type::Bool => json!("boolean"),
        Type::Time => json!("timestamp"),
        Type::Date => json!("date"),
        Type::Money => json!("decimal(38,18)"),
        Type::Map => json!({ "type": "map", "keyType": "string", "valueType": "string", "valueContainsNull": true }),
    }
}

/// What the lake's schema must become: its own columns, then the new ones. `None` if nothing is missing.
pub(crate) fn evolved(table: &Table, stored: &str) -> Result<Option<String>, Error> {
    let bad = |why: &str| Error::log(&table.name, format!("its schema cannot be read: {why}"));
    let stored: Value = serde_json::from_str(stored).map_err(|e| bad(&e.to_string()))?;
    let fields = stored["fields"].as_array().ok_or_else(|| bad("it has no fields"))?;
    let mut all: Vec<(String, Value)> =
        fields.iter().filter_map(|f| Some((f["name"].as_str()?.to_owned(), f["type"].clone()))).collect();
    let known: BTreeMap<String, Value> = all.iter().cloned().collect();
    let mut grown = false;
    for column in table.stored_columns() {
        let declared = word(column.r#type);
        match known.get(&column.name) {
            Some(stored) if *stored == declared => {}
            Some(stored) => {
                return Err(Error::Schema {
                    table: table.name.clone(),
                    column: column.name.clone(),
                    stored: stored.to_string(),
                    declared: declared.to_string(),
                });
            }
            None => {
                all.push((column.name.clone(), declared));
                grown = true;
            }
        }
    }
    Ok(grown.then(|| fields_string(all.into_iter())))
}
