//! The whole process, in this process: real sockets on ports of their own, real journal, real lake.

#[cfg(feature = "queries")]
mod doctor;
mod grpc;
mod http;
mod pipeline;
mod start;
mod telemetry;
mod tls;

use std::path::Path;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::config::{Config, Inputs};
use crate::{Distribution, Error, Running, Service};

/// A process that takes data, and what is needed to talk to it.
struct Process {
    grpc: String,
    http: String,
    health: String,
    metrics: String,
    data: TempDir,
    running: Option<Running>,
}

/// Headers of a request in a table of cases.
type Headers = &'static [(&'static str, &'static str)];

const BASE: &str = "
extensions: { health_check: { endpoint: 127.0.0.1:0 } }
service: { telemetry: { metrics: { address: 127.0.0.1:0 } } }
pipeline: { workers: 1 }
";

const PLAIN: &str = "
receivers: { otlp: { protocols: { grpc: { endpoint: 127.0.0.1:0 }, http: { endpoint: 127.0.0.1:0 } } } }
";

/// One log record as OTLP/JSON.
const LOG: &str = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1700000000000000000","body":{"stringValue":"hello"}}]}]}]}"#;

fn inputs(data: &Path, yaml: &[&str]) -> Inputs {
    let configs = yaml.iter().map(|text| format!("yaml:{text}")).collect();
    Inputs { configs, data: Some(data.to_owned()), ..Inputs::default() }
}

fn config(data: &Path, yaml: &[&str]) -> Result<Config, Error> {
    Ok(Config::load(&inputs(data, yaml), &Distribution::default())?)
}

impl Process {
    async fn start(yaml: &str) -> Self {
        Self::start_with(&Distribution::default(), yaml).await
    }

    async fn start_with(distribution: &Distribution, yaml: &str) -> Self {
        let data = tempfile::tempdir().unwrap();
        let inputs = inputs(data.path(), &[BASE, yaml]);
        let config = Config::load(&inputs, distribution).unwrap();
        let service = Service::build(config, distribution).await.unwrap();
        let addresses = service.addresses();
        let admin = service.admin_addresses();
        let running = Some(service.run());
        let (grpc, http) = (addresses[0].clone(), addresses[addresses.len() - 1].clone());
        Self { grpc, http, health: admin[0].clone(), metrics: admin[1].clone(), data, running }
    }

    async fn stop(mut self) -> TempDir {
        self.running.take().unwrap().drain().await.unwrap();
        self.data
    }

    /// Posts to the HTTP endpoint: status, headers, body.
    async fn post(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> (u16, String, Bytes) {
        let stream = TcpStream::connect(&self.http).await.unwrap();
        let mut request = Request::post(path).header("host", "test");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (response, body) = exchange(stream, request.body(Full::new(body.into())).unwrap()).await;
        let retry = response.headers().get("retry-after").map(|v| v.to_str().unwrap().to_owned());
        (response.status().as_u16(), retry.unwrap_or_default(), body)
    }

    /// Gets a page of ours.
    async fn get(address: &str, path: &str) -> (u16, String) {
        let stream = TcpStream::connect(address).await.unwrap();
        let request = Request::get(path).header("host", "test").body(Full::new(Bytes::new())).unwrap();
        let (response, body) = exchange(stream, request).await;
        (response.status().as_u16(), String::from_utf8(body.to_vec()).unwrap())
    }

    async fn metric(&self, line: &str) -> bool {
        Self::get(&self.metrics, "/metrics").await.1.lines().any(|l| l == line)
    }
}

/// One HTTP/1 request on a connection of its own.
async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> (Response<()>, Bytes)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let (head, body) = sender.send_request(request).await.unwrap().into_parts();
    (Response::from_parts(head, ()), body.collect().await.unwrap().to_bytes())
}

/// One gRPC call: gRPC status, message, details, answer.
async fn call<S>(stream: S, path: &str, headers: &[(&str, &str)], body: Bytes) -> (String, String, String, Bytes)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.unwrap();
    tokio::spawn(connection);
    let mut request = Request::post(format!("http://test{path}")).header("content-type", "application/grpc");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = sender.send_request(request.body(Full::new(body)).unwrap()).await.unwrap();
    assert_eq!(response.status(), 200);
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap();
    let trailers = body.trailers().cloned().unwrap_or(head.headers);
    let text = |name: &str| trailers.get(name).map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default();
    (text("grpc-status"), text("grpc-message"), text("grpc-status-details-bin"), body.to_bytes())
}

/// A gRPC message with its prefix.
fn framed(compressed: bool, message: &[u8]) -> Bytes {
    let mut out = vec![u8::from(compressed)];
    out.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    out.extend(message);
    out.into()
}

fn protobuf(signal: otlp::Signal, json: &str) -> Vec<u8> {
    otlp::json_to_protobuf(signal, json.as_bytes()).unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
