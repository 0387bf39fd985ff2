//! Runs the JavaScript side: apps with the real SDK, and a browser.

use std::path::PathBuf;
use std::process::Command;

use crate::places;

/// Names that Chromium and what is built from it go by.
const BROWSERS: &[&str] = &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// An app of `tests/node` with its telemetry loaded first, and the pinned packages.
pub fn instrumented(name: &str) -> Command {
    let folder = places::root().join("tests/node");
    let mut command = Command::new("node");
    command.env("NODE_PATH", places::tool("node/node_modules"));
    command.arg("-r").arg(folder.join("telemetry.js")).arg(folder.join(name));
    command
}

/// The browser: `CHROMIUM`, or one on the path.
pub fn browser() -> PathBuf {
    if let Some(path) = std::env::var_os("CHROMIUM").filter(|v| !v.is_empty()) {
        return path.into();
    }
    let folders: Vec<_> = std::env::var_os("PATH").map(|p| std::env::split_paths(&p).collect()).unwrap_or_default();
    let all = folders.iter().flat_map(|folder| BROWSERS.iter().map(|name| folder.join(name)));
    let found = all.into_iter().find(|path| path.exists());
    found.expect("no Chromium on the path: run tests/run once, or set CHROMIUM")
}
