//! The durable log between processing and exporting: one append per gather, group fsync, readers by memory map.
//!
//! Layout on disk: `<journal id>-<first position>.seg`, see [`segment`](crate::segment). A segment is only appended,
//! sealed or unlinked, never truncated or rewritten.
//!
//! Architecture invariant: the journal knows neither senders nor stores. It takes what is sealed and numbers it.

mod audit;
mod error;
mod folder;
mod follow;
mod frame;
mod quarantine;
mod reader;
mod release;
mod resent;
mod segment;
mod writer;

pub use audit::{CANON_VERSION, Verdict, commitment, leaf, verify};
pub use error::Error;
pub use follow::{Place, Stretch};
pub use frame::Part;
pub use quarantine::Damage;
pub use reader::{Entries, Entry, Snapshot, View};
pub use release::Hold;
pub use segment::{JournalId, Position};
pub use writer::{Journal, Options, Stats};

#[cfg(test)]
mod tests;
