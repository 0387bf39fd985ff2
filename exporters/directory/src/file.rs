//! The file: a header, then records that are only appended, each with a checksum. A newer file replaces it as a whole.
//!
//! ```text
//! header   "MQD1" | version u32 | fingerprint of the root key, 16 bytes | bytes that it began with u64
//!          | crc32 of the 32 bytes before u32 | 0 u32
//! entry    "MQU1" | kind u32 | length of the body u32 | crc32 of the body u32 | crc32 of the 16 bytes before u32 | 0 u32
//!          | body, padded to 8 bytes
//! ```
//! Numbers are little endian. An entry is a row, how far a journal has been taken (a follower that starts goes on behind it), or
//! the id of a data key that went with its user.
//! What was written behind it is written again, and the newest row of a user wins, so that nothing is there twice.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use crate::Error;
use crate::record::Record;

pub(crate) const HEADER: usize = 40;
const ENTRY: usize = 24;
const MAGIC: &[u8; 4] = b"MQD1";
const ENTRY_MAGIC: &[u8; 4] = b"MQU1";
const VERSION: u32 = 1;

/// How far a journal has been taken, by its id.
pub(crate) type Positions = BTreeMap<String, u64>;

/// What an entry holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Row = 1,
    Position = 2,
    /// The id of a data key whose user was erased.
    Gone = 3,
}

/// The file that is written.
pub(crate) struct Users {
    folder: PathBuf,
    path: PathBuf,
    generation: u64,
    file: File,
    pub(crate) bytes: u64,
    /// Bytes that it had when it was made, all of them in use.
    pub(crate) began: u64,
    fingerprint: [u8; 16],
}

/// Entries that are written together.
#[derive(Default)]
pub(crate) struct Batch {
    bytes: Vec<u8>,
    pub(crate) rows: u64,
}

/// The bytes of a file as far as they were written when it was mapped. They stay readable when the file is replaced.
pub(crate) struct Image {
    map: Mmap,
}

/// What a file was found to hold.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    pub(crate) positions: Positions,
    pub(crate) rows: u64,
    pub(crate) damaged: u64,
    /// Where the last whole entry ends.
    pub(crate) end: usize,
}

impl Users {
    /// Opens the newest file of a folder, or makes the first. A tail that a crash tore is cut.
    pub(crate) fn open(folder: &Path, fingerprint: [u8; 16]) -> Result<(Self, Survey), Error> {
        private_folder(folder)?;
        let mut files = generations(folder)?;
        let Some((generation, path)) = files.pop() else {
            return Ok((
                Self::create(folder, 1, fingerprint, &Batch::default())?,
                Survey { end: HEADER, ..Survey::default() },
            ));
        };
        let file =
            OpenOptions::new().read(true).append(true).open(&path).map_err(|e| Error::io("opening", &path, e))?;
        let image = Image::of(&file, &path)?;
        let began = check(&image, folder, &path, fingerprint)?;
        let survey = image.survey();
        let torn = image.bytes().len() - survey.end;
        drop(image);
        if torn > 0 {
            tracing::warn!(bytes = torn, file = %path.display(), "the torn end of the user directory is cut; its rows are in the journal");
            file.set_len(survey.end as u64)
                .and_then(|()| file.sync_all())
                .map_err(|e| Error::io("cutting the torn end of", &path, e))?;
        }
        // Left by a crash between the making of a file and the removal of the one before.
        for (_, older) in files {
            std::fs::remove_file(&older).map_err(|e| Error::io("removing", &older, e))?;
        }
        let bytes = survey.end as u64;
        Ok((Self { folder: folder.to_owned(), path, generation, file, bytes, began, fingerprint }, survey))
    }

    /// A new file with some entries, in the place of every older one.
    fn create(folder: &Path, generation: u64, fingerprint: [u8; 16], batch: &Batch) -> Result<Self, Error> {
        let path = folder.join(format!("users-{generation:020}.log"));
        let draft = path.with_extension("new");
        let failed = |e| Error::io("writing", &draft, e);
        let _ = std::fs::remove_file(&draft);
        let mut options = OpenOptions::new();
        let mut file = options.read(true).append(true).create_new(true).mode(0o600).open(&draft).map_err(failed)?;
        let bytes = (HEADER + batch.bytes.len()) as u64;
        file.write_all(&header(fingerprint, bytes)).and_then(|()| file.write_all(&batch.bytes)).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        std::fs::rename(&draft, &path).map_err(|e| Error::io("naming", &path, e))?;
        sync_folder(folder)?;
        Ok(Self { folder: folder.to_owned(), path, generation, file, bytes, began: bytes, fingerprint })
    }

