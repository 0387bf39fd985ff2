//! Sending what the process says of itself to another one, as OTLP. A backend that is away costs a warning and the
//! telemetry that does not fit its queue, never data.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use opentelemetry::KeyValue;
use opentelemetry_http::hyper::HyperClient;
use opentelemetry_otlp::tonic_types::metadata::MetadataMap;
use opentelemetry_otlp::tonic_types::transport::{Certificate, ClientTlsConfig, Identity};
use opentelemetry_otlp::{
    Compression, LogExporter, MetricExporter, SpanExporter, WithExportConfig, WithHttpConfig, WithTonicConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::LogBatch;
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::trace::SpanData;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::EXPORT;
use crate::config::{OtlpProtocol, OtlpTarget, OwnTelemetry};
use crate::error::Error;

/// An exporter that says when its backend goes away and when it is back, once each.
#[derive(Debug)]
pub(crate) struct Watched<E> {
    inner: E,
    what: &'static str,
    setting: String,
    failing: AtomicBool,
}

/// Who says it.
pub(crate) fn resource(settings: &OwnTelemetry) -> Resource {
    let mut instance = [0; 16];
    // Without randomness the instances look alike, which is no reason not to start.
    let _ = getrandom::fill(&mut instance);
    let instance: String = instance.iter().map(|byte| format!("{byte:02x}")).collect();
    let own = [("service.name", "marquetry"), ("service.version", crate::VERSION), ("service.instance.id", &instance)];
    let own = own.into_iter().filter(|(key, _)| !settings.resource.contains_key(*key));
    let own = own.map(|(key, value)| KeyValue::new(key, value.to_owned()));
    let said = settings.resource.iter().filter_map(|(k, v)| Some(KeyValue::new(k.clone(), v.clone()?)));
    Resource::builder_empty().with_attributes(own.chain(said)).build()
}

/// An exporter of spans.
pub(crate) fn spans(target: &OtlpTarget) -> Result<Watched<SpanExporter>, Error> {
    let builder = SpanExporter::builder();
    let built = match target.protocol {
        OtlpProtocol::Grpc => over_grpc(builder.with_tonic(), target)?.build(),
        _ => over_http(builder.with_http(), target, "/v1/traces")?.build(),
    };
    watched(built.map_err(|e| failed(target, e))?, "traces", target)
}

/// An exporter of log records.
pub(crate) fn logs(target: &OtlpTarget) -> Result<Watched<LogExporter>, Error> {
    let builder = LogExporter::builder();
    let built = match target.protocol {
        OtlpProtocol::Grpc => over_grpc(builder.with_tonic(), target)?.build(),
        _ => over_http(builder.with_http(), target, "/v1/logs")?.build(),
    };
    watched(built.map_err(|e| failed(target, e))?, "logs", target)
}

/// An exporter of metrics.
pub(crate) fn metrics(target: &OtlpTarget) -> Result<Watched<MetricExporter>, Error> {
    let temporality = if target.delta { Temporality::Delta } else { Temporality::Cumulative };
    let builder = MetricExporter::builder().with_temporality(temporality);
    let built = match target.protocol {
        OtlpProtocol::Grpc => over_grpc(builder.with_tonic(), target)?.build(),
        _ => over_http(builder.with_http(), target, "/v1/metrics")?.build(),
    };
    watched(built.map_err(|e| failed(target, e))?, "metrics", target)
}

fn watched<E>(inner: E, what: &'static str, target: &OtlpTarget) -> Result<Watched<E>, Error> {
    Ok(Watched { inner, what, setting: target.setting.clone(), failing: AtomicBool::new(false) })
}

fn failed(target: &OtlpTarget, why: impl ToString) -> Error {
    Error::Export { setting: target.setting.clone(), why: why.to_string() }
}

fn over_http<B: WithExportConfig + WithHttpConfig>(builder: B, target: &OtlpTarget, path: &str) -> Result<B, Error> {
    let protocol = match target.protocol {
        OtlpProtocol::HttpJson => opentelemetry_otlp::Protocol::HttpJson,
        _ => opentelemetry_otlp::Protocol::HttpBinary,
    };
    let headers: HashMap<String, String> = target.headers.iter().cloned().collect();
    let client: HyperClient<HttpsConnector<HttpConnector>> = HyperClient::new(connector(target)?, target.timeout, None);
    let builder = builder
        .with_endpoint(target.url_for(path))
        .with_protocol(protocol)
        .with_timeout(target.timeout)
        .with_http_client(client)
        .with_headers(headers);
    Ok(if target.gzip { builder.with_compression(Compression::Gzip) } else { builder })
}

/// Plain or TLS, by the scheme of the endpoint.
fn connector(target: &OtlpTarget) -> Result<HttpsConnector<HttpConnector>, Error> {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().map_err(|e| failed(target, e))?;
    let builder = match (&target.ca, target.is_tls()) {
        (Some(pem), _) => {
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|e| failed(target, e))?;
                roots.add(certificate).map_err(|e| failed(target, e))?;
            }
            builder.with_root_certificates(roots)
        }
        (None, true) => builder.with_native_roots().map_err(|e| failed(target, e))?,
        (None, false) => builder.with_root_certificates(RootCertStore::empty()),
    };
    let config = match &target.identity {
        Some((chain, key)) => {
            let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain).collect();
            let key = PrivateKeyDer::from_pem_slice(key).map_err(|e| failed(target, e))?;
            builder.with_client_auth_cert(chain.map_err(|e| failed(target, e))?, key).map_err(|e| failed(target, e))?
        }
        None => builder.with_no_client_auth(),
    };
    Ok(HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1().build())
}

