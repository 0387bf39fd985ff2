//! The numbering plans of the world: calling codes, and how long the numbers behind them are.

use std::sync::LazyLock;

/// What `hash` knows of the regions' dialling.
const REGIONS: &str = include_str!("../../hash/regions.tsv");

/// Codes that belong to no region, and the lengths of their numbers.
const WORLDWIDE: &[(usize, &[u32])] = &[
    (800, &[8]),
    (808, &[8]),
    (870, &[9, 12]),
    (878, &[12]),
    (881, &[9]),
    (882, &[7, 8, 9, 10, 11, 12]),
    (883, &[9, 12]),
    (888, &[11]),
    (979, &[9]),
];

/// Digits of the longest calling code.
const CODE: usize = 3;

/// How long the numbers of a calling code are, a bit for each length.
#[derive(Clone, Copy, Default)]
pub(super) struct Plan {
    /// Digits of the code itself.
    pub(super) code: usize,
    lengths: u32,
}

impl Plan {
    /// The plan of a number that begins with its calling code.
    pub(super) fn of(digits: &[u8]) -> Option<Self> {
        let lead = digits.get(..CODE)?.iter().fold(0, |n, digit| n * 10 + usize::from(digit - b'0'));
        PLANS.get(lead).copied().filter(|plan| plan.code > 0)
    }

    /// Whether there are national numbers of so many digits.
    pub(super) fn has(self, national: usize) -> bool {
        national < 32 && self.lengths >> national & 1 == 1
    }

    /// Whether so many digits lie between the shortest and the longest, or one beyond: plans grow.
    pub(super) fn almost_has(self, national: usize) -> bool {
        let (least, most) = (self.lengths.trailing_zeros() as usize, 32 - self.lengths.leading_zeros() as usize);
        (least..=most).contains(&national)
    }
}

/// The calling code that an international number begins with, a `+` before it.
pub(in super::super) fn calling_code(digits: &[u8]) -> Option<String> {
    let code = Plan::of(digits)?.code;
    Some(digits[..code].iter().fold(String::from("+"), |text, digit| text + &char::from(*digit).to_string()))
}

/// By the first three digits of an international number.
static PLANS: LazyLock<Vec<Plan>> = LazyLock::new(|| {
    let mut plans = vec![Plan::default(); 1000];
    for line in REGIONS.lines().filter(|line| !line.starts_with('#')) {
        let mut cells = line.split('\t');
        let (Some(code), Some(lengths)) = (cells.nth(1), cells.nth(3)) else { continue };
        let lengths = lengths.split(',').filter_map(|n| n.parse().ok());
        if let Ok(number) = code.parse() {
            add(&mut plans, number, code.len(), lengths);
        }
    }
    for (code, lengths) in WORLDWIDE {
        add(&mut plans, *code, CODE, lengths.iter().copied());
    }
    plans
});

fn add(plans: &mut [Plan], code: usize, digits: usize, lengths: impl Iterator<Item = u32>) {
    let bits = lengths.fold(0, |bits, n| bits | 1 << n.min(31));
    // In North America a number without its area is dialled, and never written behind the country.
    // In Russia and Kazakhstan only the numbers of some services are longer.
    let bits = if matches!(code, 1 | 7) { 1 << 10 } else { bits };
    let width = 10usize.pow(u32::try_from(CODE - digits.min(CODE)).unwrap_or(0));
    for plan in plans.iter_mut().skip(code * width).take(width) {
        plan.code = digits;
        plan.lengths |= bits;
    }
}

#[cfg(test)]
mod tests {
    use super::Plan;

    #[test]
    fn calling_codes_and_lengths() {
        for (digits, code, national, has) in [
            (&b"14155552671"[..], 1, 10, true),
            (b"77011234567", 1, 10, true),
            (b"442079460958", 2, 10, true),
            (b"4420794609", 2, 8, false),
            (b"35840123456", 3, 8, true),
            (b"80012345678", 3, 8, true),
        ] {
            let plan = Plan::of(digits).unwrap();
            assert_eq!((plan.code, plan.has(national)), (code, has), "{}", String::from_utf8_lossy(digits));
        }
        assert!(Plan::of(b"99912345").is_none() && Plan::of(b"02012345").is_none() && Plan::of(b"12").is_none());
    }
}
