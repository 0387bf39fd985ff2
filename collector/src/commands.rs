//! What the command line does besides running.

use std::io::{Read, Write};
use std::path::Path;

use schemas::Catalog;

use crate::Distribution;
use crate::cli::{Format, Prices};
use crate::config::{self, Config, Inputs, KeySource};
use crate::error::Error;
use crate::keys::program;
use crate::prices;

/// `validate`: everything that is wrong, or that nothing is.
pub(crate) fn validate(inputs: &Inputs, distribution: &Distribution) -> Result<(), Error> {
    let config = Config::load(inputs, distribution)?;
    let mut out = std::io::stdout().lock();
    for note in &config.notes {
        writeln!(out, "note: {note}")?;
    }
    if let KeySource::Command(command) = &config.key {
        writeln!(out, "note: {} prints the root key: a start runs it once, this check does not", program(command))?;
    }
    writeln!(out, "the configuration is right")?;
    Ok(())
}

/// `components`: every list of this build.
pub(crate) fn components(distribution: &Distribution) -> Result<(), Error> {
    let mut out = std::io::stdout().lock();
    let mut section = |name: &str, entries: &[(&str, &str)]| -> std::io::Result<()> {
        writeln!(out, "{name}:")?;
        entries.iter().try_for_each(|(name, about)| writeln!(out, "  {name:<16} {about}"))
    };
    section("receivers", &[("otlp", "OTLP over gRPC and HTTP; metrics are counted, not stored yet.")])?;
    let about: Vec<(&str, &str)> = distribution.processors.iter().map(|f| (f.name, f.about)).collect();
    section("processors", &about)?;
    section("exporters", &exporters::ALL.iter().map(|e| (e.name, e.about)).collect::<Vec<_>>())?;
    let extensions =
        [("health_check", "Whether to send to this process."), ("bearertokenauth", "Tokens and their tenants.")];
    section("extensions", &extensions)?;
    section("built in", &config::BUILT_IN.iter().map(|(_, name, why)| (*name, *why)).collect::<Vec<_>>())?;
    Ok(())
}

/// `print-config`.
pub(crate) fn print_config(inputs: &Inputs, distribution: &Distribution) -> Result<(), Error> {
    let yaml = config::print(inputs, distribution)?;
    Ok(std::io::stdout().lock().write_all(yaml.as_bytes())?)
}

/// `schema`: all tables, one of them, or the reference.
pub(crate) fn schema(config: &Config, table: Option<&str>, reference: bool) -> Result<(), Error> {
    let catalog = catalog(config)?;
    let mut out = std::io::stdout().lock();
    if reference {
        return Ok(out.write_all(schemas::reference(&catalog).as_bytes())?);
    }
    let Some(name) = table else {
        for table in catalog.tables() {
            writeln!(out, "{:<18} {}", table.name, table.about)?;
        }
        for table in catalog.journal_only() {
            writeln!(out, "{:<18} {} (in the journal only)", table.name, table.about)?;
        }
        return Ok(());
    };
    let Some(table) = catalog.table(name) else {
        let names: Vec<&str> = catalog.tables().iter().map(|t| t.name.as_str()).collect();
        let near = config::meant(name, &names);
        return Err(Error::Usage(format!("there is no table {name}{near}\nknown here: {}", names.join(", "))));
    };
    writeln!(out, "{}\n", table.about)?;
    let width = table.columns.iter().map(|c| c.name.len()).max().unwrap_or(0);
    for column in &table.columns {
        let stored = match (column.transient, column.journal_only) {
            (true, _) => "never stored",
            (_, true) => "journal only",
            _ => column.class.as_str(),
        };
        writeln!(out, "{:<width$}  {:<14} {:<13} {}", column.name, column.r#type.as_str(), stored, column.about)?;
    }
    Ok(())
}

fn catalog(config: &Config) -> Result<Catalog, Error> {
    Catalog::load(config.overlay.as_deref()).map_err(|e| Error::Schemas(crate::with_sources(&e)))
}

/// `query`.
pub(crate) async fn query(config: &Config, sql: &str, format: Format, output: Option<&Path>) -> Result<(), Error> {
    let mut text = sql.to_owned();
    if sql == "-" {
        text.clear();
        std::io::stdin().lock().read_to_string(&mut text)?;
    }
    answer(config, &text, format, output).await
}

/// `prices`.
pub(crate) fn prices(config: &Config, what: &Prices) -> Result<(), Error> {
    match what {
        Prices::Show { about } => prices::show(config, about.as_deref()),
        Prices::Update { file } => prices::update(config, file.as_deref()),
        Prices::Explain { call } => match prices::Call::read(call)? {
            prices::Call::Given(call) => prices::explain(config, &call),
            prices::Call::Stored(id) => {
                let call = crate::cli::runtime()?.block_on(stored(config, &id))?;
                prices::explain(config, &call)
            }
        },
        Prices::Reprice { from, to, format, output } => {
            let range = (from.as_deref(), to.as_deref());
            crate::cli::runtime()?.block_on(reprice(config, range, *format, output.as_deref()))
        }
    }
}

#[cfg(feature = "queries")]
use crate::reprice::{reprice, stored};

#[cfg(feature = "queries")]
use crate::asking::answer;
#[cfg(feature = "queries")]
pub(crate) use crate::doctor::doctor;

#[cfg(not(feature = "queries"))]
pub(crate) async fn doctor(
    _: &Inputs,
    _: &Distribution,
    _: crate::cli::Form,
    _: std::time::Duration,
) -> Result<(), Error> {
    let text = "this build has no SQL to look at what arrived; `validate` checks the configuration, a build with the \
                feature `queries` has a doctor";
    Err(Error::Usage(text.to_owned()))
}

#[cfg(not(feature = "queries"))]
async fn stored(_: &Config, _: &str) -> Result<serde_json::Map<String, serde_json::Value>, Error> {
    no_queries()
}

#[cfg(not(feature = "queries"))]
async fn reprice(_: &Config, _: (Option<&str>, Option<&str>), _: Format, _: Option<&Path>) -> Result<(), Error> {
    no_queries()
}

#[cfg(not(feature = "queries"))]
async fn answer(_: &Config, _: &str, _: Format, _: Option<&Path>) -> Result<(), Error> {
    no_queries()
}

#[cfg(not(feature = "queries"))]
fn no_queries<T>() -> Result<T, Error> {
    let text = "this build has no SQL; any engine that reads Delta can read the tables, or use a build with the \
                feature `queries`";
    Err(Error::Usage(text.to_owned()))
}