fn over_grpc<B: WithExportConfig + WithTonicConfig>(builder: B, target: &OtlpTarget) -> Result<B, Error> {
    let mut headers = HeaderMap::new();
    for (name, value) in &target.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|e| failed(target, e))?;
        headers.insert(name, HeaderValue::from_str(value).map_err(|e| failed(target, e))?);
    }
    let mut builder = builder
        .with_endpoint(target.url.clone())
        .with_timeout(target.timeout)
        .with_metadata(MetadataMap::from_headers(headers));
    if target.is_tls() {
        let mut tls = ClientTlsConfig::new();
        tls = match &target.ca {
            Some(pem) => tls.ca_certificate(Certificate::from_pem(pem)),
            None => tls.with_native_roots(),
        };
        if let Some((chain, key)) = &target.identity {
            tls = tls.identity(Identity::from_pem(chain, key));
        }
        builder = builder.with_tls_config(tls);
    }
    Ok(if target.gzip { builder.with_compression(Compression::Gzip) } else { builder })
}

// === impl Watched ===

impl<E> Watched<E> {
    fn note(&self, done: OTelSdkResult) -> OTelSdkResult {
        let failed = done.is_err();
        if self.failing.swap(failed, Relaxed) != failed {
            let (what, setting) = (self.what, &self.setting);
            match &done {
                Err(e) => {
                    tracing::warn!(target: EXPORT, what, setting, error = %e, "own telemetry does not reach its backend; what does not fit the queue is lost, data is not");
                }
                Ok(()) => tracing::info!(target: EXPORT, what, setting, "own telemetry reaches its backend again"),
            }
        }
        done
    }
}

impl<E: opentelemetry_sdk::trace::SpanExporter> opentelemetry_sdk::trace::SpanExporter for Watched<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        if batch.is_empty() {
            return Ok(());
        }
        self.note(self.inner.export(batch).await)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

impl<E: opentelemetry_sdk::logs::LogExporter> opentelemetry_sdk::logs::LogExporter for Watched<E> {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        self.note(self.inner.export(batch).await)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

impl<E: PushMetricExporter> PushMetricExporter for Watched<E> {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        self.note(self.inner.export(metrics).await)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn temporality(&self) -> Temporality {
        self.inner.temporality()
    }
}
