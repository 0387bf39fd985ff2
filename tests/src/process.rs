//! One `marquetry` process: its configuration, its life and its answers.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::http::{self, Response};
use crate::otlp::{Message, PROTOBUF};
use crate::{places, python};

/// Longer than any start, stop or query takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a process is started.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The data folder.
    pub data: PathBuf,
    /// Where the lake is, if not in the data folder.
    pub lake: Option<String>,
    /// How often the lake is flushed.
    pub flush: &'static str,
    /// Environment variables.
    pub environment: Vec<(String, String)>,
    /// Configuration files, one over the other.
    pub configs: Vec<String>,
    /// More settings, `a.b=c`.
    pub settings: Vec<String>,
    /// Which binary.
    pub binary: PathBuf,
}

impl Setup {
    /// The binary under test on this data folder.
    pub fn new(data: &Path) -> Self {
        Self {
            data: data.to_owned(),
            lake: None,
            flush: "10s",
            environment: Vec::new(),
            configs: Vec::new(),
            settings: Vec::new(),
            binary: places::binary(),
        }
    }

    /// Everything that the process says, over all its starts.
    pub fn log_file(&self) -> PathBuf {
        self.data.with_extension("log")
    }

    /// Starts it and waits until it is healthy.
    pub fn start(&self) -> Marquetry {
        let ports = Ports {
            grpc: places::free_port(),
            http: places::free_port(),
            health: places::free_port(),
            metrics: places::free_port(),
        };
        std::fs::create_dir_all(self.data.parent().expect("a folder above")).expect("a folder for the data");
        let log = File::options().create(true).append(true).open(self.log_file()).expect("opening the log");
        let child = self
            .command("run")
            .args(ports.settings())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("the binary starts");
        let mut process = Marquetry { child, ports, setup: self.clone() };
        process.wait_until_healthy();
        process
    }

    /// A subcommand of the binary on this data folder and lake.
    pub fn command(&self, subcommand: &str) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg(subcommand).arg("--data").arg(&self.data).envs(self.environment.clone());
        command.args(["--set", &format!("exporters.lake.flush_interval={}", self.flush)]);
        if let Some(url) = &self.lake {
            command.args(["--set", &format!("exporters.lake.url={url}")]);
        }
        command.args(self.configs.iter().flat_map(|config| ["--config", config]));
        command.args(self.settings.iter().flat_map(|setting| ["--set", setting]));
        command
    }

    /// The rows that a process of its own answers to `sql`.
    pub fn query(&self, sql: &str) -> Vec<Value> {
        let text = python::output(self.command("query").args([sql, "--format", "json"]));
        rows(&text)
    }

    /// The one value that `sql` gives.
    pub fn value(&self, sql: &str) -> Value {
        let rows = self.query(sql);
        let [row] = rows.as_slice() else { panic!("{sql} gave {} rows, not one: {rows:?}", rows.len()) };
        let columns = row.as_object().expect("a row is an object");
        assert!(columns.len() <= 1, "{sql} gave more than one column: {row}");
        // JSON rows may leave out a NULL.
        columns.values().next().cloned().unwrap_or(Value::Null)
    }

    /// The one number that `sql` gives.
    pub fn count(&self, sql: &str) -> u64 {
        self.value(sql).as_u64().unwrap_or_else(|| panic!("{sql} gave no count"))
    }

    /// What the process said so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }
}

/// An array of objects, or one object a line.
fn rows(text: &str) -> Vec<Value> {
    let whole = serde_json::from_str::<Value>(text.trim());
    match whole {
        Ok(Value::Array(rows)) => rows,
        Ok(row) => vec![row],
        Err(_) => text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("no JSON: {e}\n{text}")))
            .collect(),
    }
}

/// Where a process listens.
#[derive(Debug, Clone)]
pub struct Ports {
    /// OTLP over gRPC.
    pub grpc: u16,
    /// OTLP over HTTP.
    pub http: u16,
    /// Health.
    pub health: u16,
    /// Prometheus.
    pub metrics: u16,
}

impl Ports {
    /// What makes another command listen, or look, there.
    pub fn settings(&self) -> Vec<String> {
        [
            ("receivers.otlp.protocols.grpc.endpoint", self.grpc),
            ("receivers.otlp.protocols.http.endpoint", self.http),
            ("extensions.health_check.endpoint", self.health),
            ("service.telemetry.metrics.address", self.metrics),
        ]
        .into_iter()
        .flat_map(|(key, port)| ["--set".to_owned(), format!("{key}=127.0.0.1:{port}")])
        .collect()
    }
}

/// A running process; it is killed when this value goes.
pub struct Marquetry {
    child: Child,
    /// Where it listens.
    pub ports: Ports,
    /// How it was started.
    pub setup: Setup,
}

impl Marquetry {
    fn wait_until_healthy(&mut self) {
        let start = Instant::now();
        loop {
            if http::get(self.ports.health, "/").is_ok_and(|answer| answer.status == 200) {
                return;
            }
            let ended = self.child.try_wait().expect("asking for its end");
            assert!(ended.is_none(), "it ended with {ended:?} while starting:\n{}", self.setup.log());
            assert!(start.elapsed() < PATIENCE, "not healthy after {PATIENCE:?}:\n{}", self.setup.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Sends an export request over HTTP as protobuf.
    pub fn send(&self, path: &str, request: &impl Message) -> Response {
        http::post(self.ports.http, path, PROTOBUF, &request.encode_to_vec()).expect("an answer")
    }

    /// Sends and insists on an OK.
    pub fn accept(&self, path: &str, request: &impl Message) {
        let answer = self.send(path, request);
        assert_eq!(answer.status, 200, "{path} was answered {}", answer.text());
    }

    /// What Prometheus would read.
    pub fn metrics(&self) -> String {
        http::get(self.ports.metrics, "/metrics").expect("metrics answer").text()
    }

    /// Ends it at once, as a power cut does.
    pub fn kill(mut self) -> Setup {
        self.child.kill().expect("killing it");
        self.child.wait().expect("its end");
        self.setup.clone()
    }

    /// Asks it to stop and waits for a clean end.
    pub fn stop(mut self) -> Setup {
        let status = self.terminate();
        assert!(status.success(), "it stopped with {status}:\n{}", self.setup.log());
        self.setup.clone()
    }

    fn terminate(&mut self) -> ExitStatus {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).expect("asking it to stop");
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("asking for its end") {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "still running {PATIENCE:?} after SIGTERM:\n{}", self.setup.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Marquetry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until `done`, or fails saying what was waited for.
pub fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "waited {PATIENCE:?} for {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
