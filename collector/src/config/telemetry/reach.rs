//! Whether a URL leads to an address that this process listens on.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs, UdpSocket};

use hyper::Uri;

/// Whether who connects to `url` comes to who listens on `address`, both on this machine. A name is looked up only if
/// the port fits.
pub(crate) fn reaches(url: &str, address: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    let Some((listening, port)) = address.rsplit_once(':') else { return false };
    let port = port.parse::<u16>().unwrap_or(0);
    let tls = uri.scheme_str() == Some("https");
    let wanted = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
    if port == 0 || port != wanted {
        return false;
    }
    let targets = addresses(uri.host().unwrap_or_default(), port);
    let listeners = addresses(listening, port);
    targets.iter().any(|target| listeners.iter().any(|listener| meets(*target, *listener)))
}

fn meets(target: IpAddr, listener: IpAddr) -> bool {
    // Connecting to every interface connects to loopback.
    let near = |ip: IpAddr| ip.is_loopback() || ip.is_unspecified();
    target == listener || (near(target) && near(listener)) || (listener.is_unspecified() && is_ours(target))
}

/// Only an address of this machine can be bound.
fn is_ours(ip: IpAddr) -> bool {
    UdpSocket::bind(SocketAddr::new(ip, 0)).is_ok()
}

fn addresses(host: &str, port: u16) -> Vec<IpAddr> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return vec![ip.to_canonical()];
    }
    (bare, port).to_socket_addrs().map(|all| all.map(|a| a.ip().to_canonical()).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::reaches;

    #[test]
    fn an_endpoint_of_ours_is_known_by_any_of_its_names() {
        let check =
            |url: &str, address: &str, expected: bool| assert_eq!(reaches(url, address), expected, "{url} {address}");
        check("http://127.0.0.1:4318", "127.0.0.1:4318", true);
        check("http://127.0.0.1:4318/v1/traces", "0.0.0.0:4318", true);
        check("http://localhost:4318", "127.0.0.1:4318", true);
        check("http://127.0.0.1:4318", "localhost:4318", true);
        check("http://[::1]:4318", "[::]:4318", true);
        check("http://0.0.0.0:4318", "127.0.0.1:4318", true);
        check("http://[::ffff:127.0.0.1]:4318", "127.0.0.1:4318", true);
        check("https://127.0.0.1", "127.0.0.1:443", true);
        check("http://127.0.0.1:4317", "127.0.0.1:4318", false);
        check("http://192.0.2.7:4318", "127.0.0.1:4318", false);
        check("http://192.0.2.7:4318", "0.0.0.0:4318", false);
        check("http://127.0.0.1:4318", "192.0.2.7:4318", false);
        check("http://127.0.0.1:4318", "127.0.0.1:0", false);
    }

    #[test]
    fn this_machines_other_addresses_are_ours_where_every_interface_is_listened_on() {
        // Which address that is depends on the machine; asking for a route sends nothing.
        let socket = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
        if socket.connect("192.0.2.7:9").is_ok() {
            let own = socket.local_addr().unwrap().ip();
            assert!(reaches(&format!("http://{own}:4318"), "0.0.0.0:4318"), "{own}");
        }
    }
}
