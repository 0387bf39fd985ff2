//! `marquetry pseudonym`: what a person, an address or a key is called in the tables.
//!
//! A raw value is known to whoever asks and to nobody else: it comes by argument or standard input, and neither an answer nor
//! an error repeats it.

use std::io::{Read, Write};
use std::sync::Arc;

use clap::ValueEnum;
use component::{Context, Pseudonym};
use processors::hash::{self, Maker};
use schemas::Catalog;
use serde_json::json;

use crate::config::{self, Config};
use crate::error::Error;
use crate::{cli, keys};

/// Bytes that are read from standard input: an address or a key has far fewer.
const MOST: u64 = 64 << 10;

/// What is asked for.
#[derive(clap::Args)]
pub struct Options {
    /// What it is: user, session, device, email, phone, ip, apikey, or a domain of your own tables.
    pub kind: String,
    /// The value; `-` reads it from standard input.
    pub value: String,
    /// Whose it is: tenants have keys, key ids and dialling rules of their own.
    #[arg(long, default_value = "default")]
    pub tenant: String,
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t = Form::Text)]
    pub format: Form,
}

/// The command line as a whole can be shown, this value cannot.
impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("kind", &self.kind).field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

/// Form of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// One a line.
    Text,
    /// One array of objects.
    Json,
    /// A condition to put behind a column: IN ('...', '...').
    Sql,
}

/// Prints the pseudonyms of a value, the current key id's first.
pub(crate) fn run(config: &Config, asked: &Options) -> Result<(), Error> {
    let catalog = Catalog::load(config.overlay.as_deref()).map_err(|e| Error::Schemas(crate::with_sources(&e)))?;
    known(&asked.kind, &catalog)?;
    let keyring = keys::existing(&config.key, &config.data, &config.rotation)?;
    let cx = Context::new(Arc::new(catalog), Arc::new(keyring));
    let maker = Maker::new(&settings(config)?, &cx).map_err(|e| Error::Usage(crate::with_sources(&e)))?;
    let value = match asked.value.as_str() {
        "-" => read(std::io::stdin().lock())?,
        value => value.to_owned(),
    };
    let live = maker.live(&asked.tenant, &asked.kind, &value).map_err(keys::RootKeyError::from)?;
    if live.is_empty() {
        let kind = &asked.kind;
        return Err(Error::Usage(format!(
            "nothing is left of the {kind} in normal form, and such a value has no pseudonym"
        )));
    }
    if is_local(&maker.normal(&asked.tenant, &asked.kind, &value), asked) {
        cli::say(format_args!(
            "note: taken as bare digits, since processors.hash says no region for tenant {}; an international number \
             begins with + and its calling code",
            asked.tenant
        ));
    }
    Ok(writeln!(std::io::stdout().lock(), "{}", text(&live, asked.format))?)
}

/// Whether a telephone number stays one of an unknown country.
fn is_local(normal: &str, asked: &Options) -> bool {
    asked.kind == "phone" && normal.starts_with(|c: char| c.is_ascii_digit())
}

/// A kind is the domain of a column that holds pseudonyms.
fn known(kind: &str, catalog: &Catalog) -> Result<(), Error> {
    let mut kinds: Vec<&str> = Vec::new();
    let columns = catalog.tables().iter().flat_map(|table| &table.columns).filter(|c| c.from_hash.is_some());
    for domain in columns.filter_map(|column| column.domain.as_deref()) {
        if !kinds.contains(&domain) {
            kinds.push(domain);
        }
    }
    match kinds.contains(&kind) {
        true => Ok(()),
        false => {
            let near = config::meant(kind, &kinds);
            // What was given is not repeated: it is the value if the two were swapped.
            Err(Error::Usage(format!("there are no pseudonyms of that kind{near}\nknown here: {}", kinds.join(", "))))
        }
    }
}

