//! TLS from PEM files, with client certificates when a CA for them is given.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, version};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// Why TLS cannot be served.
#[derive(Debug, thiserror::Error)]
#[error("{doing} {file}: {why}")]
pub struct TlsError {
    setting: &'static str,
    doing: &'static str,
    file: String,
    why: String,
}

impl TlsError {
    fn new(setting: &'static str, doing: &'static str, file: &Path, why: impl ToString) -> Self {
        Self { setting, doing, file: file.display().to_string(), why: why.to_string() }
    }

    /// The key under `tls` that has to change.
    pub fn setting(&self) -> &'static str {
        self.setting
    }
}

/// What a TLS endpoint needs.
pub fn server_tls(
    cert: &Path,
    key: &Path,
    client_ca: Option<&Path>,
    only_13: bool,
) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let versions: &[&rustls::SupportedProtocolVersion] =
        if only_13 { &[&version::TLS13] } else { &[&version::TLS13, &version::TLS12] };
    let chain = certificates("cert_file", cert)?;
    let private =
        PrivateKeyDer::from_pem_file(key).map_err(|e| TlsError::new("key_file", "reading TLS key", key, e))?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .map_err(|e| TlsError::new("min_version", "preparing TLS for", cert, e))?;
    let builder = match client_ca {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates("client_ca_file", file)? {
                roots.add(certificate).map_err(|e| TlsError::new("client_ca_file", "reading client CA", file, e))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .map_err(|e| TlsError::new("client_ca_file", "reading client CA", file, e))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config =
        builder.with_single_cert(chain, private).map_err(|e| TlsError::new("key_file", "using TLS key", key, e))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn certificates(setting: &'static str, file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |e: rustls_pki_types::pem::Error| TlsError::new(setting, "reading certificates", file, e);
    let all: Vec<_> = CertificateDer::pem_file_iter(file).map_err(failed)?.collect::<Result<_, _>>().map_err(failed)?;
    if all.is_empty() {
        return Err(TlsError::new(setting, "reading certificates", file, "there is none in it"));
    }
    Ok(all)
}
