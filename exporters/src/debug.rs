//! Says in the log how many rows of which table passed, never what is in them.
//!
//! ```yaml
//! exporters:
//!   debug: {}
//! service:
//!   pipelines:
//!     traces: { receivers: [otlp], exporters: [lake, debug] }
//! ```

use component::Sealed;

/// Name in the configuration.
pub const NAME: &str = "debug";
/// One sentence for people.
pub const ABOUT: &str = "Logs how many rows of which table passed.";

/// One line about a gather: `3 requests, 1 errors`.
pub fn line(sealed: &Sealed) -> String {
    let tables: Vec<String> = sealed.tables().map(|rows| format!("{} {}", rows.len(), rows.table().name)).collect();
    tables.join(", ")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use component::{Gather, Rows, Seal};

    #[test]
    fn a_line_counts_rows_by_table() {
        let catalog = schemas::Catalog::built_in().unwrap();
        let rows = |table: &str, n: usize| {
            let table = Arc::clone(catalog.table(table).unwrap());
            let columns = vec![None; table.columns.len()];
            Rows::new(table, columns, vec![0; n]).unwrap()
        };
        let gather = Gather::new(vec![rows("errors", 1), rows("requests", 3), rows("spans", 0)]);
        let sealed = Seal::new(Vec::new()).seal(gather).unwrap();
        assert_eq!(super::line(&sealed), "1 errors, 3 requests");
    }
}
