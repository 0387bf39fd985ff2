//! What the process says of itself, to whom: the Prometheus page, and OTLP to another process. Never to itself: what it
//! says about taking its own telemetry would be more telemetry, without an end.

mod model;
mod reach;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use hyper::Uri;
use hyper::header::{HeaderName, HeaderValue};

use self::model::{Compression, MetricsLevel, Millis, Otlp, Processor, Protocol, Sampler, Temporality};
use super::listeners::{Listener, normalise};
use super::model::{Encoding, Level};
use super::node::Node;
use super::problem::Problems;
use super::read::{hide, locate, read};

pub(crate) use self::reach::reaches;

/// What is pushed to whom. Everything in here was checked.
#[derive(Debug, Clone, Default)]
pub struct OwnTelemetry {
    /// Attributes of who says it, on top of ours; `None` leaves one of ours out.
    pub resource: BTreeMap<String, Option<String>>,
    /// How names look on the Prometheus page.
    pub page: PageNames,
    /// Where metrics go, and how often.
    pub metrics: Vec<Push>,
    /// Where spans go.
    pub traces: Vec<Push>,
    /// Share of requests, gathers, flushes and merges that are traced.
    pub ratio: f64,
    /// Where log lines go, besides standard error.
    pub logs: Vec<Push>,
}

/// The collector's switches for names; its own page has all of them off.
#[derive(Debug, Clone, Copy, Default)]
pub struct PageNames {
    /// Labels with the instrumentation scope.
    pub scope: bool,
    /// `_total` behind counters.
    pub suffix: bool,
    /// Units behind names.
    pub units: bool,
}

/// One way out.
#[derive(Debug, Clone)]
pub struct Push {
    /// To whom.
    pub target: OtlpTarget,
    /// Longest wait before something is sent.
    pub every: Duration,
    /// Longest time for one export.
    pub timeout: Duration,
    /// What waits at most; spans and log lines only.
    pub queue: usize,
    /// What is sent at once at most; spans and log lines only.
    pub batch: usize,
}

/// A backend.
#[derive(Clone)]
pub struct OtlpTarget {
    /// Where it is configured, such as `service.telemetry.traces.processors.0.batch.exporter.otlp.endpoint`.
    pub setting: String,
    /// How it is spoken to.
    pub protocol: OtlpProtocol,
    /// With scheme, host and port.
    pub url: String,
    /// Sent along with each request.
    pub headers: Vec<(String, String)>,
    /// Whether bodies are compressed.
    pub gzip: bool,
    /// Longest time for one request.
    pub timeout: Duration,
    /// Who signs its certificate, PEM; `None` asks the system.
    pub ca: Option<Vec<u8>>,
    /// Our certificates and key, PEM.
    pub identity: Option<(Vec<u8>, Vec<u8>)>,
    /// Metrics since the last export, not since the start.
    pub delta: bool,
}

/// How a backend is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtlpProtocol {
    /// gRPC.
    Grpc,
    /// HTTP with protobuf.
    HttpProtobuf,
    /// HTTP with JSON.
    HttpJson,
}

/// What `service.telemetry` comes to.
pub(crate) struct Checked {
    pub(crate) address: Option<String>,
    pub(crate) level: Option<Level>,
    pub(crate) encoding: Option<Encoding>,
    pub(crate) own: OwnTelemetry,
}

impl OwnTelemetry {
    /// Every backend.
    pub fn targets(&self) -> impl Iterator<Item = &OtlpTarget> {
        self.metrics.iter().chain(&self.traces).chain(&self.logs).map(|push| &push.target)
    }
}

impl OtlpTarget {
    /// The URL for HTTP: the endpoint's own path, or OTLP's.
    pub(crate) fn url_for(&self, path: &str) -> String {
        let own = self.url.parse::<Uri>().is_ok_and(|uri| !matches!(uri.path(), "" | "/"));
        if own { self.url.clone() } else { format!("{}{path}", self.url.trim_end_matches('/')) }
    }

    /// Whether it is spoken to over TLS.
    pub(crate) fn is_tls(&self) -> bool {
        self.url.starts_with("https://")
    }
}

// Headers and the endpoint may hold a secret.
impl std::fmt::Debug for OtlpTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OtlpTarget").field("setting", &self.setting).finish_non_exhaustive()
    }
}

