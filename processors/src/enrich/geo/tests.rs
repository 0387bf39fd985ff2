//! Addresses of documentation, in a file that is written here: the real ones may not be handed on.

use std::sync::Mutex;

use component::{References, Take};

use super::*;
use crate::enrich::Enrich;
use crate::fixture::{Row, cells, context, gather};
use component::{Component, Processor};

/// A file for these tests and for those of the whole binary. `UPDATE_PLACES=1` writes it.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/enrich/geo/places.mmdb");

/// Network, country, number and name of the system.
const PLACES: [(&str, u32, &str, u32, &str); 3] = [
    ("203.0.113.0", 24, "KZ", 64500, "Example Telecom"),
    ("198.51.100.0", 24, "", 64501, "Example Transit"),
    ("2001:db8::", 32, "DE", 0, ""),
];

/// A search tree; children are nodes, or leaves as numbers of entries.
#[derive(Clone, Copy)]
enum Child {
    None,
    Node(usize),
    Leaf(usize),
}

fn text(out: &mut Vec<u8>, text: &str) {
    assert!(text.len() < 29 + 256);
    out.push(0b010 << 5 | text.len().min(29) as u8);
    out.extend(text.len().checked_sub(29).map(|more| more as u8));
    out.extend(text.as_bytes());
}

fn number(out: &mut Vec<u8>, kind: u8, value: u32) {
    let bytes = value.to_be_bytes();
    out.push(kind << 5 | 4);
    out.extend(bytes);
}

fn map(out: &mut Vec<u8>, entries: u8) {
    out.push(0b111 << 5 | entries);
}

/// Nodes that lead to the entries by their numbers.
fn tree() -> Vec<[Child; 2]> {
    let mut nodes = vec![[Child::None; 2]];
    for (entry, (address, width, ..)) in PLACES.into_iter().enumerate() {
        let (bits, width) = match address.parse().unwrap() {
            IpAddr::V4(v4) => (u128::from(v4.to_bits()), width + 96),
            IpAddr::V6(v6) => (v6.to_bits(), width),
        };
        let mut node = 0;
        for depth in 0..width {
            let side = (bits >> (127 - depth) & 1) as usize;
            if depth + 1 == width {
                nodes[node][side] = Child::Leaf(entry);
            } else if let Child::Node(next) = nodes[node][side] {
                node = next;
            } else {
                nodes.push([Child::None; 2]);
                nodes[node][side] = Child::Node(nodes.len() - 1);
                node = nodes.len() - 1;
            }
        }
    }
    nodes
}

/// The entries, and where each begins.
fn entries() -> (Vec<u8>, Vec<usize>) {
    let (mut data, mut offsets) = (Vec::new(), Vec::new());
    for (_, _, country, system, name) in PLACES {
        offsets.push(data.len());
        map(&mut data, u8::from(!country.is_empty()) + 2 * u8::from(system > 0));
        if !country.is_empty() {
            text(&mut data, "country");
            map(&mut data, 1);
            text(&mut data, "iso_code");
            text(&mut data, country);
        }
        if system > 0 {
            text(&mut data, "autonomous_system_number");
            number(&mut data, 6, system);
            text(&mut data, "autonomous_system_organization");
            text(&mut data, name);
        }
    }
    (data, offsets)
}

fn written() -> Vec<u8> {
    let (nodes, (data, offsets)) = (tree(), entries());
    let mut out = Vec::new();
    for child in nodes.iter().flatten() {
        let record = match child {
            Child::None => nodes.len(),
            Child::Node(node) => *node,
            Child::Leaf(entry) => nodes.len() + 16 + offsets[*entry],
        };
        out.extend(&(record as u32).to_be_bytes()[1..]);
    }
    out.extend([0; 16]);
    out.extend(data);
    out.extend(b"\xab\xcd\xefMaxMind.com");
    map(&mut out, 9);
    text(&mut out, "node_count");
    number(&mut out, 6, nodes.len() as u32);
    for (key, value) in [
        ("record_size", 24_u16),
        ("ip_version", 6),
        ("binary_format_major_version", 2),
        ("binary_format_minor_version", 0),
    ] {
        text(&mut out, key);
        out.push(0b101 << 5 | 2);
        out.extend(value.to_be_bytes());
    }
    text(&mut out, "build_epoch");
    // Extended types: a 64-bit number of eight bytes, and an empty list.
    out.extend([8, 2, 0, 0, 0, 0, 0x65, 0, 0, 0]);
    text(&mut out, "database_type");
    text(&mut out, "Test");
    text(&mut out, "languages");
    out.extend([0, 4]);
    text(&mut out, "description");
    map(&mut out, 1);
    text(&mut out, "en");
    text(&mut out, "Addresses of documentation");
    out
}

