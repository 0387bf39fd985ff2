//! A large file goes to the store while it is written, so that memory holds a part of it at a time.

use object_store::{MultipartUpload, ObjectStoreExt, PutPayload};

use crate::store::Draft;
use crate::{Error, Store};

/// Bytes that are sent at once. Object stores take no less than five mebibytes, and ten thousand of them.
const PART: usize = 6 << 20;

/// A file on its way. Its name is one that nobody else has, so that there is nothing to overwrite.
pub(crate) struct Upload<'a> {
    store: &'a Store,
    path: String,
    size: usize,
    to: To,
}

enum To {
    /// Less than a part so far.
    Nowhere,
    Folder(Draft),
    Parts(Box<dyn MultipartUpload>),
}

impl<'a> Upload<'a> {
    /// Nothing is stored before there is a part's worth of it.
    pub(crate) fn new(store: &'a Store, path: String) -> Self {
        Self { store, path, size: 0, to: To::Nowhere }
    }

    /// Takes what is there, once it is worth it.
    pub(crate) async fn take(&mut self, bytes: &mut Vec<u8>) -> Result<(), Error> {
        if bytes.len() < PART { Ok(()) } else { self.send(std::mem::take(bytes)).await }
    }

    /// Stores the rest. Returns the file's bytes.
    pub(crate) async fn finish(mut self, rest: Vec<u8>) -> Result<usize, Error> {
        if matches!(self.to, To::Nowhere) {
            let size = rest.len();
            self.store.create(&self.path, rest.into()).await?;
            return Ok(size);
        }
        self.send(rest).await?;
        match self.to {
            To::Nowhere => {}
            To::Folder(draft) => {
                let finished = tokio::task::spawn_blocking(move || draft.finish()).await;
                let fail = |e: &dyn ToString| Error::store("writing", &self.path, e.to_string());
                finished.map_err(|e| fail(&e))?.map_err(|e| fail(&e))?;
            }
            To::Parts(mut parts) => {
                if let Err(e) = parts.complete().await {
                    drop(parts.abort().await);
                    return Err(Error::store("writing", &self.path, e));
                }
            }
        }
        Ok(self.size)
    }

    /// Takes back what was stored so far, as well as it can: an object store forgets the rest by itself.
    pub(crate) async fn abort(self) {
        if let To::Parts(mut parts) = self.to {
            drop(parts.abort().await);
        }
    }

    async fn send(&mut self, bytes: Vec<u8>) -> Result<(), Error> {
        self.size += bytes.len();
        let to = match (std::mem::replace(&mut self.to, To::Nowhere), self.store.folder()) {
            (To::Nowhere, Some(folder)) => To::Folder(Draft::begin(folder.join(&self.path)).map_err(|e| self.fail(e))?),
            (To::Nowhere, None) => {
                let parts = self.store.objects().put_multipart(&self.store.path(&self.path)).await;
                To::Parts(parts.map_err(|e| self.fail(e))?)
            }
            (to, _) => to,
        };
        self.to = match to {
            // By a thread that may wait.
            To::Folder(mut draft) => {
                let written = tokio::task::spawn_blocking(move || draft.write(&bytes).map(|()| draft)).await;
                To::Folder(written.map_err(|e| self.fail(e))?.map_err(|e| self.fail(e))?)
            }
            To::Parts(mut parts) => match parts.put_part(PutPayload::from(bytes)).await {
                Ok(()) => To::Parts(parts),
                Err(e) => {
                    drop(parts.abort().await);
                    return Err(self.fail(e));
                }
            },
            To::Nowhere => To::Nowhere,
        };
        Ok(())
    }

    fn fail(&self, why: impl ToString) -> Error {
        Error::store("writing", &self.path, why)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::memory::InMemory;
    use object_store::path::Path;
    use url::Url;

    use super::*;
    use crate::Location;

    /// Bytes that tell where they belong.
    fn piece(from: usize, len: usize) -> Vec<u8> {
        (from..from + len).map(|at| (at / 4096) as u8).collect()
    }

    /// Uploads pieces of such lengths as a writer would make them.
    async fn upload(store: &Store, path: &str, pieces: &[usize]) -> usize {
        let mut upload = Upload::new(store, path.to_owned());
        let (mut buffer, mut at) = (Vec::new(), 0);
        for len in pieces {
            buffer.extend(piece(at, *len));
            at += len;
            upload.take(&mut buffer).await.unwrap();
            assert!(buffer.len() < PART, "no more than a part is held");
        }
        upload.finish(buffer).await.unwrap()
    }

    #[tokio::test]
    async fn a_file_is_the_same_whole_or_in_parts() {
        let folder = tempfile::tempdir().unwrap();
        let local = Location::parse(folder.path().to_str().unwrap()).unwrap().open().unwrap();
        let remote = Store::new(Arc::new(InMemory::new()), Path::default(), None, Url::parse("memory:///").unwrap());
        for store in [&local, &remote] {
            for (name, pieces) in
                [("small", &[1000, 2000][..]), ("large", &[PART - 1, 2, PART, 5000]), ("exact", &[PART])]
            {
                let path = format!("t/date=2026-01-01/{name}.parquet");
                let size = upload(store, &path, pieces).await;
                let stored = store.get(&path).await.unwrap().unwrap();
                assert_eq!(size, pieces.iter().sum::<usize>(), "{name}");
                assert!(stored == piece(0, size), "{name}");
            }
        }
    }

    #[tokio::test]
    async fn what_is_not_finished_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Location::parse(folder.path().to_str().unwrap()).unwrap().open().unwrap();
        let mut upload = Upload::new(&store, "t/date=2026-01-01/file.parquet".to_owned());
        upload.take(&mut piece(0, PART)).await.unwrap();
        let files = || std::fs::read_dir(folder.path().join("t/date=2026-01-01")).unwrap().count();
        assert_eq!(files(), 1, "a part is there, under no name of a file");
        assert_eq!(store.get("t/date=2026-01-01/file.parquet").await.unwrap(), None);
        upload.abort().await;
        assert_eq!(files(), 0);
    }
}
