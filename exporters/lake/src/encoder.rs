//! The one thread that sorts and encodes rows. Not a pool's: what an allocator frees on a thread it gives to that thread
//! again, and memory that several threads keep for a next time that comes elsewhere is several times as much.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};

use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// Takes work; its thread ends with it.
pub(crate) struct Encoder {
    jobs: Sender<Job>,
}

impl Encoder {
    pub(crate) fn start() -> std::io::Result<Self> {
        let (jobs, waiting) = channel();
        std::thread::Builder::new().name("lake-encode".into()).spawn(move || run(&waiting))?;
        Ok(Self { jobs })
    }

    /// Does some work and waits for it. Why there is no result is told in words of ours: a panic's own may quote a value.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, &'static str> {
        let (reply, answer) = oneshot::channel();
        let job = move || {
            let done = catch_unwind(AssertUnwindSafe(work)).map_err(|_| "the work panicked");
            // Whoever asked may have gone.
            drop(reply.send(done));
        };
        let ended = "the thread that encodes has ended";
        self.jobs.send(Box::new(job)).map_err(|_| ended)?;
        answer.await.map_err(|_| ended)?
    }
}

fn run(waiting: &Receiver<Job>) {
    while let Ok(job) = waiting.recv() {
        job();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_says_nothing_of_what_it_met_and_ends_nothing() {
        let encoder = Encoder::start().unwrap();
        let text = String::from("caf\u{e9} planted");
        assert_eq!(encoder.run(move || text[..4].len()).await, Err("the work panicked"));
        assert_eq!(encoder.run(|| 7).await, Ok(7));
    }
}
