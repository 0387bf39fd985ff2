//! Follows the journal and keeps typed Delta tables: sort, write Parquet, commit with the journal's position, merge.
//!
//! The Delta log is read and written here directly, at reader 1 / writer 2: an entry is one conditional PUT, whose cost
//! does not grow with the table, and nothing else of a Delta library is needed.
//!
//! Architecture invariant: no DataFusion, and no record is ever changed here but by a merge.

mod complete;
#[cfg(feature = "control")]
mod control;
pub mod delta;
mod echo;
mod encoder;
mod error;
mod flush;
mod hours;
mod lake;
mod location;
mod merge;
mod meter;
mod parquet_file;
mod retention;
mod rows;
mod scan;
mod stats;
mod store;
#[cfg(test)]
mod tests;
mod upload;

pub use complete::{Completed, Completing};
pub use error::Error;
pub use lake::{Lake, Options};
pub use location::Location;
pub use parquet_file::conform;
pub use stats::{Stats, TableStats, Work};
pub use store::Store;
