//! Check digits: what tells a number from digits in a row. All take ASCII digits, some with a letter at the end.

/// ISO/IEC 7812: cards, IMEI, Canadian and Swedish numbers.
pub(in super::super) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, d)| {
            let digit = value(*d);
            match i % 2 {
                0 => digit,
                _ if digit > 4 => digit * 2 - 9,
                _ => digit * 2,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Dihedral group of order ten: Aadhaar.
pub(in super::super) fn verhoeff(digits: &[u8]) -> bool {
    const PERMUTED: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let times = |a: u32, b: u32| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => 5 + (a + b - 5) % 5,
        (false, true) => 5 + (a - 5 + 5 - b) % 5,
        (false, false) => (a + 5 - b) % 5,
    };
    let permuted = |digit: u8, times: usize| (0..times).fold(digit, |d, _| PERMUTED[usize::from(d % 10)]);
    let sum = digits.iter().rev().enumerate().fold(0, |sum, (i, d)| times(sum, u32::from(permuted(d - b'0', i % 8))));
    sum == 0
}

/// ISO 7064 MOD 11,10: the German tax number, of whose first ten digits one stands twice or three times.
pub(in super::super) fn german_tax(digits: &[u8]) -> bool {
    let [body @ .., check] = digits else { return false };
    if body.len() != 10 || body[0] == b'0' {
        return false;
    }
    let most = (b'0'..=b'9').map(|d| body.iter().filter(|b| **b == d).count()).max().unwrap_or(0);
    let product = body.iter().fold(10, |product, d| match (value(*d) + product) % 10 {
        0 => 20 % 11,
        sum => sum * 2 % 11,
    });
    matches!(most, 2 | 3) && (11 - product) % 10 == value(*check)
}

/// The individual number of Kazakhstan: day of birth, century and a digit that two rows of weights give.
pub(in super::super) fn kazakh(digits: &[u8]) -> bool {
    if digits.len() != 12 || !is_day(&digits[..6]) || !matches!(digits[6], b'0'..=b'6') {
        return false;
    }
    let check = match weighted(digits, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) % 11 {
        10 => weighted(digits, &[3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2]) % 11,
        check => check,
    };
    check == value(digits[11])
}

/// The Russian tax number of a person or a firm.
pub(in super::super) fn russian_tax(digits: &[u8]) -> bool {
    let check = |weights: &[u32], at: usize| weighted(digits, weights) % 11 % 10 == value(digits[at]);
    match digits.len() {
        10 => check(&[2, 4, 10, 3, 5, 9, 4, 6, 8], 9),
        12 => check(&[7, 2, 4, 10, 3, 5, 9, 4, 6, 8], 10) && check(&[3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8], 11),
        _ => false,
    }
}

/// The Russian pension number.
pub(in super::super) fn russian_pension(digits: &[u8]) -> bool {
    digits.len() == 11
        && weighted(digits, &[9, 8, 7, 6, 5, 4, 3, 2, 1]) % 101 % 100 == value(digits[9]) * 10 + value(digits[10])
        && digits[..9] != *b"000000000"
}

/// The number of a patient in England and Wales.
pub(in super::super) fn british_health(digits: &[u8]) -> bool {
    digits.len() == 10 && (11 - weighted(digits, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 11 == value(digits[9])
}

/// The Polish number of a person.
pub(in super::super) fn polish(digits: &[u8]) -> bool {
    digits.len() == 11 && (10 - weighted(digits, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10) % 10 == value(digits[10])
}

/// The Dutch number of a citizen.
pub(in super::super) fn dutch(digits: &[u8]) -> bool {
    digits.len() == 9
        && weighted(digits, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11 == value(digits[8])
        && digits.iter().any(|d| *d != b'0')
}

/// The Belgian number of a citizen: 97 less the remainder, of those born since 2000 with a 2 before it.
pub(in super::super) fn belgian(digits: &[u8]) -> bool {
    if digits.len() != 11 {
        return false;
    }
    let number = |from: usize, to: usize| digits[from..to].iter().fold(0u64, |n, d| n * 10 + u64::from(value(*d)));
    let check = number(9, 11);
    let (old, young) = (number(0, 9), number(0, 9) + 2_000_000_000);
    97 - old % 97 == check || 97 - young % 97 == check
}

/// The French number of an insured person, Corsican departments left out.
pub(in super::super) fn french(digits: &[u8]) -> bool {
    if digits.len() != 15 || !matches!(digits[0], b'1'..=b'4' | b'7' | b'8') {
        return false;
    }
    let number = |part: &[u8]| part.iter().fold(0u64, |n, d| n * 10 + u64::from(value(*d)));
    97 - number(&digits[..13]) % 97 == number(&digits[13..])
}

/// A bank of the United States by its routing number.
pub(in super::super) fn routing(digits: &[u8]) -> bool {
    digits.len() == 9
        && weighted(digits, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10)
        && matches!(digits[0], b'0'..=b'3' | b'6'..=b'8')
}

/// The Brazilian tax number of a person.
pub(in super::super) fn brazilian(digits: &[u8]) -> bool {
    let check = |weights: &[u32], at: usize| weighted(digits, weights) * 10 % 11 % 10 == value(digits[at]);
    digits.len() == 11
        && digits.iter().any(|d| *d != digits[0])
        && check(&[10, 9, 8, 7, 6, 5, 4, 3, 2], 9)
        && check(&[11, 10, 9, 8, 7, 6, 5, 4, 3, 2], 10)
}

/// The Australian tax number.
pub(in super::super) fn australian_tax(digits: &[u8]) -> bool {
    digits.len() == 9 && weighted(digits, &[1, 4, 3, 7, 5, 8, 6, 9, 10]).is_multiple_of(11)
}

/// The Spanish number of a person: eight digits and the letter that they give.
pub(in super::super) fn spanish(digits: &[u8], letter: u8) -> bool {
    let number = digits.iter().fold(0usize, |n, d| n * 10 + usize::from(d - b'0'));
    b"TRWAGMYFPDXBNJZSQVHLCKE"[number % 23] == letter.to_ascii_uppercase()
}

/// Year, month and day of a birth, two digits each; some countries add to the month or the day.
pub(in super::super) fn is_day(digits: &[u8]) -> bool {
    let [_, _, m, n, d, e] = digits else { return false };
    let (month, day) = (value(*m) * 10 + value(*n), value(*d) * 10 + value(*e));
    (1..=12).contains(&month) && (1..=31).contains(&day)
}

/// Remainder of 97 of an account number whose first four characters are read last.
pub(in super::super) fn remainder_97(plain: &[u8]) -> u32 {
    let (head, tail) = plain.split_at(plain.len().min(4));
    tail.iter().chain(head).fold(0, |sum, c| match c {
        b'0'..=b'9' => (sum * 10 + u32::from(c - b'0')) % 97,
        letter => (sum * 100 + u32::from(letter.to_ascii_uppercase().saturating_sub(b'A')) + 10) % 97,
    })
}

/// Shannon entropy in bits a byte.
pub(in super::super) fn entropy(text: &[u8]) -> f32 {
    let mut counts = [0u16; 256];
    let sample = &text[..text.len().min(1024)];
    for byte in sample {
        counts[usize::from(*byte)] += 1;
    }
    let total = sample.len() as f32;
    counts.iter().filter(|n| **n > 0).map(|n| f32::from(*n) / total).map(|p| -p * p.log2()).sum()
}

fn value(digit: u8) -> u32 {
    u32::from(digit.wrapping_sub(b'0'))
}

fn weighted(digits: &[u8], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(d, w)| value(*d) * w).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples_fit_and_their_neighbours_do_not() {
        type Check = fn(&[u8]) -> bool;
        let cases: &[(&str, Check)] = &[
            ("79927398713", luhn),
            ("236", verhoeff),
            ("86095742719", german_tax),
            ("11223344595", russian_pension),
            ("500100732259", russian_tax),
            ("7707083893", russian_tax),
            ("9434765919", british_health),
            ("44051401359", polish),
            ("111222333", dutch),
            ("85073003328", belgian),
            ("255081416802538", french),
            ("111000025", routing),
            ("11144477735", brazilian),
            ("123456782", australian_tax),
        ];
        for (number, check) in cases {
            assert!(check(number.as_bytes()), "{number}");
            let mut other = number.as_bytes().to_vec();
            let last = other.len() - 1;
            other[last] = b'0' + (other[last] - b'0' + 1) % 10;
            assert!(!check(&other), "{number} with another last digit");
        }
        assert!(spanish(b"12345678", b'Z') && !spanish(b"12345678", b'A'));
        assert_eq!(remainder_97(b"GB29NWBK60161331926819"), 1);
    }
}
