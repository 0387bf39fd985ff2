//! One connection and what is said over it: OTLP as gRPC over plain HTTP/2, or as HTTP/1.1.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use flate2::read::GzDecoder;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use tokio::net::TcpStream;

use crate::Result;
use crate::requests::{Outgoing, Shape, Signal, Wire};

/// Where a process under test listens.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    pub grpc: u16,
    pub http: u16,
}

/// What a request was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Taken whole.
    Ok,
    /// To be sent again; whether it was said when, or at least that it may be.
    Refused { says_when: bool },
}

/// A connection; clones share it, which only gRPC can.
#[derive(Clone)]
pub enum Client {
    Grpc(http2::SendRequest<Full<Bytes>>, Shape),
    Http(std::sync::Arc<tokio::sync::Mutex<http1::SendRequest<Full<Bytes>>>>, Shape),
}

impl Client {
    /// Connects.
    pub async fn connect(target: Target, shape: Shape) -> Result<Self> {
        let port = if shape.wire == Wire::Grpc { target.grpc } else { target.http };
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        let io = TokioIo::new(stream);
        if shape.wire == Wire::Grpc {
            let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await?;
            tokio::spawn(connection);
            return Ok(Self::Grpc(sender, shape));
        }
        let (sender, connection) = http1::handshake(io).await?;
        tokio::spawn(connection);
        Ok(Self::Http(std::sync::Arc::new(tokio::sync::Mutex::new(sender)), shape))
    }

    /// Sends one request and reads its answer to the end.
    pub async fn send(&self, outgoing: &Outgoing) -> Result<Answer> {
        match self {
            Self::Grpc(sender, shape) => {
                let mut sender = sender.clone();
                sender.ready().await?;
                let response = sender.send_request(call(outgoing, *shape)?).await?;
                grpc_answer(response, outgoing).await
            }
            Self::Http(sender, shape) => {
                let mut sender = sender.lock().await;
                sender.ready().await?;
                let response = sender.send_request(post(outgoing, *shape)?).await?;
                http_answer(response, outgoing, *shape).await
            }
        }
    }
}

fn call(outgoing: &Outgoing, shape: Shape) -> Result<Request<Full<Bytes>>> {
    let path = match outgoing.signal {
        Signal::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        Signal::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    };
    let mut request = Request::post(format!("http://127.0.0.1{path}"))
        .header(CONTENT_TYPE, "application/grpc")
        .header("te", "trailers");
    if shape.gzip {
        request = request.header("grpc-encoding", "gzip");
    }
    Ok(request.body(Full::new(outgoing.body.clone()))?)
}

fn post(outgoing: &Outgoing, shape: Shape) -> Result<Request<Full<Bytes>>> {
    let path = if outgoing.signal == Signal::Traces { "/v1/traces" } else { "/v1/logs" };
    let kind = if shape.wire == Wire::Json { "application/json" } else { "application/x-protobuf" };
    let mut request = Request::post(path).header("host", "127.0.0.1").header(CONTENT_TYPE, kind);
    if shape.gzip {
        request = request.header(CONTENT_ENCODING, "gzip");
    }
    Ok(request.body(Full::new(outgoing.body.clone()))?)
}

async fn grpc_answer(response: Response<hyper::body::Incoming>, outgoing: &Outgoing) -> Result<Answer> {
    let (head, body) = response.into_parts();
    let collected = body.collect().await?;
    let trailers = collected.trailers().cloned().unwrap_or_default();
    let said = |name: &str| trailers.get(name).or_else(|| head.headers.get(name)).cloned();
    let status = said("grpc-status").ok_or("an answer without grpc-status")?;
    match status.to_str()? {
        "0" => {
            whole(&unframed(&collected.to_bytes())?, outgoing.signal)?;
            Ok(Answer::Ok)
        }
        // RESOURCE_EXHAUSTED and UNAVAILABLE are OTLP's words for "later".
        "8" | "14" => {
            let details = said("grpc-status-details-bin").map(|value| value.as_bytes().to_vec()).unwrap_or_default();
            let without_padding = details.split(|byte| *byte == b'=').next().unwrap_or_default().to_vec();
            let decoded = STANDARD_NO_PAD.decode(without_padding)?;
            let says_when = decoded.windows(20).any(|window| window == b"google.rpc.RetryInfo");
            Ok(Answer::Refused { says_when })
        }
        other => Err(format!("answered with gRPC status {other}: {:?}", said("grpc-message")).into()),
    }
}

/// The message of a frame. Servers may pack an answer as its request was packed.
fn unframed(frame: &[u8]) -> Result<Vec<u8>> {
    let message = frame.get(5..).unwrap_or_default();
    if frame.first() != Some(&1) {
        return Ok(message.to_vec());
    }
    let mut unpacked = Vec::new();
    GzDecoder::new(message).read_to_end(&mut unpacked)?;
    Ok(unpacked)
}

async fn http_answer(response: Response<hyper::body::Incoming>, outgoing: &Outgoing, shape: Shape) -> Result<Answer> {
    let (head, body) = response.into_parts();
    let message = body.collect().await?.to_bytes();
    match head.status.as_u16() {
        200 if shape.wire == Wire::Json => {
            let rejected = String::from_utf8_lossy(&message).contains("ejected");
            if rejected { Err("a part of a request was rejected".into()) } else { Ok(Answer::Ok) }
        }
        200 => whole(&message, outgoing.signal).map(|()| Answer::Ok),
        429 | 502 | 503 | 504 => Ok(Answer::Refused { says_when: retry_after(&head.headers) }),
        other => Err(format!("answered with HTTP status {other}").into()),
    }
}

fn retry_after(headers: &HeaderMap) -> bool {
    headers.get(RETRY_AFTER).is_some_and(|value| value.to_str().is_ok_and(|text| text.parse::<u64>().is_ok()))
}

/// Nothing of the request was rejected.
fn whole(message: &[u8], signal: Signal) -> Result<()> {
    let rejected = match signal {
        Signal::Traces => ExportTraceServiceResponse::decode(message)?.partial_success.map_or(0, |p| p.rejected_spans),
        Signal::Logs => {
            ExportLogsServiceResponse::decode(message)?.partial_success.map_or(0, |p| p.rejected_log_records)
        }
    };
    if rejected == 0 { Ok(()) } else { Err(format!("{rejected} records of a request were rejected").into()) }
}
