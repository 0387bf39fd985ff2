use super::super::{Config, Inputs, Problems, print};
use super::*;
use crate::Distribution;

fn environment(name: &str) -> Option<String> {
    (name == "SECRET").then(|| "hunter2".to_owned())
}

fn inputs(yaml: &str) -> Inputs {
    Inputs { configs: vec![format!("yaml:{yaml}")], environment: Some(environment), ..Inputs::default() }
}

fn load(yaml: &str) -> Result<Config, Problems> {
    Config::load(&inputs(yaml), &Distribution::default())
}

const ALL: &str = "
service:
  telemetry:
    resource: { service.name: edge, service.instance.id: null }
    metrics:
      readers:
        - pull: { exporter: { prometheus: { host: 0.0.0.0, port: 9999, without_type_suffix: false } } }
        - periodic:
            interval: 30000
            timeout: 5s
            exporter: { otlp: { protocol: grpc, endpoint: \"https://otlp.example.com:4317\", temporality_preference: delta } }
    traces:
      sampler: { parent_based: { root: { trace_id_ratio_based: { ratio: 0.25 } } } }
      processors:
        - batch:
            schedule_delay: 1s
            max_queue_size: 100
            max_export_batch_size: 1000
            exporter:
              otlp:
                protocol: http/protobuf
                endpoint: http://backend:14318
                compression: gzip
                timeout: 2000
                headers: [{ name: authorization, value: Bearer hunter2 }]
    logs:
      level: warn
      processors: [{ batch: { exporter: { otlp: { protocol: http/json, endpoint: backend/own/path, insecure: true, headers: { x-key: hunter2 } } } } }]
";

#[test]
fn the_collectors_shape_is_understood() {
    let config = load(ALL).unwrap();
    let own = &config.telemetry;
    assert_eq!(config.metrics.as_deref(), Some("0.0.0.0:9999"));
    assert!(own.page.suffix && !own.page.units && !own.page.scope);
    assert_eq!(own.resource["service.name"].as_deref(), Some("edge"));
    assert_eq!(own.resource["service.instance.id"], None);
    let [metrics] = own.metrics.as_slice() else { panic!("{own:?}") };
    assert_eq!((metrics.every.as_secs(), metrics.timeout.as_secs(), metrics.target.delta), (30, 5, true));
    assert_eq!((metrics.target.protocol, metrics.target.is_tls()), (OtlpProtocol::Grpc, true));
    let [traces] = own.traces.as_slice() else { panic!("{own:?}") };
    assert_eq!((own.ratio, traces.every.as_secs(), traces.queue, traces.batch), (0.25, 1, 100, 100));
    assert_eq!((traces.target.gzip, traces.target.timeout.as_secs()), (true, 2));
    assert_eq!(traces.target.headers, [("authorization".to_owned(), "Bearer hunter2".to_owned())]);
    assert_eq!(traces.target.url_for("/v1/traces"), "http://backend:14318/v1/traces");
    assert_eq!(traces.target.setting, "service.telemetry.traces.processors.0.batch.exporter.otlp.endpoint");
    let [logs] = own.logs.as_slice() else { panic!("{own:?}") };
    assert_eq!(logs.target.url_for("/v1/logs"), "http://backend/own/path");
    assert_eq!(logs.target.headers, [("x-key".to_owned(), "hunter2".to_owned())]);
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn headers_are_never_shown() {
    let text = print(&inputs(ALL), &Distribution::default()).unwrap();
    assert!(!text.contains("hunter2"), "{text}");
    for kept in ["name: authorization", "http://backend:14318", "ratio: 0.25"] {
        assert!(text.contains(kept), "{kept} in {text}");
    }
    let wrong = [
        "headers: [{ name: a, value: [hunter2] }]",
        "headers: [{ name: \"a b\", value: hunter2 }]",
        "headers: { \"a b\": hunter2 }",
        "headers: [{ name: a, vlaue: hunter2 }]",
        "headers: \"${env:SECRET}\"",
        "headers:\n    - name: a\n      value: [hunter2]",
        "headers:\n    - { name: \"a b\", value: hunter2 }",
        "endpoint: \"${env:SECRET}\"",
        "certificate: \"/nowhere/${env:SECRET}\"",
        "timeout: \"${env:SECRET}\"",
    ];
    for settings in wrong {
        let otlp = if settings.starts_with("endpoint") { "" } else { "  endpoint: http://backend:14318\n" };
        let below = settings.replace("\n", "\n              ");
        let yaml = format!(
            "service:\n  telemetry:\n    logs:\n      processors:\n      - batch:\n          exporter:\n            otlp:\n            {otlp}              {below}\n"
        );
        let text = load(&yaml).expect_err(&yaml).to_string();
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn without_anything_said_nothing_leaves() {
    let config = load("").unwrap();
    assert_eq!(config.telemetry.targets().count(), 0);
    let off = load("service: { telemetry: { metrics: { level: none } } }").unwrap();
    assert_eq!(off.metrics, None);
}

#[test]
fn what_is_wrong_is_said() {
    let check = |section: &str, expected: &str| {
        let text = load(&format!("service: {{ telemetry: {{ {section} }} }}")).expect_err(section).to_string();
        assert!(text.contains(expected), "{section}\n{text}");
    };
    let logs = |otlp: &str| format!("logs: {{ processors: [{{ batch: {{ exporter: {{ {otlp} }} }} }}] }}");
    check(&logs(""), "the exporter is `otlp`");
    check(&logs("otlp: { protocol: http/protobuf }"), "name an `endpoint`");
    check(&logs("otlp: { endpoint: \"backend:14318\" }"), "an endpoint has its scheme and host");
    check(&logs("otlp: { endpoint: \"ftp://backend\" }"), "an endpoint has its scheme and host");
    check(
        &logs("otlp: { protocol: udp, endpoint: \"http://backend:14318\" }"),
        "known here: grpc, http/protobuf, http/json",
    );
    check(&logs("otlp: { endpoint: \"http://backend:14318\", client_key: /nowhere }"), "both `client_certificate`");
    check(&logs("otlp: { endpoint: \"http://backend:14318\", certificate: /nowhere }"), "reading /nowhere");
    check(&logs("otpl: {}"), "did you mean `otlp`?");
    check("logs: { processors: [{ simple: {} }] }", "known here: batch");
    check("traces: { processors: [{}] }", "a processor is a `batch`");
    check("metrics: { readers: [{}] }", "a reader is one of `pull` and `periodic`");
    check("traces: { sampler: { ratio: 1.5 } }", "between 0 and 1");
    check("traces: { sampler: {} }", "say one of `ratio`");
    check("traces: { sampler: { ratio: 1, always_on: {} } }", "say one of `ratio`");
    check("traces: { sampler: { parent_based: { root: {} } } }", "between 0 and 1");
    check(
        "metrics: { readers: [{ pull: { exporter: { prometheus: { host: \"a:b\" } } } }] }",
        "an endpoint is host:port",
    );
}

#[test]
fn nothing_is_sent_to_ourselves() {
    let check = |endpoint: &str, listens: &str, protocol: &str| {
        let yaml = format!(
            "receivers: {{ otlp: {{ allow_unauthenticated: true, protocols: {{ http: {{ endpoint: \"{listens}\" }} }} }} }}\n\
             service:\n  telemetry:\n    traces:\n      processors:\n        - batch:\n            exporter:\n              \
             otlp: {{ protocol: {protocol}, endpoint: \"{endpoint}\" }}\n"
        );
        load(&yaml).map(drop).map_err(|e| e.to_string())
    };
    for (endpoint, listens) in [
        ("http://127.0.0.1:5318", "127.0.0.1:5318"),
        ("http://localhost:5318", "127.0.0.1:5318"),
        ("http://127.0.0.1:5318", "0.0.0.0:5318"),
        ("http://[::1]:5318", ":5318"),
    ] {
        for protocol in ["grpc", "http/protobuf", "http/json"] {
            let text = check(endpoint, listens, protocol).expect_err(endpoint);
            let both = "`service.telemetry.traces.processors.0.batch.exporter.otlp.endpoint` is our own \
                        receivers.otlp.protocols.http.endpoint";
            assert!(text.contains(both) && text.contains("yaml::8:"), "{text}");
        }
    }
    assert_eq!(check("http://127.0.0.1:5319", "127.0.0.1:5318", "grpc"), Ok(()));
    assert_eq!(check("http://192.0.2.7:5318", "127.0.0.1:5318", "grpc"), Ok(()));
}
