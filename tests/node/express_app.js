"use strict";
// An Express app as a team would write it, and the visits that it gets in the test.

const dns = require("node:dns");
const http = require("node:http");
const { context, propagation, trace } = require("@opentelemetry/api");
const { suppressTracing } = require("@opentelemetry/core");
const express = require("express");
const OpenAI = require("openai");
const telemetry = require("./telemetry.js");

// The provider's name leads to its stand-in, so that HTTP spans look as they do in production.
const provider = new URL(process.env.PROVIDER);
const lookup = dns.lookup;
dns.lookup = (name, ...rest) => lookup(name === "api.openai.com" ? provider.hostname : name, ...rest);

const client = new OpenAI({ apiKey: "test", baseURL: `http://api.openai.com:${provider.port}/v1`, maxRetries: 0 });
const messages = [{ role: "user", content: "mail me at a@b.co" }];
const app = express();

// What is usual, and leaves the span of the request without a user: the active span is this middleware's own.
app.use((request, response, next) => {
  const user = request.get("x-user");
  if (!user) return next();
  trace.getActiveSpan()?.setAttribute("user.id", user);
  const baggage = propagation.createBaggage({ "session.id": { value: request.get("x-session") } });
  context.with(propagation.setBaggage(context.active(), baggage), next);
});

app.get("/health/live", (request, response) => response.json({ ok: true }));

app.get("/api/chat/:id", async (request, response) => {
  await client.chat.completions.create({ model: "gpt-5.1", messages });
  response.json({ done: true });
});

app.get("/api/limited", async (request, response) => {
  await client.chat.completions.create({ model: "gpt-of-others", messages });
  response.json({ done: true });
});

app.get("/api/boom", () => {
  throw new TypeError("kaboom user=a@b.co");
});

// Express would print the stack; the answer is enough here.
app.use((error, request, response, next) => response.status(500).json({ error: error.name }));

const VISITS = [
  ["/health/live", 200],
  ["/api/chat/c1", 200],
  ["/api/limited", 500],
  ["/api/boom", 500],
  ["/nowhere", 404],
];

function visit(port, path) {
  const identity = path.startsWith("/health") ? {} : { "x-user": "u-42", "x-session": "s-9" };
  const options = { host: "127.0.0.1", port, path, headers: { "user-agent": "Mozilla/5.0 test", ...identity } };
  const get = (resolve, reject) =>
    http.get(options, (response) => response.resume().on("end", () => resolve(response.statusCode))).on("error", reject);
  // The visitor is no part of the service.
  return new Promise((resolve, reject) => context.with(suppressTracing(context.active()), get, undefined, resolve, reject));
}

const server = app.listen(0, "127.0.0.1", async () => {
  try {
    for (const [path, expected] of VISITS) {
      const status = await visit(server.address().port, path);
      if (status !== expected) throw new Error(`GET ${path} answered ${status}, not ${expected}`);
    }
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  }
  await telemetry.shutdown();
  server.close();
  server.closeAllConnections();
});
