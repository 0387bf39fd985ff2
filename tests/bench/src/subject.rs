//! A process under test: started from its committed configuration, watched, stopped.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::Result;
use crate::client::Target;

const PATIENCE: Duration = Duration::from_secs(120);
const SAMPLED_EVERY: Duration = Duration::from_millis(100);
/// Linux counts the time of processes in hundredths, whatever its own clock is.
const TICKS_PER_SECOND: f64 = 100.0;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Marquetry,
    Go,
}

impl Side {
    /// For tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Marquetry => "Marquetry",
            Self::Go => "Go collector",
        }
    }
}

/// Where the programs and their configurations are.
#[derive(Debug, Clone)]
pub struct Programs {
    pub marquetry: PathBuf,
    /// A binary that answers queries, if that one does not.
    pub ask: Option<PathBuf>,
    pub go: Option<PathBuf>,
    /// The folder of this crate.
    pub configs: PathBuf,
}

/// How a process is started.
#[derive(Debug, Clone)]
pub struct Setup {
    pub side: Side,
    pub programs: Programs,
    pub data: PathBuf,
    /// Settings of Marquetry besides its configuration, `a.b=c`.
    pub settings: Vec<String>,
    ports: [u16; 4],
}

impl Setup {
    /// On a folder of its own.
    pub fn new(side: Side, programs: &Programs, data: &Path) -> Result<Self> {
        std::fs::create_dir_all(data)?;
        let sockets = (0..4).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<std::io::Result<Vec<_>>>()?;
        let mut ports = [0; 4];
        for (port, socket) in ports.iter_mut().zip(&sockets) {
            *port = socket.local_addr()?.port();
        }
        Ok(Self { side, programs: programs.clone(), data: data.to_owned(), settings: Vec::new(), ports })
    }

    /// A question to what it left behind.
    pub fn query(&self, sql: &str) -> Result<Command> {
        let mut command = self.command(self.programs.ask.as_ref())?;
        command.args(["query", sql, "--format", "json"]);
        Ok(command)
    }

    /// The program, or another in its place, with its configuration.
    fn command(&self, other: Option<&PathBuf>) -> Result<Command> {
        let configs = &self.programs.configs;
        let (program, config) = match self.side {
            Side::Marquetry => (other.or(Some(&self.programs.marquetry)), configs.join("marquetry.yaml")),
            Side::Go => (self.programs.go.as_ref(), configs.join("go/otelcol.yaml")),
        };
        let mut command = Command::new(program.ok_or("the Go collector is not built")?);
        command.arg("--config").arg(config);
        command.args(self.settings.iter().flat_map(|setting| ["--set", setting]));
        command.env("BENCH_DATA", &self.data).env("BENCH_OVERLAY", configs.join("overlay"));
        for (name, port) in ["BENCH_GRPC", "BENCH_HTTP", "BENCH_HEALTH", "BENCH_METRICS"].iter().zip(self.ports) {
            command.env(name, port.to_string());
        }
        Ok(command)
    }

