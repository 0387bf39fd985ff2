//! Reading a journal folder: from the process that writes it, from another one, or with nothing running.

use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::buffer::Buffer;
use schemas::Catalog;

use crate::Error;
use crate::frame::{self, Found, FrameSchema, FrameSchemas, Part};
use crate::quarantine::Damage;
use crate::segment::{self, Head, JournalId, Kind, Position, Raw, Seed};

/// The segments of a folder at one moment. Holding it keeps them readable after they are unlinked.
#[derive(Debug)]
pub struct Snapshot {
    views: Vec<View>,
}

impl Snapshot {
    /// No segments: for a lake whose journal is out of reach.
    pub fn none() -> Self {
        Self { views: Vec::new() }
    }

    /// Maps every segment in `folder`. A missing folder has none.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        // A segment may be unlinked between listing and opening; then what it held is in the lake, and the list is stale.
        let mut paths = list(folder)?;
        for _ in 0..100 {
            // Of two segments made while a folder is read the later one may be listed alone, and a follower would step
            // over the earlier one. Two equal lists have no such hole.
            let again = list(folder)?;
            let stable = paths == again;
            paths = again;
            if stable && let Some(views) = Self::try_open(&paths)? {
                return Ok(Self { views });
            }
        }
        Err(Error::io("listing segments of", folder, "segments kept vanishing while they were opened"))
    }

    fn try_open(paths: &[(JournalId, Position, PathBuf)]) -> Result<Option<Vec<View>>, Error> {
        let mut views = Vec::with_capacity(paths.len());
        for (index, (id, first, path)) in paths.iter().enumerate() {
            match View::open(path, *id, *first) {
                Ok(Some(view)) => views.push((index, view)),
                Ok(None) => {}
                Err(_) if !path.exists() => return Ok(None),
                Err(e) => return Err(e),
            }
        }
        // Only the last segment of an id may still grow, or end where a crash tore it.
        let last: Vec<bool> =
            views.iter().map(|(i, v)| paths.get(i + 1).is_none_or(|(id, _, _)| *id != v.id)).collect();
        Ok(Some(views.into_iter().zip(last).map(|((_, v), live)| View { live, ..v }).collect()))
    }

    /// The segments, by journal and position.
    pub fn views(&self) -> &[View] {
        &self.views
    }
}

/// Segments of a folder: (journal, first position, path), sorted.
pub(crate) fn list(folder: &Path) -> Result<Vec<(JournalId, Position, PathBuf)>, Error> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(Error::io("listing segments of", folder, e)),
    };
    let mut out = Vec::new();
    for entry in entries {
        let path = entry.map_err(|e| Error::io("listing segments of", folder, e))?.path();
        if let Some((id, first)) = segment::parse_path(&path) {
            out.push((id, first, path));
        }
    }
    out.sort();
    Ok(out)
}

/// One segment, mapped as far as it reached when it was opened.
#[derive(Debug, Clone)]
pub struct View {
    id: JournalId,
    first: Position,
    path: PathBuf,
    bytes: Buffer,
    live: bool,
    /// The header is damaged. The file's name says the same, so the entries can be read.
    headless: bool,
}

impl View {
    fn open(path: &Path, id: JournalId, first: Position) -> Result<Option<Self>, Error> {
        let file = File::open(path).map_err(|e| Error::io("opening segment", path, e))?;
        let len = file.metadata().map_err(|e| Error::io("reading the size of", path, e))?.len();
        if len < segment::HEADER as u64 {
            // Made a moment ago: its header is not written yet.
            return Ok(None);
        }
        let bytes = map(&file).map_err(|e| Error::io("mapping segment", path, e))?;
        let headless = match segment::head(&bytes) {
            Head::Ours => false,
            Head::Damaged => true,
            Head::Version(version) => {
                let why = format!("it has version {version} of the format; let the program that wrote it drain it");
                return Err(Error::io("reading segment", path, why));
            }
        };
        Ok(Some(Self { id, first, path: path.to_owned(), bytes, live: true, headless }))
    }

    /// Which journal.
    pub fn id(&self) -> JournalId {
        self.id
    }

    /// Its first position.
    pub fn first(&self) -> Position {
        self.first
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its entries of rows, in order. Damage is skipped and noted; a torn tail that may still grow is the end.
    pub fn entries(&self) -> Entries<'_> {
        let mut entries = self.entries_from(Cursor { at: segment::HEADER, schemas: Arc::default() });
        if self.headless {
            entries.note(0, segment::HEADER, "the header of the segment is damaged");
        }
        entries
    }

    /// Entries from `cursor` on, a value of [`Entries::cursor`] of the same segment.
    pub(crate) fn entries_from(&self, cursor: Cursor) -> Entries<'_> {
        Entries {
            view: self,
            seed: Seed::of(self.id),
            at: cursor.at,
            schemas: cursor.schemas,
            lost: HashSet::new(),
            damage: Vec::new(),
        }
    }
}

#[expect(
    unsafe_code,
    reason = "memory maps: a segment is only ever appended to, so mapped bytes never change or vanish"
)]
fn map(file: &File) -> std::io::Result<Buffer> {
    let map = unsafe { memmap2::Mmap::map(file)? };
    Ok(Buffer::from(bytes::Bytes::from_owner(map)))
}

/// Where a reader is in a segment.
#[derive(Debug, Clone)]
pub(crate) struct Cursor {
    at: usize,
    schemas: Arc<FrameSchemas>,
}

