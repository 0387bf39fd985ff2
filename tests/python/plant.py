"""Writes export requests with a secret or personal value in every field that OTLP has: plant.py FOLDER.

Beside `traces.bin`, `logs.bin` and `metrics.bin` stands `planted.json`: which number was planted where.
"""

import json
import sys
import time
from pathlib import Path

from marks import DETECTED, word
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

# What decides a record's table, by shape.
SPANS = {
    "requests": (2, {"http.request.method": "GET", "http.route": "/api/x", "http.response.status_code": 200}),
    "requests, old names": (2, {"http.method": "GET", "http.route": "/api/x", "http.status_code": 500}),
    "provider_calls": (3, {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-5.1"}),
    "spans": (1, {}),
}
LOGS = {
    "logs": (9, "", {}),
    "errors": (17, "", {"exception.type": "ValueError"}),
    "auth_events": (9, "auth.login_failed", {"app.auth.outcome": "failure"}),
    "audit_log": (9, "audit.user_update", {"audit.resource.type": "user"}),
    "activity_events": (9, "app.page_view", {}),
    "rate_limits": (13, "rate_limit.exceeded", {}),
    "key_events": (9, "api_key.created", {}),
}

# Attributes whose whole value is personal or secret, whatever it looks like.
NAMED = [
    "user.id", "user.email", "user.name", "user.full_name", "enduser.id", "session.id", "device.id", "app.installation.id",
    "user.phone", "gen_ai.conversation.id",
    "http.request.header.authorization", "http.request.header.cookie", "http.response.header.set-cookie",
    "http.request.header.x-api-key", "http.request.header.xi-api-key", "app.api_key", "api_key", "password", "token",
    "authorization", "gen_ai.headers",
]  # fmt: skip

# Attributes with free text, each read by some column or by nothing.
FREE = [
    "note", "log.record.uid", "url.full", "url.path", "url.query", "http.target", "http.url", "user_agent.original", "error.message", "error.type",
    "exception.message", "exception.stacktrace", "exception.type", "db.query.text", "gen_ai.input.messages",
    "gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.response.model", "gen_ai.response.id", "gen_ai.agent.name",
    "audit.resource.id", "audit.old_value", "audit.new_value", "reason", "event.data", "http.request.body.content", "peer.service",
]  # fmt: skip

ADDRESSES = ["client.address", "http.client_ip", "net.peer.ip", "net.sock.peer.addr", "http.request.header.x-forwarded-for"]


class Garden:
    """Numbers what is planted and remembers where."""

    def __init__(self):
        self.places = []

    def number(self, place):
        self.places.append(place)
        return len(self.places) - 1

    def text(self, kind, place):
        """A sentence with a value of this kind."""
        return f"see {DETECTED[kind](self.number(f'{place} ({kind})'))} there"

    def named(self, place):
        return f"person-{word(self.number(place), 20)}"


def attributes(garden, kind, where, into):
    """Every kind of attribute value, and keys."""

    def text(what):
        return garden.text(kind, f"{where}: {what}")

    for key in FREE:
        into.add(key=key).value.string_value = text(key)
    into.add(key="note.url").value.string_value = f"https://x.example/p?q={text('query value').replace(' ', '+')}"
    into.add(key="note.json").value.string_value = json.dumps({"deep": [{"text": text("JSON in a string")}]})
    into.add(key="note.bytes").value.bytes_value = text("bytes value").encode()
    into.add(key=text("attribute key")).value.string_value = "x"
    nested = into.add(key="note.nested").value.kvlist_value.values
    nested.add(key="deep").value.array_value.values.add().string_value = text("nested value")
    nested.add(key=text("nested key")).value.int_value = 1
    nested.add(key="bytes").value.bytes_value = text("nested bytes").encode()
    many = into.add(key="note.array").value.array_value.values
    many.add().string_value = text("array value")


def personal(garden, where, into):
    """Attributes that are personal by their name; addresses keep only their network."""
    for key in NAMED:
        into.add(key=key).value.string_value = garden.named(f"{where}: {key}")
    for key in ADDRESSES:
        into.add(key=key).value.string_value = f"198.51.100.{200 + garden.number(f'{where}: {key}') % 50}"
    array = into.add(key="http.request.header.x-goog-api-key").value.array_value.values
    array.add().string_value = garden.named(f"{where}: header as an array")


def plain(fields, into):
    for key, value in fields.items():
        into.add(key=key).value.MergeFrom(type(into.add().value)(**{"int_value" if isinstance(value, int) else "string_value": value}))
        del into[-1]


def head(garden, kind, group, scopes):
    """Fills resource and scope of a group of records; returns the scope's entry."""
    text = lambda what: garden.text(kind, what)  # noqa: E731
    for key in ("service.name", "service.version", "service.namespace", "deployment.environment", "telemetry.sdk.language", "host.name"):
        group.resource.attributes.add(key=key).value.string_value = text(f"resource {key}")
    group.resource.attributes.add(key=text("resource attribute key")).value.string_value = "x"
    group.resource.attributes.add(key="process.command_args").value.bytes_value = text("resource bytes").encode()
    group.schema_url = f"https://x.example/{text('resource schema url')}"
    scope = scopes.add()
    scope.scope.name, scope.scope.version = text("scope name"), text("scope version")
    scope.scope.attributes.add(key=text("scope attribute key")).value.string_value = text("scope attribute value")
    scope.schema_url = f"https://x.example/{text('scope schema url')}"
    return scope


def traces(garden, now):
    request = ExportTraceServiceRequest()
    for number, kind in enumerate(DETECTED):
        group = request.resource_spans.add()
        scope = head(garden, kind, group, group.scope_spans)
        for shape, (span_kind, fields) in SPANS.items():
            at = f"span for {shape}"
            span = scope.spans.add(kind=span_kind, start_time_unix_nano=now, end_time_unix_nano=now + 1000)
            span.trace_id, span.span_id = (number + 1).to_bytes(16, "big"), (len(garden.places) + 1).to_bytes(8, "big")
            span.name = garden.text(kind, f"{at}: name")
            span.trace_state = f"vendor={garden.text(kind, f'{at}: trace state')}"
            span.status.code, span.status.message = 2, garden.text(kind, f"{at}: status message")
            plain(fields, span.attributes)
            personal(garden, at, span.attributes)
            attributes(garden, kind, at, span.attributes)
            for name in ("exception", garden.text(kind, f"{at}: event name")):
                event = span.events.add(name=name, time_unix_nano=now)
                attributes(garden, kind, f"{at}, event", event.attributes)
                personal(garden, f"{at}, event", event.attributes)
            link = span.links.add(trace_id=bytes(15) + b"\1", span_id=bytes(7) + b"\1")
            link.trace_state = f"vendor={garden.text(kind, f'{at}, link: trace state')}"
            attributes(garden, kind, f"{at}, link", link.attributes)
    return request


def logs(garden, now):
    request = ExportLogsServiceRequest()
    for kind in DETECTED:
        group = request.resource_logs.add()
        scope = head(garden, kind, group, group.scope_logs)
        for shape, (severity, event, fields) in LOGS.items():
            for body in ("string", "list", "map", "bytes"):
                at = f"log for {shape}"
                log = scope.log_records.add(time_unix_nano=now, severity_number=severity, event_name=event)
                log.severity_text = garden.text(kind, f"{at}: severity text")
                plain(fields, log.attributes)
                personal(garden, at, log.attributes)
                attributes(garden, kind, at, log.attributes)
                text = garden.text(kind, f"{at}: body as {body}")
                if body == "string":
                    log.body.string_value = text
                elif body == "list":
                    log.body.array_value.values.add().string_value = text
                elif body == "map":
                    log.body.kvlist_value.values.add(key=text).value.string_value = garden.text(kind, f"{at}: body's map")
                else:
                    log.body.bytes_value = text.encode()
            # An event name that no table knows, with a value in it.
            scope.log_records.add(time_unix_nano=now, event_name=garden.text(kind, "log: event name"))
    return request


def metrics(garden, now):
    request = ExportMetricsServiceRequest()
    for kind in DETECTED:
        group = request.resource_metrics.add()
        scope = head(garden, kind, group, group.scope_metrics)
        metric = scope.metrics.add(name=garden.text(kind, "metric: name"), description=garden.text(kind, "metric: description"))
        point = metric.gauge.data_points.add(time_unix_nano=now, as_int=1)
        attributes(garden, kind, "metric", point.attributes)
    return request


def main():
    folder, garden, now = Path(sys.argv[1]), Garden(), time.time_ns()
    for name, fill in (("traces", traces), ("logs", logs), ("metrics", metrics)):
        (folder / f"{name}.bin").write_bytes(fill(garden, now).SerializeToString())
    (folder / "planted.json").write_text(json.dumps(garden.places))
    print(json.dumps({"values": len(garden.places)}))


if __name__ == "__main__":
    main()
