//! The sections as they are written: every key that is understood, its default, and what it means.

use std::collections::BTreeMap;
use std::path::PathBuf;

use component::{Period, Size};
use serde::Deserialize;

/// `receivers.otlp` (or `otlp/<name>`).
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Otlp {
    /// Whose data it is when the credential does not say: `default`.
    pub(crate) tenant: Option<String>,
    /// Listen beyond loopback with nobody having to say who they are.
    pub(crate) allow_unauthenticated: bool,
    pub(crate) protocols: Protocols,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Protocols {
    pub(crate) grpc: Option<Protocol>,
    pub(crate) http: Option<Protocol>,
}

/// `grpc` or `http`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Protocol {
    /// `host:port`; a missing host means every interface, as in the collector.
    pub(crate) endpoint: Option<String>,
    /// `tcp` and nothing else: the collector's charts write it out.
    pub(crate) transport: Option<Transport>,
    pub(crate) tls: Option<Tls>,
    pub(crate) auth: Option<Auth>,
    /// gRPC only: largest message, MiB.
    pub(crate) max_recv_msg_size_mib: Option<u64>,
    /// HTTP only: largest body, also after decompression.
    pub(crate) max_request_body_size: Option<Size>,
    /// HTTP only: browsers that may send.
    pub(crate) cors: Option<Cors>,
    /// Keep client metadata; parsed because many configs have it, nothing here needs it.
    pub(crate) include_metadata: Option<bool>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Transport {
    Tcp,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Tls {
    /// PEM chain, leaf first.
    pub(crate) cert_file: Option<PathBuf>,
    /// PEM private key.
    pub(crate) key_file: Option<PathBuf>,
    /// Who signs the certificates that clients must show.
    pub(crate) client_ca_file: Option<PathBuf>,
    /// `1.2` or `1.3`.
    pub(crate) min_version: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Auth {
    /// Name of an extension, `bearertokenauth` or `bearertokenauth/<name>`.
    pub(crate) authenticator: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Cors {
    /// Origins; `*` stands for anything within one.
    pub(crate) allowed_origins: Vec<String>,
    /// Request headers beyond the usual ones.
    pub(crate) allowed_headers: Vec<String>,
    /// Seconds that a browser may remember the answer.
    pub(crate) max_age: Option<u64>,
}

/// `extensions.bearertokenauth`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BearerTokens {
    /// `Bearer` and nothing else.
    pub(crate) scheme: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) tokens: Vec<Token>,
    /// A file with one token per line.
    pub(crate) filename: Option<PathBuf>,
    /// Whose data comes with `token` and `filename`.
    pub(crate) tenant: Option<String>,
}

/// A token of its own tenant; exactly one of `token`, `env` and `file`.
#[derive(Default)]
pub(crate) struct Token {
    pub(crate) token: Option<String>,
    pub(crate) env: Option<String>,
    pub(crate) file: Option<PathBuf>,
    pub(crate) tenant: Option<String>,
}

/// `extensions.health_check`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct HealthCheck {
    pub(crate) endpoint: Option<String>,
    pub(crate) path: Option<String>,
}

/// `exporters.lake`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Lake {
    /// A folder; `<data>/lake` unless said.
    pub(crate) path: Option<String>,
    /// `s3://bucket/prefix`, `gs://`, `az://`, `file://`.
    pub(crate) url: Option<String>,
    pub(crate) flush_interval: Option<Period>,
    pub(crate) flush_bytes: Option<Size>,
    /// Time between two rounds of tidying: merges of what is left over, retention, removal of replaced files.
    pub(crate) tidy_interval: Option<Period>,
    pub(crate) merge: Merge,
    pub(crate) complete: Complete,
    pub(crate) thin: Thin,
}

/// `exporters.lake.complete`: users, sessions and echoes that only other records tell, once an hour of events is whole.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Complete {
    /// How long after its end an hour is taken as whole; rows that come later are completed all the same, at more cost.
    pub(crate) lateness: Option<Period>,
    /// Bytes that facts may take.
    pub(crate) memory: Option<Size>,
}

