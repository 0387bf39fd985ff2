//! `marquetry prices`: what calls cost by which list, how one cost adds up, and a newer list.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use component::{Context, Keyring};
use processors::cost::{self, Again, GENERATOR, Listed, PriceList};
use schemas::Catalog;
use serde_json::{Map, Value};

use crate::config::Config;
use crate::error::Error;

/// Where a renewed list lies below the data folder.
const FILE: &str = "prices.txt";

/// The `cost` section of a configuration.
pub(crate) fn settings(config: &Config) -> Result<cost::Config, Error> {
    let section = config.chain.iter().find(|(name, _)| *name == "cost").map(|(_, section)| section.clone());
    let section = section.filter(|section| !section.is_null()).unwrap_or_else(|| Value::Object(Map::new()));
    serde_json::from_value(section).map_err(|e| Error::Usage(format!("reading processors.cost: {e}")))
}

/// What prices calls outside the chain.
pub(crate) fn again(config: &Config) -> Result<Again, Error> {
    let catalog = Catalog::load(config.overlay.as_deref()).map_err(|e| Error::Schemas(crate::with_sources(&e)))?;
    // Nothing of a price is a pseudonym.
    let keys = Keyring::new(&[0; 32], 1).map_err(|e| Error::Usage(e.to_string()))?;
    let cx = Context::new(Arc::new(catalog), Arc::new(keys));
    Again::new(settings(config)?, &cx).map_err(|e| Error::Usage(crate::with_sources(&e)))
}

fn list(config: &Config) -> Result<PriceList, Error> {
    PriceList::of(&settings(config)?).map_err(|e| Error::Usage(e.to_string()))
}

/// `prices show`.
pub(crate) fn show(config: &Config, about: Option<&str>) -> Result<(), Error> {
    let list = list(config)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
    let entries = list.entries(about, i64::try_from(now).unwrap_or(i64::MAX));
    let mut out = std::io::stdout().lock();
    if entries.is_empty() {
        let about = about.unwrap_or_default();
        let help = "name a provider, a model or both, such as openai/gpt-5.1; `marquetry prices show` lists all";
        return Err(Error::Usage(format!("the price list has nothing called {about}\n{help}")));
    }
    writeln!(out, "price list {}, {} models, US dollars; * holds today", list.version(), list.models())?;
    for source in list.sources() {
        writeln!(out, "from {source}")?;
    }
    writeln!(out)?;
    let width = entries.iter().map(|entry| entry.name.len()).max().unwrap_or(0).min(60);
    for Listed { name, source, when, prices, is_current } in entries {
        let mark = if is_current { '*' } else { ' ' };
        let when = if when.is_empty() { "always" } else { when.as_str() };
        writeln!(out, "{mark} {name:<width$}  {source:<12}  {when:<32}  {prices}")?;
    }
    Ok(())
}

/// A call to explain: JSON, or the id of a stored one.
pub(crate) enum Call {
    Given(Map<String, Value>),
    Stored(String),
}

impl Call {
    /// Reads what was written, `-` for standard input.
    pub(crate) fn read(text: &str) -> Result<Self, Error> {
        let mut read = text.trim().to_owned();
        if read == "-" {
            read.clear();
            std::io::stdin().lock().read_to_string(&mut read)?;
        }
        if !read.trim_start().starts_with('{') {
            return Ok(Self::Stored(read.trim().to_owned()));
        }
        let parsed = serde_json::from_str(&read);
        parsed.map(Self::Given).map_err(|e| Error::Usage(format!("reading the call as JSON: {e}")))
    }
}

/// `prices explain` of a call that was given or found.
pub(crate) fn explain(config: &Config, call: &Map<String, Value>) -> Result<(), Error> {
    let told = again(config)?.explain(call).map_err(|e| Error::Usage(e.to_string()))?;
    let mut out = std::io::stdout().lock();
    let get = |key: &str| told.get(key).map(String::as_str);
    for (label, keys) in [
        ("provider", &["provider"][..]),
        ("model", &["response_model", "request_model"]),
        ("tenant", &["tenant"]),
        ("project", &["project"]),
        ("time", &["time"]),
        ("status", &["cost_status"]),
        ("source", &["cost_source"]),
        ("price", &["price_id"]),
        ("holds since", &["price_effective_from"]),
        ("price list", &["price_list"]),
    ] {
        if let Some(value) = keys.iter().find_map(|key| get(key)) {
            writeln!(out, "{label:<12}  {value}")?;
        }
    }
    if let Some(Value::String(list)) = call.get("price_list") {
        let text = |key: &str| match call.get(key) {
            Some(Value::String(text)) => text.clone(),
            other => other.map_or_else(|| "not known".to_owned(), Value::to_string),
        };
        writeln!(out, "{:<12}  {} by {}, list {list}", "when it came", text("cost_usd"), text("price_id"))?;
    }
    if let Some(reason) = get("price_match") {
        writeln!(out, "{:<12}  {reason}: {}", "match", meaning(reason))?;
    }
    if let Some(semantics) = get("usage_semantics") {
        let among = if semantics == "inclusive" { "are among" } else { "come on top of" };
        writeln!(out, "{:<12}  {semantics}: cached tokens {among} the input tokens", "usage")?;
    }
    writeln!(out)?;
    breakdown(&mut out, get("cost_breakdown").unwrap_or("[]"))?;
    match get("cost_usd") {
        Some(cost) => writeln!(out, "{:<30}  {:>14}  {:>16}  {:>10}  {}", "cost, US dollars", "", "", "", short(cost))?,
        None => writeln!(out, "the cost is not known: NULL, not 0")?,
    }
    Ok(())
}

