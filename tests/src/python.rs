//! Runs the Python side: apps with the real SDK, and readers of the lake that are not ours.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::places;

/// A script of `tests/python`, in the pinned environment.
pub fn script(name: &str) -> Command {
    let mut command = Command::new(places::tool("venv/bin/python"));
    // Nothing is to be left beside the scripts.
    command.env("PYTHONDONTWRITEBYTECODE", "1").arg(path(name));
    command
}

/// An app of `tests/python` under `opentelemetry-instrument`.
pub fn instrumented(name: &str) -> Command {
    let mut command = Command::new(places::tool("venv/bin/opentelemetry-instrument"));
    command.arg(places::tool("venv/bin/python")).arg(path(name));
    command
}

fn path(name: &str) -> std::path::PathBuf {
    places::root().join("tests/python").join(name)
}

/// Runs to the end and returns standard output; a failure fails the test with standard error.
pub fn output(command: &mut Command) -> String {
    let output = command.output().expect("the command starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{command:?} ended with {}\n{text}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

/// Runs a script that prints one JSON value.
pub fn json<A: AsRef<OsStr>>(name: &str, args: &[A]) -> Value {
    let text = output(script(name).args(args));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{name} printed no JSON: {e}\n{text}"))
}

/// The stand-in of an AI provider; ends with this value.
pub struct Provider {
    child: Child,
    port: u16,
}

impl Provider {
    /// Starts it on a port of its own choice.
    pub fn start() -> Self {
        let mut child =
            script("provider.py").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("provider.py starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("provider.py prints its port");
        let port = line.trim().parse().expect("a port");
        Self { child, port }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        // Closing its standard input ends it; the kill is for one that hangs.
        drop(self.child.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
