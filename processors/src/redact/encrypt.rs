//! Values that only the directory opens again: encrypted under a data key of the user whose row it is.
//!
//! A process has one data key for a user of a tenant as long as it is remembered; one that was forgotten gets another, and
//! the directory keeps both. So equal values of a user are equal tokens, for dictionaries and for what compares stored texts.
//!
//! **A text must never outlive its key.** A gather is one entry of the journal, so a key whose row stands in the same gather is as
//! durable as the texts under it. That the key was made for an earlier gather says nothing: that one may have been refused, or
//! it may wait while the gather of another worker overtakes it. So each worker puts the row into every gather that uses the key
//! until the engine has told it that a gather with the row is written ([`Recent`]); what is appended later is not durable
//! earlier. The directory folds rows that are equal.
//!
//! **Nonces** are keyed hashes of what is encrypted (as SIV has it), since random ones would make equal values different. Two
//! values of one user share a nonce with a chance of n² in 2⁹⁷, for a key that sees thousands of values and not billions.
//!
//! What is remembered are wrapped keys: in the memory of the process no data key waits in the clear.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{ArrayRef, StringArray, TimestampMicrosecondArray};
use component::{Context, DataKey, Envelopes, OpenError, ProcessError, Recent, Rows};
use schemas::Table;

use super::subjects::{Met, Subjects};
use super::token::{LONGEST_VALUE, Proofs};
use crate::directory::TABLE;
use crate::memo::Memo;

/// Rows that a worker knows to be written, where no processor `directory` says how many.
const REMEMBER: usize = 1 << 16;

/// The data keys of a process.
struct DataKeys {
    envelopes: Envelopes,
    known: Mutex<Memo<Arc<Wrapped>>>,
}

/// A data key as the directory has it.
#[derive(Debug)]
struct Wrapped {
    id: String,
    key: String,
    /// When it was made.
    time: Option<i64>,
}

/// A data key that this gather uses.
struct Used {
    key: DataKey,
    wrapped: Arc<Wrapped>,
}

/// Why a value was masked that should have been encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Masked {
    /// It is longer than a token may hold.
    TooLong,
    /// A key could not be made.
    NoKey,
}

/// Encrypts the values of one gather after another.
pub(super) struct Encrypter {
    table: Arc<Table>,
    keys: Arc<DataKeys>,
    /// Rows that this worker knows to be written.
    recent: Arc<Recent>,
    /// Whether no other stage says when a gather begins.
    own: bool,
    /// By the number of the subject.
    used: Vec<Option<Used>>,
    masked: [u64; 2],
}

impl Encrypter {
    /// With the keys that the workers of the process share; `None` without a directory that could keep them.
    pub(super) fn new(cx: &Context, memory: usize) -> Option<Self> {
        let table = Arc::clone(cx.catalog.table(TABLE)?);
        let keys = cx.common.get_or_put(|| DataKeys {
            envelopes: Envelopes::new(Arc::clone(&cx.keys), TABLE),
            known: Mutex::new(Memo::new(memory)),
        });
        let known = cx.shared.get::<Recent>();
        let own = known.is_none();
        let recent = known.unwrap_or_else(|| cx.shared.get_or_put(|| Recent::new(REMEMBER)));
        Some(Self { table, keys, recent, own, used: Vec::new(), masked: [0; 2] })
    }

    /// A new gather begins.
    pub(super) fn clear(&mut self) {
        if self.own {
            self.recent.begin();
        }
        self.used.clear();
        self.masked = [0; 2];
    }

    /// The token of a value of a known user; `None` when it must be masked.
    pub(super) fn token(
        &mut self,
        number: usize,
        met: &Met,
        proofs: &Proofs,
        label: &str,
        value: &str,
    ) -> Option<String> {
        let user = met.subject.user.as_deref()?;
        if value.len() > LONGEST_VALUE {
            self.masked[Masked::TooLong as usize] += 1;
            return None;
        }
        let made = self.key(number, met, user).and_then(|key| proofs.token(key, user, label, value));
        if made.is_err() {
            self.masked[Masked::NoKey as usize] += 1;
        }
        made.ok()
    }

    /// How many values were masked for a reason.
    pub(super) fn masked(&self, why: Masked) -> u64 {
        self.masked[why as usize]
    }

    fn key(&mut self, number: usize, met: &Met, user: &str) -> Result<&DataKey, OpenError> {
        if self.used.len() <= number {
            self.used.resize_with(number + 1, || None);
        }
        let place = &mut self.used[number];
        let used = match place {
            Some(used) => used,
            None => place.insert(self.keys.of(&met.subject.tenant, user, met.time)?),
        };
        Ok(&used.key)
    }

    /// Rows of the directory for the keys that this gather uses, but for those that this worker has written before.
    pub(super) fn rows(&self, subjects: &Subjects, proofs: &Proofs) -> Result<Option<Rows>, ProcessError> {
        let used = self.used.iter().enumerate();
        let used = used.filter_map(|(number, used)| Some((subjects.get(number)?, &*used.as_ref()?.wrapped)));
        let used: Vec<(&Met, &Wrapped)> =
            used.filter(|(_, wrapped)| self.recent.offer(proofs.print(&wrapped.id))).collect();
        if used.is_empty() {
            return Ok(None);
        }
        let requests = used.iter().map(|(met, _)| met.request).collect();
        let mut rows = Rows::new(Arc::clone(&self.table), vec![None; self.table.columns.len()], requests)?;
        let mut set = |name: &str, text: &dyn Fn(&(&Met, &Wrapped)) -> Option<String>| {
            rows.set(name, Arc::new(used.iter().map(text).collect::<StringArray>()))
        };
        set("tenant", &|(met, _)| Some(met.subject.tenant.to_string()))?;
        set("user_ref", &|(met, _)| met.subject.user.as_deref().map(str::to_owned))?;
        set("key_id", &|(_, wrapped)| Some(wrapped.id.clone()))?;
        set("key_wrapped", &|(_, wrapped)| Some(wrapped.key.clone()))?;
        let times = used.iter().map(|(_, wrapped)| wrapped.time).collect::<TimestampMicrosecondArray>();
        let times: ArrayRef = Arc::new(times.with_timezone("UTC"));
        rows.set("time", times)?;
        Ok(Some(rows))
    }
}

impl DataKeys {
    /// The data key of a user, made if it is not remembered.
    fn of(&self, tenant: &str, user: &str, time: Option<i64>) -> Result<Used, OpenError> {
        let name = format!("{tenant}\0{user}");
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(wrapped) = known.get(0, &name).map(Arc::clone) {
            drop(known);
            let key = self.envelopes.open(tenant, user, &wrapped.id, &wrapped.key)?;
            return Ok(Used { key, wrapped });
        }
        let (key, sealed) = self.envelopes.seal(tenant, user)?;
        let wrapped = Arc::new(Wrapped { id: key.id().to_owned(), key: sealed, time });
        let size = size_of::<Wrapped>() + wrapped.id.len() + wrapped.key.len();
        known.put(0, &name, Arc::clone(&wrapped), size);
        Ok(Used { key, wrapped })
    }
}
