use super::*;

fn environment(name: &str) -> Option<String> {
    match name {
        "POD_IP" => Some("10.1.2.3".to_owned()),
        "PORT" => Some("5317".to_owned()),
        "TENANT" => Some("12".to_owned()),
        "TOKEN" => Some("a-secret-of-twenty-letters".to_owned()),
        "SECRET_LEVEL" => Some("hunter2".to_owned()),
        "SECRET_QUOTED" => Some("hunter2\"\n".to_owned()),
        "SECRET_PLACE" => Some("127.0.0.1:1/hunter2".to_owned()),
        "SECRET_PORT" => Some("hunter2.test:4318".to_owned()),
        "SHORT_TOKEN" => Some("hunter2".to_owned()),
        _ => None,
    }
}

fn inputs(yaml: &str) -> Inputs {
    Inputs { configs: vec![format!("yaml:{yaml}")], environment: Some(environment), ..Inputs::default() }
}

fn load(yaml: &str) -> Result<Config, Problems> {
    Config::load(&inputs(yaml), &Distribution::default())
}

/// A configuration and the exact text of everything that is wrong with it.
fn refused(yaml: &str, expected: &str) {
    let problems = load(yaml).expect_err(yaml);
    assert_eq!(problems.to_string().trim(), expected.trim(), "\n{yaml}");
}

#[test]
fn nothing_said_is_the_default() {
    let config = load("").unwrap();
    let addresses: Vec<&str> = config.listeners.iter().map(|l| l.address.as_str()).collect();
    assert_eq!(addresses, ["127.0.0.1:4317", "127.0.0.1:4318"]);
    assert_eq!(config.data, PathBuf::from("./marquetry-data"));
    assert_eq!(config.metrics.as_deref(), Some("127.0.0.1:8888"));
    assert_eq!(config.health, Some(("127.0.0.1:13133".to_owned(), "/".to_owned())));
    let chain: Vec<&str> = config.chain.iter().map(|(name, _)| *name).collect();
    assert_eq!(chain, ["filter", "enrich", "sql", "sample", "cost", "hash", "directory", "redact"]);
    assert_eq!(config.key, KeySource::Own);
}

#[test]
fn a_wrong_name_is_shown_with_its_line_and_the_right_one() {
    refused(
        "receivers:\n  otlp:\n    protocols:\n      grpc:\n        endpont: 127.0.0.1:4317\n",
        "
error: unknown key `endpont`; did you mean `endpoint`?
 --> yaml::5:9
  |
5 |         endpont: 127.0.0.1:4317
  |         ^^^^^^^
  = known here: endpoint, transport, tls, auth, max_recv_msg_size_mib, max_request_body_size, cors, include_metadata",
    );
    refused(
        "receivers:\n  oltp: {}\n",
        "
error: unknown receiver `oltp`; did you mean `otlp`?
 --> yaml::2:3
  |
2 |   oltp: {}
  |   ^^^^
  = in this build: otlp
",
    );
    refused(
        "exporter: {}\n",
        "
error: unknown key `exporter`; did you mean `exporters`?
 --> yaml::1:1
  |
1 | exporter: {}
  | ^^^^^^^^
  = known here: data, keys, schemas, journal, pipeline, receivers, processors, exporters, extensions, service
",
    );
    refused(
        "processors:\n  redcat: {}\n",
        "
error: unknown processor `redcat`; did you mean `redact`?
 --> yaml::2:3
  |
2 |   redcat: {}
  |   ^^^^^^
  = in this build: filter, enrich, sql, sample, cost, hash, directory, redact
",
    );
}

#[test]
fn every_mistake_is_found_at_once() {
    refused(
        "\
pipeline:
  workers: many
journal:
  max_bytes: 10 apples
  segmentbytes: 1
exporters:
  lake: { flush_interval: soon }
service:
  telemetry:
    logs: { level: inof }
",
        "
error: `workers`: invalid type: string \"many\", expected usize
 --> yaml::2:12
  |
2 |   workers: many
  |            ^^^^

error: `max_bytes`: invalid value: string \"10 apples\", expected a size such as 64MiB or 10GiB
 --> yaml::4:14
  |
4 |   max_bytes: 10 apples
  |              ^^^^^^^^^

error: unknown key `segmentbytes`; did you mean `segment_bytes`?
 --> yaml::5:3
  |
5 |   segmentbytes: 1
  |   ^^^^^^^^^^^^
  = known here: max_bytes, segment_bytes

error: `flush_interval`: invalid value: string \"soon\", expected a duration such as 500ms, 10s, 5m or 1h
 --> yaml::7:27
  |
7 |   lake: { flush_interval: soon }
  |                           ^^^^

error: unknown value `inof`; did you mean `info`?
 --> yaml::10:20
   |
10 |     logs: { level: inof }
   |                    ^^^^
   = known here: debug, info, warn, error
",
    );
}

