//! An Express app: one request is forty spans, of which the lake keeps a request, a priced call and an error.

use tests::answers::{Asker, Case};
use tests::process::wait_for;
use tests::python::{self, Provider};
use tests::{Setup, node};

const CASES: &[Case] = &[
    // The user stands on a middleware's span and the session on the spans below it, if there are any; the request has both.
    Case {
        sql: "SELECT method, route, path, status_code, user_ref, user_source, session_ref FROM requests WHERE echo_of IS NULL ORDER BY time",
        rows: &[
            "GET,/api/chat/:id,/api/chat/c1,200,u1,trace,s1",
            "GET,/api/limited,/api/limited,500,u1,trace,s1",
            "GET,/api/boom,/api/boom,500,u1,trace,s1",
            "GET,/nowhere,/nowhere,404,u1,trace,",
        ],
    },
    Case {
        sql: "SELECT provider, operation, request_model, input_tokens, output_tokens, status, cost_status, cost_usd, user_ref, session_ref, \
              seen_as FROM provider_calls WHERE echo_of IS NULL ORDER BY time",
        rows: &[
            "openai,chat,gpt-5.1,2006,300,success,priced,0.0055075,u1,s1,genai",
            "openai,chat,gpt-of-others,,,error,no_usage,,u1,s1,genai",
        ],
    },
    // The HTTP span below each call repeats it.
    Case {
        sql: "SELECT e.endpoint, e.status_code, c.request_model FROM provider_calls AS e JOIN provider_calls AS c ON e.echo_of = c.record_id \
              WHERE e.seen_as = 'http' ORDER BY e.time",
        rows: &[
            "api.openai.com/v1/chat/completions,200,gpt-5.1",
            "api.openai.com/v1/chat/completions,429,gpt-of-others",
        ],
    },
    Case {
        sql: "SELECT message, user_ref, session_ref FROM errors WHERE echo_of IS NULL ORDER BY time",
        rows: &["429 rate limited,u1,s1", "kaboom user=[EMAIL],u1,s1"],
    },
    Case { sql: "SELECT count(*) FROM errors WHERE error_type = 'TypeError'", rows: &["3"] },
    Case {
        sql: "SELECT provider, model, calls, successes, errors, success_rate FROM ai_success_rate ORDER BY model",
        rows: &["openai,gpt-5.1,1.0,1.0,0.0,1.0", "openai,gpt-of-others,1.0,0.0,1.0,0.0"],
    },
    // Messages are nobody's business, and what a model was asked is no log line.
    Case { sql: "SELECT count(*) FROM logs WHERE body LIKE '%a@b.co%' OR body LIKE '%hello%'", rows: &["0"] },
];

fn check(protocol: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let marquetry = Setup::new(&folder.path().join("data")).start();
    let port = if protocol == "grpc" { marquetry.ports.grpc } else { marquetry.ports.http };
    let provider = Provider::start();
    let mut app = node::instrumented("express_app.js");
    app.env("PROVIDER", provider.url())
        .env("OTEL_SERVICE_NAME", "express")
        // One export at the end, however slow the machine: what the rows know of each other is the subject, not when.
        .env("OTEL_BSP_SCHEDULE_DELAY", "60000")
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://127.0.0.1:{port}"));
    python::output(&mut app);
    let setup = &marquetry.setup;
    wait_for("the last request", || setup.count("SELECT count(*) AS n FROM requests") >= 4);
    Asker::new(setup).check(CASES);
    let stopped = marquetry.stop();
    Asker::new(&stopped).check(CASES);
    assert!(!stopped.log().contains("a@b.co"), "the planted address stands in the log");
}

#[test]
fn as_json() {
    check("http/json");
}

#[test]
fn over_grpc() {
    check("grpc");
}

#[test]
fn as_protobuf() {
    check("http/protobuf");
}
