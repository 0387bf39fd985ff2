//! The contract between the engine and what plugs into it.
//!
//! Architecture invariant: this crate knows neither the engine nor any component. It does no I/O and reads no clock.

mod complete;
mod config;
mod context;
pub mod count;
pub mod directory;
mod envelope;
mod gather;
mod keys;
mod recent;
mod reference;
mod seal;
mod text;
mod units;

pub use complete::{Completion, Facts, Hints};
pub use config::{Component, ConfigError, Factory, ProcessError, Processor, processor};
pub use context::{Context, Counts, Shared};
pub use envelope::{DataKey, Envelopes, OpenError};
pub use gather::{Gather, Rows, RowsError};
pub use keys::{Domain, Key, KeyError, KeyIds, Keyring, Pseudonym, Rotation};
pub use recent::Recent;
pub use reference::{Files, Loaded, Reference, References, Refreshed, Standing, Take};
pub use seal::{Seal, Sealed};
pub use text::{Text, map_text};
pub use units::{Period, Size, human};
