const { logs } = require("@opentelemetry/api-logs");

// The name decides which table takes the record.
logs.getLogger("app").emit({ eventName: "{{name}}", attributes: { "user.id": userId } });
