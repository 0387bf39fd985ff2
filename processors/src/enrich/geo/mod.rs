//! Country and network of an address, from files in MaxMind's format, before the address is shortened.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use component::{ConfigError, Context, Counts, Files, Loaded, Reference};
use maxminddb::{Reader, path};
use serde::Deserialize;

/// Files in MaxMind's format (`.mmdb`); one file may say both. Read again when it has changed.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// A file with countries or cities.
    pub country: Option<PathBuf>,
    /// A file with autonomous systems.
    pub asn: Option<PathBuf>,
    /// Bytes that each may take.
    pub max_bytes: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { country: None, asn: None, max_bytes: 256 << 20 }
    }
}

type Database = Reader<Vec<u8>>;

/// The files.
pub(super) struct Geo {
    country: Option<Reference<Database>>,
    asn: Option<Reference<Database>>,
    counts: Counts,
}

/// What an address tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) country: Option<String>,
    pub(super) asn: Option<i64>,
    pub(super) organisation: Option<String>,
}

impl Geo {
    pub(super) fn new(config: &Config, cx: &Context) -> Result<Self, ConfigError> {
        let open = |key: &str, file: &Option<PathBuf>| {
            let opened = file.as_ref().map(|file| open(key, file, config.max_bytes, cx));
            opened.transpose().map_err(|why| ConfigError::at(&format!("client.geo.{key}"), why))
        };
        Ok(Self {
            country: open("country", &config.country)?,
            asn: open("asn", &config.asn)?,
            counts: cx.counts.clone(),
        })
    }

    /// Whether there is anything to ask.
    pub(super) fn is_empty(&self) -> bool {
        self.country.is_none() && self.asn.is_none()
    }

    /// The files as they are now, for one table of a gather.
    pub(super) fn snapshot(&self) -> Snapshot {
        let get = |reference: &Option<Reference<Database>>| reference.as_ref().map(Reference::get);
        Snapshot { country: get(&self.country), asn: get(&self.asn) }
    }

    /// Counts distinct addresses that the files know, and that they do not.
    pub(super) fn count(&self, known: u64, unknown: u64) {
        self.counts.add("geo_addresses", "known", known);
        self.counts.add("geo_addresses", "unknown", unknown);
    }
}

/// Files as they were at one time.
pub(super) struct Snapshot {
    country: Option<Arc<Database>>,
    asn: Option<Arc<Database>>,
}

impl Snapshot {
    /// What the files say of an address; a record that cannot be read says nothing.
    pub(super) fn place(&self, address: IpAddr) -> Place {
        let country = self.country.as_ref().and_then(|file| {
            let code: Option<&str> = file.lookup(address).ok()?.decode_path(&path!["country", "iso_code"]).ok()?;
            let is_code = |code: &&str| code.len() == 2 && code.bytes().all(|b| b.is_ascii_alphabetic());
            code.filter(is_code).map(str::to_ascii_uppercase)
        });
        let system = self.asn.as_ref().and_then(|file| file.lookup(address).ok());
        let number: Option<u32> =
            system.as_ref().and_then(|s| s.decode_path(&path!["autonomous_system_number"]).ok()?);
        let name: Option<&str> =
            system.as_ref().and_then(|s| s.decode_path(&path!["autonomous_system_organization"]).ok()?);
        Place { country, asn: number.map(i64::from), organisation: name.map(str::to_owned) }
    }
}

fn open(key: &str, file: &Path, max_bytes: u64, cx: &Context) -> Result<Reference<Database>, String> {
    let path = file.to_owned();
    let read = move |files: &dyn Files| {
        let broken = |e| format!("reading {} as a file in MaxMind's format: {e}", path.display());
        let data = Reader::from_source(files.bytes(&path, max_bytes)?).map_err(broken)?;
        let entries = u64::from(data.metadata().node_count);
        Ok(Loaded { data, entries })
    };
    cx.references.open(&format!("geo.{key}"), &max_bytes.to_string(), file, read)
}

#[cfg(test)]
mod tests;
