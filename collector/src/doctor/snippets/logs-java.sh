# The agent (2.33.1) sends what Logback, Log4j and java.util.logging get, unless this is switched off.
export OTEL_LOGS_EXPORTER=otlp
