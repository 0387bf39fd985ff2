"""A Flask app as a team would write it, and the visits that it gets in the test.

Telemetry comes from `opentelemetry-instrument`; the app adds who the user is and one event of its own.
"""

import http.client
import logging
import os
import threading

import openai
import requests
from flask import Flask, jsonify, request
from opentelemetry import baggage, context, trace
from opentelemetry._logs import get_logger_provider
from opentelemetry.processor.baggage import ALLOW_ALL_BAGGAGE_KEYS, BaggageLogProcessor, BaggageSpanProcessor
from werkzeug.serving import make_server

PROVIDER = os.environ["PROVIDER"]
IDENTITY = {"x-user": "u-42", "x-session": "s-9", "user-agent": os.environ.get("AGENT", "Mozilla/5.0 test")}

# The three lines that carry an identity from the request to every span and log below it.
trace.get_tracer_provider().add_span_processor(BaggageSpanProcessor(ALLOW_ALL_BAGGAGE_KEYS))
get_logger_provider().add_log_record_processor(BaggageLogProcessor(ALLOW_ALL_BAGGAGE_KEYS))

app = Flask("flaskapp")
log = logging.getLogger("app")
log.setLevel(logging.INFO)
client = openai.OpenAI(api_key="test", base_url=f"{PROVIDER}/v1", max_retries=0)


@app.before_request
def identify():
    if user := request.headers.get("x-user"):
        span = trace.get_current_span()
        for key, value in (("user.id", user), ("session.id", request.headers["x-session"])):
            span.set_attribute(key, value)
            context.attach(baggage.set_baggage(key, value))


@app.get("/health/")
def health():
    return "ok"


@app.get("/api/chat/<cid>")
def chat(cid):
    client.chat.completions.create(model="gpt-5.1", messages=[{"role": "user", "content": "mail me at a@b.co"}])
    log.info("chat done", extra={"coach_id": cid})
    return jsonify(done=True)


@app.get("/api/stream")
def stream():
    messages = [{"role": "user", "content": "hi"}]
    options = {"include_usage": True}
    for _ in client.chat.completions.create(model="gpt-5.1", messages=messages, stream=True, stream_options=options):
        pass
    return jsonify(done=True)


@app.get("/api/resp")
def responses():
    client.responses.create(model="gpt-5.1", input="hi")
    return jsonify(done=True)


@app.get("/api/limited")
def limited():
    client.chat.completions.create(model="gpt-of-others", messages=[{"role": "user", "content": "hi"}])
    return jsonify(done=True)


@app.get("/api/scrape")
def scrape():
    requests.get(f"{PROVIDER}/scrape?token=abc123secret", timeout=10)
    return jsonify(done=True)


@app.post("/api/login")
def login():
    log.warning("login failed for a@b.co", extra={"event.name": "auth.login_failed", "reason": "bad_password"})
    return jsonify(error="bad password"), 401


@app.get("/api/boom")
def boom():
    raise ValueError("kaboom user=a@b.co")


VISITS = [
    ("GET", "/health/", 200),
    ("GET", "/api/chat/c1", 200),
    ("GET", "/api/stream", 200),
    ("GET", "/api/resp", 200),
    ("GET", "/api/limited", 500),
    ("GET", "/api/scrape", 200),
    ("POST", "/api/login", 401),
    ("GET", "/api/boom", 500),
]


def main():
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for method, path, status in VISITS:
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=30)
        connection.request(method, path, headers={} if path == "/health/" else IDENTITY)
        response = connection.getresponse()
        response.read()
        connection.close()
        if response.status != status:
            raise SystemExit(f"{method} {path} answered {response.status}, not {status}")
    server.shutdown()


if __name__ == "__main__":
    main()
