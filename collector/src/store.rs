//! The journal and the lake as the process opens them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use component::Context;
use directory::Directory;
use journal::Journal;
use lake::{Completing, Lake, Location};
use processors::complete::Complete;
use schemas::Catalog;

use crate::config::{Config, LakeSettings};
use crate::error::Error;

/// Where the journal is below the data folder.
pub(crate) fn journal_folder(data: &Path) -> PathBuf {
    data.join("journal")
}

/// Where the user directory is below the data folder.
pub(crate) fn directory_folder(data: &Path) -> PathBuf {
    data.join("directory")
}

/// Opens the user directory; refuses a key that is not its own.
pub(crate) fn open_directory(config: &Config, journal: &Journal, context: &Context) -> Result<Directory, Error> {
    let mut options = directory::Options::default();
    let settings = config.directory.unwrap_or_default();
    if let Some(interval) = settings.flush_interval {
        options.flush_interval = interval;
    }
    if let Some(keep_open) = settings.keep_open {
        options.keep_open = keep_open;
    }
    let folder = directory_folder(&config.data);
    Ok(Directory::open(&folder, journal.clone(), Arc::clone(&context.keys), options)?)
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
pub(crate) async fn open_lake(config: &Config, journal: Journal, fingerprint: String) -> Result<Lake, Error> {
    let settings = &config.lake;
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
    // Hints that the chain does not make are not made later either.
    let has = |name: &str| config.chain.iter().any(|(step, _)| *step == name);
    let rules = Complete { users: has("enrich"), echoes: has("cost") };
    if rules.users || rules.echoes || settings.thin.is_some() {
        options.completing = Some(completing(settings, rules));
    }
    Ok(Lake::open(&location, journal, options, fingerprint).await?)
}

fn completing(settings: &LakeSettings, rules: Complete) -> Completing {
    let mut how = Completing::new(Arc::new(rules));
    how.thinning = settings.thin.map(|tail| Arc::new(tail) as Arc<dyn component::Completion>);
    if let Some(lateness) = settings.lateness {
        how.lateness = lateness;
    }
    if let Some(memory) = settings.complete_memory {
        how.memory = usize::try_from(memory).unwrap_or(usize::MAX);
    }
    how
}
