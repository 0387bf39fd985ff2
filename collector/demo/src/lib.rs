//! Traffic of five systems, sent as their apps would send it: by the OpenTelemetry SDK, over OTLP.
//!
//! Two weeks of it are planned by a seed ([`Traffic::plan`]) and sent with pressure back ([`Senders`]), so that nothing is
//! dropped and what was sent can be counted on; then it goes on live. Some of it goes wrong on purpose: see `incidents`.
//!
//! Architecture invariant: it knows OTLP endpoints and nothing of who listens there.

mod error;
mod incidents;
mod item;
mod live;
mod people;
mod plan;
mod planted;
mod random;
mod scene;
mod send;
mod services;
mod systems;

pub use error::Error;
pub use item::{Item, Log, Span};
pub use plan::{FEWEST_DAYS, MOST_DAYS, MOST_ITEMS, Settings, Traffic};
pub use send::{Counts, Endpoints, Senders};
pub use services::{Service, Wire};
