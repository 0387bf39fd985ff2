//! Why a question was not answered.

use datafusion::error::DataFusionError;

/// A query error; its text is for the one who asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The SQL is wrong, asks for what is not there, or may not be run.
    #[error("{0}")]
    Sql(String),
    /// The answer could not be computed.
    #[error("running the query: {0}")]
    Run(String),
    /// A view that ships with Marquetry does not fit the tables.
    #[error("planning view {view}: {why}")]
    View {
        /// Which view.
        view: String,
        /// Why.
        why: String,
    },
    /// Lake or journal could not be read.
    #[error(transparent)]
    Lake(#[from] lake::Error),
    /// The journal could not be read.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// The answer could not be written.
    #[error("writing the answer as {format}: {why}")]
    Write {
        /// Format.
        format: &'static str,
        /// Why.
        why: String,
    },
}

impl From<DataFusionError> for Error {
    fn from(e: DataFusionError) -> Self {
        match e.find_root() {
            DataFusionError::SQL(..) | DataFusionError::Plan(_) | DataFusionError::SchemaError(..) => {
                Self::Sql(e.strip_backtrace())
            }
            _ => Self::Run(e.strip_backtrace()),
        }
    }
}
