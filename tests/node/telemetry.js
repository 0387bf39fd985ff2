"use strict";
// Telemetry of a Node service, loaded before anything else: `node -r ./telemetry.js app.js`. The endpoint and the
// protocol come from the environment, as OpenTelemetry names them.

const { NodeSDK } = require("@opentelemetry/sdk-node");
const { BatchSpanProcessor } = require("@opentelemetry/sdk-trace-base");
const { ALLOW_ALL_BAGGAGE_KEYS, BaggageSpanProcessor } = require("@opentelemetry/baggage-span-processor");
const { getNodeAutoInstrumentations } = require("@opentelemetry/auto-instrumentations-node");

// Span processors of one's own replace the SDK's, so that the exporter has to be chosen here as well.
const EXPORTERS = {
  grpc: "@opentelemetry/exporter-trace-otlp-grpc",
  "http/json": "@opentelemetry/exporter-trace-otlp-http",
  "http/protobuf": "@opentelemetry/exporter-trace-otlp-proto",
};
const { OTLPTraceExporter } = require(EXPORTERS[process.env.OTEL_EXPORTER_OTLP_PROTOCOL ?? "http/protobuf"]);

const sdk = new NodeSDK({
  spanProcessors: [
    new BaggageSpanProcessor(ALLOW_ALL_BAGGAGE_KEYS),
    new BatchSpanProcessor(new OTLPTraceExporter()),
  ],
  instrumentations: [getNodeAutoInstrumentations()],
});
sdk.start();

module.exports = { shutdown: () => sdk.shutdown() };