#[test]
fn broken_yaml_says_where() {
    let problems = load("receivers:\n  otlp: [1\n").unwrap_err();
    let text = problems.to_string();
    assert!(text.contains(" --> yaml::"), "{text}");
    refused(
        "- a\n- b\n",
        "
error: a configuration is a map, such as `receivers:`
 --> yaml::1:1
  |
1 | - a
  | ^
",
    );
}

#[test]
fn beyond_loopback_needs_a_credential_or_consent() {
    refused(
        "receivers:\n  otlp:\n    protocols:\n      http:\n        endpoint: 0.0.0.0:4318\n",
        "
error: 0.0.0.0:4318 can be reached from other machines, and anybody there could send
 --> yaml::5:19
  |
5 |         endpoint: 0.0.0.0:4318
  |                   ^^^^^^^^^^^^
  = set `auth: {authenticator: bearertokenauth}` or `tls.client_ca_file`, listen on 127.0.0.1, or say `receivers.otlp.allow_unauthenticated: true`
",
    );
    let check = |endpoint: &str, more: &str, open: Option<bool>| {
        let yaml = format!(
            "extensions: {{ bearertokenauth: {{ token: \"${{env:TOKEN}}\" }} }}\n\
             receivers: {{ otlp: {{ {more} protocols: {{ http: {{ endpoint: \"{endpoint}\"{} }} }} }} }}",
            if more == "auth" { ", auth: { authenticator: bearertokenauth }" } else { "" }
        )
        .replace("{ auth ", "{ ");
        let opened = load(&yaml).ok().map(|c| c.listeners[0].open);
        assert_eq!(opened, open, "{yaml}");
    };
    check("127.0.0.1:4318", "", Some(false));
    check("localhost:4318", "", Some(false));
    check("[::1]:4318", "", Some(false));
    check(":4318", "", None);
    check("[::]:4318", "", None);
    check("example.test:4318", "", None);
    check("${env:POD_IP}:4318", "", None);
    check("${env:POD_IP}:4318", "allow_unauthenticated: true,", Some(true));
    check("0.0.0.0:4318", "auth", Some(false));
}

#[test]
fn the_environment_is_expanded_and_never_shown() {
    let config = load(
        "receivers:\n  otlp:\n    tenant: ${env:TENANT}\n    protocols:\n      grpc:\n        endpoint: 127.0.0.1:${env:PORT}\n\
         data: a$$b/${env:NOWHERE:-there}\n",
    )
    .unwrap();
    assert_eq!(config.listeners[0].address, "127.0.0.1:5317");
    assert_eq!(&*config.listeners[0].tenant, "12", "a number stays text where text is wanted");
    assert_eq!(config.data, PathBuf::from("a$b/there"));
    refused(
        "data: ${env:NOWHERE}/x\n",
        "
error: environment variable NOWHERE is not set; set it or write `${env:NOWHERE:-default}`
 --> yaml::1:7
  |
1 | data: ${env:NOWHERE}/x
  |       ^^^^^^^^^^^^^^^^

error: `data` is the name of a folder
 --> yaml::1:7
  |
1 | data: ${env:NOWHERE}/x
  |       ^
",
    );
}

