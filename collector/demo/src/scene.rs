//! A stretch of one user's time, in which things happen one after the other.

use opentelemetry::KeyValue;
use opentelemetry::logs::Severity;
use opentelemetry::trace::SpanKind;

use crate::item::{Failure, Item, Log, Nanos, Span, attributes};
use crate::people::User;
use crate::random::Random;
use crate::services::Service;

/// Nanoseconds of a second.
pub(crate) const SECOND: Nanos = 1_000_000_000;
pub(crate) const MINUTE: Nanos = 60 * SECOND;
pub(crate) const HOUR: Nanos = 60 * MINUTE;
pub(crate) const DAY: Nanos = 24 * HOUR;

/// The stretch, and what was said in it.
pub(crate) struct Scene<'a> {
    pub(crate) random: Random,
    pub(crate) user: &'a User,
    pub(crate) service: Service,
    /// The session that the client names; `None` when it names none.
    pub(crate) session: Option<String>,
    /// Whether the app says who the user is.
    pub(crate) known: bool,
    pub(crate) at: Nanos,
    /// How long people think, against real life.
    pub(crate) pace: f64,
    items: Vec<Item>,
}

/// A request that a service answers.
pub(crate) struct Served {
    pub(crate) method: &'static str,
    pub(crate) route: &'static str,
    pub(crate) path: String,
    pub(crate) status: i64,
    /// Milliseconds besides those of its calls.
    pub(crate) ms: f64,
    pub(crate) calls: Vec<Called>,
    pub(crate) more: Vec<KeyValue>,
    pub(crate) failure: Option<Failure>,
}

/// A call to somebody else on the way.
pub(crate) struct Called {
    pub(crate) name: String,
    pub(crate) ms: f64,
    pub(crate) attributes: Vec<KeyValue>,
    pub(crate) failure: Option<Failure>,
}

impl Served {
    /// A request that goes well; the path is the route.
    pub(crate) fn new(method: &'static str, route: &'static str, ms: f64) -> Self {
        let status = if method == "POST" { 201 } else { 200 };
        let path = route.to_owned();
        Self { method, route, path, status, ms, calls: Vec::new(), more: Vec::new(), failure: None }
    }

    pub(crate) fn at(mut self, path: String) -> Self {
        self.path = path;
        self
    }

    pub(crate) fn answering(mut self, status: i64) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn calling(mut self, calls: Vec<Called>) -> Self {
        self.calls = calls;
        self
    }

    pub(crate) fn with(mut self, more: Vec<KeyValue>) -> Self {
        self.more = more;
        self
    }

    /// Ends with status 500 and this exception.
    pub(crate) fn throwing(mut self, kind: &'static str, message: String) -> Self {
        self.status = 500;
        self.failure = Some(Failure { kind, message, thrown: true });
        self
    }
}

impl<'a> Scene<'a> {
    pub(crate) fn new(mut random: Random, user: &'a User, service: Service, at: Nanos) -> Self {
        let session = Some(format!("{}-session-{}", user.id, random.hex(10)));
        Self { random, user, service, session, known: true, at, pace: 1.0, items: Vec::new() }
    }

    /// Everything that was said, in order.
    pub(crate) fn end(mut self) -> Vec<Item> {
        self.items.sort_by_key(Item::due);
        self.items
    }

    /// Some seconds in which the user does nothing that shows.
    pub(crate) fn think(&mut self, low: f64, high: f64) {
        let seconds = low + (high - low) * self.random.unit();
        self.at += (seconds * self.pace * SECOND as f64) as Nanos;
    }

    /// An event of the user.
    pub(crate) fn event(&mut self, name: &'static str, more: Vec<KeyValue>) {
        self.said(Severity::Info, name, None, more);
    }

    /// A log record of the user.
    pub(crate) fn said(&mut self, severity: Severity, name: &'static str, body: Option<String>, more: Vec<KeyValue>) {
        let mut attributes = self.who();
        attributes.extend(more);
        let event = Some(name);
        self.push_log(Log { service: self.service, at: self.at, event, severity, body, attributes, within: None });
    }

    /// A line of an ordinary log, without an event's name, in the course of the last request.
    pub(crate) fn line(&mut self, severity: Severity, body: String, within: (u128, u64)) {
        let (service, at, attributes) = (self.service, self.at, self.who());
        self.push_log(Log { service, at, event: None, severity, body: Some(body), attributes, within: Some(within) });
    }

    fn push_log(&mut self, log: Log) {
        // Two records of one app are never of the same nanosecond, or they would be taken for one.
        self.at += 1 + self.random.between(1_000, 900_000);
        self.items.push(Item::Log(Box::new(log)));
    }

    fn who(&self) -> Vec<KeyValue> {
        let mut who = Vec::with_capacity(12);
        if self.known {
            who.push(KeyValue::new("user.id", self.user.id.clone()));
        }
        if let Some(session) = &self.session {
            who.push(KeyValue::new("session.id", session.clone()));
        }
        who
    }

    /// A request and everything below it; time goes on by as long as it takes.
    pub(crate) fn serve(&mut self, served: Served) -> (u128, u64) {
        let (trace_id, root) = (self.random.trace_id(), self.random.span_id());
        let start = self.at;
        let own = millis(self.random.around(served.ms, 0.45));
        let mut cursor = start + own / 3;
        for called in served.calls {
            let end = cursor + millis(called.ms);
            let (kind, span_id) = (SpanKind::Client, self.random.span_id());
            self.items.push(Item::Span(Box::new(Span {
                service: self.service,
                trace_id,
                span_id,
                parent: Some(root),
                kind,
                name: called.name,
                start: cursor,
                end,
                attributes: called.attributes,
                failure: called.failure,
            })));
            cursor = end + 200_000;
        }
        let end = cursor + own - own / 3;
        let mut attributes = self.server_attributes(served.method, served.route, served.path, served.status);
        attributes.extend(served.more);
        let name = format!("{} {}", served.method, served.route);
        self.items.push(Item::Span(Box::new(Span {
            service: self.service,
            trace_id,
            span_id: root,
            parent: None,
            kind: SpanKind::Server,
            name,
            start,
            end,
            attributes,
            failure: served.failure,
        })));
        self.at = end;
        (trace_id, root)
    }

    fn server_attributes(
        &mut self,
        method: &'static str,
        route: &'static str,
        path: String,
        status: i64,
    ) -> Vec<KeyValue> {
        let bytes = self.random.around(2400.0, 0.9) as i64;
        let mut attributes = attributes![
            "http.request.method" => method,
            "http.route" => route,
            "url.path" => path,
            "url.scheme" => "https",
            "server.address" => self.service.profile().host,
            "http.response.status_code" => status,
            "http.response.body.size" => bytes,
            "network.protocol.version" => "2",
            "client.address" => self.user.address.clone(),
            "user_agent.original" => self.user.agent,
        ];
        attributes.extend(self.who());
        attributes
    }
}

/// Milliseconds as nanoseconds.
fn millis(ms: f64) -> Nanos {
    (ms.max(0.05) * 1e6) as Nanos
}
