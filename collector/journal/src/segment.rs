//! Bytes of a segment.
//!
//! ```text
//! header   "MQJ1" | version u32 | journal id 16 bytes | first position u64 | crc32 u32 | 0 u32      (40 bytes)
//! entry    "MQE1" | kind u32 | body length u32 | crc32 of the body u32 | position u64
//!          | crc32 of the 24 bytes before u32 | 0 u32                                              (32 bytes)
//!          | body, padded to 8 bytes
//! ```
//! All numbers are little endian. An entry's checksums begin with the journal id, which no sender knows: text that looks
//! like an entry cannot be taken for one when a reader looks for the next whole entry behind damage.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::Error;

/// Length of a segment's header.
pub(crate) const HEADER: usize = 40;
/// Length of an entry's header.
pub(crate) const ENTRY: usize = 32;
const MAGIC: &[u8; 4] = b"MQJ1";
const ENTRY_MAGIC: &[u8; 4] = b"MQE1";
const VERSION: u32 = 1;

/// Place of a gather in its journal, from 1; 0 is before the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position(pub u64);

/// A journal's random identity. No position is used twice under one id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JournalId(u128);

impl JournalId {
    /// A fresh id.
    pub(crate) fn random() -> Result<Self, Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|e| Error::io("reading random bytes for", Path::new("journal id"), e))?;
        Ok(Self(u128::from_le_bytes(bytes)))
    }

    /// The id of its 32 hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 32).then(|| u128::from_str_radix(text, 16).ok().map(Self)).flatten()
    }
}

impl fmt::Display for JournalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// What an entry holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A frame schema, before its first use in the segment.
    Schema = 1,
    /// The rows of a gather.
    Gather = 2,
}

/// File name of a segment.
pub(crate) fn path(folder: &Path, id: JournalId, first: Position) -> PathBuf {
    folder.join(format!("{id}-{:020}.seg", first.0))
}

/// Id and first position from a file name.
pub(crate) fn parse_path(path: &Path) -> Option<(JournalId, Position)> {
    if path.extension()? != "seg" {
        return None;
    }
    let (id, first) = path.file_stem()?.to_str()?.split_once('-')?;
    Some((JournalId::parse(id)?, Position(first.parse().ok()?)))
}

/// Header bytes of a new segment.
pub(crate) fn header(id: JournalId, first: Position) -> [u8; HEADER] {
    let mut out = [0; HEADER];
    out[..4].copy_from_slice(MAGIC);
    out[4..8].copy_from_slice(&VERSION.to_le_bytes());
    out[8..24].copy_from_slice(&id.0.to_le_bytes());
    out[24..32].copy_from_slice(&first.0.to_le_bytes());
    let check = crc32fast::hash(&out[..32]);
    out[32..36].copy_from_slice(&check.to_le_bytes());
    out
}

/// What the first bytes of a segment say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Head {
    /// A segment of this version.
    Ours,
    /// Whole, and of another version: its entries are none of ours to judge.
    Version(u32),
    /// Not what was written.
    Damaged,
}

/// Reads a segment's header.
pub(crate) fn head(bytes: &[u8]) -> Head {
    let whole = bytes.get(..HEADER).filter(|h| &h[..4] == MAGIC && word(h, 32) == Some(crc32fast::hash(&h[..32])));
    match whole.and_then(|h| word(h, 4)) {
        Some(VERSION) => Head::Ours,
        Some(other) => Head::Version(other),
        None => Head::Damaged,
    }
}

/// What the checksums of a journal's entries begin with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seed(u32);

impl Seed {
    pub(crate) fn of(id: JournalId) -> Self {
        Self(crc32fast::hash(&id.0.to_le_bytes()))
    }

    fn checksum(self, bytes: &[u8]) -> u32 {
        let mut crc = crc32fast::Hasher::new_with_initial(self.0);
        crc.update(bytes);
        crc.finalize()
    }
}

/// Appends an entry to `out`, its body written in place.
pub(crate) fn push_entry(
    out: &mut Vec<u8>,
    seed: Seed,
    kind: Kind,
    position: Position,
    body: impl FnOnce(&mut Vec<u8>) -> Result<(), Error>,
) -> Result<(), Error> {
    let at = out.len();
    out.resize(at + ENTRY, 0);
    body(out)?;
    let len = u32::try_from(out.len() - at - ENTRY).map_err(|_| Error::Frame {
        doing: "journaling",
        table: "gather".into(),
        why: "over 4 GiB at once".into(),
    })?;
    let mut head = Vec::with_capacity(ENTRY);
    head.extend_from_slice(ENTRY_MAGIC);
    head.extend_from_slice(&(kind as u32).to_le_bytes());
    head.extend_from_slice(&len.to_le_bytes());
    head.extend_from_slice(&seed.checksum(&out[at + ENTRY..]).to_le_bytes());
    head.extend_from_slice(&position.0.to_le_bytes());
    head.extend_from_slice(&seed.checksum(&head).to_le_bytes());
    out[at..at + head.len()].copy_from_slice(&head);
    out.resize(out.len().next_multiple_of(8), 0);
    Ok(())
}

/// A whole and checked entry.
pub(crate) struct Raw {
    pub(crate) kind: u32,
    pub(crate) position: Position,
    /// Where the body begins in the segment.
    pub(crate) body: usize,
    pub(crate) len: usize,
    /// Where the next entry begins.
    pub(crate) next: usize,
}

/// The entry at `at`, if it is whole, padding included, and its checksums hold.
pub(crate) fn entry(bytes: &[u8], at: usize, seed: Seed) -> Option<Raw> {
    let raw = entry_head(bytes, at, seed)?;
    // Without its padding it was not written to the end, so its append was refused: its position and audit numbers are
    // not its own.
    let whole = bytes.get(at..raw.next)?;
    (seed.checksum(&whole[ENTRY..ENTRY + raw.len]) == word(whole, 12)?).then_some(raw)
}

/// The entry at `at` if its header holds; its body may be damaged or missing.
fn entry_head(bytes: &[u8], at: usize, seed: Seed) -> Option<Raw> {
    let head = bytes.get(at..at.checked_add(ENTRY)?)?;
    if &head[..4] != ENTRY_MAGIC || word(head, 24)? != seed.checksum(&head[..24]) {
        return None;
    }
    let (kind, len) = (word(head, 4)?, word(head, 8)? as usize);
    let position = u64::from_le_bytes(head[16..24].try_into().ok()?);
    let body = at + ENTRY;
    Some(Raw { kind, position: Position(position), body, len, next: (body + len).next_multiple_of(8) })
}

/// Where the next whole entry begins after damage at `at`; entries are aligned to 8 bytes.
pub(crate) fn resync(bytes: &[u8], at: usize, seed: Seed) -> Option<usize> {
    // A header that holds says where its entry ends.
    if let Some(next) = entry_head(bytes, at, seed).map(|raw| raw.next)
        && entry(bytes, next, seed).is_some()
    {
        return Some(next);
    }
    let mut next = (at + 1).next_multiple_of(8);
    while next + ENTRY <= bytes.len() {
        if &bytes[next..next + 4] == ENTRY_MAGIC && entry(bytes, next, seed).is_some() {
            return Some(next);
        }
        next += 8;
    }
    None
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
