//! Spans, as the SDKs of the systems make them.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::{Span, Status, span};

use super::services::{Scope, Service};
use super::systems::{Scene, Writer};
use super::{Table, float, int, list, text};

const INTERNAL: i32 = 1;
const SERVER: i32 = 2;
const CLIENT: i32 = 3;
const ERROR: i32 = 2;

/// A request that is served.
pub(super) struct Served {
    pub(super) route: &'static str,
    pub(super) method: &'static str,
    pub(super) failed: bool,
}

/// A model that is called.
pub(super) struct Call {
    pub(super) provider: &'static str,
    pub(super) host: &'static str,
    pub(super) system: &'static str,
}

/// Bytes of a span id.
pub(super) type SpanId = Vec<u8>;

const MODELS: [&str; 3] = ["gpt-4o-mini", "gpt-4o", "gpt-4.1-mini"];
const GEMINI: [&str; 2] = ["gemini-2.5-flash", "gemini-2.5-pro"];
const STATEMENTS: [(&str, &str, &str); 5] = [
    (
        "SELECT",
        "messages",
        "SELECT id, role, content, created_at FROM messages WHERE session_id = %s AND deleted_at IS NULL ORDER BY created_at DESC LIMIT 20",
    ),
    ("SELECT", "users", "SELECT id, email, role, last_login FROM users WHERE email = "),
    (
        "UPDATE",
        "progress",
        "UPDATE progress SET xp = xp + %s, updated_at = now() WHERE user_id = %s AND quest_id = %s RETURNING xp",
    ),
    ("INSERT", "events", "INSERT INTO events (user_id, kind, payload, created_at) VALUES (%s, %s, %s::jsonb, now())"),
    (
        "SELECT",
        "slots",
        "SELECT s.id, s.product_id, s.price, s.capacity FROM slots s JOIN devices d ON d.id = s.device_id WHERE d.serial = %s",
    ),
];

impl Writer {
    /// A span of the scene, its place in time drawn.
    fn timed(&mut self, scene: &Scene, parent: Option<&SpanId>, name: &str, kind: i32, most_ms: u64) -> Span {
        let start = scene.start + self.draw.below(1 << 22);
        Span {
            trace_id: scene.trace.clone(),
            span_id: self.draw.bytes(8),
            parent_span_id: parent.cloned().unwrap_or_default(),
            name: name.to_owned(),
            kind,
            start_time_unix_nano: start,
            end_time_unix_nano: start + 200_000 + self.draw.below(most_ms * 1_000_000),
            flags: 257,
            status: Some(Status::default()),
            ..Span::default()
        }
    }

    fn path(&mut self, route: &str) -> String {
        let part = |part: &str| match part.starts_with([':', '{', '<']) {
            true => self.draw.below(50_000).to_string(),
            false => part.to_owned(),
        };
        route.split('/').map(part).collect::<Vec<_>>().join("/")
    }

    fn status(&mut self, failed: bool) -> i64 {
        match failed {
            true => 500,
            false if self.draw.one_in(20) => *self.draw.pick(&[400, 401, 404, 429]),
            false => 200,
        }
    }

    /// A request with the names of today.
    pub(super) fn served(&mut self, scene: &Scene, from: (Service, Scope), served: &Served) -> SpanId {
        let name = format!("{} {}", served.method, served.route);
        let mut span = self.timed(scene, None, &name, SERVER, 400);
        let status = self.status(served.failed);
        span.attributes = vec![
            text("http.request.method", served.method),
            text("url.scheme", "https"),
            text("url.path", self.path(served.route)),
            text("http.route", served.route),
            text("network.protocol.version", "1.1"),
            text("server.address", "api.example.com"),
            int("server.port", 443),
            text("client.address", &scene.who.address),
            int("client.port", self.draw.between(32_768, 61_000)),
            text("network.peer.address", "10.0.3.17"),
            text("user_agent.original", scene.who.agent),
            int("http.response.status_code", status),
            int("http.request.body.size", self.draw.between(40, 4_000)),
            int("http.response.body.size", self.draw.between(100, 20_000)),
            text("user.id", &scene.who.id),
            text("session.id", &scene.who.session),
            list("http.request.header.x-request-id", self.draw.hex(16)),
            list(
                "http.request.header.accept-language",
                *self.draw.pick(&["en-US,en;q=0.9", "ru-RU,ru;q=0.9", "kk-KZ,kk;q=0.9"]),
            ),
            text(
                "app.feature.name",
                *self.draw.pick(&["daily_checkin", "lesson_player", "planogram_editor", "search"]),
            ),
            text("app.build_id", "41207"),
        ];
        if self.draw.one_in(6) {
            span.attributes.push(text("url.query", format!("page={}&email={}", self.draw.below(20), scene.who.email)));
        }
        if self.draw.one_in(4) {
            span.attributes.push(text("app.installation.id", &scene.who.device));
        }
        let id = span.span_id.clone();
        self.finish(scene, from, span, served.failed);
        id
    }

