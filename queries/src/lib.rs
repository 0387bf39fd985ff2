//! Which questions it answers: SQL over committed files plus the journal's frames behind them.
//!
//! Architecture invariant: it reads the lake's files and the journal's frames, nothing else of the process, so that a
//! second process sees the same rows, and so does one that starts after a crash with nothing running. Its processors see
//! the rows that a worker gives them, and do no I/O, as any processor.

mod engine;
mod error;
mod format;
pub mod processors;
mod provider;
mod views;

pub use engine::{Answer, Engine, Source};
pub use error::Error;
pub use format::Format;
pub use processors::ALL as PROCESSORS;
pub use views::{ALL as VIEWS, DOCTOR, View};
