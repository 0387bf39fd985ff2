//! Who sends: the services of the five systems, and the instrumentations inside them.

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;

use super::text;

/// A service; it runs as two instances.
#[derive(Debug, Clone, Copy)]
pub enum Service {
    SeeMeBackend,
    SeeMeApp,
    PostBroWeb,
    PostBroWorker,
    TripwireApi,
    OptioApi,
    OptioWeb,
    CvdApi,
}

const SERVICES: [(&str, &str, &str, &str); 8] = [
    ("seeme", "seeme-backend", "nodejs", "4.12.0"),
    ("seeme", "seeme-ios", "swift", "4.12.1"),
    ("postbro", "postbro-web", "python", "2026.11.3"),
    ("postbro", "postbro-worker", "python", "2026.11.3"),
    ("tripwire", "tripwire-api", "python", "1.9.4"),
    ("optio", "optio-api", "python", "3.2.0"),
    ("optio", "optio-web", "webjs", "3.2.0"),
    ("cvd", "cvd-api", "nodejs", "0.41.7"),
];

/// Instances of each service; a batch comes from one of them.
pub const INSTANCES: usize = 2;

/// The resource of every instance.
pub fn resources() -> Vec<Resource> {
    let instances = SERVICES.iter().flat_map(|service| (0..INSTANCES).map(move |instance| (service, instance)));
    let resource = |((namespace, name, language, version), instance): (&(&str, &str, &str, &str), usize)| Resource {
        attributes: vec![
            text("telemetry.sdk.language", *language),
            text("telemetry.sdk.name", "opentelemetry"),
            text("telemetry.sdk.version", "1.45.1"),
            text("service.name", *name),
            text("service.namespace", *namespace),
            text("service.version", *version),
            text("service.instance.id", format!("{name}-7c9d5b6f4-{}", ["x2kqp", "m8wzt"][instance % INSTANCES])),
            text("deployment.environment.name", "production"),
            text("host.name", format!("{name}-{instance}")),
        ],
        ..Resource::default()
    };
    instances.map(resource).collect()
}

/// An instrumentation or a logger.
#[derive(Debug, Clone, Copy)]
pub enum Scope {
    NodeHttp,
    NodeUndici,
    PythonDjango,
    PythonFastApi,
    PythonRequests,
    Psycopg,
    Celery,
    GenAi,
    Business,
    Logger,
    Events,
    Browser,
}

const SCOPES: [(&str, &str); 12] = [
    ("@opentelemetry/instrumentation-http", "0.219.0"),
    ("@opentelemetry/instrumentation-undici", "0.29.0"),
    ("opentelemetry.instrumentation.django", "0.66b1"),
    ("opentelemetry.instrumentation.fastapi", "0.66b1"),
    ("opentelemetry.instrumentation.requests", "0.66b1"),
    ("opentelemetry.instrumentation.psycopg", "0.66b1"),
    ("opentelemetry.instrumentation.celery", "0.66b1"),
    ("opentelemetry.util.genai", "1.3b0"),
    ("app.business", ""),
    ("app.logger", ""),
    ("app.events", "1.0.0"),
    ("@opentelemetry/browser-instrumentation", "0.6.0"),
];

/// Every scope.
pub fn scopes() -> Vec<InstrumentationScope> {
    let scope = |(name, version): &(&str, &str)| InstrumentationScope {
        name: (*name).to_owned(),
        version: (*version).to_owned(),
        ..InstrumentationScope::default()
    };
    SCOPES.iter().map(scope).collect()
}