    /// The same from a Django that never opted in to them.
    pub(super) fn served_by_django(&mut self, scene: &Scene, route: &str, failed: bool) -> SpanId {
        let mut span = self.timed(scene, None, &format!("GET {route}"), SERVER, 250);
        let (status, path) = (self.status(failed), self.path(route));
        span.attributes = vec![
            text("http.method", "GET"),
            text("http.server_name", "web-1"),
            text("http.scheme", "https"),
            text("net.host.name", "postbro.example.com"),
            int("net.host.port", 8_000),
            text("http.url", format!("https://postbro.example.com/{path}")),
            text("http.route", route),
            text("http.user_agent", scene.who.agent),
            text("net.peer.ip", &scene.who.address),
            text("http.flavor", "1.1"),
            int("http.status_code", status),
            list("http.request.header.x_forwarded_for", format!("{}, 10.0.0.4", scene.who.address)),
            text("user.id", &scene.who.id),
            text("user.email", &scene.who.email),
            text("session.id", &scene.who.session),
            list("http.request.header.x_request_id", self.draw.hex(16)),
            text("app.plan", *self.draw.pick(&["free", "pro", "agency"])),
            text("thread.name", format!("gunicorn-{}", self.draw.below(8))),
        ];
        let id = span.span_id.clone();
        self.finish(scene, (Service::PostBroWeb, Scope::PythonDjango), span, failed);
        id
    }

    /// Keeps a request; a failed one has recorded its exception, which makes a row of errors.
    fn finish(&mut self, scene: &Scene, from: (Service, Scope), mut span: Span, failed: bool) {
        if failed {
            let event = self.exception(&span, scene);
            span.events.push(event);
            span.status = Some(Status { code: ERROR, message: String::new() });
            span.attributes.push(text("error.type", "500"));
        }
        let item = self.span(scene, from, span, Some(Table::Requests));
        if failed {
            item.also.push(Table::Errors);
        }
    }

    fn exception(&mut self, span: &Span, scene: &Scene) -> span::Event {
        let (kind, message) = self.mishap(scene);
        span::Event {
            time_unix_nano: span.end_time_unix_nano - 50_000,
            name: "exception".to_owned(),
            attributes: vec![
                text("exception.type", kind),
                text("exception.stacktrace", self.stack(kind, &message)),
                text("exception.message", message),
            ],
            ..span::Event::default()
        }
    }

    /// A health check: nobody wants to keep it.
    pub(super) fn probe(&mut self, scene: &Scene, service: Service) {
        let mut span = self.timed(scene, None, "GET health/live/", SERVER, 3);
        span.attributes = vec![
            text("http.method", "GET"),
            text("http.scheme", "http"),
            text("http.target", "/health/live/"),
            text("http.route", "/health/live/"),
            text("http.user_agent", "kube-probe/1.33"),
            int("http.status_code", 200),
        ];
        self.span(scene, (service, Scope::PythonDjango), span, None);
    }

    /// What FastAPI's instrumentation says besides of every answer.
    pub(super) fn asgi(&mut self, scene: &Scene, service: Service, parent: &SpanId) {
        let mut span = self.timed(scene, Some(parent), "GET /me http send", INTERNAL, 1);
        span.attributes = vec![text("asgi.event.type", "http.response.body")];
        self.span(scene, (service, Scope::PythonFastApi), span, None);
    }