#[test]
fn no_error_shows_what_the_environment_gave() {
    let check = |yaml: &str, expected: &str| {
        let text = load(yaml).expect_err(yaml).to_string();
        assert!(!text.contains("hunter2"), "{text}");
        assert!(text.contains(expected), "{yaml}\n{text}");
    };
    let http = |more: &str| format!("receivers: {{ otlp: {{ protocols: {{ http: {{ {more} }} }} }} }}");
    check("service: { telemetry: { logs: { level: \"${env:SECRET_LEVEL}\" } } }", "unknown value `[redacted]`");
    check("journal: { max_bytes: \"${env:SECRET_QUOTED}\" }", "string \"[redacted]\", expected a size");
    check(&http("endpoint: \"${env:SECRET_PLACE}\""), "an endpoint is host:port");
    check(&http("endpoint: \"${env:SECRET_PORT}\""), "[redacted] can be reached from other machines");
    check(
        "receivers: { otlp: { allow_unauthenticated: true, protocols: { grpc: { endpoint: \"${env:SECRET_PORT}\" }, \
         http: { endpoint: \"${env:SECRET_PORT}\" } } } }",
        "this is already the endpoint of receivers.otlp.protocols.grpc",
    );
    check(&http("cors: { allowed_origins: [\"${env:SECRET_PORT}\"] }"), "an origin needs its scheme");
    check(&http("auth: { authenticator: \"${env:SECRET_LEVEL}\" }"), "`[redacted]` is not an authenticator");
    check(
        &http("tls: { cert_file: \"${env:SECRET_PLACE}\", key_file: \"${env:SECRET_PLACE}\" }"),
        "reading certificates [redacted]",
    );
    check("service: { telemetry: { metrics: { address: \"${env:SECRET_PLACE}\" } } }", "an endpoint is host:port");
    check("extensions: { health_check: { endpoint: \"${env:SECRET_PLACE}\" } }", "an endpoint is host:port");
    check("service: { extensions: [\"${env:SECRET_LEVEL}\"] }", "`[redacted]` is not configured");
    check("schemas: { overlay: \"/nowhere/${env:SECRET_LEVEL}\" }", "[redacted]");
    check("exporters: { lake: { url: \"ftp://${env:SECRET_LEVEL}\" } }\nkeys: { root_key_env: ROOT }", "scheme is not");
    check("processors: { enrich: { memory: \"${env:SECRET_LEVEL}\" } }", "[redacted]");
    check(
        &format!(
            "extensions: {{ bearertokenauth: {{ filename: \"/${{env:SECRET_LEVEL}}\" }} }}\n{}",
            http("auth: { authenticator: bearertokenauth }")
        ),
        "reading token file [redacted]",
    );
}