/// Reads and checks `service.telemetry`.
pub(crate) fn telemetry(root: &Node, problems: &mut Problems) -> Checked {
    let empty = Node::empty_map();
    let node = root.get("service").and_then(|s| s.get("telemetry")).unwrap_or(&empty);
    let settings: model::Telemetry = read(node, problems);
    let mut reader = Reader { node, problems };
    let off = settings.metrics.level == Some(MetricsLevel::None);
    let (address, page) = reader.page(&settings.metrics);
    let metrics = if off { Vec::new() } else { reader.periodic(&settings.metrics.readers) };
    let traces = match settings.traces.level {
        Some(MetricsLevel::None) => Vec::new(),
        _ => reader.batches("traces", &settings.traces.processors),
    };
    let ratio = reader.ratio(settings.traces.sampler.as_ref());
    let logs = reader.batches("logs", &settings.logs.processors);
    Checked {
        address: (!off).then_some(address),
        level: settings.logs.level,
        encoding: settings.logs.encoding,
        own: OwnTelemetry { resource: settings.resource, page, metrics, traces, ratio, logs },
    }
}

/// No telemetry may come back: names both settings where it would.
pub(crate) fn no_loop(root: &Node, own: &OwnTelemetry, listeners: &[Listener], problems: &mut Problems) {
    for target in own.targets() {
        let Some(listener) = listeners.iter().find(|listener| reaches(&target.url, &listener.address)) else {
            continue;
        };
        let path: Vec<String> = target.setting.split('.').map(str::to_owned).collect();
        let (place, width) = locate(root, &path);
        let text =
            format!("`{}` is our own {}.endpoint: telemetry about itself has no end", target.setting, listener.path);
        problems.add_with_help(place, width, text, "send it to another process");
    }
}

/// What the checks of one section need.
struct Reader<'a> {
    node: &'a Node,
    problems: &'a mut Problems,
}

