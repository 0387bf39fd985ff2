//! Keys derived per tenant, domain and key id from one root, and the pseudonyms they make.
//!
//! A tenant moves on to a new key by a higher id, which stands in every pseudonym that is made from then on. Pseudonyms of
//! the ids before are still in the tables: whoever searches asks for all that are live.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What a pseudonym is of. Equal values in two domains give unrelated pseudonyms.
pub type Domain = str;

/// Digits of a pseudonym.
const DIGITS: usize = 26;

/// Lower-case RFC 4648 base32, without padding.
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Identities of records: what is sent again must be known again, so their key is never rotated.
const RECORD: &str = "record";

/// Proofs that a token in a text is ours: what they stand in outlives the key ids.
const TOKEN: &str = "token";

/// The public word that a lake knows its root by, whatever the key ids are.
const FINGERPRINT: &str = "fingerprint";

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

/// Key ids of a tenant: the one that new pseudonyms get, and the others that are still searched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyIds {
    current: u32,
    others: Vec<u32>,
}

impl KeyIds {
    /// `current` and all that are live, in any order, `current` among them or not.
    pub fn new(current: u32, live: impl IntoIterator<Item = u32>) -> Self {
        let mut others: Vec<u32> = live.into_iter().filter(|kid| *kid != current).collect();
        others.sort_unstable_by_key(|kid| std::cmp::Reverse(*kid));
        others.dedup();
        Self { current, others }
    }

    /// The one that new pseudonyms get.
    pub fn current(&self) -> u32 {
        self.current
    }

    /// All that are live: the current one, then the others, newest first.
    pub fn live(&self) -> impl Iterator<Item = u32> {
        std::iter::once(self.current).chain(self.others.iter().copied())
    }
}

/// The key ids of every tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    everybody: KeyIds,
    tenants: BTreeMap<String, KeyIds>,
}

impl Rotation {
    /// What holds for everybody but these tenants.
    pub fn new(everybody: KeyIds, tenants: BTreeMap<String, KeyIds>) -> Self {
        Self { everybody, tenants }
    }

    /// A tenant's.
    pub fn of(&self, tenant: &str) -> &KeyIds {
        self.tenants.get(tenant).unwrap_or(&self.everybody)
    }
}

/// The root secret and the keys derived from it.
pub struct Keyring {
    root: Hkdf<Sha256>,
    rotation: Rotation,
    /// By tenant.
    derived: RwLock<HashMap<String, Vec<Arc<Key>>>>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("rotation", &self.rotation).finish_non_exhaustive()
    }
}

impl Keyring {
    /// A keyring over `root`, which must be at least 32 secret bytes, with one key id for everybody.
    pub fn new(root: &[u8], kid: u32) -> Result<Self, KeyError> {
        Self::rotated(root, Rotation::new(KeyIds::new(kid, []), BTreeMap::new()))
    }

    /// The same with all key ids that are live.
    pub fn rotated(root: &[u8], rotation: Rotation) -> Result<Self, KeyError> {
        if root.len() < 32 {
            return Err(KeyError::Short(root.len()));
        }
        Ok(Self { root: Hkdf::new(Some(b"marquetry root v1"), root), rotation, derived: RwLock::default() })
    }

    /// The key of a tenant and domain that new pseudonyms are made with, derived once.
    pub fn key(&self, tenant: &str, domain: &Domain) -> Result<Arc<Key>, KeyError> {
        self.derive(tenant, domain, fixed(domain).unwrap_or(self.rotation.of(tenant).current))
    }

    /// The keys of every live id, the current one first: who searches asks for the pseudonyms of all.
    pub fn live(&self, tenant: &str, domain: &Domain) -> Result<Vec<Arc<Key>>, KeyError> {
        match fixed(domain) {
            Some(kid) => Ok(vec![self.derive(tenant, domain, kid)?]),
            None => self.rotation.of(tenant).live().map(|kid| self.derive(tenant, domain, kid)).collect(),
        }
    }

    fn derive(&self, tenant: &str, domain: &Domain, kid: u32) -> Result<Arc<Key>, KeyError> {
        let same = |key: &&Arc<Key>| key.kid == kid && key.domain == domain;
        let known = self.derived.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = known.get(tenant).and_then(|keys| keys.iter().find(same)) {
            return Ok(Arc::clone(key));
        }
        drop(known);
        let failed = || KeyError::Derive(domain.to_owned());
        let mut bytes = [0u8; 32];
        let info = format!("v1\0{tenant}\0{domain}\0{kid}");
        self.root.expand(info.as_bytes(), &mut bytes).map_err(|_| failed())?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&bytes).map_err(|_| failed())?;
        // Every hash of this key begins with it.
        mac.update(format!("v1\0{domain}\0").as_bytes());
        let prefix = format!("{}{kid}_", prefix(domain));
        let key = Arc::new(Key { mac, domain: domain.to_owned(), kid, prefix });
        let mut derived = self.derived.write().unwrap_or_else(PoisonError::into_inner);
        let keys = derived.entry(tenant.to_owned()).or_default();
        if !keys.iter().any(|key| same(&key)) {
            keys.push(Arc::clone(&key));
        }
        Ok(key)
    }

    /// 32 secret bytes of a tenant, domain and key id, for encryption: nothing else is derived the same way.
    pub fn secret(&self, tenant: &str, domain: &Domain, kid: u32) -> Result<[u8; 32], KeyError> {
        let mut bytes = [0u8; 32];
        let info = format!("v1 secret\0{tenant}\0{domain}\0{kid}");
        self.root.expand(info.as_bytes(), &mut bytes).map_err(|_| KeyError::Derive(domain.to_owned()))?;
        Ok(bytes)
    }

    /// The key id under which a tenant's new values are written.
    pub fn kid(&self, tenant: &str) -> u32 {
        self.rotation.of(tenant).current
    }

    /// A public fingerprint of the root, to refuse a wrong key; tells nothing about it. It is the same for all key ids:
    /// a lake outlives them.
    pub fn fingerprint(&self) -> Result<String, KeyError> {
        Ok(self.key("", FINGERPRINT)?.pseudonym("marquetry").into_string())
    }
}

