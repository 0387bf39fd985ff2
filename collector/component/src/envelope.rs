//! Encryption in envelopes: values under a data key of their own, the data key under the tenant's.
//!
//! Who has the root key opens everything; who erases a data key makes what it encrypted unreadable for good, wherever copies
//! of it lie. ChaCha20-Poly1305 with random nonces: a data key encrypts a few values, and setting one up costs nothing.
//!
//! What is encrypted for one owner and place cannot be passed off as another's: both are authenticated.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use sha2::Sha256;

use crate::keys::base32;
use crate::{KeyError, Keyring};

/// What a wrapped key and an encrypted value are besides their content: nonce and tag.
const OVERHEAD: usize = NONCE_LEN + 16;
/// Bytes of a data key.
const KEY: usize = 32;

/// Something encrypted could not be opened, or a key could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another key, another owner or place, or changed bytes; cryptography does not tell which.
    #[error("it was encrypted with another key or for another place, or it is damaged")]
    Refused,
    /// Not what a wrapped key looks like.
    #[error("a wrapped key is `w`, the number of a key epoch, `_` and Base64")]
    Form,
    /// The system gives no randomness.
    #[error("the system gives no random bytes")]
    Random,
    /// The tenant's key could not be derived.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Makes data keys and opens them again, for one purpose: its domain.
pub struct Envelopes {
    keys: Arc<Keyring>,
    domain: &'static str,
    random: SystemRandom,
    tenants: RwLock<HashMap<(String, u32), Arc<LessSafeKey>>>,
}

/// A key for a few values.
pub struct DataKey {
    id: String,
    key: LessSafeKey,
    /// Makes the nonces of values that are encrypted alike.
    nonces: Hmac<Sha256>,
    random: SystemRandom,
}

impl fmt::Debug for Envelopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelopes").field("domain", &self.domain).finish_non_exhaustive()
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Envelopes {
    /// Envelopes of a domain.
    pub fn new(keys: Arc<Keyring>, domain: &'static str) -> Self {
        Self { keys, domain, random: SystemRandom::new(), tenants: RwLock::default() }
    }

    /// A public mark of the root key, to refuse a wrong one; tells nothing about it and is the same in every key epoch.
    pub fn fingerprint(&self) -> Result<[u8; 16], KeyError> {
        let secret = self.keys.secret("", &format!("{} fingerprint", self.domain), 0)?;
        let mut out = [0; 16];
        out.copy_from_slice(&secret[..16]);
        Ok(out)
    }

    /// A fresh data key for values of `owner`, and the same wrapped by the tenant's newest key.
    pub fn seal(&self, tenant: &str, owner: &str) -> Result<(DataKey, String), OpenError> {
        let (mut id, mut secret) = ([0; 16], [0; KEY]);
        self.random.fill(&mut id).and_then(|()| self.random.fill(&mut secret)).map_err(|_| OpenError::Random)?;
        let id: String = base32(id).map(char::from).into_iter().collect();
        let kid = self.keys.kid(tenant);
        let sealed = encrypt(&*self.tenant(tenant, kid)?, &self.random, &[tenant, owner, &id], &secret)?;
        let key = DataKey::new(id, &secret, &self.random)?;
        Ok((key, format!("w{kid}_{}", STANDARD_NO_PAD.encode(sealed))))
    }

    /// Opens a wrapped data key by its id.
    pub fn open(&self, tenant: &str, owner: &str, id: &str, wrapped: &str) -> Result<DataKey, OpenError> {
        let (kid, sealed) = wrapped.strip_prefix('w').and_then(|w| w.split_once('_')).ok_or(OpenError::Form)?;
        let kid = kid.parse().map_err(|_| OpenError::Form)?;
        let mut sealed = STANDARD_NO_PAD.decode(sealed).map_err(|_| OpenError::Form)?;
        let secret = decrypt(&*self.tenant(tenant, kid)?, &[tenant, owner, id], &mut sealed)?;
        DataKey::new(id.to_owned(), secret, &self.random)
    }

    fn tenant(&self, tenant: &str, kid: u32) -> Result<Arc<LessSafeKey>, OpenError> {
        let id = (tenant.to_owned(), kid);
        if let Some(key) = self.tenants.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Ok(Arc::clone(key));
        }
        let key = Arc::new(aead(&self.keys.secret(tenant, self.domain, kid)?)?);
        self.tenants.write().unwrap_or_else(PoisonError::into_inner).insert(id, Arc::clone(&key));
        Ok(key)
    }
}