    /// Starts it and waits until it is healthy.
    pub fn start(self) -> Result<Subject> {
        let log = File::options().create(true).append(true).open(self.data.with_extension("log"))?;
        let mut command = self.command(None)?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn()?;
        let watch = Watch::start(child.id());
        let mut subject = Subject { child, setup: self, watch };
        let start = Instant::now();
        while !get(subject.setup.ports[2], "/").is_ok_and(|page| page.starts_with("HTTP/1.1 200")) {
            if let Some(status) = subject.child.try_wait()? {
                return Err(format!("{} ended with {status} while starting", subject.setup.side.name()).into());
            }
            if start.elapsed() > PATIENCE {
                return Err(format!("{} is not healthy", subject.setup.side.name()).into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(subject)
    }
}

/// A running process; it is killed when this value goes.
pub struct Subject {
    child: Child,
    pub setup: Setup,
    watch: Watch,
}

impl Subject {
    /// Where it listens.
    pub fn target(&self) -> Target {
        Target { grpc: self.setup.ports[0], http: self.setup.ports[1] }
    }

    /// Seconds of CPU so far.
    pub fn cpu(&self) -> Result<f64> {
        cpu(self.child.id()).map(|(seconds, _)| seconds)
    }

    /// The memory since the start.
    pub fn memory(&self) -> Vec<Memory> {
        self.watch.samples.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A number from the metrics page: the sum of all series of this name.
    pub fn metric(&self, name: &str) -> Result<f64> {
        Ok(self.metrics(name)?.iter().map(|(_, value)| value).sum())
    }

    /// The series of this name, by their labels.
    pub fn metrics(&self, name: &str) -> Result<Vec<(String, f64)>> {
        let page = get(self.setup.ports[3], "/metrics")?;
        let series = |line: &str| {
            let (labels, value) = line.strip_prefix(name)?.rsplit_once(' ')?;
            let whole = labels.is_empty() || labels.starts_with('{');
            whole.then(|| Some((labels.to_owned(), value.parse().ok()?))).flatten()
        };
        Ok(page.lines().filter_map(series).collect())
    }

    /// Waits for something on its metrics page.
    pub fn wait_for(&self, what: &str, done: impl Fn(&Self) -> Result<bool>) -> Result<()> {
        let start = Instant::now();
        while !done(self)? {
            if start.elapsed() > PATIENCE {
                return Err(format!("waited {PATIENCE:?} for {what}").into());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    /// Asks it to stop, waits for a clean end, and says how much CPU it had used by then.
    pub fn stop(mut self) -> Result<(Setup, f64)> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let start = Instant::now();
        // What has ended can still be read until it is waited for.
        let mut used = cpu(self.child.id())?;
        while used.1 != 'Z' {
            if start.elapsed() > PATIENCE {
                return Err(format!("{} still runs {PATIENCE:?} after SIGTERM", self.setup.side.name()).into());
            }
            std::thread::sleep(Duration::from_millis(10));
            used = cpu(self.child.id())?;
        }
        let status = self.child.wait()?;
        if !status.success() {
            return Err(format!("{} stopped with {status}", self.setup.side.name()).into());
        }
        Ok((self.setup.clone(), used.0))
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        self.watch.stop.store(true, Ordering::Relaxed);
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(thread) = self.watch.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Resident memory of a process in MiB.
#[derive(Debug, Clone, Copy, Default)]
pub struct Memory {
    pub anonymous: f64,
    pub total: f64,
}

impl Memory {
    /// The largest of each.
    pub fn peak(samples: &[Self]) -> Self {
        samples.iter().fold(Self::default(), |peak, sample| Self {
            anonymous: peak.anonymous.max(sample.anonymous),
            total: peak.total.max(sample.total),
        })
    }
}

struct Watch {
    samples: Arc<Mutex<Vec<Memory>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    fn start(pid: u32) -> Self {
        let (samples, stop) = (Arc::<Mutex<Vec<Memory>>>::default(), Arc::<AtomicBool>::default());
        let (kept, until) = (Arc::clone(&samples), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            while !until.load(Ordering::Relaxed) {
                if let Some(memory) = memory(pid) {
                    kept.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
                }
                std::thread::sleep(SAMPLED_EVERY);
            }
        });
        Self { samples, stop, thread: Some(thread) }
    }
}

fn memory(pid: u32) -> Option<Memory> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let mib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.trim().strip_suffix(" kB")?.parse::<f64>().ok()? / 1024.0)
    };
    Some(Memory { anonymous: mib("RssAnon:")?, total: mib("VmRSS:")? })
}

/// Seconds of CPU, user and system, and the state of a process.
fn cpu(pid: u32) -> Result<(f64, char)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in parentheses may hold anything.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).ok_or("no times in stat");
    let state = fields.first().and_then(|state| state.chars().next()).ok_or("no state in stat")?;
    Ok(((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND, state))
}

fn get(port: u16, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n").as_bytes())?;
    let mut page = Vec::new();
    stream.read_to_end(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}
