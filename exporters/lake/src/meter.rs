//! What work costs: its time, and the CPU time of the threads that it ran on.

use std::future::poll_fn;
use std::pin::pin;
use std::time::{Duration, Instant};

/// What a piece of work took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spent {
    pub(crate) time: Duration,
    pub(crate) cpu: Duration,
}

/// Runs work and measures it. Between two polls its thread works for others, so that each poll is measured by itself.
pub(crate) async fn metered<T>(work: impl Future<Output = T>) -> (T, Spent) {
    let started = Instant::now();
    let mut cpu = Duration::ZERO;
    let mut work = pin!(work);
    let done = poll_fn(|context| {
        let before = thread_cpu();
        let polled = work.as_mut().poll(context);
        cpu += thread_cpu().saturating_sub(before);
        polled
    })
    .await;
    (done, Spent { time: started.elapsed(), cpu })
}

/// CPU time of this thread; zero where the system does not tell. Linux has it in nanoseconds, and brings it up to date
/// at least every tick: single values are rough, sums are right.
pub(crate) fn thread_cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split_ascii_whitespace().next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn waiting_costs_time_and_no_cpu() {
        let ((), spent) = metered(tokio::time::sleep(Duration::from_millis(60))).await;
        assert!(spent.time >= Duration::from_millis(60) && spent.cpu < Duration::from_millis(50), "{spent:?}");
    }

    #[tokio::test]
    async fn working_costs_cpu() {
        if thread_cpu().is_zero() {
            return;
        }
        let ((), spent) = metered(async {
            let started = Instant::now();
            while started.elapsed() < Duration::from_millis(200) {
                std::hint::black_box(started);
            }
        })
        .await;
        // Others may run meanwhile.
        assert!(
            spent.cpu > Duration::from_millis(10) && spent.cpu <= spent.time + Duration::from_millis(20),
            "{spent:?}"
        );
    }
}
