//! Log lines on stderr: for people on a terminal, as JSON otherwise.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::{Config, Encoding, Level};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Human,
    /// For machines.
    Json,
}

/// Starts logging. `RUST_LOG` decides over the configuration, the flag over its encoding.
pub fn start_logs(config: &Config, format: Option<LogFormat>) {
    let level = match config.log_level.unwrap_or(Level::Info) {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let human = match (format, config.log_encoding) {
        (Some(format), _) => format == LogFormat::Human,
        (None, Some(encoding)) => encoding == Encoding::Console,
        (None, None) => std::io::stderr().is_terminal(),
    };
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start in one process (tests) keeps the first one's logs.
    let _ = if human {
        builder.with_ansi(colour).with_target(false).try_init()
    } else {
        builder.json().flatten_event(true).try_init()
    };
    quiet_panics();
}

/// A panic's text may quote the record that caused it, so only its place is logged.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let thread = std::thread::current();
        tracing::error!(place, thread = thread.name().unwrap_or_default(), "panic; please report where it happened");
    }));
}
