# pip install opentelemetry-processor-baggage==0.66b1
# identify.py; add "app.identify.Identify" to MIDDLEWARE, after AuthenticationMiddleware
from opentelemetry import baggage, context, trace
from opentelemetry._logs import get_logger_provider
from opentelemetry.processor.baggage import ALLOW_ALL_BAGGAGE_KEYS, BaggageLogProcessor, BaggageSpanProcessor


class Identify:
    def __init__(self, get_response):
        self.get_response = get_response
        trace.get_tracer_provider().add_span_processor(BaggageSpanProcessor(ALLOW_ALL_BAGGAGE_KEYS))
        get_logger_provider().add_log_record_processor(BaggageLogProcessor(ALLOW_ALL_BAGGAGE_KEYS))

    def __call__(self, request):
        tokens = []
        for key, value in (("user.id", request.user.pk), ("session.id", request.session.session_key)):
            if value:
                trace.get_current_span().set_attribute(key, str(value))
                tokens.append(context.attach(baggage.set_baggage(key, str(value))))
        try:
            return self.get_response(request)
        finally:
            for token in reversed(tokens):
                context.detach(token)
