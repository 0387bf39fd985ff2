//! What can go wrong, by what the caller can do about it.

use std::path::{Path, PathBuf};

/// An error of the user directory. Holds paths and reasons, never what is in a row.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file operation failed; trying again may help.
    #[error("{doing} {path}: {why}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which file.
        path: PathBuf,
        /// The system's answer.
        why: String,
    },
    /// The file is of another key.
    #[error(
        "the user directory in {folder} was written with another root key; start with the key it was made with, or use another data folder"
    )]
    WrongKey {
        /// Its folder.
        folder: PathBuf,
    },
    /// The file is of another version of the format, or none of ours.
    #[error("{path} is no user directory that this version can read: {why}")]
    Format {
        /// Which file.
        path: PathBuf,
        /// What was found.
        why: String,
    },
    /// The journal folder is older than what the directory has of it.
    #[error(
        "the user directory has position {ahead} of a journal that ends at {ends}: the journal's folder was restored from an older copy; move it away and start again"
    )]
    Restored {
        /// Position in the directory.
        ahead: u64,
        /// Last position of the journal.
        ends: u64,
    },
    /// What is looked for cannot be looked for.
    #[error("{0}")]
    Query(String),
    /// A key could not be derived.
    #[error(transparent)]
    Key(#[from] component::KeyError),
    /// The journal could not be read.
    #[error(transparent)]
    Journal(#[from] journal::Error),
}

impl Error {
    pub(crate) fn io(doing: &'static str, path: &Path, why: impl ToString) -> Self {
        Self::Io { doing, path: path.to_owned(), why: why.to_string() }
    }
}
