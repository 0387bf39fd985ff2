// npm install @opentelemetry/sdk-trace-web@2.12 @opentelemetry/exporter-trace-otlp-http@0.223 @opentelemetry/web-common@0.223 @opentelemetry/instrumentation@0.223 @opentelemetry/instrumentation-fetch@0.223 @opentelemetry/instrumentation-document-load@0.68 @opentelemetry/resources@2.12
import { BatchSpanProcessor, WebTracerProvider } from "@opentelemetry/sdk-trace-web";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import {
  createDefaultSessionIdGenerator, createLocalStorageSessionStore, createSessionManager, createSessionSpanProcessor,
} from "@opentelemetry/web-common";
import { registerInstrumentations } from "@opentelemetry/instrumentation";
import { FetchInstrumentation } from "@opentelemetry/instrumentation-fetch";
import { DocumentLoadInstrumentation } from "@opentelemetry/instrumentation-document-load";
import { resourceFromAttributes } from "@opentelemetry/resources";

const sessions = createSessionManager({
  sessionIdGenerator: createDefaultSessionIdGenerator(),
  sessionStore: createLocalStorageSessionStore(),
  inactivityTimeout: 1800,
});
sessions.start();
const provider = new WebTracerProvider({
  resource: resourceFromAttributes({ "service.name": "web" }),
  spanProcessors: [
    createSessionSpanProcessor(sessions),
    new BatchSpanProcessor(new OTLPTraceExporter({ url: "http://127.0.0.1:4318/v1/traces" })),
  ],
});
provider.register();
registerInstrumentations({ instrumentations: [new DocumentLoadInstrumentation(), new FetchInstrumentation()] });
// The collector lets a page's origin in by receivers.otlp.protocols.http.cors.allowed_origins.