/// `exporters.lake.thin`: of the traces that nobody will ask for, a share stays once their hour rests.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Thin {
    /// Share of the traces that stay; 1, the default, keeps all.
    pub(crate) rate: Option<f64>,
    /// A trace with a span that took as long stays whole: `2s`; `0s` turns that off.
    pub(crate) slow: Option<Period>,
    /// A trace with a call that cost as many US dollars stays whole.
    pub(crate) cost_usd: Option<f64>,
}

/// Whose files are merged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Merge {
    /// Those that this writer made.
    #[default]
    Own,
    /// Those of every writer: for one process of a lake.
    All,
}

/// `exporters.directory`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Directory {
    /// Longest time between an OK and the row in the directory; who asks does not wait for it.
    pub(crate) flush_interval: Option<Period>,
    /// How long opened values stay in memory after the last question.
    pub(crate) keep_open: Option<Period>,
}

/// `exporters.debug`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Debug {
    /// Only counts are ever logged, so every level says the same.
    pub(crate) verbosity: Option<Verbosity>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verbosity {
    Basic,
    Normal,
    Detailed,
}

/// `keys`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Keys {
    /// File with at least 32 secret bytes, readable by its owner only.
    pub(crate) root_key_file: Option<PathBuf>,
    /// Environment variable with the same, base64 or as it is.
    pub(crate) root_key_env: Option<String>,
    /// Program that prints the same, and its arguments, as a list. It is started as it stands, without a shell.
    pub(crate) root_key_command: Option<Vec<String>>,
    /// Key id that new pseudonyms get.
    pub(crate) kid: Option<u32>,
    /// All key ids that are searched for; without it every one from 1 to `kid`.
    pub(crate) kids: Option<Vec<u32>>,
    /// The same for single tenants.
    pub(crate) tenants: BTreeMap<String, TenantKeys>,
}

/// An entry of `keys.tenants`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TenantKeys {
    /// Key id that new pseudonyms of this tenant get; without it everybody's.
    pub(crate) kid: Option<u32>,
    /// All key ids of this tenant that are searched for.
    pub(crate) kids: Option<Vec<u32>>,
}

/// `schemas`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Schemas {
    /// Folder of YAML files that add tables, columns and aliases.
    pub(crate) overlay: Option<PathBuf>,
}

/// `journal`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Journal {
    pub(crate) max_bytes: Option<Size>,
    pub(crate) segment_bytes: Option<Size>,
}

/// `pipeline`: how much at once.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Pipeline {
    /// Threads that decode and process; one per two cores unless said, since receiving and the lake need the others.
    pub(crate) workers: Option<usize>,
    /// Bytes of requests in memory before senders are told to wait. One at a time that is larger than half of it may go
    /// beyond.
    pub(crate) max_in_flight_bytes: Option<Size>,
    /// Connections to one endpoint.
    pub(crate) max_connections: Option<usize>,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Everything that helps to find a fault here.
    Debug,
    /// What an operator wants to know.
    Info,
    /// What may need a hand.
    Warn,
    /// What does.
    Error,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// For people.
    Console,
    /// For machines.
    Json,
}

// === impl Token ===

/// The map form of a token.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenMap {
    token: Option<String>,
    env: Option<String>,
    file: Option<PathBuf>,
    tenant: Option<String>,
}

struct TokenVisitor;

impl<'de> serde::de::Visitor<'de> for TokenVisitor {
    type Value = Token;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a string or a map of env, file or token, and tenant")
    }

    fn visit_str<E>(self, token: &str) -> Result<Token, E> {
        Ok(Token { token: Some(token.to_owned()), ..Token::default() })
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Token, A::Error> {
        let map = TokenMap::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
        Ok(Token { token: map.token, env: map.env, file: map.file, tenant: map.tenant })
    }
}

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TokenVisitor)
    }
}
