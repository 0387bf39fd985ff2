//! Whether the ports are free, ours, or somebody else's.

use std::io::ErrorKind;

use hyper::Method;
use serde_json::Value;
use tokio::net::TcpListener;

use super::super::client;
use super::super::finding::{Finding, Seen};
use super::super::snippets;
use crate::config::{Config, Listener};

const RULE: &str = "ports";

/// Who is asked for at an address.
enum Door<'a> {
    Otlp(&'a Listener),
    Health(&'a str),
    Metrics,
}

/// One address, and the setting that changes it.
struct Port<'a> {
    address: &'a str,
    setting: String,
    door: Door<'a>,
}

/// Every port of the configuration.
pub(super) async fn look(config: &Config, running: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut right = Vec::new();
    for port in ports(config) {
        match judge(&port, running).await {
            Ok(word) => right.push(Seen::new("marquetry", 1).with("address", port.address).with("state", word)),
            Err(finding) => findings.push(*finding),
        }
    }
    if findings.is_empty() {
        let how = if running { "are held by the collector that runs" } else { "are free" };
        findings.push(Finding::ok(RULE, format!("all {} ports {how}", right.len())).of(right));
    }
    findings
}

fn ports(config: &Config) -> Vec<Port<'_>> {
    let mut ports: Vec<Port<'_>> = config
        .listeners
        .iter()
        .map(|l| Port { address: &l.address, setting: format!("{}.endpoint", l.path), door: Door::Otlp(l) })
        .collect();
    if let Some((address, path)) = &config.health {
        let setting = "extensions.health_check.endpoint".to_owned();
        ports.push(Port { address, setting, door: Door::Health(path) });
    }
    if let Some(address) = &config.metrics {
        ports.push(Port { address, setting: "service.telemetry.metrics.address".to_owned(), door: Door::Metrics });
    }
    ports.retain(|port| !port.address.ends_with(":0"));
    ports
}

async fn judge(port: &Port<'_>, running: bool) -> Result<&'static str, Box<Finding>> {
    let taken = match TcpListener::bind(port.address).await {
        Ok(_) => false,
        Err(e) if e.kind() == ErrorKind::AddrInUse => true,
        Err(e) => return Err(Box::new(refused(port, &e.to_string()))),
    };
    match (taken, taken && is_ours(port).await, running) {
        (false, _, false) => Ok("free"),
        (true, true, true) => Ok("ours"),
        (false, _, true) => Err(Box::new(elsewhere(port))),
        (true, true, false) => Err(Box::new(held(port, "another Marquetry, which has another data folder"))),
        (true, false, _) => Err(Box::new(held(port, "another program"))),
    }
}

/// Whether what answers there is a Marquetry.
async fn is_ours(port: &Port<'_>) -> bool {
    match port.door {
        Door::Otlp(listener) => match client::ask(listener, Method::GET, "/v1/logs", bytes::Bytes::new()).await {
            // It takes POST, or nobody without a token.
            Ok(answer) => matches!(answer.status, 405 | 401) && serde_json::from_slice::<Value>(&answer.body).is_ok(),
            // It wants a certificate that we do not have.
            Err(_) => listener.wants_certificate,
        },
        Door::Health(path) => {
            let page = client::page(port.address, path).await.ok();
            let body = page.and_then(|page| serde_json::from_slice::<Value>(&page.body).ok());
            body.is_some_and(|body| body.get("status").is_some() && body.get("uptime").is_some())
        }
        Door::Metrics => {
            let page = client::page(port.address, "/metrics").await;
            page.is_ok_and(|page| String::from_utf8_lossy(&page.body).contains("marquetry_build_info"))
        }
    }
}

fn held(port: &Port<'_>, by: &str) -> Finding {
    let title = format!("{} is held by {by}", port.address);
    let why = "The collector takes all its ports or does not start.";
    let host = port.address.rsplit_once(':').map_or("127.0.0.1", |(host, _)| host);
    let setting = format!("{}={host}:PORT", port.setting);
    let about = "stop what listens there, or choose another port";
    let mend = snippets::filled("setting", "sh", about, &[("setting", &setting)]);
    Finding::problem(RULE, title).because(why).of(super::seen("setting", &port.setting)).mended(mend)
}

fn refused(port: &Port<'_>, why: &str) -> Finding {
    let title = format!("{} cannot be listened on: {why}", port.address);
    let setting = format!("{}=127.0.0.1:PORT", port.setting);
    let mend = snippets::filled("setting", "sh", "choose another address", &[("setting", &setting)]);
    Finding::problem(RULE, title).of(super::seen("setting", &port.setting)).mended(mend)
}

fn elsewhere(port: &Port<'_>) -> Finding {
    let title = format!("nobody listens on {}, while a collector runs on this data folder", port.address);
    let why = "It was started with another configuration: give this command the same --config and --set.";
    Finding::hint(RULE, title).because(why).of(super::seen("setting", &port.setting))
}
