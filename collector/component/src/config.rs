//! What every component states about itself; a `Factory` makes it a value, so that a registry is a list.

use serde::de::DeserializeOwned;

use crate::{Context, Gather, RowsError};

/// Changes rows in memory. Each worker owns its chain, so `self` may hold caches, never anything that changes a result.
///
/// A processor may drop rows and fill declared columns; it keeps every table's schema. No I/O, no clock.
pub trait Processor: Send {
    /// Processes one gather in place. On an error the gather is thrown away and tried again in smaller parts.
    fn process(&mut self, gather: &mut Gather) -> Result<(), ProcessError>;
}

/// A processor could not do its work on a gather.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// A column has another type or length than the schema says.
    #[error(transparent)]
    Rows(#[from] RowsError),
    /// A key could not be derived.
    #[error(transparent)]
    Key(#[from] crate::KeyError),
    /// A record that cannot be processed; the text goes to its sender and must hold nothing of the record's values.
    #[error("{0}")]
    Refused(String),
}

/// A component's configuration was refused. `path` is where below the component's own section.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct ConfigError {
    /// Keys from the component's section down to the value, empty for the section itself.
    pub path: Vec<String>,
    /// What is wrong and how to mend it.
    pub what: String,
}

impl ConfigError {
    /// An error about the value under `path`, dot-separated.
    pub fn at(path: &str, what: impl Into<String>) -> Self {
        let path = path.split('.').filter(|p| !p.is_empty()).map(str::to_owned).collect();
        Self { path, what: what.into() }
    }
}

/// A component that can be built from configuration.
pub trait Component: Sized + 'static {
    /// Name in the configuration and stem of its file.
    const NAME: &'static str;
    /// One sentence for `marquetry components`.
    const ABOUT: &'static str;
    /// Its section, unknown keys refused, every field with a default.
    type Config: DeserializeOwned + Default;
    /// Builds it, or says which value cannot be.
    fn new(config: Self::Config, cx: &Context) -> Result<Self, ConfigError>;
}

/// A component as a value.
pub struct Factory<T: ?Sized> {
    /// Name in the configuration.
    pub name: &'static str,
    /// One sentence for people.
    pub about: &'static str,
    make: fn(serde_json::Value, &Context) -> Result<Box<T>, ConfigError>,
}

// Derived, they would ask the same of what it makes.
impl<T: ?Sized> Clone for Factory<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Factory<T> {}

impl<T: ?Sized> Factory<T> {
    /// Builds the component from its section; `null` means all defaults.
    pub fn make(&self, section: serde_json::Value, cx: &Context) -> Result<Box<T>, ConfigError> {
        (self.make)(section, cx)
    }
}

/// The factory of a processor.
pub const fn processor<P: Component + Processor>() -> Factory<dyn Processor> {
    Factory {
        name: P::NAME,
        about: P::ABOUT,
        make: |section, cx| {
            let config = if section.is_null() { P::Config::default() } else { parse::<P::Config>(section)? };
            Ok(Box::new(P::new(config, cx)?))
        },
    }
}

fn parse<C: DeserializeOwned>(section: serde_json::Value) -> Result<C, ConfigError> {
    serde_path_to_error::deserialize(section).map_err(|e| ConfigError {
        path: e
            .path()
            .iter()
            .filter_map(|segment| match segment {
                serde_path_to_error::Segment::Map { key } => Some(key.clone()),
                serde_path_to_error::Segment::Seq { index } => Some(index.to_string()),
                _ => None,
            })
            .collect(),
        what: e.inner().to_string(),
    })
}
