//! `marquetry doctor`: every fault that was planted is found, by counts and names alone; where all is well it is silent.

use std::collections::BTreeSet;
use std::fs::Permissions;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::{Value, json};
use tests::otlp::{self, tag};
use tests::process::wait_for;
use tests::{Marquetry, Setup, places, python};

use self::planted::{chat, event, http_call, log, request, span, spans};
use crate::captures::{self, Encoding};

mod planted;

/// Stands in every value that the doctor must not show.
const PLANTED: &str = "ada.planted@mail.example";

/// What the doctor said.
struct Report {
    code: i32,
    text: String,
    findings: Vec<Value>,
}

impl Report {
    fn of(command: &mut Command) -> Self {
        let output = command.args(["doctor", "--format", "json"]).output().expect("the doctor runs");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!text.contains("planted") && !errors.contains("planted"), "a value is shown:\n{text}\n{errors}");
        let findings = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}\n{errors}"));
        Self { code: output.status.code().expect("an exit code"), text, findings }
    }

    fn running(marquetry: &Marquetry, settings: &[&str]) -> Self {
        Self::of(
            bare(&marquetry.setup).args(marquetry.ports.settings()).args(settings.iter().flat_map(|s| ["--set", s])),
        )
    }

    fn rule(&self, rule: &str) -> Vec<&Value> {
        self.findings.iter().filter(|f| f["rule"] == rule).collect()
    }

    fn titles(&self, rule: &str) -> Vec<&str> {
        self.rule(rule).into_iter().map(|f| f["title"].as_str().expect("a title")).collect()
    }

    fn only(&self, rule: &str) -> &Value {
        let found = self.rule(rule);
        let [finding] = found.as_slice() else { panic!("{} findings of {rule}: {}", found.len(), self.text) };
        finding
    }

    fn snippet(&self, rule: &str) -> &str {
        self.only(rule)["mend"]["snippet"].as_str().unwrap_or_else(|| panic!("{rule} mends nothing: {}", self.text))
    }

    fn of_severity(&self, severity: &str) -> Vec<&str> {
        let found = self.findings.iter().filter(|f| f["severity"] == severity);
        found.map(|f| f["rule"].as_str().expect("a rule")).collect()
    }
}

/// The binary on a data folder, without a subcommand: those options stand before it as well.
fn bare(setup: &Setup) -> Command {
    let mut command = Command::new(&setup.binary);
    command.arg("--data").arg(&setup.data).envs(setup.environment.clone());
    command.args(["--set", &format!("exporters.lake.flush_interval={}", setup.flush)]);
    command.args(setup.configs.iter().flat_map(|config| ["--config", config]));
    command.args(setup.settings.iter().flat_map(|setting| ["--set", setting]));
    command
}

/// A finding in the words of `EXPECTED`, without its rule and its snippet.
fn told(finding: &Value) -> String {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let (severity, title, language) = (&finding["severity"], &finding["title"], &finding["mend"]["language"]);
    format!("{} | {} | {} | {}", text(severity), text(title), finding["services"], text(language))
}

#[test]
fn a_healthy_system_has_no_problem() {
    let folder = tempfile::tempdir().expect("a folder");
    let marquetry = Setup::new(&folder.path().join("data")).start();
    let flask = "opentelemetry.instrumentation.flask";
    let below = Span { parent_span_id: 2_u64.to_be_bytes().to_vec(), ..http_call(1, 3, "api.openai.com") };
    let list = vec![request(1, 1, "/api/chat"), chat(1, 2, "gpt-5.1", vec![]), below];
    marquetry.accept("/v1/traces", &spans("shop", "python", flask, list));
    marquetry.accept("/v1/traces", &spans("web", "webjs", "fetch", vec![request(2, 4, "/page")]));
    log(&marquetry, "shop", LogRecord { attributes: vec![tag("user.id", "u-1")], ..event("auth.login") });
    log(&marquetry, "shop", LogRecord { attributes: vec![tag("user.id", "u-1")], ..event("app.feature.use") });
    let report = Report::running(&marquetry, &["journal.max_bytes=1MiB"]);
    assert_eq!(report.of_severity("problem"), [""; 0], "{}", report.text);
    assert_eq!(report.code, 0);
    // On a busy machine one of the two records may be late.
    let hints: Vec<&str> = report.of_severity("hint").into_iter().filter(|rule| *rule != "test_record").collect();
    assert_eq!(hints, [""; 0], "{}", report.text);
    let ports = report.only("ports");
    assert_eq!(ports["title"], "all 4 ports are held by the collector that runs");
    let records = report.rule("test_record");
    assert_eq!(records.len(), 2, "over HTTP and gRPC: {}", report.text);
    let milliseconds = |r: &&Value| r["services"][0]["milliseconds"].as_str().and_then(|ms| ms.parse::<u64>().ok());
    let took: Vec<u64> = records.iter().filter_map(milliseconds).collect();
    assert!(took.len() == 2 && took.iter().min() < Some(&1000), "{took:?}");
    for rule in ["configuration", "data_folder", "disk", "journal", "clock", "root_key", "own_metrics", "data"] {
        assert_eq!(report.only(rule)["severity"], "ok", "{}", report.text);
    }
    // Its own records are there to be seen, and in no count.
    assert_eq!(marquetry.setup.count("SELECT count(*) AS n FROM logs WHERE service_name = 'marquetry-doctor'"), 2);
    assert_eq!(report.only("data")["title"], "5 rows arrived in the last day");
    let text = bare(&marquetry.setup).args(marquetry.ports.settings()).arg("doctor").output().expect("the doctor runs");
    let text = String::from_utf8_lossy(&text.stdout);
    assert!(text.starts_with("Right\n") || text.starts_with("Hints\n"), "{text}");
    assert!(text.trim_end().lines().last().expect("a line").starts_with("0 problems, "), "{text}");
}

