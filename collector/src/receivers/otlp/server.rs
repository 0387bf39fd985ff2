//! The accept loop that both protocols share: connections, TLS, CORS, draining.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::header::{
    ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE, HeaderName, HeaderValue,
};
use hyper::http::request::Parts;
use hyper::{Method, Request};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceBuilder;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use super::admission::Admission;
use super::service::{Service, Warned};
use crate::config::{CorsRules, Listener};
use crate::error::Error;
use crate::pipeline::Outlet;
use crate::telemetry::Telemetry;

/// A handshake or a request's headers that take longer are given up.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How much a client may send on a connection, or on one stream of it, before anybody reads it: what a connection that is
/// not read costs us.
const WINDOW: u32 = 256 << 10;

/// An endpoint whose port is taken and which does not listen yet.
pub struct Server {
    listener: Listener,
    socket: TcpListener,
}

/// Takes the port, or says who wanted it.
pub async fn bind(listener: Listener) -> Result<Server, Error> {
    let socket = crate::error::bind(&listener.address, &format!("{}.endpoint", listener.path)).await?;
    Ok(Server { listener, socket })
}

impl Server {
    /// The address as bound, which tells the port when none was chosen.
    pub fn address(&self) -> String {
        self.socket.local_addr().map_or_else(|_| self.listener.address.clone(), |a| a.to_string())
    }

    /// What it serves.
    pub fn listener(&self) -> &Listener {
        &self.listener
    }

    /// Serves until `stop`, then lets open requests finish; `open` knows when the last one has.
    pub async fn serve(self, context: Context, max_connections: usize, stop: CancellationToken, open: TaskTracker) {
        let tls = self.listener.tls.clone().map(TlsAcceptor::from);
        let cors = cors(&self.listener.cors);
        let places = Arc::new(Semaphore::new(max_connections));
        let Context { room, outlet, telemetry, warned } = context;
        let service = Arc::new(Service::new(self.listener, room, outlet, telemetry, warned));
        loop {
            let place = tokio::select! {
                () = stop.cancelled() => return,
                place = Arc::clone(&places).acquire_owned() => place,
            };
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = self.socket.accept() => accepted,
            };
            let Ok((stream, peer)) = accepted else {
                // Out of file descriptors, most likely: connections that end will free some.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let connection =
                Connection { service: Arc::clone(&service), cors: cors.clone(), peer: peer.ip(), stop: stop.clone() };
            let tls = tls.clone();
            open.spawn(async move {
                connection.run(stream, tls).await;
                drop(place);
            });
        }
    }
}

/// What all endpoints share.
#[derive(Clone)]
pub struct Context {
    pub(crate) room: Admission,
    pub(crate) outlet: Outlet,
    pub(crate) telemetry: Arc<Telemetry>,
    pub(crate) warned: Arc<Warned>,
}

impl Context {
    /// For endpoints that share a budget and a pipeline.
    pub fn new(room: Admission, outlet: Outlet, telemetry: Arc<Telemetry>) -> Self {
        Self { room, outlet, telemetry, warned: Arc::default() }
    }
}

struct Connection {
    service: Arc<Service>,
    cors: CorsLayer,
    peer: IpAddr,
    stop: CancellationToken,
}

impl Connection {
    async fn run(self, stream: TcpStream, tls: Option<TlsAcceptor>) {
        let _ = stream.set_nodelay(true);
        match tls {
            None => self.serve(stream).await,
            Some(tls) => {
                // A failed handshake is its client's affair; it cost nobody else anything.
                if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
                    self.serve(stream).await;
                }
            }
        }
    }

    async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, stream: S) {
        let Self { service, cors, peer, stop } = self;
        let answer = tower::service_fn(move |request: Request<hyper::body::Incoming>| {
            let service = Arc::clone(&service);
            async move { Ok::<_, Infallible>(service.handle(request, peer).await) }
        });
        let stack = TowerToHyperService::new(ServiceBuilder::new().layer(cors).service(answer));
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(HANDSHAKE);
        builder
            .http2()
            .timer(TokioTimer::new())
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .max_concurrent_streams(256)
            .keep_alive_interval(Duration::from_secs(60))
            .keep_alive_timeout(Duration::from_secs(20));
        let connection = builder.serve_connection(TokioIo::new(stream), stack);
        tokio::pin!(connection);
        // Errors here are broken connections; whoever was not answered knows it.
        tokio::select! {
            _ = &mut connection => return,
            () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    }
}

/// No rules allow no browser: without the headers it keeps the answer, and OTLP's content types make it ask first.
fn cors(rules: &CorsRules) -> CorsLayer {
    if rules.origins.is_empty() {
        return CorsLayer::new();
    }
    let origins = rules.origins.clone();
    let usual = [ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE];
    let more = rules.headers.iter().filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok());
    let headers = if rules.headers.iter().any(|h| h == "*") {
        AllowHeaders::mirror_request()
    } else {
        AllowHeaders::list(usual.into_iter().chain(more))
    };
    let layer = CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin: &HeaderValue, _: &Parts| {
            origin.to_str().is_ok_and(|origin| origins.iter().any(|rule| matches(rule, origin)))
        }))
        .allow_methods([Method::POST])
        .allow_headers(headers);
    match rules.max_age {
        Some(seconds) => layer.max_age(Duration::from_secs(seconds)),
        None => layer,
    }
}

/// Whether an origin is what a rule says; `*` stands for any run of characters.
fn matches(rule: &str, origin: &str) -> bool {
    let (rule, origin) = (rule.to_ascii_lowercase(), origin.to_ascii_lowercase());
    let mut parts = rule.split('*');
    let Some(mut rest) = parts.next().and_then(|first| origin.strip_prefix(first)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn origins_match_their_rules() {
        let check = |rule: &str, origin: &str, expected: bool| {
            assert_eq!(matches(rule, origin), expected, "{rule} {origin}");
        };
        check("https://app.example.com", "https://app.example.com", true);
        check("https://app.example.com", "https://APP.example.com", true);
        check("https://app.example.com", "https://app.example.com.evil.test", false);
        check("https://*.example.com", "https://a.example.com", true);
        check("https://*.example.com", "https://example.com", false);
        check("https://*.example.com", "https://a.example.com.evil.test", false);
        check("http://localhost:*", "http://localhost:3000", true);
        check("*", "https://any.test", true);
    }
}
