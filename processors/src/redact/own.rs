//! A record that names its person in an attribute often does so again in its text: `User Ada Lovelace created`.
//!
//! No pattern finds a name, but here it is known: what stands in a column of names is taken out of the row's own texts.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use component::{ProcessError, Rows, Text};
use schemas::{Class, Type};

use super::columns::{Edit, Entries, Hit};
use super::kind::Kind;
use super::text::Cleaner;

/// Shorter names are also parts of other words.
const SHORTEST: usize = 4;

/// Takes every row's own names out of its texts.
pub(super) fn redact(rows: &mut Rows, cleaner: &mut Cleaner, hits: &mut Vec<Hit>) -> Result<(), ProcessError> {
    let table = Arc::clone(rows.table());
    let held: Vec<ArrayRef> = table
        .columns
        .iter()
        .enumerate()
        .filter(|(_, c)| c.class == Class::Direct && c.transient && c.name.ends_with("_name"))
        .filter_map(|(index, _)| rows.at(index).cloned())
        .collect();
    if held.is_empty() {
        return Ok(());
    }
    let names: Vec<Vec<String>> = (0..rows.len()).map(|row| own(&held, row)).collect();
    for (index, column) in table.columns.iter().enumerate().filter(|(_, c)| !c.transient) {
        let Some(array) = rows.at(index).cloned() else { continue };
        let new = match (column.r#type, column.class) {
            (_, Class::Safe | Class::Pseudonym) => None,
            (Type::Text, _) => texts(&array, &names, cleaner, hits),
            (Type::Map, _) => map(&array, &names, cleaner, hits)?,
            _ => None,
        };
        if let Some(new) = new {
            rows.set_at(index, new)?;
        }
    }
    Ok(())
}

fn own(held: &[ArrayRef], row: usize) -> Vec<String> {
    let values = held.iter().filter_map(|array| Text::new(array)?.get(row));
    let named = |name: &&str| name.len() >= SHORTEST && name.bytes().any(|b| b.is_ascii_alphabetic() || b >= 0x80);
    values.map(str::trim).filter(named).map(str::to_owned).collect()
}

fn texts(array: &ArrayRef, names: &[Vec<String>], cleaner: &mut Cleaner, hits: &mut Vec<Hit>) -> Option<ArrayRef> {
    let plain = array.as_string_opt::<i32>()?;
    let mut changed = false;
    let out: StringArray = (0..plain.len())
        .map(|row| {
            let text = plain.is_valid(row).then(|| plain.value(row))?;
            cleaner.set_row(row);
            let Some(new) = without(text, &names[row], cleaner) else {
                return Some(text.to_owned());
            };
            changed = true;
            hits.push(hit(row));
            Some(new)
        })
        .collect();
    changed.then(|| Arc::new(out) as ArrayRef)
}

fn map(
    array: &ArrayRef,
    names: &[Vec<String>],
    cleaner: &mut Cleaner,
    hits: &mut Vec<Hit>,
) -> Result<Option<ArrayRef>, ProcessError> {
    let entries = Entries::of(array)?;
    let mut edits = Vec::new();
    for (row, names) in names.iter().enumerate().filter(|(_, names)| !names.is_empty()) {
        cleaner.set_row(row);
        for entry in entries.of_row(row) {
            let text = entries.values.is_valid(entry).then(|| entries.values.value(entry));
            if let Some(new) = text.and_then(|text| without(text, names, cleaner)) {
                hits.push(hit(row));
                edits.push((entry, Edit { removed: false, key: None, value: Some(new) }));
            }
        }
    }
    Ok((!edits.is_empty()).then(|| entries.rebuilt(&edits)))
}

fn hit(row: usize) -> Hit {
    (u32::try_from(row).unwrap_or(u32::MAX), u8::try_from(Kind::Name.index()).unwrap_or(u8::MAX))
}

/// The text without these names, or `None` if none stands in it as words of its own.
fn without(text: &str, names: &[String], cleaner: &mut Cleaner) -> Option<String> {
    let mut out: Option<String> = None;
    for name in names {
        let from = out.as_deref().unwrap_or(text);
        let is_word = |at: usize| {
            let letter = |c: char| c.is_alphanumeric();
            let before = from[..at].chars().next_back().is_some_and(letter);
            let after = from[at + name.len()..].chars().next().is_some_and(letter);
            !before && !after
        };
        let mut tokens = cleaner.tokens(from);
        let mut is_free = |at: usize| is_word(at) && !tokens.touch(at, at + name.len());
        let places: Vec<usize> =
            from.match_indices(name.as_str()).map(|(at, _)| at).filter(|at| is_free(*at)).collect();
        if places.is_empty() {
            continue;
        }
        let mut new = String::with_capacity(from.len());
        let mut done = 0;
        for at in places {
            new.push_str(&from[done..at]);
            new.push_str(&cleaner.replacement(Kind::Name, name));
            done = at + name.len();
        }
        new.push_str(&from[done..]);
        out = Some(new);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::without;
    use crate::redact::tests::redactor;

    #[test]
    fn names_go_where_they_are_words() {
        let cases = [
            ("User Ada Lovelace created", "Ada Lovelace", Some("User [NAME] created")),
            ("Ada Lovelace", "Ada Lovelace", Some("[NAME]")),
            ("{\"by\":\"Ada Lovelace\"}", "Ada Lovelace", Some("{\"by\":\"[NAME]\"}")),
            ("adamant and adams", "adam", None),
            ("[NAME] and NAME", "NAME", Some("[NAME] and [NAME]")),
            ("adam and adams, adam", "adam", Some("[NAME] and adams, [NAME]")),
            ("\u{413}\u{440}\u{430}\u{447} \u{438}", "\u{413}\u{440}\u{430}\u{447}", Some("[NAME] \u{438}")),
        ];
        let mut redact = redactor("{}");
        for (text, name, expected) in cases {
            let stored = without(text, &[name.to_owned()], &mut redact.cleaner);
            assert_eq!(stored.as_deref(), expected, "{text}");
        }
    }
}
