uv pip install opentelemetry-distro==0.66b1 opentelemetry-exporter-otlp-proto-http==1.45.1 opentelemetry-instrumentation-logging==0.66b1
export OTEL_LOGS_EXPORTER=otlp
opentelemetry-instrument python app.py
