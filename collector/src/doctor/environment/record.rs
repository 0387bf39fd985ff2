//! A record of our own, sent as an app would and read back as an analyst would.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hyper::Method;
use queries::Engine;

use super::super::client::{self, Answer};
use super::super::finding::Finding;
use super::super::{SERVICE, facts, open_engine, snippets};
use super::seen;
use crate::config::{Config, Listener, Wire};
use crate::error::Error;

const RULE: &str = "test_record";
/// A row is to be seen within this.
const SOON: Duration = Duration::from_secs(1);
/// How long we look for it.
const PATIENCE: Duration = Duration::from_secs(5);
/// Seconds between our clock and the collector's receipt.
const SKEW: i64 = 60;

/// Sends one record by each wire to a collector that runs; starts none.
pub(super) async fn look(config: &Config, running: bool) -> Vec<Finding> {
    if !running {
        let title = "no collector runs on this data folder; no record was sent";
        let mend = snippets::filled("start", "sh", "start one, with the same --config, --set and --data", &[]);
        return vec![Finding::new(RULE, super::super::finding::Severity::Info, title).mended(mend)];
    }
    let engine = match open_engine(config).await {
        Ok((engine, _)) => engine,
        Err(e) => return vec![Finding::problem(RULE, format!("nothing can be read back: {e}"))],
    };
    let mut findings = Vec::new();
    for wire in [Wire::Http, Wire::Grpc] {
        let Some(listener) = config.listeners.iter().find(|l| l.wire == wire) else { continue };
        findings.extend(round(&engine, listener, wire).await);
    }
    findings
}

async fn round(engine: &Engine, listener: &Listener, wire: Wire) -> Vec<Finding> {
    let address = &listener.address;
    let name = if wire == Wire::Http { "HTTP" } else { "gRPC" };
    if listener.wants_certificate {
        let title = format!("{address} wants a client's certificate: no record was sent over {name}");
        return vec![Finding::new(RULE, super::super::finding::Severity::Info, title)];
    }
    let since = Instant::now();
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos());
    let sent = match send(listener, wire, nanos).await {
        Ok(answer) if is_ok(&answer) => seen("wire", wire.as_str()),
        Ok(answer) => {
            let code = answer.grpc.map_or(format!("status {}", answer.status), |code| format!("gRPC status {code}"));
            let why = "An app that sends there is answered the same.";
            return vec![
                Finding::problem(RULE, format!("a record sent to {address} over {name} was refused with {code}"))
                    .because(why),
            ];
        }
        Err(e) => {
            let why = "An app that sends there gets no further.";
            return vec![
                Finding::problem(RULE, format!("a record could not be sent to {address} over {name}: {e}"))
                    .because(why),
            ];
        }
    };
    let received = match read_back(engine, nanos, since).await {
        Ok(Some(received)) => received,
        Ok(None) => {
            let title = format!(
                "a record sent to {address} over {name} was taken and cannot be read within {} s",
                PATIENCE.as_secs()
            );
            let why =
                "Another Marquetry may listen there, which has another data folder, or a filter rule drops the record.";
            return vec![Finding::problem(RULE, title).because(why).of(sent)];
        }
        Err(e) => return vec![Finding::problem(RULE, format!("reading back a record: {e}")).of(sent)],
    };
    let took = since.elapsed();
    let title = format!("a record sent over {name} was read back by SQL after {} ms", took.as_millis());
    let mut seen = sent;
    seen.iter_mut().for_each(|s| {
        s.about.insert("milliseconds", took.as_millis().to_string());
    });
    let visible = if took <= SOON {
        Finding::ok(RULE, title)
    } else {
        Finding::hint(RULE, title).because("A row is to be seen within a second.")
    };
    let mut findings = vec![visible.of(seen)];
    findings.extend(receipt(received, nanos));
    findings
}

async fn send(listener: &Listener, wire: Wire, nanos: u128) -> Result<Answer, String> {
    let json = record(nanos);
    match wire {
        Wire::Http => client::ask(listener, Method::POST, "/v1/logs", Bytes::from(json)).await,
        Wire::Grpc => {
            let message = otlp::json_to_protobuf(otlp::Signal::Logs, json.as_bytes()).map_err(|e| e.to_string())?;
            client::call(listener, "/opentelemetry.proto.collector.logs.v1.LogsService/Export", &message).await
        }
    }
}

fn record(nanos: u128) -> String {
    let nanos = nanos.to_string();
    let record = serde_json::json!({
        "timeUnixNano": nanos, "observedTimeUnixNano": nanos, "severityNumber": 9, "severityText": "INFO",
        "body": { "stringValue": "test record of marquetry doctor" },
    });
    let service = serde_json::json!({ "key": "service.name", "value": { "stringValue": SERVICE } });
    serde_json::json!({ "resourceLogs": [{
        "resource": { "attributes": [service] },
        "scopeLogs": [{ "scope": { "name": "marquetry.doctor" }, "logRecords": [record] }],
    }] })
    .to_string()
}

fn is_ok(answer: &Answer) -> bool {
    answer.status == 200 && answer.grpc.as_deref().is_none_or(|code| code == "0")
}

/// When it was received, in microseconds; `None` if it does not turn up.
async fn read_back(engine: &Engine, nanos: u128, since: Instant) -> Result<Option<i64>, Error> {
    let sql = format!(
        "SELECT CAST(received_time AS BIGINT) AS received FROM logs WHERE service_name = '{SERVICE}' AND time_unix_nano = {nanos}"
    );
    loop {
        let answer = engine.query(&sql).await.map_err(|e| crate::asking::failed(&e))?;
        if let Some(row) = facts::rows(&answer)?.first() {
            return Ok(row["received"].as_i64());
        }
        if since.elapsed() > PATIENCE {
            return Ok(None);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The collector's clock against ours.
fn receipt(received: i64, nanos: u128) -> Option<Finding> {
    let sent = i64::try_from(nanos / 1000).unwrap_or(i64::MAX);
    let apart = (received - sent) / 1_000_000;
    if apart.abs() <= SKEW {
        return None;
    }
    let title = format!("the collector's clock is {} s away from ours", apart.abs());
    let mend = snippets::filled("clock", "sh", "keep both clocks right", &[]);
    Some(Finding::problem("clock", title).of(seen("seconds", apart)).mended(mend))
}
