//! `service.telemetry` as it is written, in the shape of the collector's declarative configuration.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use component::Period;
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use super::super::model::{Encoding, Level};

/// `service.telemetry`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Telemetry {
    pub(crate) metrics: Metrics,
    pub(crate) logs: Logs,
    pub(crate) traces: Traces,
    /// Attributes of who says it; null leaves one of ours out.
    pub(crate) resource: BTreeMap<String, Option<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Metrics {
    pub(crate) level: Option<MetricsLevel>,
    /// Where Prometheus finds the page; a pull reader says the same in the collector's words.
    pub(crate) address: Option<String>,
    pub(crate) readers: Vec<Reader>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MetricsLevel {
    None,
    Basic,
    Normal,
    Detailed,
}

/// Who reads the metrics: one of both.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Reader {
    pub(crate) pull: Option<Pull>,
    pub(crate) periodic: Option<Periodic>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Pull {
    pub(crate) exporter: PullExporter,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PullExporter {
    pub(crate) prometheus: Prometheus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Prometheus {
    pub(crate) host: Option<String>,
    pub(crate) port: Option<u16>,
    /// `false` adds labels `otel_scope_name` and `otel_scope_version`.
    pub(crate) without_scope_info: Option<bool>,
    /// `false` ends counters in `_total`.
    pub(crate) without_type_suffix: Option<bool>,
    /// `false` adds the unit to names.
    pub(crate) without_units: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Periodic {
    pub(crate) interval: Option<Millis>,
    pub(crate) timeout: Option<Millis>,
    pub(crate) exporter: PushExporter,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Logs {
    pub(crate) level: Option<Level>,
    pub(crate) encoding: Option<Encoding>,
    pub(crate) processors: Vec<Processor>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Traces {
    pub(crate) level: Option<MetricsLevel>,
    pub(crate) processors: Vec<Processor>,
    pub(crate) sampler: Option<Sampler>,
}

/// How many requests are traced. `ratio` is short for `trace_id_ratio_based: { ratio: … }`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Sampler {
    pub(crate) ratio: Option<f64>,
    pub(crate) trace_id_ratio_based: Option<Ratio>,
    pub(crate) always_on: Option<Nothing>,
    pub(crate) always_off: Option<Nothing>,
    /// A request of ours has no parent, so that its root decides.
    pub(crate) parent_based: Option<ParentBased>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Ratio {
    pub(crate) ratio: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ParentBased {
    pub(crate) root: Option<Box<Sampler>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Nothing {}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Processor {
    pub(crate) batch: Option<Batch>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Batch {
    pub(crate) exporter: PushExporter,
    /// Longest wait of a span or log line: 5 s.
    pub(crate) schedule_delay: Option<Millis>,
    pub(crate) export_timeout: Option<Millis>,
    /// What is more is lost, and costs nothing else: 2048.
    pub(crate) max_queue_size: Option<usize>,
    pub(crate) max_export_batch_size: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PushExporter {
    pub(crate) otlp: Option<Otlp>,
}

/// An OTLP exporter of our own telemetry.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Otlp {
    pub(crate) protocol: Option<Protocol>,
    pub(crate) endpoint: Option<String>,
    pub(crate) headers: Headers,
    pub(crate) compression: Option<Compression>,
    pub(crate) timeout: Option<Millis>,
    /// For an endpoint without a scheme: whether it is plain.
    pub(crate) insecure: Option<bool>,
    /// PEM file with who signs the backend's certificate, instead of the system's.
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) client_certificate: Option<PathBuf>,
    pub(crate) client_key: Option<PathBuf>,
    /// Metrics only.
    pub(crate) temporality_preference: Option<Temporality>,
}

// What it holds may be a secret.
impl fmt::Debug for Otlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Otlp").field("protocol", &self.protocol).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum Protocol {
    #[serde(rename = "grpc")]
    Grpc,
    #[serde(rename = "http/protobuf")]
    HttpProtobuf,
    #[serde(rename = "http/json")]
    HttpJson,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Compression {
    Gzip,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Temporality {
    Cumulative,
    Delta,
}

/// A list of names and values, or a map.
#[derive(Default)]
pub(crate) struct Headers(pub(crate) Vec<(String, String)>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    name: String,
    value: String,
}

/// Milliseconds as a number, as the collector has them, or a duration such as `5s`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Millis(pub(crate) Duration);

// === impl Deserialize ===

struct HeadersVisitor;

impl<'de> Visitor<'de> for HeadersVisitor {
    type Value = Headers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of `name` and `value`, or a map")
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Headers, A::Error> {
        let mut headers = Vec::new();
        while let Some(Header { name, value }) = list.next_element()? {
            headers.push((name, value));
        }
        Ok(Headers(headers))
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Headers, A::Error> {
        let mut headers = Vec::new();
        while let Some(header) = map.next_entry()? {
            headers.push(header);
        }
        Ok(Headers(headers))
    }

    fn visit_unit<E: Error>(self) -> Result<Headers, E> {
        Ok(Headers::default())
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(HeadersVisitor)
    }
}

struct MillisVisitor;

impl Visitor<'_> for MillisVisitor {
    type Value = Millis;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("milliseconds, or a duration such as 5s")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Millis, E> {
        let unexpected = || E::invalid_value(serde::de::Unexpected::Str(text), &self);
        Period::parse(text).map(|period| Millis(period.0)).ok_or_else(unexpected)
    }

    fn visit_u64<E: Error>(self, millis: u64) -> Result<Millis, E> {
        Ok(Millis(Duration::from_millis(millis)))
    }
}

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MillisVisitor)
    }
}