/// What must be found: a line for each finding, ` | ` between rule, severity, title, services, language of what mends it
/// and a part of that.
const EXPECTED: &str = include_str!("doctor/expected.txt");

#[test]
fn every_fault_of_what_arrived_is_found() {
    let (_folder, marquetry) = planted::faulty();
    let report = Report::running(&marquetry, &[]);
    assert_eq!(report.code, 1, "{}", report.text);
    let lines: Vec<Vec<&str>> = EXPECTED.lines().map(|line| line.split(" | ").collect()).collect();
    let rules: BTreeSet<&str> = lines.iter().map(|line| line[0]).collect();
    for rule in rules {
        let wanted: Vec<&Vec<&str>> = lines.iter().filter(|line| line[0] == rule).collect();
        let told: Vec<String> = report.rule(rule).into_iter().map(told).collect();
        assert_eq!(told, wanted.iter().map(|line| line[1..5].join(" | ")).collect::<Vec<_>>(), "{rule}");
        for (finding, line) in report.rule(rule).into_iter().zip(wanted) {
            let snippet = finding["mend"]["snippet"].as_str().expect("a snippet");
            assert!(snippet.contains(line[5]), "{} is missing in: {snippet}", line[5]);
        }
    }
    let places: Vec<&str> = report.titles("personal_data");
    assert!(places.iter().any(|t| t.contains("logs.body") && t.contains("email")), "{places:?}");
    assert!(places.contains(&"attribute app.note of logs: 1 record held email"), "{places:?}");
    assert_eq!(report.only("old_http_names")["severity"], "ok");
    let silent = report.rule("no_logs");
    assert!(silent.iter().any(|f| f["mend"]["language"] == "nodejs"), "{}", report.text);
    let empty: Vec<&str> =
        report.titles("table_empty").into_iter().filter_map(|title| title.split(' ').next()).collect();
    assert_eq!(empty, ["audit_log", "auth_events", "key_events", "rate_limits"]);
}

#[test]
fn old_names_are_seen_in_what_a_real_sdk_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let marquetry = Setup::new(&folder.path().join("data")).start();
    captures::replay(&marquetry, "flask_old_names.jsonl", Encoding::Protobuf);
    let report = Report::running(&marquetry, &[]);
    let old = report.only("old_http_names");
    assert_eq!(old["severity"], "info");
    assert_eq!(old["mend"]["snippet"], "export OTEL_SEMCONV_STABILITY_OPT_IN=http");
    let scopes: Vec<&str> =
        old["services"].as_array().expect("services").iter().filter_map(|s| s["scope"].as_str()).collect();
    assert_eq!(scopes, ["flask", "httpx", "requests"].map(|name| format!("opentelemetry.instrumentation.{name}")));
}

