//! The services that send, and how each of them does: every wire of OTLP is in use.

/// A service with an SDK of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// SeeMe's backend.
    SeeMeApi,
    /// SeeMe on the phone.
    SeeMeApp,
    /// PostBro's backend.
    PostBroApi,
    /// Tripwire's backend.
    TripwireApi,
    /// Optio in the browser.
    OptioWeb,
    /// CVD's backend.
    CvdApi,
}

/// How records travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// gRPC.
    Grpc,
    /// Protobuf over HTTP.
    HttpProtobuf,
    /// JSON over HTTP.
    HttpJson,
}

/// What a service says of itself.
#[derive(Debug)]
pub(crate) struct Profile {
    pub(crate) name: &'static str,
    pub(crate) namespace: &'static str,
    pub(crate) version: &'static str,
    pub(crate) scope: &'static str,
    pub(crate) host: &'static str,
    pub(crate) wire: Wire,
    pub(crate) gzip: bool,
}

const fn profile(service: Service, name: &'static str, namespace: &'static str, wire: Wire, gzip: bool) -> Profile {
    let (version, scope, host) = match service {
        Service::SeeMeApi => ("5.2.0", "@vercel/otel", "api.seeme.example"),
        Service::SeeMeApp => ("3.8.1", "SeeMeTelemetry", "app.seeme.example"),
        Service::PostBroApi => ("2.14.3", "opentelemetry.instrumentation.django", "postbro.example"),
        Service::TripwireApi => ("1.9.0", "tripwire", "academy.tripwire.example"),
        Service::OptioWeb => ("0.31.2", "@optio/tracker", "optio.example"),
        Service::CvdApi => ("4.0.7", "cvd.audit", "cvd.example"),
    };
    Profile { name, namespace, version, scope, host, wire, gzip }
}

/// Every service, in the order of the enum.
pub(crate) static PROFILES: [Profile; 6] = [
    profile(Service::SeeMeApi, "seeme-api", "seeme", Wire::Grpc, false),
    profile(Service::SeeMeApp, "seeme-ios", "seeme", Wire::HttpJson, true),
    profile(Service::PostBroApi, "postbro-api", "postbro", Wire::Grpc, true),
    profile(Service::TripwireApi, "tripwire-api", "tripwire", Wire::HttpProtobuf, false),
    profile(Service::OptioWeb, "optio-web", "optio", Wire::HttpProtobuf, true),
    profile(Service::CvdApi, "cvd-api", "cvd", Wire::HttpJson, false),
];

impl Service {
    pub(crate) fn profile(self) -> &'static Profile {
        &PROFILES[self as usize]
    }
}

impl Wire {
    /// As people write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Grpc => "gRPC",
            Self::HttpProtobuf => "HTTP/protobuf",
            Self::HttpJson => "HTTP/JSON",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Service;

    #[test]
    fn profiles_stand_in_the_order_of_the_enum() {
        let expected = [
            (Service::SeeMeApi, "seeme-api"),
            (Service::SeeMeApp, "seeme-ios"),
            (Service::PostBroApi, "postbro-api"),
            (Service::TripwireApi, "tripwire-api"),
            (Service::OptioWeb, "optio-web"),
            (Service::CvdApi, "cvd-api"),
        ];
        for (service, name) in expected {
            assert_eq!(service.profile().name, name);
        }
    }
}
