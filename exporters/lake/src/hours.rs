//! Hours of events: which hour a row belongs to, and which hours a file has rows of.

use std::ops::RangeInclusive;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use chrono::NaiveDate;

use crate::delta::Add;

/// Microseconds.
const HOUR: i64 = 3_600_000_000;

/// The hour of a time, counted since 1970. A row whose time is not of its day, because nobody believes it, belongs to the
/// first or last hour of the day.
fn hour(time: Option<i64>, day: i64) -> i64 {
    let first = day * 24;
    time.map_or(first, |time| time.div_euclid(HOUR).clamp(first, first + 23))
}

/// The day of a file's rows, counted since 1970.
pub(crate) fn day(add: &Add) -> Option<i64> {
    let date: NaiveDate = add.date()?.parse().ok()?;
    Some((date - NaiveDate::default()).num_days())
}

/// The hours between two times.
pub(crate) fn between(low: i64, high: i64, day: i64) -> RangeInclusive<i64> {
    hour(Some(low), day)..=hour(Some(high.max(low)), day)
}

/// The hours of a file's rows; `None` if the file has no day.
pub(crate) fn of_file(add: &Add) -> Option<RangeInclusive<i64>> {
    let day = day(add)?;
    let (low, high) = add.times().unwrap_or((i64::MIN, i64::MAX));
    Some(between(low, high, day))
}

/// The hour that a file waits for to be completed: the last of its rows, but none that its writer had not seen. A sender
/// whose clock is ahead would hold up everybody's rows else.
pub(crate) fn awaited(add: &Add) -> Option<i64> {
    Some((*of_file(add)?.end()).min(add.newest().div_euclid(HOUR / 1000)))
}

/// The hour of each row.
pub(crate) fn of_rows(rows: &RecordBatch, day: i64) -> Vec<i64> {
    let times = rows.column_by_name("time").and_then(|c| c.as_primitive_opt::<TimestampMicrosecondType>());
    let time = |row| times.filter(|t| t.is_valid(row)).map(|t| t.value(row));
    (0..rows.num_rows()).map(|row| hour(time(row), day)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_outside_of_its_day_belongs_to_an_edge_of_it() {
        let at = |hours: i64| Some(hours * HOUR + 1);
        assert_eq!(hour(at(24 * 7 + 5), 7), 24 * 7 + 5);
        assert_eq!(hour(at(0), 7), 24 * 7);
        assert_eq!(hour(at(24 * 9), 7), 24 * 7 + 23);
        assert_eq!(hour(Some(-1), -1), -1);
        assert_eq!(hour(None, 7), 24 * 7);
    }
}
