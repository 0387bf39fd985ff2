//! Decimal numbers with 18 places, exact as far as the text goes.

/// Places behind the point of a money column.
const PLACES: i64 = 18;

/// The largest value of 38 digits.
const MAX: i128 = 10i128.pow(38) - 1;

/// A decimal number in units of 10^-18, rounded half to even beyond the last place; `None` if it is not one or too big.
pub(super) fn parse(text: &str) -> Option<i128> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (negative, digits) = match mantissa.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        all => (false, all),
    };
    let mut value = 0i128;
    // How far the digits read so far have to be shifted to stand in units.
    let mut shift = i64::from(exponent) + PLACES;
    let (mut seen_point, mut seen_digit) = (false, false);
    let mut tail = Tail::default();
    for byte in digits {
        match byte {
            b'.' if !seen_point => seen_point = true,
            b'0'..=b'9' => {
                seen_digit = true;
                // A digit before the point moves all earlier ones up; one behind it takes a place.
                if seen_point {
                    shift -= 1;
                }
                if value > MAX / 10 {
                    // Beyond 38 digits only their weight counts.
                    tail.push(*byte);
                    shift += 1;
                } else {
                    value = value * 10 + i128::from(byte - b'0');
                }
            }
            _ => return None,
        }
    }
    if !seen_digit {
        return None;
    }
    let value = scaled(value, shift, tail)?;
    Some(if negative { -value } else { value })
}

/// The digits cut off so far, most significant first.
#[derive(Default)]
struct Tail {
    first: Option<u8>,
    more: bool,
}

impl Tail {
    fn push(&mut self, digit: u8) {
        match self.first {
            None => self.first = Some(digit - b'0'),
            Some(_) => self.more |= digit != b'0',
        }
    }
}

fn scaled(mut value: i128, mut shift: i64, tail: Tail) -> Option<i128> {
    if value == 0 {
        return Some(0);
    }
    if shift > 0 {
        if tail.first.is_some() {
            return None;
        }
        let factor = 10i128.checked_pow(u32::try_from(shift).ok()?)?;
        return value.checked_mul(factor).filter(|v| *v <= MAX);
    }
    let mut first = i128::from(tail.first.unwrap_or(0));
    let mut more = tail.more;
    while shift < 0 && (value > 0 || first > 0) {
        more |= first > 0;
        first = value % 10;
        value /= 10;
        shift += 1;
    }
    // Shifted past its last digit: nothing is left to round with.
    if shift < 0 {
        return Some(0);
    }
    let up = first > 5 || (first == 5 && (more || value % 2 == 1));
    Some(value + i128::from(up)).filter(|v| *v <= MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact() {
        let check = |text: &str, expected: Option<i128>| assert_eq!(parse(text), expected, "{text:?}");
        let one = 10i128.pow(18);
        check("1", Some(one));
        check("-1.5", Some(-3 * one / 2));
        check("+0.1", Some(one / 10));
        check("0", Some(0));
        check("-0.0", Some(0));
        check(".5", Some(one / 2));
        check("5.", Some(5 * one));
        check("1.4e-7", Some(140_000_000_000));
        check("1E3", Some(1000 * one));
        check("0.000000000000000001", Some(1));
        check("0.0000000000000000005", Some(0));
        check("0.0000000000000000015", Some(2));
        check("0.00000000000000000051", Some(1));
        check("1e-300", Some(0));
        check("1e-2000000000", Some(0));
        check("99999999999999999999.999999999999999999", Some(10i128.pow(38) - 1));
        check("99999999999999999999.9999999999999999995", None);
        check("100000000000000000000", None);
        check("1e2000000000", None);
        check("0e2000000000", Some(0));
        check("0.1000000000000000000000000000000000000000000000001", Some(one / 10));
        check("000000000000000000000000000000000000000000001", Some(one));
        for text in ["", ".", "-", "1.2.3", "1,5", "abc", "1e", "e5", "NaN", "Infinity", " 1", "0x1"] {
            check(text, None);
        }
    }
}
