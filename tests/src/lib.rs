//! Drives the `marquetry` binary as a black box: starts, kills and queries it, sends to it, and lets readers that know
//! nothing of it look at what it wrote.
//!
//! Invariant: nothing of the engine is linked here. What these tests see is what a user sees.
#![expect(clippy::expect_used, clippy::panic, reason = "a harness that fails must fail its test")]

pub mod answers;
pub mod foreign;
pub mod gateway;
pub mod http;
pub mod node;
pub mod otlp;
pub mod places;
pub mod process;
pub mod python;
pub mod random;
pub mod sending;

pub use process::{Marquetry, Setup};
