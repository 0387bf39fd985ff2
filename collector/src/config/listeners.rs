//! Endpoints that take OTLP: address, TLS, tokens, browsers.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use super::components::{RECEIVERS, kind_of, known_entries};
use super::model;
use super::node::{Entry, Node, Place};
use super::problem::Problems;
use super::read::{hide, locate, meant, read};
use super::sources::Inputs;
use crate::receivers::otlp::{Tokens, server_tls};

/// The tenant of data whose sender names none.
const DEFAULT_TENANT: &str = "default";

/// The largest request: what the OTLP specification recommends.
const MAX_REQUEST: u64 = 64 << 20;

/// What an endpoint was meant for. Either port understands both, so that a wrong port still works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// OTLP over gRPC.
    Grpc,
    /// OTLP over HTTP.
    Http,
}

impl Wire {
    /// As in the configuration and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::Http => "http",
        }
    }
}

/// One endpoint.
#[derive(Clone)]
pub struct Listener {
    /// Where it is configured, such as `receivers.otlp.protocols.grpc`.
    pub path: String,
    /// The receiver's id, such as `otlp`.
    pub receiver: String,
    /// What it was meant for.
    pub wire: Wire,
    /// `host:port`.
    pub address: String,
    /// Whose data it is unless a token says otherwise.
    pub tenant: Arc<str>,
    /// TLS, when configured.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// The certificate that TLS shows.
    pub cert_file: Option<PathBuf>,
    /// Whether clients must show a certificate of theirs.
    pub wants_certificate: bool,
    /// Who may send; `None` lets everybody.
    pub tokens: Option<Arc<Tokens>>,
    /// Beyond loopback with no authentication, because the configuration says so.
    pub open: bool,
    /// Largest request, also after decompression.
    pub max_request: usize,
    /// Browsers that may send.
    pub cors: CorsRules,
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener").field("path", &self.path).field("address", &self.address).finish_non_exhaustive()
    }
}

/// Browsers that may send.
#[derive(Debug, Clone, Default)]
pub struct CorsRules {
    /// Origins, `*` for anything.
    pub origins: Vec<String>,
    /// Headers beyond the usual ones.
    pub headers: Vec<String>,
    /// Seconds to remember.
    pub max_age: Option<u64>,
}

/// All endpoints of the receivers that run.
pub(crate) fn listeners(
    root: &Node,
    active: &dyn Fn(&str) -> bool,
    inputs: &Inputs,
    problems: &mut Problems,
    notes: &mut Vec<String>,
) -> Vec<Listener> {
    let mut out: Vec<Listener> = Vec::new();
    for entry in known_entries(root, "receivers", RECEIVERS, problems) {
        let settings: model::Otlp = read(&entry.node, problems);
        if !active(&entry.key) {
            notes.push(format!("receiver {} is in no pipeline and does not start", entry.key));
            continue;
        }
        let written = |wire: &str| entry.node.at(&["protocols".to_owned(), wire.to_owned()]).is_some();
        if !written("grpc") && !written("http") {
            let text = format!("receiver `{}` has no protocols; name `grpc`, `http` or both", entry.key);
            problems.add(entry.place, entry.key.chars().count(), text);
        }
        for (wire, protocol) in [(Wire::Grpc, &settings.protocols.grpc), (Wire::Http, &settings.protocols.http)] {
            if !written(wire.as_str()) {
                continue;
            }
            let fallback = model::Protocol::default();
            let protocol = protocol.as_ref().unwrap_or(&fallback);
            let mut reader = Reader { root, entry, wire, inputs, problems };
            let listener = reader.listener(&settings, protocol);
            if let Some(other) = out.iter().find(|l| l.address == listener.address && !l.address.ends_with(":0")) {
                let text = format!("this is already the endpoint of {}", other.path);
                reader.add("endpoint", text);
            }
            out.push(listener);
        }
    }
    out
}

