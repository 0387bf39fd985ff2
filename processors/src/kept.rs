//! Rows that no rule takes away: what somebody will ask for when something went wrong.

use arrow::array::{Array, Int64Array};
use component::Text;
use schemas::Table;

use crate::columns::Columns;

/// Tables whose rows stay whatever a rule says, beside those that are audited.
const KEPT: &[&str] = &["errors", "auth_events"];

/// Lowest OTLP severity number that is an error.
const SEVERITY_ERROR: i64 = 17;

/// Whether every row of a table stays.
pub(crate) fn is_kept(table: &Table) -> bool {
    table.audit || KEPT.contains(&table.name.as_str())
}

/// The columns in which a row says that something went wrong.
pub(crate) struct Errors<'a> {
    span: Option<Text<'a>>,
    status: Option<&'a Int64Array>,
    severity: Option<&'a Int64Array>,
}

impl<'a> Errors<'a> {
    /// Columns that are read.
    pub(crate) const READS: &'static [&'static str] = &["span_status", "status_code", "severity_number"];

    pub(crate) fn of(rows: &'a impl Columns) -> Self {
        let [span, status, severity] = [0, 1, 2].map(|column| Self::READS[column]);
        Self { span: rows.words(span), status: rows.numbers(status), severity: rows.numbers(severity) }
    }

    pub(crate) fn says(&self, row: usize) -> bool {
        let at_least =
            |ints: Option<&Int64Array>, least: i64| ints.is_some_and(|a| a.is_valid(row) && a.value(row) >= least);
        self.span.is_some_and(|t| t.get(row) == Some("error"))
            || at_least(self.status, 500)
            || at_least(self.severity, SEVERITY_ERROR)
    }
}
