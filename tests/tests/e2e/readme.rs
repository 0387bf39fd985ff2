//! Every command of the README runs, in its order, on the ports and in the folder that it names.

use std::fs::File;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tests::process::wait_for;
use tests::python::Provider;
use tests::{http, places};

/// The README's word for the binary.
const BINARY: &str = "cargo run --release";

/// How a command is put to the test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// Started on embedded defaults and left running.
    Start,
    /// Run by a shell; its output contains this.
    Shell(&'static str),
    /// Run by a shell; its output contains this, and its exit code is a verdict.
    Verdict(&'static str),
    /// Sets variables for the commands that follow.
    Export,
    /// The pinned packages are those of the environment that the tests run in.
    Install,
    /// The command that runs this very test; continuous integration calls the same.
    Suite,
    /// Proved by `tidy`, which asks cargo what such a build links.
    Tidy,
}

/// Every command, by how it begins.
const PROOFS: &[(&str, Proof)] = &[
    ("curl -sS http://127.0.0.1:4318/v1/logs ", Proof::Shell("{")),
    ("uv pip install ", Proof::Install),
    ("export OTEL_", Proof::Export),
    ("opentelemetry-instrument python app.py", Proof::Shell("")),
    ("cargo run --release -- query \"SELECT time, action, ", Proof::Shell("login_failed")),
    ("cargo run --release -- query \"SELECT user_ref, ", Proof::Shell("0.00477375")),
    ("cargo run --release -- pseudonym user u-42", Proof::Shell("u1_")),
    ("cargo run --release -- query \"SELECT action, body ", Proof::Shell("no such user: [EMAIL]")),
    ("cargo run --release -- query \"SELECT * FROM ai_success_rate\"", Proof::Shell("openai")),
    ("cargo run --release -- users find ada ", Proof::Shell("a***@example.com")),
    ("cargo run --release -- query \"SELECT time, actor, ", Proof::Shell("ticket 4711")),
    ("cargo run --release -- demo --once", Proof::Shell("every one has rows")),
    ("cargo run --release -- doctor", Proof::Verdict("hint")),
    ("cargo run --release -- schema provider_calls", Proof::Shell("cost_usd")),
    ("cargo run --release -- prices explain ", Proof::Shell("0.0033475")),
    ("cargo run --release -- print-config", Proof::Shell("4318")),
    ("cargo run --release -- validate --config deploy/sidecar.yaml", Proof::Shell("")),
    ("cargo run --release -- components", Proof::Shell("redact")),
    ("cargo run --release -- --help", Proof::Shell("query")),
    ("cargo build --release --no-default-features", Proof::Tidy),
    ("tests/run", Proof::Suite),
    (BINARY, Proof::Start),
];

/// The lines of all `sh` blocks.
fn commands(readme: &str) -> Vec<String> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in readme.lines() {
        match line {
            "```sh" => inside = true,
            "```" => inside = false,
            _ if inside => found.push(line.to_owned()),
            _ => {}
        }
    }
    found
}

fn proof(command: &str) -> Proof {
    let found = PROOFS.iter().find(|(begin, _)| command.starts_with(begin));
    found.map(|(_, proof)| *proof).unwrap_or_else(|| panic!("no test runs this command of the README: {command}"))
}

/// A folder in which the README's commands work as they stand.
struct Checkout {
    folder: tempfile::TempDir,
    exports: String,
    running: Option<Child>,
    _provider: Provider,
}

