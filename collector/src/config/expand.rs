//! `${env:NAME}`, `${env:NAME:-default}` and `$$` in scalar values.

use super::node::{Node, Value};
use super::problem::Problems;

/// Expands every scalar below `node` with `look_up`.
pub(crate) fn expand(node: &mut Node, look_up: &dyn Fn(&str) -> Option<String>, problems: &mut Problems) {
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|n| expand(n, look_up, problems)),
        Value::Map(entries) => entries.iter_mut().for_each(|e| expand(&mut e.node, look_up, problems)),
        Value::Text(text) if text.contains('$') => match expand_text(text, look_up) {
            Ok(expanded) => {
                let whole = text.starts_with("${") && text.find('}') == Some(text.len() - 1);
                node.value = if whole { typed(&expanded) } else { Value::Text(expanded.clone()) };
                node.expanded = Some(expanded);
            }
            Err(what) => {
                problems.add(node.place, text.chars().count(), what);
                node.value = Value::Null;
            }
        },
        _ => {}
    }
}

/// A value that is nothing but a reference may be a number or a flag.
fn typed(text: &str) -> Value {
    match Node::parse(text).map(|n| n.value) {
        Ok(value @ (Value::Bool(_) | Value::Int(_) | Value::Float(_))) => value,
        _ => Value::Text(text.to_owned()),
    }
}

fn expand_text(text: &str, look_up: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(dollar) = rest.find('$') {
        out.push_str(&rest[..dollar]);
        rest = &rest[dollar + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(inside) = rest.strip_prefix('{') {
            let end = inside.find('}').ok_or("a `${` needs a `}`; write `$$` for a plain dollar")?;
            out.push_str(&reference(&inside[..end], look_up)?);
            rest = &inside[end + 1..];
        } else {
            out.push('$');
        }
    }
    out.push_str(rest);
    Ok(out)
}

fn reference(inside: &str, look_up: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let Some(spec) = inside.strip_prefix("env:") else {
        return Err(format!("`${{{inside}}}` is not understood; write `${{env:NAME}}` or `${{env:NAME:-default}}`"));
    };
    let (name, default) = match spec.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (spec, None),
    };
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(format!("{name:?} cannot be the name of an environment variable"));
    }
    match (look_up(name).filter(|v| !v.is_empty()), default) {
        (Some(value), _) => Ok(value),
        (None, Some(default)) => Ok(default.to_owned()),
        (None, None) => {
            Err(format!("environment variable {name} is not set; set it or write `${{env:{name}:-default}}`"))
        }
    }
}
