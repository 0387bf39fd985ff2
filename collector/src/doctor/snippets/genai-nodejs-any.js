// No instrumentation knows this provider: say it yourself, around the call.
const { trace, SpanKind } = require("@opentelemetry/api");

const tracer = trace.getTracer("app.ai");

function ask(client, model, args) {
  const attributes = { "gen_ai.operation.name": "chat", "gen_ai.provider.name": "PROVIDER", "gen_ai.request.model": model };
  return tracer.startActiveSpan(`chat ${model}`, { kind: SpanKind.CLIENT, attributes }, async (span) => {
    try {
      const answer = await client.call({ model, ...args });
      span.setAttribute("gen_ai.usage.input_tokens", answer.usage.input_tokens);
      span.setAttribute("gen_ai.usage.output_tokens", answer.usage.output_tokens);
      return answer;
    } finally {
      span.end();
    }
  });
}