impl Checkout {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::symlink(places::root().join("deploy"), folder.path().join("deploy")).expect("a link");
        std::fs::copy(places::root().join("tests/python/flask_app.py"), folder.path().join("app.py")).expect("a copy");
        let provider = Provider::start();
        let exports = format!("export PROVIDER={} MARQUETRY_ROOT_KEY={}\n", provider.url(), "a".repeat(44));
        Self { folder, exports, running: None, _provider: provider }
    }

    fn start(&mut self) {
        for port in [4317, 4318, 13133, 8888] {
            let start = Instant::now();
            while TcpListener::bind(("127.0.0.1", port)).is_err() {
                assert!(
                    start.elapsed() < Duration::from_secs(60),
                    "the README's port {port} is taken: stop what listens there"
                );
                std::thread::sleep(Duration::from_millis(200));
            }
        }
        let log = File::create(self.folder.path().join("said.txt")).expect("a file for what it says");
        let child = Command::new(places::binary())
            .current_dir(self.folder.path())
            .env_remove("MARQUETRY_DATA")
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn();
        self.running = Some(child.expect("the binary starts"));
        wait_for("health on 13133", || http::get(13133, "/").is_ok_and(|answer| answer.status == 200));
        self.check_first_start();
    }

    fn check_first_start(&self) {
        let said = std::fs::read_to_string(self.folder.path().join("said.txt")).expect("what it said");
        for part in ["127.0.0.1:4317", "127.0.0.1:4318", "marquetry-data", "marquetry query", "root.key"] {
            assert!(said.contains(part), "the first start says nothing of {part}:\n{said}");
        }
        let key = self.folder.path().join("marquetry-data/keys/root.key");
        let mode = std::fs::metadata(&key).expect("a root key, outside the lake").permissions().mode();
        assert_eq!(mode & 0o077, 0, "the root key is its owner's alone");
    }

    fn shell(&self, command: &str, expected: &str, codes: &[i32]) {
        let command =
            command.replace(BINARY, &places::binary().display().to_string()).replace("/marquetry -- ", "/marquetry ");
        let path = format!("{}:{}", places::cache().join("venv/bin").display(), std::env::var("PATH").expect("PATH"));
        let output = Command::new("bash")
            .args(["-ceu", &format!("{}{command}", self.exports)])
            .current_dir(self.folder.path())
            .env("PATH", path)
            .output()
            .expect("bash runs");
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        let code = output.status.code().unwrap_or(-1);
        assert!(codes.contains(&code), "{command} ended with {}:\n{text}\n{errors}", output.status);
        assert!(text.contains(expected), "{command} prints no {expected:?}:\n{text}\n{errors}");
        assert!(!text.contains("ada@example.com"), "{command} shows an address:\n{text}");
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        if let Some(mut child) = self.running.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn every_command_works() {
    let readme = std::fs::read_to_string(places::root().join("README.md")).expect("README.md");
    let commands = commands(&readme);
    assert!(commands.len() >= 10, "the README shows how to start, send, ask, deploy and test");
    assert_eq!(commands[0], BINARY, "the first command runs the main job on embedded defaults");
    let mut checkout = Checkout::new();
    for command in &commands {
        match proof(command) {
            Proof::Start => checkout.start(),
            Proof::Shell(expected) => checkout.shell(command, expected, &[0]),
            Proof::Verdict(expected) => checkout.shell(command, expected, &[0, 1]),
            Proof::Export => checkout.exports.push_str(&format!("{command}\n")),
            Proof::Install => check_pins(command),
            Proof::Suite => check_suite(command),
            Proof::Tidy => {}
        }
    }
}

/// The packages that a reader is told to install are the ones that the apps of the tests run with.
fn check_pins(command: &str) {
    let pinned =
        std::fs::read_to_string(places::root().join("tests/python/requirements.txt")).expect("requirements.txt");
    for package in command.split(' ').skip(3) {
        assert!(pinned.lines().any(|line| line == package), "{package} is not what the tests run with");
    }
}

fn check_suite(command: &str) {
    let ci = std::fs::read_to_string(places::root().join(".ci/run")).expect(".ci/run");
    let runs: Vec<_> = ci.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    assert_eq!(
        runs,
        [format!("exec \"$(dirname \"$0\")/../{command}\"")],
        ".ci/run runs the README's test command alone"
    );
}
