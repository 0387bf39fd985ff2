//! One request, on either wire: who sends, what, and what they are told.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, USER_AGENT};
use hyper::{Request, Response};
use otlp::Signal;
use tracing::Instrument;
use tracing::field::Empty;

use super::admission::{Admission, Grant};
use super::body::ReplyBody;
use super::status::{Accepted, Refusal};
use super::{grpc, http};
use crate::config::{Listener, Wire};
use crate::pipeline::{Answer, Outlet, Received};
use crate::telemetry::{SPANS, Telemetry, Verdict, signal_name};

/// Clients that are remembered as warned; beyond that, new ones are no longer warned.
const MAX_WARNED: usize = 4096;

const METRICS_WARNING: &str = "metrics are counted, not stored yet";

/// What every request of an endpoint needs.
pub(crate) struct Service {
    pub(crate) listener: Listener,
    pub(crate) room: Admission,
    outlet: Outlet,
    telemetry: Arc<Telemetry>,
    warned: Arc<Warned>,
}

/// Who was already told that metrics are not stored.
#[derive(Debug, Default)]
pub(crate) struct Warned {
    hasher: RandomState,
    clients: Mutex<HashSet<u64>>,
}

/// Who sent a request, as far as it matters.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    pub(crate) peer: IpAddr,
    pub(crate) tenant: Arc<str>,
    pub(crate) wire: Wire,
}

impl Service {
    pub(crate) fn new(
        listener: Listener,
        room: Admission,
        outlet: Outlet,
        telemetry: Arc<Telemetry>,
        warned: Arc<Warned>,
    ) -> Self {
        Self { listener, room, outlet, telemetry, warned }
    }

    /// Answers a request. The content type tells the wire, so that either port takes both.
    pub(crate) async fn handle<B>(&self, request: Request<B>, peer: IpAddr) -> Response<ReplyBody>
    where
        B: hyper::body::Body<Data = Bytes> + Unpin,
    {
        let kind = request.headers().get(CONTENT_TYPE).map(|v| v.as_bytes()).unwrap_or_default();
        let is_grpc = kind.starts_with(b"application/grpc");
        // From the head of a request to its answer, which is when its rows are on disk.
        let span = tracing::info_span!(
            target: SPANS, "receive",
            otel.kind = "server", otel.status_code = Empty, transport = Empty, signal = Empty, bytes = Empty, code = Empty
        );
        let answer = async {
            if is_grpc { grpc::call(self, request, peer).await } else { http::post(self, request, peer).await }
        };
        answer.instrument(span).await
    }

    /// Whose data this is, or that nobody says so.
    pub(crate) fn sender(&self, headers: &HeaderMap, peer: IpAddr, wire: Wire) -> Result<Sender, Refusal> {
        let tenant = match &self.listener.tokens {
            None => Arc::clone(&self.listener.tenant),
            Some(tokens) => {
                tokens.tenant(headers.get(AUTHORIZATION).map(|v| v.as_bytes())).ok_or(Refusal::Unauthenticated)?
            }
        };
        Ok(Sender { peer, tenant, wire })
    }

    /// Hands protobuf bytes on and waits until they are safe.
    pub(crate) async fn take(
        &self,
        sender: Sender,
        signal: Signal,
        headers: &HeaderMap,
        (body, grant): (Bytes, Grant),
    ) -> Result<Accepted, Refusal> {
        if signal == Signal::Metrics {
            return self.count_metrics(&sender, headers, &body);
        }
        tracing::Span::current().record("bytes", body.len());
        let received = Received { signal, tenant: sender.tenant, body, received_unix_nano: now(), wire: sender.wire };
        match self.outlet.send(received, grant).await {
            Answer::Accepted { rejected, message } => Ok(Accepted { rejected, message }),
            Answer::Malformed(why) => Err(Refusal::Malformed(why)),
            Answer::Refused(why) => Err(Refusal::Refused(why)),
            Answer::Full(after) => Err(Refusal::Busy(after)),
            Answer::Unavailable(why) => Err(Refusal::Unavailable(why)),
        }
    }

    fn count_metrics(&self, sender: &Sender, headers: &HeaderMap, body: &[u8]) -> Result<Accepted, Refusal> {
        let points = otlp::count_data_points(body).map_err(|e| Refusal::Malformed(e.to_string()))?;
        self.telemetry.records(sender.wire, Signal::Metrics, Verdict::Accepted, points);
        let agent = headers.get(USER_AGENT).map(|v| v.as_bytes()).unwrap_or_default();
        let message = self.warned.first_time(sender.peer, agent).then(|| METRICS_WARNING.to_owned());
        Ok(Accepted { rejected: 0, message })
    }

    /// Counts a request by how it ended.
    pub(crate) fn count(
        &self,
        wire: Wire,
        signal: Option<Signal>,
        outcome: &Result<Accepted, Refusal>,
        started: Instant,
    ) {
        let code = outcome.as_ref().map_or_else(Refusal::code, |_| 0);
        self.telemetry.request(wire, signal, code, started.elapsed());
        let span = tracing::Span::current();
        if span.is_disabled() {
            return;
        }
        span.record("transport", wire.as_str()).record("code", code);
        if let Some(signal) = signal {
            span.record("signal", signal_name(signal));
        }
        if code != 0 {
            span.record("otel.status_code", "ERROR");
        }
    }
}

impl Warned {
    fn first_time(&self, peer: IpAddr, agent: &[u8]) -> bool {
        let client = self.hasher.hash_one((peer, agent));
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.len() < MAX_WARNED && clients.insert(client)
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
