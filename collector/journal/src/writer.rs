//! The one writer of a journal folder, and its group fsync.

use std::fs::File;
use std::io::Write;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use component::Sealed;
use schemas::Catalog;
use tokio::sync::watch;

use crate::folder::{self, Active, Clean};
use crate::frame::{self, Encoded};
use crate::quarantine::{self, Damage};
use crate::reader;
use crate::release::Releases;
use crate::resent::{self, Fingerprints, Recent};
use crate::segment::{self, JournalId, Kind, Position, Seed};
use crate::{Error, audit};

/// A frame schema is written again after so many bytes, so that damage to one copy costs the readers nothing.
const REPEAT_SCHEMA: u64 = 1 << 20;

/// Limits of a journal.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Appends are refused from here on, in bytes on disk.
    pub max_bytes: u64,
    /// A segment is sealed at this size, in bytes.
    pub segment_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { max_bytes: 10 << 30, segment_bytes: 32 << 20 }
    }
}

/// What the journal is doing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stats {
    /// Bytes on disk, segments of earlier journals included.
    pub bytes: u64,
    /// Segments on disk.
    pub segments: u64,
    /// Last position written.
    pub appended: Position,
    /// Last position that is durable.
    pub durable: Position,
    /// Damaged places found in segments since the start.
    pub quarantined: u64,
    /// Rows that were sent again and marked as echoes of themselves since the start.
    pub resent: u64,
}

/// A handle to the writer; clones share it. When the last one goes without [`Journal::close`], the folder is free for
/// another writer, as after a crash.
#[derive(Clone)]
pub struct Journal {
    pub(crate) shared: Arc<Owner>,
}

/// What the handles share, apart from the sync thread: it must not keep the folder locked when they are gone.
pub(crate) struct Owner(Arc<Shared>);

impl Deref for Owner {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // A panic of the thread has nobody left to hear of it.
        let _ = self.stop();
    }
}

/// Is told how long each fsync took.
type Watcher = Box<dyn Fn(Duration) + Send + Sync>;

pub(crate) struct Shared {
    folder: PathBuf,
    catalog: Arc<Catalog>,
    options: Options,
    pub(crate) id: JournalId,
    state: Mutex<State>,
    work: Condvar,
    fingerprints: Fingerprints,
    durable: watch::Sender<Result<Position, Error>>,
    syncer: Mutex<Option<JoinHandle<()>>>,
    watcher: OnceLock<Watcher>,
    _lock: File,
}

pub(crate) struct State {
    pub(crate) active: Active,
    next: Position,
    next_audit: u64,
    /// All journals.
    pub(crate) sealed: Vec<SealedSegment>,
    pub(crate) releases: Releases,
    synced: Position,
    closed: bool,
    quarantined: u64,
    recent: Recent,
    resent: u64,
    buffer: Vec<u8>,
}

pub(crate) struct SealedSegment {
    pub(crate) path: PathBuf,
    pub(crate) id: JournalId,
    pub(crate) first: Position,
    bytes: u64,
}

