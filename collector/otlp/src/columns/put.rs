//! From a value of any kind to the type of its column. What does not fit leaves NULL, and stays in the attribute map.

use arrow::compute::kernels::cast_utils::string_to_timestamp_nanos;

use super::decimal;
use super::{Column, Map};
use crate::text;
use crate::value::{Nested, Value};

const NANOS_PER_DAY: i64 = 86_400_000_000_000;

/// What a source says about how its value is to be read.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Conversion {
    /// Factor for numbers.
    pub(crate) scale: Option<f64>,
    /// The key is an HTTP header: always a list of strings on the wire, joined as HTTP joins them.
    pub(crate) header: bool,
}

impl Column {
    /// Appends a value if it fits the column's type, and says whether it did.
    #[inline]
    pub(crate) fn put(&mut self, row: usize, value: &Value<'_>, how: Conversion) -> bool {
        let is_text = matches!(self, Self::Text(_) | Self::Dict(_) | Self::Map(_));
        let lone = if how.header && !is_text { lone(value) } else { None };
        match (self, lone.as_ref().unwrap_or(value)) {
            (_, Value::Empty) => return false,
            (Self::Text(column), Value::Text(text)) => column.push(row, text),
            (Self::Dict(column), Value::Text(text)) => column.push(row, text),
            (Self::Text(column), other) => column.write(row, |out| as_text(out, other, how)),
            (Self::Dict(column), other) => column.write(row, |out| as_text(out, other, how)),
            (Self::Int(column), value) => return integer(value, how).map(|v| column.push(row, v)).is_some(),
            (Self::Float(column), value) => return float(value, how).map(|v| column.push(row, v)).is_some(),
            (Self::Bool(column), value) => return boolean(value).map(|v| column.push(row, v)).is_some(),
            (Self::Time(column), value) => {
                return nanos(value, how).map(|v| column.push(row, v.div_euclid(1000))).is_some();
            }
            (Self::Date(column), value) => {
                let day = nanos(value, how).and_then(|v| i32::try_from(v.div_euclid(NANOS_PER_DAY)).ok());
                return day.map(|v| column.push(row, v)).is_some();
            }
            (Self::Money(column), value) => return money(value, how).map(|v| column.push(row, v)).is_some(),
            (Self::Map(column), Value::List(list)) => return put_list(column, row, list),
            (Self::Map(_), _) => return false,
        }
        true
    }
}

/// The only value of a list: headers are lists, and a size or an amount is one header.
fn lone<'v>(value: &Value<'v>) -> Option<Value<'v>> {
    let Value::Array(nested) = value else { return None };
    let mut values = nested.values();
    values.next().filter(|_| values.next().is_none())
}

/// Writes one entry of a map: strings as they are, nothing as NULL, the rest as JSON.
#[inline]
pub(crate) fn map_entry(map: &mut Map, key: &[u8], value: &Value<'_>) {
    match value {
        Value::Empty => map.entry(key, None),
        Value::Text(text) => map.entry(key, Some(text)),
        other => map.write_entry(key, |out| text::json(out, other)),
    }
}

fn put_list(map: &mut Map, row: usize, list: &Nested<'_>) -> bool {
    let entries = text::distinct(list.entries());
    for (key, value) in &entries {
        map_entry(map, key, value);
    }
    map.close(row);
    !entries.is_empty()
}

fn as_text(out: &mut Vec<u8>, value: &Value<'_>, how: Conversion) {
    let Value::Array(nested) = value else { return text::json(out, value) };
    if !how.header || !nested.values().all(|v| matches!(v, Value::Text(_))) {
        return text::json(out, value);
    }
    for (index, element) in nested.values().enumerate() {
        if index > 0 {
            out.extend_from_slice(b", ");
        }
        if let Value::Text(text) = element {
            out.extend_from_slice(text);
        }
    }
}

fn str_of(text: &[u8]) -> Option<&str> {
    std::str::from_utf8(text).ok().map(str::trim)
}

fn integer(value: &Value<'_>, how: Conversion) -> Option<i64> {
    let exact = match value {
        Value::Int(value) => Some(*value),
        Value::Text(text) => str_of(text)?.parse().ok(),
        _ => None,
    };
    match (exact, how.scale) {
        (Some(value), None) => Some(value),
        // Whole factors, which units mostly have, keep whole numbers exact.
        (Some(value), Some(scale)) if scale.fract() == 0.0 && scale.abs() < 9e18 => value.checked_mul(scale as i64),
        (_, None) => whole(number(value)?),
        (_, Some(scale)) => whole((number(value)? * scale).round()),
    }
}

/// A float that is a 64-bit integer.
fn whole(value: f64) -> Option<i64> {
    (value.fract() == 0.0 && value >= -(2f64.powi(63)) && value < 2f64.powi(63)).then_some(value as i64)
}

