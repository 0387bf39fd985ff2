# No code: the callers put user.id and session.id into the `baggage` header, and the agent (2.33.1) copies them.
export OTEL_JAVA_EXPERIMENTAL_SPAN_ATTRIBUTES_COPY_FROM_BAGGAGE_INCLUDE=user.id,session.id
export OTEL_JAVA_EXPERIMENTAL_LOG_ATTRIBUTES_COPY_FROM_BAGGAGE_INCLUDE=user.id,session.id
# Where your own code knows the user:
#   Span.current().setAttribute("user.id", userId).setAttribute("session.id", sessionId);