/// Iterates over the entries of a segment.
#[derive(Debug)]
pub struct Entries<'a> {
    view: &'a View,
    seed: Seed,
    at: usize,
    schemas: Arc<FrameSchemas>,
    /// Frame schemas that the rest of the segment does not have either.
    lost: HashSet<u64>,
    damage: Vec<Damage>,
}

impl Entries<'_> {
    /// Places where bytes could not be read, and entries with a frame whose schema could not.
    pub fn damage(&self) -> &[Damage] {
        &self.damage
    }

    fn note(&mut self, at: usize, len: usize, what: &'static str) {
        self.damage.push(Damage { segment: self.view.path.clone(), at: at as u64, len: len as u64, what });
    }

    /// Where this reader is, to go on later.
    pub(crate) fn cursor(&self) -> Cursor {
        Cursor { at: self.at, schemas: Arc::clone(&self.schemas) }
    }

    /// The next whole entry of any kind.
    fn raw(&mut self) -> Option<Raw> {
        let bytes = self.view.bytes.as_slice();
        while self.at < bytes.len() {
            if let Some(raw) = segment::entry(bytes, self.at, self.seed) {
                self.at = raw.next;
                return Some(raw);
            }
            let next = segment::resync(bytes, self.at, self.seed);
            if next.is_none() && self.view.live {
                // What is not whole yet may become so: a later reader goes on from here.
                return None;
            }
            let next = next.unwrap_or(bytes.len());
            self.note(self.at, next - self.at, "no whole entry is here");
            self.at = next;
        }
        None
    }

    /// The frames of an entry that can be decoded; the others are noted.
    fn frames(&mut self, raw: &Raw, body: &[u8]) -> Option<Vec<(Found, Arc<FrameSchema>)>> {
        let found = frame::list(body)?;
        let mut frames = Vec::with_capacity(found.len());
        for frame in found {
            match self.schema(frame.fingerprint) {
                Some(schema) => frames.push((frame, schema)),
                None => self.note(raw.body, raw.len, "the schema of a frame is lost"),
            }
        }
        Some(frames)
    }

    /// A frame schema; if its first copy is damaged, of a later one.
    fn schema(&mut self, fingerprint: u64) -> Option<Arc<FrameSchema>> {
        if let Some(known) = self.schemas.get(&fingerprint) {
            return Some(Arc::clone(known));
        }
        if self.lost.contains(&fingerprint) {
            return None;
        }
        let bytes = self.view.bytes.as_slice();
        let mut at = self.at;
        while let Some(raw) = segment::entry(bytes, at, self.seed)
            .or_else(|| segment::resync(bytes, at, self.seed).and_then(|next| segment::entry(bytes, next, self.seed)))
        {
            at = raw.next;
            if raw.kind == Kind::Schema as u32
                && let Some((found, schema)) = schema(&bytes[raw.body..raw.body + raw.len])
                && found == fingerprint
            {
                Arc::make_mut(&mut self.schemas).insert(fingerprint, Arc::clone(&schema));
                return Some(schema);
            }
        }
        self.lost.insert(fingerprint);
        None
    }
}

impl Iterator for Entries<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        loop {
            let raw = self.raw()?;
            let body = self.view.bytes.slice_with_length(raw.body, raw.len);
            if raw.kind == Kind::Schema as u32 {
                // Copies of a schema that is known must not copy a map that a cursor shares.
                if let Some((fingerprint, schema)) = schema(&body)
                    && !self.schemas.contains_key(&fingerprint)
                {
                    Arc::make_mut(&mut self.schemas).insert(fingerprint, schema);
                }
            } else if raw.kind == Kind::Gather as u32 {
                match self.frames(&raw, &body) {
                    Some(frames) => {
                        let (journal, position, end) = (self.view.id, raw.position, raw.next);
                        return Some(Entry { journal, position, end, body, frames });
                    }
                    None => self.note(raw.body, raw.len, "its frames cannot be told apart"),
                }
            }
        }
    }
}

fn schema(body: &[u8]) -> Option<(u64, Arc<FrameSchema>)> {
    let fingerprint = u64::from_le_bytes(body.get(..8)?.try_into().ok()?);
    Some((fingerprint, Arc::new(FrameSchema::from_bytes(&body[8..])?)))
}

/// The rows of one gather, decoded on demand.
#[derive(Debug)]
pub struct Entry {
    journal: JournalId,
    position: Position,
    end: usize,
    body: Buffer,
    frames: Vec<(Found, Arc<FrameSchema>)>,
}

impl Entry {
    /// Which journal.
    pub fn journal(&self) -> JournalId {
        self.journal
    }

    /// Its place.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Bytes of its body.
    pub fn len(&self) -> usize {
        self.body.len()
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.body.is_empty()
    }

    /// Where it ends in its segment.
    pub fn end(&self) -> usize {
        self.end
    }

    /// Tables that have rows in it, and how many.
    pub fn tables(&self) -> impl Iterator<Item = (&str, usize)> {
        self.frames.iter().map(|(found, schema)| (schema.table.as_str(), found.rows))
    }

    /// The rows of the tables that `want` takes.
    pub fn parts(&self, catalog: &Catalog, mut want: impl FnMut(&str) -> bool) -> Result<Vec<Part>, Error> {
        self.frames
            .iter()
            .filter(|(_, schema)| want(&schema.table))
            .map(|(found, schema)| frame::decode(&self.body, found, schema, catalog))
            .collect()
    }
}
