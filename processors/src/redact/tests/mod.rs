mod actions;
mod encrypt;
mod found;
mod negatives;
mod properties;
mod recall;
mod rows;

use component::Component;

use crate::fixture::context;

use super::{Config, Redact};

/// A small generator with a seed: the same texts on every run.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    pub(super) fn pick<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len() as u64) as usize]
    }

    pub(super) fn chars(&mut self, from: &str, n: usize) -> String {
        let from = from.as_bytes();
        (0..n).map(|_| from[self.below(from.len() as u64) as usize] as char).collect()
    }

    pub(super) fn digits(&mut self, n: usize) -> String {
        self.chars("0123456789", n)
    }

    /// Digits for `#`, letters for `?`, the rest as it is.
    pub(super) fn fill(&mut self, pattern: &str) -> String {
        pattern
            .chars()
            .map(|c| match c {
                '#' => char::from(b'0' + self.below(10) as u8),
                '%' => char::from(b'2' + self.below(8) as u8),
                '?' => char::from(b'a' + self.below(26) as u8),
                other => other,
            })
            .collect()
    }
}

pub(super) fn redactor(config: &str) -> Redact {
    let config: Config = serde_json::from_str(config).unwrap();
    Redact::new(config, &context()).unwrap()
}

/// Each text and what is stored of it; a second time changes nothing.
pub(super) fn check(cases: &[(&str, &str)]) {
    let mut redact = redactor("{}");
    for (text, expected) in cases {
        let got = redact.cleaner.clean(text).unwrap_or_else(|| (*text).to_owned());
        assert_eq!(got, *expected, "from {text}");
        assert_eq!(redact.cleaner.clean(&got), None, "a second time, from {text}");
    }
}