#[test]
fn what_it_says_to_do_mends() {
    let folder = tempfile::tempdir().expect("a folder");
    let marquetry = Setup::new(&folder.path().join("data")).start();
    let send = |marquetry: &Marquetry, first: u64| {
        let calls = (first..first + 4).map(|id| chat(id, id, "gpt-of-others", vec![])).collect();
        marquetry.accept("/v1/traces", &spans("shop", "python", "genai", calls));
        let pings = (first + 10..first + 20).map(|id| request(id, id, "/ping")).collect();
        marquetry.accept("/v1/traces", &spans("shop", "python", "flask", pings));
        log(marquetry, "shop", event("ai_usage_report"));
        marquetry
            .accept("/v1/traces", &spans("shop", "python", "strange", vec![span(first + 30, first + 30, 2, vec![])]));
    };
    send(&marquetry, 1);
    let report = Report::running(&marquetry, &[]);
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, text).expect("writing");
        path.display().to_string()
    };
    let price = write("price.yaml", report.snippet("model_without_price"));
    let filter = write("filter.yaml", report.snippet("noise"));
    write("schemas/provider_calls.yaml", report.snippet("read_not_written"));
    let schemas =
        write("schemas.yaml", &format!("schemas: {{ overlay: {} }}\n", folder.path().join("schemas").display()));
    marquetry.stop();
    // The same traffic again, on a collector that was told what the doctor said.
    let mut setup = Setup::new(&folder.path().join("mended"));
    let configs = [price, filter, schemas];
    let validated =
        Command::new(&setup.binary).arg("validate").args(configs.iter().flat_map(|c| ["--config", c])).output();
    assert!(validated.expect("it runs").status.success(), "the snippets are valid");
    setup.configs = configs.to_vec();
    let marquetry = setup.start();
    send(&marquetry, 1);
    let report = Report::running(&marquetry, &[]);
    for rule in ["model_without_price", "noise", "read_not_written"] {
        assert_eq!(report.only(rule)["severity"], "ok", "{}", report.text);
    }
    assert_eq!(setup.count("SELECT count(*) AS n FROM requests"), 0, "the pings are dropped");
    let empty = report.rule("table_empty");
    let requests = empty.iter().find(|f| f["title"].as_str().is_some_and(|title| title.starts_with("requests ")));
    let requests = requests.expect("requests is empty");
    assert_eq!(requests["severity"], "problem", "a server's span that is no request");
    let title = requests["title"].as_str().expect("a title");
    assert!(title.contains("none of 1 span has http.request.method, "), "{title}");
}

#[test]
fn nothing_runs_and_nothing_arrived() {
    let folder = tempfile::tempdir().expect("a folder");
    let setup = Setup::new(&folder.path().join("data"));
    let ports = Setup::new(&folder.path().join("other")).start();
    let free = ports.ports.settings();
    ports.stop();
    let report = Report::of(bare(&setup).args(&free));
    assert_eq!((report.code, report.of_severity("problem")), (0, vec![]), "{}", report.text);
    assert!(report.snippet("data").starts_with("curl -sS http://127.0.0.1:"), "{}", report.text);
    assert_eq!(
        (report.only("test_record")["severity"].as_str(), report.snippet("test_record")),
        (Some("info"), "marquetry")
    );
    assert_eq!(report.only("ports")["title"], "all 4 ports are free");
    assert!(!setup.data.exists(), "the doctor makes no data folder");
    // The line that it prints is a first record.
    let marquetry = setup.start();
    let report = Report::running(&marquetry, &[]);
    let sent = Command::new("sh").arg("-c").arg(report.snippet("data")).output().expect("a shell");
    assert!(sent.status.success() && sent.stdout.starts_with(b"{"), "{sent:?}");
    assert_eq!(Report::running(&marquetry, &[]).only("data")["title"], "1 row arrived in the last day");
}

#[test]
fn what_is_wrong_around_the_data_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let marquetry = Setup { flush: "100ms", ..Setup::new(&folder.path().join("data")) }.start();
    marquetry.accept("/v1/traces", &otlp::spans("shop", vec![otlp::served(1, "/api")]));
    wait_for("a commit", || marquetry.setup.data.join("lake/requests/_delta_log/00000000000000000001.json").exists());
    let settings = marquetry.ports.settings();
    // Looked at with other ports than it was started with.
    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = format!("extensions.health_check.endpoint={}", other.local_addr().expect("an address"));
    let report = Report::running(&marquetry, &[&taken]);
    let ports = report.only("ports");
    assert_eq!(ports["severity"], "problem");
    assert!(ports["title"].as_str().is_some_and(|t| t.ends_with("is held by another program")), "{ports}");
    assert_eq!(report.snippet("ports"), "marquetry --set extensions.health_check.endpoint=127.0.0.1:PORT");
    let setup = marquetry.stop();
    let key = setup.data.join("keys/root.key");
    let look = || Report::of(bare(&setup).args(&settings));
    assert_eq!(look().only("root_key")["title"], "the root key is private and fits the lake");
    std::fs::set_permissions(&key, Permissions::from_mode(0o644)).expect("a mode");
    assert!(look().snippet("root_key").starts_with("chmod 600 "));
    std::fs::set_permissions(&key, Permissions::from_mode(0o600)).expect("a mode");
    std::fs::write(&key, "another key, of more than thirty-two bytes").expect("writing");
    let report = look();
    assert_eq!(report.code, 1);
    assert_eq!(report.only("root_key")["title"], "the root key is not the one that the lake was written with");
    std::fs::remove_file(&key).expect("removing");
    assert!(look().only("root_key")["title"].as_str().is_some_and(|t| t.contains("is gone")));
    assert!(!key.exists(), "the doctor makes no key");
    std::fs::set_permissions(&setup.data, Permissions::from_mode(0o755)).expect("a mode");
    assert!(look().snippet("data_folder").starts_with("chmod 700 "));
    let full = Report::of(bare(&setup).args(&settings).args(["--set", "journal.max_bytes=1"]));
    assert_eq!(full.rule("journal")[0]["severity"], "problem", "{}", full.text);
    let wrong = Report::of(bare(&setup).args(["--set", "journal.max_byte=1"]));
    assert_eq!((wrong.code, &wrong.only("configuration")["severity"]), (1, &json!("problem")));
    assert!(wrong.only("configuration")["detail"].as_str().is_some_and(|d| d.contains("max_byte")), "{}", wrong.text);
    assert_eq!(wrong.only("data")["severity"], "ok", "what arrived is judged all the same");
}

