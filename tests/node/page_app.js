"use strict";
// A page and its backend, visited once by Debian's Chromium: node -r ./telemetry.js page_app.js
//   PORT       where the page is served, since the collector has to allow its origin beforehand
//   COLLECTOR  where the page sends its telemetry, another origin
//   CHROMIUM   the browser

const { spawn } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const esbuild = require("esbuild");
const express = require("express");
const telemetry = require("./telemetry.js");

const { PORT, COLLECTOR, CHROMIUM } = process.env;
const PATIENCE = 60_000;

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const PAGE = `<!doctype html>
<html lang="en">
  <head><title>shop</title><link rel="icon" href="data:,"></head>
  <body><button id="order">order</button><script src="/page.js"></script></body>
</html>
`;

function bundle() {
  const text = (value) => JSON.stringify(value);
  const built = esbuild.buildSync({
    entryPoints: [path.join(__dirname, "page.js")],
    bundle: true,
    minify: true,
    write: false,
    target: "es2020",
    nodePaths: [process.env.NODE_PATH],
    define: { COLLECTOR: text(COLLECTOR), USER: text("u-42"), USER_MAIL: text("a@b.co") },
  });
  return built.outputFiles[0].text;
}

const script = bundle();
const app = express();
app.get("/", (request, response) => response.type("html").send(PAGE));
app.get("/page.js", (request, response) => response.type("js").send(script));
app.get("/api/orders/:id", (request, response) => response.json({ order: request.params.id }));

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "page-"));
const server = app.listen(PORT, "127.0.0.1", () => {
  const browser = spawn(CHROMIUM, [...FLAGS, `--user-data-dir=${folder}`, `http://127.0.0.1:${PORT}/`]);
  let said = "";
  browser.stderr.on("data", (data) => (said += data));

  let ending = false;
  async function end(problem) {
    if (ending) return;
    ending = true;
    clearTimeout(timer);
    if (problem) {
      console.error(`${problem}\n${said}`);
      process.exitCode = 1;
    }
    const gone = new Promise((resolve) => browser.once("close", resolve));
    if (browser.exitCode === null && browser.kill("SIGKILL")) await gone;
    await telemetry.shutdown();
    server.close();
    server.closeAllConnections();
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  }

  const timer = setTimeout(() => end(`the page did not report within ${PATIENCE} ms`), PATIENCE);
  browser.once("error", (error) => end(`${CHROMIUM} did not start: ${error.message}`));
  browser.once("exit", (status) => end(`${CHROMIUM} ended by itself with ${status}`));
  app.get("/done", (request, response) => {
    response.end();
    end(request.query.title === "order 42" ? undefined : `the page is titled ${request.query.title}`);
  });
});