fn breakdown(out: &mut impl Write, json: &str) -> Result<(), Error> {
    let lines: Vec<BTreeMap<String, Value>> = serde_json::from_str(json).unwrap_or_default();
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "{:<30}  {:>14}  {:>16}  {:>10}  amount", "unit", "count", "price", "per")?;
    for line in lines {
        let text = |key: &str| match line.get(key) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        let (unit, count, price, per) = (text("unit"), text("count"), text("unit_price"), text("per"));
        writeln!(out, "{unit:<30}  {count:>14}  {price:>16}  {per:>10}  {}", text("amount"))?;
    }
    Ok(())
}

/// `1.250000000000000000` as `1.25`.
fn short(money: &str) -> &str {
    if money.contains('.') { money.trim_end_matches('0').trim_end_matches('.') } else { money }
}

/// What a word of `price_match` says.
fn meaning(reason: &str) -> &'static str {
    match reason {
        "exact" => "the list has the model by this name",
        "rule" => "a pattern of the list fits the model's name",
        "normalised" => "the list has the model once its date is dashed or its folder taken off",
        "fallback" => "not the provider's own entry: whose models it resells, or what only LiteLLM lists",
        "override" => "a price of the configuration, or one that ships with the program",
        "http_only" => "the call was seen as HTTP alone, which does not say what was used",
        "no_model" => "the call names no model",
        "unknown_provider" => "no list has the provider",
        "unknown_model" => "no list has the model; an override under processors.cost can price it",
        "no_price" => "the model is listed, and what was used has no price",
        _ => "as the price list says",
    }
}

/// `prices update`.
pub(crate) fn update(config: &Config, file: Option<&Path>) -> Result<(), Error> {
    let text = match file {
        Some(path) => std::fs::read_to_string(path).map_err(|why| Error::file("reading", path, why))?,
        None => generated()?,
    };
    let newer = PriceList::parse(text).map_err(|e| Error::Usage(e.to_string()))?;
    let changes = newer.changes_since(&list(config)?);
    let path = install(&config.data, newer.text())?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "price list {}, {} models, written to {}", newer.version(), newer.models(), path.display())?;
    for source in newer.sources() {
        writeln!(out, "from {source}")?;
    }
    writeln!(out, "{} models are new, {} are gone, {} changed", changes.added, changes.removed, changes.changed)?;
    if settings(config)?.prices.as_deref() != Some(&path) {
        writeln!(out, "to use it: `processors: {{ cost: {{ prices: {} }} }}`, and restart", path.display())?;
    }
    writeln!(
        out,
        "rows that are already priced stay as they are; `marquetry prices reprice` shows what they would cost"
    )?;
    Ok(())
}

/// A list from the packages' newest data.
fn generated() -> Result<String, Error> {
    let arguments = ["run", "--no-project", "--refresh", "--with", "genai-prices", "--with", "pip", "python", "-"];
    let missing = |why: std::io::Error| -> Error {
        Error::Usage(format!(
            "running `uv`, which fetches the price data: {why}\ninstall uv, or give a price list: \
             `marquetry prices update FILE`"
        ))
    };
    let mut command = Command::new("uv");
    let child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = child.map_err(missing)?;
    // Its end is the end of the script. If nobody reads it, how the command ends says why.
    if let Some(mut script) = child.stdin.take() {
        let _ = script.write_all(GENERATOR.as_bytes());
    }
    let output = child.wait_with_output().map_err(missing)?;
    if !output.status.success() {
        let why = "the price data could not be fetched or read; what uv and the script say stands above";
        return Err(Error::Usage(why.to_owned()));
    }
    String::from_utf8(output.stdout).map_err(|_| Error::Usage("the price list that was made is no text".to_owned()))
}

/// Puts a list below the data folder, whole or not at all.
fn install(data: &Path, text: &str) -> Result<PathBuf, Error> {
    crate::keys::private_folder(data).map_err(|why| Error::file("making data folder", data, why))?;
    let (path, draft) = (data.join(FILE), data.join(format!("{FILE}.new")));
    std::fs::write(&draft, text).map_err(|why| Error::file("writing", &draft, why))?;
    std::fs::rename(&draft, &path).map_err(|why| Error::file("writing", &path, why))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_json_or_an_id() {
        assert!(matches!(Call::read(r#"{"provider": "openai"}"#), Ok(Call::Given(_))));
        assert!(matches!(Call::read("4bf9:00f0"), Ok(Call::Stored(id)) if id == "4bf9:00f0"));
        assert!(Call::read("{no").is_err());
    }

    #[test]
    fn a_list_is_installed_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = install(folder.path(), "one").unwrap();
        install(folder.path(), "two").unwrap();
        assert_eq!(std::fs::read_to_string(path).unwrap(), "two");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
