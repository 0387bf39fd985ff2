# Keep one of them. Names are those of the entry points, without opentelemetry-instrumentation-.
export OTEL_PYTHON_DISABLED_INSTRUMENTATIONS={{name}}
