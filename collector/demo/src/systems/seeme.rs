//! SeeMe: a coach on the phone that one talks to. The app logs, the backend traces.

use opentelemetry::logs::Severity;

use super::ai;
use crate::item::{Item, Nanos, attributes};
use crate::people::User;
use crate::planted;
use crate::random::Random;
use crate::scene::{Scene, Served};
use crate::services::Service;

const SCREENS: [&str; 6] = ["Home", "Coach", "Journal", "Breathing", "Progress", "Settings"];
const FEATURES: [&str; 4] = ["chat", "journal", "breathing", "mood_check"];
const COACHES: [&str; 3] = ["coach-nova", "coach-rumi", "coach-kai"];

/// The app is opened, some screens, a talk with a coach or two, and it is closed.
pub(crate) fn visit(user: &User, random: Random, at: Nanos, pace: f64) -> Vec<Item> {
    let mut scene = Scene::new(random, user, Service::SeeMeApp, at);
    scene.pace = pace;
    // The version before the last says neither who nor in which session: dashboards were empty once because of it.
    if scene.random.chance(0.06) {
        (scene.known, scene.session) = (false, None);
    }
    start(&mut scene);
    for _ in 0..scene.random.between(2, 5) {
        let screen = *scene.random.pick(&SCREENS);
        scene.event("app.nav_complete", attributes!["app.screen.name" => screen]);
        scene.think(4.0, 40.0);
        if scene.random.chance(0.4) {
            let (feature, ms) = (*scene.random.pick(&FEATURES), scene.random.around(40_000.0, 0.8) as i64);
            scene.event("app.feature.use", attributes!["app.feature.name" => feature, "app.duration_ms" => ms]);
        }
    }
    if scene.random.chance(0.75) {
        coach(&mut scene);
    }
    if scene.random.chance(0.03) {
        crash(&mut scene);
    } else {
        scene.event("session.end", attributes!["app.end_reason" => "background"]);
    }
    scene.end()
}

fn start(scene: &mut Scene<'_>) {
    let device = scene.user.device.clone();
    scene.event(
        "session.start",
        attributes!["app.installation.id" => device, "os.name" => "iOS", "app.build_id" => "3810"],
    );
    scene.think(1.0, 3.0);
    if scene.known && scene.random.chance(0.2) {
        let (email, address) = (scene.user.email.clone(), scene.user.address.clone());
        scene.event(
            "auth.login",
            attributes!["user.email" => email, "client.address" => address, "auth.method" => "otp"],
        );
    }
}

fn coach(scene: &mut Scene<'_>) {
    let coach = *scene.random.pick(&COACHES);
    scene.event("app.coach.session.start", attributes!["app.coach.id" => coach]);
    let turns = scene.random.between(1, 5);
    for _ in 0..turns {
        scene.think(8.0, 60.0);
        turn(scene, coach);
    }
    let ms = i64::try_from(turns * 45_000).unwrap_or(0);
    scene.event("app.coach.session.end", attributes!["app.coach.id" => coach, "app.duration_ms" => ms]);
}

/// The user says something and the coach answers, now and then aloud.
fn turn(scene: &mut Scene<'_>, coach: &'static str) {
    scene.service = Service::SeeMeApi;
    let model = if scene.random.chance(0.6) { &ai::GPT } else { &ai::CLAUDE };
    let asked = attributes![
        "gen_ai.agent.id" => coach,
        "gen_ai.prompt.name" => "coach_turn",
        "app.feature.name" => "chat",
        "http.request.header.authorization" => format!("Bearer {}", planted::AI_KEY),
    ];
    let called = match scene.random.unit() {
        p if p < 0.03 => ai::aborted(&mut scene.random, model, asked),
        p if p < 0.05 => ai::failing(&mut scene.random, model, "timeout", 504, "stream idle for 30 s".to_owned()),
        _ => ai::call(&mut scene.random, model, asked),
    };
    let failed = called.failure.is_some();
    let mut calls = vec![called];
    if !failed && scene.random.chance(0.3) {
        calls.push(ai::speech(&mut scene.random, planted::VOICE_KEY));
    }
    let served = Served::new("POST", "/api/chat", 22.0).calling(calls).with(attributes!["app.feature.name" => "chat"]);
    let within = scene.serve(if failed { served.answering(504) } else { served.answering(200) });
    if scene.random.chance(0.04) {
        let text = format!("asked to call back: {} or {}, card {}", planted::EMAIL, planted::PHONE, planted::CARD);
        scene.line(Severity::Warn, text, within);
    }
    limit(scene, true);
    scene.service = Service::SeeMeApp;
}

/// The count of voice sessions on this device.
pub(crate) fn limit(scene: &mut Scene<'_>, allowed: bool) {
    if allowed && !scene.random.chance(0.3) {
        return;
    }
    let used = if allowed { scene.random.between(1, 9) } else { 11 } as i64;
    let device = scene.user.device.clone();
    scene.event(
        "app.rate_limit.check",
        attributes![
            "app.rate_limit.kind" => "voice_sessions",
            "app.rate_limit.count" => used,
            "app.rate_limit.limit" => 10_i64,
            "app.rate_limit.allowed" => allowed,
            "app.installation.id" => device,
        ],
    );
}

fn crash(scene: &mut Scene<'_>) {
    let kind = *scene.random.pick(&["EXC_BAD_ACCESS", "SIGABRT"]);
    let text = format!("could not restore the draft of {}", scene.user.email);
    scene.said(
        Severity::Fatal,
        "app.crash",
        Some(text),
        attributes![
            "exception.type" => kind,
            "app.screen.name" => "Journal",
            "exception.stacktrace" => "JournalStore.swift:118 restore(_:)\nJournalView.swift:44 body.getter",
            "network.connection.type" => "wifi",
        ],
    );
}
