//! Completion over the real chain, real journals and a real folder: whatever way records came, the tables end up equal.

#![expect(clippy::unwrap_used, reason = "what a test sets up fails as the test does")]

mod cases;
mod property;
mod records;
mod rig;
mod thinning;
