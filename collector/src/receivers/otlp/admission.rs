//! How many bytes of requests may be in memory: a request is admitted before its body is read.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A burst waits this long for room before its sender is told to come back.
const PATIENCE: Duration = Duration::from_millis(200);

/// The first reservation is no larger, so that a sender who announces much and sends little holds little.
pub(crate) const FIRST: usize = 1 << 20;

/// The budget, shared by all endpoints.
#[derive(Debug, Clone)]
pub struct Admission {
    bytes: Arc<Semaphore>,
    total: usize,
    /// For one request at a time that is larger than half the budget: it may go beyond, up to its endpoint's limit.
    beyond: Arc<Semaphore>,
    /// Bytes that it holds.
    over: Arc<AtomicUsize>,
}

/// Bytes that one request holds until it is answered.
#[derive(Debug)]
pub struct Grant {
    permit: OwnedSemaphorePermit,
    room: Admission,
    beyond: Option<Beyond>,
}

/// What the one large request holds besides its permits.
#[derive(Debug)]
struct Beyond {
    _place: OwnedSemaphorePermit,
    over: Arc<AtomicUsize>,
}

impl Drop for Beyond {
    fn drop(&mut self) {
        self.over.store(0, Ordering::Relaxed);
    }
}

/// A request cannot hold more, because others do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoRoom;

impl Admission {
    /// A budget of this many bytes.
    pub fn new(total: usize) -> Self {
        let total = total.min(Semaphore::MAX_PERMITS);
        let bytes = Arc::new(Semaphore::new(total));
        Self { bytes, total, beyond: Arc::new(Semaphore::new(1)), over: Arc::default() }
    }

    /// Room for a request that says it has `announced` bytes; `None` when there is none.
    pub async fn enter(&self, announced: usize) -> Option<Grant> {
        let first = u32::try_from(announced.clamp(1, FIRST)).ok()?;
        let wait = Arc::clone(&self.bytes).acquire_many_owned(first);
        // Nothing is held while waiting, so nobody can wait for each other.
        let permit = tokio::time::timeout(PATIENCE, wait).await.ok()?.ok()?;
        Some(Grant { permit, room: self.clone(), beyond: None })
    }

    /// Bytes in flight.
    pub fn in_flight(&self) -> usize {
        self.total.saturating_sub(self.bytes.available_permits()) + self.over.load(Ordering::Relaxed)
    }
}

impl Grant {
    /// Holds at least `bytes`; says no at once when there is no room, for a request must not wait while it holds some.
    pub fn grow_to(&mut self, bytes: usize) -> Result<(), NoRoom> {
        let missing = bytes.saturating_sub(self.permit.num_permits());
        if missing == 0 {
            return Ok(());
        }
        if self.beyond.is_none() {
            let more = u32::try_from(missing).ok();
            let more = more.and_then(|more| Arc::clone(&self.room.bytes).try_acquire_many_owned(more).ok());
            if let Some(more) = more {
                self.permit.merge(more);
                return Ok(());
            }
            let place = Some(&self.room.beyond).filter(|_| bytes > self.room.total / 2).ok_or(NoRoom)?;
            let place = Arc::clone(place).try_acquire_owned().map_err(|_| NoRoom)?;
            self.beyond = Some(Beyond { _place: place, over: Arc::clone(&self.room.over) });
        }
        self.room.over.store(missing, Ordering::Relaxed);
        Ok(())
    }

    /// Gives back what is more than `bytes`.
    pub fn shrink_to(&mut self, bytes: usize) {
        let surplus = self.permit.num_permits().saturating_sub(bytes);
        drop(self.permit.split(surplus));
        match bytes.saturating_sub(self.permit.num_permits()) {
            0 => self.beyond = None,
            over if self.beyond.is_some() => self.room.over.store(over, Ordering::Relaxed),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bytes_are_held_until_the_grant_goes() {
        let admission = Admission::new(4 << 20);
        let mut large = admission.enter(64 << 20).await.unwrap();
        assert_eq!(admission.in_flight(), FIRST, "an announcement alone holds little");
        assert_eq!(large.grow_to(4 << 20), Ok(()));
        assert!(admission.enter(1).await.is_none());
        large.shrink_to(1 << 20);
        let mut other = admission.enter(1 << 20).await.unwrap();
        assert_eq!(other.grow_to((2 << 20) + 1), Ok(()));
        assert_eq!(large.grow_to(2 << 20), Err(NoRoom), "half the budget must fit");
        drop(other);
        drop(large);
        assert_eq!(admission.in_flight(), 0);
    }

    #[tokio::test]
    async fn one_large_request_may_go_beyond_the_budget() {
        let admission = Admission::new(4 << 20);
        let mut large = admission.enter(64 << 20).await.unwrap();
        assert_eq!(large.grow_to(64 << 20), Ok(()));
        assert_eq!(admission.in_flight(), 64 << 20);
        let mut second = admission.enter(64 << 20).await.unwrap();
        assert_eq!(second.grow_to(64 << 20), Err(NoRoom), "one at a time");
        large.shrink_to(1 << 20);
        assert_eq!(admission.in_flight(), 2 << 20);
        assert_eq!(second.grow_to(64 << 20), Ok(()));
        drop((large, second));
        assert_eq!(admission.in_flight(), 0);
    }
}