#[test]
fn a_token_that_is_missing_is_one_mistake_and_none_for_who_asks() {
    for (token, expected) in [("NOWHERE", "environment variable NOWHERE"), ("SHORT_TOKEN", "fewer than 16 characters")]
    {
        let yaml = format!(
            "extensions: {{ bearertokenauth: {{ tokens: [{{ env: {token} }}] }} }}\n\
             receivers: {{ otlp: {{ protocols: {{ http: {{ endpoint: 0.0.0.0:4318, auth: {{ authenticator: bearertokenauth }} }} }} }} }}\n\
             data: /somewhere"
        );
        let problems = load(&yaml).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems}");
        assert!(problems.to_string().contains(expected), "{problems}");
        let config = Config::for_questions(&inputs(&yaml), &Distribution::default()).unwrap();
        assert_eq!(config.lake.location, "/somewhere/lake");
    }
    let ask = |yaml: &str| Config::for_questions(&inputs(yaml), &Distribution::default());
    assert!(ask("extensions: { bearertokenauth: { token: \"${env:NOWHERE}\" } }").is_ok());
    for wrong in
        ["data: ${env:NOWHERE}", "schemas: { overlay: /nowhere }", "exporter: {}", "exporters: { lake: { pth: x } }"]
    {
        assert!(ask(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn layers_merge_maps_and_replace_lists() {
    let mut inputs = inputs(
        "receivers: { otlp: { protocols: { http: { cors: { allowed_origins: [\"https://a.test\", \"https://b.test\"] } } } } }",
    );
    inputs.configs.push(
        "yaml:receivers: { otlp: { protocols: { http: { cors: { allowed_origins: [\"https://c.test\"] } } } } }"
            .to_owned(),
    );
    inputs.sets.push("receivers.otlp.protocols.http.endpoint=127.0.0.1:9999".to_owned());
    inputs.sets.push("exporters.lake.flush_interval=3s".to_owned());
    inputs.data = Some(PathBuf::from("/somewhere/$else"));
    let config = Config::load(&inputs, &Distribution::default()).unwrap();
    assert_eq!(config.listeners.len(), 1, "a receiver section of one's own replaces the default one");
    assert_eq!(config.listeners[0].address, "127.0.0.1:9999");
    assert_eq!(config.listeners[0].cors.origins, ["https://c.test"]);
    assert_eq!(config.lake.flush_interval, Some(std::time::Duration::from_secs(3)));
    assert_eq!(config.data, PathBuf::from("/somewhere/$else"));
    assert_eq!(config.lake.location, "/somewhere/$else/lake");
}

#[test]
fn a_collectors_config_runs_and_its_built_in_parts_are_named() {
    let config = load(
        "\
receivers:
  otlp:
    protocols:
      grpc:
      http:
processors:
  batch: { timeout: 1s }
  memory_limiter: { check_interval: 5s, limit_percentage: 80 }
exporters:
  debug: {}
extensions:
  health_check: { endpoint: \"${env:POD_IP}:13133\" }
service:
  extensions: [health_check]
  telemetry:
    metrics:
      readers: [{ pull: { exporter: { prometheus: { host: \"${env:POD_IP}\", port: 8888 } } } }]
  pipelines:
    traces: { receivers: [otlp], processors: [memory_limiter, batch], exporters: [debug] }
    logs: { receivers: [otlp], processors: [memory_limiter, batch], exporters: [debug] }
    metrics: { receivers: [otlp], processors: [memory_limiter, batch], exporters: [debug] }
",
    )
    .unwrap();
    assert_eq!(config.listeners.len(), 2);
    assert_eq!(config.chain.len(), 8, "a config that knows nothing of our processors gets the default chain");
    assert_eq!(config.metrics.as_deref(), Some("10.1.2.3:8888"));
    assert!(config.debug);
    assert_eq!(
        config.notes,
        [
            "batch is built in (every worker takes all requests that wait); its settings are not needed",
            "memory_limiter is built in (requests are admitted by bytes); its settings are not needed",
        ]
    );
}

#[test]
fn nothing_is_encrypted_without_who_keeps_the_keys() {
    let redact = "processors: { redact: { actions: { email: encrypt } } }";
    let without = "service: { pipelines: { logs: { receivers: [otlp], exporters: [lake] } } }";
    let with = "service: { pipelines: { logs: { receivers: [otlp], exporters: [lake, directory] } } }";
    assert!(load(redact).is_ok() && load(&format!("{redact}\n{with}")).is_ok());
    let problems = load(&format!("{redact}\n{without}")).unwrap_err().to_string();
    let said = "processors.redact.actions.email: `encrypt` needs the exporter `directory`, which keeps the keys";
    assert!(problems.contains(said), "{problems}");
}

#[test]
fn pipelines_choose_the_chain_but_never_lose_the_seal() {
    let check = |list: &str, expected: Result<&[&str], &str>| {
        let yaml = format!(
            "service: {{ pipelines: {{ traces: {{ receivers: [otlp], processors: {list}, exporters: [lake] }} }} }}"
        );
        match (load(&yaml), expected) {
            (Ok(config), Ok(expected)) => {
                let chain: Vec<&str> = config.chain.iter().map(|(name, _)| *name).collect();
                assert_eq!(chain, expected, "{list}");
            }
            (Err(problems), Err(expected)) => {
                let text = problems.to_string();
                assert!(text.contains(expected), "{list}: {text}");
            }
            (got, _) => panic!("{list}: {got:?}"),
        }
    };
    check("[]", Ok(&["hash", "directory", "redact"]));
    check("[enrich]", Ok(&["enrich", "hash", "directory", "redact"]));
    check("[filter, cost, redact]", Ok(&["filter", "cost", "hash", "directory", "redact"]));
    check(
        "[cost, filter]",
        Err("processors run in the order filter, enrich, sql, sample, cost, hash, directory, redact"),
    );
    check("[enrihc]", Err("`enrihc` is not configured under `processors`; did you mean `enrich`?"));
}

#[test]
fn an_object_store_demands_a_key_and_the_key_stays_out_of_the_lake() {
    let check = |yaml: &str, expected: Option<&str>| match (load(yaml), expected) {
        (Ok(_), None) => {}
        (Err(problems), Some(expected)) => assert!(problems.to_string().contains(expected), "{yaml}: {problems}"),
        (got, _) => panic!("{yaml}: {got:?}"),
    };
    check("exporters: { lake: { url: \"s3://bucket/prefix\" } }", Some("needs a root key that outlives this machine"));
    check("exporters: { lake: { url: \"s3://bucket/prefix\" } }\nkeys: { root_key_env: ROOT }", None);
    check(
        "exporters: { lake: { url: \"ftp://bucket\" } }\nkeys: { root_key_env: ROOT }",
        Some("the scheme is not known"),
    );
    check(
        "exporters: { lake: { path: /lake, url: \"s3://b\" } }\nkeys: { root_key_env: R }",
        Some("either `path` or `url`"),
    );
    check("exporters: { lake: { path: /lake } }\nkeys: { root_key_file: /lake/root.key }", Some("inside the lake"));
}

#[test]
fn a_printed_config_shows_no_secret_and_reads_back() {
    let yaml = "\
extensions:
  bearertokenauth:
    token: ${env:TOKEN}
    tokens:
      - another-secret-of-ours
      - { token: yet-another-secret, tenant: acme }
      - { env: OTHER, tenant: umbrella }
exporters:
  lake: { url: \"s3://user:hunter2@host/bucket\" }
";
    let text = print(&inputs(yaml), &Distribution::default()).unwrap();
    for secret in ["a-secret-of", "another-secret", "hunter2"] {
        assert!(!text.contains(secret), "{text}");
    }
    for kept in ["tenant: acme", "env: OTHER", "127.0.0.1:4317"] {
        assert!(text.contains(kept), "{kept} in {text}");
    }
    let again = print(&inputs(&text), &Distribution::default()).unwrap();
    assert_eq!(text, again);
}

#[test]
fn tokens_are_checked() {
    let check = |tokens: &str, expected: &str| {
        let yaml = format!(
            "extensions: {{ bearertokenauth: {{ {tokens} }} }}\n\
             receivers: {{ otlp: {{ protocols: {{ http: {{ auth: {{ authenticator: bearertokenauth }} }} }} }} }}"
        );
        let problems = load(&yaml).unwrap_err().to_string();
        assert!(problems.contains(expected), "{tokens}: {problems}");
        assert!(!problems.contains("short-secret"), "{problems}");
    };
    check("", "bearertokenauth has no token");
    check("token: short-secret", "fewer than 16 characters");
    check("tokens: [{ env: NOWHERE }]", "environment variable NOWHERE");
    check("tokens: [{ env: TOKEN, file: x }]", "exactly one of");
    check("filename: /nowhere/at/all", "reading token file");
    check("tokens: [{ evn: TOKEN }]", "did you mean `env`?");
}

#[test]
fn units_read_as_people_write_them() {
    let periods =
        [("500ms", 500), ("10s", 10_000), ("1m30s", 90_000), ("1h", 3_600_000), ("2d", 172_800_000), ("7", 7_000)];
    for (text, ms) in periods {
        assert_eq!(Period::parse(text).map(|p| p.0.as_millis()), Some(ms), "{text}");
    }
    for text in ["", "s", "1 week", "-1s", "1x"] {
        assert_eq!(Period::parse(text), None, "{text}");
    }
    for (text, bytes) in [("64MiB", 64 << 20), ("1.5 GiB", 3 << 29), ("10kB", 10_000), ("7", 7)] {
        assert_eq!(Size::parse(text).map(|s| s.0), Some(bytes), "{text}");
    }
    assert_eq!(Size::parse("-1MiB"), None);
    assert_eq!(human(64 << 20), "64 MiB");
}

#[test]
fn the_example_in_the_readme_is_understood() {
    let readme = include_str!("../../README.md");
    let yaml = readme.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let problems = load(yaml).expect_err("its files are not there").to_string();
    let unknown: Vec<&str> = problems.lines().filter(|l| l.contains("unknown") || l.contains("expected")).collect();
    assert!(unknown.is_empty(), "{problems}");
    for part in ["reading certificates server.pem", "environment variable ACME_TOKEN", "schema file ./schemas"] {
        assert!(problems.contains(part), "{part} in {problems}");
    }
}

#[test]
fn a_share_of_traces_is_one() {
    for (thin, wrong) in [
        ("{ rate: 0.1, slow: 5s, cost_usd: 0.05 }", None),
        ("{}", None),
        ("{ rate: 1.5 }", Some("a rate is a share from 0 to 1")),
        ("{ rate: 0.5, cost_usd: -1 }", Some("not negative")),
        ("{ ratio: 0.5 }", Some("ratio")),
    ] {
        let config = load(&format!("exporters: {{ lake: {{ thin: {thin} }} }}"));
        match (wrong, config) {
            (None, Ok(config)) => assert_eq!(config.lake.thin.is_some(), thin.contains("rate"), "{thin}"),
            (Some(what), Err(problems)) => assert!(problems.to_string().contains(what), "{thin}: {problems}"),
            (_, config) => panic!("{thin}: {:?}", config.err().map(|e| e.to_string())),
        }
    }
}
