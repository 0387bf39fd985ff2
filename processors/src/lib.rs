//! How data changes in memory: one file (or folder) each, no I/O, no clock.

pub mod complete;
pub mod cost;
pub mod directory;
pub mod enrich;
pub mod filter;
pub mod hash;
pub mod redact;
pub mod sample;

mod address;
mod memo;

mod columns;
mod echo;
#[cfg(test)]
mod fixture;
mod identity;
mod kept;
#[cfg(test)]
mod readme;
mod rule;

use component::{Factory, Processor, processor};

/// Every processor, in the order of the default chain. A new one is one file and one line here.
pub const ALL: &[Factory<dyn Processor>] = &[
    processor::<filter::Filter>(),
    processor::<enrich::Enrich>(),
    processor::<sample::Sample>(),
    processor::<cost::Cost>(),
    processor::<hash::Hash>(),
    processor::<directory::Directory>(),
    processor::<redact::Redact>(),
];

/// The stages of [`ALL`] that make up the seal: always there, always last, in this order.
pub const SEAL: &[&str] = &["hash", "directory", "redact"];
