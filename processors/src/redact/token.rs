//! The token of an encrypted value: `[EMAIL:<key id>:<content>]`.
//!
//! The content is base64url of nonce, ciphertext, tag and proof. The value is filled up to whole blocks before it is
//! encrypted, so that a token tells its length only roughly, and equal values under one key and label have equal tokens.
//!
//! Whoever reads a text again must leave tokens alone, and a sender can write what looks like one. So a token proves that it
//! is ours: the last eight bytes are a keyed hash of all before them, made with the root key, which needs neither the data key
//! nor the directory. What is not proven is text like any other and looked through as such: a telephone number or the base64
//! of an address in a forged token is found where it would be found without the brackets around it. Tokens of a process with
//! another root key are such text as well; looked through, random bytes hold nothing but what a pattern of the configuration
//! may see in them.

use std::ops::Range;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use component::{DataKey, Key, KeyError, Keyring, OpenError};

/// Longest value that is encrypted, in bytes: a text is looked through for tokens within a bounded way.
pub(super) const LONGEST_VALUE: usize = 512;

/// Longest label, as patterns of the configuration may have it.
const LABEL: usize = 24;
/// Digits of the id of a data key.
const ID: usize = 26;
/// Values are filled up to a multiple of this.
const BLOCK: usize = 16;
/// Bytes of the proof: a sender has one try for each text, and does not learn what came of it.
const PROOF: usize = 8;
/// Nonce, tag and proof.
const OVERHEAD: usize = 12 + 16 + PROOF;
/// Most letters of the content.
const LONGEST_CONTENT: usize = (OVERHEAD + LONGEST_VALUE + BLOCK).div_ceil(3) * 4;

/// Length of the longest such token.
pub(super) const LONGEST: usize = LABEL + ID + LONGEST_CONTENT + 4;

/// Version of what is encrypted; part of the place that every value is encrypted for.
const VERSION: &str = "1";

/// Something that has the form of a token. Only its data key tells what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'t> {
    /// What the value was: `EMAIL`.
    pub label: &'t str,
    /// The data key that opens it.
    pub key_id: &'t str,
    content: &'t str,
}

impl<'t> Token<'t> {
    /// What begins at a place and has the form of a token.
    pub(super) fn at(text: &'t [u8], at: usize) -> Option<Self> {
        let rest = text.get(at..)?.strip_prefix(b"[")?;
        let (label, rest) = run(rest, LABEL, |b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        let (key_id, rest) = run(rest.strip_prefix(b":")?, ID, |b| matches!(b, b'a'..=b'z' | b'2'..=b'7'));
        if label.is_empty() || key_id.len() != ID {
            return None;
        }
        let of_content = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        let (content, rest) = run(rest.strip_prefix(b":")?, LONGEST_CONTENT, of_content);
        let bytes = content.len() * 3 / 4;
        if rest.first() != Some(&b']') || bytes < OVERHEAD + BLOCK || !(bytes - OVERHEAD).is_multiple_of(BLOCK) {
            return None;
        }
        let [label, key_id, content] = [label, key_id, content].map(|part| std::str::from_utf8(part).ok());
        Some(Self { label: label?, key_id: key_id?, content: content? })
    }

    /// Every place of a text that has the form of a token.
    pub fn all(text: &'t str) -> Vec<(Range<usize>, Self)> {
        let places = memchr::memchr_iter(b'[', text.as_bytes());
        let found = places.filter_map(|at| Some((at, Self::at(text.as_bytes(), at)?)));
        found.map(|(at, token)| (at..at + token.length(), token)).collect()
    }

    /// The value, by its data key and by whose it is.
    pub fn open(&self, key: &DataKey, user_ref: &str) -> Result<String, OpenError> {
        let mut bytes = self.bytes().ok_or(OpenError::Form)?;
        bytes.truncate(bytes.len() - PROOF);
        let opened = key.decrypt(&place(user_ref, self.label), &mut bytes)?;
        let end =
            opened.iter().rposition(|b| *b != 0).filter(|last| opened[*last] == FILLING).ok_or(OpenError::Form)?;
        String::from_utf8(opened[..end].to_vec()).map_err(|_| OpenError::Form)
    }

    fn length(&self) -> usize {
        self.label.len() + self.key_id.len() + self.content.len() + 4
    }

    fn bytes(&self) -> Option<Vec<u8>> {
        URL_SAFE_NO_PAD.decode(self.content).ok().filter(|bytes| bytes.len() > PROOF)
    }
}

/// What stands behind a value before it is filled up with zeros.
const FILLING: u8 = 0x80;

/// Makes tokens, and tells ours from others.
pub(super) struct Proofs(Arc<Key>);

impl Proofs {
    pub(super) fn new(keys: &Keyring) -> Result<Self, KeyError> {
        keys.key("", "token").map(Self)
    }

    /// The token of a value of somebody.
    pub(super) fn token(&self, key: &DataKey, user_ref: &str, label: &str, value: &str) -> Result<String, OpenError> {
        let mut filled = Vec::with_capacity((value.len() / BLOCK + 1) * BLOCK);
        filled.extend_from_slice(value.as_bytes());
        filled.push(FILLING);
        filled.resize(filled.len().next_multiple_of(BLOCK), 0);
        let mut bytes = key.encrypt_alike(&place(user_ref, label), &filled)?;
        let proof = self.of(label, key.id(), &bytes);
        bytes.extend_from_slice(&proof);
        Ok(format!("[{label}:{}:{}]", key.id(), URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Length of a token of ours that begins at a place.
    pub(super) fn length_at(&self, text: &[u8], at: usize) -> Option<usize> {
        let token = Token::at(text, at)?;
        let bytes = token.bytes()?;
        let (sealed, proof) = bytes.split_at(bytes.len() - PROOF);
        (self.of(token.label, token.key_id, sealed) == proof).then(|| token.length())
    }

    /// A number by which the row of a data key is known.
    pub(super) fn print(&self, key_id: &str) -> u128 {
        u128::from_le_bytes(self.0.hash(&[b"row", key_id.as_bytes()]))
    }

    fn of(&self, label: &str, key_id: &str, sealed: &[u8]) -> [u8; PROOF] {
        let whole = self.0.hash(&[label.as_bytes(), key_id.as_bytes(), sealed]);
        let mut out = [0; PROOF];
        out.copy_from_slice(&whole[..PROOF]);
        out
    }
}

/// What a value is encrypted for: a token cannot be passed off as another kind's or another user's.
fn place<'a>(user_ref: &'a str, label: &'a str) -> [&'a str; 4] {
    [user_ref, "token", label, VERSION]
}

/// The first bytes that are such, at most so many, and what stands behind them.
fn run(text: &[u8], most: usize, is: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take(most).take_while(|b| is(**b)).count())
}
