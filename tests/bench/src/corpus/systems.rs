//! The five systems: what one turn of each leaves behind.

use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;

use super::people::{Language, People, Person};
use super::services::{INSTANCES, Scope, Service};
use super::spans::{Call, Served};
use super::{Item, Record, Table};
use crate::random::Draw;

/// Tells stories and keeps what they leave.
pub struct Writer {
    pub(super) draw: Draw,
    pub(super) items: Vec<Item>,
    pub(super) language: Language,
    people: Vec<People>,
    /// Nanoseconds; each story begins a little later than the last.
    clock: u64,
}

/// What the records of one story share.
pub(super) struct Scene {
    pub(super) trace: Vec<u8>,
    pub(super) who: Person,
    pub(super) start: u64,
    pub(super) instance: usize,
}

impl Writer {
    /// Nothing told yet.
    pub fn new(mut draw: Draw, start: u64) -> Self {
        let people = (0..5).map(|_| People::new(&mut draw)).collect();
        Self { draw, items: Vec::new(), language: Language::new(), people, clock: start }
    }

    /// One turn of one system.
    pub fn story(&mut self) {
        match self.draw.below(20) {
            0..6 => self.seeme(),
            6..11 => self.postbro(),
            11..14 => self.tripwire(),
            14..18 => self.optio(),
            18..20 => self.cvd(),
            _ => {}
        }
    }

    fn scene(&mut self, system: usize) -> Scene {
        self.clock += 2_000_000 + self.draw.below(1 << 20);
        Scene {
            trace: self.draw.bytes(16),
            who: self.people[system].come(&mut self.draw),
            start: self.clock,
            instance: self.draw.below(INSTANCES as u64) as usize,
        }
    }

    pub(super) fn span(&mut self, scene: &Scene, from: (Service, Scope), span: Span, home: Option<Table>) -> &mut Item {
        self.keep(scene, from, Record::Span(Box::new(span)), home)
    }

    pub(super) fn log(&mut self, scene: &Scene, from: (Service, Scope), log: LogRecord, home: Table) -> &mut Item {
        self.keep(scene, from, Record::Log(Box::new(log)), Some(home))
    }

    fn keep(&mut self, scene: &Scene, from: (Service, Scope), record: Record, home: Option<Table>) -> &mut Item {
        let (resource, scope) = (from.0 as usize * INSTANCES + scene.instance, from.1 as usize);
        let at = self.items.len();
        self.items.push(Item { resource, scope, record, home, also: Vec::new(), content: false });
        &mut self.items[at]
    }

    /// A turn with the coach: a request, the model's answer, the HTTP call below it, often a voice.
    fn seeme(&mut self) {
        let scene = self.scene(0);
        let backend = Service::SeeMeBackend;
        if self.draw.one_in(3) {
            self.activity(
                &scene,
                Service::SeeMeApp,
                &["app.coach.session.start", "app.feature.use", "app.screen.view"],
            );
        }
        let failed = self.draw.one_in(40);
        let served = Served { route: "/api/coach/{conversation_id}/messages", method: "POST", failed };
        let root = self.served(&scene, (backend, Scope::NodeHttp), &served);
        let call =
            Call { provider: "openai", host: "api.openai.com", system: "You are a kind coach. Ask before you advise." };
        let chat = self.chat(&scene, backend, &root, &call, failed);
        self.outgoing(&scene, (backend, Scope::NodeUndici), &chat, "https://api.openai.com/v1/chat/completions");
        if self.draw.one_in(2) {
            self.voice(&scene, backend, &root);
        }
        let table = *self.draw.pick(&["ai_interactions", "user_logs", "usage_limits"]);
        let url = format!("https://kqzvwmxnpl.supabase.co/rest/v1/{table}?select=id&user_id=eq.{}", scene.who.id);
        self.outgoing(&scene, (backend, Scope::NodeUndici), &root, &url);
        self.work(&scene, backend, &root, &["coach.plan.build", "coach.memory.load", "coach.reply.stream"]);
        if self.draw.one_in(12) {
            self.limited(&scene, backend, "voice_sessions");
        }
        self.line(&scene, backend, Some(&root));
    }

