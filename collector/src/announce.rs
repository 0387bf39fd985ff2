//! The block that a start prints: where to send, where the data is, how to ask.

use std::fmt::Write;
use std::path::Path;

use crate::config::{Config, KeySource, Wire};
use crate::keys;
use crate::receivers::otlp::Server;

/// The block as text.
pub(crate) fn announcement(
    config: &Config,
    servers: &[Server],
    pages: &[(&str, String)],
    made_key: Option<&Path>,
) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(out, "Marquetry {} is ready.\n", crate::VERSION);
    for server in servers {
        let listener = server.listener();
        let scheme = if listener.tls.is_some() { "https" } else { "http" };
        let wire = if listener.wire == Wire::Grpc { "OTLP/gRPC" } else { "OTLP/HTTP" };
        let guard = if listener.tokens.is_some() { "  (bearer token needed)" } else { "" };
        line(&mut out, "send", &format!("{wire}  {scheme}://{}{guard}", server.address()));
    }
    line(&mut out, "data", &format!("{}  (journal and keys)", config.data.display()));
    line(&mut out, "tables", &format!("{}  (Delta)", without_credentials(&config.lake.location)));
    match (made_key, &config.key) {
        (Some(path), _) => {
            line(&mut out, "key", &format!("made {}, readable by you alone", path.display()));
            line(&mut out, "", "Keep a copy: without it pseudonyms of the same person no longer match.");
        }
        (None, KeySource::Own) => line(&mut out, "key", &keys::own_file(&config.data).display().to_string()),
        (None, KeySource::File(path)) => line(&mut out, "key", &path.display().to_string()),
        (None, KeySource::Env(name)) => line(&mut out, "key", &format!("environment variable {name}")),
        (None, KeySource::Command(command)) => line(&mut out, "key", &format!("printed by {}", keys::program(command))),
    }
    if cfg!(feature = "queries") {
        let data = config.data.display();
        line(
            &mut out,
            "ask",
            &format!("marquetry query --data {data} \"SELECT service_name, count(*) FROM requests GROUP BY 1\""),
        );
    } else {
        line(&mut out, "ask", "with any engine that reads Delta; this build has no `query`");
    }
    for (name, url) in pages {
        line(&mut out, name, url);
    }
    for note in &config.notes {
        line(&mut out, "note", note);
    }
    for listener in config.listeners.iter().filter(|l| l.open) {
        let text =
            format!("{} takes data from anybody who can reach it (allow_unauthenticated: true)", listener.address);
        line(&mut out, "WARNING", &text);
    }
    if cfg!(feature = "control") {
        line(&mut out, "WARNING", "TEST BUILD WITHOUT A SEAL: personal values and secrets are written as they come");
    }
    out
}

fn line(out: &mut String, name: &str, text: &str) {
    let _ = writeln!(out, "  {name:<8} {text}");
}

fn without_credentials(location: &str) -> String {
    lake::Location::parse(location).map_or_else(|_| String::new(), |l| l.to_string())
}