struct One(Mutex<Vec<u8>>);

impl Files for One {
    fn rows(&self, _: &Path, _: &[&str], _: u64, _: &mut Take<'_>) -> Result<(), String> {
        Err("no tables here".to_owned())
    }

    fn bytes(&self, _: &Path, _: u64) -> Result<Vec<u8>, String> {
        Ok(self.0.lock().unwrap().clone())
    }

    fn stamp(&self, _: &Path) -> Option<u128> {
        Some(1)
    }
}

fn enrich(file: Vec<u8>) -> (Context, Result<Enrich, ConfigError>) {
    let cx = Context { references: References::new(std::sync::Arc::new(One(Mutex::new(file)))), ..context() };
    let config = r#"{"client": {"geo": {"country": "places.mmdb", "asn": "places.mmdb"}}}"#;
    let made = Enrich::new(serde_json::from_str(config).unwrap(), &cx);
    (cx, made)
}

#[test]
fn the_file_that_the_other_tests_use_is_the_one_that_is_written_here() {
    if std::env::var_os("UPDATE_PLACES").is_some() {
        std::fs::write(FILE, written()).unwrap();
    }
    assert_eq!(std::fs::read(FILE).unwrap(), written(), "UPDATE_PLACES=1 writes it anew");
    Reader::from_source(written()).unwrap().verify().unwrap();
}

#[test]
fn addresses_have_countries_and_networks() {
    let (cx, made) = enrich(written());
    let rows: &[Row] = &[
        ("requests", &[("client_address", "203.0.113.77:1")]),
        ("requests", &[("client_address", "198.51.100.1")]),
        ("requests", &[("client_address", "2001:db8:1::1")]),
        ("requests", &[("client_address", "192.0.2.1")]),
        ("requests", &[("client_address", "::ffff:203.0.113.77")]),
        ("requests", &[]),
    ];
    let mut gather = gather(rows);
    made.unwrap().process(&mut gather).unwrap();
    let expected = [
        ["KZ", "64500", "Example Telecom"],
        ["-", "64501", "Example Transit"],
        ["DE", "-", "-"],
        ["-", "-", "-"],
        ["KZ", "64500", "Example Telecom"],
        ["-", "-", "-"],
    ];
    for (row, expected) in expected.iter().enumerate() {
        let found = cells(&gather, "requests", row, ["client_country", "client_asn", "client_as_org"]);
        assert_eq!(found.map(|c| c.unwrap_or_else(|| "-".to_owned())), *expected, "row {row}");
    }
    let counted = cx.counts.snapshot();
    assert!(counted.contains(&("geo_addresses", "known".to_owned(), 4)), "{counted:?}");
}

#[test]
fn a_broken_file_does_not_start() {
    let whole = written();
    for broken in
        [Vec::new(), b"country,DE".to_vec(), whole[..whole.len() - 90].to_vec(), whole[whole.len() - 200..].to_vec()]
    {
        let (_, made) = enrich(broken);
        let Err(error) = made else { panic!("a broken file passed") };
        assert_eq!(error.path.join("."), "client.geo.country");
        assert!(error.what.contains("as a file in MaxMind's format"), "{error}");
    }
}

/// Damage costs answers, never more.
#[test]
fn a_damaged_file_never_panics() {
    let whole = written();
    for place in 0..whole.len() {
        for bits in [0x01, 0x80, 0xff] {
            let mut damaged = whole.clone();
            damaged[place] ^= bits;
            if let Ok(reader) = Reader::from_source(damaged) {
                let file = Some(Arc::new(reader));
                let snapshot = Snapshot { country: file.clone(), asn: file };
                for (address, ..) in PLACES {
                    snapshot.place(address.parse().unwrap());
                }
            }
        }
    }
}
