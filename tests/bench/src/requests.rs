//! A corpus as requests: batched as SDKs batch, encoded and packed before anything is timed.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::{ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};
use prost::Message;

use crate::Result;
use crate::corpus::{self, Corpus, Expected, Item, Record};

/// What a request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    Traces,
    Logs,
}

/// How requests travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    Grpc,
    Http,
    Json,
}

/// A wire, packed or not, and how many records a request holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub wire: Wire,
    pub gzip: bool,
    pub batch: usize,
}

impl Wire {
    /// For tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Grpc => "gRPC",
            Self::Http => "HTTP",
            Self::Json => "HTTP JSON",
        }
    }
}

impl Shape {
    /// Every shape, the one that is quoted first.
    pub fn all() -> Vec<Self> {
        let wires = [Wire::Grpc, Wire::Http, Wire::Json];
        let shapes = wires.iter().flat_map(|wire| [false, true].map(|gzip| (*wire, gzip)));
        shapes.flat_map(|(wire, gzip)| [200, 10, 1].map(|batch| Self { wire, gzip, batch })).collect()
    }

    /// For tables.
    pub fn name(self) -> String {
        format!("{}{}, {}", self.wire.name(), if self.gzip { " gzip" } else { "" }, self.batch)
    }
}

/// One request, ready to be sent.
pub struct Outgoing {
    pub signal: Signal,
    pub body: Bytes,
    pub expected: Expected,
}

/// All of a corpus.
pub struct Load {
    pub shape: Shape,
    pub requests: Vec<Outgoing>,
    /// What must be stored once all of them are answered OK.
    pub expected: Expected,
    /// Bytes on the wire.
    pub bytes: u64,
}

impl Load {
    /// Batches per instance and signal, as an exporter in each process would.
    pub fn new(corpus: &Corpus, shape: Shape, items: usize) -> Result<Self> {
        let items = &corpus.items[..items.min(corpus.items.len())];
        let (resources, scopes) = (corpus::resources(), corpus::scopes());
        let mut waiting: Vec<Vec<&Item>> = vec![Vec::new(); resources.len() * 2];
        let mut requests = Vec::with_capacity(items.len() / shape.batch + waiting.len());
        let encode = |batch: &[&Item]| encode(batch, shape, &resources, &scopes);
        for item in items {
            let queue = item.resource * 2 + usize::from(matches!(item.record, Record::Log(_)));
            waiting[queue].push(item);
            if waiting[queue].len() == shape.batch {
                requests.push(encode(&waiting[queue])?);
                waiting[queue].clear();
            }
        }
        for rest in waiting.iter().filter(|rest| !rest.is_empty()) {
            requests.push(encode(rest)?);
        }
        let bytes = requests.iter().map(|request| request.body.len() as u64).sum();
        Ok(Self { shape, requests, expected: Expected::of(items), bytes })
    }
}

type Resources = [Resource];

/// A request as its senders build it.
enum Export {
    Traces(ExportTraceServiceRequest),
    Logs(ExportLogsServiceRequest),
}

impl Export {
    fn new(batch: &[&Item], resource: Resource, scopes: &[InstrumentationScope]) -> Self {
        match &batch[0].record {
            Record::Span(_) => Self::Traces(traces(batch, resource, scopes)),
            Record::Log(_) => Self::Logs(logs(batch, resource, scopes)),
        }
    }

    fn message(&self, wire: Wire) -> Result<Vec<u8>> {
        Ok(match (self, wire) {
            (Self::Traces(request), Wire::Json) => serde_json::to_vec(request)?,
            (Self::Logs(request), Wire::Json) => serde_json::to_vec(request)?,
            (Self::Traces(request), _) => request.encode_to_vec(),
            (Self::Logs(request), _) => request.encode_to_vec(),
        })
    }
}

fn encode(batch: &[&Item], shape: Shape, resources: &Resources, scopes: &[InstrumentationScope]) -> Result<Outgoing> {
    let export = Export::new(batch, resources[batch[0].resource].clone(), scopes);
    let message = export.message(shape.wire)?;
    let packed = if shape.gzip { gzip(&message)? } else { message };
    let body = if shape.wire == Wire::Grpc { framed(&packed, shape.gzip)? } else { packed };
    let mut expected = Expected::default();
    batch.iter().for_each(|item| expected.add(item));
    let signal = if matches!(export, Export::Traces(_)) { Signal::Traces } else { Signal::Logs };
    Ok(Outgoing { signal, body: body.into(), expected })
}

/// Records of one scope stand together.
fn by_scope<'a>(batch: &[&'a Item], scopes: &[InstrumentationScope]) -> Vec<(InstrumentationScope, Vec<&'a Item>)> {
    let of = |index: usize| batch.iter().copied().filter(|item| item.scope == index).collect::<Vec<_>>();
    let groups = scopes.iter().enumerate().map(|(index, scope)| (scope.clone(), of(index)));
    groups.filter(|(_, items)| !items.is_empty()).collect()
}

fn traces(batch: &[&Item], resource: Resource, scopes: &[InstrumentationScope]) -> ExportTraceServiceRequest {
    let span = |item: &&Item| match &item.record {
        Record::Span(span) => Some((**span).clone()),
        Record::Log(_) => None,
    };
    let group = |(scope, items): (InstrumentationScope, Vec<&Item>)| ScopeSpans {
        scope: Some(scope),
        spans: items.iter().filter_map(span).collect(),
        ..ScopeSpans::default()
    };
    let scope_spans = by_scope(batch, scopes).into_iter().map(group).collect();
    let resource_spans = vec![ResourceSpans { resource: Some(resource), scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }
}

fn logs(batch: &[&Item], resource: Resource, scopes: &[InstrumentationScope]) -> ExportLogsServiceRequest {
    let log = |item: &&Item| match &item.record {
        Record::Log(log) => Some((**log).clone()),
        Record::Span(_) => None,
    };
    let group = |(scope, items): (InstrumentationScope, Vec<&Item>)| ScopeLogs {
        scope: Some(scope),
        log_records: items.iter().filter_map(log).collect(),
        ..ScopeLogs::default()
    };
    let scope_logs = by_scope(batch, scopes).into_iter().map(group).collect();
    let resource_logs = vec![ResourceLogs { resource: Some(resource), scope_logs, ..ResourceLogs::default() }];
    ExportLogsServiceRequest { resource_logs }
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 3), Compression::new(6));
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

/// A gRPC message: a flag, its length, itself.
fn framed(message: &[u8], compressed: bool) -> Result<Vec<u8>> {
    let mut frame = Vec::with_capacity(message.len() + 5);
    frame.push(u8::from(compressed));
    frame.extend(u32::try_from(message.len())?.to_be_bytes());
    frame.extend_from_slice(message);
    Ok(frame)
}
