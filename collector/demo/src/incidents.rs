//! What goes wrong on purpose: each has its place in the history, and each shows in a question.

use opentelemetry::logs::Severity;

use crate::item::{Item, Nanos, attributes};
use crate::people::{System, User};
use crate::planted;
use crate::random::Random;
use crate::scene::{HOUR, MINUTE, SECOND, Scene, Served};
use crate::services::Service;
use crate::systems::{ai, cvd, optio, postbro, seeme};

/// A kind of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Incident {
    SpendSpike,
    GuessedPasswords,
    RequestFlood,
    AbortedStreams,
    ExhaustedKey,
    BulkExport,
    BulkChange,
    Escalation,
    SafetyFlag,
    Leak,
}

/// Where the history has each, before now, and what people are told of it. The exhausted key is recent, because a key's
/// month begins anew.
pub(crate) const HISTORY: [(Incident, Nanos, &str); 10] = [
    (Incident::SpendSpike, 26 * HOUR, "a job of SeeMe ran away with the dearest model"),
    (Incident::GuessedPasswords, 7 * HOUR, "one address guessed passwords of PostBro accounts"),
    (Incident::RequestFlood, 30 * HOUR, "one user hammered PostBro until it answered 429"),
    (Incident::AbortedStreams, 50 * HOUR, "streams of SeeMe broke off for an hour"),
    (Incident::ExhaustedKey, 12 * MINUTE, "SeeMe's speech key ran out and was changed"),
    (Incident::BulkExport, 20 * HOUR, "somebody at CVD exported 25,840 orders"),
    (Incident::BulkChange, 44 * HOUR, "one click at CVD changed 480 planograms"),
    (Incident::Escalation, 21 * HOUR, "an operator at CVD made himself an administrator"),
    (Incident::SafetyFlag, 75 * HOUR, "a message of a child to Optio's tutor was held back"),
    (Incident::Leak, 3 * HOUR, "PostBro logged an e-mail address, a phone number and three keys"),
];

/// Those that may also happen while one watches.
pub(crate) const LIVE: [(Incident, &str); 5] = [
    (Incident::GuessedPasswords, "one address guesses passwords at PostBro"),
    (Incident::RequestFlood, "one user hammers PostBro"),
    (Incident::AbortedStreams, "streams of SeeMe break off"),
    (Incident::Leak, "PostBro logs personal data and keys"),
    (Incident::BulkExport, "somebody at CVD exports 25,840 orders"),
];

/// Everything that is said of an incident that begins at `at`.
pub(crate) fn stage(incident: Incident, users: &[User], random: Random, at: Nanos) -> Vec<Item> {
    match incident {
        // Whole hours, so that the money lies in one of them.
        Incident::SpendSpike => spend_spike(by(users, System::SeeMe, random, Service::SeeMeApi, at - at % HOUR)),
        Incident::GuessedPasswords => guessed_passwords(users, random, at),
        Incident::RequestFlood => request_flood(by(users, System::PostBro, random, Service::PostBroApi, at)),
        Incident::AbortedStreams => aborted_streams(by(users, System::SeeMe, random, Service::SeeMeApi, at)),
        Incident::ExhaustedKey => exhausted_key(by(users, System::SeeMe, random, Service::SeeMeApi, at)),
        Incident::BulkExport => bulk_export(by(users, System::Cvd, random, Service::CvdApi, at)),
        Incident::BulkChange => bulk_change(by(users, System::Cvd, random, Service::CvdApi, at)),
        Incident::Escalation => escalation(by(users, System::Cvd, random, Service::CvdApi, at)),
        Incident::SafetyFlag => {
            let mut scene = by(users, System::Optio, random, Service::OptioWeb, at);
            optio::safety_flag(&mut scene);
            scene.end()
        }
        Incident::Leak => leak(by(users, System::PostBro, random, Service::PostBroApi, at)),
    }
}

/// A scene of some user of a system, not one who fades.
fn by(users: &[User], system: System, mut random: Random, service: Service, at: Nanos) -> Scene<'_> {
    let of: Vec<&User> = users.iter().filter(|u| u.system == system && !u.fading).collect();
    let user: &User = random.pick::<&User>(&of);
    Scene::new(random, user, service, at)
}

fn spend_spike(mut scene: Scene<'_>) -> Vec<Item> {
    for _ in 0..60 {
        let called = ai::call(&mut scene.random, &ai::OPUS, attributes!["gen_ai.prompt.name" => "nightly_summary"]);
        let at = scene.at;
        scene.serve(Served::new("POST", "/api/jobs/summaries", 12.0).calling(vec![called]));
        // One begins every 50 seconds, however long the one before takes.
        scene.at = at + 50 * SECOND;
    }
    scene.end()
}

fn guessed_passwords(users: &[User], random: Random, at: Nanos) -> Vec<Item> {
    let victims: Vec<&User> = users.iter().filter(|u| u.system == System::PostBro).take(12).collect();
    let attacker = User { address: "203.0.113.251".to_owned(), agent: "python-requests/2.32.3", ..nobody() };
    let mut scene = Scene::new(random, &attacker, Service::PostBroApi, at);
    (scene.known, scene.session) = (false, None);
    for attempt in 0..40_u64 {
        scene.think(3.0, 8.0);
        let victim = scene.random.pick(&victims).email.clone();
        // Once in a while a password is typed where the name belongs.
        let typed = if attempt % 13 == 12 { planted::PASSWORD.to_owned() } else { victim };
        scene.said(
            Severity::Warn,
            "auth.login_failed",
            Some(format!("sign-in refused for {typed}")),
            attributes![
                "user.name" => typed.clone(),
                "client.address" => attacker.address.clone(),
                "user_agent.original" => attacker.agent,
                "auth.failure_reason" => "wrong_password",
            ],
        );
    }
    scene.event(
        "ip_banned",
        attributes![
            "client.address" => attacker.address.clone(),
            "rate_limit.kind" => "sign_ins",
            "rate_limit.used" => 40_i64,
            "rate_limit.limit" => 10_i64,
            "security_rule.name" => "guessed-passwords",
        ],
    );
    scene.end()
}