impl Reader<'_> {
    fn page(&mut self, metrics: &model::Metrics) -> (String, PageNames) {
        let pull =
            metrics.readers.iter().enumerate().find_map(|(i, r)| Some((i, &r.pull.as_ref()?.exporter.prometheus)));
        let (path, address) = match (pull, &metrics.address) {
            (Some((index, p)), _) => {
                let host = p.host.as_deref().unwrap_or("127.0.0.1");
                (
                    format!("metrics.readers.{index}.pull.exporter.prometheus.host"),
                    format!("{host}:{}", p.port.unwrap_or(8888)),
                )
            }
            (None, Some(address)) => ("metrics.address".to_owned(), address.clone()),
            (None, None) => (String::new(), "127.0.0.1:8888".to_owned()),
        };
        let names = pull.map_or_else(PageNames::default, |(_, p)| PageNames {
            scope: p.without_scope_info == Some(false),
            suffix: p.without_type_suffix == Some(false),
            units: p.without_units == Some(false),
        });
        let address = normalise(&address).unwrap_or_else(|what| {
            self.add(&path, what);
            address.clone()
        });
        (address, names)
    }

    fn periodic(&mut self, readers: &[model::Reader]) -> Vec<Push> {
        let mut out = Vec::new();
        for (index, reader) in readers.iter().enumerate() {
            let path = format!("metrics.readers.{index}");
            match (&reader.pull, &reader.periodic) {
                (None, Some(periodic)) => {
                    let path = format!("{path}.periodic.exporter");
                    let Some(target) = self.target(&path, periodic.exporter.otlp.as_ref()) else { continue };
                    let every = at_least(periodic.interval, Duration::from_secs(60));
                    let timeout = at_least(periodic.timeout, Duration::from_secs(30));
                    out.push(Push { target, every, timeout, queue: 0, batch: 0 });
                }
                (Some(_), None) => {}
                _ => self.add(&path, "a reader is one of `pull` and `periodic`"),
            }
        }
        out
    }

    fn batches(&mut self, signal: &str, processors: &[Processor]) -> Vec<Push> {
        let mut out = Vec::new();
        for (index, processor) in processors.iter().enumerate() {
            let path = format!("{signal}.processors.{index}");
            let Some(batch) = &processor.batch else {
                self.add(&path, "a processor is a `batch` with an `exporter`");
                continue;
            };
            let Some(target) = self.target(&format!("{path}.batch.exporter"), batch.exporter.otlp.as_ref()) else {
                continue;
            };
            let queue = batch.max_queue_size.unwrap_or(2048).max(1);
            out.push(Push {
                target,
                every: at_least(batch.schedule_delay, Duration::from_secs(5)),
                timeout: at_least(batch.export_timeout, Duration::from_secs(30)),
                queue,
                batch: batch.max_export_batch_size.unwrap_or(512).clamp(1, queue),
            });
        }
        out
    }

    /// Without a sampler everything is traced that has somewhere to go, as in the collector.
    fn ratio(&mut self, sampler: Option<&Sampler>) -> f64 {
        let ratio = sampler.map_or(Some(1.0), ratio_of);
        match ratio {
            Some(ratio) if (0.0..=1.0).contains(&ratio) => ratio,
            Some(_) => {
                self.add("traces.sampler", "a ratio lies between 0 and 1");
                0.0
            }
            None => {
                let what = "say one of `ratio`, `always_on`, `always_off`, `trace_id_ratio_based` and `parent_based`";
                self.add("traces.sampler", what);
                0.0
            }
        }
    }

    fn target(&mut self, path: &str, otlp: Option<&Otlp>) -> Option<OtlpTarget> {
        let Some(otlp) = otlp else {
            self.add(path, "the exporter is `otlp`, with `protocol` and `endpoint`");
            return None;
        };
        let path = format!("{path}.otlp");
        let url = self.url(&path, otlp)?;
        self.headers(&path, &otlp.headers.0);
        let file = |key: &str, file: &Option<std::path::PathBuf>| {
            file.as_deref().map(|file| pem(file).map_err(|what| (format!("{path}.{key}"), what)))
        };
        let files = [
            file("certificate", &otlp.certificate),
            file("client_certificate", &otlp.client_certificate),
            file("client_key", &otlp.client_key),
        ];
        let [ca, chain, key] = files.map(|read| {
            read.and_then(|read| read.map_err(|(path, what)| self.add(&path, self.hidden(&path, &what))).ok())
        });
        if otlp.client_certificate.is_some() != otlp.client_key.is_some() {
            self.add(&path, "TLS needs both `client_certificate` and `client_key`");
        }
        Some(OtlpTarget {
            setting: format!("service.telemetry.{path}.endpoint"),
            protocol: match otlp.protocol.unwrap_or(Protocol::HttpProtobuf) {
                Protocol::Grpc => OtlpProtocol::Grpc,
                Protocol::HttpProtobuf => OtlpProtocol::HttpProtobuf,
                Protocol::HttpJson => OtlpProtocol::HttpJson,
            },
            url,
            headers: otlp.headers.0.clone(),
            gzip: otlp.compression == Some(Compression::Gzip),
            timeout: at_least(otlp.timeout, Duration::from_secs(10)),
            ca,
            identity: chain.zip(key),
            delta: otlp.temporality_preference == Some(Temporality::Delta),
        })
    }

    /// The endpoint with its scheme. It may hold a secret, so what is wrong does not repeat it.
    fn url(&mut self, path: &str, otlp: &Otlp) -> Option<String> {
        let Some(endpoint) = otlp.endpoint.as_deref().filter(|e| !e.is_empty()) else {
            self.add(path, "name an `endpoint`, such as http://127.0.0.1:4318");
            return None;
        };
        let url = match (endpoint.contains("://"), otlp.insecure) {
            (true, _) => endpoint.to_owned(),
            (false, Some(true)) => format!("http://{endpoint}"),
            (false, Some(false)) => format!("https://{endpoint}"),
            (false, None) => String::new(),
        };
        let right = url.parse::<Uri>().ok().filter(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
        });
        if right.is_none() {
            let what = "an endpoint has its scheme and host, such as http://127.0.0.1:4318 or https://otlp.example.com";
            self.add(&format!("{path}.endpoint"), what);
        }
        right.map(|_| url)
    }

    fn headers(&mut self, path: &str, headers: &[(String, String)]) {
        for (name, value) in headers {
            if HeaderName::from_bytes(name.as_bytes()).is_err() || HeaderValue::from_str(value).is_err() {
                self.add(
                    &format!("{path}.headers"),
                    "a header has a name of letters and a value of printable characters",
                );
            }
        }
    }

    fn add(&mut self, path: &str, what: impl Into<String>) {
        let (place, width) = locate(self.node, &split(path));
        self.problems.add(place, width, what);
    }

    /// A text about a setting without what the environment gave to it.
    fn hidden(&self, path: &str, text: &str) -> String {
        self.node.at(&split(path)).map_or_else(|| text.to_owned(), |node| hide(node, text))
    }
}

fn split(path: &str) -> Vec<String> {
    path.split('.').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn at_least(said: Option<Millis>, default: Duration) -> Duration {
    said.map_or(default, |millis| millis.0).max(Duration::from_millis(10))
}

/// `None` when it says nothing that is known.
fn ratio_of(sampler: &Sampler) -> Option<f64> {
    let said = [
        sampler.ratio,
        sampler.trace_id_ratio_based.as_ref().map(|based| based.ratio.unwrap_or(1.0)),
        sampler.always_on.as_ref().map(|_| 1.0),
        sampler.always_off.as_ref().map(|_| 0.0),
        // A ratio that cannot be is found by whoever checks the number.
        sampler.parent_based.as_ref().map(|based| based.root.as_deref().map_or(Some(1.0), ratio_of).unwrap_or(-1.0)),
    ];
    let mut said = said.into_iter().flatten();
    said.next().filter(|_| said.next().is_none())
}

fn pem(file: &Path) -> Result<Vec<u8>, String> {
    let bytes = std::fs::read(file).map_err(|e| format!("reading {}: {e}", file.display()))?;
    let marked = bytes.windows(11).any(|w| w == b"-----BEGIN ");
    if marked { Ok(bytes) } else { Err(format!("{} is not a PEM file", file.display())) }
}
