//! Log records: events and lines.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::LogRecord;

use super::services::{Scope, Service};
use super::spans::SpanId;
use super::systems::{Scene, Writer};
use super::{Table, int, text, value};

const INFO: (i32, &str) = (9, "INFO");
const WARN: (i32, &str) = (13, "WARN");
const ERROR: (i32, &str) = (17, "ERROR");
const DEBUG: (i32, &str) = (5, "DEBUG");

const MISHAPS: [(&str, &str); 5] = [
    ("django.db.utils.OperationalError", "server closed the connection unexpectedly while reading"),
    ("requests.exceptions.ReadTimeout", "HTTPSConnectionPool(host='api.brightdata.com', port=443): Read timed out."),
    ("TypeError", "Cannot read properties of undefined (reading 'messages')"),
    ("KeyError", "'quest_id'"),
    ("ValueError", "no account for"),
];

impl Writer {
    fn record(&mut self, scene: &Scene, severity: (i32, &str), event: &str) -> LogRecord {
        let time = scene.start + self.draw.below(1 << 24);
        LogRecord {
            time_unix_nano: time,
            observed_time_unix_nano: time + 10_000 + self.draw.below(1 << 14),
            severity_number: severity.0,
            severity_text: severity.1.to_owned(),
            event_name: event.to_owned(),
            ..LogRecord::default()
        }
    }

    fn within(scene: &Scene, span: &SpanId, log: &mut LogRecord) {
        log.trace_id.clone_from(&scene.trace);
        log.span_id.clone_from(span);
        log.flags = 1;
    }

    /// What went wrong; the message may name somebody.
    pub(super) fn mishap(&mut self, scene: &Scene) -> (&'static str, String) {
        let (kind, message) = *self.draw.pick(&MISHAPS);
        let message = match message.ends_with("for") {
            true => format!("{message} {}", scene.who.email),
            false => message.to_owned(),
        };
        (kind, message)
    }

    pub(super) fn stack(&mut self, kind: &str, message: &str) -> String {
        let mut stack = "Traceback (most recent call last):\n".to_owned();
        for _ in 0..4 {
            let module = *self.draw.pick(&["views", "services", "repository", "client", "tasks"]);
            let line = self.draw.between(10, 400);
            stack.push_str(&format!(
                "  File \"/srv/app/core/{module}.py\", line {line}, in handle\n    return self.{module}(request)\n"
            ));
        }
        format!("{stack}{kind}: {message}")
    }

    /// A line of a logger; one in eight holds something personal.
    pub(super) fn line(&mut self, scene: &Scene, service: Service, span: Option<&SpanId>) {
        let mut log = self.record(scene, INFO, "");
        let words = self.draw.between(5, 14) as usize;
        let mut body = self.language.say(&mut self.draw, words);
        match self.draw.below(32) {
            0 | 1 => body.push_str(&format!(" user={}", scene.who.email)),
            2 => body.push_str(&format!(" phone={}", scene.who.phone)),
            3 => body.push_str(&format!(" key=sk-proj-{}", self.draw.token(32))),
            _ => body.push_str(&format!(" took={}ms", self.draw.below(2_000))),
        }
        log.body = Some(value(Value::StringValue(body)));
        log.attributes = vec![
            text(
                "code.file.path",
                *self.draw.pick(&["/srv/app/core/views.py", "/srv/app/core/services.py", "/srv/app/core/tasks.py"]),
            ),
            text("code.function.name", *self.draw.pick(&["handle", "dispatch", "store", "notify"])),
            int("code.line.number", self.draw.between(10, 400)),
        ];
        if let Some(span) = span {
            Self::within(scene, span, &mut log);
        }
        self.log(scene, (service, Scope::Logger), log, Table::Logs);
    }

    /// An exception in a log.
    pub(super) fn fault(&mut self, scene: &Scene, service: Service, span: &SpanId) {
        let mut log = self.record(scene, ERROR, "");
        let (kind, message) = self.mishap(scene);
        log.attributes = vec![
            text("exception.type", kind),
            text("exception.stacktrace", self.stack(kind, &message)),
            text("exception.message", message),
        ];
        log.body = Some(value(Value::StringValue("unhandled exception while serving".to_owned())));
        Self::within(scene, span, &mut log);
        self.log(scene, (service, Scope::Logger), log, Table::Errors);
    }

