//! When a segment may go: everybody who follows must be past it.

use std::collections::HashMap;
use std::io::ErrorKind;

use crate::segment::{JournalId, Position};
use crate::writer::{SealedSegment, State};
use crate::{Error, Journal};

/// What followers have said.
#[derive(Default)]
pub(crate) struct Releases {
    /// How far each journal was released.
    wanted: HashMap<JournalId, Position>,
    /// How far those are who hold segments, by a number.
    held: HashMap<u64, HashMap<JournalId, Position>>,
    next: u64,
}

/// Keeps segments for a follower until it has said that it is past them. When it goes, it holds nothing any more.
pub struct Hold {
    journal: Journal,
    number: u64,
}

impl Journal {
    /// Lets go of sealed segments of journal `id` whose every position is at most `safe`; one that somebody holds is
    /// unlinked once its holder is past it. Nobody knows where the last segment of an earlier journal was torn:
    /// `Position(u64::MAX)` says that all that can be read of it is safe.
    pub fn release(&self, id: JournalId, safe: Position) -> Result<(), Error> {
        let mut state = self.shared.lock();
        let wanted = state.releases.wanted.entry(id).or_default();
        *wanted = safe.max(*wanted);
        self.unlink(&mut state, id)
    }

    /// Holds every segment that is there from now on, for one more follower.
    pub fn hold(&self) -> Hold {
        let mut state = self.shared.lock();
        let number = state.releases.next;
        state.releases.next += 1;
        state.releases.held.insert(number, HashMap::new());
        Hold { journal: self.clone(), number }
    }

    /// Unlinks what nobody needs any more of a journal.
    fn unlink(&self, state: &mut State, id: JournalId) -> Result<(), Error> {
        let safe = state.releases.safe(id);
        let active = (id == self.shared.id).then_some(state.active.first);
        let firsts: Vec<Position> = state.sealed.iter().filter(|s| s.id == id).map(|s| s.first).chain(active).collect();
        let is_safe = |segment: &SealedSegment| {
            let next = firsts.iter().filter(|first| **first > segment.first).min();
            segment.id == id && next.map_or(safe.0 == u64::MAX, |next| next.0 <= safe.0.saturating_add(1))
        };
        let mut index = 0;
        while let Some(segment) = state.sealed.get(index) {
            if !is_safe(segment) {
                index += 1;
                continue;
            }
            match std::fs::remove_file(&segment.path) {
                Err(e) if e.kind() != ErrorKind::NotFound => {
                    return Err(Error::io("unlinking segment", &segment.path, e));
                }
                _ => state.sealed.remove(index),
            };
        }
        Ok(())
    }
}

impl Releases {
    /// Up to where nobody needs a journal any more.
    fn safe(&self, id: JournalId) -> Position {
        let held = self.held.values().map(|holder| holder.get(&id).copied().unwrap_or_default());
        let wanted = self.wanted.get(&id).copied().unwrap_or_default();
        held.fold(wanted, Position::min)
    }
}

impl Hold {
    /// The holder has taken everything of journal `id` up to `safe`, and it is durable where it is now.
    pub fn advance(&self, id: JournalId, safe: Position) -> Result<(), Error> {
        let mut state = self.journal.shared.lock();
        if let Some(held) = state.releases.held.get_mut(&self.number) {
            held.insert(id, safe);
        }
        self.journal.unlink(&mut state, id)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.journal.shared.lock().releases.held.remove(&self.number);
    }
}
