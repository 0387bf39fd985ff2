// npm install @opentelemetry/api @opentelemetry/core
// The active span in a middleware is the middleware's own: the request's span is the RPC metadata's.
const { context, propagation } = require("@opentelemetry/api");
const { getRPCMetadata } = require("@opentelemetry/core");

app.use((req, res, next) => {
  const who = { "user.id": req.user?.id, "session.id": req.sessionID };
  let baggage = propagation.getActiveBaggage() ?? propagation.createBaggage();
  for (const [key, value] of Object.entries(who)) {
    if (value === undefined) continue;
    getRPCMetadata(context.active())?.span.setAttribute(key, String(value));
    baggage = baggage.setEntry(key, { value: String(value) });
  }
  // With @opentelemetry/baggage-span-processor@0.5.0 in the SDK, every span below carries them too.
  context.with(propagation.setBaggage(context.active(), baggage), next);
});