fn nobody() -> User {
    User {
        system: System::PostBro,
        id: "nobody".to_owned(),
        email: String::new(),
        phone: String::new(),
        full_name: String::new(),
        address: String::new(),
        agent: "",
        device: String::new(),
        zeal: 0.0,
        fading: false,
    }
}

fn request_flood(mut scene: Scene<'_>) -> Vec<Item> {
    for used in 1..=90 {
        scene.think(0.5, 3.0);
        postbro::limited(&mut scene, used);
    }
    scene.end()
}

fn aborted_streams(mut scene: Scene<'_>) -> Vec<Item> {
    for _ in 0..45 {
        scene.think(20.0, 70.0);
        let broken = scene.random.chance(0.7);
        let more = attributes!["app.feature.name" => "chat"];
        let called = if broken {
            ai::aborted(&mut scene.random, &ai::GPT, more)
        } else {
            ai::call(&mut scene.random, &ai::GPT, more)
        };
        let served = Served::new("POST", "/api/chat", 22.0).calling(vec![called]);
        scene.serve(served.answering(if broken { 499 } else { 200 }));
    }
    seeme::limit(&mut scene, false);
    scene.end()
}

fn exhausted_key(mut scene: Scene<'_>) -> Vec<Item> {
    let plan = |used: i64| attributes!["app.key.provider" => "elevenlabs", "app.key.characters" => used, "app.key.limit" => 500_000_i64];
    for used in [449_000_i64, 488_200, 499_900] {
        let mut more = plan(used);
        more.extend(attributes!["app.api_key" => planted::VOICE_KEY]);
        scene.event("app.key.health", more);
        scene.think(20.0, 40.0);
    }
    let mut refused = ai::speech(&mut scene.random, planted::VOICE_KEY);
    refused.attributes.retain(|a| !matches!(a.key.as_str(), "http.response.status_code" | "gen_ai.usage.characters"));
    refused.attributes.extend(attributes!["http.response.status_code" => 429_i64, "error.type" => "quota_exceeded"]);
    let message = format!("quota of key {} is used up", planted::VOICE_KEY);
    refused.failure = Some(crate::item::Failure { kind: "quota_exceeded", message, thrown: true });
    scene.serve(Served::new("POST", "/api/speech", 9.0).calling(vec![refused]).answering(502));
    let mut gone = plan(500_000);
    gone.extend(attributes!["app.api_key" => planted::VOICE_KEY, "app.key.reason" => "quota_exceeded"]);
    scene.said(Severity::Error, "app.key.exhausted", None, gone);
    scene.event(
        "app.key.rotated",
        attributes![
            "app.key.provider" => "elevenlabs",
            "app.key.from" => planted::VOICE_KEY,
            "app.key.to" => planted::NEXT_VOICE_KEY,
            "app.key.reason" => "quota_exceeded",
        ],
    );
    scene.end()
}

fn bulk_export(mut scene: Scene<'_>) -> Vec<Item> {
    scene.serve(Served::new("GET", "/api/orders/export", 8400.0));
    let more = attributes![
        "app.audit.affected_records" => 25_840_i64,
        "app.audit.export.format" => "csv",
        "file.name" => format!("orders-{}.csv", scene.user.email),
    ];
    cvd::act(&mut scene, "audit.data_export", "orders", "orders".to_owned(), more);
    scene.end()
}

fn bulk_change(mut scene: Scene<'_>) -> Vec<Item> {
    scene.serve(Served::new("POST", "/api/planograms/bulk", 5200.0));
    let more = attributes!["app.audit.affected_records" => 480_i64];
    cvd::act(&mut scene, "audit.bulk_operation", "planogram", "planograms".to_owned(), more);
    scene.end()
}

fn escalation(mut scene: Scene<'_>) -> Vec<Item> {
    let subject = scene.user.id.clone();
    scene.serve(Served::new("PUT", "/api/users/{id}/role", 28.0).at(format!("/api/users/{subject}/role")));
    let more =
        attributes!["app.audit.old_value" => "operator", "app.audit.new_value" => "admin", "user.roles" => "operator"];
    cvd::act(&mut scene, "audit.permission_change", "user", subject, more);
    scene.end()
}

/// Somebody logs whole requests: the sort of line that no review finds in time.
fn leak(mut scene: Scene<'_>) -> Vec<Item> {
    let message = format!("webhook of {} failed: invalid api key {}", planted::EMAIL, planted::AI_KEY);
    let within = scene.serve(Served::new("POST", "/api/webhooks/", 40.0).throwing("WebhookError", message));
    let lines = [
        format!("retrying with Authorization: Bearer {}", planted::TOKEN),
        format!("customer {} asks to be called at {}", planted::EMAIL, planted::PHONE),
        format!("payment with card {} was refused, xi-api-key: {}", planted::CARD, planted::VOICE_KEY),
    ];
    for line in lines {
        scene.think(0.1, 0.5);
        scene.line(Severity::Warn, line, within);
    }
    scene.end()
}
