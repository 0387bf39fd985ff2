//! From texts to the columns of a table: which are looked at, and which rows held what.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, Int32Array, MapArray, MapBuilder, MapFieldNames, StringArray,
    StringBuilder, StructArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Int32Type};
use component::{ProcessError, Rows, map_text};
use hashbrown::{HashMap, HashSet};
use schemas::{Class, Column, Type};

use super::kind::Kind;
use super::own;
use super::text::Cleaner;

/// The column that says what was redacted.
const REDACTIONS: &str = "redactions";

/// Something that was replaced in a row: row and position of the kind.
pub(super) type Hit = (u32, u8);

/// Redacts every column of a table that may hold a sender's text; adds to `totals` by kind.
pub(super) fn redact(rows: &mut Rows, cleaner: &mut Cleaner, totals: &mut [u64]) -> Result<(), ProcessError> {
    cleaner.begin(rows);
    let mut hits: Vec<Hit> = Vec::new();
    drop_content_bodies(rows, cleaner, &mut hits)?;
    own::redact(rows, cleaner, &mut hits)?;
    let table = Arc::clone(rows.table());
    for (index, column) in table.columns.iter().enumerate().filter(|(_, c)| is_scanned(c)) {
        let Some(array) = rows.at(index).cloned() else { continue };
        let new = match column.r#type {
            Type::Map => map(&array, cleaner, &mut hits)?,
            _ => text(&array, column, cleaner, &mut hits),
        };
        if let Some(new) = new {
            rows.set_at(index, new)?;
        }
    }
    if !hits.is_empty() {
        note(rows, hits, cleaner, totals)?;
    }
    Ok(())
}

/// Only text can hold text; what is ours, a pseudonym, or dropped behind the seal is left alone.
fn is_scanned(column: &Column) -> bool {
    matches!(column.r#type, Type::Text | Type::Dict | Type::Map)
        && !matches!(column.class, Class::Safe | Class::Pseudonym)
        && !column.transient
}

fn text(array: &ArrayRef, column: &Column, cleaner: &mut Cleaner, hits: &mut Vec<Hit>) -> Option<ArrayRef> {
    let keyed = cleaner.is_keyed();
    if let Some(dict) = array.as_dictionary_opt().filter(|_| keyed) {
        return by_subject(dict, column, cleaner, hits);
    }
    // The n-th call of the closure is for the n-th value that rows use; what it found is spread over those rows below.
    let mut calls = 0u32;
    let mut found: Vec<Hit> = Vec::new();
    let mut filled = (0..array.len()).filter(|row| array.is_valid(*row));
    let new = map_text(array, |value| {
        if keyed && let Some(row) = filled.next() {
            cleaner.set_row(row);
        }
        let cleaned = clean(value, column, cleaner);
        found.extend(cleaner.drain().map(|kind| (calls, position(kind))));
        calls += 1;
        Some(cleaned.map_or(value.into(), Into::into))
    })?;
    if !found.is_empty() {
        spread(array, &found, hits);
    }
    Some(new)
}

fn clean(value: &str, column: &Column, cleaner: &mut Cleaner) -> Option<String> {
    match column.max_len {
        Some(most) => cleaner.clean_and_cut(value, most),
        None => cleaner.clean(value),
    }
}

/// A dictionary where what takes a value's place depends on whose it is. A value into which nothing of its subject came is
/// cleaned once, another once for each subject whose rows use it.
fn by_subject(
    dict: &DictionaryArray<Int32Type>,
    column: &Column,
    cleaner: &mut Cleaner,
    hits: &mut Vec<Hit>,
) -> Option<ArrayRef> {
    struct Cleaned<'a> {
        text: Cow<'a, str>,
        kinds: Vec<u8>,
    }
    let values = dict.values().as_string_opt::<i32>()?;
    let mut made: Vec<Cleaned<'_>> = Vec::new();
    let mut places: HashMap<(usize, Option<usize>), i32> = HashMap::new();
    let mut changed = false;
    let mut keys = Vec::with_capacity(dict.len());
    for row in 0..dict.len() {
        let Some(key) = dict.key(row).filter(|key| values.is_valid(*key)) else {
            keys.push(None);
            continue;
        };
        let subject = cleaner.set_row(row);
        let known = places.get(&(key, None)).or_else(|| places.get(&(key, Some(subject)))).copied();
        let place = match known {
            Some(place) => place,
            None => {
                cleaner.told();
                let value = values.value(key);
                let text = clean(value, column, cleaner).map_or(Cow::Borrowed(value), Cow::Owned);
                changed |= matches!(text, Cow::Owned(_));
                made.push(Cleaned { text, kinds: cleaner.drain().map(position).collect() });
                let place = i32::try_from(made.len() - 1).ok()?;
                places.insert((key, cleaner.told().then_some(subject)), place);
                place
            }
        };
        let kinds = made.get(usize::try_from(place).ok()?)?.kinds.iter();
        hits.extend(kinds.map(|kind| (u32::try_from(row).unwrap_or(u32::MAX), *kind)));
        keys.push(Some(place));
    }
    // A value that no row uses any more is dropped: it may be what an earlier stage removed.
    let values: StringArray = made.iter().map(|cleaned| Some(&*cleaned.text)).collect();
    (changed || values.len() < dict.values().len())
        .then(|| Arc::new(DictionaryArray::new(Int32Array::from(keys), Arc::new(values))) as ArrayRef)
}

