//! Why the traffic did not arrive.

use std::fmt;

use opentelemetry_otlp::ExporterBuildError;
use opentelemetry_sdk::error::OTelSdkError;

/// What went wrong.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// An exporter could not be made.
    Exporter {
        /// Of which service.
        service: &'static str,
        /// Why.
        why: ExporterBuildError,
    },
    /// A batch was refused for good, or nobody answered.
    Refused {
        /// Of which service.
        service: &'static str,
        /// Why.
        why: OTelSdkError,
    },
    /// Nobody takes records of this service any more: a batch before was refused.
    Closed,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exporter { service, .. } => write!(f, "making an OTLP exporter for {service}"),
            Self::Refused { service, .. } => write!(f, "sending records of {service}"),
            Self::Closed => f.write_str("sending more records after some were refused"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Exporter { why, .. } => Some(why),
            Self::Refused { why, .. } => Some(why),
            Self::Closed => None,
        }
    }
}
