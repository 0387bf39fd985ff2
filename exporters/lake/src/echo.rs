//! A record whose OK was lost is sent again and is there twice, with one identity. The merge marks the second row as an
//! echo of itself, so that sums count it once; it drops nothing.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::Int64Type;
use arrow::error::ArrowError;

/// The column that says which row counts instead.
pub(crate) const ECHO_OF: &str = "echo_of";
/// Identities remembered of one run of equal sort keys; beyond it a run is searched in parts.
const MOST: usize = 65_536;

/// Looks for equal identities among rows that are equal by the table's sort, which rows sent twice always are.
#[derive(Debug, Default)]
pub(crate) struct Echoes {
    /// By tenant: nobody makes an echo of another's row.
    seen: HashSet<(String, String)>,
    marked: u64,
}

impl Echoes {
    /// Rows marked so far.
    pub(crate) fn marked(&self) -> u64 {
        self.marked
    }

    /// Marks the echoes of a batch. `starts` says of each row whether its sort key differs from the row's before it.
    pub(crate) fn mark(&mut self, batch: RecordBatch, starts: &[bool]) -> Result<RecordBatch, ArrowError> {
        let Ok(place) = batch.schema().index_of(ECHO_OF) else { return Ok(batch) };
        let Some(known) = batch.column(place).as_string_opt::<i32>() else { return Ok(batch) };
        let mut out: Option<Vec<Option<String>>> = None;
        for row in 0..batch.num_rows() {
            if starts[row] || self.seen.len() >= MOST {
                self.seen.clear();
            }
            let is_alone = starts[row] && starts.get(row + 1) == Some(&true);
            if is_alone || known.is_valid(row) {
                continue;
            }
            let Some(id) = identity(&batch, row) else { continue };
            if !self.seen.insert((tenant(&batch, row).to_owned(), id.clone())) {
                let values = out.get_or_insert_with(|| known.iter().map(|v| v.map(str::to_owned)).collect());
                values[row] = Some(id);
                self.marked += 1;
            }
        }
        let Some(values) = out else { return Ok(batch) };
        let mut columns = batch.columns().to_vec();
        columns[place] = Arc::new(StringArray::from(values));
        RecordBatch::try_new(batch.schema(), columns)
    }
}

/// Whose row it is.
pub(crate) fn tenant(batch: &RecordBatch, row: usize) -> &str {
    let column = batch.column_by_name("tenant").and_then(|c| c.as_string_opt::<i32>());
    column.filter(|c| c.is_valid(row)).map_or("", |c| c.value(row))
}

/// `record_id` as SQL computes it.
pub(crate) fn identity(batch: &RecordBatch, row: usize) -> Option<String> {
    let text = |column: &str| {
        let array = batch.column_by_name(column)?.as_string_opt::<i32>()?;
        array.is_valid(row).then(|| array.value(row))
    };
    if let Some(uid) = text("record_uid") {
        return Some(uid.to_owned());
    }
    let span = format!("{}:{}", text("trace_id")?, text("span_id")?);
    let events = batch.column_by_name("event_index").and_then(|c| c.as_primitive_opt::<Int64Type>());
    match events.filter(|e| e.is_valid(row)) {
        Some(events) => Some(format!("{span}:{}", events.value(row))),
        None => Some(span),
    }
}
