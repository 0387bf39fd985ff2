//! The journal and the lake as the process opens them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::Journal;
use lake::{Lake, Location};
use schemas::Catalog;

use crate::config::{Config, LakeSettings};
use crate::error::Error;

/// Where the journal is below the data folder.
pub(crate) fn journal_folder(data: &Path) -> PathBuf {
    data.join("journal")
}

/// Says what is wrong with a location, if anything.
pub(crate) fn check_location(location: &str) -> Result<(), String> {
    Location::parse(location).map(drop).map_err(|e| e.to_string())
}

/// Opens the journal of the data folder.
pub(crate) fn open_journal(config: &Config, catalog: &Arc<Catalog>) -> Result<Journal, Error> {
    let options = journal::Options { max_bytes: config.journal.max_bytes, segment_bytes: config.journal.segment_bytes };
    Ok(Journal::open(&journal_folder(&config.data), Arc::clone(catalog), options)?)
}

/// Opens the lake; refuses a key that is not the tables'.
pub(crate) async fn open_lake(settings: &LakeSettings, journal: Journal, fingerprint: String) -> Result<Lake, Error> {
    let location = Location::parse(&settings.location)?;
    let mut options = lake::Options::default();
    if let Some(interval) = settings.flush_interval {
        options.flush_interval = interval;
    }
    if let Some(bytes) = settings.flush_bytes {
        options.flush_bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    }
    if let Some(interval) = settings.tidy_interval {
        options.tidy_interval = interval;
    }
    options.merge_all = settings.merge_all;
    Ok(Lake::open(&location, journal, options, fingerprint).await?)
}
