//! CVD: vending machines and what is in them. Staff, few of them, and everything they change is audited.

use opentelemetry::KeyValue;
use opentelemetry::logs::Severity;

use crate::item::{Item, Nanos, attributes};
use crate::people::User;
use crate::random::Random;
use crate::scene::{Scene, Served};
use crate::services::Service;

/// A stretch of office work.
pub(crate) fn visit(user: &User, random: Random, at: Nanos, pace: f64) -> Vec<Item> {
    let mut scene = Scene::new(random, user, Service::CvdApi, at);
    scene.pace = pace;
    let who = attributes!["client.address" => user.address.clone(), "user_agent.original" => user.agent, "user.roles" => "operator"];
    scene.event("auth.login", who);
    for _ in 0..scene.random.between(3, 8) {
        scene.think(10.0, 120.0);
        work(&mut scene);
    }
    if scene.random.chance(0.6) {
        scene.event("auth.logout", Vec::new());
    }
    scene.end()
}

fn work(scene: &mut Scene<'_>) {
    let device = scene.random.between(1, 320);
    match scene.random.unit() {
        p if p < 0.45 => {
            scene.serve(Served::new("GET", "/api/devices/{device_id}", 24.0).at(format!("/api/devices/{device}")));
        }
        p if p < 0.65 => {
            scene.serve(Served::new("GET", "/api/reports/sales", 640.0));
            act(scene, "audit.sales_report_view", "report", "sales".to_owned(), Vec::new());
        }
        p if p < 0.80 => {
            scene
                .serve(Served::new("PUT", "/api/planograms/{device_id}", 95.0).at(format!("/api/planograms/{device}")));
            let more = attributes!["app.audit.affected_records" => scene.random.between(1, 40) as i64];
            act(scene, "audit.planogram_update", "planogram", format!("planogram-{device}"), more);
        }
        p if p < 0.93 => {
            let (old, new) = (scene.random.between(300, 600), scene.random.between(300, 700));
            scene.serve(Served::new("PATCH", "/api/products/{id}", 31.0).at(format!("/api/products/{device}")));
            let more = attributes!["app.audit.old_value" => old.to_string(), "app.audit.new_value" => new.to_string()];
            act(scene, "audit.price_change", "product", format!("product-{device}"), more);
        }
        _ => {
            scene.serve(Served::new("POST", "/api/dex", 380.0));
            act(scene, "audit.dex_upload", "device", format!("device-{device}"), Vec::new());
        }
    }
}

/// An audited act of the scene's user.
pub(crate) fn act(scene: &mut Scene<'_>, name: &'static str, kind: &'static str, id: String, more: Vec<KeyValue>) {
    let mut attributes = attributes![
        "app.audit.actor.id" => scene.user.id.clone(),
        "app.audit.resource.type" => kind,
        "app.audit.resource.id" => id,
        "app.audit.outcome" => "success",
        "client.address" => scene.user.address.clone(),
    ];
    attributes.extend(more);
    scene.said(Severity::Info, name, None, attributes);
}
