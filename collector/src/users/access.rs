//! The row of `access_log` about a look-up, sealed as any other and on disk before the answer is given.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arrow::array::{ArrayRef, BooleanArray, Date32Array, Int64Array, StringArray, TimestampMicrosecondArray};
use component::{Context, Gather, Rows, Seal};
use journal::Journal;

use crate::error::Error;

const TABLE: &str = "access_log";

/// Pseudonyms that one row names.
const REFS: usize = 100;

/// Longest reason that is kept, in bytes; the seal looks through it.
const REASON: usize = 512;

/// Writes the rows.
pub(crate) struct Access {
    context: Context,
    seal: Mutex<Seal>,
    journal: Journal,
}

/// What is put down.
pub(super) struct Entry<'a> {
    pub(super) tenant: &'a str,
    pub(super) actor: &'a str,
    pub(super) action: &'a str,
    /// The text that was looked for. Only its keyed hash is written.
    pub(super) text: &'a str,
    pub(super) length: usize,
    pub(super) reason: Option<&'a str>,
    pub(super) hits: u64,
    pub(super) in_clear: bool,
    pub(super) refs: Vec<&'a str>,
}

impl Access {
    pub(crate) fn new(context: Context, seal: Seal, journal: Journal) -> Self {
        Self { context, seal: Mutex::new(seal), journal }
    }

    /// Puts an entry down; it is durable when this returns.
    pub(super) async fn put(&self, entry: &Entry<'_>) -> Result<(), Error> {
        let rows = self.rows(entry).map_err(|e| failed(&e))?;
        let sealed = {
            let mut seal = self.seal.lock().unwrap_or_else(PoisonError::into_inner);
            seal.seal(Gather::new(vec![rows])).map_err(|e| failed(&e))?
        };
        let position = self.journal.append(&sealed)?;
        Ok(self.journal.durable(position).await?)
    }

    fn rows(&self, entry: &Entry<'_>) -> Result<Rows, Box<dyn std::error::Error>> {
        let table = self.context.catalog.table(TABLE).ok_or("the schemas have no table access_log")?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
        let (micros, nanos) = (i64::try_from(now.as_micros())?, i64::try_from(now.as_nanos())?);
        let day = i32::try_from(now.as_secs() / 86_400)?;
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|e| e.to_string())?;
        let keys = &self.context.keys;
        let uid = keys.key(entry.tenant, "record")?.pseudonym_of(&[&random]).into_string();
        let hash = keys.key(entry.tenant, "access")?.pseudonym(entry.text).into_string();
        let refs: Vec<&str> = entry.refs.iter().take(REFS).copied().collect();
        let text = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text])) };
        let int = |int: i64| -> ArrayRef { Arc::new(Int64Array::from(vec![int])) };
        let time = || -> ArrayRef { Arc::new(TimestampMicrosecondArray::from(vec![micros]).with_timezone("UTC")) };
        let date: ArrayRef = Arc::new(Date32Array::from(vec![day]));
        let in_clear: ArrayRef = Arc::new(BooleanArray::from(vec![entry.in_clear]));
        let mut columns = vec![
            ("tenant", text(entry.tenant)),
            ("time", time()),
            ("time_unix_nano", int(nanos)),
            ("received_time", time()),
            ("date", date),
            ("service_name", text("marquetry")),
            ("service_version", text(crate::VERSION)),
            ("record_uid", text(&uid)),
            ("actor", text(entry.actor)),
            ("action", text(entry.action)),
            ("query_hash", text(&hash)),
            ("query_length", int(i64::try_from(entry.length)?)),
            ("hits", int(i64::try_from(entry.hits)?)),
            ("shown", int(i64::try_from(entry.refs.len())?)),
            ("in_clear", in_clear),
            ("found_refs", text(&serde_json::to_string(&refs)?)),
        ];
        if let Some(reason) = entry.reason {
            columns.push(("reason", text(&reason[..reason.floor_char_boundary(REASON)])));
        }
        let mut rows = Rows::new(Arc::clone(table), vec![None; table.columns.len()], vec![0])?;
        for (name, values) in columns {
            rows.set(name, values)?;
        }
        Ok(rows)
    }
}

fn failed(why: &dyn std::fmt::Display) -> Error {
    Error::Usage(format!("the look-up could not be put down in access_log, so it is not answered: {why}"))
}
