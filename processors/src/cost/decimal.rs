//! Exact money: whole numbers of 10^-18 dollars, and quantities in whole billionths.

use arrow::datatypes::i256;

/// Digits behind the point of every price and cost.
pub(super) const SCALE: usize = 18;

/// One token, second or request: quantities are counted to the billionth, so that seconds may have a fraction.
pub(super) const WHOLE: i128 = 1_000_000_000;

/// The largest cost that decimal(38,18) holds.
const LARGEST: i128 = 10_i128.pow(38) - 1;

/// Decimal text, an exponent allowed, as 10^-18ths; `None` unless it is exact, not negative and in range.
pub(super) fn parse(text: &str) -> Option<i128> {
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.len() + part.len() == 0 || !whole.bytes().chain(part.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mantissa = whole
        .bytes()
        .chain(part.bytes())
        .try_fold(0_i128, |sum, digit| sum.checked_mul(10)?.checked_add(i128::from(digit - b'0')))?;
    let shift = exponent.checked_add(i32::try_from(SCALE).ok()?)?.checked_sub(i32::try_from(part.len()).ok()?)?;
    let factor = 10_i128.checked_pow(shift.unsigned_abs())?;
    if shift >= 0 {
        return mantissa.checked_mul(factor);
    }
    (mantissa % factor == 0).then_some(mantissa / factor)
}

/// Appends the shortest decimal text of `value` / 10^`scale`, `scale` at most 18.
pub(super) fn write(out: &mut String, value: i128, scale: usize) {
    const WIDTH: usize = 40;
    let mut digits = [b'0'; WIDTH];
    let mut at = WIDTH;
    let mut put = |digit: u8| {
        at -= 1;
        digits[at] = b'0' + digit;
    };
    let mut rest = value.unsigned_abs();
    let mut short = loop {
        // Dividing 64 bits is many times quicker than dividing 128, and nearly all amounts fit.
        match u64::try_from(rest) {
            Ok(short) => break short,
            Err(_) => {
                put((rest % 10) as u8);
                rest /= 10;
            }
        }
    };
    while short > 0 {
        put((short % 10) as u8);
        short /= 10;
    }
    let point = WIDTH - scale;
    let (whole, part) = (&digits[at.min(point - 1)..point], &digits[point..]);
    if value < 0 {
        out.push('-');
    }
    out.extend(whole.iter().copied().map(char::from));
    if let Some(last) = part.iter().rposition(|digit| *digit != b'0') {
        out.push('.');
        out.extend(part[..=last].iter().copied().map(char::from));
    }
}

/// A sum of price × quantity × factor, divided and rounded once.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sum {
    Narrow(i128),
    /// Where 128 bits do not reach.
    Wide(i256),
}

impl Sum {
    pub(super) const ZERO: Self = Self::Narrow(0);

    /// Adds price × quantity × factor; `None` beyond 256 bits.
    pub(super) fn add(self, price: i128, quantity: i128, factor: i128) -> Option<Self> {
        if let Self::Narrow(sum) = self
            && let Some(product) = price.checked_mul(quantity).and_then(|p| p.checked_mul(factor))
            && let Some(sum) = sum.checked_add(product)
        {
            return Some(Self::Narrow(sum));
        }
        let sum = match self {
            Self::Narrow(sum) => i256::from_i128(sum),
            Self::Wide(sum) => sum,
        };
        let product =
            i256::from_i128(price).checked_mul(i256::from_i128(quantity))?.checked_mul(i256::from_i128(factor))?;
        sum.checked_add(product).map(Self::Wide)
    }

    /// The sum divided by `divisor`, half to even; `None` if decimal(38,18) cannot hold it.
    pub(super) fn divide(self, divisor: i128) -> Option<i128> {
        let (quotient, twice_rest) = match self {
            Self::Narrow(sum) => (sum.checked_div(divisor)?, sum.checked_rem(divisor)?.checked_mul(2)?),
            Self::Wide(sum) => {
                let wide = i256::from_i128(divisor);
                (sum.checked_div(wide)?.to_i128()?, sum.checked_rem(wide)?.to_i128()?.checked_mul(2)?)
            }
        };
        let up = twice_rest > divisor || (twice_rest == divisor && quotient % 2 != 0);
        let rounded = quotient.checked_add(i128::from(up))?;
        (0..=LARGEST).contains(&rounded).then_some(rounded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOLLAR: i128 = 1_000_000_000_000_000_000;

    #[test]
    fn text_and_back() {
        for (text, units) in [
            ("0", Some(0)),
            ("1.25", Some(1_250_000_000_000_000_000)),
            ("0.000000000000000001", Some(1)),
            ("8e-05", Some(80_000_000_000_000)),
            ("1.5E3", Some(1500 * DOLLAR)),
            ("0.0000000000000000010", Some(1)),
            ("0.0000000000000000001", None),
            ("-1", None),
            ("1,5", None),
            ("", None),
            (".", None),
            ("1e99", None),
            ("1e2147483647", None),
            ("1e-2147483648", None),
            ("99999999999999999999999999999999999999999", None),
        ] {
            assert_eq!(parse(text), units, "{text}");
        }
        for (value, scale, text) in [
            (0, SCALE, "0"),
            (1, SCALE, "0.000000000000000001"),
            (DOLLAR * 3 / 2, SCALE, "1.5"),
            (-DOLLAR, SCALE, "-1"),
            (120 * DOLLAR, SCALE, "120"),
            (LARGEST, SCALE, "99999999999999999999.999999999999999999"),
            (i128::MIN, SCALE, "-170141183460469231731.687303715884105728"),
            (1_500_000_000, 9, "1.5"),
            (1_000_000, 0, "1000000"),
        ] {
            let mut out = String::new();
            write(&mut out, value, scale);
            assert_eq!(out, text);
        }
    }

    #[test]
    fn rounds_once_and_half_to_even() {
        for (price, quantity, factor, divisor, expected) in [
            (5, 1, 1, 2, Some(2)),
            (7, 1, 1, 2, Some(4)),
            (6, 1, 1, 4, Some(2)),
            (10, 1, 1, 3, Some(3)),
            (11, 1, 1, 3, Some(4)),
            // 600 dollars × 10^18 tokens needs more than 128 bits on the way and fits again at the end.
            (600 * DOLLAR, 1_000_000_000_000 * WHOLE, 9_000, 1_000_000 * WHOLE * 9_000, Some(600_000_000 * DOLLAR)),
            (600 * DOLLAR, i128::from(i64::MAX) * WHOLE, 1, WHOLE, None),
            (1, 1, 1, 0, None),
        ] {
            let sum = Sum::ZERO.add(price, quantity, factor).unwrap();
            assert_eq!(sum.divide(divisor), expected, "{price} × {quantity} × {factor} / {divisor}");
        }
    }
}
