use super::*;
use otlp::Signal;

const JSON: (&str, &str) = ("content-type", "application/json");
const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_otlps_own() {
    let process = Process::start(PLAIN).await;
    let log = protobuf(Signal::Logs, LOG);
    let zeros = gzip(&vec![0; 65 << 20]);
    let cases: &[(&str, Headers, &[u8], u16, &str)] = &[
        ("/v1/logs", &[JSON], LOG.as_bytes(), 200, "{}"),
        ("/v1/logs", &[("content-type", "application/json; charset=utf-8")], LOG.as_bytes(), 200, "{}"),
        ("/v1/logs", &[PROTOBUF], &log, 200, ""),
        ("/v1/logs/", &[PROTOBUF], &log, 200, ""),
        ("/v1/logs", &[PROTOBUF, ("content-encoding", "gzip")], &gzip(&log), 200, ""),
        ("/v1/logs", &[PROTOBUF, ("content-encoding", "zstd")], &zstd::encode_all(&log[..], 1).unwrap(), 200, ""),
        ("/v1/logs", &[PROTOBUF, ("content-encoding", "identity")], &log, 200, ""),
        ("/v1/logs", &[PROTOBUF], b"", 200, ""),
        ("/v1/logs", &[JSON], b"{", 400, "\"reading OTLP/JSON at line"),
        ("/v1/logs", &[PROTOBUF], &log[..log.len() - 1], 400, ""),
        ("/v1/logs", &[PROTOBUF, ("content-encoding", "gzip")], &log, 400, "not compressed as it says"),
        ("/v1/logs", &[PROTOBUF, ("content-encoding", "br")], &log, 415, "gzip or zstd"),
        ("/v1/logs", &[("content-type", "text/plain")], LOG.as_bytes(), 415, "content type"),
        ("/v1/logs", &[], LOG.as_bytes(), 415, "content type"),
        ("/v1/logs", &[PROTOBUF, ("content-encoding", "gzip")], &zeros, 413, "larger than 67108864 bytes"),
        ("/v1/profiles", &[JSON], b"{}", 404, "nothing is served here"),
        ("/", &[JSON], b"{}", 404, "nothing is served here"),
    ];
    for (path, headers, body, status, text) in cases {
        let (got, _, answer) = process.post(path, headers, body.to_vec()).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert_eq!(got, *status, "{path} {headers:?}: {answer}");
        assert!(answer.contains(text), "{path} {headers:?}: {answer}");
    }
    assert_eq!(Process::get(&process.http, "/v1/logs").await.0, 405);
    assert!(process.metric("otelcol_receiver_accepted_log_records{receiver=\"otlp\",transport=\"http\"} 7").await);
    assert!(process.metric("marquetry_requests_total{code=\"0\",signal=\"logs\",transport=\"http\"} 8").await);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_too_large_is_refused_before_it_is_read() {
    let yaml = "receivers: { otlp: { protocols: { http: { endpoint: 127.0.0.1:0, max_request_body_size: 1KiB } } } }";
    let process = Process::start(yaml).await;
    let (status, _, body) = process.post("/v1/logs", &[PROTOBUF], vec![0; 4096]).await;
    assert_eq!(status, 413);
    assert!(String::from_utf8_lossy(&body).contains("1024 bytes"));
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_counted_and_every_client_is_told_once() {
    let process = Process::start(PLAIN).await;
    let body = r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","gauge":{"dataPoints":[{"asInt":"1"},{"asInt":"2"}]}}]}]}]}"#;
    let warning = r#"{"partialSuccess":{"errorMessage":"metrics are counted, not stored yet"}}"#;
    for (agent, expected) in [("a", warning), ("a", "{}"), ("b", warning), ("a", "{}"), ("b", "{}")] {
        let (status, _, answer) = process.post("/v1/metrics", &[JSON, ("user-agent", agent)], body).await;
        assert_eq!((status, &answer[..]), (200, expected.as_bytes()), "{agent}");
    }
    assert!(process.metric("otelcol_receiver_accepted_metric_points{receiver=\"otlp\",transport=\"http\"} 10").await);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_needed_and_tells_the_tenant() {
    let yaml = "
extensions: { bearertokenauth: { tokens: [{ token: token-of-acme-0001, tenant: acme }, token-of-nobody-0002] } }
receivers: { otlp: { protocols: { http: { endpoint: 127.0.0.1:0, auth: { authenticator: bearertokenauth } } } } }
";
    let process = Process::start(yaml).await;
    let cases = [
        (Some("Bearer token-of-acme-0001"), 200),
        (Some("Bearer token-of-nobody-0002"), 200),
        (Some("Bearer token-of-acme-0002"), 401),
        (Some("Basic token-of-acme-0001"), 401),
        (None, 401),
    ];
    for (token, expected) in cases {
        let mut headers = vec![JSON];
        headers.extend(token.map(|t| ("authorization", t)));
        let (status, _, answer) = process.post("/v1/logs", &headers, LOG).await;
        assert_eq!(status, expected, "{token:?}: {}", String::from_utf8_lossy(&answer));
    }
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn browsers_send_from_configured_origins_only() {
    let yaml = "
receivers:
  otlp: { protocols: { http: { endpoint: 127.0.0.1:0, cors: { allowed_origins: [\"https://*.example.com\"], allowed_headers: [x-page], max_age: 600 } } } }
";
    let process = Process::start(yaml).await;
    for (origin, allowed) in [("https://app.example.com", true), ("https://evil.test", false)] {
        let stream = TcpStream::connect(&process.http).await.unwrap();
        let request = Request::options("/v1/logs")
            .header("host", "test")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type,x-page");
        let (response, _) = exchange(stream, request.body(Full::new(Bytes::new())).unwrap()).await;
        assert!(response.status().is_success());
        let header = |name: &str| response.headers().get(name).map(|v| v.to_str().unwrap().to_owned());
        assert_eq!(header("access-control-allow-origin").as_deref(), allowed.then_some(origin));
        if allowed {
            let headers = header("access-control-allow-headers").unwrap();
            assert!(headers.contains("content-type") && headers.contains("x-page"), "{headers}");
            assert_eq!(header("access-control-max-age").as_deref(), Some("600"));
        }
    }
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_room_a_sender_is_told_when_to_come_back() {
    // Two connections announce and send nothing: each holds its first reservation of a budget of one.
    let yaml = "
pipeline: { max_in_flight_bytes: 1MiB }
receivers: { otlp: { protocols: { http: { endpoint: 127.0.0.1:0, max_request_body_size: 1MiB } } } }
";
    let process = Process::start(yaml).await;
    let mut holder = TcpStream::connect(&process.http).await.unwrap();
    let head =
        b"POST /v1/logs HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ncontent-length: 1048576\r\n\r\n{";
    tokio::io::AsyncWriteExt::write_all(&mut holder, head).await.unwrap();
    while !process.metric("marquetry_in_flight_bytes 1048576").await {
        tokio::task::yield_now().await;
    }
    let (status, retry_after, answer) = process.post("/v1/logs", &[JSON], LOG).await;
    let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!((status, retry_after.as_str()), (429, "1"));
    assert_eq!(answer["details"][0]["retryDelay"], "1s");
    drop(holder);
    while !process.metric("marquetry_in_flight_bytes 0").await {
        tokio::task::yield_now().await;
    }
    assert_eq!(process.post("/v1/logs", &[JSON], LOG).await.0, 200);
    process.stop().await;
}