fn position(kind: Kind) -> u8 {
    u8::try_from(kind.index()).unwrap_or(u8::MAX)
}

/// Gives every row what was found in its value. `found` is ordered by the number of the value among those in use.
fn spread(array: &ArrayRef, found: &[Hit], hits: &mut Vec<Hit>) {
    let of = |number: u32| {
        let from = found.partition_point(|(n, _)| *n < number);
        found[from..].iter().take_while(move |(n, _)| *n == number).map(|(_, kind)| *kind)
    };
    let Some(dict) = array.as_any_dictionary_opt() else {
        for (number, row) in
            (0u32..).zip((0u32..).zip(0..array.len()).filter(|(_, i)| array.is_valid(*i)).map(|(row, _)| row))
        {
            hits.extend(of(number).map(|kind| (row, kind)));
        }
        return;
    };
    let keys = dict.normalized_keys();
    let mut numbers = vec![None; dict.values().len()];
    for (row, key) in keys.iter().enumerate() {
        if dict.keys().is_valid(row) && dict.values().is_valid(*key) {
            numbers[*key] = Some(0);
        }
    }
    for (number, slot) in (0u32..).zip(numbers.iter_mut().flatten()) {
        *slot = number;
    }
    for (row, (index, key)) in (0u32..).zip(keys.iter().enumerate()) {
        if dict.keys().is_valid(index)
            && let Some(number) = numbers[*key]
        {
            hits.extend(of(number).map(|kind| (row, kind)));
        }
    }
}

/// The body of a record that carries a conversation is the conversation.
fn drop_content_bodies(rows: &mut Rows, cleaner: &mut Cleaner, hits: &mut Vec<Hit>) -> Result<(), ProcessError> {
    let (Some(names), Some(body)) = (rows.text("name"), rows.text("body")) else { return Ok(()) };
    let is_content = |row: usize| names.get(row).is_some_and(|name| cleaner.names.is_content_event(name));
    let content: Vec<bool> = (0..rows.len()).map(is_content).collect();
    if !content.contains(&true) {
        return Ok(());
    }
    let mut kept = StringBuilder::new();
    for ((row, text), content) in (0u32..).zip(body.iter()).zip(&content) {
        kept.append_option(text.filter(|_| !content));
        if *content && text.is_some() {
            hits.push((row, position(Kind::Content)));
        }
    }
    Ok(rows.set("body", Arc::new(kept.finish()))?)
}