    /// Something that the user did.
    pub(super) fn activity(&mut self, scene: &Scene, service: Service, names: &[&str]) {
        let name = *self.draw.pick(names);
        let mut log = self.record(scene, INFO, name);
        log.attributes = vec![
            text("user.id", &scene.who.id),
            text("session.id", &scene.who.session),
            text("app.object.id", format!("obj_{}", self.draw.below(5_000))),
            text("user_agent.original", scene.who.agent),
            int("app.duration_ms", self.draw.between(10, 90_000)),
            text("url.path", format!("/learn/{}", self.draw.below(400))),
        ];
        let scope = if matches!(service, Service::OptioWeb) { Scope::Browser } else { Scope::Events };
        self.log(scene, (service, scope), log, Table::ActivityEvents);
    }

    /// Somebody signs in, out, or fails to.
    pub(super) fn sign_in(&mut self, scene: &Scene, service: Service) {
        let name = *self.draw.pick(&[
            "auth.login",
            "auth.login",
            "auth.login_failed",
            "auth.logout",
            "auth.token_refresh",
            "auth.password_change",
        ]);
        let failed = name.ends_with("failed");
        let mut log = self.record(scene, if failed { WARN } else { INFO }, name);
        log.attributes = vec![
            text("auth.method", *self.draw.pick(&["password", "oauth", "otp"])),
            text("user.email", &scene.who.email),
            text("client.address", &scene.who.address),
            text("user_agent.original", scene.who.agent),
        ];
        if failed {
            log.attributes
                .push(text("auth.failure_reason", *self.draw.pick(&["bad_password", "unknown_user", "locked"])));
            log.attributes.push(text("attempted_username", &scene.who.email));
        } else {
            log.attributes.push(text("user.id", &scene.who.id));
            log.attributes.push(text("user.full_name", &scene.who.name));
        }
        let item = self.log(scene, (service, Scope::Events), log, Table::AuthEvents);
        if name == "auth.password_change" {
            item.also.push(Table::AuditLog);
        }
    }

    /// An act that somebody must answer for.
    pub(super) fn audited(&mut self, scene: &Scene, service: Service) {
        let name = *self.draw.pick(&[
            "audit.planogram_updated",
            "audit.product_price_changed",
            "audit.config_changed",
            "audit.stock_updated",
        ]);
        let mut log = self.record(scene, INFO, name);
        let (before, after) = (self.draw.between(100, 900), self.draw.between(100, 900));
        log.attributes = vec![
            text("user.id", &scene.who.id),
            text("user.role", *self.draw.pick(&["admin", "operator"])),
            text("app.audit.resource.type", *self.draw.pick(&["planogram", "product", "device"])),
            text("app.audit.resource.id", format!("r-{}", self.draw.below(4_000))),
            text("app.audit.old_value", format!("{{\"price\":{before}}}")),
            text("app.audit.new_value", format!("{{\"price\":{after}}}")),
            int("app.audit.affected_records", self.draw.between(1, 120)),
            text("client.address", &scene.who.address),
        ];
        self.log(scene, (service, Scope::Events), log, Table::AuditLog);
    }

    /// A limit was met.
    pub(super) fn limited(&mut self, scene: &Scene, service: Service, kind: &str) {
        let mut log = self.record(scene, WARN, "app.rate_limit.exceeded");
        log.attributes = vec![
            text("app.rate_limit.kind", kind),
            int("app.rate_limit.count", self.draw.between(10, 40)),
            int("app.rate_limit.limit", 10),
            text("app.installation.id", &scene.who.device),
        ];
        self.log(scene, (service, Scope::Events), log, Table::RateLimits);
    }

    /// A key was used.
    pub(super) fn key_used(&mut self, scene: &Scene, service: Service, key: &str) {
        let mut log = self.record(scene, INFO, "elevenlabs.usage");
        log.attributes = vec![
            text("app.api_key", key),
            int("elevenlabs.characters", self.draw.between(40, 900)),
            int("elevenlabs.character_limit", 100_000),
        ];
        self.log(scene, (service, Scope::Events), log, Table::KeyEvents);
    }

    /// The event that repeats its span.
    pub(super) fn chat_event(&mut self, scene: &Scene, service: Service, span: &SpanId) {
        let mut log = self.record(scene, DEBUG, "gen_ai.client.inference.operation.details");
        log.attributes = vec![
            text("gen_ai.operation.name", "chat"),
            text("gen_ai.request.model", "gemini-2.5-flash"),
            int("gen_ai.usage.input_tokens", self.draw.between(200, 3_000)),
            int("gen_ai.usage.output_tokens", self.draw.between(20, 900)),
        ];
        Self::within(scene, span, &mut log);
        self.log(scene, (service, Scope::GenAi), log, Table::ProviderCalls);
    }
}
