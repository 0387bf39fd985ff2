//! The smallest client of our own endpoints: plain or over TLS, with the first token that lets one in.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::config::Listener;

/// Longer than any answer of a process that works takes.
const PATIENCE: Duration = Duration::from_secs(5);

/// What was answered.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Bytes,
    /// gRPC's own status; `None` over plain HTTP.
    pub(super) grpc: Option<String>,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// GET of a page of ours.
pub(super) async fn page(address: &str, path: &str) -> Result<Answer, String> {
    let request = Request::builder().method(Method::GET).uri(path).header(HOST, address).body(Full::default());
    let request = request.map_err(|e| e.to_string())?;
    in_time(async { over_http1(Box::new(connect(address).await?), request).await }).await
}

/// Any request to an endpoint that takes OTLP.
pub(super) async fn ask(listener: &Listener, method: Method, path: &str, body: Bytes) -> Result<Answer, String> {
    let mut request = Request::builder().method(method).uri(path).header(HOST, "localhost");
    request = request.header(CONTENT_TYPE, "application/json");
    if let Some(token) = bearer(listener) {
        request = request.header(AUTHORIZATION, token);
    }
    let request = request.body(Full::new(body)).map_err(|e| e.to_string())?;
    in_time(async { over_http1(open(listener, b"http/1.1").await?, request).await }).await
}

/// One gRPC call.
pub(super) async fn call(listener: &Listener, path: &str, message: &[u8]) -> Result<Answer, String> {
    let mut framed = BytesMut::with_capacity(message.len() + 5);
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).map_err(|e| e.to_string())?);
    framed.put_slice(message);
    let mut request = Request::post(format!("http://localhost{path}")).header(CONTENT_TYPE, "application/grpc");
    if let Some(token) = bearer(listener) {
        request = request.header(AUTHORIZATION, token);
    }
    let request = request.body(Full::new(framed.freeze())).map_err(|e| e.to_string())?;
    in_time(async {
        let stream = TokioIo::new(open(listener, b"h2").await?);
        let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.map_err(words)?;
        tokio::spawn(connection);
        whole(sender.send_request(request).await.map_err(words)?).await
    })
    .await
}

async fn in_time(answer: impl Future<Output = Result<Answer, String>>) -> Result<Answer, String> {
    let late = |_| Err(format!("no answer within {} s", PATIENCE.as_secs()));
    tokio::time::timeout(PATIENCE, answer).await.unwrap_or_else(late)
}

async fn over_http1(stream: Box<dyn Stream>, request: Request<Full<Bytes>>) -> Result<Answer, String> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(words)?;
    tokio::spawn(connection);
    whole(sender.send_request(request).await.map_err(words)?).await
}

async fn whole(response: Response<hyper::body::Incoming>) -> Result<Answer, String> {
    let (head, body) = response.into_parts();
    let body = body.collect().await.map_err(words)?;
    let trailers = body.trailers().cloned().unwrap_or_default();
    let grpc = trailers.get("grpc-status").or_else(|| head.headers.get("grpc-status"));
    let grpc = grpc.and_then(|status| status.to_str().ok()).map(str::to_owned);
    Ok(Answer { status: head.status.as_u16(), body: body.to_bytes(), grpc })
}

fn words(error: hyper::Error) -> String {
    crate::with_sources(&error)
}

/// The first token, marked so that nothing prints it.
fn bearer(listener: &Listener) -> Option<HeaderValue> {
    let token = listener.tokens.as_ref()?.first()?;
    let mut value = HeaderValue::from_bytes(&[b"Bearer ", token].concat()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

async fn connect(address: &str) -> Result<TcpStream, String> {
    TcpStream::connect(reachable(address)).await.map_err(|e| e.to_string())
}

/// Where an address that stands for every interface is reached from here.
pub(super) fn reachable(address: &str) -> String {
    match address.rsplit_once(':') {
        Some(("0.0.0.0", port)) => format!("127.0.0.1:{port}"),
        Some(("[::]", port)) => format!("[::1]:{port}"),
        _ => address.to_owned(),
    }
}

async fn open(listener: &Listener, protocol: &[u8]) -> Result<Box<dyn Stream>, String> {
    let stream = connect(&listener.address).await?;
    let Some(file) = &listener.cert_file else { return Ok(Box::new(stream)) };
    let config = Arc::new(pinned(file, protocol)?);
    let name = ServerName::try_from("localhost").map_err(|e| e.to_string())?;
    let stream = TlsConnector::from(config).connect(name, stream).await.map_err(|e| e.to_string())?;
    Ok(Box::new(stream))
}

/// Speaks to whoever shows the configured certificate, and gives a token to nobody else.
fn pinned(file: &Path, protocol: &[u8]) -> Result<ClientConfig, String> {
    let leaf = CertificateDer::from_pem_file(file).map_err(|e| e.to_string())?;
    let provider = Arc::new(ring::default_provider());
    let verifier = Arc::new(Pinned { leaf, provider: Arc::clone(&provider) });
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|e| e.to_string())?;
    let mut config = builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    Ok(config)
}

/// The certificate is the one of the configuration: no name and no authority has to vouch for it.
#[derive(Debug)]
struct Pinned {
    leaf: CertificateDer<'static>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if *end_entity == self.leaf {
            return Ok(ServerCertVerified::assertion());
        }
        Err(rustls::Error::General("it shows another certificate than the configured one".to_owned()))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
