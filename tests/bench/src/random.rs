//! Random choices that keep account of how much they tell: every draw adds the bits that it was worth.

/// A seeded generator (SplitMix64) and the information drawn from it so far.
pub struct Draw {
    state: u64,
    bits: f64,
}

impl Draw {
    /// The same seed gives the same draws.
    pub fn new(seed: u64) -> Self {
        Self { state: seed, bits: 0.0 }
    }

    /// Information of all draws so far.
    pub fn bits(&self) -> f64 {
        self.bits
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// In [0, 1), unaccounted.
    fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.bits += (end as f64).log2();
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    /// A number from `start` up to `end`, which is not reached.
    pub fn between(&mut self, start: i64, end: i64) -> i64 {
        start + self.below(end.abs_diff(start)) as i64
    }

    /// One of these, each as likely as the other.
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len() as u64) as usize]
    }

    /// True in one of `n` cases.
    pub fn one_in(&mut self, n: u64) -> bool {
        let p = 1.0 / n as f64;
        let hit = self.fraction() < p;
        self.bits -= if hit { p.log2() } else { (1.0 - p).max(f64::MIN_POSITIVE).log2() };
        hit
    }

    /// An index, the first the most likely: the n-th with a weight of 1/n.
    pub fn ranked(&mut self, ranks: &Ranks) -> usize {
        let at = self.fraction() * ranks.total();
        let index = ranks.sums.partition_point(|sum| *sum <= at).min(ranks.sums.len() - 1);
        self.bits += (ranks.total() * (index + 1) as f64).log2();
        index
    }

    /// Bytes, all of them random.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        self.bits += 8.0 * count as f64;
        let words = (0..count.div_ceil(8)).flat_map(|_| self.next().to_be_bytes());
        words.take(count).collect()
    }

    /// That many random bytes as hexadecimal digits.
    pub fn hex(&mut self, count: usize) -> String {
        self.bytes(count).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Letters and digits, as keys and tokens have them.
    pub fn token(&mut self, length: usize) -> String {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        (0..length).map(|_| char::from(*self.pick(ALPHABET))).collect()
    }
}

/// Weights 1, 1/2, 1/3 and so on: how often words are said and people come back.
pub struct Ranks {
    sums: Vec<f64>,
}

impl Ranks {
    /// For that many things.
    pub fn new(count: usize) -> Self {
        let mut sum = 0.0;
        let sums = (1..=count.max(1)).map(|rank| {
            sum += 1.0 / rank as f64;
            sum
        });
        Self { sums: sums.collect() }
    }

    fn total(&self) -> f64 {
        self.sums.last().copied().unwrap_or(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_repeat_and_are_accounted_for() {
        let (mut one, mut two) = (Draw::new(7), Draw::new(7));
        assert_eq!(
            (0..9).map(|_| one.below(1 << 20)).collect::<Vec<_>>(),
            (0..9).map(|_| two.below(1 << 20)).collect::<Vec<_>>()
        );
        assert!((one.bits() - 180.0).abs() < 1e-9);
        assert_eq!((one.bytes(3).len(), one.hex(4).len()), (3, 8));
        assert!((one.bits() - 236.0).abs() < 1e-9);
    }

    #[test]
    fn ranked_draws_cost_their_entropy() {
        let (mut draw, ranks, count) = (Draw::new(1), Ranks::new(4), 100_000);
        let mut seen = [0_u32; 4];
        (0..count).for_each(|_| seen[draw.ranked(&ranks)] += 1);
        let share = |n: u32| f64::from(n) / f64::from(count);
        let entropy: f64 = seen.iter().map(|n| -share(*n) * share(*n).log2()).sum();
        assert!(seen.is_sorted_by(|a, b| a > b), "{seen:?}");
        assert!((draw.bits() / f64::from(count) - entropy).abs() < 0.02);
    }
}
