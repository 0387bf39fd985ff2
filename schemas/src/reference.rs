//! The generated reference: what each table is and what happens to each column.

use std::fmt::Write;

use crate::catalog::Catalog;
use crate::table::{Column, Source, Table};

/// The whole reference as Markdown.
pub fn reference(catalog: &Catalog) -> String {
    let mut out = String::from(
        "# Tables\n\nGenerated from `schemas/tables/*.yaml` by `marquetry schema --reference`; do not edit.\n",
    );
    for table in catalog.tables().iter().chain(catalog.journal_only()) {
        table_section(&mut out, table);
    }
    out
}

fn table_section(out: &mut String, table: &Table) {
    // Writing to a String cannot fail.
    let _ = write!(out, "\n## {}\n\n{}\n\n", table.name, table.about);
    if table.journal_only {
        out.push_str("In the journal only: neither in the lake nor in SQL. ");
    }
    if let Some(days) = table.retention.keep_days {
        let _ = write!(out, "Kept for {days} days. ");
    }
    if !table.sort.is_empty() {
        let _ = write!(out, "Sorted by {}.", table.sort.join(", "));
    }
    out.push_str("\n\n| column | type | class | from | about |\n|---|---|---|---|---|\n");
    for column in &table.columns {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            column.name,
            column.r#type.as_str(),
            match (column.transient, column.journal_only) {
                (true, _) => format!("{}, never stored", column.class.as_str()),
                (_, true) => format!("{}, in the journal only", column.class.as_str()),
                _ => column.class.as_str().to_owned(),
            },
            origin(column),
            column.about.replace('|', "\\|"),
        );
    }
}

fn origin(column: &Column) -> String {
    if let Some(origin) = &column.from_hash {
        return format!("keyed hash of `{origin}`, domain `{}`", column.domain.as_deref().unwrap_or_default());
    }
    let mut parts: Vec<String> = column
        .from
        .iter()
        .map(|source| match source {
            Source::Attribute { key, scale: None } => format!("`{key}`"),
            Source::Attribute { key, scale: Some(scale) } => format!("`{key}` × {scale:e}"),
            Source::Resource(key) => format!("`resource:{key}`"),
            Source::Field(name) => format!("`field:{name}`"),
        })
        .collect();
    if let Some(by) = &column.by {
        parts.push(match by.as_str() {
            "lookup" => "a file, by processor `enrich`".to_owned(),
            by => format!("processor `{by}`"),
        });
    }
    parts.join(", ")
}
