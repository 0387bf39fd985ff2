//! The directory as the engine has it: follows the journal, keeps the file in shape, answers.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use component::{DataKey, Envelopes, Keyring, OpenError};
use journal::{Hold, Journal, JournalId, Position, Snapshot as Segments};

use crate::file::{Positions, Users};
use crate::follow::Follower;
use crate::index::Index;
use crate::keys::{Keys, Standing, TextKey};
use crate::load::{Opener, load};
use crate::query::Query;
use crate::record::Facet;
use crate::{Error, Part, TABLE, changes};

/// A smaller file is never written anew for what is void in it.
const SMALL: u64 = 1 << 20;

/// A journal of less than this many bytes may wait for us.
const MUCH: u64 = 16 << 20;

/// How the directory is kept.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Longest time between an OK and the row in the directory's own file. Who asks does not wait for it.
    pub flush_interval: Duration,
    /// How long the opened values stay in memory after the last question.
    pub keep_open: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { flush_interval: Duration::from_secs(10), keep_open: Duration::from_secs(600) }
    }
}

/// What it has done, and how it stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Rows taken from the journal.
    pub rows: u64,
    /// Rows that were none of ours.
    pub refused: u64,
    /// Damaged places of the file that were skipped.
    pub damaged: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Bytes of the opened values; 0 while nobody asks.
    pub open_bytes: u64,
    /// Values that no key opens.
    pub unreadable: u64,
}

/// A user who was found.
#[derive(Clone, PartialEq, Eq)]
pub struct Hit {
    /// The pseudonym, as in every table.
    pub user_ref: String,
    /// The e-mail address, in clear.
    pub email: Option<String>,
    /// The phone number, in clear.
    pub phone: Option<String>,
    /// The name, in clear.
    pub name: Option<String>,
    /// What the user was.
    pub roles: Option<String>,
    /// Microseconds since 1970 of the sign-up.
    pub created: Option<i64>,
}

/// Who was found.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The first ones.
    pub hits: Vec<Hit>,
    /// How many there are.
    pub total: u64,
}

impl std::fmt::Debug for Hit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hit").field("user_ref", &self.user_ref).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Found").field("hits", &self.hits).field("total", &self.total).finish()
    }
}

/// A directory and the journal that it follows.
pub struct Directory {
    users: Users,
    journal: Journal,
    hold: Hold,
    followers: Vec<Follower>,
    positions: Positions,
    envelopes: Envelopes,
    options: Options,
    opened: Vec<(Instant, Index)>,
    /// Ids of data keys that went with their users.
    gone: BTreeSet<String>,
    stats: Stats,
    shown: Arc<Mutex<Stats>>,
}

fn gone(users: &Users) -> Result<BTreeSet<String>, Error> {
    Ok(users.image()?.gone().map(str::to_owned).collect())
}

impl Directory {
    /// Opens or makes the directory in `folder`; refuses a key that is not its own.
    pub fn open(folder: &Path, journal: Journal, keys: Arc<Keyring>, options: Options) -> Result<Self, Error> {
        let envelopes = Envelopes::new(keys, TABLE);
        // Held first: what is there now is read before anybody may unlink it.
        let hold = journal.hold();
        let (users, survey) = Users::open(folder, envelopes.fingerprint()?)?;
        let own = journal.id();
        let ahead = survey.positions.get(&own.to_string()).copied().unwrap_or(0);
        let ends = journal.stats().appended.0;
        if ahead > ends {
            return Err(Error::Restored { ahead, ends });
        }
        // Earlier journals first: the newest word on a user is the last.
        let mut ids: Vec<JournalId> = Segments::open(journal.folder())?.views().iter().map(|v| v.id()).collect();
        ids.retain(|id| *id != own);
        ids.sort();
        ids.dedup();
        ids.push(own);
        let taken = |id: JournalId| Position(survey.positions.get(&id.to_string()).copied().unwrap_or(0));
        let followers = ids.into_iter().map(|id| Follower::new(id, taken(id))).collect();
        let stats = Stats { damaged: survey.damaged, ..Stats::default() };
        if survey.damaged > 0 {
            tracing::error!(places = survey.damaged, folder = %folder.display(), "damaged places of the user directory are skipped");
        }
        let (positions, gone) = (survey.positions, gone(&users)?);
        let (opened, shown) = (Vec::new(), Arc::default());
        let directory =
            Self { users, journal, hold, followers, positions, envelopes, options, opened, gone, stats, shown };
        directory.publish();
        Ok(directory)
    }

    /// How it is kept.
    pub fn options(&self) -> Options {
        self.options
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.users.folder()
    }

    /// What it has done, and how it stands.
    pub fn stats(&self) -> Stats {
        let opened = self.opened.iter().map(|(_, index)| index);
        Stats {
            bytes: self.users.bytes,
            open_bytes: opened.clone().map(|index| index.bytes() as u64).sum(),
            unreadable: opened.map(|index| index.unreadable).sum(),
            ..self.stats
        }
    }

    /// The same for whoever must not wait for a search, as it was after the last round or question.
    pub fn shown(&self) -> Arc<Mutex<Stats>> {
        Arc::clone(&self.shown)
    }

    fn publish(&self) {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = self.stats();
    }

    /// Takes everything that is durable in the journal, and lets go of segments that are not needed here any more.
    pub fn catch_up(&mut self) -> Result<(), Error> {
        let taken = self.take();
        self.publish();
        taken
    }

    /// Whether the journal has grown so large that its segments should not wait for this follower.
    pub fn holds_much(&self) -> bool {
        self.journal.stats().bytes >= MUCH
    }