    /// A page of the Django app, its queries, now and then a task that scrapes a post and has it analysed.
    fn postbro(&mut self) {
        let scene = self.scene(1);
        let web = Service::PostBroWeb;
        if self.draw.one_in(12) {
            self.probe(&scene, web);
        }
        let route =
            *self.draw.pick(&["api/analysis/analyze/", "api/posts/<int:pk>/", "api/account/usage/", "api/trends/"]);
        let failed = self.draw.one_in(60);
        let root = self.served_by_django(&scene, route, failed);
        let from = (web, Scope::Psycopg);
        for _ in 0..self.draw.between(1, 4) {
            self.query(&scene, from, &root);
        }
        if self.draw.one_in(4) {
            let worker = Service::PostBroWorker;
            let task = self.work(&scene, worker, &root, &["analysis.tasks.analyze_post", "analysis.tasks.fetch_post"]);
            self.scrape(&scene, worker, &task);
            self.chat_in_the_old_dialect(&scene, worker, &task);
            self.query(&scene, (worker, Scope::Psycopg), &task);
        }
        if self.draw.one_in(5) {
            self.sign_in(&scene, web);
        }
        self.line(&scene, web, Some(&root));
    }

    /// The academy's API: FastAPI with its noise, queries, and what the user did.
    fn tripwire(&mut self) {
        let scene = self.scene(2);
        let api = Service::TripwireApi;
        let route =
            *self.draw.pick(&["/lessons/{lesson_id}", "/homework/{homework_id}/submit", "/users/search", "/me"]);
        let served = Served { route, method: "GET", failed: self.draw.one_in(80) };
        let root = self.served(&scene, (api, Scope::PythonFastApi), &served);
        if self.draw.one_in(3) {
            self.asgi(&scene, api, &root);
        }
        for _ in 0..self.draw.between(1, 4) {
            self.query(&scene, (api, Scope::Psycopg), &root);
        }
        self.activity(&scene, api, &["video_view", "lesson_complete", "homework_submit", "file_download"]);
        if self.draw.one_in(4) {
            self.sign_in(&scene, api);
        }
        if self.draw.one_in(25) {
            self.fault(&scene, api, &root);
        }
    }

    /// A child at work: pages and quests from the browser, the API behind them, sometimes the tutor.
    fn optio(&mut self) {
        let scene = self.scene(3);
        let (api, web) = (Service::OptioApi, Service::OptioWeb);
        self.activity(&scene, web, &["page_view", "quest_viewed", "quest_started", "task_completed", "badge_earned"]);
        let route =
            *self.draw.pick(&["/api/quests/{quest_id}", "/api/tutor/chat", "/api/badges", "/api/parent/dashboard"]);
        let served = Served { route, method: "POST", failed: false };
        let root = self.served(&scene, (api, Scope::PythonFastApi), &served);
        for _ in 0..self.draw.between(1, 5) {
            self.query(&scene, (api, Scope::Psycopg), &root);
        }
        self.work(&scene, api, &root, &["quest.progress.update", "xp.award", "streak.check"]);
        if self.draw.one_in(4) {
            let system = "You are a patient tutor for children. Never give the answer away.";
            let call = Call { provider: "gcp.gemini", host: "generativelanguage.googleapis.com", system };
            let chat = self.chat(&scene, api, &root, &call, false);
            if self.draw.one_in(2) {
                self.chat_event(&scene, api, &chat);
            }
        }
        self.line(&scene, api, Some(&root));
    }

    /// A planogram or a price is changed, and somebody must answer for it.
    fn cvd(&mut self) {
        let scene = self.scene(4);
        let api = Service::CvdApi;
        let route =
            *self.draw.pick(&["/api/planograms/:id", "/api/products/:id/price", "/api/devices/:id", "/api/orders"]);
        let served = Served { route, method: "PUT", failed: self.draw.one_in(90) };
        let root = self.served(&scene, (api, Scope::NodeHttp), &served);
        for _ in 0..self.draw.between(2, 6) {
            self.query(&scene, (api, Scope::Psycopg), &root);
        }
        self.work(&scene, api, &root, &["planogram.validate", "device.sync", "price.publish"]);
        if self.draw.one_in(2) {
            self.audited(&scene, api);
        }
        self.line(&scene, api, Some(&root));
    }
}
