//! Answers senders once their rows are durable, so that workers do not wait for the disk.

use std::sync::Arc;
use std::time::Instant;

use journal::{Journal, Position};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::Answer;
use crate::receivers::otlp::Grant;
use crate::telemetry::Telemetry;

/// A gather that was appended, and who waits for it. Admission bounds how many there are.
pub(crate) struct Settlement {
    pub(crate) position: Position,
    pub(crate) appended: Instant,
    pub(crate) replies: Vec<Reply>,
}

/// One sender, its answer, and the room that its request held.
pub(crate) struct Reply {
    pub(crate) to: oneshot::Sender<Answer>,
    pub(crate) answer: Answer,
    pub(crate) _grant: Option<Grant>,
}

/// Starts the task that answers.
pub(crate) fn start(journal: Journal, telemetry: Arc<Telemetry>) -> (UnboundedSender<Settlement>, JoinHandle<()>) {
    let (sender, receiver) = unbounded_channel();
    (sender, tokio::spawn(settle(receiver, journal, telemetry)))
}

async fn settle(mut waiting: UnboundedReceiver<Settlement>, journal: Journal, telemetry: Arc<Telemetry>) {
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, 1024).await > 0 {
        // Positions of several workers need not come in order.
        batch.sort_by_key(|s| s.position);
        for settlement in batch.drain(..) {
            let durable = journal.durable(settlement.position).await;
            telemetry.stage("durable", settlement.appended.elapsed());
            for reply in settlement.replies {
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
