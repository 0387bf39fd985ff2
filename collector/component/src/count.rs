//! What can be counted of a column without looking at each row's value: for the engine's books, once per gather.

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray};
use arrow::datatypes::{Int32Type, TimestampMicrosecondType};

/// Rows for which a bool column is true.
pub fn trues(column: &ArrayRef) -> u64 {
    column.as_boolean_opt().map_or(0, |column| column.true_count() as u64)
}

/// The same by what `class` says of a row's number.
pub fn trues_by<const N: usize>(column: &ArrayRef, class: impl Fn(usize) -> usize) -> [u64; N] {
    let mut counts = [0; N];
    let Some(column) = column.as_boolean_opt() else { return counts };
    for row in (0..column.len()).filter(|row| column.is_valid(*row) && column.value(*row)) {
        counts[class(row)] += 1;
    }
    counts
}

/// Rows that have a value.
pub fn filled(column: &ArrayRef) -> u64 {
    (column.len() - column.null_count()) as u64
}

/// How often each word of a dict column stands, as one pass over its keys.
pub fn words(column: &ArrayRef) -> Vec<(&str, u64)> {
    let Some(dict) = column.as_any().downcast_ref::<DictionaryArray<Int32Type>>() else { return Vec::new() };
    let Some(values) = dict.values().as_string_opt::<i32>() else { return Vec::new() };
    let mut counts = vec![0u64; values.len()];
    for key in dict.keys().iter().flatten() {
        if let Some(count) = usize::try_from(key).ok().and_then(|key| counts.get_mut(key)) {
            *count += 1;
        }
    }
    let words = counts.into_iter().enumerate().filter(|(value, n)| *n > 0 && values.is_valid(*value));
    words.map(|(value, n)| (values.value(value), n)).collect()
}

/// Microseconds between two time columns, of at most `most` rows that lie evenly over all.
pub fn between(from: &ArrayRef, to: &ArrayRef, most: usize) -> Vec<i64> {
    let from = from.as_primitive_opt::<TimestampMicrosecondType>();
    let to = to.as_primitive_opt::<TimestampMicrosecondType>();
    let (Some(from), Some(to)) = (from, to) else { return Vec::new() };
    let rows = from.len().min(to.len());
    let step = rows.div_ceil(most.max(1)).max(1);
    let both = (0..rows).step_by(step).filter(|row| from.is_valid(*row) && to.is_valid(*row));
    both.map(|row| to.value(row).saturating_sub(from.value(row))).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{BooleanArray, StringDictionaryBuilder, TimestampMicrosecondArray};

    use super::*;

    #[test]
    fn columns_are_counted_as_a_whole() {
        let bools: ArrayRef = Arc::new(BooleanArray::from(vec![Some(true), Some(false), Some(true), None]));
        assert_eq!((trues(&bools), filled(&bools), words(&bools).len()), (2, 3, 0));
        assert_eq!(trues_by::<2>(&bools, |row| usize::from(row > 1)), [1, 1]);
        let mut builder = StringDictionaryBuilder::<Int32Type>::new();
        for word in [Some("trace"), None, Some("session"), Some("trace")] {
            builder.append_option(word);
        }
        let dict: ArrayRef = Arc::new(builder.finish());
        assert_eq!(words(&dict), [("trace", 2), ("session", 1)]);
        assert_eq!((filled(&dict), trues(&dict)), (3, 0));
        let times = |values: Vec<Option<i64>>| -> ArrayRef {
            Arc::new(TimestampMicrosecondArray::from(values).with_timezone("UTC"))
        };
        let (from, to) = (times(vec![Some(1), Some(2), None, Some(4)]), times(vec![Some(11); 4]));
        assert_eq!(between(&from, &to, 64), [10, 9, 7]);
        assert_eq!(between(&from, &to, 2), [10], "every second row, one of them without a time");
        assert!(between(&from, &bools, 64).is_empty());
    }
}
