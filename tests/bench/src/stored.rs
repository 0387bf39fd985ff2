//! What is on the disk afterwards, read with each side's own means and compared with what was sent.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::Path;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde_json::Value;

use crate::Result;
use crate::corpus::{Expected, TABLES, Table};
use crate::subject::{Setup, Side};

const CONTENT: &str = "gen_ai.input.messages";

/// Fails unless everything that was acknowledged is stored once; says how many bytes it takes.
pub fn check(setup: &Setup, expected: &Expected) -> Result<u64> {
    match setup.side {
        Side::Marquetry => marquetry(setup, expected),
        Side::Go => go(&setup.data, expected),
    }
}

/// Counts every table, and the rows that are somebody's home.
fn marquetry(setup: &Setup, expected: &Expected) -> Result<u64> {
    let count = |table: &Table| {
        let name = table.name();
        format!(
            "SELECT '{name}' AS name, count(*) AS row_count, count(CASE WHEN is_primary THEN 1 END) AS home FROM {name}"
        )
    };
    let mut questions: Vec<_> = TABLES.iter().map(count).collect();
    questions.push(
        "SELECT 'content', count(input_messages), count(CASE WHEN is_primary THEN input_messages END) FROM provider_calls"
            .to_owned(),
    );
    let rows = query(setup, &questions.join(" UNION ALL "))?;
    let found = |name: &str, column: &str| -> Result<u64> {
        let row = rows.iter().find(|row| row["name"] == name).ok_or_else(|| format!("no count of {name}"))?;
        row[column].as_u64().ok_or_else(|| format!("no {column} of {name}").into())
    };
    for (at, table) in TABLES.iter().enumerate() {
        equal(table.name(), "rows", found(table.name(), "row_count")?, expected.rows[at])?;
        equal(table.name(), "home rows", found(table.name(), "home")?, expected.home[at])?;
    }
    equal("provider_calls", "rows with messages", found("content", "home")?, expected.content)?;
    parquet_bytes(&setup.data.join("lake"))
}

fn equal(place: &str, what: &str, found: u64, expected: u64) -> Result<()> {
    if found == expected {
        Ok(())
    } else {
        Err(format!("{place}: {found} {what} are stored, {expected} were sent").into())
    }
}

fn query(setup: &Setup, sql: &str) -> Result<Vec<Value>> {
    let output = setup.query(sql)?.output()?;
    if !output.status.success() {
        return Err(format!("a query failed: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    match serde_json::from_slice(&output.stdout)? {
        Value::Array(rows) => Ok(rows),
        other => Ok(vec![other]),
    }
}

/// Bytes of the data files below a folder.
pub fn parquet_bytes(folder: &Path) -> Result<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            sum += parquet_bytes(&path)?;
        } else if path.extension().is_some_and(|extension| extension == "parquet") {
            sum += path.metadata()?.len();
        }
    }
    Ok(sum)
}

/// Reads the files back: frames of a length and a zstd stream, each an export request.
fn go(data: &Path, expected: &Expected) -> Result<u64> {
    let (mut spans, mut logs, mut content, mut priced) = (0, 0, 0, 0);
    frames(&data.join("traces.zst"), |message| {
        let request = ExportTraceServiceRequest::decode(message)?;
        let scopes = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
        for span in scopes.flat_map(|scope| &scope.spans) {
            spans += 1;
            let has = |key: &str| span.attributes.iter().any(|attribute| attribute.key == key);
            content += u64::from(has(CONTENT));
            priced += u64::from(has("gen_ai.usage.cost"));
        }
        Ok(())
    })?;
    frames(&data.join("logs.zst"), |message| {
        let request = ExportLogsServiceRequest::decode(message)?;
        let scopes = request.resource_logs.iter().flat_map(|resource| &resource.scope_logs);
        logs += scopes.map(|scope| scope.log_records.len() as u64).sum::<u64>();
        Ok(())
    })?;
    equal("the files of the Go collector", "records", spans + logs, expected.sent())?;
    equal("the files of the Go collector", "spans with messages", content, expected.content)?;
    if priced == 0 && expected.content > 0 {
        return Err("the Go collector priced nothing".into());
    }
    Ok(data.join("traces.zst").metadata()?.len() + data.join("logs.zst").metadata()?.len())
}

fn frames(path: &Path, mut each: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let mut file = BufReader::new(File::open(path)?);
    let mut length = [0; 4];
    loop {
        match file.read_exact(&mut length) {
            Ok(()) => {}
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => return Ok(()),
            Err(e) => return Err(e.into()),
        }
        let mut packed = vec![0; u32::from_be_bytes(length) as usize];
        file.read_exact(&mut packed)?;
        each(&zstd::decode_all(packed.as_slice())?)?;
    }
}