    /// Appends entries; they are durable when it returns. What a failure left half-way is cut off.
    pub(crate) fn append(&mut self, batch: &Batch) -> Result<(), Error> {
        let written = self.file.write_all(&batch.bytes).and_then(|()| self.file.sync_data());
        if let Err(e) = written {
            let _ = self.file.set_len(self.bytes);
            return Err(Error::io("appending to", &self.path, e));
        }
        self.bytes += batch.bytes.len() as u64;
        Ok(())
    }

    /// Replaces the file by one with these entries alone.
    pub(crate) fn replace(&mut self, batch: &Batch) -> Result<(), Error> {
        let fresh = Self::create(&self.folder, self.generation + 1, self.fingerprint, batch)?;
        let old = std::mem::replace(self, fresh);
        std::fs::remove_file(&old.path).map_err(|e| Error::io("removing", &old.path, e))?;
        sync_folder(&self.folder)
    }

    /// Which file it is: another one has other places.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn image(&self) -> Result<Image, Error> {
        Image::of(&self.file, &self.path)
    }
}

impl Batch {
    /// Adds a row; says no if it is none of ours.
    pub(crate) fn row(&mut self, record: &Record<'_>) -> bool {
        let at = self.begin();
        if record.write(&mut self.bytes).is_none() {
            self.bytes.truncate(at);
            return false;
        }
        self.end(at, Kind::Row);
        self.rows += 1;
        true
    }

    /// Adds how far a journal has been taken.
    pub(crate) fn position(&mut self, journal: &str, position: u64) {
        let at = self.begin();
        self.bytes.extend_from_slice(&position.to_le_bytes());
        self.bytes.extend_from_slice(journal.as_bytes());
        self.end(at, Kind::Position);
    }

    /// Adds the id of a data key that is gone.
    pub(crate) fn gone(&mut self, key_id: &str) {
        let at = self.begin();
        self.bytes.extend_from_slice(key_id.as_bytes());
        self.end(at, Kind::Gone);
    }

    fn begin(&mut self) -> usize {
        let at = self.bytes.len();
        self.bytes.resize(at + ENTRY, 0);
        at
    }

    fn end(&mut self, at: usize, kind: Kind) {
        let body = &self.bytes[at + ENTRY..];
        // A body is a few fields of less than 64 KiB.
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
        let mut head = ENTRY_MAGIC.to_vec();
        for word in [kind as u32, length, crc32fast::hash(body)] {
            head.extend_from_slice(&word.to_le_bytes());
        }
        head.extend_from_slice(&crc32fast::hash(&head).to_le_bytes());
        self.bytes[at..at + head.len()].copy_from_slice(&head);
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
    }
}

/// A whole and checked entry.
struct Raw<'a> {
    kind: u32,
    body: &'a [u8],
    next: usize,
}

impl Image {
    #[expect(
        unsafe_code,
        reason = "a memory map: the file is only ever appended to or replaced, and cut only before it is mapped for long"
    )]
    fn of(file: &File, path: &Path) -> Result<Self, Error> {
        let map = unsafe { Mmap::map(file) }.map_err(|e| Error::io("mapping", path, e))?;
        Ok(Self { map })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.map
    }

    fn raw(&self, at: usize) -> Option<Raw<'_>> {
        let bytes = self.bytes();
        let head = bytes.get(at..at.checked_add(ENTRY)?)?;
        if &head[..4] != ENTRY_MAGIC || word(head, 16)? != crc32fast::hash(&head[..16]) {
            return None;
        }
        let length = word(head, 8)? as usize;
        let next = (at + ENTRY + length).next_multiple_of(8);
        let body = &bytes.get(at + ENTRY..next)?[..length];
        (crc32fast::hash(body) == word(head, 12)?).then_some(Raw { kind: word(head, 4)?, body, next })
    }

    /// The row at a place that [`Image::rows`] has told.
    pub(crate) fn row(&self, at: usize) -> Option<Record<'_>> {
        self.raw(at).filter(|raw| raw.kind == Kind::Row as u32).and_then(|raw| Record::read(raw.body))
    }

    /// Rows and their places, from a place on.
    pub(crate) fn rows(&self, from: usize) -> impl Iterator<Item = (usize, Record<'_>)> {
        let entries = Walk { image: self, at: from, damaged: 0 };
        entries
            .filter(|(_, raw)| raw.kind == Kind::Row as u32)
            .filter_map(|(at, raw)| Some((at, Record::read(raw.body)?)))
    }

    /// Ids of data keys that are gone.
    pub(crate) fn gone(&self) -> impl Iterator<Item = &str> {
        let entries = Walk { image: self, at: HEADER, damaged: 0 };
        entries
            .filter(|(_, raw)| raw.kind == Kind::Gone as u32)
            .filter_map(|(_, raw)| std::str::from_utf8(raw.body).ok())
    }

    fn survey(&self) -> Survey {
        let mut survey = Survey { end: HEADER, ..Survey::default() };
        let mut walk = Walk { image: self, at: HEADER, damaged: 0 };
        for (_, raw) in walk.by_ref() {
            survey.end = raw.next;
            if raw.kind == Kind::Row as u32 {
                survey.rows += 1;
            } else if let Some((journal, position)) = position(&raw) {
                let known = survey.positions.entry(journal).or_default();
                *known = position.max(*known);
            }
        }
        survey.damaged = walk.damaged;
        survey
    }
}

