//! OTLP exporters of the SDK, by what a service speaks.

use std::time::Duration;

use opentelemetry_otlp::{
    Compression, ExporterBuildError, LogExporter, Protocol, RetryPolicy, SpanExporter, WithExportConfig,
    WithHttpConfig, WithTonicConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::LogExporter as _;
use opentelemetry_sdk::trace::SpanExporter as _;

use super::Endpoints;
use crate::error::Error;
use crate::services::{Profile, Wire};

/// A collector that is busy says so; whoever demonstrates waits, and gives up only on one that is gone.
const PATIENCE: Duration = Duration::from_secs(60);

fn retries() -> RetryPolicy {
    RetryPolicy::recommended().with_max_retries(40)
}

pub(super) fn spans(profile: &Profile, endpoints: &Endpoints, resource: &Resource) -> Result<SpanExporter, Error> {
    let built = match profile.wire {
        Wire::Grpc => {
            let builder = SpanExporter::builder().with_tonic().with_endpoint(&endpoints.grpc).with_timeout(PATIENCE);
            let builder = builder.with_retry_policy(retries());
            if profile.gzip { builder.with_compression(Compression::Gzip).build() } else { builder.build() }
        }
        Wire::HttpProtobuf | Wire::HttpJson => {
            let url = format!("{}/v1/traces", endpoints.http);
            let builder = SpanExporter::builder().with_http().with_endpoint(url).with_protocol(protocol(profile));
            let builder = builder.with_timeout(PATIENCE).with_retry_policy(retries());
            if profile.gzip { builder.with_compression(Compression::Gzip).build() } else { builder.build() }
        }
    };
    let mut exporter = built.map_err(|why| failed(profile, why))?;
    exporter.set_resource(resource);
    Ok(exporter)
}

pub(super) fn logs(profile: &Profile, endpoints: &Endpoints, resource: &Resource) -> Result<LogExporter, Error> {
    let built = match profile.wire {
        Wire::Grpc => {
            let builder = LogExporter::builder().with_tonic().with_endpoint(&endpoints.grpc).with_timeout(PATIENCE);
            let builder = builder.with_retry_policy(retries());
            if profile.gzip { builder.with_compression(Compression::Gzip).build() } else { builder.build() }
        }
        Wire::HttpProtobuf | Wire::HttpJson => {
            let url = format!("{}/v1/logs", endpoints.http);
            let builder = LogExporter::builder().with_http().with_endpoint(url).with_protocol(protocol(profile));
            let builder = builder.with_timeout(PATIENCE).with_retry_policy(retries());
            if profile.gzip { builder.with_compression(Compression::Gzip).build() } else { builder.build() }
        }
    };
    let mut exporter = built.map_err(|why| failed(profile, why))?;
    exporter.set_resource(resource);
    Ok(exporter)
}

fn protocol(profile: &Profile) -> Protocol {
    if profile.wire == Wire::HttpJson { Protocol::HttpJson } else { Protocol::HttpBinary }
}

fn failed(profile: &Profile, why: ExporterBuildError) -> Error {
    Error::Exporter { service: profile.name, why }
}
