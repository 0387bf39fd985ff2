//! Files that processors look things up in: read here, since processors do no input, and watched for changes.

mod rows;

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use component::{Files, References, Refreshed, Take};
use tokio_util::sync::CancellationToken;

/// Time between two looks at the files. A change is taken at the second look that finds it the same.
const LOOK: Duration = Duration::from_secs(1);

/// The file system.
pub(crate) struct Disk;

impl Files for Disk {
    fn rows(&self, path: &Path, columns: &[&str], max_bytes: u64, take: &mut Take<'_>) -> Result<(), String> {
        rows::read(open(path, max_bytes)?, path, columns, take)
    }

    fn bytes(&self, path: &Path, max_bytes: u64) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        let read = open(path, max_bytes)?.take(max_bytes).read_to_end(&mut bytes);
        read.map_err(|e| format!("reading {}: {e}", path.display()))?;
        Ok(bytes)
    }

    fn stamp(&self, path: &Path) -> Option<u128> {
        let about = fs::metadata(path).ok()?;
        let changed = about.modified().ok()?.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        Some(changed << 40 ^ u128::from(about.len()))
    }
}

/// A file that is not larger than it may be.
fn open(path: &Path, max_bytes: u64) -> Result<File, String> {
    let failed = |e: std::io::Error| format!("opening {}: {e}", path.display());
    let file = File::open(path).map_err(failed)?;
    let about = file.metadata().map_err(failed)?;
    if !about.is_file() {
        return Err(format!("opening {}: it is not a file", path.display()));
    }
    match about.len() > max_bytes {
        true => Err(format!("{} has {} bytes, more than the {max_bytes} of `max_bytes`", path.display(), about.len())),
        false => Ok(file),
    }
}

/// Takes changes until it is told to stop.
pub(crate) async fn watch(references: References, stop: CancellationToken) {
    if references.standings().is_empty() {
        return;
    }
    while stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_some() {
        let looking = references.clone();
        for Refreshed { name, outcome } in
            tokio::task::spawn_blocking(move || looking.refresh()).await.unwrap_or_default()
        {
            match outcome {
                Ok(entries) => tracing::info!(reference = name, entries, "a changed file is in use"),
                Err(why) => {
                    tracing::error!(
                        reference = name,
                        error = why,
                        "a changed file is of no use; the last good one stays"
                    );
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
