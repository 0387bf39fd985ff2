use component::{Component, ConfigError, Context, Factory, Gather, ProcessError, Processor, processor};
use serde::Deserialize;

use super::*;

#[derive(Default, Deserialize)]
struct Nothing {}

/// Fails or panics when a log says so.
struct Trap;

impl Component for Trap {
    const NAME: &'static str = "trap";
    const ABOUT: &'static str = "Fails on demand.";
    type Config = Nothing;

    fn new(_: Nothing, _: &Context) -> Result<Self, ConfigError> {
        Ok(Self)
    }
}

impl Processor for Trap {
    fn process(&mut self, gather: &mut Gather) -> Result<(), ProcessError> {
        let says = |word: &str| {
            gather.tables().filter_map(|rows| rows.text("body")).any(|body| body.iter().any(|text| text == Some(word)))
        };
        assert!(!says("panic"), "trapped");
        if says("fail") { Err(ProcessError::Refused("trapped".to_owned())) } else { Ok(()) }
    }
}

const TRAPPED: &[Factory<dyn Processor>] = &[
    processor::<Trap>(),
    processor::<processors::hash::Hash>(),
    processor::<processors::directory::Directory>(),
    processor::<processors::redact::Redact>(),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_request_costs_itself_and_no_neighbour() {
    let distribution = Distribution { processors: TRAPPED, seal: processors::SEAL };
    let process = Process::start_with(&distribution, PLAIN).await;
    let words: Vec<&str> = (0..60)
        .map(|n| {
            if n % 20 == 7 {
                "fail"
            } else if n % 20 == 13 {
                "panic"
            } else {
                "fine"
            }
        })
        .collect();
    let bodies: Vec<String> = words.iter().map(|word| LOG.replace("hello", word)).collect();
    // All at once, so that gathers hold good and bad ones together.
    let mut sending = Vec::new();
    for body in bodies {
        let http = process.http.clone();
        sending.push(tokio::spawn(async move {
            let stream = TcpStream::connect(http).await.unwrap();
            let request = Request::post("/v1/logs").header("host", "test").header("content-type", "application/json");
            let (response, body) = exchange(stream, request.body(Full::new(body.into())).unwrap()).await;
            (response.status().as_u16(), String::from_utf8(body.to_vec()).unwrap())
        }));
    }
    for (word, sent) in words.into_iter().zip(sending) {
        let (status, text) = sent.await.unwrap();
        match word {
            "fine" => assert_eq!((status, text.as_str()), (200, "{}")),
            "fail" => assert!(status == 500 && text.contains("could not be processed: trapped"), "{status} {text}"),
            _ => assert!(status == 500 && text.contains("could not be processed"), "{status} {text}"),
        }
    }
    assert!(process.metric("otelcol_receiver_accepted_log_records{receiver=\"otlp\",transport=\"http\"} 54").await);
    assert!(process.metric("otelcol_receiver_failed_log_records{receiver=\"otlp\",transport=\"http\"} 6").await);
    assert!(process.metric("marquetry_stored_records_total{signal=\"logs\"} 54").await);
    assert!(process.metric("marquetry_unaccounted_records_total 0").await);
    process.stop().await;
}

/// One request with a log record for each word.
fn logs(words: &[&str], event: &str) -> String {
    let record = |word: &&str| format!(r#"{{"eventName":"{event}","body":{{"stringValue":"{word}"}}}}"#);
    let records: Vec<String> = words.iter().map(record).collect();
    format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{}]}}]}}]}}"#, records.join(","))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_record_costs_itself_and_no_neighbour() {
    let distribution = Distribution { processors: TRAPPED, seal: processors::SEAL };
    let process = Process::start_with(&distribution, PLAIN).await;
    let json: Headers = &[("content-type", "application/json")];
    let mut words = vec!["fine"; 40];
    words[3] = "fail";
    words[22] = "panic";
    words[23] = "fail";
    let (status, _, body) = process.post("/v1/logs", json, logs(&words, "x")).await;
    let told = String::from_utf8(body.to_vec()).unwrap();
    assert_eq!(status, 200, "{told}");
    let expected =
        r#"{"partialSuccess":{"errorMessage":"3 could not be processed: trapped","rejectedLogRecords":"3"}}"#;
    assert_eq!(told, expected);
    assert!(process.metric("otelcol_receiver_accepted_log_records{receiver=\"otlp\",transport=\"http\"} 37").await);
    assert!(process.metric("otelcol_receiver_failed_log_records{receiver=\"otlp\",transport=\"http\"} 3").await);

    let (status, _, body) = process.post("/v1/logs", json, logs(&words, "audit.user_update")).await;
    let told = String::from_utf8(body.to_vec()).unwrap();
    assert!(
        status == 500 && told.contains("could not be processed"),
        "audited records are taken whole or not at all: {status} {told}"
    );
    assert!(process.metric("otelcol_receiver_accepted_log_records{receiver=\"otlp\",transport=\"http\"} 37").await);

    let (status, _, body) = process.post("/v1/logs", json, logs(&["fail"; 40], "x")).await;
    let told = String::from_utf8(body.to_vec()).unwrap();
    assert!(status == 500 && told.contains("over 16 of its 40 records"), "{status} {told}");
    // However often it was tried, every record is booked once.
    assert!(process.metric("otelcol_receiver_failed_log_records{receiver=\"otlp\",transport=\"http\"} 83").await);
    assert!(process.metric("marquetry_received_records_total{signal=\"logs\"} 120").await);
    assert!(process.metric("marquetry_stored_records_total{signal=\"logs\"} 37").await);
    assert!(process.metric("marquetry_unaccounted_records_total 0").await);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_journal_is_said_with_the_time_to_come_back() {
    let process = Process::start(&format!("{PLAIN}\njournal: {{ max_bytes: 1 }}\n")).await;
    let (status, retry_after, body) = process.post("/v1/logs", &[("content-type", "application/json")], LOG).await;
    assert_eq!((status, retry_after.as_str()), (429, "5"), "{}", String::from_utf8_lossy(&body));
    let (status, body) = Process::get(&process.health, "/").await;
    assert!(status == 503 && body.contains("journal is full"), "{status} {body}");
    process.stop().await;
}

#[test]
fn a_chain_without_its_whole_seal_is_refused() {
    let half = Distribution { processors: &TRAPPED[..2], seal: processors::SEAL };
    let data = tempfile::tempdir().unwrap();
    let config = Config::load(&inputs(data.path(), &[BASE, PLAIN]), &half).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let error = runtime.block_on(Service::build(config, &half)).err().unwrap().to_string();
    assert!(error.contains("the seal is not complete"), "{error}");
}
