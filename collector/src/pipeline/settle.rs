//! Answers senders once their rows are durable, so that workers do not wait for the disk. What became of their records is
//! booked here, before they hear of it.

use std::sync::Arc;
use std::time::Instant;

use component::Counts;
use journal::{Journal, Position};
use otlp::Signal;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{Answer, Parts};
use crate::config::Wire;
use crate::receivers::otlp::Grant;
use crate::telemetry::{Tally, Telemetry, Verdict};

/// A gather that was appended, and who waits for it. Admission bounds how many there are.
pub(crate) struct Settlement {
    pub(crate) position: Position,
    pub(crate) appended: Instant,
    pub(crate) replies: Vec<Reply>,
    pub(crate) tally: Tally,
}

/// One sender, its answer, and the room that its request held.
pub(crate) struct Reply {
    pub(crate) to: oneshot::Sender<Answer>,
    pub(crate) answer: Answer,
    pub(crate) records: Records,
    pub(crate) _grant: Option<Grant>,
}

/// The records of one request.
#[derive(Clone, Copy)]
pub(crate) struct Records {
    pub(crate) wire: Wire,
    pub(crate) signal: Signal,
    pub(crate) accepted: u64,
    pub(crate) rejected: u64,
}

/// Books what became of gathers.
#[derive(Clone)]
pub(crate) struct Books {
    telemetry: Arc<Telemetry>,
    counts: Counts,
}

impl Books {
    pub(crate) fn of(parts: &Parts) -> Self {
        Self { telemetry: Arc::clone(&parts.telemetry), counts: parts.context.counts.clone() }
    }

    /// The records of a gather are on disk, or nothing of it was left to write.
    pub(crate) fn kept(&self, replies: &[Reply], tally: Tally) {
        for Records { wire, signal, accepted, rejected } in replies.iter().map(|reply| reply.records) {
            self.telemetry.records(wire, signal, Verdict::Accepted, accepted);
            self.telemetry.records(wire, signal, Verdict::Rejected, rejected);
        }
        self.telemetry.book(tally, &self.counts);
    }

    /// They are not; their senders are told to send them again.
    pub(crate) fn refused(&self, replies: &[Reply]) {
        for Records { wire, signal, accepted, rejected } in replies.iter().map(|reply| reply.records) {
            self.telemetry.records(wire, signal, Verdict::Refused, accepted + rejected);
        }
    }
}

/// Starts the task that answers.
pub(crate) fn start(parts: &Parts) -> (UnboundedSender<Settlement>, JoinHandle<()>) {
    let (sender, receiver) = unbounded_channel();
    (sender, tokio::spawn(settle(receiver, parts.journal.clone(), Books::of(parts))))
}

async fn settle(mut waiting: UnboundedReceiver<Settlement>, journal: Journal, books: Books) {
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, 1024).await > 0 {
        // Positions of several workers need not come in order.
        batch.sort_by_key(|s| s.position);
        for Settlement { position, appended, replies, tally } in batch.drain(..) {
            let durable = journal.durable(position).await;
            books.telemetry.stage("durable", appended.elapsed());
            match &durable {
                Ok(()) => books.kept(&replies, tally),
                Err(_) => books.refused(&replies),
            }
            for reply in replies {
                let answer = match &durable {
                    Ok(()) => reply.answer,
                    Err(e) => Answer::Unavailable(e.to_string()),
                };
                // A sender that went away will send again; its rows then have the same identity.
                let _ = reply.to.send(answer);
            }
        }
    }
}
