//! IP addresses as senders write them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address in `text`, which may carry a port, brackets, quotes or a zone. IPv4 inside IPv6 comes out as IPv4.
pub(crate) fn parse(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let bare = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None => match text.split_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => text,
        },
    };
    let bare = bare.split_once('%').map_or(bare, |(address, _zone)| address);
    Some(bare.parse::<IpAddr>().ok()?.to_canonical())
}

/// The network that is shown instead of the address: /24 of IPv4, /48 of IPv6.
pub(crate) fn prefix(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => format!("{}/24", Ipv4Addr::from_bits(v4.to_bits() & (u32::MAX << 8))),
        IpAddr::V6(v6) => format!("{}/48", Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 80))),
    }
}

/// A block of addresses, as `10.0.0.0/8`; a lone address is a block of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block {
    first: IpAddr,
    bits: u32,
}

impl Block {
    /// Reads CIDR notation.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(a, b)| (a, Some(b)));
        let first: IpAddr = address.trim().parse().ok()?;
        let width = if first.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Some(width), |b| b.trim().parse().ok())?;
        (bits <= width).then_some(Self { first, bits })
    }

    /// Whether `address` lies within.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros() >= self.bits,
            (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros() >= self.bits,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_in_every_spelling() {
        let cases = [
            ("203.0.113.9", Some(("203.0.113.9", "203.0.113.0/24"))),
            (" 203.0.113.9:4711 ", Some(("203.0.113.9", "203.0.113.0/24"))),
            ("::ffff:203.0.113.9", Some(("203.0.113.9", "203.0.113.0/24"))),
            ("[2001:DB8:1:2::3]:443", Some(("2001:db8:1:2::3", "2001:db8:1::/48"))),
            ("\"[2001:db8:1:2::3]\"", Some(("2001:db8:1:2::3", "2001:db8:1::/48"))),
            ("fe80::1%eth0", Some(("fe80::1", "fe80::/48"))),
            ("shop.example", None),
            ("unix:/run/app.sock", None),
            ("203.0.113.300", None),
            ("[2001:db8::1", None),
            ("unknown", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let got = parse(text).map(|a| (a.to_string(), prefix(a)));
            assert_eq!(got, expected.map(|(a, p)| (a.to_owned(), p.to_owned())), "{text}");
        }
    }

    #[test]
    fn blocks_hold_their_addresses() {
        let cases = [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.8", false),
            ("fd00::/8", "fd12::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
        ];
        for (block, address, held) in cases {
            let block = Block::parse(block).unwrap();
            assert_eq!(block.contains(address.parse().unwrap()), held, "{block:?} {address}");
        }
        for wrong in ["10.0.0.0/33", "10.0.0/8", "example", "::/129", "10.0.0.0/x"] {
            assert_eq!(Block::parse(wrong), None, "{wrong}");
        }
    }
}
