//! Why the process does not start or could not finish, said to its operator.

use std::path::{Path, PathBuf};

use tokio::net::TcpListener;

/// What went wrong, by what the operator can do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration is wrong; every mistake is in there.
    #[error("{0}")]
    Config(#[from] crate::config::Problems),
    /// A port is taken.
    #[error(
        "{address}, wanted by {wanted_by}, is in use; stop what listens there or choose another: --set {setting}=HOST:PORT"
    )]
    PortTaken {
        /// Which address.
        address: String,
        /// Whose it should be.
        wanted_by: String,
        /// What to change.
        setting: String,
    },
    /// An address cannot be listened on for another reason.
    #[error("listening on {address} for {wanted_by}: {why}")]
    Listen {
        /// Which address.
        address: String,
        /// Whose it should be.
        wanted_by: String,
        /// The system's answer.
        why: std::io::Error,
    },
    /// A file or folder of ours.
    #[error("{doing} {path}: {why}")]
    File {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's answer.
        why: std::io::Error,
    },
    /// The root key.
    #[error(transparent)]
    Key(#[from] crate::keys::RootKeyError),
    /// The schemas.
    #[error("{0}")]
    Schemas(String),
    /// A processor that was checked before would not start.
    #[error("starting processor {name}: {why}")]
    Processor {
        /// Which one.
        name: String,
        /// Why.
        why: String,
    },
    /// The journal.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// The lake.
    #[error(transparent)]
    Lake(#[from] lake::Error),
    /// The user directory.
    #[error(transparent)]
    Directory(#[from] directory::Error),
    /// Our own telemetry has nowhere to go.
    #[error("starting the export that {setting} wants: {why}")]
    Export {
        /// What to change.
        setting: String,
        /// Why.
        why: String,
    },
    /// Our own telemetry would come back to us.
    #[error("{setting} is our own {listener}: telemetry about itself has no end; send it to another process")]
    Loop {
        /// Where it would go.
        setting: String,
        /// The endpoint that takes it.
        listener: String,
    },
    /// A question that could not be answered.
    #[error("{0}")]
    Query(String),
    /// The traffic of a demo did not arrive.
    #[cfg(feature = "demo")]
    #[error(transparent)]
    Demo(#[from] ::demo::Error),
    /// What was asked for on the command line cannot be.
    #[error("{0}")]
    Usage(String),
    /// `doctor` found what must be mended, and has said so.
    #[error("something must be mended")]
    Unhealthy,
    /// Writing to the terminal or a file.
    #[error("writing the answer: {0}")]
    Output(#[from] std::io::Error),
}

impl Error {
    pub(crate) fn file(doing: &'static str, path: &Path, why: std::io::Error) -> Self {
        Self::File { doing, path: path.to_owned(), why }
    }
}

/// Takes a port, or says who wanted it and what changes it.
pub(crate) async fn bind(address: &str, setting: &str) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|why| {
        let (address, wanted_by) = (address.to_owned(), setting.to_owned());
        if why.kind() == std::io::ErrorKind::AddrInUse {
            Error::PortTaken { address, setting: wanted_by.clone(), wanted_by }
        } else {
            Error::Listen { address, wanted_by, why }
        }
    })
}
