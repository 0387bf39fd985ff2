//! How many bytes of requests may be in memory: a request is admitted before its body is read.

use std::sync::Arc;
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
}

/// Bytes that one request holds until it is answered.
#[derive(Debug)]
pub struct Grant {
    permit: OwnedSemaphorePermit,
    bytes: Arc<Semaphore>,
    total: usize,
}

/// Why a request cannot hold more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRoom {
    /// Others hold it.
    Now,
    /// It is more than the whole budget.
    Ever,
}

impl Admission {
    /// A budget of this many bytes.
    pub fn new(total: usize) -> Self {
        let total = total.min(Semaphore::MAX_PERMITS);
        Self { bytes: Arc::new(Semaphore::new(total)), total }
    }

    /// Room for a request that says it has `announced` bytes; `None` when there is none.
    pub async fn enter(&self, announced: usize) -> Option<Grant> {
        let first = u32::try_from(announced.clamp(1, FIRST)).ok()?;
        let wait = Arc::clone(&self.bytes).acquire_many_owned(first);
        // Nothing is held while waiting, so nobody can wait for each other.
        let permit = tokio::time::timeout(PATIENCE, wait).await.ok()?.ok()?;
        Some(Grant { permit, bytes: Arc::clone(&self.bytes), total: self.total })
    }

    /// Bytes in flight.
    pub fn in_flight(&self) -> usize {
        self.total.saturating_sub(self.bytes.available_permits())
    }
}

impl Grant {
    /// Holds at least `bytes`; says no at once when there is no room, for a request must not wait while it holds some.
    pub fn grow_to(&mut self, bytes: usize) -> Result<(), NoRoom> {
        if bytes > self.total {
            return Err(NoRoom::Ever);
        }
        let missing = bytes.saturating_sub(self.permit.num_permits());
        if missing == 0 {
            return Ok(());
        }
        let missing = u32::try_from(missing).map_err(|_| NoRoom::Ever)?;
        let more = Arc::clone(&self.bytes).try_acquire_many_owned(missing).map_err(|_| NoRoom::Now)?;
        self.permit.merge(more);
        Ok(())
    }

    /// Gives back what is more than `bytes`.
    pub fn shrink_to(&mut self, bytes: usize) {
        let surplus = self.permit.num_permits().saturating_sub(bytes);
        drop(self.permit.split(surplus));
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
        assert_eq!(large.grow_to((4 << 20) + 1), Err(NoRoom::Ever));
        assert!(admission.enter(1).await.is_none());
        large.shrink_to(1 << 20);
        let other = admission.enter(1 << 20).await.unwrap();
        assert_eq!(large.grow_to(4 << 20), Err(NoRoom::Now));
        drop(other);
        drop(large);
        assert_eq!(admission.in_flight(), 0);
    }
}