impl Journal {
    /// Opens the folder for writing; readers need no permission. Goes on under the last id after a clean stop, under a
    /// new one otherwise: what an unclean stop left behind drains under its own.
    pub fn open(folder: &Path, catalog: Arc<Catalog>, options: Options) -> Result<Self, Error> {
        std::fs::create_dir_all(folder).map_err(|e| Error::io("creating journal folder", folder, e))?;
        let lock = folder::lock(folder)?;
        quarantine::clean(folder, SystemTime::now())?;
        let mut sealed = Vec::new();
        for (id, first, path) in reader::list(folder)? {
            let bytes = path.metadata().map_err(|e| Error::io("reading the size of", &path, e))?.len();
            sealed.push(SealedSegment { path, id, first, bytes });
        }
        // A mark that knows less than the segments is of another time, say of a backup: its positions are used up.
        let is_stale = |id: JournalId, clean: &Clean| {
            sealed.iter().any(|s| s.id == id && s.first.0 >= clean.next && s.bytes > segment::HEADER as u64)
        };
        let (id, clean) = match Clean::take(folder)?.filter(|(id, clean)| !is_stale(*id, clean)) {
            Some((id, clean)) => (id, clean),
            None => (JournalId::random()?, Clean { next: 1, next_audit: 0 }),
        };
        let next = Position(clean.next);
        let active = Active::create(folder, id, next)?;
        // An empty segment of the same name was replaced.
        sealed.retain(|s| s.path != active.path);
        let synced = Position(next.0 - 1);
        let state = State {
            active,
            next,
            next_audit: clean.next_audit,
            sealed,
            releases: Releases::default(),
            synced,
            closed: false,
            quarantined: 0,
            recent: Recent::default(),
            resent: 0,
            buffer: Vec::new(),
        };
        let shared = Arc::new(Shared {
            folder: folder.to_owned(),
            catalog,
            options,
            id,
            state: Mutex::new(state),
            work: Condvar::new(),
            fingerprints: Fingerprints::default(),
            durable: watch::Sender::new(Ok(synced)),
            syncer: Mutex::new(None),
            watcher: OnceLock::new(),
            _lock: lock,
        });
        let for_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("journal-sync".into())
            .spawn(move || for_thread.sync_loop())
            .map_err(|e| Error::io("starting the sync thread of", folder, e))?;
        *shared.syncer.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(Self { shared: Arc::new(Owner(shared)) })
    }

    /// The journal's identity.
    pub fn id(&self) -> JournalId {
        self.shared.id
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.shared.folder
    }

