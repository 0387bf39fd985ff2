//! What could not be read is put aside before its segment is unlinked, so that a person can look at it.
//!
//! Only the writer does: one file for each damaged place, `<segment>-<offset>.damaged`, with the bytes as they were found.
//! They have passed the seal like all bytes of a segment, and go after [`KEEP`]: rows have a day on which they must be gone.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::Error;

/// How long damaged bytes are kept.
const KEEP: Duration = Duration::from_secs(30 * 24 * 3600);
/// A disk that goes bad damages more places than anybody will look at; the others are counted only.
const MOST_FILES: usize = 256;

/// A place in a segment that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The segment's file.
    pub segment: PathBuf,
    /// Its first byte.
    pub at: u64,
    /// Bytes up to where reading went on.
    pub len: u64,
    /// What is wrong with it.
    pub what: &'static str,
}

/// Copies the bytes of a damaged place beside its segment. Returns the file, or nothing where there are enough already.
pub(crate) fn put_aside(folder: &Path, damage: &Damage) -> Result<Option<PathBuf>, Error> {
    let stem = damage.segment.file_stem().and_then(|stem| stem.to_str()).unwrap_or("segment");
    let path = folder.join(format!("{stem}-{}.damaged", damage.at));
    if files(folder)?.len() >= MOST_FILES {
        return Ok(None);
    }
    let fail = |e: std::io::Error| Error::io("putting damaged bytes aside in", &path, e);
    let mut segment = File::open(&damage.segment).map_err(fail)?;
    segment.seek(SeekFrom::Start(damage.at)).map_err(fail)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(&path) {
        Ok(mut file) => {
            std::io::copy(&mut segment.take(damage.len), &mut file).map_err(fail)?;
            file.sync_all().map_err(fail)?;
        }
        // Met before, by an earlier start.
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
        Err(e) => return Err(fail(e)),
    }
    Ok(Some(path))
}

/// Removes what was put aside long ago.
pub(crate) fn clean(folder: &Path, now: SystemTime) -> Result<(), Error> {
    for path in files(folder)? {
        let made = path.metadata().and_then(|m| m.modified()).map_err(|e| Error::io("reading the age of", &path, e))?;
        if now.duration_since(made).is_ok_and(|age| age > KEEP) {
            std::fs::remove_file(&path).map_err(|e| Error::io("removing", &path, e))?;
        }
    }
    Ok(())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = std::fs::read_dir(folder).map_err(|e| Error::io("listing", folder, e))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    Ok(paths.filter(|path| path.extension().is_some_and(|e| e == "damaged")).collect())
}
