//! Traffic of five systems, sent as their apps would send it: by the OpenTelemetry SDK, over OTLP.
