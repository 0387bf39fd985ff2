//! Test builds alone (feature `control`): what would be written of records if nobody had sealed them, in the log and in the
//! metrics as well, so that the privacy scan can show that it looks there.

use arrow::array::Array;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use component::{Counts, Sealed};

/// Says every value of every row in the log, and of texts in a label.
pub(super) fn tell(sealed: &Sealed, counts: &Counts) {
    let plain = FormatOptions::default();
    for rows in sealed.tables() {
        for (index, column) in rows.table().columns.iter().enumerate() {
            let Some(values) = rows.at(index) else { continue };
            let Ok(formatter) = ArrayFormatter::try_new(values.as_ref(), &plain) else { continue };
            for row in (0..rows.len()).filter(|row| values.is_valid(*row)) {
                let value = formatter.value(row).to_string();
                tracing::info!(table = rows.table().name, column = column.name, value, "unsealed");
                if rows.text(&column.name).is_some() {
                    counts.add("unsealed", &value, 1);
                }
            }
        }
    }
}
