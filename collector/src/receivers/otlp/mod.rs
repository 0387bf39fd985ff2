//! OTLP over gRPC and HTTP: traces and logs go to the pipeline, metrics are counted.
//!
//! ```yaml
//! receivers:
//!   otlp:
//!     protocols:
//!       grpc:
//!         endpoint: 127.0.0.1:4317
//!       http:
//!         endpoint: 127.0.0.1:4318
//!         cors:
//!           allowed_origins: ["https://*.example.com"]
//!         tls: { cert_file: server.pem, key_file: server.key }
//!         auth: { authenticator: bearertokenauth }
//! extensions:
//!   bearertokenauth:
//!     tokens:
//!       - { env: ACME_TOKEN, tenant: acme }
//! ```
//!
//! A body is admitted by its bytes before it is read, stays bytes until a worker decodes it, and its sender is
//! answered when its rows are on disk.

mod admission;
mod auth;
mod body;
mod grpc;
mod http;
mod server;
mod service;
mod status;
mod tls;
mod unpack;

pub use admission::{Admission, Grant};
pub use auth::{TokenError, Tokens};
pub use server::{Context, Server, bind};
pub use tls::{TlsError, server_tls};
