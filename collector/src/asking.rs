//! `marquetry query`: opens what a process writes, or has left behind, and asks it.

use std::fs::File;
use std::io::{BufWriter, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

use lake::Location;
use queries::{Answer, Engine, Source};
use schemas::Catalog;

use crate::cli::{self, Format};
use crate::config::Config;
use crate::error::Error;
use crate::store::journal_folder;
use crate::until_closed::UntilClosed;

/// Answers one question.
pub(crate) async fn answer(config: &Config, sql: &str, format: Format, output: Option<&Path>) -> Result<(), Error> {
    if format == Format::Parquet && output.is_none() && std::io::stdout().is_terminal() {
        return Err(Error::Usage("Parquet is not for a terminal; add --output FILE".to_owned()));
    }
    let engine = open(config).await?;
    let answer = engine.query(sql).await.map_err(|e| failed(&e))?;
    match output {
        Some(path) => {
            let file = File::create(path).map_err(|why| Error::file("writing", path, why))?;
            write(&answer, format, BufWriter::new(file))?;
        }
        None => write(&answer, format, BufWriter::new(UntilClosed::new(std::io::stdout())))?,
    }
    if let Some(note) = engine.freshness().await {
        cli::say(format_args!("{note}"));
    }
    Ok(())
}

/// What a process writes, or has left behind, ready to be asked.
pub(crate) async fn open(config: &Config) -> Result<Engine, Error> {
    let catalog = Catalog::load(config.overlay.as_deref()).map_err(|e| Error::Schemas(crate::with_sources(&e)))?;
    Engine::open(source(config)?, Arc::new(catalog)).await.map_err(|e| failed(&e))
}

/// Rows in the lake, and those that are not there yet if the journal is within reach.
pub(crate) fn source(config: &Config) -> Result<Source, Error> {
    let lake = Location::parse(&config.lake.location)?;
    let journal = journal_folder(&config.data);
    let journal = journal.is_dir().then_some(journal);
    // Opening would make the folder, and an empty answer would look like an answer.
    if journal.is_none() && lake.folder().is_some_and(|folder| !folder.exists()) {
        let data = config.data.display();
        return Err(Error::Usage(format!(
            "there is no data in {data}; start `marquetry` first, or say where with --data"
        )));
    }
    Ok(Source { lake, journal })
}

pub(crate) fn write(answer: &Answer, format: Format, mut out: impl Write + Send) -> Result<(), Error> {
    let format = match format {
        Format::Table => queries::Format::Table,
        Format::Json => queries::Format::Json,
        Format::Csv => queries::Format::Csv,
        Format::Parquet => queries::Format::Parquet,
    };
    answer.write(format, &mut out).map_err(|e| failed(&e))?;
    Ok(out.flush()?)
}

pub(crate) fn failed(error: &queries::Error) -> Error {
    Error::Query(crate::with_sources(error))
}
