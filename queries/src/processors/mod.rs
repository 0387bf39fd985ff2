//! Processors that need the query engine. They join the chain of a build that has it.

pub mod sql;

use component::{Factory, Processor, processor};

/// Every processor here, with the name of the one that it runs behind. A new one is one file and one line here.
pub const ALL: &[(&str, Factory<dyn Processor>)] = &[(sql::BEHIND, processor::<sql::Sql>())];