/// A map column: the key's name decides, then keys and values are looked at.
fn map(array: &ArrayRef, cleaner: &mut Cleaner, hits: &mut Vec<Hit>) -> Result<Option<ArrayRef>, ProcessError> {
    let entries = Entries::of(array)?;
    let before = hits.len();
    let mut edits: Vec<(usize, Edit)> = Vec::new();
    // Neighbours often say the same, a resource above all: what was clean in the row before is clean here.
    let mut clean = 0..0;
    for row in 0..array.len() {
        let range = entries.of_row(row);
        if entries.are_equal(&range, &clean) {
            continue;
        }
        cleaner.set_row(row);
        let (hits_before, edits_before) = (hits.len(), edits.len());
        for entry in range.clone() {
            let edit = edit(&entries, entry, cleaner);
            hits.extend(cleaner.drain().map(|kind| (u32::try_from(row).unwrap_or(u32::MAX), position(kind))));
            if let Some(edit) = edit {
                edits.push((entry, edit));
            }
        }
        if (hits.len(), edits.len()) == (hits_before, edits_before) {
            clean = range;
        }
    }
    // Entries that no row uses any more may be what an earlier stage removed; they are not copied.
    if hits.len() == before && edits.is_empty() && entries.all_used() {
        return Ok(None);
    }
    Ok(Some(entries.rebuilt(&edits)))
}

/// What becomes of an entry: a new key, a new value.
pub(super) struct Edit {
    pub(super) removed: bool,
    pub(super) key: Option<String>,
    pub(super) value: Option<String>,
}

fn edit(entries: &Entries<'_>, entry: usize, cleaner: &mut Cleaner) -> Option<Edit> {
    let name = entries.keys.value(entry);
    let mut done = Vec::new();
    let (rule, key) = cleaner.name(name, 0, &mut done);
    if !rule.removes() {
        done.into_iter().for_each(|kind| cleaner.count(kind));
    }
    if entries.values.is_null(entry) {
        return key.map(|key| Edit { removed: false, key: Some(key), value: None });
    }
    match cleaner.clean_value(rule, entries.values.value(entry)) {
        Err(_removed) => Some(Edit { removed: true, key: None, value: None }),
        Ok(None) if key.is_none() => None,
        Ok(value) => Some(Edit { removed: false, key, value }),
    }
}

/// The parts of a map column.
pub(super) struct Entries<'a> {
    array: &'a MapArray,
    keys: &'a StringArray,
    pub(super) values: &'a StringArray,
}

impl<'a> Entries<'a> {
    pub(super) fn of(array: &'a ArrayRef) -> Result<Self, ProcessError> {
        let parts = array.as_map_opt().and_then(|array| {
            let keys = array.keys().as_string_opt::<i32>()?;
            Some(Self { array, keys, values: array.values().as_string_opt::<i32>()? })
        });
        parts.ok_or_else(|| ProcessError::Refused("a map column does not hold text under text".to_owned()))
    }

    pub(super) fn of_row(&self, row: usize) -> std::ops::Range<usize> {
        let offsets = self.array.value_offsets();
        let place = |i: usize| usize::try_from(offsets[i]).unwrap_or_default();
        if self.array.is_null(row) { 0..0 } else { place(row)..place(row + 1) }
    }

    /// Whether two rows hold the same, in the same order.
    fn are_equal(&self, one: &std::ops::Range<usize>, other: &std::ops::Range<usize>) -> bool {
        let same = |(a, b): (usize, usize)| {
            self.keys.value(a) == self.keys.value(b)
                && self.values.is_null(a) == self.values.is_null(b)
                && self.values.value(a) == self.values.value(b)
        };
        one.len() == other.len() && one.clone().zip(other.clone()).all(same)
    }

    fn all_used(&self) -> bool {
        (0..self.array.len()).map(|row| self.of_row(row).len()).sum::<usize>() == self.keys.len()
    }

