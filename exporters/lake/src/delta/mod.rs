//! The Delta log at reader 1 / writer 2: actions, snapshots, commits, checkpoints.

mod actions;
mod checkpoint;
mod commit;
mod schema;
mod snapshot;

pub use actions::{Add, Metadata, Remove};
pub(crate) use actions::{Marks, stats};
pub(crate) use commit::{Commit, Outcome, Reach};
pub use snapshot::Snapshot;