impl DataKey {
    fn new(id: String, secret: &[u8], random: &SystemRandom) -> Result<Self, OpenError> {
        let mac = |key: &[u8]| Hmac::<Sha256>::new_from_slice(key).map_err(|_| OpenError::Refused);
        let nonces = mac(&mac(secret)?.chain_update(b"marquetry nonces v1").finalize().into_bytes())?;
        Ok(Self { id, key: aead(secret)?, nonces, random: random.clone() })
    }

    /// Its name, 26 digits: nobody has chosen it, and it says nothing.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Encrypts a value for a place: whose, which column, which version.
    pub fn encrypt(&self, place: &[&str], value: &[u8]) -> Result<Vec<u8>, OpenError> {
        encrypt(&self.key, &self.random, place, value)
    }

    /// Encrypts a value for a place so that equal values are alike: the nonce is a keyed hash of both. Who sees two of them
    /// learns whether they are equal, and nothing else.
    pub fn encrypt_alike(&self, place: &[&str], value: &[u8]) -> Result<Vec<u8>, OpenError> {
        let place = authenticated(place);
        let length = (place.len() as u64).to_le_bytes();
        let hash = self.nonces.clone().chain_update(length).chain_update(&place).chain_update(value).finalize();
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&hash.into_bytes()[..NONCE_LEN]);
        sealed(&self.key, nonce, &place, value)
    }

    /// Opens what was encrypted for the same place, within `sealed`.
    pub fn decrypt<'a>(&self, place: &[&str], sealed: &'a mut [u8]) -> Result<&'a [u8], OpenError> {
        decrypt(&self.key, place, sealed)
    }
}

fn aead(secret: &[u8]) -> Result<LessSafeKey, OpenError> {
    UnboundKey::new(&CHACHA20_POLY1305, secret).map(LessSafeKey::new).map_err(|_| OpenError::Refused)
}

/// Each part preceded by its length, so that parts cannot run into each other.
fn authenticated(place: &[&str]) -> Vec<u8> {
    let mut out = b"v1".to_vec();
    for part in place {
        out.extend_from_slice(&(part.len() as u64).to_le_bytes());
        out.extend_from_slice(part.as_bytes());
    }
    out
}

fn encrypt(key: &LessSafeKey, random: &SystemRandom, place: &[&str], value: &[u8]) -> Result<Vec<u8>, OpenError> {
    let mut nonce = [0; NONCE_LEN];
    random.fill(&mut nonce).map_err(|_| OpenError::Random)?;
    sealed(key, nonce, &authenticated(place), value)
}

fn sealed(key: &LessSafeKey, nonce: [u8; NONCE_LEN], place: &[u8], value: &[u8]) -> Result<Vec<u8>, OpenError> {
    let mut out = Vec::with_capacity(OVERHEAD + value.len());
    out.extend_from_slice(&nonce);
    out.extend_from_slice(value);
    let nonce = Nonce::assume_unique_for_key(nonce);
    let tag = key.seal_in_place_separate_tag(nonce, Aad::from(place), &mut out[NONCE_LEN..]);
    out.extend_from_slice(tag.map_err(|_| OpenError::Refused)?.as_ref());
    Ok(out)
}

