//! What can go wrong, by what the caller can do about it.

use std::path::{Path, PathBuf};

/// A journal error. Holds paths and reasons, never values of records.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The buffer is full: the sender should try again later.
    #[error("the journal holds {bytes} bytes and may hold {max}; the lake has not taken them yet")]
    Full {
        /// Bytes on disk.
        bytes: u64,
        /// Limit.
        max: u64,
    },
    /// A file operation failed.
    #[error("{doing} {path}: {why}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which file.
        path: PathBuf,
        /// The system's answer.
        why: String,
    },
    /// Another process writes here.
    #[error("journal folder {0} is in use by another process; give this one its own --data folder")]
    Locked(PathBuf),
    /// An earlier fsync failed: nothing more may be acknowledged until a restart.
    #[error("the journal stopped after a failed fsync: {0}")]
    Poisoned(String),
    /// Rows could not be encoded or decoded.
    #[error("{doing} rows of table {table}: {why}")]
    Frame {
        /// What was tried.
        doing: &'static str,
        /// Which table.
        table: String,
        /// Arrow's words.
        why: String,
    },
}

impl Error {
    /// Whether the sender should be told to wait.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full { .. })
    }

    pub(crate) fn io(doing: &'static str, path: &Path, why: impl ToString) -> Self {
        Self::Io { doing, path: path.to_owned(), why: why.to_string() }
    }
}
