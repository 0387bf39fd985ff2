//! What can go wrong, by what the caller can do about it.

/// A lake error. Holds paths and reasons, never values of records.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address of the lake cannot be used.
    #[error("lake location {location}: {why}")]
    Location {
        /// As configured.
        location: String,
        /// What is wrong and how to mend it.
        why: String,
    },
    /// The store did not do what it was asked; trying again may help.
    #[error("{doing} {path}: {why}")]
    Store {
        /// What was tried.
        doing: &'static str,
        /// On which object.
        path: String,
        /// The store's words.
        why: String,
    },
    /// A log entry or checkpoint is not what the Delta protocol says, or asks for features that are not known here.
    #[error("delta log of table {table}: {why}")]
    Log {
        /// Which table.
        table: String,
        /// What was found.
        why: String,
    },
    /// The table's key differs from ours.
    #[error(
        "table {table} was written with another root key; start with the key it was made with, or use another lake"
    )]
    WrongKey {
        /// Which table.
        table: String,
    },
    /// The journal has rows of a table that the schemas do not have.
    #[error(
        "the journal holds rows of table {table}, which is not in the schemas; start with the overlay they were taken in with"
    )]
    UnknownTable {
        /// Which table.
        table: String,
    },
    /// A merge came out with another number of rows than went in.
    #[error(
        "merging files of table {table}: {read} rows went in and {written} came out; the files are left as they are"
    )]
    Merge {
        /// Which table.
        table: String,
        /// Rows of the sources.
        read: u64,
        /// Rows written.
        written: u64,
    },
    /// The journal folder is older than what the lake has of it: new rows would look committed already.
    #[error(
        "the lake has position {ahead} of the journal in {folder}, which ends at {ends}: the folder was restored from an older copy; move it away and start again, what it holds is in the lake"
    )]
    Restored {
        /// The journal's folder.
        folder: std::path::PathBuf,
        /// Position in the lake.
        ahead: u64,
        /// Last position of the folder.
        ends: u64,
    },
    /// The table's columns cannot become what the schema now says.
    #[error(
        "table {table}: column {column} is {stored} in the lake and {declared} in the schema; columns never change their type, add a new one"
    )]
    Schema {
        /// Which table.
        table: String,
        /// Which column.
        column: String,
        /// Type in the lake.
        stored: String,
        /// Type in the schema.
        declared: String,
    },
    /// Rows could not be sorted, encoded or decoded.
    #[error("{doing} of table {table}: {why}")]
    Rows {
        /// What was tried.
        doing: &'static str,
        /// Which table.
        table: String,
        /// Arrow's or Parquet's words.
        why: String,
    },
    /// Other writers kept winning.
    #[error("committing to table {table}: {tries} other commits came first; trying again later")]
    Contended {
        /// Which table.
        table: String,
        /// How often it was tried.
        tries: usize,
    },
    /// The journal could not be read.
    #[error(transparent)]
    Journal(#[from] journal::Error),
}

impl Error {
    pub(crate) fn store(doing: &'static str, path: impl ToString, why: impl ToString) -> Self {
        Self::Store { doing, path: path.to_string(), why: why.to_string() }
    }

    pub(crate) fn log(table: &str, why: impl ToString) -> Self {
        Self::Log { table: table.to_owned(), why: why.to_string() }
    }

    pub(crate) fn rows(doing: &'static str, table: &str, why: impl ToString) -> Self {
        Self::Rows { doing, table: table.to_owned(), why: why.to_string() }
    }
}
