//! Requests that wait for a worker. Admission bounds its bytes, so it needs no bound of its own.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::{Answer, Received};
use crate::receivers::otlp::Grant;

/// A gather stops growing here.
const GATHER_BYTES: usize = 2 << 20;

/// One request on its way, and who waits for it.
pub(crate) struct Job {
    pub(crate) received: Received,
    /// Room that it holds until it is answered.
    pub(crate) grant: Option<Grant>,
    pub(crate) reply: oneshot::Sender<Answer>,
    /// What its receiver does meanwhile, when that is traced.
    pub(crate) span: tracing::Span,
}

#[derive(Default)]
pub(crate) struct Queue {
    // A std mutex: it is held for a push or a pop, and workers are threads that block.
    state: Mutex<State>,
    filled: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    closed: bool,
}

impl Queue {
    /// Adds a request; says no when the queue is closed.
    pub(crate) fn put(&self, job: Job) -> bool {
        let mut state = self.lock();
        if state.closed {
            return false;
        }
        state.jobs.push_back(job);
        drop(state);
        self.filled.notify_one();
        true
    }

    /// Everything that waits, up to a gather's size; waits for the first. `None` when closed and empty.
    ///
    /// A worker that is free takes what is there at once: while all are busy requests pile up and gathers grow,
    /// so that waiting for more would add time when idle and nothing when busy.
    pub(crate) fn take(&self) -> Option<Vec<Job>> {
        let mut state = self.lock();
        while state.jobs.is_empty() {
            if state.closed {
                return None;
            }
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let mut bytes = 0;
        let mut taken = Vec::new();
        while let Some(job) = state.jobs.front() {
            bytes += job.received.body.len();
            if !taken.is_empty() && bytes > GATHER_BYTES {
                break;
            }
            taken.extend(state.jobs.pop_front());
        }
        Some(taken)
    }

    /// Lets nothing more in.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
