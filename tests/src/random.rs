//! Random instants without a dependency; the seed is printed, so that a failure can be run again.

use std::time::{SystemTime, UNIX_EPOCH};

/// A linear congruential generator: good enough to choose when to kill.
pub struct Random(u64);

impl Random {
    /// Seeded by `MARQUETRY_SEED` or by the clock; says which.
    pub fn new(what: &str) -> Self {
        let given = std::env::var("MARQUETRY_SEED").ok().and_then(|s| s.parse().ok());
        let seed = given.unwrap_or_else(|| {
            u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).expect("clock").as_micros()).expect("fits")
        });
        println!("{what}: MARQUETRY_SEED={seed}");
        Self(seed)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}
