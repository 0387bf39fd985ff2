//! Where a demo plays: a folder that nobody else uses, ports that are free, and the process itself.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use ::demo::Endpoints;

use crate::cli::Cli;
use crate::config::{Config, Inputs, Wire};
use crate::error::Error;
use crate::telemetry::start_logs;
use crate::{Distribution, Running, Service, keys};

/// The data folder; one that nobody named goes with this value.
pub(super) struct Folder {
    path: PathBuf,
    temporary: bool,
}

impl Folder {
    /// The one that was named, if there is nothing in it, else a new one.
    pub(super) fn choose(named: Option<&PathBuf>) -> Result<Self, Error> {
        if let Some(path) = named {
            let used = std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some());
            if used {
                let text = format!("{} is not empty; a demo wants a folder that nobody uses", path.display());
                return Err(Error::Usage(text));
            }
            return Ok(Self { path: path.clone(), temporary: false });
        }
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|why| Error::Usage(format!("choosing a folder: {why}")))?;
        let path = std::env::temp_dir().join(format!("marquetry-demo-{:016x}", u64::from_le_bytes(random)));
        keys::private_folder(&path).map_err(|why| Error::file("making data folder", &path, why))?;
        Ok(Self { path, temporary: true })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.temporary {
            // What cannot be removed is the system's to tidy: it lies where temporary things do.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// What runs, and how it is reached.
pub(super) struct Stage {
    pub(super) config: Config,
    pub(super) endpoints: Endpoints,
    /// Whether the folder goes when the demo does.
    pub(super) temporary: bool,
    /// Ports that were taken.
    pub(super) notes: Vec<String>,
}

impl Stage {
    /// Starts the process on defaults; of the ports that are taken it takes free ones.
    pub(super) async fn set(cli: &Cli, folder: &Folder, distribution: &Distribution) -> Result<(Self, Running), Error> {
        let mut sets = vec!["service.telemetry.logs.level=warn".to_owned()];
        sets.extend(cli.set.iter().cloned());
        let mut inputs = Inputs { sets, data: Some(folder.path.clone()), ..Inputs::default() };
        // It exports nothing of its own, so that there is nothing to end.
        let _nothing_held = start_logs(&Config::load(&inputs, distribution)?, cli.log_format)?;
        let mut notes = Vec::new();
        let (service, wires) = loop {
            let config = Config::load(&inputs, distribution)?;
            let wires: Vec<Wire> = config.listeners.iter().map(|listener| listener.wire).collect();
            match Service::build(config, distribution).await {
                // A port that somebody asked for is not exchanged behind their back.
                Err(Error::PortTaken { address, setting, .. })
                    if !cli.set.iter().any(|set| set.starts_with(&setting)) =>
                {
                    notes.push(format!("{address} is taken, so that a free port is used in its place"));
                    inputs.sets.push(format!("{setting}=127.0.0.1:0"));
                }
                built => break (built?, wires),
            }
        };
        let addresses = service.addresses();
        let of = |wanted: Wire| {
            let found = wires.iter().zip(&addresses).find(|(wire, _)| **wire == wanted);
            found.map(|(_, address)| format!("http://{address}")).unwrap_or_default()
        };
        let endpoints = Endpoints { grpc: of(Wire::Grpc), http: of(Wire::Http) };
        let config = Config::for_questions(&inputs, distribution)?;
        Ok((Self { config, endpoints, temporary: folder.temporary, notes }, service.run()))
    }

    /// The command that asks a question of this demo, ready to be pasted.
    pub(super) fn command(&self, sql: &str) -> String {
        format!("{} query --data {} \"{sql}\"", program(), quoted(&self.config.data))
    }

    /// Writes to standard output, where somebody may have stopped reading.
    pub(super) fn say(&self, text: &str) -> Result<(), Error> {
        let mut out = std::io::stdout().lock();
        Ok(out.write_all(text.as_bytes()).and_then(|()| out.flush())?)
    }
}

/// How this program was started: what to type to start it again.
fn program() -> String {
    if std::env::var_os("CARGO").is_some() {
        return "cargo run --release --quiet --".to_owned();
    }
    let started = std::env::args_os().next().map(PathBuf::from).unwrap_or_default();
    if started.components().count() == 1 { "marquetry".to_owned() } else { quoted(&started) }
}

fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = text.chars().all(|c| c.is_alphanumeric() || "/._-+".contains(c));
    if plain { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// Whether somebody watches.
pub(super) fn watched() -> bool {
    std::io::stderr().is_terminal()
}