/// The key id of a domain whose keys are never rotated.
fn fixed(domain: &Domain) -> Option<u32> {
    match domain {
        RECORD | TOKEN => Some(0),
        FINGERPRINT => Some(1),
        _ => None,
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
    /// Has taken in what every hash begins with.
    mac: Hmac<Sha256>,
    domain: String,
    kid: u32,
    prefix: String,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("domain", &self.domain).field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl Key {
    /// Its id, which stands in its pseudonyms.
    pub fn kid(&self) -> u32 {
        self.kid
    }

    /// The keyed hash of some parts, each preceded by its length so that parts cannot run into each other.
    pub fn hash(&self, parts: &[&[u8]]) -> [u8; 16] {
        let mut mac = self.mac.clone();
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
        self.pseudonym_of(&[value.as_bytes()])
    }

    /// The pseudonym form of a hash over several parts.
    pub fn pseudonym_of(&self, parts: &[&[u8]]) -> Pseudonym {
        let mut text = String::with_capacity(self.prefix.len() + DIGITS);
        text.push_str(&self.prefix);
        text.extend(base32(self.hash(parts)).map(char::from));
        Pseudonym(text)
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

pub(crate) fn base32(bytes: [u8; 16]) -> [u8; DIGITS] {
    let number = u128::from_be_bytes(bytes);
    // 26 digits of five bits hold 130: the value is shifted up by the two that are missing.
    let mut digits = [0; DIGITS];
    for (at, digit) in digits.iter_mut().enumerate() {
        let above = 5 * (at + 1);
        let bits = if above <= 128 { number >> (128 - above) } else { number << (above - 128) };
        *digit = BASE32[(bits & 31) as usize];
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rotated() -> Keyring {
        let tenants = BTreeMap::from([("acme".to_owned(), KeyIds::new(5, [4, 5, 4, 2]))]);
        Keyring::rotated(&[7; 32], Rotation::new(KeyIds::new(2, [1, 2, 3]), tenants)).unwrap()
    }

    fn live(keys: &Keyring, tenant: &str, domain: &str) -> Vec<String> {
        keys.live(tenant, domain).unwrap().iter().map(|key| key.pseudonym("ann").into_string()).collect()
    }

    #[test]
    fn every_live_id_is_searched_and_the_current_one_writes() {
        let keys = rotated();
        let one = Keyring::new(&[7; 32], 1).unwrap();
        let heads = |tenant: &str| -> Vec<String> {
            live(&keys, tenant, "user").iter().map(|p| p.split_once('_').unwrap().0.to_owned()).collect()
        };
        assert_eq!(heads("default"), ["u2", "u3", "u1"], "a new id may be searched for before it writes");
        assert_eq!(heads("acme"), ["u5", "u4", "u2"]);
        let current = keys.key("default", "user").unwrap();
        assert_eq!((current.kid(), current.pseudonym("ann").as_str()), (2, live(&keys, "default", "user")[0].as_str()));
        // What was written before a rotation is what is searched for after it.
        assert_eq!(live(&keys, "default", "user")[2], live(&one, "default", "user")[0]);
        assert_eq!(live(&one, "default", "user"), ["u1_7digjsqbfa5y5nu43k7mkrh5jm"]);
    }

    #[test]
    fn records_and_the_lake_know_nothing_of_key_ids() {
        let (keys, one) = (rotated(), Keyring::new(&[7; 32], 1).unwrap());
        for tenant in ["default", "acme"] {
            assert_eq!(live(&keys, tenant, RECORD), live(&one, tenant, RECORD));
            assert!(live(&keys, tenant, RECORD)[0].starts_with("r0_"));
        }
        assert_eq!(keys.fingerprint(), one.fingerprint());
        assert_ne!(keys.fingerprint(), Keyring::new(&[8; 32], 1).unwrap().fingerprint());
    }

    #[test]
    fn digits_are_those_of_rfc_4648() {
        assert_eq!(&base32([0; 16]), b"aaaaaaaaaaaaaaaaaaaaaaaaaa");
        assert_eq!(&base32([0xff; 16]), b"77777777777777777777777774");
        // From another implementation.
        assert_eq!(&base32(*b"marquetry root 1"), b"nvqxe4lvmv2he6jaojxw65bage");
    }

    #[test]
    fn nothing_of_a_key_is_shown() {
        let keys = rotated();
        let shown = format!("{keys:?} {:?}", keys.key("acme", "user").unwrap());
        assert!(shown.contains("kid: 5") && !shown.contains("mac") && !shown.contains('7'), "{shown}");
    }
}