    fn take(&mut self) -> Result<(), Error> {
        let durable = self.journal.subscribe().borrow().clone()?;
        if let [follower] = self.followers.as_slice()
            && follower.taken >= durable
        {
            return self.compact(false);
        }
        let segments = Segments::open(self.journal.folder())?;
        let own = self.journal.id();
        let mut erases = false;
        let mut failed = None;
        for mut follower in std::mem::take(&mut self.followers) {
            let upto = if follower.journal == own { durable } else { Position(u64::MAX) };
            // Rows of an earlier journal come first: as long as they cannot be taken, newer ones wait.
            let done = if failed.is_none() { self.drain(&mut follower, &segments, upto) } else { Ok(false) };
            erases |= matches!(done, Ok(true));
            if follower.journal == own || failed.is_some() || done.is_err() {
                self.followers.push(follower);
            }
            failed = failed.or(done.err());
        }
        failed.map_or(Ok(()), Err)?;
        self.compact(erases)
    }

    /// Reads a journal up to a position; whether a row wants earlier ones gone.
    fn drain(&mut self, follower: &mut Follower, segments: &Segments, upto: Position) -> Result<bool, Error> {
        let id = follower.journal.to_string();
        let mut erases = false;
        loop {
            let mut chunk = follower.read(segments, self.journal.catalog(), upto, &self.gone)?;
            if let Some(last) = chunk.last.filter(|_| chunk.batch.rows > 0) {
                chunk.batch.position(&id, last.0);
                self.users.append(&chunk.batch)?;
                self.positions.insert(id.clone(), last.0);
            }
            self.stats.rows += chunk.batch.rows;
            self.stats.refused += chunk.refused;
            erases |= chunk.erases;
            let more = chunk.more;
            follower.advance(chunk);
            let drained = follower.journal != self.journal.id() && !more;
            let safe = if drained { Position(u64::MAX) } else { follower.taken };
            self.hold.advance(follower.journal, safe)?;
            if !more {
                return Ok(erases);
            }
        }
    }

    /// Writes the file anew when half of it may be void, or something in it must be gone.
    pub(crate) fn compact(&mut self, must: bool) -> Result<(), Error> {
        if !must && self.users.bytes < SMALL.max(2 * self.users.began) {
            return Ok(());
        }
        let mut batch = changes::live(&self.users.image()?);
        // A journal that is gone will not be read again.
        let there: Vec<String> = self.followers.iter().map(|f| f.journal.to_string()).collect();
        self.positions.retain(|id, _| there.contains(id));
        for (id, position) in &self.positions {
            batch.position(id, *position);
        }
        self.users.replace(&batch)?;
        self.gone = gone(&self.users)?;
        Ok(())
    }

    /// The users of a tenant in whom a text is found, in clear. The caller has to see to it that they may be told.
    pub fn find(&mut self, tenant: &str, query: &Query, limit: usize) -> Result<Found, Error> {
        self.catch_up()?;
        let index = self.index(tenant)?;
        self.publish();
        let index = &self.opened[index].1;
        let matches = index.find(query, limit);
        let mut opener = Opener::new(&index.image, &self.envelopes, tenant);
        let hits = matches.users.iter().map(|user| {
            let places = index.users.places(*user);
            let row = |facet: Facet| {
                let place = places[facet as usize];
                (place != 0).then(|| index.image.row(place as usize * 8)).flatten()
            };
            let [email, phone, name] = Part::ALL.map(|part| opener.open(part, &places));
            let roles = row(Facet::Roles).and_then(|r| r.roles).map(str::to_owned);
            let created = row(Facet::Created).and_then(|r| r.created);
            Hit { user_ref: index.users.name(*user).to_owned(), email, phone, name, roles, created }
        });
        Ok(Found { hits: hits.collect(), total: matches.total })
    }

    /// What became of the data keys with these ids, in their order. The caller has to see to it that they may be told.
    pub fn text_keys(&mut self, ids: &[&str]) -> Result<Vec<Option<Standing>>, Error> {
        self.catch_up()?;
        let image = self.users.image()?;
        let keys = Keys::of(&image, |id| ids.contains(&id));
        Ok(ids.iter().map(|id| keys.standing(&image, id)).collect())
    }

    /// Opens a data key of texts.
    pub fn open_text_key(&self, id: &str, key: &TextKey) -> Result<DataKey, OpenError> {
        self.envelopes.open(&key.tenant, &key.user_ref, id, &key.wrapped)
    }

    /// The opened values of a tenant, as the file has them now.
    fn index(&mut self, tenant: &str) -> Result<usize, Error> {
        let generation = self.users.generation();
        self.opened.retain(|(_, index)| index.generation == generation && !index.is_stale());
        let known = self.opened.iter().position(|(_, index)| index.tenant == tenant);
        let Some(known) = known else {
            let started = Instant::now();
            let index = load(self.users.image()?, generation, &self.envelopes, tenant)?;
            tracing::info!(users = index.users.len(), took = ?started.elapsed(), "the user directory was opened");
            if index.unreadable > 0 {
                tracing::error!(
                    values = index.unreadable,
                    "values of the user directory cannot be opened with this key"
                );
            }
            self.opened.push((Instant::now(), index));
            return Ok(self.opened.len() - 1);
        };
        let (asked, index) = &mut self.opened[known];
        *asked = Instant::now();
        if (index.image.bytes().len() as u64) < self.users.bytes {
            index.grow(self.users.image()?, &self.envelopes);
        }
        Ok(known)
    }

    /// Drops all opened values.
    pub fn forget(&mut self) {
        self.opened.clear();
    }

    /// Drops opened values that nobody has asked for lately.
    pub fn rest(&mut self) {
        let keep_open = self.options.keep_open;
        self.opened.retain(|(asked, _)| asked.elapsed() < keep_open);
    }
}
