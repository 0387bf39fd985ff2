import logging

# With opentelemetry-instrumentation-logging==0.66b1; the name decides which table takes the record.
logging.getLogger("app").info("what happened", extra={"event.name": "{{name}}", "user.id": user_id})
