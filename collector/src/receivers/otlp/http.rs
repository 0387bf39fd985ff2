//! OTLP over HTTP: protobuf or JSON by POST, answered in the encoding of the request.

use std::net::IpAddr;
use std::time::Instant;

use bytes::Bytes;
use hyper::header::{
    ALLOW, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use otlp::Signal;

use super::body::{ReplyBody, drain, read};
use super::service::Service;
use super::status::{Accepted, Refusal};
use super::unpack::{Compression, Packing, unpack};
use crate::config::Wire;

/// Answers a POST.
pub(crate) async fn post<B>(service: &Service, request: Request<B>, peer: IpAddr) -> Response<ReplyBody>
where
    B: hyper::body::Body<Data = Bytes> + Unpin,
{
    let started = Instant::now();
    let signal = signal_of(request.uri().path());
    let json = is_json(request.headers());
    let (head, mut body) = request.into_parts();
    let outcome = export(service, signal, &head, &mut body, peer).await;
    service.count(Wire::Http, signal, &outcome, started);
    match outcome {
        Ok(accepted) => succeeded(&accepted, signal.unwrap_or(Signal::Traces), json.unwrap_or(false)),
        Err(refusal) => {
            drain(body).await;
            failed(&refusal, json.unwrap_or(true))
        }
    }
}

async fn export<B>(
    service: &Service,
    signal: Option<Signal>,
    head: &Parts,
    body: &mut B,
    peer: IpAddr,
) -> Result<Accepted, Refusal>
where
    B: hyper::body::Body<Data = Bytes> + Unpin,
{
    let signal = signal.ok_or(Refusal::NoSuchMethod)?;
    if head.method != Method::POST {
        return Err(Refusal::NotPost);
    }
    let sender = service.sender(&head.headers, peer, Wire::Http)?;
    let json = is_json(&head.headers).ok_or(Refusal::ContentType)?;
    let compression = Compression::named(head.headers.get(CONTENT_ENCODING).map(|v| v.as_bytes()))?;
    let max = service.listener.max_request;
    let announced = head.headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
    let received = read(body, announced, max, &service.room).await?;
    let unpacked = unpack(received, Packing { compression, json, signal, max }).await?;
    service.take(sender, signal, &head.headers, unpacked).await
}

fn signal_of(path: &str) -> Option<Signal> {
    match path.strip_suffix('/').unwrap_or(path) {
        "/v1/traces" => Some(Signal::Traces),
        "/v1/logs" => Some(Signal::Logs),
        "/v1/metrics" => Some(Signal::Metrics),
        _ => None,
    }
}

/// Whether the body is JSON; `None` when it is neither JSON nor protobuf.
fn is_json(headers: &HeaderMap) -> Option<bool> {
    let kind = headers.get(CONTENT_TYPE)?.as_bytes();
    let kind = kind.split(|b| *b == b';').next().unwrap_or_default().trim_ascii();
    if kind.eq_ignore_ascii_case(b"application/json") {
        return Some(true);
    }
    kind.eq_ignore_ascii_case(b"application/x-protobuf").then_some(false)
}

fn succeeded(accepted: &Accepted, signal: Signal, json: bool) -> Response<ReplyBody> {
    let body = if json { accepted.to_json(signal) } else { accepted.to_protobuf() };
    let mut response = Response::new(ReplyBody::new(body));
    response.headers_mut().insert(CONTENT_TYPE, content_type(json));
    response
}

fn failed(refusal: &Refusal, json: bool) -> Response<ReplyBody> {
    let body = if json { refusal.to_json() } else { refusal.to_protobuf() };
    let mut response = Response::new(ReplyBody::new(body));
    *response.status_mut() = StatusCode::from_u16(refusal.http()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, content_type(json));
    if let Some(after) = refusal.retry_after() {
        headers.insert(RETRY_AFTER, HeaderValue::from(after.as_secs_f64().ceil() as u64));
    }
    match refusal {
        Refusal::Unauthenticated => {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        Refusal::NotPost => {
            headers.insert(ALLOW, HeaderValue::from_static("POST"));
        }
        _ => {}
    }
    response
}

fn content_type(json: bool) -> HeaderValue {
    HeaderValue::from_static(if json { "application/json" } else { "application/x-protobuf" })
}
