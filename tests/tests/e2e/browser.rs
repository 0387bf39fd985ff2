//! A page in Debian's Chromium: it sends OTLP/JSON from another origin, and its session is its backend's as well.

use tests::answers::{Asker, Case};
use tests::process::wait_for;
use tests::python;
use tests::{Setup, http, node, places};

const CASES: &[Case] = &[
    // The user and the session come from the page: the backend knows neither.
    Case {
        sql: "SELECT service_name, route, status_code, user_ref, user_source, session_ref, ua_family, device_class FROM requests \
              WHERE route LIKE '/api/%'",
        rows: &["shop,/api/orders/:id,200,u1,trace,s1,HeadlessChrome,desktop"],
    },
    Case {
        sql: "SELECT name, kind, user_ref, session_ref FROM spans WHERE service_name = 'page' AND name <> 'resourceFetch' ORDER BY name",
        rows: &[
            "GET,client,u1,s1",
            "click,internal,u1,s1",
            "documentFetch,internal,u1,s1",
            "documentLoad,internal,u1,s1",
        ],
    },
    Case {
        sql: "SELECT service_name, error_type, message, page_path, user_ref, user_source, session_ref FROM errors",
        rows: &["page,RangeError,no such size for [EMAIL],/,u1,attribute,s1"],
    },
    Case {
        sql: "SELECT event_name, category, widget, page_path, user_ref, session_ref FROM activity_events",
        rows: &["click,interaction,order,/,u1,s1"],
    },
    Case {
        sql: "SELECT table_name, total, without_user, without_session FROM anonymous_rate WHERE service_name = 'page' ORDER BY table_name",
        rows: &["activity_events,1.0,0.0,0.0", "errors,1.0,0.0,0.0"],
    },
];

#[test]
fn a_page_and_its_backend_are_one_session() {
    let folder = tempfile::tempdir().expect("a folder");
    let (port, mut setup) = (places::free_port(), Setup::new(&folder.path().join("data")));
    let origin = format!("http://127.0.0.1:{port}");
    setup.settings = vec![format!("receivers.otlp.protocols.http.cors.allowed_origins=[\"{origin}\"]")];
    let marquetry = setup.start();
    check_cors(marquetry.ports.http, &origin);
    let collector = format!("http://127.0.0.1:{}", marquetry.ports.http);
    let mut app = node::instrumented("page_app.js");
    app.env("PORT", port.to_string())
        .env("COLLECTOR", &collector)
        .env("CHROMIUM", node::browser())
        .env("OTEL_SERVICE_NAME", "shop")
        // The page tells first, however slow the machine.
        .env("OTEL_BSP_SCHEDULE_DELAY", "60000")
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector);
    python::output(&mut app);
    let setup = &marquetry.setup;
    wait_for("the order", || setup.count("SELECT count(*) AS n FROM requests WHERE route LIKE '/api/%'") == 1);
    Asker::new(setup).check(CASES);
    let stopped = marquetry.stop();
    Asker::new(&stopped).check(CASES);
    assert!(!stopped.log().contains("a@b.co"), "the planted address stands in the log");
}

/// A browser asks first: the page's origin may send, another may not.
fn check_cors(port: u16, origin: &str) {
    for (asking, allowed) in [(origin, Some(origin)), ("http://elsewhere.example", None)] {
        let headers = [
            ("origin", asking),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type"),
        ];
        let answer = http::send(port, "OPTIONS", "/v1/traces", &headers, &[]).expect("an answer");
        assert_eq!(answer.header("access-control-allow-origin"), allowed, "{asking} asked");
    }
}
