//! Following a journal across its segments, a stretch of bounded length at a time.

use crate::quarantine::Damage;
use crate::reader::{Cursor, Entry, Snapshot};
use crate::segment::{JournalId, Position};

/// Where a follower of one journal is, between two entries; the default is before the first.
#[derive(Debug, Clone, Default)]
pub struct Place(Option<(Position, Cursor)>);

/// Entries that were read at once.
#[derive(Debug)]
pub struct Stretch {
    /// In order.
    pub entries: Vec<Entry>,
    /// Where to go on once they are taken. Read from the old place, they come again.
    pub next: Place,
    /// What could not be read on the way, and was passed over.
    pub damage: Vec<Damage>,
    /// Whether more entries are there to be read up to the same position.
    pub more: bool,
}

impl Snapshot {
    /// The entries of a journal behind a place, up to `upto` and with it. Ends early behind the entry that makes it
    /// `max_bytes` or more.
    pub fn stretch(&self, journal: JournalId, place: &Place, upto: Position, max_bytes: usize) -> Stretch {
        let mut stretch = Stretch { entries: Vec::new(), next: place.clone(), damage: Vec::new(), more: false };
        let from = place.0.as_ref().map_or(Position(0), |(first, _)| *first);
        let mut bytes = 0;
        for view in self.views().iter().filter(|v| v.id() == journal && v.first() >= from) {
            let mut entries = match &place.0 {
                Some((first, cursor)) if *first == view.first() => view.entries_from(cursor.clone()),
                _ => view.entries(),
            };
            loop {
                let before = entries.cursor();
                let Some(entry) = entries.next() else { break };
                if entry.position() > upto || bytes >= max_bytes {
                    stretch.damage.extend_from_slice(entries.damage());
                    stretch.more = entry.position() <= upto;
                    stretch.next = Place(Some((view.first(), before)));
                    return stretch;
                }
                bytes += entry.len();
                stretch.entries.push(entry);
            }
            stretch.damage.extend_from_slice(entries.damage());
            stretch.next = Place(Some((view.first(), entries.cursor())));
        }
        stretch
    }
}
