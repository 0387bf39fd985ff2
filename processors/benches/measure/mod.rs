//! How long a processor takes.

use std::error::Error;
use std::hint::black_box;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use component::{Gather, Processor};

const ROUNDS: usize = 5;

/// Seconds of the fastest of some rounds over the same gathers.
pub fn fastest(processor: &mut dyn Processor, gathers: &[Gather]) -> Result<f64, Box<dyn Error>> {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let mut copies = gathers.to_vec();
        let start = cpu_time();
        for gather in &mut copies {
            processor.process(gather)?;
        }
        best = best.min((cpu_time() - start).as_secs_f64());
        black_box(&copies);
    }
    Ok(best)
}

/// Time this thread has had a processor, where the system tells; else the time that has passed.
fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|n| n.parse().ok());
    nanoseconds.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

static START: LazyLock<Instant> = LazyLock::new(Instant::now);
