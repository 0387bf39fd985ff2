//! Where things are: the repository, the tools that `tests/run` installed, free ports.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};

/// Behind the last port that browsers refuse to call.
const FIRST_PORT: u16 = 10_100;
const PORTS: u16 = 20_000;

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the repository").to_owned()
}

/// Where `tests/run` keeps what it installs once.
pub fn cache() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    if let Some(cache) = set("MARQUETRY_CACHE") {
        return cache;
    }
    let base = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    base.expect("HOME is set").join("marquetry")
}

/// A tool in the cache; says how to get it when it is not there.
pub fn tool(path: &str) -> PathBuf {
    let tool = cache().join(path);
    assert!(tool.exists(), "{} is missing: run tests/run once, it installs what the tests need", tool.display());
    tool
}

/// The binary under test: `MARQUETRY_BIN`, or the one built beside this test.
pub fn binary() -> PathBuf {
    beside("MARQUETRY_BIN", "marquetry")
}

/// The binary whose seal lets everything through, to prove that the privacy scan sees.
pub fn control_binary() -> PathBuf {
    beside("MARQUETRY_CONTROL_BIN", "marquetry-control")
}

/// An example program of a crate, which `cargo test --workspace` builds as well.
pub fn example(name: &str) -> PathBuf {
    beside("MARQUETRY_EXAMPLE", &format!("examples/{name}"))
}

fn beside(variable: &str, name: &str) -> PathBuf {
    let path = std::env::var_os(variable).map(PathBuf::from).unwrap_or_else(|| {
        let test = std::env::current_exe().expect("the test knows its path");
        let profile = test.parent().and_then(Path::parent).expect("tests lie in deps/");
        profile.join(name)
    });
    assert!(path.exists(), "{} is missing: run tests/run, or set {variable}", path.display());
    path
}

/// A loopback port that was free a moment ago. It lies below those that the system gives to outgoing connections, of which
/// the apps under test make many, and no two callers in a process get the same.
pub fn free_port() -> u16 {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    // Test processes side by side begin at different places.
    let begin = u16::try_from(std::process::id() % 200).expect("small") * 100;
    let mut next = || FIRST_PORT + (begin + TAKEN.fetch_add(1, Ordering::Relaxed) % PORTS) % PORTS;
    std::iter::repeat_with(&mut next)
        .take(PORTS.into())
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port")
}
