//! Objects by path, create-only writes, and on a local folder fsync of file and folder.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use url::Url;

use crate::Error;

/// A lake's objects.
#[derive(Debug, Clone)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    prefix: Path,
    /// Set on a local folder, where durability is ours to see to.
    folder: Option<PathBuf>,
    url: Url,
}

/// Whether a create-only write came first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Put {
    Created,
    Exists,
}

/// An object as a listing shows it.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    /// Path below the lake.
    pub(crate) path: String,
    pub(crate) modified: DateTime<Utc>,
}

impl Store {
    pub(crate) fn new(objects: Arc<dyn ObjectStore>, prefix: Path, folder: Option<PathBuf>, url: Url) -> Self {
        Self { objects, prefix, folder, url }
    }

    /// The store below the lake, for readers that scan Parquet themselves.
    pub fn objects(&self) -> &Arc<dyn ObjectStore> {
        &self.objects
    }

    /// An object's path in [`Store::objects`].
    pub fn path(&self, below: &str) -> Path {
        below.split('/').filter(|p| !p.is_empty()).fold(self.prefix.clone(), |path, part| path.join(part))
    }

    /// The lake's URL.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The lake's folder, if it is one of this machine.
    pub(crate) fn folder(&self) -> Option<&FsPath> {
        self.folder.as_deref()
    }

    /// Whether the lake is a folder of this machine.
    pub fn is_local(&self) -> bool {
        self.folder.is_some()
    }

    /// Writes an object unless it is there.
    pub(crate) async fn create(&self, below: &str, bytes: Bytes) -> Result<Put, Error> {
        if let Some(folder) = &self.folder {
            let path = folder.join(below);
            let below = below.to_owned();
            return tokio::task::spawn_blocking(move || create_file(&path, &bytes))
                .await
                .map_err(|e| Error::store("writing", &below, e))?
                .map_err(|e| Error::store("writing", &below, e));
        }
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.objects.put_opts(&self.path(below), PutPayload::from(bytes), options).await {
            Ok(_) => Ok(Put::Created),
            Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => {
                Ok(Put::Exists)
            }
            Err(e) => Err(Error::store("writing", below, e)),
        }
    }

    /// Writes an object, replacing what was there.
    pub(crate) async fn replace(&self, below: &str, bytes: Bytes) -> Result<(), Error> {
        let path = self.path(below);
        let put = self.objects.put(&path, PutPayload::from(bytes)).await;
        put.map(|_| ()).map_err(|e| Error::store("writing", below, e))
    }

    /// An object's bytes; `None` if it is not there.
    pub(crate) async fn get(&self, below: &str) -> Result<Option<Bytes>, Error> {
        match self.objects.get(&self.path(below)).await {
            Ok(got) => got.bytes().await.map(Some).map_err(|e| Error::store("reading", below, e)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(e) => Err(Error::store("reading", below, e)),
        }
    }

    /// Every object below a folder.
    pub(crate) async fn list(&self, below: &str) -> Result<Vec<Listed>, Error> {
        let prefix = self.path(below);
        let cut = self.prefix.as_ref().len() + usize::from(!self.prefix.as_ref().is_empty());
        self.objects
            .list(Some(&prefix))
            .map_ok(|meta| Listed { path: meta.location.as_ref()[cut..].to_owned(), modified: meta.last_modified })
            .try_collect()
            .await
            .map_err(|e| Error::store("listing", below, e))
    }

    /// Deletes an object; one that is not there is fine.
    pub(crate) async fn delete(&self, below: &str) -> Result<(), Error> {
        match self.objects.delete(&self.path(below)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(e) => Err(Error::store("deleting", below, e)),
        }
    }
}

/// A new file under its name only when all of it is on the disk; the link fails if the name is taken.
fn create_file(path: &FsPath, bytes: &[u8]) -> std::io::Result<Put> {
    let mut draft = Draft::begin(path.to_owned())?;
    draft.write(bytes)?;
    draft.finish()
}

/// A file of a local lake that has no name yet; what is dropped unfinished is gone.
pub(crate) struct Draft {
    file: File,
    temporary: PathBuf,
    path: PathBuf,
    /// The folder below which folders were made for it.
    created: Option<PathBuf>,
}

impl Draft {
    pub(crate) fn begin(path: PathBuf) -> std::io::Result<Self> {
        let folder = path.parent().unwrap_or(FsPath::new("."));
        let mut created = None;
        if !folder.is_dir() {
            created = folder.parent().map(FsPath::to_owned);
            std::fs::create_dir_all(folder)?;
        }
        let temporary = folder.join(format!(".{}.tmp", random_name()?));
        let file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
        Ok(Self { file, temporary, path, created })
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Puts it under its name, durably.
    pub(crate) fn finish(self) -> std::io::Result<Put> {
        self.file.sync_all()?;
        match std::fs::hard_link(&self.temporary, &self.path) {
            Ok(()) => {}
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => return Ok(Put::Exists),
            Err(e) => return Err(e),
        }
        std::fs::remove_file(&self.temporary)?;
        File::open(self.path.parent().unwrap_or(FsPath::new(".")))?.sync_all()?;
        // A folder made on the way must survive as well: table, `_delta_log` and partition are at most three deep.
        let parents = self.created.iter().flat_map(|p| p.ancestors()).take(3);
        for parent in parents.filter(|p| !p.as_os_str().is_empty()) {
            File::open(parent)?.sync_all()?;
        }
        Ok(Put::Created)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // It is not there any more if it was finished.
        drop(std::fs::remove_file(&self.temporary));
    }
}

/// A name nobody else has.
pub(crate) fn random_name() -> std::io::Result<String> {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes).map_err(|e| std::io::Error::other(e.to_string()))?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}
