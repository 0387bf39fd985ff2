//! The root key: there, private, and the one that the lake was written with.

use std::path::{Path, PathBuf};

use component::Keyring;
use lake::Location;
use lake::delta::Snapshot;
use schemas::Catalog;

use super::super::finding::Finding;
use super::super::snippets;
use crate::config::{Config, KeySource};
use crate::error::Error;
use crate::keys::{self, RootKeyError};

const RULE: &str = "root_key";
const WHY: &str = "Every pseudonym comes from it: with another key the same person gets another name from then on.";

/// What there is to say about the key.
pub(super) async fn look(config: &Config) -> Finding {
    let written = match fingerprint(config).await {
        Ok(written) => written,
        Err(e) => {
            let title = format!("the lake's key cannot be told: {}", crate::with_sources(&e));
            return Finding::problem(RULE, title).because(WHY);
        }
    };
    let own = own_file(config);
    if let Some(path) = own.as_ref().filter(|path| !path.exists()) {
        let shown = path.display();
        return match written {
            Some(_) => {
                let title = format!("{shown} is gone, and the lake was written with it: put the copy back");
                Finding::problem(RULE, title).because(WHY)
            }
            None => Finding::ok(RULE, format!("{shown} is not there yet; the first start makes it")),
        };
    }
    match keys::existing(&config.key, &config.data, &config.rotation) {
        Ok(keyring) => fits(&keyring, written.as_deref()),
        Err(RootKeyError::Readable(path)) => readable(&path),
        Err(e) => Finding::problem(RULE, e.to_string()).because(WHY),
    }
}

fn own_file(config: &Config) -> Option<PathBuf> {
    (config.key == KeySource::Own).then(|| keys::own_file(&config.data))
}

fn fits(keyring: &Keyring, written: Option<&str>) -> Finding {
    match (keyring.fingerprint(), written) {
        (Ok(own), Some(written)) if own != written => {
            let title = "the root key is not the one that the lake was written with";
            Finding::problem(RULE, title).because(WHY)
        }
        (Ok(_), Some(_)) => Finding::ok(RULE, "the root key is private and fits the lake"),
        (Ok(_), None) => Finding::ok(RULE, "the root key is private; the lake has no table yet"),
        (Err(e), _) => Finding::problem(RULE, e.to_string()).because(WHY),
    }
}

fn readable(path: &Path) -> Finding {
    let shown = path.display().to_string();
    let title = format!("{shown} can be read by others than its owner, and the collector will not start with it");
    let blanks = [("mode", "600"), ("path", shown.as_str())];
    let mend = snippets::filled("private", "sh", "keep it to its owner", &blanks);
    Finding::problem(RULE, title).because(WHY).mended(mend)
}

/// What the first table that is there says of its key.
async fn fingerprint(config: &Config) -> Result<Option<String>, Error> {
    let location = Location::parse(&config.lake.location)?;
    // Opening would make the folder.
    if location.folder().is_some_and(|folder| !folder.exists()) {
        return Ok(None);
    }
    let store = location.open()?;
    let catalog = Catalog::load(config.overlay.as_deref()).map_err(|e| Error::Schemas(crate::with_sources(&e)))?;
    for table in catalog.tables() {
        let snapshot = Snapshot::load(&store, &table.name).await?;
        if let Some(fingerprint) = snapshot.key_fingerprint() {
            return Ok(Some(fingerprint.to_owned()));
        }
    }
    Ok(None)
}
