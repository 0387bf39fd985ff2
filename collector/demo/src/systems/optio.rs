//! Optio: children learn by quests. Everything comes from the browser.

use opentelemetry::logs::Severity;

use crate::item::{Item, Nanos, attributes};
use crate::people::User;
use crate::planted;
use crate::random::Random;
use crate::scene::Scene;
use crate::services::Service;

const PILLARS: [&str; 4] = ["stem", "art", "communication", "wellness"];

/// A session of a student.
pub(crate) fn visit(user: &User, random: Random, at: Nanos, pace: f64) -> Vec<Item> {
    let mut scene = Scene::new(random, user, Service::OptioWeb, at);
    scene.pace = pace;
    enter(&mut scene);
    for _ in 0..scene.random.between(1, 3) {
        quest(&mut scene);
    }
    if scene.random.chance(0.35) {
        tutor(&mut scene);
    }
    if scene.random.chance(0.12) {
        let other = format!("op-{}", 1000 + scene.random.between(0, 30));
        scene.event("connection_request_sent", attributes!["recipient_id" => other]);
    }
    if scene.random.chance(0.05) {
        javascript_error(&mut scene);
    }
    page(&mut scene, "/dashboard");
    if scene.random.chance(0.4) {
        scene.event("logout", Vec::new());
    }
    scene.end()
}

/// The first and last session of one who is about to be lost: two minutes, a quest begun and left.
pub(crate) fn fading(user: &User, random: Random, at: Nanos) -> Vec<Item> {
    let mut scene = Scene::new(random, user, Service::OptioWeb, at);
    enter(&mut scene);
    let id = format!("quest-{}", scene.random.between(1, 24));
    scene.event("quest_started", attributes!["quest_id" => id.clone(), "pillar" => "stem"]);
    scene.think(40.0, 80.0);
    scene.event("quest_abandoned", attributes!["quest_id" => id]);
    scene.end()
}

fn enter(scene: &mut Scene<'_>) {
    let who = attributes!["client.address" => scene.user.address.clone(), "user_agent.original" => scene.user.agent];
    scene.event("login_success", who);
    page(scene, "/dashboard");
}

fn page(scene: &mut Scene<'_>, path: &'static str) {
    let url = format!("https://optio.example{path}?ref={}", scene.user.email);
    let agent = scene.user.agent;
    let load = scene.random.around(640.0, 0.5);
    scene.event(
        "browser.navigation",
        attributes!["url.full" => url, "user_agent.original" => agent, "load_time" => load],
    );
    let before = scene.at;
    scene.think(5.0, 50.0);
    let ms = ((scene.at - before) / 1_000_000) as i64;
    scene.event("page_exit", attributes!["page_path" => path, "duration" => ms]);
}

fn quest(scene: &mut Scene<'_>) {
    page(scene, "/quests");
    let number = scene.random.between(1, 24);
    let (id, pillar) = (format!("quest-{number}"), PILLARS[(number % 4) as usize]);
    let about = || attributes!["quest_id" => id.clone(), "pillar" => pillar];
    scene.event("quest_viewed", about());
    if !scene.random.chance(0.75) {
        return;
    }
    scene.event("quest_started", about());
    for task in 0..scene.random.between(1, 3) {
        scene.think(60.0, 400.0);
        let mut done = attributes!["task_id" => format!("{id}-task-{task}")];
        done.extend(attributes!["pillar" => pillar, "xp" => 10_i64]);
        scene.event("task_completed", done);
    }
    if scene.random.chance(0.3) {
        scene.event("evidence_uploaded", about());
    }
    if scene.random.chance(0.8) {
        let mut done = about();
        done.extend(attributes!["xp" => 50_i64]);
        scene.event("quest_completed", done);
        if scene.random.chance(0.4) {
            let badge = attributes!["badge_id" => format!("badge-{pillar}")];
            scene.event("badge_earned", badge.clone());
            scene.event("badge_claimed", badge);
        }
    } else {
        scene.event("quest_abandoned", about());
    }
}

fn tutor(scene: &mut Scene<'_>) {
    scene.event("tutor_opened", Vec::new());
    for _ in 0..scene.random.between(1, 4) {
        scene.think(10.0, 60.0);
        let text = format!("my mail is {}, is that right?", scene.user.email);
        scene.event("tutor_message_sent", attributes!["message_text" => text, "message_length" => 34_i64]);
    }
}

/// What a child wrote to the tutor made somebody worry.
pub(crate) fn safety_flag(scene: &mut Scene<'_>) {
    let text = format!("a message was held back; parents at {}", planted::PHONE);
    let child = scene.user.id.clone();
    scene.said(
        Severity::Fatal,
        "tutor_safety_flag",
        Some(text),
        attributes!["flag_reason" => "self_harm", "child_id" => child],
    );
}

fn javascript_error(scene: &mut Scene<'_>) {
    let kind = *scene.random.pick(&["TypeError", "ChunkLoadError", "NetworkError"]);
    scene.said(
        Severity::Error,
        "javascript_error",
        Some(format!("{kind}: failed to load the profile of {}", scene.user.email)),
        attributes![
            "exception.type" => kind,
            "page_path" => "/quests",
            "component" => "QuestBoard",
            "user_agent.original" => scene.user.agent,
        ],
    );
}
