//! A Django app with its own sign-in: what two protocols and two generations of names tell is the same.

use tests::answers::{Asker, Case};
use tests::process::wait_for;
use tests::python::{self, Provider};
use tests::{Marquetry, Setup, places};

/// Runs the app with the instrumentation's names of `opt_in`.
fn run(marquetry: &Marquetry, folder: &std::path::Path, protocol: &str, opt_in: &str) {
    let port = if protocol == "grpc" { marquetry.ports.grpc } else { marquetry.ports.http };
    let provider = Provider::start();
    let mut app = python::instrumented("django_app/main.py");
    app.env("PYTHONPATH", places::root().join("tests/python/django_app"))
        .env("DJANGO_SETTINGS_MODULE", "settings")
        .env("DATABASE", folder.join("django.sqlite"))
        .env("PROVIDER", provider.url())
        .env("OTEL_SERVICE_NAME", "django")
        // Logs go first, however slow the machine: the sign-in's log names the user of its request.
        .env("OTEL_BSP_SCHEDULE_DELAY", "60000")
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://127.0.0.1:{port}"))
        .env("OTEL_EXPORTER_OTLP_INSECURE", "true")
        .env("OTEL_SEMCONV_STABILITY_OPT_IN", opt_in)
        .env("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_AND_EVENT");
    python::output(&mut app);
}

const CASES: &[Case] = &[
    // The health check is nobody's business; the routes begin with a slash, whatever Django says.
    Case {
        sql: "SELECT method, route, status_code, user_ref, session_ref, client_prefix, ua_family IS NOT NULL FROM requests \
              WHERE echo_of IS NULL AND route LIKE '/api/%' ORDER BY time",
        rows: &[
            "POST,/api/auth/login/,401,,,127.0.0.0/24,false",
            "POST,/api/auth/login/,200,u1,,127.0.0.0/24,false",
            "GET,/api/analysis/<int:number>/,200,u1,s1,127.0.0.0/24,false",
            "GET,/api/analysis/analyze/,200,u1,s1,127.0.0.0/24,false",
            "GET,/api/export/(?P<kind>[a-z]+)/,500,u1,s1,127.0.0.0/24,false",
        ],
    },
    Case { sql: "SELECT count(*) FROM requests WHERE route LIKE '%health%'", rows: &["0"] },
    // The home page and what is not there have no route of Django's.
    Case {
        sql: "SELECT status_code FROM requests WHERE route IS NULL OR route IN ('/', '/nowhere/') ORDER BY time",
        rows: &["200", "404"],
    },
    Case {
        sql: "SELECT action, user_ref, attempted_ref = (SELECT max(attempted_ref) FROM auth_events), success FROM auth_events \
              WHERE echo_of IS NULL ORDER BY time",
        rows: &["login_failed,,true,false", "login,u1,,true"],
    },
    Case {
        sql: "SELECT provider, operation, response_model, input_tokens, cache_read_tokens, output_tokens, cost_usd, user_ref, \
              session_ref FROM provider_calls WHERE echo_of IS NULL",
        rows: &["openai,chat,gpt-5.1,2006,1920,300,0.0033475,u1,s1"],
    },
    // The HTTP span below the call repeats it, and so does its event.
    Case {
        sql: "SELECT e.seen_as, e.endpoint, e.status_code FROM provider_calls AS e JOIN provider_calls AS c ON e.echo_of = c.record_id ORDER BY 1",
        rows: &["event,,", "http,api.openai.com/v1/chat/completions,200"],
    },
    // The exception is told by a log that knows no user, before the span that does: its request says who it was.
    Case {
        sql: "SELECT e.error_type, e.message, r.user_ref, r.route FROM errors AS e JOIN requests AS r ON r.trace_id = e.trace_id \
              WHERE e.echo_of IS NULL AND r.echo_of IS NULL",
        rows: &["LookupError,no export for [EMAIL] as csv,u1,/api/export/(?P<kind>[a-z]+)/"],
    },
    Case {
        sql: "SELECT CAST(endpoint AS text), status_code, \"user\" FROM api_access_log WHERE endpoint LIKE '/api/analysis/%' ORDER BY created_at",
        rows: &["/api/analysis/<int:number>/,200,u1", "/api/analysis/analyze/,200,u1"],
    },
];

fn check(protocol: &str, opt_in: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let marquetry = Setup::new(&folder.path().join("data")).start();
    run(&marquetry, folder.path(), protocol, opt_in);
    let setup = &marquetry.setup;
    wait_for("the last request", || setup.count("SELECT count(*) AS n FROM requests WHERE status_code = 404") == 1);
    Asker::new(setup).check(CASES);
    let stopped = marquetry.stop();
    Asker::new(&stopped).check(CASES);
    assert!(!stopped.log().contains("a@b.co"), "the planted address stands in the log");
}

#[test]
fn over_http_with_the_new_names() {
    check("http/protobuf", "http,gen_ai_latest_experimental");
}

#[test]
fn over_grpc_with_the_names_that_it_has_by_default() {
    check("grpc", "gen_ai_latest_experimental");
}
