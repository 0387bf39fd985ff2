//! OpenTelemetry's consistent probability sampling: a record is kept when its randomness reaches the threshold.
//!
//! Both are numbers of 56 bits. The randomness belongs to the trace, so that whoever samples with the same or a lower
//! threshold keeps what somebody with a higher one keeps.

/// Randomness and thresholds lie below this.
const ALL: u64 = 1 << 56;
/// Hex digits of either.
const DIGITS: usize = 14;

/// The number that decides: 56 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Randomness(u64);

/// What a record's randomness must reach to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Threshold(u64);

impl Randomness {
    /// As a sender states it: exactly 14 hex digits.
    pub(super) fn stated(hex: &str) -> Option<Self> {
        (hex.len() == DIGITS).then(|| digits(hex)).flatten().map(Self)
    }

    /// Of a trace: the last seven bytes of its id.
    pub(crate) fn of_trace(id: &str) -> Option<Self> {
        let last = id.len().checked_sub(DIGITS)?;
        Self::stated(id.get(last..)?)
    }

    /// Of a record that has no trace, by its identity: the same wherever and however often it is read.
    pub(crate) fn of_identity(id: &str) -> Self {
        // FNV-1a with a finish that spreads it: an identity is a keyed hash already and need only be folded.
        let hash = id
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let mixed = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self((mixed ^ (mixed >> 29)) >> 8)
    }
}

impl Threshold {
    /// Keeps everything.
    pub(crate) const NONE: Self = Self(0);
    /// Keeps this share of all traces.
    pub(crate) fn of_rate(rate: f64) -> Self {
        // A float holds 53 bits: a share of 2^-56 is one of the 2^56 numbers, a smaller one is none.
        Self(ALL - (rate.clamp(0.0, 1.0) * ALL as f64).round() as u64)
    }

    /// As a sender states it: hex digits of which trailing zeros may be missing.
    pub(super) fn stated(hex: &str) -> Option<Self> {
        let value = (1..=DIGITS).contains(&hex.len()).then(|| digits(hex)).flatten()?;
        Some(Self(value << (4 * (DIGITS - hex.len()))))
    }

    pub(crate) fn keeps(self, randomness: Randomness) -> bool {
        randomness.0 >= self.0
    }

    /// For how many records one that is kept stands.
    pub(crate) fn weight(self) -> f64 {
        let kept = ALL.saturating_sub(self.0).max(1);
        let weight = ALL as f64 / kept as f64;
        // One of `n` stands for `n`, though no binary threshold is quite so: whole weights have exact sums.
        let whole = weight.round();
        if (weight - whole).abs() < whole * 1e-12 { whole } else { weight }
    }

    /// Of what this threshold kept, the share that another one keeps.
    pub(super) fn and_then(self, share: Self) -> Self {
        let kept = u128::from(ALL - self.0) * u128::from(ALL - share.0) / u128::from(ALL);
        Self(ALL - u64::try_from(kept).unwrap_or(ALL).min(ALL))
    }

    /// As it is stated to others; `None` for that which keeps nothing, as nothing is left to state it on.
    pub(super) fn hex(self) -> Option<String> {
        let hex = (self.0 < ALL).then(|| format!("{:0width$x}", self.0, width = DIGITS))?;
        let short = hex.trim_end_matches('0');
        Some(if short.is_empty() { "0".to_owned() } else { short.to_owned() })
    }
}

/// Lower-case hex digits, as trace ids and trace states have them.
fn digits(hex: &str) -> Option<u64> {
    hex.bytes().try_fold(0, |value: u64, byte| {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return None,
        };
        Some(value << 4 | u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Threshold = Threshold(ALL);

    #[test]
    fn thresholds_are_those_of_the_specification() {
        let cases = [
            (1.0, "0", 1.0),
            (0.5, "8", 2.0),
            (0.25, "c", 4.0),
            (0.1, "e6666666666666", 10.0),
            (0.01, "fd70a3d70a3d71", 100.0),
            (1.0 / 3.0, "aaaaaaaaaaaaac", 3.0),
            (0.75, "4", 4.0 / 3.0),
        ];
        for (rate, hex, weight) in cases {
            let threshold = Threshold::of_rate(rate);
            assert_eq!((threshold.hex().as_deref(), threshold.weight()), (Some(hex), weight), "{rate}");
            assert_eq!(Threshold::stated(hex), Some(threshold), "{rate}");
        }
        assert_eq!((Threshold::of_rate(0.0), EVERY.hex()), (EVERY, None));
        for wrong in ["", "g", "E6", "e66666666666666", "-1", "0x8", "8 "] {
            assert_eq!(Threshold::stated(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn randomness_is_the_end_of_the_trace_id() {
        let of = Randomness::of_trace;
        assert_eq!(of("4bf92f3577b34da6a3ce929d0e0e4736"), Some(Randomness(0x00ce_929d_0e0e_4736)));
        assert_eq!(Randomness::stated("ce929d0e0e4736"), of("4bf92f3577b34da6a3ce929d0e0e4736"));
        for wrong in ["", "e4736", "4bf92f3577b34da6a3ce929d0e0e473g", "４bf92f3577b34da6"] {
            assert!(of(wrong).is_none() || wrong.starts_with('４'), "{wrong}");
        }
        assert_eq!(Randomness::stated("ce929d0e0e473"), None);
    }

    #[test]
    fn every_trace_is_kept_by_none_and_no_trace_by_every() {
        for randomness in [Randomness(0), Randomness(ALL / 2), Randomness(ALL - 1)] {
            assert!(Threshold::NONE.keeps(randomness) && !EVERY.keeps(randomness));
        }
        assert!(Threshold::of_rate(0.5).keeps(Randomness(ALL / 2)));
        assert!(!Threshold::of_rate(0.5).keeps(Randomness(ALL / 2 - 1)));
    }

    #[test]
    fn shares_of_shares_multiply() {
        let [half, tenth] = [0.5, 0.1].map(Threshold::of_rate);
        assert_eq!(half.and_then(half), Threshold::of_rate(0.25));
        assert_eq!(half.and_then(tenth).weight(), 20.0);
        assert_eq!(half.and_then(Threshold::NONE), half);
        assert_eq!(Threshold::NONE.and_then(half), half);
        assert_eq!(half.and_then(EVERY), EVERY);
    }

    #[test]
    fn identities_are_spread_evenly() {
        let tenth = Threshold::of_rate(0.1);
        let kept = (0..20_000).filter(|n| tenth.keeps(Randomness::of_identity(&format!("record-{n}")))).count();
        assert!((1_800..2_200).contains(&kept), "{kept}");
    }
}