    /// The tables it was opened with.
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.shared.catalog
    }

    /// What tells records that are sent again.
    #[cfg(test)]
    pub(crate) fn fingerprints(&self) -> &Fingerprints {
        &self.shared.fingerprints
    }

    /// Writes a gather as one entry. It is there for readers at once and safe when [`Journal::durable`] says so.
    pub fn append(&self, sealed: &Sealed) -> Result<Position, Error> {
        // What takes long is done before others are kept waiting.
        let mut parts = Vec::new();
        for rows in sealed.tables() {
            let frame = if rows.table().audit { None } else { Some(frame::encode(rows)?) };
            parts.push((rows, frame, self.shared.fingerprints.of(rows)));
        }
        let mut state = self.shared.lock();
        self.shared.healthy()?;
        let bytes = state.bytes();
        if bytes >= self.shared.options.max_bytes {
            // Only a sealed segment can be released. If sealing fails too, the next append tries again.
            if let Err(error) = self.shared.roll(&mut state) {
                tracing::warn!(%error, "the journal is full and its last segment could not be sealed");
            }
            return Err(Error::Full { bytes, max: self.shared.options.max_bytes });
        }
        let mut next_audit = state.next_audit;
        let mut resent = 0;
        let mut frames = Vec::with_capacity(parts.len());
        let mut prints = Vec::with_capacity(parts.len());
        for (rows, frame, own) in parts {
            let again = state.recent.known(&own);
            resent += again.len() as u64;
            frames.push(match frame {
                Some(frame) if again.is_empty() => frame,
                _ => {
                    let mut rows = rows.clone();
                    if !again.is_empty() {
                        resent::mark(&mut rows, &again)?;
                    }
                    if rows.table().audit {
                        next_audit = audit::stamp(&mut rows, self.shared.id, next_audit)?;
                    }
                    frame::encode(&rows)?
                }
            });
            prints.push(own);
        }
        let position = self.shared.write(&mut state, frames)?;
        prints.iter().for_each(|prints| state.recent.keep(prints));
        state.next_audit = next_audit;
        state.resent += resent;
        self.shared.work.notify_one();
        Ok(position)
    }

    /// Waits until everything up to `position` would survive a crash.
    pub async fn durable(&self, position: Position) -> Result<(), Error> {
        let mut durable = self.shared.durable.subscribe();
        let reached = durable.wait_for(|d| d.as_ref().map_or(true, |d| *d >= position)).await;
        match reached {
            Ok(state) => state.as_ref().map(|_| ()).map_err(Clone::clone),
            Err(_) => Err(Error::Poisoned("the journal was closed".into())),
        }
    }

    /// The last durable position, and news of it.
    pub fn subscribe(&self) -> watch::Receiver<Result<Position, Error>> {
        self.shared.durable.subscribe()
    }

    /// Seals the active segment if it has entries, so that it can be released once it is exported.
    pub fn roll(&self) -> Result<(), Error> {
        let mut state = self.shared.lock();
        self.shared.roll(&mut state)
    }

    /// Tells `watcher` how long each fsync takes from now on. The first one stays.
    pub fn on_sync(&self, watcher: impl Fn(Duration) + Send + Sync + 'static) {
        let _ = self.shared.watcher.set(Box::new(watcher));
    }

    /// Puts damage that a follower met aside, before its segment is released. It stops nothing: a copy that fails is told.
    pub fn quarantine(&self, damage: &[Damage]) {
        self.shared.lock().quarantined += damage.len() as u64;
        for place in damage {
            let Damage { segment, at, len, what } = place;
            let segment = segment.display();
            match quarantine::put_aside(&self.shared.folder, place) {
                Ok(Some(kept)) => {
                    let kept = kept.display();
                    tracing::error!(%segment, at, len, what, %kept, "a damaged place of the journal was skipped");
                }
                Ok(None) => {
                    tracing::error!(%segment, at, len, what, "one more damaged place was skipped, and not kept")
                }
                Err(error) => {
                    tracing::error!(%segment, at, len, what, %error, "a damaged place was skipped, and could not be kept");
                }
            }
        }
    }

    /// Makes it look as if something had been appended to a file that fails in the way a test needs.
    #[cfg(test)]
    pub(crate) fn write_to(&self, file: File) {
        let mut state = self.shared.lock();
        state.active.file = Arc::new(file);
        state.next.0 += 1;
    }

    /// What it is doing.
    pub fn stats(&self) -> Stats {
        let state = self.shared.lock();
        Stats {
            bytes: state.bytes(),
            segments: state.sealed.len() as u64 + 1,
            appended: Position(state.next.0 - 1),
            durable: state.synced,
            quarantined: state.quarantined,
            resent: state.resent,
        }
    }

    /// Makes everything durable and leaves the mark of a clean stop. Later appends fail.
    pub fn close(&self) -> Result<(), Error> {
        if self.shared.stop().is_err() {
            return Err(Error::Poisoned("its sync thread panicked".into()));
        }
        self.shared.healthy()?;
        let state = self.shared.lock();
        if state.synced.0 + 1 < state.next.0 {
            return Err(Error::Poisoned("it is being closed elsewhere".into()));
        }
        Clean { next: state.next.0, next_audit: state.next_audit }.leave(&self.shared.folder, self.shared.id)
    }
}

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn healthy(&self) -> Result<(), Error> {
        self.durable.borrow().as_ref().map(|_| ()).map_err(|e| Error::Poisoned(e.to_string()))
    }

    /// Refuses appends, and ends the sync thread when everything is synced.
    fn stop(&self) -> std::thread::Result<()> {
        self.lock().closed = true;
        self.work.notify_all();
        let thread = self.syncer.lock().unwrap_or_else(PoisonError::into_inner).take();
        thread.map_or(Ok(()), JoinHandle::join)
    }

    fn write(&self, state: &mut State, frames: Vec<Encoded>) -> Result<Position, Error> {
        if state.closed {
            return Err(Error::Poisoned("it was closed".into()));
        }
        if state.active.torn || state.active.bytes >= self.options.segment_bytes {
            self.roll(state)?;
        }
        let position = state.next;
        let seed = Seed::of(self.id);
        let mut out = std::mem::take(&mut state.buffer);
        out.clear();
        let mut new = Vec::new();
        let mut fingerprints = Vec::with_capacity(frames.len());
        for frame in &frames {
            let fingerprint = frame.schema.fingerprint()?;
            let copy = state.active.schemas.get(&fingerprint);
            if copy.is_none_or(|at| state.active.bytes - at >= REPEAT_SCHEMA) && !new.contains(&fingerprint) {
                segment::push_entry(&mut out, seed, Kind::Schema, position, |out| {
                    out.extend_from_slice(&fingerprint.to_le_bytes());
                    out.extend_from_slice(&frame.schema.to_bytes()?);
                    Ok(())
                })?;
                new.push(fingerprint);
            }
            fingerprints.push(fingerprint);
        }
        segment::push_entry(&mut out, seed, Kind::Gather, position, |out| {
            let mut frames = fingerprints.into_iter().zip(frames);
            frames.try_for_each(|(fingerprint, frame)| frame::push(out, fingerprint, frame))
        })?;
        let written = (&*state.active.file).write_all(&out);
        if let Err(e) = written {
            let failed = Error::io("appending to segment", &state.active.path, &e);
            // The torn bytes stay where they are: a segment is never truncated. What follows goes to a new one, and the
            // position is skipped, since the new segment must not get the name of this one.
            tracing::error!(error = %failed, "journal append failed; the next one starts a new segment");
            state.active.torn = true;
            state.active.bytes = state.active.file.metadata().map_or(state.active.bytes, |m| m.len());
            state.next = Position(position.0 + 1);
            state.buffer = out;
            return Err(failed);
        }
        let begin = state.active.bytes;
        state.active.schemas.extend(new.into_iter().map(|fingerprint| (fingerprint, begin)));
        state.active.bytes += out.len() as u64;
        state.next = Position(position.0 + 1);
        // A rare large gather must not stay in memory.
        state.buffer = if out.capacity() > 16 << 20 { Vec::new() } else { out };
        Ok(position)
    }

    fn roll(&self, state: &mut State) -> Result<(), Error> {
        self.healthy()?;
        if state.active.first == state.next {
            return Ok(());
        }
        if let Err(e) = state.active.file.sync_data() {
            return Err(self.poison(Error::io("syncing segment", &state.active.path, e)));
        }
        let fresh = Active::create(&self.folder, self.id, state.next)?;
        let Active { path, first, bytes, .. } = std::mem::replace(&mut state.active, fresh);
        state.sealed.push(SealedSegment { path, id: self.id, first, bytes });
        Ok(())
    }

    /// Stops the journal for good: the system tells of a failed write-back once, so a second fsync would lie.
    fn poison(&self, error: Error) -> Error {
        tracing::error!(%error, "the journal stops: what was not acknowledged must be sent again");
        let _ = self.durable.send_replace(Err(error.clone()));
        error
    }

    /// Syncs whenever something was appended; everything that arrived during one fsync shares the next.
    fn sync_loop(&self) {
        loop {
            let (file, path, target) = {
                let mut state = self.lock();
                while state.synced.0 + 1 >= state.next.0 && !state.closed {
                    state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
                if state.synced.0 + 1 >= state.next.0 {
                    return;
                }
                (Arc::clone(&state.active.file), state.active.path.clone(), Position(state.next.0 - 1))
            };
            // Segments before the active one were synced when they were sealed.
            let started = Instant::now();
            let synced = file.sync_data();
            if let Some(watcher) = self.watcher.get() {
                watcher(started.elapsed());
            }
            // Under the lock, since sealing may have been told of a failure that this fsync was then not told of.
            let mut state = self.lock();
            if let Err(e) = synced {
                self.poison(Error::io("syncing segment", &path, e));
            }
            if self.healthy().is_err() {
                return;
            }
            state.synced = target;
            let _ = self.durable.send_replace(Ok(target));
        }
    }
}

impl State {
    fn bytes(&self) -> u64 {
        self.active.bytes + self.sealed.iter().map(|s| s.bytes).sum::<u64>()
    }
}