/// What one endpoint's checks need to know.
struct Reader<'a> {
    root: &'a Node,
    entry: &'a Entry,
    wire: Wire,
    inputs: &'a Inputs,
    problems: &'a mut Problems,
}

impl Reader<'_> {
    fn listener(&mut self, settings: &model::Otlp, protocol: &model::Protocol) -> Listener {
        let default = if self.wire == Wire::Grpc { "127.0.0.1:4317" } else { "127.0.0.1:4318" };
        let written = protocol.endpoint.as_deref().unwrap_or(default);
        let address = normalise(written).unwrap_or_else(|what| {
            self.add("endpoint", what);
            default.to_owned()
        });
        let tls = protocol.tls.as_ref().and_then(|tls| self.tls(tls));
        let tokens = protocol.auth.as_ref().and_then(|auth| self.tokens(auth));
        let certificates = protocol.tls.as_ref().is_some_and(|tls| tls.client_ca_file.is_some());
        let known = tokens.is_some() || certificates;
        let far = !is_loopback(&address);
        // An `auth` that is written but wrong has been said already.
        if far && !known && protocol.auth.is_none() && !settings.allow_unauthenticated {
            self.beyond_loopback(&address);
        }
        Listener {
            path: format!("receivers.{}.protocols.{}", self.entry.key, self.wire.as_str()),
            receiver: self.entry.key.clone(),
            wire: self.wire,
            address,
            tenant: settings.tenant.as_deref().unwrap_or(DEFAULT_TENANT).into(),
            cert_file: protocol.tls.as_ref().and_then(|tls| tls.cert_file.clone()).filter(|_| tls.is_some()),
            wants_certificate: certificates,
            tls,
            tokens: tokens.map(Arc::new),
            open: far && !known,
            max_request: self.max_request(protocol),
            cors: self.cors(protocol),
        }
    }

    fn beyond_loopback(&mut self, address: &str) {
        let (place, width) = self.locate("endpoint");
        let address = self.hidden("endpoint", address);
        let receiver = &self.entry.key;
        self.problems.add_with_help(
            place,
            width,
            format!("{address} can be reached from other machines, and anybody there could send"),
            format!(
                "set `auth: {{authenticator: bearertokenauth}}` or `tls.client_ca_file`, listen on 127.0.0.1, or say \
                 `receivers.{receiver}.allow_unauthenticated: true`"
            ),
        );
    }

    fn max_request(&mut self, protocol: &model::Protocol) -> usize {
        let bytes = match self.wire {
            Wire::Grpc => protocol.max_recv_msg_size_mib.map(|mib| mib.saturating_mul(1 << 20)),
            Wire::Http => protocol.max_request_body_size.map(|size| size.0),
        };
        if self.wire == Wire::Grpc && protocol.max_request_body_size.is_some() {
            self.add("max_request_body_size", "gRPC takes `max_recv_msg_size_mib`");
        }
        if self.wire == Wire::Http && protocol.max_recv_msg_size_mib.is_some() {
            self.add("max_recv_msg_size_mib", "HTTP takes `max_request_body_size`");
        }
        usize::try_from(bytes.unwrap_or(MAX_REQUEST).clamp(1, 1 << 30)).unwrap_or(usize::MAX)
    }

    fn cors(&mut self, protocol: &model::Protocol) -> CorsRules {
        let Some(cors) = &protocol.cors else { return CorsRules::default() };
        if self.wire == Wire::Grpc {
            self.add("cors", "browsers send over HTTP; put `cors` under `http`");
        }
        for (index, origin) in cors.allowed_origins.iter().enumerate() {
            if !origin.contains('*') && !origin.starts_with("http://") && !origin.starts_with("https://") {
                let key = format!("cors.allowed_origins.{index}");
                self.add(&key, "an origin needs its scheme, such as https://app.example.com");
            }
        }
        CorsRules {
            origins: cors.allowed_origins.clone(),
            headers: cors.allowed_headers.clone(),
            max_age: cors.max_age,
        }
    }

    fn tls(&mut self, tls: &model::Tls) -> Option<Arc<rustls::ServerConfig>> {
        let (Some(cert), Some(key)) = (&tls.cert_file, &tls.key_file) else {
            self.add("tls", "TLS needs both `cert_file` and `key_file`");
            return None;
        };
        let only_13 = match tls.min_version.as_deref() {
            None | Some("1.2") => false,
            Some("1.3") => true,
            Some(_) => {
                self.add("tls.min_version", "`min_version` is \"1.2\" or \"1.3\"");
                false
            }
        };
        server_tls(cert, key, tls.client_ca_file.as_deref(), only_13)
            .map_err(|e| self.add(&format!("tls.{}", e.setting()), self.hidden("tls", &e.to_string())))
            .ok()
    }

    fn tokens(&mut self, auth: &model::Auth) -> Option<Tokens> {
        let Some(name) = auth.authenticator.as_deref() else {
            self.add("auth", "name an extension, such as `authenticator: bearertokenauth`");
            return None;
        };
        let extension = self.root.get("extensions").and_then(|e| e.entry(name));
        let Some(extension) = extension.filter(|e| kind_of(&e.key) == "bearertokenauth") else {
            let configured: Vec<&str> = self
                .root
                .get("extensions")
                .map(Node::entries)
                .unwrap_or_default()
                .iter()
                .map(|e| e.key.as_str())
                .collect();
            let name = self.hidden("auth.authenticator", name);
            let text = format!("`{name}` is not an authenticator under `extensions`{}", meant(&name, &configured));
            self.add("auth.authenticator", text);
            return None;
        };
        let mut quiet = Problems::default();
        let settings: model::BearerTokens = read(&extension.node, &mut quiet);
        let tenant = settings.tenant.as_deref().unwrap_or(DEFAULT_TENANT);
        let tokens = Tokens::collect(&settings, tenant, &|name| self.inputs.variable(name));
        match tokens {
            Ok(tokens) => Some(tokens),
            Err(what) => {
                let (place, width) = (extension.place, extension.key.chars().count());
                let said = self.problems.list.iter().any(|p| p.place == Some(place));
                if quiet.is_empty() && !said {
                    self.problems.add(place, width, hide(&extension.node, &what.to_string()));
                }
                None
            }
        }
    }

    fn add(&mut self, key: &str, what: impl Into<String>) {
        let (place, width) = self.locate(key);
        self.problems.add(place, width, what);
    }

    /// A text about a setting without what the environment gave to it.
    fn hidden(&self, key: &str, text: &str) -> String {
        self.entry.node.at(&self.path(key)).map_or_else(|| text.to_owned(), |node| hide(node, text))
    }

    fn locate(&self, key: &str) -> (Place, usize) {
        locate(&self.entry.node, &self.path(key))
    }

    fn path(&self, key: &str) -> Vec<String> {
        let mut path = vec!["protocols".to_owned(), self.wire.as_str().to_owned()];
        path.extend(key.split('.').map(str::to_owned));
        path
    }
}

/// `host:port` with every interface written out. What is wrong does not repeat the endpoint: it may be the
/// environment's, and where it is not, its line is shown.
pub(crate) fn normalise(endpoint: &str) -> Result<String, &'static str> {
    let bad = || "an endpoint is host:port, such as 127.0.0.1:4317";
    let (host, port) = endpoint.rsplit_once(':').ok_or_else(bad)?;
    port.parse::<u16>().map_err(|_| bad())?;
    if host.contains('/') || (host.contains(':') && !host.starts_with('[')) {
        return Err(bad());
    }
    Ok(if host.is_empty() { format!("0.0.0.0:{port}") } else { endpoint.to_owned() })
}

/// Whether nobody but this machine can reach an address.
pub(crate) fn is_loopback(address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
