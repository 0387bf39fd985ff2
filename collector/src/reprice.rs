//! Stored calls priced anew, beside what they cost when they came.

use std::fs::File;
use std::io::{BufWriter, IsTerminal};
use std::path::Path;

use queries::Answer;
use serde_json::{Map, Value};

use crate::asking::{self, failed};
use crate::cli::Format;
use crate::config::Config;
use crate::error::Error;
use crate::prices;
use crate::until_closed::UntilClosed;

/// The stored call of an id, as JSON.
pub(crate) async fn stored(config: &Config, id: &str) -> Result<Map<String, Value>, Error> {
    // Ids are hex digits, colons and Base32; anything else would be SQL.
    if id.is_empty() || !id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b':' | b'_' | b'-')) {
        return Err(Error::Usage("a call is JSON, or the record_id of a row of provider_calls".to_owned()));
    }
    let columns = columns(config)?;
    let engine = asking::open(config).await?;
    let sql = format!("SELECT {columns} FROM provider_calls WHERE record_id = '{id}' LIMIT 1");
    let answer = engine.query(&sql).await.map_err(|e| failed(&e))?;
    let mut text = Vec::new();
    answer.write(queries::Format::Json, &mut text).map_err(|e| failed(&e))?;
    let rows: Vec<Map<String, Value>> = serde_json::from_slice(&text).map_err(|e| Error::Query(e.to_string()))?;
    rows.into_iter().next().ok_or_else(|| Error::Usage(format!("no call has the record_id {id}")))
}

fn columns(config: &Config) -> Result<String, Error> {
    let quoted: Vec<String> = prices::again(config)?.needed().iter().map(|name| format!("\"{name}\"")).collect();
    Ok(quoted.join(", "))
}

/// `prices reprice`: a report, one line a call that counts. No stored row is changed.
pub(crate) async fn reprice(
    config: &Config,
    range: (Option<&str>, Option<&str>),
    format: Format,
    output: Option<&Path>,
) -> Result<(), Error> {
    if format == Format::Parquet && output.is_none() && std::io::stdout().is_terminal() {
        return Err(Error::Usage("Parquet is not for a terminal; add --output FILE".to_owned()));
    }
    let mut sql = format!("SELECT {} FROM provider_calls WHERE echo_of IS NULL", columns(config)?);
    for (moment, test) in [(range.0, ">="), (range.1, "<")] {
        if let Some(moment) = moment {
            sql.push_str(&format!(" AND time {test} {}", timestamp(moment)?));
        }
    }
    sql.push_str(" ORDER BY time");
    let engine = asking::open(config).await?;
    let stored = engine.query(&sql).await.map_err(|e| failed(&e))?;
    let mut again = prices::again(config)?;
    let mut batches = Vec::new();
    for batch in &stored.batches {
        batches.push(again.reprice(batch).map_err(|e| Error::Query(crate::with_sources(&e)))?);
    }
    let Some(first) = batches.first() else {
        return Err(Error::Usage("no call is stored in that time".to_owned()));
    };
    let answer = Answer { schema: first.schema(), batches };
    match output {
        Some(path) => {
            let file = File::create(path).map_err(|why| Error::file("writing", path, why))?;
            asking::write(&answer, format, BufWriter::new(file))
        }
        None => asking::write(&answer, format, BufWriter::new(UntilClosed::new(std::io::stdout()))),
    }
}

/// A day or a moment as SQL.
fn timestamp(text: &str) -> Result<String, Error> {
    let allowed = |b: u8| b.is_ascii_digit() || matches!(b, b'-' | b':' | b'T' | b'Z' | b'.' | b'+' | b' ');
    if text.len() < 10 || !text.bytes().all(allowed) {
        return Err(Error::Usage(format!("{text} is no time; write 2026-07-01 or 2026-07-01T12:00:00Z")));
    }
    Ok(format!("TIMESTAMP '{text}'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_no_sql() {
        assert_eq!(timestamp("2026-07-01").unwrap(), "TIMESTAMP '2026-07-01'");
        assert!(timestamp("2026-07-01' OR 'a").is_err() && timestamp("now").is_err());
    }
}
