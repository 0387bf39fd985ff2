uv pip install opentelemetry-distro==0.66b1 opentelemetry-exporter-otlp-proto-http==1.45.1 opentelemetry-instrumentation-httpx==0.66b1 opentelemetry-instrumentation-genai-anthropic==1.3b0 'anthropic<3'
export OTEL_SEMCONV_STABILITY_OPT_IN=http,gen_ai_latest_experimental
opentelemetry-instrument python app.py
