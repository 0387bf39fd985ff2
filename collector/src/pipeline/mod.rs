//! Between receivers and journal: workers that gather, decode, process, seal and append, and the one place where
//! senders are answered.

mod blame;
mod chain;
#[cfg(feature = "control")]
mod control;
mod queue;
mod settle;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use component::{Context, Factory, Processor};
use journal::Journal;
use otlp::Signal;
use tokio::sync::oneshot;

use self::queue::{Job, Queue};
use crate::config::Wire;
use crate::error::Error;
use crate::receivers::otlp::Grant;
use crate::telemetry::Telemetry;

pub(crate) use self::chain::Recipe;

/// A request as its receiver hands it on.
#[derive(Debug, Clone)]
pub struct Received {
    /// Traces or logs.
    pub signal: Signal,
    /// Whose data.
    pub tenant: Arc<str>,
    /// Protobuf.
    pub body: Bytes,
    /// When it came.
    pub received_unix_nano: u64,
    /// On which wire, for the counters.
    pub wire: Wire,
}

/// What a sender is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// On disk, but for `rejected` records.
    Accepted {
        /// Records that were not taken.
        rejected: u64,
        /// Why, or another thing worth knowing.
        message: Option<String>,
    },
    /// Not OTLP; of no use to send again.
    Malformed(String),
    /// Understood and refused for good.
    Refused(String),
    /// The journal is full; come back after this time.
    Full(Duration),
    /// Something here failed; to be sent again.
    Unavailable(String),
}

/// Takes requests in; clones share the queue.
#[derive(Clone)]
pub struct Outlet {
    queue: Arc<Queue>,
}

impl Outlet {
    /// Hands a request on and waits for its answer, which comes when its rows are on disk.
    pub async fn send(&self, received: Received, grant: Grant) -> Answer {
        let (reply, answer) = oneshot::channel();
        if !self.queue.put(Job { received, grant: Some(grant), reply, span: tracing::Span::current() }) {
            return Answer::Unavailable("shutting down".to_owned());
        }
        // Whoever drops the sending half without a word has failed in the middle of its work.
        answer.await.unwrap_or_else(|_| Answer::Unavailable("processing stopped; send again".to_owned()))
    }
}

/// The workers and their queue.
pub(crate) struct Pipeline {
    queue: Arc<Queue>,
    workers: Vec<std::thread::JoinHandle<()>>,
    settling: tokio::task::JoinHandle<()>,
}

/// What workers are made from.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) recipe: Recipe,
    pub(crate) context: Context,
    pub(crate) journal: Journal,
    pub(crate) telemetry: Arc<Telemetry>,
    pub(crate) debug: bool,
}

impl Pipeline {
    /// Starts `workers` threads.
    pub(crate) fn start(parts: &Parts, workers: usize) -> Result<Self, Error> {
        let queue = Arc::new(Queue::default());
        let (settler, settling) = settle::start(parts);
        let mut threads = Vec::new();
        for number in 0..workers {
            let worker = worker::Worker::new(parts.clone(), settler.clone())?;
            let queue = Arc::clone(&queue);
            let thread = std::thread::Builder::new()
                .name(format!("worker-{number}"))
                .spawn(move || worker.run(&queue))
                .map_err(|why| Error::file("starting", std::path::Path::new("a worker thread"), why))?;
            threads.push(thread);
        }
        Ok(Self { queue, workers: threads, settling })
    }

    /// Where receivers send.
    pub(crate) fn outlet(&self) -> Outlet {
        Outlet { queue: Arc::clone(&self.queue) }
    }

    /// Takes no more, finishes what waits, and answers it.
    pub(crate) async fn drain(self) {
        self.queue.close();
        let workers = self.workers;
        let joined = tokio::task::spawn_blocking(move || {
            workers.into_iter().for_each(|thread| drop(thread.join()));
        });
        let _ = joined.await;
        // The last worker took the last settler with it, so this ends once everything is answered.
        let _ = self.settling.await;
    }
}

/// The processors that a distribution has, for [`Recipe`].
pub(crate) type Processors = &'static [Factory<dyn Processor>];
