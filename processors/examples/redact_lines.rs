//! Passes JSON lines through `redact` as the bodies of log records and prints what would be stored of each:
//! `cargo run --release -p processors --example redact_lines [redact.json] < lines.jsonl`.
//!
//! A line is `{"text": ".."}`, whatever else it says; the answer is `{"stored": "..", "redactions": {"email": "1"}}`.
//! The argument is a file with settings of `redact` as JSON.

use std::error::Error;
use std::io::{BufRead, Write};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray};
use component::{Component, Context, Gather, Keyring, Processor, Rows};
use processors::redact::Redact;
use schemas::Catalog;
use serde::{Deserialize, Serialize};

/// Lines that are redacted at once.
const LINES: usize = 1024;

#[derive(Deserialize)]
struct Asked {
    text: String,
}

#[derive(Serialize)]
struct Answer<'a> {
    stored: &'a str,
    redactions: serde_json::Map<String, serde_json::Value>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let config = match std::env::args().nth(1) {
        Some(path) => serde_json::from_str(&std::fs::read_to_string(path)?)?,
        None => Default::default(),
    };
    let catalog = Arc::new(Catalog::built_in()?);
    let keys = Arc::new(Keyring::new(&[7; 32], 1)?);
    let mut redact = Redact::new(config, &Context::new(Arc::clone(&catalog), keys))?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut texts = Vec::new();
    for line in std::io::stdin().lock().lines() {
        texts.push(serde_json::from_str::<Asked>(&line?)?.text);
        if texts.len() == LINES {
            answer(&catalog, &mut redact, &std::mem::take(&mut texts), &mut out)?;
        }
    }
    // A gather without rows holds no table.
    if !texts.is_empty() {
        answer(&catalog, &mut redact, &texts, &mut out)?;
    }
    Ok(out.flush()?)
}

fn answer(
    catalog: &Catalog,
    redact: &mut Redact,
    texts: &[String],
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let table = catalog.table("logs").ok_or("no table logs")?;
    let body: ArrayRef = Arc::new(StringArray::from_iter_values(texts));
    let columns = table.columns.iter().map(|c| (c.name == "body").then(|| Arc::clone(&body))).collect();
    let mut gather = Gather::new(vec![Rows::new(Arc::clone(table), columns, vec![0; texts.len()])?]);
    redact.process(&mut gather)?;
    let rows = gather.table("logs").ok_or("no table logs")?;
    let stored = rows.text("body").ok_or("no column body")?;
    for row in 0..rows.len() {
        let mut redactions = serde_json::Map::new();
        if let Some(map) = rows.map("redactions") {
            let entries = map.value(row);
            let (names, counts) = (entries.column(0).as_string::<i32>(), entries.column(1).as_string::<i32>());
            let pairs = names.iter().flatten().zip(counts.iter().flatten());
            redactions.extend(pairs.map(|(name, count)| (name.to_owned(), count.into())));
        }
        serde_json::to_writer(&mut *out, &Answer { stored: stored.get(row).unwrap_or(""), redactions })?;
        out.write_all(b"\n")?;
    }
    Ok(())
}