fn position(raw: &Raw<'_>) -> Option<(String, u64)> {
    let position = u64::from_le_bytes(raw.body.get(..8)?.try_into().ok()?);
    let journal = String::from_utf8(raw.body[8..].to_vec()).ok()?;
    (raw.kind == Kind::Position as u32).then_some((journal, position))
}

/// Goes over whole entries; what is damaged costs itself.
struct Walk<'a> {
    image: &'a Image,
    at: usize,
    damaged: u64,
}

impl<'a> Iterator for Walk<'a> {
    type Item = (usize, Raw<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let begin = self.at;
        let bytes = self.image.bytes();
        while self.at + ENTRY <= bytes.len() {
            let at = self.at;
            if let Some(raw) = self.image.raw(at) {
                self.damaged += u64::from(at > begin);
                self.at = raw.next;
                return Some((at, raw));
            }
            self.at += 8;
        }
        None
    }
}

fn header(fingerprint: [u8; 16], began: u64) -> [u8; HEADER] {
    let mut out = [0; HEADER];
    out[..4].copy_from_slice(MAGIC);
    out[4..8].copy_from_slice(&VERSION.to_le_bytes());
    out[8..24].copy_from_slice(&fingerprint);
    out[24..32].copy_from_slice(&began.to_le_bytes());
    let check = crc32fast::hash(&out[..32]);
    out[32..36].copy_from_slice(&check.to_le_bytes());
    out
}

/// The bytes that a file began with, if it is ours and of this key.
fn check(image: &Image, folder: &Path, path: &Path, fingerprint: [u8; 16]) -> Result<u64, Error> {
    let format = |why: &str| Error::Format { path: path.to_owned(), why: why.to_owned() };
    let head = image.bytes().get(..HEADER).ok_or_else(|| format("it is shorter than its header"))?;
    if &head[..4] != MAGIC || word(head, 32) != Some(crc32fast::hash(&head[..32])) {
        return Err(format("its header is damaged; restore the file, or move it away to begin anew"));
    }
    match word(head, 4) {
        Some(VERSION) => {}
        other => return Err(format(&format!("it has version {} of the format", other.unwrap_or_default()))),
    }
    if head[8..24] != fingerprint {
        return Err(Error::WrongKey { folder: folder.to_owned() });
    }
    Ok(head[24..32].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// Files of a folder by generation, the newest last.
fn generations(folder: &Path) -> Result<Vec<(u64, PathBuf)>, Error> {
    let failed = |e| Error::io("listing", folder, e);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        if let Some(number) = name.strip_prefix("users-").and_then(|n| n.strip_suffix(".log")?.parse().ok()) {
            found.push((number, path));
        }
    }
    found.sort();
    Ok(found)
}

fn private_folder(folder: &Path) -> Result<(), Error> {
    let failed = |e| Error::io("making folder", folder, e);
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    std::fs::set_permissions(folder, Permissions::from_mode(0o700)).map_err(failed)
}

fn sync_folder(folder: &Path) -> Result<(), Error> {
    File::open(folder).and_then(|f| f.sync_all()).map_err(|e| Error::io("syncing folder", folder, e))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