fn number(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Int(value) => Some(*value as f64),
        Value::Double(value) => Some(*value),
        Value::Text(text) => {
            let text = str_of(text)?;
            // Rust also reads "inf" and "nan", which are words here and not numbers.
            text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b)).then(|| text.parse().ok())?
        }
        _ => None,
    }
}

fn float(value: &Value<'_>, how: Conversion) -> Option<f64> {
    number(value).map(|value| value * how.scale.unwrap_or(1.0))
}

fn boolean(value: &Value<'_>) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::Text(text) if text.eq_ignore_ascii_case(b"true") => Some(true),
        Value::Text(text) if text.eq_ignore_ascii_case(b"false") => Some(false),
        _ => None,
    }
}

/// Nanoseconds since 1970: a number in the source's unit, or a date and time as RFC 3339 writes them.
fn nanos(value: &Value<'_>, how: Conversion) -> Option<i64> {
    integer(value, how).or_else(|| match value {
        Value::Text(text) => string_to_timestamp_nanos(str_of(text)?).ok(),
        Value::Double(value) => whole((value * how.scale.unwrap_or(1.0)).round()),
        _ => None,
    })
}

fn money(value: &Value<'_>, how: Conversion) -> Option<i128> {
    if how.scale.is_some() {
        return decimal::parse(&serde_json::to_string(&float(value, how)?).ok()?);
    }
    match value {
        Value::Int(value) => i128::from(*value).checked_mul(10i128.pow(18)).filter(|v| v.abs() < 10i128.pow(38)),
        Value::Double(value) if value.is_finite() => decimal::parse(&serde_json::to_string(value).ok()?),
        Value::Text(text) => decimal::parse(str_of(text)?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Conversion = Conversion { scale: None, header: false };

    fn scaled(scale: f64) -> Conversion {
        Conversion { scale: Some(scale), header: false }
    }

    #[test]
    fn integers() {
        let check = |value: Value<'_>, how, expected| assert_eq!(integer(&value, how), expected, "{value:?} {how:?}");
        check(Value::Int(i64::MIN), PLAIN, Some(i64::MIN));
        check(Value::Double(42.0), PLAIN, Some(42));
        check(Value::Double(42.5), PLAIN, None);
        check(Value::Double(f64::NAN), PLAIN, None);
        check(Value::Double(9.3e18), PLAIN, None);
        check(Value::Text(b"-7"), PLAIN, Some(-7));
        check(Value::Text(b" 12 "), PLAIN, Some(12));
        check(Value::Text(b"1e3"), PLAIN, Some(1000));
        check(Value::Text(b"inf"), PLAIN, None);
        check(Value::Text(b"seven"), PLAIN, None);
        check(Value::Bool(true), PLAIN, None);
        check(Value::Double(0.523), scaled(1e9), Some(523_000_000));
        check(Value::Int(3), scaled(1e9), Some(3_000_000_000));
        check(Value::Int(i64::MAX), scaled(1e9), None);
        check(Value::Text(b"0.5"), scaled(1e3), Some(500));
        check(Value::Int(1500), scaled(0.001), Some(2));
    }

    #[test]
    fn times() {
        let check = |value: Value<'_>, how, expected| assert_eq!(nanos(&value, how), expected, "{value:?} {how:?}");
        check(Value::Int(1), scaled(1e9), Some(1_000_000_000));
        check(Value::Double(1.5), scaled(1e9), Some(1_500_000_000));
        check(Value::Text(b"1970-01-01T00:00:01.5Z"), PLAIN, Some(1_500_000_000));
        check(Value::Text(b"1970-01-02"), PLAIN, Some(NANOS_PER_DAY));
        check(Value::Text(b"soon"), PLAIN, None);
        check(Value::Text(b"9999-12-31T00:00:00Z"), PLAIN, None);
    }

    #[test]
    fn other_types() {
        assert_eq!(float(&Value::Text(b"1.5e3"), PLAIN), Some(1500.0));
        assert_eq!(float(&Value::Int(2), scaled(0.5)), Some(1.0));
        assert_eq!(float(&Value::Text(b"NaN"), PLAIN), None);
        assert_eq!(boolean(&Value::Text(b"True")), Some(true));
        assert_eq!(boolean(&Value::Int(1)), None);
        assert_eq!(money(&Value::Double(0.1), PLAIN), Some(10i128.pow(17)));
        assert_eq!(money(&Value::Int(2), PLAIN), Some(2 * 10i128.pow(18)));
        assert_eq!(money(&Value::Text(b"0.000000140"), PLAIN), Some(140_000_000_000));
        assert_eq!(money(&Value::Double(f64::INFINITY), PLAIN), None);
    }
}
