//! Text and dict columns behind one face.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, Int32Array, StringArray, StringBuilder};
use arrow::datatypes::Int32Type;

/// A column of UTF-8, plain or as a dictionary.
#[derive(Debug, Clone, Copy)]
pub enum Text<'a> {
    /// One value a row.
    Plain(&'a StringArray),
    /// Keys into distinct values.
    Dict {
        /// Row to value number.
        keys: &'a Int32Array,
        /// Distinct values.
        values: &'a StringArray,
    },
}

impl<'a> Text<'a> {
    /// The face of a column, if it is text.
    pub fn new(array: &'a ArrayRef) -> Option<Self> {
        if let Some(plain) = array.as_any().downcast_ref::<StringArray>() {
            return Some(Self::Plain(plain));
        }
        let dict = array.as_any().downcast_ref::<DictionaryArray<Int32Type>>()?;
        Some(Self::Dict { keys: dict.keys(), values: dict.values().as_any().downcast_ref()? })
    }

    /// The value of a row.
    pub fn get(&self, row: usize) -> Option<&'a str> {
        match self {
            Self::Plain(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Dict { keys, values } => {
                if keys.is_null(row) {
                    return None;
                }
                let value = usize::try_from(keys.value(row)).ok()?;
                values.is_valid(value).then(|| values.value(value))
            }
        }
    }

    /// Every row's value.
    pub fn iter(self) -> impl Iterator<Item = Option<&'a str>> {
        (0..self.len()).map(move |row| self.get(row))
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Plain(array) => array.len(),
            Self::Dict { keys, .. } => keys.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Rewrites a text or dict column; a dictionary is rewritten once per distinct value that a row uses.
///
/// `None` from `f` makes NULL. Returns `None` when nothing changed, so that callers keep the array they have.
pub fn map_text(array: &ArrayRef, mut f: impl FnMut(&str) -> Option<Cow<'_, str>>) -> Option<ArrayRef> {
    if let Some(dict) = array.as_any_dictionary_opt() {
        let values = dict.values();
        let mut used = vec![false; values.len()];
        for key in
            dict.normalized_keys().into_iter().enumerate().filter(|(row, _)| dict.keys().is_valid(*row)).map(|(_, k)| k)
        {
            used[key] = true;
        }
        let values = values.as_any().downcast_ref::<StringArray>()?;
        // A value that no row uses any more is dropped: it may be what an earlier stage removed.
        let mapped = map_plain(values, |row, text| if used[row] { f(text) } else { None })?;
        return Some(dict.with_values(Arc::new(mapped)));
    }
    let plain = array.as_any().downcast_ref::<StringArray>()?;
    Some(Arc::new(map_plain(plain, |_, text| f(text))?))
}

fn map_plain<'a>(
    array: &'a StringArray,
    mut f: impl FnMut(usize, &'a str) -> Option<Cow<'a, str>>,
) -> Option<StringArray> {
    let mut changed = None;
    for row in 0..array.len() {
        if array.is_null(row) {
            continue;
        }
        let text = array.value(row);
        match f(row, text) {
            Some(new) if new == text => {}
            new => {
                changed = Some((row, new));
                break;
            }
        }
    }
    let (first, value) = changed?;
    let mut out = StringBuilder::with_capacity(array.len(), array.value_data().len());
    for row in 0..array.len() {
        if array.is_null(row) {
            out.append_null();
        } else if row < first {
            out.append_value(array.value(row));
        } else if row == first {
            out.append_option(value.as_deref());
        } else {
            out.append_option(f(row, array.value(row)));
        }
    }
    Some(out.finish())
}
