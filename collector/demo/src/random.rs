//! Chance with a seed: the same seed gives the same traffic.

/// A SplitMix64 generator: small, quick, and good enough for traffic.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// A stream of its own for every set of parts, so that one user's day does not depend on another's.
    pub(crate) fn of(parts: &[u64]) -> Self {
        let mut random = Self(0x9e37_79b9_7f4a_7c15);
        for part in parts {
            random.0 ^= *part;
            random.0 = random.next();
        }
        random
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 up to 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether something of this probability happens.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Both ends included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high.saturating_sub(low) + 1)
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let index = self.next() % from.len().max(1) as u64;
        &from[index as usize]
    }

    /// Log-normal around a median, which is how latencies and sizes lie.
    pub(crate) fn around(&mut self, median: f64, spread: f64) -> f64 {
        let (u, v) = (self.unit().max(f64::MIN_POSITIVE), self.unit());
        median * (spread * (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()).exp()
    }

    /// How often something of this mean happens, spread as evenly as whole numbers allow.
    pub(crate) fn count(&mut self, mean: f64) -> u64 {
        let whole = mean.max(0.0).floor();
        whole as u64 + u64::from(self.chance(mean - whole))
    }

    pub(crate) fn hex(&mut self, digits: usize) -> String {
        let mut text = String::with_capacity(digits + 16);
        while text.len() < digits {
            text.push_str(&format!("{:016x}", self.next()));
        }
        text.truncate(digits);
        text
    }

    pub(crate) fn trace_id(&mut self) -> u128 {
        (u128::from(self.next()) << 64) | u128::from(self.next() | 1)
    }

    pub(crate) fn span_id(&mut self) -> u64 {
        self.next() | 1
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn a_seed_is_a_stream_of_its_own() {
        let numbers = |parts: &[u64]| -> Vec<u64> {
            let mut random = Random::of(parts);
            (0..4).map(|_| random.next()).collect()
        };
        assert_eq!(numbers(&[1, 2]), numbers(&[1, 2]));
        assert_ne!(numbers(&[1, 2]), numbers(&[2, 1]));
        let mut random = Random::of(&[7]);
        let mut medians: Vec<f64> = (0..999).map(|_| random.around(40.0, 0.5)).collect();
        medians.sort_by(f64::total_cmp);
        assert!((30.0..50.0).contains(&medians[499]), "median {}", medians[499]);
        let total: u64 = (0..1000).map(|_| random.count(1.25)).sum();
        assert!((1150..1350).contains(&total), "1000 times 1.25 is {total}");
    }
}
