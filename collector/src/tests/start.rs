use super::*;
use std::os::unix::fs::PermissionsExt;

#[tokio::test(flavor = "multi_thread")]
async fn a_start_tells_what_a_person_needs_and_a_stop_keeps_everything() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("data");
    let text = Service::build(config(&folder, &[BASE, PLAIN]).unwrap(), &Distribution::default()).await;
    let service = text.unwrap();
    let text = service.announcement();
    for part in ["send     OTLP/gRPC  http://127.0.0.1:", "made ", "root.key", "  ask      ", "/metrics"] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    assert!(!text.contains("WARNING") || cfg!(feature = "control"), "{text}");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join("keys/root.key")), 0o600);
    service.run().drain().await.unwrap();
    let again = Service::build(config(&folder, &[BASE, PLAIN]).unwrap(), &Distribution::default()).await.unwrap();
    assert!(!again.announcement().contains("made "), "the second start finds the key");
    again.run().drain().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_says_who_wants_it_and_what_changes_it() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let data = tempfile::tempdir().unwrap();
    let yaml = format!("receivers: {{ otlp: {{ protocols: {{ grpc: {{ endpoint: 127.0.0.1:{port} }} }} }} }}");
    let config = config(data.path(), &[BASE, &yaml]).unwrap();
    let error = Service::build(config, &Distribution::default()).await.err().unwrap().to_string();
    assert_eq!(
        error,
        format!(
            "127.0.0.1:{port}, wanted by receivers.otlp.protocols.grpc.endpoint, is in use; stop what listens there or \
             choose another: --set receivers.otlp.protocols.grpc.endpoint=HOST:PORT"
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_metrics_say_how_it_is() {
    let process = Process::start(PLAIN).await;
    let (status, body) = Process::get(&process.health, "/").await;
    assert_eq!(status, 200, "{body}");
    assert!(body.contains("Server available"), "{body}");
    assert_eq!(Process::get(&process.health, "/nothing").await.0, 404);
    let (status, text) = Process::get(&process.metrics, "/metrics").await;
    assert_eq!(status, 200);
    for name in ["otelcol_receiver_accepted_spans", "otelcol_process_uptime", "marquetry_journal_bytes"] {
        assert!(text.contains(&format!("\n# TYPE {name} ")) || text.contains(&format!("# TYPE {name} ")), "{name}");
    }
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        let (_, value) = line.rsplit_once(' ').unwrap();
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_open_when_the_stop_comes_is_answered() {
    let mut process = Process::start(PLAIN).await;
    let mut stream = TcpStream::connect(&process.http).await.unwrap();
    let head = format!(
        "POST /v1/logs HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        LOG.len()
    );
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    stream.write_all(head.as_bytes()).await.unwrap();
    while process.metric("marquetry_in_flight_bytes 0").await {
        tokio::task::yield_now().await;
    }
    let draining = tokio::spawn(process.running.take().unwrap().drain());
    while Process::get(&process.health, "/").await.0 != 503 {
        tokio::task::yield_now().await;
    }
    stream.write_all(LOG.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    draining.await.unwrap().unwrap();
}
