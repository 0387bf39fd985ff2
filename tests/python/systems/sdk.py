"""The real SDK with a clock of its own: what happened yesterday from noon on, told now.

A day in the past makes every answer about days the same at any hour; ENDPOINT and PROTOCOL say where and how it is told.
"""

import os
from datetime import datetime, time, timedelta, timezone

from opentelemetry import trace
from opentelemetry._logs import SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

ENDPOINT = os.environ["ENDPOINT"]
YESTERDAY = datetime.now(timezone.utc).date() - timedelta(days=1)
NOON = int(datetime.combine(YESTERDAY, time(12), timezone.utc).timestamp()) * 1_000_000_000
SEVERITY = {"debug": 5, "info": 9, "warning": 13, "error": 17, "critical": 21}


def exporters():
    if os.environ["PROTOCOL"] == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter(ENDPOINT, insecure=True), OTLPLogExporter(ENDPOINT, insecure=True)
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(f"{ENDPOINT}/v1/traces"), OTLPLogExporter(f"{ENDPOINT}/v1/logs")


def at(seconds):
    return NOON + round(seconds * 1000) * 1_000_000


class Service:
    """One service of a system; `close` tells everything, spans first."""

    def __init__(self, name):
        spans, logs = exporters()
        resource = Resource.create({"service.name": name})
        self.spans = TracerProvider(resource=resource, shutdown_on_exit=False)
        self.spans.add_span_processor(BatchSpanProcessor(spans))
        self.logs = LoggerProvider(resource=resource, shutdown_on_exit=False)
        self.logs.add_log_record_processor(BatchLogRecordProcessor(logs))
        self.tracer = self.spans.get_tracer(name)
        self.logger = self.logs.get_logger(name)

    def event(self, second, name, attributes=None, body=None, severity="info"):
        """A log record with an event name."""
        self.logger.emit(
            timestamp=at(second),
            observed_timestamp=at(second),
            severity_number=SeverityNumber(SEVERITY[severity]),
            severity_text=severity.upper(),
            event_name=name,
            body=body,
            attributes=attributes or {},
        )

    def span(self, second, milliseconds, name, kind, attributes, parent=None, failure=None):
        """A finished span; `failure` is what its status says."""
        context = trace.set_span_in_context(parent) if parent else None
        span = self.tracer.start_span(name, context, SpanKind[kind], attributes, start_time=at(second))
        if failure:
            span.set_status(Status(StatusCode.ERROR, failure))
        span.end(at(second + milliseconds / 1000))
        return span

    def close(self):
        self.spans.shutdown()
        self.logs.shutdown()
