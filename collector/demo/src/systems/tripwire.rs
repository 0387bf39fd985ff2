//! Tripwire: an academy. Everything is an event with a message, as its own logging had it.

use opentelemetry::logs::Severity;

use crate::item::{Item, Nanos, attributes};
use crate::people::User;
use crate::planted;
use crate::random::Random;
use crate::scene::{Scene, Served};
use crate::services::Service;

const COURSES: [&str; 4] = ["python-start", "prompting", "ai-for-sales", "data-basics"];

/// Lessons, videos, homework; sometimes a manager makes an account for somebody.
pub(crate) fn visit(user: &User, random: Random, at: Nanos, pace: f64) -> Vec<Item> {
    let mut scene = Scene::new(random, user, Service::TripwireApi, at);
    scene.pace = pace;
    let who = attributes!["client.address" => user.address.clone(), "user_agent.original" => user.agent];
    scene.said(Severity::Info, "login", Some("user signed in".to_owned()), who);
    for _ in 0..scene.random.between(1, 4) {
        scene.think(20.0, 240.0);
        lesson(&mut scene);
    }
    if scene.random.chance(0.06) {
        client_error(&mut scene);
    }
    if scene.random.chance(0.05) {
        new_student(&mut scene);
    }
    if scene.random.chance(0.5) {
        scene.said(Severity::Info, "logout", Some("user signed out".to_owned()), Vec::new());
    }
    scene.end()
}

fn lesson(scene: &mut Scene<'_>) {
    let course = *scene.random.pick(&COURSES);
    let lesson = format!("{course}-{:02}", scene.random.between(1, 18));
    scene.serve(Served::new("GET", "/api/lessons/:id", 26.0).at(format!("/api/lessons/{lesson}")));
    let seconds = scene.random.around(420.0, 0.6) as i64;
    let watched = attributes!["video_id" => lesson.clone(), "duration_seconds" => seconds];
    scene.said(Severity::Info, "video_view", Some("watched a video".to_owned()), watched);
    scene.think(30.0, 400.0);
    if scene.random.chance(0.55) {
        let done = attributes!["lesson_id" => lesson.clone()];
        scene.said(Severity::Info, "lesson_complete", Some("finished a lesson".to_owned()), done);
    }
    if scene.random.chance(0.25) {
        scene.serve(Served::new("POST", "/api/homework", 48.0));
        let text = format!("homework handed in, answer to {}", scene.user.email);
        scene.said(Severity::Info, "homework_submit", Some(text), attributes!["homework_id" => lesson]);
    }
}

fn client_error(scene: &mut Scene<'_>) {
    let text = format!("Cannot read properties of undefined (reading 'phone' of {})", scene.user.phone);
    scene.said(
        Severity::Error,
        "client_error",
        Some(text),
        attributes![
            "error.type" => "TypeError",
            "stack" => "at Player.tsx:88\nat commitHookEffect (react-dom.js:231)",
            "url.full" => format!("https://academy.tripwire.example/player?email={}", scene.user.email),
            "user_agent.original" => scene.user.agent,
        ],
    );
    if scene.random.chance(0.3) {
        let status = *scene.random.pick(&[400_i64, 503]);
        scene.said(
            Severity::Error,
            "api_error",
            Some(format!("request failed for {}", planted::PHONE)),
            attributes!["error.type" => "ApiError", "statusCode" => status, "url.path" => "/api/progress", "method" => "POST"],
        );
    }
}

/// The only record that has to carry a person's name, address and number at once.
fn new_student(scene: &mut Scene<'_>) {
    let number = scene.random.between(10_000, 99_999);
    let user = scene.user;
    scene.said(
        Severity::Info,
        "user_created",
        Some(format!("account made for {} ({})", user.full_name, user.email)),
        attributes![
            "app.audit.resource.type" => "user",
            "app.audit.resource.id" => format!("tw-{number}"),
            "created_by" => user.id.clone(),
            "email" => format!("student{number}@mail.example"),
            "phone" => format!("8 701 {:03} {:02} {:02}", number % 1000, number % 90 + 10, number % 80 + 10),
            "full_name" => "Planted Student",
            "email_sent" => true,
        ],
    );
}
