//! Which questions it answers: SQL over committed files plus the journal's frames behind them.
//!
//! Architecture invariant: it reads the lake's files and the journal's frames, nothing else of the process, so that a
//! second process sees the same rows, and so does one that starts after a crash with nothing running.

mod engine;
mod error;
mod format;
mod provider;
mod views;

pub use engine::{Answer, Engine, Source};
pub use error::Error;
pub use format::Format;
pub use views::{ALL as VIEWS, DOCTOR, View};
