//! Keeps what names a user for the user directory: e-mail, phone and name, encrypted, in rows of the table `directory`.
//!
//! It runs in the seal, behind `hash`, which makes the pseudonyms, and before what it read is dropped. Everybody else sees
//! pseudonyms; the exporter `directory` keeps these rows, and `marquetry users find` asks it.
//!
//! ```yaml
//! processors:
//!   directory:
//!     enabled: true                     # false where no exporter `directory` runs
//!     keep: [email, phone, name]        # what may be read again; what is left out is never written
//!     remember: 65536                   # rows that a worker knows to have written, so that sign-ins write nothing new
//! ```
//!
//! A row is made of every record that names its user as a fact, `user.id` in an attribute, and says an e-mail address
//! (`user.email`), a phone number (`user.phone`) or a name (`user.full_name`, else `user.name`) of the same person: sign-ups,
//! sign-ins, profile changes, whatever their table. An overlay adds aliases. An attempt that failed says nothing of anybody,
//! and a user who was only inferred from a trace or session might be another.
//!
//! E-mail addresses and phone numbers are kept in their normal form, the one that their pseudonym is made of.

#[cfg(test)]
mod tests;
mod values;

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder, TimestampMicrosecondArray};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use component::{Component, ConfigError, Context, Envelopes, Gather, OpenError, ProcessError, Processor, Recent, Rows};
use schemas::Table;
use serde::Deserialize;

use crate::hash::{self, Maker};
use values::{Said, Source};

pub use component::directory::{Part, TABLE, VERSION};

/// Settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Whether rows are made at all.
    pub enabled: bool,
    /// What may be read again.
    pub keep: Vec<Part>,
    /// Rows that a worker knows to have written.
    pub remember: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { enabled: true, keep: vec![Part::Email, Part::Phone, Part::Name], remember: 1 << 16 }
    }
}

/// The processor.
pub struct Directory {
    /// `None` when it is switched off.
    work: Option<Work>,
}

struct Work {
    table: Arc<Table>,
    keep: Vec<Part>,
    maker: Maker,
    envelopes: Envelopes,
    recent: Arc<Recent>,
    /// Keyed by chance, so that no sender can make two people look like one.
    prints: [RandomState; 2],
}

impl Component for Directory {
    const NAME: &'static str = "directory";
    const ABOUT: &'static str = "Keeps e-mail, phone and name of users, encrypted, for the user directory.";
    type Config = Config;

    fn new(config: Config, cx: &Context) -> Result<Self, ConfigError> {
        let Some(table) = cx.catalog.table(TABLE).filter(|_| config.enabled && !config.keep.is_empty()) else {
            return Ok(Self { work: None });
        };
        let recent = Arc::new(Recent::new(config.remember));
        // The engine finds it there and says when a gather has been written.
        cx.shared.put(Arc::clone(&recent));
        let seal: hash::Config = serde_json::from_value(cx.section("hash")).unwrap_or_default();
        let work = Work {
            table: Arc::clone(table),
            keep: config.keep,
            maker: Maker::new(&seal, cx)?,
            envelopes: Envelopes::new(Arc::clone(&cx.keys), TABLE),
            recent,
            prints: [RandomState::new(), RandomState::new()],
        };
        Ok(Self { work: Some(work) })
    }
}

impl Processor for Directory {
    fn process(&mut self, gather: &mut Gather) -> Result<(), ProcessError> {
        let Some(work) = &self.work else { return Ok(()) };
        work.recent.begin();
        let mut draft = Draft::default();
        for rows in gather.tables() {
            let Some(source) = Source::of(rows, &work.keep) else { continue };
            for row in 0..rows.len() {
                if let Some(said) = source.said(row)
                    && work.is_news(&said)
                {
                    draft.push(&said, rows.requests()[row], work)?;
                }
            }
        }
        if let Some(rows) = draft.finish(&work.table)? {
            gather.put(rows);
        }
        Ok(())
    }
}

impl Work {
    /// Whether a worker has not lately written the same: a sign-in says again what the sign-up said.
    fn is_news(&self, said: &Said<'_>) -> bool {
        let [high, low] = self.prints.each_ref().map(|print| u128::from(print.hash_one(said.content())));
        self.recent.offer(high << 64 | low)
    }
}

/// Rows of the directory while they are made.
#[derive(Default)]
struct Draft {
    requests: Vec<u32>,
    texts: [StringBuilder; TEXTS.len()],
    times: Vec<Option<i64>>,
    created: Vec<Option<i64>>,
}

/// The columns of text, in the order in which a draft has them.
const TEXTS: [&str; 10] = [
    "tenant",
    "user_ref",
    "key_id",
    "key_wrapped",
    "email_enc",
    "phone_enc",
    "name_enc",
    "email_ref",
    "phone_ref",
    "roles",
];

impl Draft {
    fn push(&mut self, said: &Said<'_>, request: u32, work: &Work) -> Result<(), ProcessError> {
        let mut values = [const { None }; Part::ALL.len()];
        for (part, value) in Part::ALL.into_iter().zip(&mut values) {
            *value = said.part(part, &work.maker)?;
        }
        if values.iter().all(Option::is_none) {
            return Ok(());
        }
        let (key, wrapped) = work.envelopes.seal(said.tenant, said.user_ref).map_err(refused)?;
        let mut sealed = [const { None }; Part::ALL.len()];
        for ((part, place), value) in Part::ALL.into_iter().zip(&mut sealed).zip(values) {
            let Some(value) = value else { continue };
            let bytes = key.encrypt(&[said.user_ref, part.as_str(), VERSION], value.as_bytes()).map_err(refused)?;
            *place = Some(STANDARD_NO_PAD.encode(bytes));
        }
        let [email, phone, name] = &sealed;
        let texts = [
            Some(said.tenant),
            Some(said.user_ref),
            Some(key.id()),
            Some(&*wrapped),
            email.as_deref(),
            phone.as_deref(),
            name.as_deref(),
            said.email_ref.filter(|_| email.is_some()),
            said.phone_ref.filter(|_| phone.is_some()),
            said.roles,
        ];
        self.texts.iter_mut().zip(texts).for_each(|(column, text)| column.append_option(text));
        self.times.push(said.time);
        self.created.push(said.created);
        self.requests.push(request);
        Ok(())
    }

    fn finish(mut self, table: &Arc<Table>) -> Result<Option<Rows>, ProcessError> {
        if self.requests.is_empty() {
            return Ok(None);
        }
        let mut rows = Rows::new(Arc::clone(table), vec![None; table.columns.len()], self.requests)?;
        for (name, builder) in TEXTS.into_iter().zip(&mut self.texts) {
            rows.set(name, Arc::new(builder.finish()))?;
        }
        for (name, micros) in [("time", self.times), ("created_time", self.created)] {
            let times: ArrayRef = Arc::new(TimestampMicrosecondArray::from(micros).with_timezone("UTC"));
            rows.set(name, times)?;
        }
        Ok(Some(rows))
    }
}

fn refused(error: OpenError) -> ProcessError {
    ProcessError::Refused(format!("encrypting a row of the user directory: {error}"))
}
