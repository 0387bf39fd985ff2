//! A tenth of the traces over real OTLP: views say what all of them would have said, every error is there, and the trace
//! state passes on what was done.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::trace::v1::Span;
use tests::otlp;
use tests::{Marquetry, Setup};

use super::telemetry::{assert_accounted, sum};

const REQUESTS: u64 = 4_000;

/// A request and a call within it; one in forty fails.
fn request(number: u64) -> [Span; 2] {
    let id = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut served = otlp::served(number, "/api/orders/{id}");
    served.trace_id = [id.rotate_left(17).to_be_bytes(), id.to_be_bytes()].concat();
    if number.is_multiple_of(40) {
        served.attributes.retain(|a| a.key != "http.response.status_code");
        served.attributes.push(otlp::attribute("http.response.status_code", otlp::int(503)));
    }
    let mut within = served.clone();
    within.span_id = (number | 1 << 60).to_be_bytes().to_vec();
    within.parent_span_id = served.span_id.clone();
    within.kind = 1;
    within.attributes.clear();
    [served, within]
}

fn send(marquetry: &Marquetry) {
    let mut spans: Vec<Span> = (1..=REQUESTS).flat_map(request).collect();
    // The calls come in requests of their own.
    spans.sort_by_key(|span| span.kind);
    for chunk in spans.chunks(500) {
        marquetry.accept("/v1/traces", &otlp::spans("shop", chunk.to_vec()));
    }
}

#[test]
fn a_sampled_view_says_what_the_whole_would_say() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = vec!["processors.sample={ rate: 0.1 }".to_owned()];
    let setup = Setup { settings, flush: "100ms", ..Setup::new(&folder.path().join("data")) };
    let marquetry = setup.start();
    send(&marquetry);
    let values = assert_accounted(&marquetry);
    let setup = &marquetry.setup;
    let failed = REQUESTS / 40;
    let view = setup.query("SELECT requests, errors_5xx FROM requests_per_route WHERE route = '/api/orders/{id}'");
    let requests = view[0]["requests"].as_f64().expect("a number");
    // Three standard deviations of 4,000 traces of which a tenth stays.
    assert!((requests - REQUESTS as f64).abs() < 3.0 * (REQUESTS as f64 * 9.0).sqrt(), "{requests}");
    assert_eq!(view[0]["errors_5xx"].as_f64(), Some(failed as f64), "every error stays and stands for itself");
    let kept = setup.count("SELECT count(*) AS n FROM requests");
    assert!((400..700).contains(&kept), "{kept}");
    let dropped = sum(&values, "marquetry_sample_dropped_total", "default");
    assert_eq!(dropped + kept + setup.count("SELECT count(*) AS n FROM spans"), REQUESTS * 2);
    let weights =
        "SELECT DISTINCT coalesce(sample_weight, 1) AS weight, coalesce(trace_state, '-') AS state FROM requests";
    let weights: BTreeMap<String, String> = setup
        .query(weights)
        .iter()
        .map(|row| (row["state"].as_str().expect("text").to_owned(), row["weight"].to_string()))
        .collect();
    let expected = [("-", "1.0"), ("ot=th:e6666666666666", "10.0")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    assert_eq!(weights, BTreeMap::from(expected));
    let torn = "SELECT count(*) AS n FROM requests r FULL JOIN spans s ON s.trace_id = r.trace_id \
                WHERE (r.trace_id IS NULL OR s.trace_id IS NULL) AND coalesce(r.status_code, 200) < 500";
    assert_eq!(setup.count(torn), 0, "the spans of a trace live or die together");
}

#[test]
fn what_was_sampled_upstream_counts() {
    let folder = tempfile::tempdir().expect("a folder");
    let setup = Setup { flush: "100ms", ..Setup::new(&folder.path().join("data")) };
    let marquetry = setup.start();
    let half = |number: u64| {
        let [mut served, _] = request(number);
        served.trace_state = "vendor=1,ot=th:8".to_owned();
        // What a sampler with this threshold would have let through, and some spans that it would not have.
        (served.trace_id[9] >= 0x80 || number.is_multiple_of(50)).then_some(served)
    };
    let sent: Vec<Span> = (1..=400).filter_map(half).collect();
    let believed = sent.iter().filter(|span| span.trace_id[9] >= 0x80).count();
    assert!(believed < sent.len(), "some claim what cannot be");
    marquetry.accept("/v1/traces", &otlp::spans("shop", sent.clone()));
    let weights = "SELECT sum(coalesce(sample_weight, 1)) AS n FROM requests";
    let total = marquetry.setup.query(weights)[0]["n"].as_f64();
    assert_eq!(total, Some((believed * 2 + sent.len() - believed) as f64));
    let unchanged = "SELECT count(*) AS n FROM requests WHERE trace_state = 'vendor=1,ot=th:8'";
    assert_eq!(marquetry.setup.count(unchanged), sent.len() as u64, "nothing is written where nothing is sampled");
}