/// The `hash` section of a configuration.
fn settings(config: &Config) -> Result<hash::Config, Error> {
    let section = config.chain.iter().find(|(name, _)| *name == "hash").map(|(_, section)| section.clone());
    let Some(section) = section.filter(|section| !section.is_null()) else { return Ok(hash::Config::default()) };
    serde_json::from_value(section).map_err(|e| Error::Usage(format!("reading processors.hash: {e}")))
}

fn read(input: impl Read) -> Result<String, Error> {
    let mut bytes = Vec::new();
    input.take(MOST + 1).read_to_end(&mut bytes).map_err(|e| Error::Usage(format!("reading standard input: {e}")))?;
    if bytes.len() as u64 > MOST {
        return Err(Error::Usage(format!("standard input has more than {MOST} bytes, and one value is wanted")));
    }
    String::from_utf8(bytes).map_err(|_| Error::Usage("the value on standard input is not UTF-8".to_owned()))
}

fn text(live: &[(u32, Pseudonym)], form: Form) -> String {
    let texts: Vec<&str> = live.iter().map(|(_, pseudonym)| pseudonym.as_str()).collect();
    match form {
        Form::Text => texts.join("\n"),
        // They have letters, digits and an underscore.
        Form::Sql => format!("IN ('{}')", texts.join("', '")),
        Form::Json => {
            let all = live.iter().enumerate().map(|(at, (kid, pseudonym))| {
                let pseudonym = pseudonym.as_str();
                json!({ "pseudonym": pseudonym, "kid": kid, "is_current": at == 0 })
            });
            serde_json::Value::Array(all.collect()).to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use component::{KeyIds, Keyring, Rotation};

    use super::*;

    fn live() -> Vec<(u32, Pseudonym)> {
        let keys = Keyring::rotated(&[7; 32], Rotation::new(KeyIds::new(2, [1]), BTreeMap::new())).unwrap();
        keys.live("default", "user").unwrap().iter().map(|key| (key.kid(), key.pseudonym("ann"))).collect()
    }

    #[test]
    fn every_form_has_the_current_one_first() {
        let old = "u1_7digjsqbfa5y5nu43k7mkrh5jm";
        let new = live()[0].1.as_str().to_owned();
        assert!(new.starts_with("u2_"), "{new}");
        assert_eq!(text(&live(), Form::Text), format!("{new}\n{old}"));
        assert_eq!(text(&live(), Form::Sql), format!("IN ('{new}', '{old}')"));
        let json: serde_json::Value = serde_json::from_str(&text(&live(), Form::Json)).unwrap();
        assert_eq!(
            json,
            json!([
                { "pseudonym": new, "kid": 2, "is_current": true },
                { "pseudonym": old, "kid": 1, "is_current": false },
            ])
        );
    }

    #[test]
    fn an_unknown_kind_names_those_that_are_known() {
        let catalog = Catalog::built_in().unwrap();
        for kind in ["user", "session", "device", "email", "phone", "ip", "apikey"] {
            known(kind, &catalog).unwrap();
            assert!(cli::PSEUDONYM_EXAMPLES.contains(&format!("  {kind} ")), "{kind}");
        }
        let error = known("e-mail", &catalog).unwrap_err().to_string();
        assert!(error.contains("did you mean `email`?"), "{error}");
        assert!(!known("ann@example.com", &catalog).unwrap_err().to_string().contains("ann"), "the value, swapped");
        assert!(error.ends_with("known here: user, session, device, email, phone, ip, apikey"), "{error}");
        assert!(known("record", &catalog).is_err(), "ids of records are no pseudonyms of anybody");
    }

    #[test]
    fn standard_input_is_one_value() {
        assert_eq!(read("ann\n".as_bytes()).unwrap(), "ann\n");
        assert!(read(&[0xff][..]).unwrap_err().to_string().contains("not UTF-8"));
        assert!(read(std::io::repeat(b'a')).unwrap_err().to_string().contains("more than 65536 bytes"));
    }
}
