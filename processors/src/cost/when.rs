//! When a price holds: days, weekdays and hours, in UTC or in a time zone.

use arrow::array::timezone::Tz;
use arrow::compute::kernels::cast_utils::Parser;
use arrow::datatypes::Date32Type;
use chrono::{DateTime, Offset, TimeZone};

const MICROS_A_SECOND: i64 = 1_000_000;
const MICROS_A_MINUTE: i64 = 60 * MICROS_A_SECOND;
const MICROS_A_DAY: i64 = 24 * 60 * MICROS_A_MINUTE;

/// 1970 began on a Thursday.
const FIRST_WEEKDAY: i64 = 3;

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// When a price holds; the default is always.
#[derive(Debug, Clone, Default)]
pub(super) struct When {
    /// First day, counted from 1970.
    pub(super) from: Option<i32>,
    /// Last day.
    until: Option<i32>,
    /// From and until, microseconds after midnight; may cross midnight and then belongs to the day on which it began.
    hours: Option<(i64, i64)>,
    /// Days of the week as a set, Monday first; none means all.
    weekdays: u8,
    /// Whose days and hours; none means UTC.
    zone: Option<Tz>,
}

impl When {
    /// Adds the first day; `None` if it cannot be read.
    pub(super) fn from(mut self, day: &str) -> Option<Self> {
        self.from = Some(Date32Type::parse(day)?);
        Some(self)
    }

    /// Adds the last day.
    pub(super) fn until(mut self, day: &str) -> Option<Self> {
        self.until = Some(Date32Type::parse(day)?);
        Some(self)
    }

    /// Adds hours of the day, such as `16:30-00:30`.
    pub(super) fn hours(mut self, text: &str) -> Option<Self> {
        let (start, end) = text.split_once('-')?;
        self.hours = Some((clock(start)?, clock(end)?));
        Some(self)
    }

    /// Adds days of the week, such as `mon-fri` or `sat,sun`.
    pub(super) fn weekdays(mut self, text: &str) -> Option<Self> {
        let day = |name: &str| WEEKDAYS.iter().position(|day| name.trim().eq_ignore_ascii_case(day));
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (day(first)?, day(last)?);
            // Saturday to Monday is three days.
            let count = (last + 7 - first) % 7;
            self.weekdays |= (first..=first + count).fold(0, |set, day| set | 1 << (day % 7));
        }
        Some(self)
    }

    /// Adds a time zone, such as `Asia/Shanghai` or `+08:00`.
    pub(super) fn zone(mut self, name: &str) -> Option<Self> {
        self.zone = Some(name.parse().ok()?);
        Some(self)
    }

    /// Whether the price holds at a time, in microseconds since 1970.
    pub(super) fn holds(&self, time: i64) -> bool {
        let time = time.saturating_add(self.offset(time));
        let (day, moment) = (time.div_euclid(MICROS_A_DAY), time.rem_euclid(MICROS_A_DAY));
        let (within, began) = match self.hours {
            None => (true, day),
            Some((start, end)) if end < start => (moment >= start || moment < end, day - i64::from(moment < end)),
            Some((start, end)) => ((start..end).contains(&moment), day),
        };
        let weekday = (began + FIRST_WEEKDAY).rem_euclid(7);
        within
            && (self.weekdays == 0 || self.weekdays >> weekday & 1 == 1)
            && self.from.is_none_or(|from| day >= i64::from(from))
            && self.until.is_none_or(|until| day <= i64::from(until))
    }

    /// How far the zone's clocks are ahead of UTC at a time.
    fn offset(&self, time: i64) -> i64 {
        let Some((zone, at)) = self.zone.as_ref().zip(DateTime::from_timestamp_micros(time)) else { return 0 };
        i64::from(zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc()) * MICROS_A_SECOND
    }
}

/// `HH:MM` as microseconds after midnight.
fn clock(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes) = (hours.trim().parse::<i64>().ok()?, minutes.trim().parse::<i64>().ok()?);
    ((0..24).contains(&hours) && (0..60).contains(&minutes)).then_some((hours * 60 + minutes) * MICROS_A_MINUTE)
}

#[cfg(test)]
mod tests {
    use arrow::compute::kernels::cast_utils::string_to_timestamp_nanos;

    use super::*;

    fn micros(time: &str) -> i64 {
        string_to_timestamp_nanos(time).unwrap() / 1_000
    }

    #[test]
    fn hours_cross_midnight() {
        let hour = 60 * MICROS_A_MINUTE;
        let night = When::default().hours("16:30-00:30").unwrap();
        for (moment, holds) in [(0, true), (hour / 2, false), (16 * hour, false), (33 * hour / 2, true), (-hour, true)]
        {
            assert_eq!(night.holds(moment), holds, "{moment}");
        }
        let days = When::default().from("1970-01-02").unwrap().until("1970-01-03").unwrap();
        for (hours, holds) in [(23, false), (24, true), (71, true), (72, false)] {
            assert_eq!(days.holds(hours * hour), holds, "{hours}");
        }
    }

    #[test]
    fn weekdays_are_of_the_day_on_which_hours_began() {
        let night = When::default().weekdays("fri").unwrap().hours("22:00-06:00").unwrap();
        let work = When::default().weekdays("mon-fri").unwrap();
        let wrapped = When::default().weekdays("sat-mon").unwrap();
        for (time, expected) in [
            ("2026-11-20T23:00:00Z", [true, true, false]),
            ("2026-11-21T05:59:59Z", [true, false, true]),
            ("2026-11-21T23:00:00Z", [false, false, true]),
            ("2026-11-23T03:00:00Z", [false, true, true]),
            ("1969-12-31T23:00:00Z", [false, true, false]),
        ] {
            let time = micros(time);
            assert_eq!([night.holds(time), work.holds(time), wrapped.holds(time)], expected, "{time}");
        }
    }

    #[test]
    fn zones_move_days_and_hours() {
        let when = |zone| When::default().weekdays("sat").unwrap().hours("00:00-08:00").unwrap().zone(zone).unwrap();
        // In summer New York is four hours behind, in winter five.
        for (zone, time, holds) in [
            ("Asia/Shanghai", "2026-11-20T16:00:00Z", true),
            ("Asia/Shanghai", "2026-11-20T15:59:59Z", false),
            ("+08:00", "2026-11-20T16:00:00Z", true),
            ("America/New_York", "2026-07-11T04:00:00Z", true),
            ("America/New_York", "2026-11-21T04:30:00Z", false),
            ("America/New_York", "2026-11-21T05:00:00Z", true),
        ] {
            assert_eq!(when(zone).holds(micros(time)), holds, "{zone} {time}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        assert!(When::default().from("soon").is_none());
        assert!(When::default().hours("24:00-01:00").is_none());
        assert!(When::default().weekdays("mon-noday").is_none());
        assert!(When::default().zone("Mars/Olympus").is_none());
    }
}