#[test]
fn a_damaged_journal_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let marquetry = Setup { flush: "1h", ..Setup::new(&folder.path().join("data")) }.start();
    for id in 1..20 {
        marquetry.accept("/v1/traces", &otlp::spans("shop", vec![otlp::served(id, "/api")]));
    }
    let settings = marquetry.ports.settings();
    // Killed, so that nothing is flushed and the journal keeps its rows.
    let setup = marquetry.kill();
    let look = || Report::of(bare(&setup).args(&settings));
    assert_eq!(look().only("journal")["severity"], "ok");
    let entries = std::fs::read_dir(setup.data.join("journal")).expect("a journal");
    let segments = entries.map(|e| e.expect("an entry").path()).filter(|p| p.extension().is_some_and(|e| e == "seg"));
    let segment = segments.max_by_key(|p| p.metadata().expect("metadata").len()).expect("a segment");
    let mut bytes = std::fs::read(&segment).expect("reading");
    let middle = bytes.len() / 2;
    bytes[middle..middle + 64].iter_mut().for_each(|byte| *byte ^= 0xff);
    std::fs::write(&segment, bytes).expect("writing");
    let report = look();
    let journal = report.only("journal");
    assert_eq!(journal["severity"], "problem", "{}", report.text);
    assert!(journal["title"].as_str().is_some_and(|t| t.starts_with("the journal is damaged in ")), "{journal}");
    // A start drains the segment and keeps what it could not read.
    Setup { flush: "100ms", ..setup.clone() }.start().stop();
    let report = look();
    let title = "1 place of earlier segments could not be read and were put aside";
    assert_eq!(
        (&report.only("journal")["severity"], &report.only("journal")["title"]),
        (&json!("hint"), &json!(title))
    );
}

#[test]
fn over_tls_it_shows_the_first_token_to_the_configured_certificate_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let fixture = |name: &str| places::root().join("tests/fixtures").join(name).display().to_string();
    let token = format!("{PLANTED}-token-of-the-test");
    let guarded = |wire: &str| {
        let at = |key: &str| format!("receivers.otlp.protocols.{wire}.{key}");
        [
            format!("{}={}", at("tls.cert_file"), fixture("localhost.crt")),
            format!("{}={}", at("tls.key_file"), fixture("localhost.key")),
            format!("{}=bearertokenauth", at("auth.authenticator")),
        ]
    };
    let mut setup = Setup::new(&folder.path().join("data"));
    setup.environment.push(("DOCTOR_TOKEN".to_owned(), token));
    setup.settings.extend(guarded("http").into_iter().chain(guarded("grpc")));
    setup.settings.push("extensions.bearertokenauth.tokens=[{ env: DOCTOR_TOKEN, tenant: acme }]".to_owned());
    let marquetry = setup.start();
    let report = Report::running(&marquetry, &[]);
    let records: Vec<_> = report.rule("test_record").into_iter().map(|f| &f["severity"]).collect();
    assert!(records.len() == 2 && records.iter().all(|severity| **severity != "problem"), "{}", report.text);
    assert_eq!(report.only("ports")["severity"], "ok", "{}", report.text);
    let sql = "SELECT DISTINCT tenant FROM logs WHERE service_name = 'marquetry-doctor'";
    assert_eq!(setup.value(sql), "acme");
}

#[test]
fn python_that_mends_is_python() {
    let folder = places::root().join("collector/src/doctor/snippets");
    let mut checked = 0;
    for entry in std::fs::read_dir(folder).expect("snippets") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|e| e == "py") {
            let check = "import ast, sys; ast.parse(open(sys.argv[1]).read())";
            python::output(Command::new(places::tool("venv/bin/python")).args(["-c", check]).arg(&path));
            checked += 1;
        }
    }
    assert!(checked >= 4, "{checked} snippets");
}
