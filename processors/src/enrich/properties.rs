//! What holds for any header and any agent.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use component::{Component, Processor};
use proptest::prelude::*;

use super::Enrich;
use crate::fixture::{Row, cell, context, gather, process};

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<u32>().prop_map(|bits| IpAddr::from(bits.to_be_bytes())),
        any::<u128>().prop_map(|bits| IpAddr::from(bits.to_be_bytes()))
    ]
}

/// An address as proxies write it: bare, with a port, in `X-Forwarded-For` or in `Forwarded`.
fn spelled(address: IpAddr, way: u8) -> String {
    let bracketed = match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    };
    match way % 6 {
        0 => address.to_string(),
        1 => format!(" {bracketed}:4711 "),
        2 => format!("for=\"{bracketed}\""),
        3 => format!("proto=https; For=\"{bracketed}:1\";by=_x"),
        4 => format!("by=10.0.0.1;for={bracketed}"),
        _ => bracketed,
    }
}

fn client(config: &str, peer: &str, header: &str) -> Option<String> {
    let mut gather = gather(&[("requests", &[("client_address", peer), ("forwarded_for", header)])]);
    process::<Enrich>(config, &mut gather);
    cell(&gather, "requests", 0, "client_ip")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The header as all proxies of ours wrote it: whoever is the trusted number of hops from the right is the client,
    /// whatever a sender wrote before that.
    #[test]
    fn only_the_hops_of_our_proxies_count(
        hops in prop::collection::vec((address(), any::<u8>()), 1..5),
        forged in ".{0,40}",
    ) {
        let trusted = hops.len();
        let written: Vec<String> = hops.iter().map(|(address, way)| spelled(*address, *way)).collect();
        let config = format!(r#"{{"client": {{"trusted_hops": {trusted}}}}}"#);
        let found = client(&config, "10.0.0.1", &format!("{forged},{}", written.join(",")));
        prop_assert_eq!(found, Some(hops[0].0.to_canonical().to_string()));
    }

    /// Nothing but an address comes out, and nothing panics.
    #[test]
    fn any_header_gives_an_address_or_none(peer in ".{0,30}", header in "[\\[\\]\",;=:a-f0-9. forFOR%]{0,60}", hops in 0..3usize) {
        for config in [format!(r#"{{"client": {{"trusted_hops": {hops}}}}}"#), r#"{"client": {"trusted_proxies": ["10.0.0.0/8"]}}"#.to_owned()] {
            if let Some(found) = client(&config, &peer, &header) {
                prop_assert!(found.parse::<IpAddr>().is_ok(), "{}", found);
            }
        }
    }

    /// Every agent has a class of those that the table names.
    #[test]
    fn any_agent_has_a_class(agent in "(Mozilla/5\\.0|\\(|\\)|;| |Windows NT|Android|Mobile|bot|/[0-9.]{1,9}|.){1,40}") {
        let mut gather = gather(&[("requests", &[("user_agent", agent.as_str())])]);
        process::<Enrich>("{}", &mut gather);
        let class = cell(&gather, "requests", 0, "device_class");
        let classes = ["desktop", "mobile", "tablet", "bot", "other"];
        prop_assert!(class.as_deref().is_none_or(|class| classes.contains(&class)), "{:?}", class);
    }
}

/// A header or an agent that is a thousand times longer takes about a thousand times as long, not a million.
#[test]
fn long_texts_take_no_more_than_their_length() {
    let mut enrich =
        Enrich::new(serde_json::from_str(r#"{"client": {"trusted_hops": 1}}"#).unwrap(), &context()).unwrap();
    for part in ["1,", "for=\"", "[\"", "for=[::1]:9;,", "\"", "Mozilla/5.0 (", "((((", "Android; ", "a/1.2.3 "] {
        let text = part.repeat((256 << 10) / part.len());
        let rows: &[Row] =
            &[("requests", &[("forwarded_for", &text), ("client_address", "10.0.0.1"), ("user_agent", &text)])];
        let mut gather = gather(rows);
        let started = Instant::now();
        enrich.process(&mut gather).unwrap();
        // Not optimised it takes a second; a square of it would take days.
        assert!(started.elapsed() < Duration::from_secs(60), "{part:?} took {:?}", started.elapsed());
    }
}
