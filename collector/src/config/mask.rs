//! Secrets in a configuration, and the effective configuration without them.

use super::node::{Node, Value};

/// What stands in a secret's place.
pub(crate) const MASK: &str = "[redacted]";

/// Whether the value under this key must never be shown. Names of files and variables may be.
pub(crate) fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    if key.starts_with("bearertokenauth") || ["_file", "_env", "_path", "filename"].iter().any(|end| key.ends_with(end))
    {
        return false;
    }
    // Own telemetry is sent with headers, a list of `name` and `value` or a map.
    if key == "headers" || key == "value" {
        return true;
    }
    ["token", "secret", "password", "credential", "access_key", "account_key", "root_key", "authorization"]
        .iter()
        .any(|word| key.contains(word))
}

/// The configuration as YAML with every secret masked.
pub(crate) fn to_yaml(node: &Node) -> String {
    let mut out = String::new();
    write_map(&mut out, node, 0, false);
    out
}

fn write_map(out: &mut String, node: &Node, depth: usize, secret: bool) {
    for entry in node.entries() {
        out.push_str(&"  ".repeat(depth));
        out.push_str(&scalar_text(&entry.key));
        out.push(':');
        // A list of tokens is secret item by item; a map below may still have keys that can be shown.
        let secret = is_secret(&entry.key) || (secret && !is_name_of(&entry.key));
        write_value(out, &entry.key, &entry.node, depth, secret);
    }
}

/// Keys beside a token that say where it comes from or whose it is.
fn is_name_of(key: &str) -> bool {
    matches!(key, "tenant" | "env" | "file" | "filename" | "scheme" | "header" | "name")
}

/// Which program prints a key may be shown; its arguments may hold the key.
fn is_program(key: &str, item: &Node) -> bool {
    key == "root_key_command" && item.text().is_some_and(|text| !text.contains(|c: char| c.is_whitespace() || c == '='))
}

fn write_value(out: &mut String, key: &str, node: &Node, depth: usize, secret: bool) {
    match &node.value {
        Value::Map(entries) if entries.is_empty() => out.push_str(" {}\n"),
        Value::List(items) if items.is_empty() => out.push_str(" []\n"),
        Value::Map(_) => {
            out.push('\n');
            write_map(out, node, depth + 1, secret);
        }
        Value::List(items) => {
            out.push('\n');
            for (index, item) in items.iter().enumerate() {
                out.push_str(&"  ".repeat(depth + 1));
                out.push('-');
                write_value(out, "", item, depth + 1, secret && !(index == 0 && is_program(key, item)));
            }
        }
        _ => {
            out.push(' ');
            out.push_str(&scalar(node, secret));
            out.push('\n');
        }
    }
}

fn scalar(node: &Node, secret: bool) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        _ if secret => MASK_QUOTED.to_owned(),
        Value::Bool(b) => b.to_string(),
        Value::Int(i) => i.to_string(),
        Value::Float(f) => f.to_string(),
        Value::Text(text) => scalar_text(&without_password(text)),
        Value::List(_) | Value::Map(_) => String::new(),
    }
}

const MASK_QUOTED: &str = "\"[redacted]\"";

/// `scheme://user:password@host` keeps only the host.
fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let authority = rest.find('/').unwrap_or(rest.len());
    match rest[..authority].rfind('@') {
        Some(at) => format!("{scheme}://{MASK}@{}", &rest[at + 1..]),
        None => text.to_owned(),
    }
}

/// Plain where YAML reads it back as the same text, quoted otherwise.
fn scalar_text(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':');
    let plain = !text.is_empty()
        && text.chars().all(safe)
        && !text.starts_with(['-', ':', '.'])
        && !text.ends_with(':')
        && matches!(Node::parse(text), Ok(Node { value: Value::Text(_), .. }));
    let plain = plain || (text.starts_with("./") && text.chars().all(safe));
    if plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}
