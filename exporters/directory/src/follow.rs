//! From the journal's rows to the file's.

use std::collections::BTreeSet;

use arrow::array::{Array, RecordBatch, TimestampMicrosecondArray};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use component::Text;
use journal::{Entry, JournalId, Place, Position, Snapshot as Segments};
use schemas::Catalog;

use crate::file::Batch;
use crate::record::Record;
use crate::{Error, TABLE};

/// Bytes of the journal that are read before what was found is written.
const AT_ONCE: usize = 8 << 20;

/// The columns of encrypted values, in the order of a record.
const SEALED: [&str; 3] = ["email_enc", "phone_enc", "name_enc"];

/// A follower of one journal.
pub(crate) struct Follower {
    pub(crate) journal: JournalId,
    /// Everything up to here is in the file.
    pub(crate) taken: Position,
    place: Place,
}

/// What was read at once.
#[derive(Default)]
pub(crate) struct Chunk {
    pub(crate) batch: Batch,
    /// A row wants somebody's earlier rows gone.
    pub(crate) erases: bool,
    pub(crate) refused: u64,
    pub(crate) last: Option<Position>,
    pub(crate) more: bool,
    place: Place,
}

impl Follower {
    pub(crate) fn new(journal: JournalId, taken: Position) -> Self {
        Self { journal, taken, place: Place::default() }
    }

    /// Reads on, up to `upto`, without rows of data keys that are gone. Damage is told by the lake, which reads the same bytes.
    pub(crate) fn read(
        &self,
        segments: &Segments,
        catalog: &Catalog,
        upto: Position,
        gone: &BTreeSet<String>,
    ) -> Result<Chunk, Error> {
        let stretch = segments.stretch(self.journal, &self.place, upto, AT_ONCE);
        let last = stretch.entries.last().map(Entry::position);
        let mut chunk = Chunk { last, more: stretch.more, place: stretch.next, ..Chunk::default() };
        for entry in stretch.entries.iter().filter(|entry| entry.position() > self.taken) {
            if entry.tables().any(|(table, _)| table == TABLE) {
                for part in entry.parts(catalog, |table| table == TABLE)? {
                    chunk.take(&part.batch, gone);
                }
            }
        }
        Ok(chunk)
    }

    /// What was read is in the file.
    pub(crate) fn advance(&mut self, chunk: Chunk) {
        self.taken = chunk.last.map_or(self.taken, |last| last.max(self.taken));
        self.place = chunk.place;
    }
}

impl Chunk {
    fn take(&mut self, rows: &RecordBatch, gone: &BTreeSet<String>) {
        let text = |name: &str| rows.column_by_name(name).and_then(Text::new);
        let (tenant, user_ref) = (text("tenant"), text("user_ref"));
        let (key_id, key_wrapped) = (text("key_id"), text("key_wrapped"));
        let sealed = SEALED.map(text);
        let [email_ref, phone_ref, roles, status] = ["email_ref", "phone_ref", "roles", "status"].map(text);
        let created = rows.column_by_name("created_time");
        let created = created.and_then(|c| c.as_any().downcast_ref::<TimestampMicrosecondArray>());
        for row in 0..rows.num_rows() {
            fn at<'a>(column: &Option<Text<'a>>, row: usize) -> Option<&'a str> {
                column.and_then(|text| text.get(row))
            }
            let decoded = sealed.map(|column| at(&column, row).map(|text| STANDARD_NO_PAD.decode(text)));
            let is_broken = decoded.iter().flatten().any(Result::is_err);
            let sealed = decoded.each_ref().map(|value| value.as_ref()?.as_deref().ok());
            let record = Record {
                tenant: at(&tenant, row).unwrap_or_default(),
                user_ref: at(&user_ref, row).unwrap_or_default(),
                key_id: at(&key_id, row).unwrap_or_default(),
                key_wrapped: at(&key_wrapped, row).unwrap_or_default(),
                sealed,
                email_ref: at(&email_ref, row),
                phone_ref: at(&phone_ref, row),
                roles: at(&roles, row),
                status: at(&status, row),
                created: created.filter(|c| c.is_valid(row)).map(|c| c.value(row)),
            };
            if record.is_key() && gone.contains(record.key_id) {
                continue;
            }
            if is_broken || record.user_ref.is_empty() || !self.batch.row(&record) {
                self.refused += 1;
                continue;
            }
            self.erases |= record.erases();
        }
    }
}
