use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::TlsConnector;

use super::*;

/// A certificate authority and what it signed, as files.
struct Pki {
    folder: TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Pki {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        let pki = Self { folder, authority };
        pki.sign("server");
        pki.sign("client");
        pki
    }

    fn sign(&self, name: &str) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.authority).unwrap();
        std::fs::write(self.path(&format!("{name}.pem")), certificate.pem()).unwrap();
        std::fs::write(self.path(&format!("{name}.key")), key.serialize_pem()).unwrap();
    }

    fn path(&self, file: &str) -> String {
        self.folder.path().join(file).display().to_string()
    }

    fn connector(&self, with_certificate: bool) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.path("ca.pem")).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let builder = builder.with_root_certificates(roots);
        let config = if with_certificate {
            let chain = vec![CertificateDer::from_pem_file(self.path("client.pem")).unwrap()];
            builder
                .with_client_auth_cert(chain, PrivateKeyDer::from_pem_file(self.path("client.key")).unwrap())
                .unwrap()
        } else {
            builder.with_no_client_auth()
        };
        TlsConnector::from(Arc::new(config))
    }
}

/// The status of a request over TLS, or `None` when there was no connection.
async fn post(process: &Process, connector: TlsConnector) -> Option<u16> {
    let stream = TcpStream::connect(&process.http).await.unwrap();
    let stream = connector.connect(ServerName::try_from("localhost").unwrap(), stream).await.ok()?;
    let request = Request::post("/v1/logs").header("host", "localhost").header("content-type", "application/json");
    let request = request.body(Full::new(Bytes::from_static(LOG.as_bytes()))).unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
    tokio::spawn(connection);
    Some(sender.send_request(request).await.ok()?.status().as_u16())
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_served_and_a_client_certificate_is_asked_for() {
    let pki = Pki::new();
    let yaml = |more: &str| {
        format!(
            "receivers: {{ otlp: {{ protocols: {{ http: {{ endpoint: 127.0.0.1:0, tls: {{ cert_file: {}, key_file: {}{more} }} }} }} }} }}",
            pki.path("server.pem"),
            pki.path("server.key"),
        )
    };
    let plain = Process::start(&yaml("")).await;
    assert_eq!(post(&plain, pki.connector(false)).await, Some(200));
    plain.stop().await;
    let mutual = Process::start(&yaml(&format!(", client_ca_file: {}", pki.path("ca.pem")))).await;
    assert_eq!(post(&mutual, pki.connector(true)).await, Some(200));
    assert_eq!(post(&mutual, pki.connector(false)).await, None);
    mutual.stop().await;
}

#[test]
fn a_wrong_file_is_named_where_it_is_configured() {
    let data = tempfile::tempdir().unwrap();
    let yaml = "receivers:\n  otlp:\n    protocols:\n      http:\n        tls:\n          cert_file: /nowhere.pem\n          key_file: /nowhere.key\n";
    let text = config(data.path(), &[yaml]).unwrap_err().to_string();
    assert!(text.contains("reading certificates /nowhere.pem"), "{text}");
    assert!(text.contains("6 |           cert_file: /nowhere.pem"), "{text}");
}
