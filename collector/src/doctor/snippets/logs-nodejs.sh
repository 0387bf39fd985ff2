# The auto-instrumentations send what winston, pino and bunyan log.
npm install @opentelemetry/auto-instrumentations-node@0.81.2
export OTEL_LOGS_EXPORTER=otlp
node -r @opentelemetry/auto-instrumentations-node/register app.js
