//! The process: configuration, receivers, the pipeline to the journal, telemetry, and the command line.
//!
//! Architecture invariant: nothing here knows what a record means. Decoding is `otlp`'s, changing is the processors',
//! keeping is the journal's and the lake's, asking is `queries`'; the doctor judges what arrived by answers alone.
//!
//! A distribution with processors of its own is a small `main.rs`:
//!
//! ```no_run
//! use collector::{Distribution, Error, Service, cli, config::Config};
//!
//! const MINE: Distribution = Distribution { processors: processors::ALL, seal: processors::SEAL };
//!
//! fn main() -> std::process::ExitCode {
//!     cli::main(&MINE, |cli, mine| {
//!         let config = Config::load(&cli.inputs(), mine)?;
//!         cli::runtime()?.block_on(async {
//!             let running = Service::build(config, mine).await?.run();
//!             cli::stop_signal().await;
//!             running.drain().await
//!         })
//!     })
//! }
//! ```

mod announce;
#[cfg(feature = "queries")]
mod asking;
pub mod cli;
mod commands;
pub mod config;
#[cfg(feature = "demo")]
mod demo;
#[cfg(feature = "queries")]
mod doctor;
mod error;
mod keys;
mod pipeline;
mod prices;
mod pseudonym;
pub mod receivers;
mod references;
#[cfg(feature = "queries")]
mod reprice;
mod service;
mod store;
pub mod telemetry;
#[cfg(test)]
mod tests;
mod until_closed;
mod users;

pub use error::Error;
pub use service::{Running, Service};

use component::{Factory, Processor};

/// Version of the binary.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a binary is made of, as lists.
#[derive(Clone, Copy)]
pub struct Distribution {
    /// Every processor, in the order in which they run.
    pub processors: &'static [Factory<dyn Processor>],
    /// Those of them that make up the seal.
    pub seal: &'static [&'static str],
}

impl Default for Distribution {
    fn default() -> Self {
        #[cfg(feature = "queries")]
        let processors = &FULL;
        #[cfg(not(feature = "queries"))]
        let processors = ::processors::ALL;
        Self { processors, seal: ::processors::SEAL }
    }
}

/// The processors, and those of the query engine where they belong.
#[cfg(feature = "queries")]
static FULL: std::sync::LazyLock<Vec<Factory<dyn Processor>>> = std::sync::LazyLock::new(|| {
    let mut full = Vec::new();
    for factory in processors::ALL {
        full.push(*factory);
        full.extend(
            queries::PROCESSORS.iter().filter(|(behind, _)| *behind == factory.name).map(|(_, factory)| *factory),
        );
    }
    full
});

/// An error with everything below it, in one line.
pub(crate) fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(source) = below {
        let next = source.to_string();
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        below = source.source();
    }
    text
}