    pub(super) fn rebuilt(&self, mut edits: &[(usize, Edit)]) -> ArrayRef {
        let mut keys = StringBuilder::with_capacity(self.keys.len(), self.keys.value_data().len());
        let mut values = StringBuilder::with_capacity(self.values.len(), self.values.value_data().len());
        let mut lengths = Vec::with_capacity(self.array.len());
        for row in 0..self.array.len() {
            let mut length = 0;
            let range = self.of_row(row);
            let (here, rest) = edits.split_at(edits.partition_point(|(entry, _)| *entry < range.end));
            edits = rest;
            // Two names can become one when they are redacted; a map has each but once.
            let renamed = here.iter().any(|(_, edit)| edit.key.is_some());
            let mut seen = HashSet::new();
            for entry in range {
                let edit = here.binary_search_by_key(&entry, |(at, _)| *at).ok().map(|i| &here[i].1);
                if edit.is_some_and(|e| e.removed) {
                    continue;
                }
                let key = edit.and_then(|e| e.key.as_deref()).unwrap_or(self.keys.value(entry));
                if renamed {
                    keys.append_value(unique(key, &mut seen))
                } else {
                    keys.append_value(key)
                }
                let value = edit.and_then(|e| e.value.as_deref());
                let old = self.values.is_valid(entry).then(|| self.values.value(entry));
                values.append_option(value.or(old));
                length += 1;
            }
            lengths.push(length);
        }
        self.assembled(keys, values, lengths)
    }

    fn assembled(&self, mut keys: StringBuilder, mut values: StringBuilder, lengths: Vec<usize>) -> ArrayRef {
        let DataType::Map(entries, sorted) = self.array.data_type() else { return Arc::new(self.array.clone()) };
        let fields = self.array.entries().fields().clone();
        let parts: Vec<ArrayRef> = vec![Arc::new(keys.finish()), Arc::new(values.finish())];
        let pairs = StructArray::new(fields, parts, None);
        let nulls: Option<NullBuffer> = self.array.nulls().cloned();
        let entries: Arc<Field> = Arc::clone(entries);
        Arc::new(MapArray::new(entries, OffsetBuffer::from_lengths(lengths), pairs, nulls, *sorted))
    }
}

/// The key, numbered if the row has it already.
fn unique(key: &str, seen: &mut HashSet<String>) -> String {
    let mut name = key.to_owned();
    let mut number = 2;
    while !seen.insert(name.clone()) {
        name = format!("{key}#{number}");
        number += 1;
    }
    name
}

/// Fills the column `redactions` for the rows that were touched, on top of what it says already.
fn note(rows: &mut Rows, mut hits: Vec<Hit>, cleaner: &mut Cleaner, totals: &mut [u64]) -> Result<(), ProcessError> {
    for (row, kind) in &hits {
        let (row, kind) = (usize::try_from(*row).unwrap_or(usize::MAX), usize::from(*kind));
        if let Some(total) = totals.get_mut(kind) {
            *total += 1;
        }
        cleaner.note(row, kind);
    }
    if rows.table().index(REDACTIONS).is_none() {
        return Ok(());
    }
    hits.sort_unstable();
    let earlier = rows.get(REDACTIONS).cloned();
    let earlier = earlier.as_ref().map(Entries::of).transpose()?;
    let names = MapFieldNames { entry: "key_value".into(), key: "key".into(), value: "value".into() };
    let mut builder = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    let mut hits = hits.into_iter().peekable();
    let mut counts = vec![0u64; cleaner.kinds()];
    let failed = |e| ProcessError::Refused(format!("noting redactions: {e}"));
    for row in 0..rows.len() {
        let touched = hits.peek().is_some_and(|(at, _)| usize::try_from(*at) == Ok(row));
        if !touched && earlier.is_none() {
            builder.append(false).map_err(failed)?;
            continue;
        }
        if let Some(earlier) = &earlier {
            for entry in earlier.of_row(row) {
                let label = earlier.keys.value(entry);
                let index = (0..counts.len()).find(|i| cleaner.label(*i) == label);
                let count =
                    if earlier.values.is_valid(entry) { earlier.values.value(entry).parse().unwrap_or(0) } else { 0 };
                index.into_iter().for_each(|i| counts[i] += count);
            }
        }
        while let Some((_, kind)) = hits.next_if(|(at, _)| usize::try_from(*at) == Ok(row)) {
            counts[usize::from(kind)] += 1;
        }
        let mut any = false;
        for (index, count) in counts.iter_mut().enumerate().filter(|(_, n)| **n > 0) {
            builder.keys().append_value(cleaner.label(index));
            builder.values().append_value(std::mem::take(count).to_string());
            any = true;
        }
        builder.append(any).map_err(failed)?;
    }
    Ok(rows.set(REDACTIONS, Arc::new(builder.finish()))?)
}
