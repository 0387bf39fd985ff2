# pip install opentelemetry-processor-baggage==0.66b1
from opentelemetry import baggage, context, trace
from opentelemetry._logs import get_logger_provider
from opentelemetry.processor.baggage import ALLOW_ALL_BAGGAGE_KEYS, BaggageLogProcessor, BaggageSpanProcessor

trace.get_tracer_provider().add_span_processor(BaggageSpanProcessor(ALLOW_ALL_BAGGAGE_KEYS))
get_logger_provider().add_log_record_processor(BaggageLogProcessor(ALLOW_ALL_BAGGAGE_KEYS))


@app.middleware("http")
async def identify(request, call_next):
    # Where your authentication puts them.
    for key, value in (("user.id", request.scope.get("user_id")), ("session.id", request.cookies.get("sid"))):
        if value:
            trace.get_current_span().set_attribute(key, str(value))
            context.attach(baggage.set_baggage(key, str(value)))
    return await call_next(request)