    /// A call to a model, with what was said.
    pub(super) fn chat(
        &mut self,
        scene: &Scene,
        service: Service,
        parent: &SpanId,
        call: &Call,
        failed: bool,
    ) -> SpanId {
        let gemini = call.provider == "gcp.gemini";
        let model = if gemini { *self.draw.pick(&GEMINI) } else { *self.draw.pick(&MODELS) };
        let mut span = self.timed(scene, Some(parent), &format!("chat {model}"), CLIENT, 3_000);
        let (asked, answered) = (self.draw.between(90, 230) as usize, self.draw.between(110, 330) as usize);
        let asked = self.said(scene, "user", asked);
        span.attributes = vec![
            text("gen_ai.operation.name", "chat"),
            text("gen_ai.provider.name", call.provider),
            text("gen_ai.request.model", model),
            float("gen_ai.request.temperature", 0.7),
            int("gen_ai.request.max_tokens", 1_024),
            text("server.address", call.host),
            int("server.port", 443),
            text("gen_ai.system_instructions", format!(r#"[{{"type":"text","content":"{}"}}]"#, call.system)),
            text("gen_ai.input.messages", asked),
            text("gen_ai.conversation.id", format!("conv_{}", &scene.who.session[..12])),
        ];
        if failed {
            span.status = Some(Status { code: ERROR, message: "Rate limit reached, retry later".to_owned() });
            span.attributes.push(text("error.type", "RateLimitError"));
        } else {
            let answer = self.said(scene, "assistant", answered);
            let (input, cached) = (self.draw.between(200, 3_000), self.draw.below(3) as i64 * 128);
            span.attributes.extend([
                text("gen_ai.response.model", model),
                text("gen_ai.response.id", format!("chatcmpl-{}", self.draw.token(20))),
                list("gen_ai.response.finish_reasons", "stop"),
                int("gen_ai.usage.input_tokens", input),
                int("gen_ai.usage.cache_read.input_tokens", cached.min(input)),
                int("gen_ai.usage.output_tokens", self.draw.between(20, 900)),
                text("gen_ai.output.messages", answer),
            ]);
        }
        let id = span.span_id.clone();
        let item = self.span(scene, (service, Scope::GenAi), span, Some(Table::ProviderCalls));
        item.content = true;
        if failed {
            item.also.push(Table::Errors);
        }
        id
    }

    /// A message as GenAI instrumentations write it; one in ten says more than it should.
    fn said(&mut self, scene: &Scene, role: &str, words: usize) -> String {
        let mut said = self.language.say(&mut self.draw, words);
        if self.draw.one_in(10) {
            said.push_str(&format!(" write to {} or call {}", scene.who.email, scene.who.phone));
        }
        format!(r#"[{{"role":"{role}","parts":[{{"type":"text","content":"{said}"}}]}}]"#)
    }

    /// A call as instrumentations of last year tell it.
    pub(super) fn chat_in_the_old_dialect(&mut self, scene: &Scene, service: Service, parent: &SpanId) {
        let model = *self.draw.pick(&MODELS);
        let mut span = self.timed(scene, Some(parent), &format!("chat {model}"), CLIENT, 6_000);
        let said = self.said(scene, "user", 120);
        span.attributes = vec![
            text("gen_ai.system", "openai"),
            text("llm.request.type", "chat"),
            text("gen_ai.request.model", model),
            text("gen_ai.response.model", model),
            text("gen_ai.response.id", format!("chatcmpl-{}", self.draw.token(20))),
            int("gen_ai.usage.prompt_tokens", self.draw.between(500, 6_000)),
            int("gen_ai.usage.completion_tokens", self.draw.between(100, 1_500)),
            text("gen_ai.input.messages", said),
            text("llm.headers", format!("{{\"Authorization\": \"Bearer sk-proj-{}\"}}", self.draw.token(32))),
        ];
        self.span(scene, (service, Scope::GenAi), span, Some(Table::ProviderCalls)).content = true;
    }

    /// A voice for the answer, paid by the character; the key is in a header.
    pub(super) fn voice(&mut self, scene: &Scene, service: Service, parent: &SpanId) {
        let mut span = self.timed(scene, Some(parent), "POST", CLIENT, 1_500);
        let key = *self.draw.pick(&["sk_4f9a1c72e08b3d65", "sk_b81e55d0c3f7492a", "sk_07d3aa9e61c8f4b2"]);
        span.attributes = vec![
            text("http.request.method", "POST"),
            text("url.full", "https://api.elevenlabs.io/v1/text-to-speech/21m00Tcm4TlvDq8ikWAM/stream"),
            text("server.address", "api.elevenlabs.io"),
            int("server.port", 443),
            int("http.response.status_code", 200),
            list("http.request.header.xi-api-key", key),
            list("http.response.header.character-cost", self.draw.between(40, 900).to_string()),
        ];
        self.span(scene, (service, Scope::NodeUndici), span, Some(Table::ProviderCalls));
        if self.draw.one_in(4) {
            self.key_used(scene, service, key);
        }
    }

    /// The HTTP call below another call, or to a provider that has no instrumentation of its own.
    pub(super) fn outgoing(&mut self, scene: &Scene, from: (Service, Scope), parent: &SpanId, url: &str) {
        let host = url.split('/').nth(2).unwrap_or_default();
        let mut span = self.timed(scene, Some(parent), "POST", CLIENT, 2_000);
        span.attributes = vec![
            text("http.request.method", "POST"),
            text("url.full", url),
            text("url.scheme", "https"),
            text("server.address", host),
            int("server.port", 443),
            text("network.peer.address", format!("104.18.{}.{}", self.draw.below(8), self.draw.below(250))),
            text("network.protocol.version", "1.1"),
            text("user_agent.original", "node"),
            int("http.response.status_code", 200),
            int("http.response.body.size", self.draw.between(200, 9_000)),
            list("http.response.header.x-request-id", format!("req_{}", self.draw.hex(16))),
            int("network.peer.port", 443),
        ];
        self.span(scene, from, span, Some(Table::ProviderCalls));
    }

    /// A scraper that is paid by the page.
    pub(super) fn scrape(&mut self, scene: &Scene, service: Service, parent: &SpanId) {
        let mut span = self.timed(scene, Some(parent), "GET", CLIENT, 9_000);
        span.attributes = vec![
            text("http.method", "GET"),
            text(
                "http.url",
                format!("https://api.brightdata.com/datasets/v3/snapshot/s_{}?format=json", self.draw.hex(8)),
            ),
            text("peer.service", "brightdata"),
            text("net.peer.name", "api.brightdata.com"),
            int("http.status_code", 200),
        ];
        self.span(scene, (service, Scope::PythonRequests), span, Some(Table::ProviderCalls));
    }

    /// A statement to the database; some hold a literal that they should not.
    pub(super) fn query(&mut self, scene: &Scene, from: (Service, Scope), parent: &SpanId) {
        let (operation, table, statement) = *self.draw.pick(&STATEMENTS);
        let statement = match statement.ends_with("= ") {
            true => format!("{statement}'{}'", scene.who.email),
            false => statement.to_owned(),
        };
        let mut span = self.timed(scene, Some(parent), operation, CLIENT, 40);
        span.attributes = vec![
            text("db.system", "postgresql"),
            text("db.name", "app"),
            text("db.operation.name", operation),
            text("db.collection.name", table),
            text("db.statement", statement),
            text("db.user", "app_rw"),
            text("net.peer.name", "db-primary.internal"),
            int("net.peer.port", 5_432),
            int("db.response.returned_rows", self.draw.between(0, 50)),
            text("db.query.summary", format!("{operation} {table}")),
            text("network.peer.address", "10.0.7.4"),
            text("code.function.name", format!("app.repository.{table}.{}", operation.to_lowercase())),
            text("code.file.path", format!("/srv/app/repository/{table}.py")),
            int("code.line.number", self.draw.between(10, 400)),
            text("thread.name", format!("worker-{}", self.draw.below(16))),
            int("thread.id", 140_117_000_000 + self.draw.between(0, 16)),
        ];
        self.span(scene, from, span, Some(Table::Spans));
    }

    /// Work inside a service.
    pub(super) fn work(&mut self, scene: &Scene, service: Service, parent: &SpanId, names: &[&str]) -> SpanId {
        let name = *self.draw.pick(names);
        let mut span = self.timed(scene, Some(parent), name, INTERNAL, 120);
        let words = self.draw.between(4, 16) as usize;
        let note = self.language.say(&mut self.draw, words);
        let attributes: Vec<KeyValue> = vec![
            text("code.function.name", name),
            text("code.file.path", format!("/srv/app/{}.py", name.replace('.', "/"))),
            int("code.line.number", self.draw.between(10, 400)),
            int("app.items", self.draw.between(0, 200)),
            text("app.variant", *self.draw.pick(&["control", "a", "b"])),
            text("user.id", &scene.who.id),
            text("session.id", &scene.who.session),
            text("thread.name", format!("asyncio_{}", self.draw.below(8))),
            int("thread.id", 140_117_000_000 + self.draw.between(0, 16)),
            text("app.note", note),
        ];
        span.attributes = attributes;
        let id = span.span_id.clone();
        let scope = if matches!(service, Service::PostBroWorker) { Scope::Celery } else { Scope::Business };
        self.span(scene, (service, scope), span, Some(Table::Spans));
        id
    }
}
