//! Files of a journal folder: the segment that is written, the lock, the mark of a clean stop.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::segment::{self, JournalId, Position};

/// The segment that is written.
pub(crate) struct Active {
    pub(crate) file: Arc<File>,
    pub(crate) path: PathBuf,
    pub(crate) first: Position,
    pub(crate) bytes: u64,
    /// Where the last copy of each frame schema stands.
    pub(crate) schemas: HashMap<u64, u64>,
    /// An append failed half-way: readers stop at its bytes, so nothing may follow them here.
    pub(crate) torn: bool,
}

/// Left by a clean stop, so that the next start goes on under the same id.
#[derive(Serialize, Deserialize)]
pub(crate) struct Clean {
    pub(crate) next: u64,
    pub(crate) next_audit: u64,
}

impl Clean {
    /// Leaves the mark.
    pub(crate) fn leave(&self, folder: &Path, id: JournalId) -> Result<(), Error> {
        let path = folder.join(format!("{id}.clean"));
        let bytes = serde_json::to_vec(self).map_err(|e| Error::io("writing", &path, e))?;
        let mut file = File::create(&path).map_err(|e| Error::io("creating", &path, e))?;
        file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(|e| Error::io("writing", &path, e))?;
        sync_folder(folder)
    }

    /// Takes the mark: it must not be found again if this run ends badly.
    pub(crate) fn take(folder: &Path) -> Result<Option<(JournalId, Self)>, Error> {
        let entries = std::fs::read_dir(folder).map_err(|e| Error::io("listing", folder, e))?;
        let mut found = None;
        for entry in entries {
            let path = entry.map_err(|e| Error::io("listing", folder, e))?.path();
            if path.extension().is_none_or(|e| e != "clean") {
                continue;
            }
            let id = path.file_stem().and_then(|s| s.to_str()).and_then(JournalId::parse);
            let clean = std::fs::read(&path).ok().and_then(|b| serde_json::from_slice::<Self>(&b).ok());
            std::fs::remove_file(&path).map_err(|e| Error::io("removing", &path, e))?;
            found = id.zip(clean).filter(|(_, c)| c.next > 0);
        }
        sync_folder(folder)?;
        Ok(found)
    }
}

impl Active {
    /// A new segment, durable with its name.
    pub(crate) fn create(folder: &Path, id: JournalId, first: Position) -> Result<Self, Error> {
        let path = segment::path(folder, id, first);
        let file = OpenOptions::new().append(true).create_new(true).open(&path);
        let mut file = match file {
            Ok(file) => file,
            // A clean stop right after a roll leaves an empty segment of this very name.
            Err(e) if e.kind() == ErrorKind::AlreadyExists && is_empty(&path) => {
                std::fs::remove_file(&path).map_err(|e| Error::io("replacing empty segment", &path, e))?;
                OpenOptions::new()
                    .append(true)
                    .create_new(true)
                    .open(&path)
                    .map_err(|e| Error::io("creating segment", &path, e))?
            }
            Err(e) => return Err(Error::io("creating segment", &path, e)),
        };
        file.write_all(&segment::header(id, first)).map_err(|e| Error::io("writing the header of", &path, e))?;
        file.sync_data().map_err(|e| Error::io("syncing", &path, e))?;
        sync_folder(folder)?;
        Ok(Self {
            file: Arc::new(file),
            path,
            first,
            bytes: segment::HEADER as u64,
            schemas: HashMap::new(),
            torn: false,
        })
    }
}

fn is_empty(path: &Path) -> bool {
    path.metadata().is_ok_and(|m| m.len() <= segment::HEADER as u64)
}

/// Makes this process the only writer of the folder until the file is dropped.
pub(crate) fn lock(folder: &Path) -> Result<File, Error> {
    let path = folder.join("lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|e| Error::io("opening", &path, e))?;
    rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|_| Error::Locked(folder.to_owned()))?;
    Ok(file)
}

fn sync_folder(folder: &Path) -> Result<(), Error> {
    File::open(folder).and_then(|f| f.sync_all()).map_err(|e| Error::io("syncing folder", folder, e))
}
