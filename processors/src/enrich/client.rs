//! The client's address: the first hop that is to be believed.

use std::net::IpAddr;
use std::sync::Arc;

use arrow::array::{Int64Array, StringArray};
use component::{ConfigError, Context, ProcessError, Rows};
use hashbrown::HashMap;
use serde::Deserialize;

use super::geo::{self, Geo, Place, Snapshot};
use super::read::set;
use crate::address::{self, Block};

/// Which forwarding headers to believe. By default none: anybody can send one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How many proxies of yours a request passes; the hop before them is the client.
    pub trusted_hops: usize,
    /// Networks of your proxies; the last hop outside them is the client.
    pub trusted_proxies: Vec<String>,
    /// Where addresses are.
    pub geo: geo::Config,
}

/// Peer and forwarding header of a row.
type Hops<'a> = (Option<&'a str>, Option<&'a str>);

/// Finds clients.
pub(super) struct Client {
    hops: usize,
    proxies: Vec<Block>,
    geo: Geo,
}

/// What becomes of one client's address.
struct Found {
    ip: String,
    prefix: String,
    place: Place,
}

/// A column by name, and what of a client it holds.
type Text = (&'static str, fn(&Found) -> Option<&str>);

/// Columns of text that are filled.
const TEXTS: [Text; 4] = [
    ("client_ip", |found| Some(&found.ip)),
    ("client_prefix", |found| Some(&found.prefix)),
    ("client_country", |found| found.place.country.as_deref()),
    ("client_as_org", |found| found.place.organisation.as_deref()),
];

impl Client {
    pub(super) fn new(config: &Config, cx: &Context) -> Result<Self, ConfigError> {
        if config.trusted_hops > 0 && !config.trusted_proxies.is_empty() {
            return Err(ConfigError::at("client", "give `trusted_hops` or `trusted_proxies`, not both"));
        }
        let block = |(index, text): (usize, &String)| {
            let wrong =
                || ConfigError::at(&format!("client.trusted_proxies.{index}"), "not a network such as 10.0.0.0/8");
            Block::parse(text).ok_or_else(wrong)
        };
        let proxies = config.trusted_proxies.iter().enumerate().map(block).collect::<Result<_, _>>()?;
        Ok(Self { hops: config.trusted_hops, proxies, geo: Geo::new(&config.geo, cx)? })
    }

    /// The files with places, as they are for one gather.
    pub(super) fn places(&self) -> Snapshot {
        self.geo.snapshot()
    }

    /// Fills `client_ip`, `client_prefix`, and where that is.
    pub(super) fn fill(&self, rows: &mut Rows, places: &Snapshot) -> Result<(), ProcessError> {
        let (of_row, found) = self.found(rows, places);
        let get = |row: usize| of_row.get(row).copied().flatten().and_then(|number| found.get(number));
        for (name, text) in TEXTS {
            let values: StringArray = (0..rows.len()).map(|row| get(row).and_then(text)).collect();
            set(rows, name, Arc::new(values))?;
        }
        let numbers: Int64Array = (0..rows.len()).map(|row| get(row)?.place.asn).collect();
        if !self.geo.is_empty() {
            let known = found.iter().filter(|found| found.place != Place::default()).count() as u64;
            self.geo.count(known, found.len() as u64 - known);
        }
        set(rows, "client_asn", Arc::new(numbers))
    }

    /// Which of the clients each row has, and the clients.
    fn found(&self, rows: &Rows, places: &Snapshot) -> (Vec<Option<usize>>, Vec<Found>) {
        let (peers, headers) = (rows.text("client_address"), rows.text("forwarded_for"));
        if peers.is_none() && headers.is_none() {
            return (Vec::new(), Vec::new());
        }
        let mut seen: HashMap<Hops, Option<usize>> = HashMap::new();
        let mut found: Vec<Found> = Vec::new();
        let kinds = rows.text("kind");
        // On a span that calls somebody the peer is the server that was called, not the client.
        let calls = |row| kinds.and_then(|k| k.get(row)).is_some_and(|kind| matches!(kind, "client" | "producer"));
        let mut number = |row| {
            let hops = match calls(row) {
                true => (None, None),
                false => (peers.and_then(|p| p.get(row)), headers.and_then(|h| h.get(row))),
            };
            *seen.entry(hops).or_insert_with(|| {
                let client = self.client(hops.0, hops.1)?;
                let place = places.place(client);
                found.push(Found { ip: client.to_string(), prefix: address::prefix(client), place });
                Some(found.len() - 1)
            })
        };
        let of_row = (0..rows.len()).map(&mut number).collect();
        (of_row, found)
    }

    fn client(&self, peer: Option<&str>, header: Option<&str>) -> Option<IpAddr> {
        let peer = peer.and_then(address::parse);
        if self.hops == 0 && self.proxies.is_empty() {
            return peer;
        }
        // From the nearest hop outwards: the peer, then the header from right to left.
        let chain: Vec<Option<IpAddr>> =
            std::iter::once(peer).chain(hops(header.unwrap_or_default()).into_iter().rev()).collect();
        if self.proxies.is_empty() {
            // A peer that speaks to us without its proxy is itself the client.
            return chain[self.hops.min(chain.len() - 1)];
        }
        let trusted = |ip: IpAddr| self.proxies.iter().any(|p| p.contains(ip));
        let mut last = None;
        for hop in chain {
            match hop {
                // A peer that the SDK did not record is ours to skip; a hop that hides itself ends what can be known.
                None if last.is_none() => {}
                None => return None,
                Some(ip) if trusted(ip) => last = Some(ip),
                Some(ip) => return Some(ip),
            }
        }
        last
    }
}

/// The hops of `X-Forwarded-For` or `Forwarded`, left to right. Captured headers come as a JSON list.
fn hops(header: &str) -> Vec<Option<IpAddr>> {
    let joined = match header.starts_with('[').then(|| serde_json::from_str::<Vec<String>>(header)) {
        Some(Ok(list)) => list.join(","),
        _ => header.to_owned(),
    };
    let hop = |element: &str| {
        let named = |pair: &&str| pair.trim().get(..4).is_some_and(|k| k.eq_ignore_ascii_case("for="));
        match element.split(';').find(named) {
            Some(pair) => address::parse(&pair.trim()[4..]),
            None => address::parse(element),
        }
    };
    if joined.trim().is_empty() { Vec::new() } else { joined.split(',').map(hop).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::context;

    fn check(config: &str, cases: &[(&str, &str, Option<&str>)]) {
        let client = Client::new(&serde_json::from_str(config).unwrap(), &context()).unwrap();
        for (peer, header, expected) in cases {
            let peer = (!peer.is_empty()).then_some(*peer);
            let header = (!header.is_empty()).then_some(*header);
            let found = client.client(peer, header).map(|ip| ip.to_string());
            assert_eq!(found.as_deref(), *expected, "{config} {peer:?} {header:?}");
        }
    }

    #[test]
    fn headers_are_not_believed_unless_told() {
        check(
            "{}",
            &[
                ("198.51.100.1:80", "203.0.113.9", Some("198.51.100.1")),
                ("", "203.0.113.9", None),
                ("unix:/run/a", "203.0.113.9", None),
                ("::ffff:198.51.100.1", "", Some("198.51.100.1")),
            ],
        );
    }

    #[test]
    fn hops_are_counted_from_the_right() {
        check(
            r#"{"trusted_hops": 1}"#,
            &[
                ("10.0.0.1", "6.6.6.6, 203.0.113.9", Some("203.0.113.9")),
                ("10.0.0.1", "", Some("10.0.0.1")),
                ("", "203.0.113.9", Some("203.0.113.9")),
                ("10.0.0.1", r#"["203.0.113.9"]"#, Some("203.0.113.9")),
                ("10.0.0.1", r#"["6.6.6.6", "203.0.113.9:99"]"#, Some("203.0.113.9")),
                ("10.0.0.1", "for=6.6.6.6, For=\"[2001:db8::9]:47\";proto=https", Some("2001:db8::9")),
                ("10.0.0.1", "for=_hidden", None),
            ],
        );
        check(
            r#"{"trusted_hops": 2}"#,
            &[
                ("10.0.0.1", "6.6.6.6, 203.0.113.9, 10.0.0.2", Some("203.0.113.9")),
                ("10.0.0.1", "203.0.113.9", Some("203.0.113.9")),
            ],
        );
    }

    #[test]
    fn proxies_are_skipped_by_network() {
        check(
            r#"{"trusted_proxies": ["10.0.0.0/8", "2001:db8:f::/48"]}"#,
            &[
                ("10.0.0.1", "6.6.6.6, 203.0.113.9, 10.1.1.1, 2001:db8:f::1", Some("203.0.113.9")),
                ("198.51.100.1", "203.0.113.9", Some("198.51.100.1")),
                ("", "6.6.6.6, 203.0.113.9, 10.1.1.1", Some("203.0.113.9")),
                ("10.0.0.1", "10.0.0.2", Some("10.0.0.2")),
                ("10.0.0.1", "203.0.113.9, unknown, 10.0.0.2", None),
            ],
        );
    }

    #[test]
    fn doubtful_settings_are_refused() {
        for (config, path) in [
            (r#"{"trusted_hops": 1, "trusted_proxies": ["10.0.0.0/8"]}"#, "client"),
            (r#"{"trusted_proxies": ["10.0.0.0/8", "proxy"]}"#, "client.trusted_proxies.1"),
        ] {
            let Err(error) = Client::new(&serde_json::from_str(config).unwrap(), &context()) else {
                panic!("{config} passed")
            };
            assert_eq!(error.path.join("."), path);
        }
    }
}
