// npm install @opentelemetry/sdk-node@0.223 @opentelemetry/auto-instrumentations-node@0.81.2 @opentelemetry/instrumentation-openai@0.21 openai@6.49
// otel.js, loaded before the app: node -r ./otel.js app.js
const { NodeSDK } = require("@opentelemetry/sdk-node");
const { getNodeAutoInstrumentations } = require("@opentelemetry/auto-instrumentations-node");
const { OpenAIInstrumentation } = require("@opentelemetry/instrumentation-openai");

new NodeSDK({ instrumentations: [getNodeAutoInstrumentations(), new OpenAIInstrumentation()] }).start();
