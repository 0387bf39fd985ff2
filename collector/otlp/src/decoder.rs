//! The decoder: everything worked out from the catalog once, and the memory that decoding uses again.

use std::ops::Range;
use std::sync::Arc;

use component::{Gather, KeyError, Keyring, Rows, RowsError};
use schemas::Catalog;

use crate::keys::Keys;
use crate::plan::{BuildError, Numbering, plans};
use crate::route::Router;
use crate::rows::{Scratch, TableRows};
use crate::session::Session;
use crate::{Decoded, Request};

/// Requests that cannot be decoded together, though each may be well formed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The key for the identities of records.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A column does not fit its table.
    #[error(transparent)]
    Rows(#[from] RowsError),
    /// More text than one column holds; fewer requests at once may fit.
    #[error("decoding into table {table}: a column of one gather would exceed 2 GiB; decode fewer requests at once")]
    TooLarge {
        /// Table name.
        table: String,
    },
    /// Arrow refused a column.
    #[error("building column {table}.{column}")]
    Column {
        /// Table name.
        table: String,
        /// Column name.
        column: String,
        /// Arrow's reason.
        source: arrow::error::ArrowError,
    },
}

/// Turns export requests into rows of tables.
pub struct Decoder {
    keyring: Arc<Keyring>,
    pub(crate) lookup: Lookup,
    tables: Vec<TableRows>,
    scratch: Scratch,
    /// Bytes of the last gather that was large enough to tell how columns grow.
    before: usize,
}

/// From this many bytes on, room is made ahead.
const LARGE: usize = 64 << 10;

/// What decoding only reads.
pub(crate) struct Lookup {
    pub(crate) keys: Keys,
    /// How many keys have a presence bit.
    pub(crate) conditions: usize,
    pub(crate) router: Router,
    /// The number of the key `event.name`.
    pub(crate) event_name: u16,
    /// The number of the key `log.record.uid`.
    pub(crate) record_uid: u16,
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").field("tables", &self.tables.len()).finish_non_exhaustive()
    }
}

impl Decoder {
    /// A decoder into the tables of `catalog`. Fails if a column has a source that no record has.
    pub fn new(catalog: Arc<Catalog>, keys: Arc<Keyring>) -> Result<Self, BuildError> {
        let mut number = Numbering::default();
        let router = Router::new(&catalog, &mut number)?;
        let conditions = number.len();
        let (event_name, record_uid) = (number.of("event.name"), number.of("log.record.uid"));
        let plans = plans(&catalog, &mut number)?;
        let keyring = keys;
        let keys = Keys::new(number.into_names()).ok_or(BuildError::TooMany("attribute keys"))?;
        let tables = catalog.tables().iter().zip(plans).map(|(t, plan)| TableRows::new(Arc::clone(t), plan)).collect();
        let lookup = Lookup { keys, conditions, router, event_name, record_uid };
        Ok(Self { keyring, lookup, tables, scratch: Scratch::default(), before: 0 })
    }

    /// Decodes the requests of one gather. Whatever a request holds, it costs at most itself.
    pub fn decode(&mut self, requests: &[Request<'_>]) -> Result<Decoded, DecodeError> {
        self.make_room(requests);
        self.decode_without(requests, &[])
    }

    /// Decodes the requests as if the records whose numbers lie in `without`, counted from 0 in each request, were not
    /// there: for whoever looks for the record that a later stage cannot take. They are in no count of the outcome.
    pub fn decode_without(&mut self, requests: &[Request<'_>], without: &[Range<u64>]) -> Result<Decoded, DecodeError> {
        let session = Session::new(&self.lookup, &self.keyring, &mut self.tables, &mut self.scratch);
        let decoded = session.without(without).run(requests);
        let decoded = decoded.and_then(|outcomes| Ok(Decoded { gather: finish(&mut self.tables)?, outcomes }));
        if decoded.is_err() {
            self.tables.iter_mut().for_each(TableRows::clear);
        }
        decoded
    }
}

impl Decoder {
    /// Makes room as the last gather needed it, so that columns do not grow step by step.
    fn make_room(&mut self, requests: &[Request<'_>]) {
        let bytes: usize = requests.iter().map(|request| request.body.len()).sum();
        if bytes < LARGE {
            return;
        }
        if self.before > 0 {
            let share = (bytes as f64 / self.before as f64).min(2.0);
            self.tables.iter_mut().for_each(|rows| rows.expect(share));
        }
        self.before = bytes;
    }
}

/// The columns of all tables as arrays; leaves the tables empty.
fn finish(tables: &mut [TableRows]) -> Result<Gather, DecodeError> {
    let mut gathered = Vec::new();
    for rows in tables.iter_mut().filter(|rows| rows.len() > 0) {
        if rows.is_full() {
            return Err(DecodeError::TooLarge { table: rows.table.name.clone() });
        }
        let len = rows.len();
        let mut columns = Vec::with_capacity(rows.columns.len());
        for (index, column) in rows.columns.iter_mut().enumerate() {
            columns.push(column.finish(len).map_err(|source| DecodeError::Column {
                table: rows.table.name.clone(),
                column: rows.table.columns[index].name.clone(),
                source,
            })?);
        }
        let requests = rows.reset();
        gathered.push(Rows::new(Arc::clone(&rows.table), columns, requests)?);
    }
    Ok(Gather::new(gathered))
}
