//! The user directory: who is behind a pseudonym, encrypted on disk and searchable in memory.
//!
//! It follows the journal's rows of the table `directory`, which the processor of that name makes, and keeps them in a file
//! of its own, never in the lake. Values are encrypted in the rows as they come and stay so; they are opened when somebody
//! looks for a user, into an index in memory that is dropped when nobody has asked for a while.
//!
//! Architecture invariant: nothing readable is written, and nobody is answered from here without the engine having put down
//! who asked.

mod changes;
mod directory;
mod error;
mod file;
mod follow;
mod index;
mod keys;
mod load;
mod query;
mod record;
mod run;
#[cfg(test)]
mod tests;

pub use component::directory::{Part, TABLE, VERSION};
pub use directory::{Directory, Found, Hit, Options, Stats};
pub use error::Error;
pub use keys::{Standing, TextKey};
pub use query::{FEWEST, Query, masked};
pub use run::run;
