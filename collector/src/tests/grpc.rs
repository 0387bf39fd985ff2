use super::*;
use otlp::Signal;

const LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";

#[tokio::test(flavor = "multi_thread")]
async fn every_status_is_otlps_own() {
    let process = Process::start(PLAIN).await;
    let log = protobuf(Signal::Logs, LOG);
    let mut two = framed(false, &log).to_vec();
    two.extend(framed(false, &log));
    let cases: &[(&str, Headers, Bytes, &str, &str)] = &[
        (LOGS, &[], framed(false, &log), "0", ""),
        (LOGS, &[], framed(false, b""), "0", ""),
        (LOGS, &[("grpc-encoding", "gzip")], framed(true, &gzip(&log)), "0", ""),
        (LOGS, &[("grpc-encoding", "gzip")], framed(false, &log), "0", ""),
        (LOGS, &[("grpc-encoding", "zstd")], framed(true, &zstd::encode_all(&log[..], 1).unwrap()), "0", ""),
        (LOGS, &[("grpc-encoding", "snappy")], framed(true, &log), "12", "gzip or zstd"),
        (LOGS, &[], framed(false, &log[..log.len() - 1]), "3", ""),
        (LOGS, &[], Bytes::from_static(&[0, 0, 0]), "3", "no message"),
        (LOGS, &[], Bytes::from_static(&[0, 0, 0, 0, 9, 1]), "3", "another length"),
        (LOGS, &[], two.into(), "3", "another length"),
        (LOGS, &[], Bytes::from_static(&[0, 0xff, 0xff, 0xff, 0xff]), "8", "larger than"),
        (
            "/opentelemetry.proto.collector.logs.v1.LogsService/Import",
            &[],
            framed(false, &log),
            "12",
            "nothing is served",
        ),
    ];
    for (path, headers, body, status, text) in cases {
        let stream = TcpStream::connect(&process.grpc).await.unwrap();
        let (got, message, _, _) = call(stream, path, headers, body.clone()).await;
        assert_eq!(got, *status, "{path} {headers:?} {body:?}: {message}");
        assert!(message.contains(text), "{path} {headers:?}: {message}");
    }
    assert!(process.metric("otelcol_receiver_accepted_log_records{receiver=\"otlp\",transport=\"grpc\"} 4").await);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn either_port_takes_both_wires() {
    let process = Process::start(PLAIN).await;
    let stream = TcpStream::connect(&process.http).await.unwrap();
    let log = protobuf(Signal::Logs, LOG);
    let (status, message, _, answer) = call(stream, LOGS, &[], framed(false, &log)).await;
    assert_eq!((status.as_str(), message.as_str(), &answer[..]), ("0", "", &[0, 0, 0, 0, 0][..]));
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_room_the_status_says_when_to_come_back() {
    use base64::Engine;
    let yaml = "
pipeline: { max_in_flight_bytes: 1MiB }
receivers: { otlp: { protocols: { grpc: { endpoint: 127.0.0.1:0, max_recv_msg_size_mib: 1 } } } }
";
    let process = Process::start(yaml).await;
    let mut holder = TcpStream::connect(&process.grpc).await.unwrap();
    let head =
        b"POST /v1/logs HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ncontent-length: 1048576\r\n\r\n{";
    tokio::io::AsyncWriteExt::write_all(&mut holder, head).await.unwrap();
    while !process.metric("marquetry_in_flight_bytes 1048576").await {
        tokio::task::yield_now().await;
    }
    let stream = TcpStream::connect(&process.grpc).await.unwrap();
    let (status, _, details, _) = call(stream, LOGS, &[], framed(false, &protobuf(Signal::Logs, LOG))).await;
    assert_eq!(status, "8");
    let details = base64::engine::general_purpose::STANDARD_NO_PAD.decode(details).unwrap();
    let retry_info = b"type.googleapis.com/google.rpc.RetryInfo";
    assert!(details.windows(retry_info.len()).any(|w| w == retry_info));
    drop(holder);
    process.stop().await;
}
