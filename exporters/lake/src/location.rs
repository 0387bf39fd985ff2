//! Where a lake is: a folder, or a URL of an object store.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use url::Url;

use crate::{Error, Store};

/// The place of a lake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A folder.
    Folder(PathBuf),
    /// `s3://bucket/prefix` and the like.
    Remote(Url),
}

impl Location {
    /// Reads a path, a `file://` URL or an object-store URL.
    pub fn parse(text: &str) -> Result<Self, Error> {
        // Behind the scheme there may be a password or a signature.
        let shown = text.split_once("://").map_or(text.to_owned(), |(scheme, _)| format!("{scheme}://…"));
        let bad = |why: &str| Error::Location { location: shown.clone(), why: why.to_owned() };
        if text.is_empty() {
            return Err(bad("it is empty; give a folder or a URL such as s3://bucket/prefix"));
        }
        if !text.contains("://") {
            return Ok(Self::Folder(PathBuf::from(text)));
        }
        let url = Url::parse(text).map_err(|e| bad(&e.to_string()))?;
        match url.scheme() {
            "file" => url.to_file_path().map(Self::Folder).map_err(|()| bad("a file URL needs an absolute path")),
            "s3" | "s3a" | "gs" | "az" | "azure" | "abfs" | "abfss" => Ok(Self::Remote(url)),
            _ => Err(bad("the scheme is not known; use a folder, file://, s3://, gs:// or az://")),
        }
    }

    /// Whether it is a folder of this machine.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(path) => Some(path),
            Self::Remote(_) => None,
        }
    }

    /// Opens the store. Credentials of object stores come from their usual environment variables.
    pub fn open(&self) -> Result<Store, Error> {
        match self {
            Self::Folder(path) => {
                std::fs::create_dir_all(path).map_err(|e| Error::store("creating lake folder", path.display(), e))?;
                let root = path.canonicalize().map_err(|e| Error::store("opening lake folder", path.display(), e))?;
                let store = LocalFileSystem::new_with_prefix(&root)
                    .map_err(|e| Error::store("opening lake folder", root.display(), e))?;
                let url = Url::from_directory_path(&root)
                    .map_err(|()| Error::store("opening lake folder", root.display(), "it has no absolute path"))?;
                Ok(Store::new(Arc::new(store), ObjectPath::default(), Some(root), url))
            }
            Self::Remote(url) => {
                let bad = |e: object_store::Error| Error::Location { location: self.to_string(), why: e.to_string() };
                // Only what belongs to the store is passed on, lower case, as its own configuration names it.
                let options = std::env::vars()
                    .filter(|(k, _)| ["AWS_", "GOOGLE_", "AZURE_"].iter().any(|p| k.starts_with(p)))
                    .map(|(k, v)| (k.to_ascii_lowercase(), v));
                let (store, prefix) = object_store::parse_url_opts(url, options).map_err(bad)?;
                let store: Arc<dyn ObjectStore> = Arc::from(store);
                Ok(Store::new(store, prefix, None, url.clone()))
            }
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "{}", path.display()),
            Self::Remote(url) => {
                // Never a user name, password or signature.
                let mut url = url.clone();
                let _ = url.set_username("");
                let _ = url.set_password(None);
                url.set_query(None);
                write!(f, "{url}")
            }
        }
    }
}
