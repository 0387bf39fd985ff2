//! Invariants of the tree itself. Cheap: nothing is built or started for them.
#![expect(clippy::expect_used, clippy::panic, reason = "a test that fails must panic")]

mod graph; // which crate may know which, and one version of each
mod lists; // every component is in its list, every folder says what it owns
mod rust; // enough of Rust's grammar to measure functions
mod sizes; // files and functions stay readable
mod tree; // the files of the repository
