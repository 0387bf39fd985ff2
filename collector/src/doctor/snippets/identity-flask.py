# pip install opentelemetry-processor-baggage==0.66b1
from flask import session
from opentelemetry import baggage, context, trace
from opentelemetry._logs import get_logger_provider
from opentelemetry.processor.baggage import ALLOW_ALL_BAGGAGE_KEYS, BaggageLogProcessor, BaggageSpanProcessor

trace.get_tracer_provider().add_span_processor(BaggageSpanProcessor(ALLOW_ALL_BAGGAGE_KEYS))
get_logger_provider().add_log_record_processor(BaggageLogProcessor(ALLOW_ALL_BAGGAGE_KEYS))


@app.before_request
def identify():
    for key, value in (("user.id", session.get("user_id")), ("session.id", session.get("sid"))):
        if value:
            trace.get_current_span().set_attribute(key, str(value))
            context.attach(baggage.set_baggage(key, str(value)))
