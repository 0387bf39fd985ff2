//! PostBro: posts of others, analysed. Django with an instrumentation that knows the user on the request alone.

use opentelemetry::logs::Severity;

use super::ai;
use crate::item::{Failure, Item, Nanos, attributes};
use crate::people::User;
use crate::planted;
use crate::random::Random;
use crate::scene::{Called, Scene, Served};
use crate::services::Service;

const ANALYZE: &str = "/api/analysis/analyze/";

/// Signing in, the feed, some posts, an analysis or two.
pub(crate) fn visit(user: &User, random: Random, at: Nanos, pace: f64) -> Vec<Item> {
    let mut scene = Scene::new(random, user, Service::PostBroApi, at);
    scene.pace = pace;
    sign_in(&mut scene);
    for _ in 0..scene.random.between(2, 6) {
        scene.think(5.0, 60.0);
        match scene.random.unit() {
            p if p < 0.30 => analyse(&mut scene),
            p if p < 0.60 => feed(&mut scene),
            p if p < 0.85 => post(&mut scene),
            _ => {
                scene.serve(Served::new("GET", "/api/users/me/", 14.0));
            }
        }
    }
    scene.end()
}

/// How an account begins.
pub(crate) fn sign_up(user: &User, random: Random, at: Nanos) -> Vec<Item> {
    let mut scene = Scene::new(random, user, Service::PostBroApi, at);
    scene.serve(Served::new("POST", "/api/users/", 120.0));
    let (email, address) = (user.email.clone(), user.address.clone());
    scene.event("auth.signup", attributes!["user.email" => email, "client.address" => address]);
    scene.end()
}

fn sign_in(scene: &mut Scene<'_>) {
    let who = attributes![
        "user.email" => scene.user.email.clone(),
        "client.address" => scene.user.address.clone(),
        "user_agent.original" => scene.user.agent,
    ];
    if scene.random.chance(0.08) {
        let mut failed = who.clone();
        failed.extend(attributes!["auth.failure_reason" => "wrong_password", "auth.attempt" => 1_i64]);
        scene.said(
            Severity::Warn,
            "auth.login_failed",
            Some(format!("wrong password for {}", scene.user.email)),
            failed,
        );
        scene.think(4.0, 12.0);
    }
    if scene.random.chance(0.6) {
        scene.event("auth.login", who);
    }
    scene.serve(Served::new("GET", "/api/session/", 9.0));
}

fn feed(scene: &mut Scene<'_>) {
    let rows = scene.random.between(10, 60) as i64;
    let called = supabase(scene, "posts", 11.0);
    let served = Served::new("GET", "/api/feed/", 30.0).calling(vec![called]);
    scene.serve(served.with(attributes!["url.query" => "page=1&sort=new", "app.rows_returned" => rows]));
}

fn post(scene: &mut Scene<'_>) {
    let id = scene.random.between(1000, 9000);
    let missing = scene.random.chance(0.05);
    let served = Served::new("GET", "/api/posts/{id}/", 18.0).at(format!("/api/posts/{id}/"));
    scene.serve(if missing { served.answering(404) } else { served });
}

/// Fetch a post through a proxy, let a model read it, keep what it said.
fn analyse(scene: &mut Scene<'_>) {
    let failing = scene.random.chance(0.03);
    let mut calls = vec![scrape(scene, failing)];
    let thrown = if failing {
        Some(("ScrapeFailed", format!("proxy refused user {} with token {}", scene.user.email, planted::TOKEN)))
    } else {
        calls.push(supabase(scene, "analyses", 14.0));
        let model = if scene.random.chance(0.02) { &ai::PREVIEW } else { &ai::GEMINI };
        let more = attributes!["gen_ai.prompt.name" => "analysis", "app.feature.name" => "analysis"];
        calls.push(ai::call(&mut scene.random, model, more));
        None
    };
    let served = Served::new("POST", ANALYZE, 60.0).calling(calls).with(attributes!["app.feature.name" => "analysis"]);
    scene.serve(match thrown {
        Some((kind, message)) => served.throwing(kind, message),
        None => served,
    });
}

fn scrape(scene: &mut Scene<'_>, failing: bool) -> Called {
    let url = format!("https://api.brightdata.com/request?zone=serp&api_key={}", planted::SCRAPE_KEY);
    let more = attributes!["app.api_key" => planted::SCRAPE_KEY];
    let mut called = ai::outside(&mut scene.random, "brightdata", url, 1400.0, more);
    if failing {
        called.failure = Some(Failure { kind: "502", message: "the proxy gave up".to_owned(), thrown: false });
    }
    called
}

fn supabase(scene: &mut Scene<'_>, table: &'static str, ms: f64) -> Called {
    let url = format!("https://postbro.supabase.co/rest/v1/{table}?email=eq.{}&select=*", scene.user.email);
    ai::outside(&mut scene.random, "supabase", url, ms, attributes!["server.address" => "postbro.supabase.co"])
}

/// A request that meets the limit, and the limit's own word for it.
pub(crate) fn limited(scene: &mut Scene<'_>, used: i64) {
    let allowed = used <= 20;
    let served = Served::new("POST", ANALYZE, if allowed { 300.0 } else { 3.0 });
    scene.serve(served.answering(if allowed { 201 } else { 429 }));
    scene.event(
        "rate_limit",
        attributes![
            "rate_limit.kind" => "analyses_per_hour",
            "rate_limit.used" => used,
            "rate_limit.limit" => 20_i64,
            "rate_limit.action" => if allowed { "allow" } else { "block" },
            "http.route" => ANALYZE,
            "client.address" => scene.user.address.clone(),
        ],
    );
}