fn decrypt<'a>(key: &LessSafeKey, place: &[&str], sealed: &'a mut [u8]) -> Result<&'a [u8], OpenError> {
    if sealed.len() < OVERHEAD {
        return Err(OpenError::Refused);
    }
    let (nonce, rest) = sealed.split_at_mut(NONCE_LEN);
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| OpenError::Refused)?;
    let opened = key.open_in_place(nonce, Aad::from(authenticated(place)), rest).map_err(|_| OpenError::Refused)?;
    Ok(opened)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelopes(root: u8, kid: u32) -> Envelopes {
        Envelopes::new(Arc::new(Keyring::new(&[root; 32], kid).unwrap()), "test")
    }

    #[test]
    fn a_value_comes_back_for_its_place_alone() {
        let envelopes = envelopes(7, 1);
        let (key, wrapped) = envelopes.seal("acme", "u1_a").unwrap();
        let place = ["u1_a", "email", "1"];
        let sealed = key.encrypt(&place, b"ann@example.com").unwrap();
        assert!(!sealed.windows(3).any(|w| w == b"ann"));
        assert_ne!(sealed, key.encrypt(&place, b"ann@example.com").unwrap(), "nonces are fresh");
        let again = envelopes.open("acme", "u1_a", key.id(), &wrapped).unwrap();
        assert_eq!(again.decrypt(&place, &mut sealed.clone()).unwrap(), b"ann@example.com");
        for other in [["u1_b", "email", "1"], ["u1_a", "phone", "1"], ["u1_ae", "mail", "1"], ["u1_a", "email", "2"]] {
            assert_eq!(again.decrypt(&other, &mut sealed.clone()), Err(OpenError::Refused), "{other:?}");
        }
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(again.decrypt(&place, &mut changed), Err(OpenError::Refused), "byte {at}");
            assert_eq!(again.decrypt(&place, &mut sealed[..at].to_vec()), Err(OpenError::Refused), "cut at {at}");
        }
    }

    #[test]
    fn equal_values_can_be_encrypted_alike() {
        let envelopes = envelopes(7, 1);
        let (key, wrapped) = envelopes.seal("acme", "u1_a").unwrap();
        let again = envelopes.open("acme", "u1_a", key.id(), &wrapped).unwrap();
        let place = ["u1_a", "token"];
        let sealed = key.encrypt_alike(&place, b"ann@example.com").unwrap();
        assert_eq!(sealed, again.encrypt_alike(&place, b"ann@example.com").unwrap());
        assert_eq!(again.decrypt(&place, &mut sealed.clone()).unwrap(), b"ann@example.com");
        let (other, _) = envelopes.seal("acme", "u1_a").unwrap();
        let others = [
            other.encrypt_alike(&place, b"ann@example.com").unwrap(),
            key.encrypt_alike(&["u1_a", "tokens"], b"ann@example.com").unwrap(),
            key.encrypt_alike(&place, b"amy@example.com").unwrap(),
        ];
        assert!(others.iter().all(|other| other[..NONCE_LEN] != sealed[..NONCE_LEN]), "no nonce comes twice");
    }

    #[test]
    fn a_wrapped_key_opens_for_its_tenant_owner_id_and_root_alone() {
        let ours = envelopes(7, 1);
        let (key, wrapped) = ours.seal("acme", "u1_a").unwrap();
        let id = key.id().to_owned();
        assert_eq!(id.len(), 26);
        assert!(wrapped.starts_with("w1_"), "{wrapped}");
        let refused =
            |envelopes: &Envelopes, tenant, owner, id| envelopes.open(tenant, owner, id, &wrapped).unwrap_err();
        assert_eq!(refused(&ours, "other", "u1_a", &id), OpenError::Refused);
        assert_eq!(refused(&ours, "acme", "u1_b", &id), OpenError::Refused);
        assert_eq!(refused(&ours, "acme", "u1_a", "another"), OpenError::Refused);
        assert_eq!(refused(&envelopes(8, 1), "acme", "u1_a", &id), OpenError::Refused);
        // A later epoch opens what an earlier one wrapped.
        assert!(envelopes(7, 2).open("acme", "u1_a", &id, &wrapped).is_ok());
        for bad in ["", "w", "w1", "x1_AA", "wx_AA", "w1_*", "w1_AA"] {
            assert!(ours.open("acme", "u1_a", &id, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_fingerprint_is_of_the_root_alone() {
        let print = |root, kid| envelopes(root, kid).fingerprint().unwrap();
        assert_eq!(print(7, 1), print(7, 2));
        assert_ne!(print(7, 1), print(8, 1));
    }
}
