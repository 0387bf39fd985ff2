//! The three unary calls of OTLP over gRPC.
//!
//! Spoken directly over HTTP/2, because the length of a message has to be known before it is read: it is the first
//! thing of a call, and a generic server reads the message before it hands anything on.

use std::net::IpAddr;
use std::time::Instant;

use bytes::{BufMut, Bytes, BytesMut};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response};
use otlp::Signal;

use super::body::{ReplyBody, drain, read_message};
use super::service::Service;
use super::status::{Accepted, Refusal};
use super::unpack::{Compression, Packing, unpack};
use crate::config::Wire;

const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");

/// Answers a call. gRPC says everything in its own status, so HTTP's is always 200.
pub(crate) async fn call<B>(service: &Service, request: Request<B>, peer: IpAddr) -> Response<ReplyBody>
where
    B: hyper::body::Body<Data = Bytes> + Unpin,
{
    let started = Instant::now();
    let signal = signal_of(request.uri().path());
    let outcome = export(service, signal, request, peer).await;
    service.count(Wire::Grpc, signal, &outcome, started);
    match outcome {
        Ok(accepted) => succeeded(&accepted),
        Err(refusal) => failed(&refusal),
    }
}

async fn export<B>(
    service: &Service,
    signal: Option<Signal>,
    request: Request<B>,
    peer: IpAddr,
) -> Result<Accepted, Refusal>
where
    B: hyper::body::Body<Data = Bytes> + Unpin,
{
    let (head, mut body) = request.into_parts();
    let max = service.listener.max_request;
    let ready = || {
        let signal = signal.filter(|_| head.method == Method::POST).ok_or(Refusal::NoSuchMethod)?;
        let sender = service.sender(&head.headers, peer, Wire::Grpc)?;
        let compression = Compression::named(head.headers.get(ENCODING).map(|v| v.as_bytes()))?;
        Ok((signal, sender, compression))
    };
    let (signal, sender, compression) = ready()?;
    let received = match read_message(&mut body, max, &service.room).await {
        Ok(received) => received,
        Err(refusal) => {
            // A stream that is reset while its sender still writes looks like a broken connection to some clients.
            if matches!(refusal, Refusal::Busy(_)) {
                drain(body).await;
            }
            return Err(refusal);
        }
    };
    let compression = if received.compressed { compression } else { Compression::None };
    let unpacked = unpack(received, Packing { compression, json: false, signal, max }).await?;
    service.take(sender, signal, &head.headers, unpacked).await
}

fn signal_of(path: &str) -> Option<Signal> {
    match path {
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export" => Some(Signal::Traces),
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export" => Some(Signal::Logs),
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" => Some(Signal::Metrics),
        _ => None,
    }
}

fn succeeded(accepted: &Accepted) -> Response<ReplyBody> {
    let message = accepted.to_protobuf();
    let mut frame = BytesMut::with_capacity(5 + message.len());
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).unwrap_or(0));
    frame.put_slice(&message);
    let mut trailers = HeaderMap::new();
    trailers.insert(STATUS, HeaderValue::from_static("0"));
    let mut response = Response::new(ReplyBody::with_trailers(frame.freeze(), trailers));
    response.headers_mut().insert(CONTENT_TYPE, GRPC);
    response
}

fn failed(refusal: &Refusal) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::default());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, GRPC);
    headers.insert(STATUS, HeaderValue::from(u16::from(refusal.code())));
    if let Ok(message) = HeaderValue::from_str(&percent_encoded(&refusal.message())) {
        headers.insert(MESSAGE, message);
    }
    if let Ok(details) = HeaderValue::from_str(&refusal.details()) {
        headers.insert(DETAILS, details);
    }
    if matches!(refusal, Refusal::Compression(_)) {
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity,gzip,zstd"));
    }
    response
}

/// `grpc-message` holds printable ASCII but for the percent sign.
fn percent_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' '..=b'~' if byte != b'%' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
