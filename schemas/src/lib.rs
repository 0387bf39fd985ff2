//! What the data is: every table, column, alias and privacy class, read from `tables/*.yaml`.
//!
//! Invariant: this crate knows arrow types and serde, and nothing of where rows come from or go to.

mod catalog;
mod load;
mod reference;
mod table;

pub use catalog::Catalog;
pub use load::LoadError;
pub use reference::reference;
pub use table::{Class, Clause, Column, Leaf, Retention, Signal, Source, SpanKind, Table, Type};

#[cfg(test)]
mod tests;
