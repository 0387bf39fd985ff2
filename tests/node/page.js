// A page as a team would write it: what loads, what it asks of its backend and what breaks goes to the collector as
// OTLP/JSON from another origin. `COLLECTOR`, `USER` and `USER_MAIL` are put in by the bundler.

import { ZoneContextManager } from "@opentelemetry/context-zone";
import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { registerInstrumentations } from "@opentelemetry/instrumentation";
import { DocumentLoadInstrumentation } from "@opentelemetry/instrumentation-document-load";
import { FetchInstrumentation } from "@opentelemetry/instrumentation-fetch";
import { UserInteractionInstrumentation } from "@opentelemetry/instrumentation-user-interaction";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import { BatchSpanProcessor, WebTracerProvider } from "@opentelemetry/sdk-trace-web";
import {
  createDefaultSessionIdGenerator,
  createLocalStorageSessionStore,
  createSessionLogRecordProcessor,
  createSessionManager,
  createSessionSpanProcessor,
} from "@opentelemetry/web-common";

const sessions = createSessionManager({
  sessionIdGenerator: createDefaultSessionIdGenerator(),
  sessionStore: createLocalStorageSessionStore(),
  maxDuration: 7200,
  inactivityTimeout: 1800,
});
sessions.start();

// Says who the user is, which a page knows once they have signed in, and how many spans are still open.
let open = 0;
const watch = {
  onStart: (span) => {
    span.setAttribute("user.id", USER);
    open += 1;
  },
  onEnd: () => {
    open -= 1;
  },
  onEmit: (record) => record.setAttribute("user.id", USER),
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};

const resource = resourceFromAttributes({ "service.name": "page" });
const spans = new WebTracerProvider({
  resource,
  spanProcessors: [
    createSessionSpanProcessor(sessions),
    watch,
    new BatchSpanProcessor(new OTLPTraceExporter({ url: `${COLLECTOR}/v1/traces` })),
  ],
});
spans.register({ contextManager: new ZoneContextManager() });
const logs = new LoggerProvider({
  resource,
  processors: [
    createSessionLogRecordProcessor(sessions),
    watch,
    new BatchLogRecordProcessor({ exporter: new OTLPLogExporter({ url: `${COLLECTOR}/v1/logs` }) }),
  ],
});
const logger = logs.getLogger("page");
registerInstrumentations({
  tracerProvider: spans,
  instrumentations: [
    new DocumentLoadInstrumentation(),
    // What the page tells the collector and the test is no part of the shop.
    new FetchInstrumentation({ ignoreUrls: [new RegExp(`^${COLLECTOR}`), /\/done\?/] }),
    new UserInteractionInstrumentation(),
  ],
});

function failed(error) {
  logger.emit({
    eventName: "exception",
    severityNumber: 17,
    severityText: "ERROR",
    attributes: {
      "exception.type": error.name,
      "exception.message": error.message,
      "exception.stacktrace": error.stack,
      "url.full": location.href,
    },
  });
}

addEventListener("error", (event) => failed(event.error));
addEventListener("unhandledrejection", (event) => failed(event.reason));

const button = document.querySelector("button");

button.addEventListener("click", async () => {
  logger.emit({
    eventName: "app.widget.click",
    severityNumber: 9,
    attributes: { "app.widget.name": "order", "url.full": location.href },
  });
  const answer = await fetch("/api/orders/42");
  document.title = `order ${(await answer.json()).order}`;
  throw new RangeError(`no such size for ${USER_MAIL}`);
});

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// What a visitor does, once the page is loaded: a click, and leaving when everything has been told.
addEventListener("load", async () => {
  await pause(100);
  button.click();
  do await pause(50);
  while (open > 0 || document.title === "shop");
  await spans.forceFlush();
  await logs.forceFlush();
  await fetch(`/done?title=${encodeURIComponent(document.title)}`);
});
