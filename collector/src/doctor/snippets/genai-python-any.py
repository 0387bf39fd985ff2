# No instrumentation knows this provider: say it yourself, around the call.
from opentelemetry import trace

tracer = trace.get_tracer("app.ai")


def ask(client, model, **arguments):
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "PROVIDER", "gen_ai.request.model": model}
    with tracer.start_as_current_span(f"chat {model}", kind=trace.SpanKind.CLIENT, attributes=attributes) as span:
        answer = client.call(model=model, **arguments)
        span.set_attribute("gen_ai.usage.input_tokens", answer.usage.input_tokens)
        span.set_attribute("gen_ai.usage.output_tokens", answer.usage.output_tokens)
        return answer
