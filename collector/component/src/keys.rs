//! Keys derived per tenant, domain and key id from one root, and the pseudonyms they make.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What a pseudonym is of. Equal values in two domains give unrelated pseudonyms.
pub type Domain = str;

/// Lower-case RFC 4648 base32, without padding.
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// The domain whose keys are never rotated: identities of records.
const RECORD: &str = "record";

/// A key could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Too little secret.
    #[error("the root key has {0} bytes and needs at least 32; make one with `head -c 32 /dev/urandom | base64`")]
    Short(usize),
    /// HKDF or HMAC refused its input; does not happen with the lengths used here.
    #[error("deriving a key for domain {0}")]
    Derive(String),
}

/// The root secret and the keys derived from it.
pub struct Keyring {
    root: Hkdf<Sha256>,
    kid: u32,
    derived: RwLock<HashMap<(String, String), Arc<Key>>>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl Keyring {
    /// A keyring over `root`, which must be at least 32 secret bytes. `kid` numbers the current epoch.
    pub fn new(root: &[u8], kid: u32) -> Result<Self, KeyError> {
        if root.len() < 32 {
            return Err(KeyError::Short(root.len()));
        }
        Ok(Self { root: Hkdf::new(Some(b"marquetry root v1"), root), kid, derived: RwLock::default() })
    }

    /// The key of a tenant and domain, derived once.
    pub fn key(&self, tenant: &str, domain: &Domain) -> Result<Arc<Key>, KeyError> {
        let id = (tenant.to_owned(), domain.to_owned());
        if let Some(key) = self.derived.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Ok(Arc::clone(key));
        }
        let kid = if domain == RECORD { 0 } else { self.kid };
        let failed = |_| KeyError::Derive(domain.to_owned());
        let mut bytes = [0u8; 32];
        let info = format!("v1\0{tenant}\0{domain}\0{kid}");
        self.root.expand(info.as_bytes(), &mut bytes).map_err(failed)?;
        let mac = Hmac::new_from_slice(&bytes).map_err(|_| KeyError::Derive(domain.to_owned()))?;
        let key = Arc::new(Key { mac, domain: domain.to_owned(), prefix: format!("{}{kid}_", prefix(domain)) });
        self.derived.write().unwrap_or_else(PoisonError::into_inner).insert(id, Arc::clone(&key));
        Ok(key)
    }

    /// A public fingerprint of the root, to refuse a wrong key; tells nothing about it.
    pub fn fingerprint(&self) -> Result<String, KeyError> {
        Ok(self.key("", "fingerprint")?.pseudonym("marquetry").as_str().to_owned())
    }
}

/// First letters of a pseudonym, so that a reader sees what it is of.
fn prefix(domain: &Domain) -> &str {
    match domain {
        "user" => "u",
        "session" => "s",
        "device" => "d",
        "email" => "e",
        "phone" => "p",
        "ip" => "i",
        "apikey" => "k",
        RECORD => "r",
        _ => "x",
    }
}

/// A derived key: HMAC-SHA-256, truncated to 128 bits.
pub struct Key {
    mac: Hmac<Sha256>,
    domain: String,
    prefix: String,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("domain", &self.domain).finish_non_exhaustive()
    }
}

impl Key {
    /// The keyed hash of some parts, each preceded by its length so that parts cannot run into each other.
    pub fn hash(&self, parts: &[&[u8]]) -> [u8; 16] {
        let mut mac = self.mac.clone();
        mac.update(b"v1\0");
        mac.update(self.domain.as_bytes());
        mac.update(b"\0");
        for part in parts {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        let full = mac.finalize().into_bytes();
        let mut out = [0; 16];
        out.copy_from_slice(&full[..16]);
        out
    }

    /// The pseudonym of a normalised value: `<prefix><kid>_<26 base32>`.
    pub fn pseudonym(&self, value: &str) -> Pseudonym {
        Pseudonym(format!("{}{}", self.prefix, base32(self.hash(&[value.as_bytes()]))))
    }

    /// The pseudonym form of a hash over several parts.
    pub fn pseudonym_of(&self, parts: &[&[u8]]) -> Pseudonym {
        Pseudonym(format!("{}{}", self.prefix, base32(self.hash(parts))))
    }
}

/// What may be stored instead of a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pseudonym(String);

impl Pseudonym {
    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its text, owned.
    pub fn into_string(self) -> String {
        self.0
    }
}

fn base32(bytes: [u8; 16]) -> String {
    let number = u128::from_be_bytes(bytes);
    // 26 digits of five bits hold 130: the value is shifted up by the two that are missing.
    (0..26)
        .map(|digit| {
            let shift = 128 - 5 * (digit + 1);
            let bits = if shift >= 0 { number >> shift } else { number << -shift };
            BASE32[(bits & 31) as usize] as char
        })
        .collect()
}
