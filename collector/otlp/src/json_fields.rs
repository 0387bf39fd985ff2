//! The messages of OTLP as OTLP/JSON spells them.

use crate::Signal;

/// A message and its fields.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) fields: &'static [Field],
}

/// A field: its name in camel case, its number, what it holds.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) number: u32,
    pub(crate) kind: Kind,
}

/// What a field holds, and thereby how it is written on the wire.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Text,
    Texts,
    /// Hexadecimal, or base64 as plain protobuf JSON has it.
    Id,
    Bytes,
    Bool,
    Int64,
    Uint32,
    Sint32,
    Fixed32,
    Fixed64,
    Sfixed64,
    Double,
    Fixed64s,
    Uint64,
    Uint64s,
    Doubles,
    /// A number or a name: the names with their common prefix.
    Enum(&'static str, &'static [(&'static str, i32)]),
    One(&'static Message),
    Many(&'static Message),
}

impl Message {
    /// The field of a name in camel or snake case.
    pub(crate) fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| is_named(field.name, name))
    }
}

/// Whether `name` is `camel`, or the same in snake case.
fn is_named(camel: &str, name: &str) -> bool {
    if camel == name {
        return true;
    }
    let mut rest = name.bytes();
    let same = camel.bytes().all(|byte| match rest.next() {
        Some(b'_') if byte.is_ascii_uppercase() => rest.next() == Some(byte.to_ascii_lowercase()),
        other => !byte.is_ascii_uppercase() && other == Some(byte),
    });
    same && rest.next().is_none()
}

const fn field(name: &'static str, number: u32, kind: Kind) -> Field {
    Field { name, number, kind }
}

/// The export request of a signal.
pub(crate) fn request(signal: Signal) -> &'static Message {
    match signal {
        Signal::Traces => &TRACES,
        Signal::Logs => &LOGS,
        Signal::Metrics => &METRICS,
    }
}

use Kind::{
    Bool, Bytes, Double, Doubles, Enum, Fixed32, Fixed64, Fixed64s, Id, Int64, Many, One, Sfixed64, Sint32, Text,
    Texts, Uint32, Uint64s,
};

static ANY_VALUE: Message = Message {
    fields: &[
        field("stringValue", 1, Text),
        field("boolValue", 2, Bool),
        field("intValue", 3, Int64),
        field("doubleValue", 4, Double),
        field("arrayValue", 5, One(&ARRAY_VALUE)),
        field("kvlistValue", 6, One(&KEY_VALUE_LIST)),
        field("bytesValue", 7, Bytes),
    ],
};
static ARRAY_VALUE: Message = Message { fields: &[field("values", 1, Many(&ANY_VALUE))] };
static KEY_VALUE_LIST: Message = Message { fields: &[field("values", 1, Many(&KEY_VALUE))] };
static KEY_VALUE: Message = Message { fields: &[field("key", 1, Text), field("value", 2, One(&ANY_VALUE))] };

static RESOURCE: Message = Message {
    fields: &[
        field("attributes", 1, Many(&KEY_VALUE)),
        field("droppedAttributesCount", 2, Uint32),
        field("entityRefs", 3, Many(&ENTITY_REF)),
    ],
};
static ENTITY_REF: Message = Message {
    fields: &[
        field("schemaUrl", 1, Text),
        field("type", 2, Text),
        field("idKeys", 3, Texts),
        field("descriptionKeys", 4, Texts),
    ],
};
static SCOPE: Message = Message {
    fields: &[
        field("name", 1, Text),
        field("version", 2, Text),
        field("attributes", 3, Many(&KEY_VALUE)),
        field("droppedAttributesCount", 4, Uint32),
    ],
};

static TRACES: Message = Message { fields: &[field("resourceSpans", 1, Many(&RESOURCE_SPANS))] };
static RESOURCE_SPANS: Message = Message {
    fields: &[
        field("resource", 1, One(&RESOURCE)),
        field("scopeSpans", 2, Many(&SCOPE_SPANS)),
        field("schemaUrl", 3, Text),
    ],
};
static SCOPE_SPANS: Message =
    Message { fields: &[field("scope", 1, One(&SCOPE)), field("spans", 2, Many(&SPAN)), field("schemaUrl", 3, Text)] };
static SPAN: Message = Message {
    fields: &[
        field("traceId", 1, Id),
        field("spanId", 2, Id),
        field("traceState", 3, Text),
        field("parentSpanId", 4, Id),
        field("flags", 16, Fixed32),
        field("name", 5, Text),
        field("kind", 6, Enum("SPAN_KIND_", SPAN_KINDS)),
        field("startTimeUnixNano", 7, Fixed64),
        field("endTimeUnixNano", 8, Fixed64),
        field("attributes", 9, Many(&KEY_VALUE)),
        field("droppedAttributesCount", 10, Uint32),
        field("events", 11, Many(&EVENT)),
        field("droppedEventsCount", 12, Uint32),
        field("links", 13, Many(&LINK)),
        field("droppedLinksCount", 14, Uint32),
        field("status", 15, One(&STATUS)),
    ],
};
static EVENT: Message = Message {
    fields: &[
        field("timeUnixNano", 1, Fixed64),
        field("name", 2, Text),
        field("attributes", 3, Many(&KEY_VALUE)),
        field("droppedAttributesCount", 4, Uint32),
    ],
};
static LINK: Message = Message {
    fields: &[
        field("traceId", 1, Id),
        field("spanId", 2, Id),
        field("traceState", 3, Text),
        field("attributes", 4, Many(&KEY_VALUE)),
        field("droppedAttributesCount", 5, Uint32),
        field("flags", 6, Fixed32),
    ],
};
static STATUS: Message =
    Message { fields: &[field("message", 2, Text), field("code", 3, Enum("STATUS_CODE_", STATUS_CODES))] };

static LOGS: Message = Message { fields: &[field("resourceLogs", 1, Many(&RESOURCE_LOGS))] };
static RESOURCE_LOGS: Message = Message {
    fields: &[
        field("resource", 1, One(&RESOURCE)),
        field("scopeLogs", 2, Many(&SCOPE_LOGS)),
        field("schemaUrl", 3, Text),
    ],
};
static SCOPE_LOGS: Message = Message {
    fields: &[field("scope", 1, One(&SCOPE)), field("logRecords", 2, Many(&LOG_RECORD)), field("schemaUrl", 3, Text)],
};
static LOG_RECORD: Message = Message {
    fields: &[
        field("timeUnixNano", 1, Fixed64),
        field("observedTimeUnixNano", 11, Fixed64),
        field("severityNumber", 2, Enum("SEVERITY_NUMBER_", SEVERITIES)),
        field("severityText", 3, Text),
        field("body", 5, One(&ANY_VALUE)),
        field("attributes", 6, Many(&KEY_VALUE)),
        field("droppedAttributesCount", 7, Uint32),
        field("flags", 8, Fixed32),
        field("traceId", 9, Id),
        field("spanId", 10, Id),
        field("eventName", 12, Text),
    ],
};

static METRICS: Message = Message { fields: &[field("resourceMetrics", 1, Many(&RESOURCE_METRICS))] };
static RESOURCE_METRICS: Message = Message {
    fields: &[
        field("resource", 1, One(&RESOURCE)),
        field("scopeMetrics", 2, Many(&SCOPE_METRICS)),
        field("schemaUrl", 3, Text),
    ],
};
static SCOPE_METRICS: Message = Message {
    fields: &[field("scope", 1, One(&SCOPE)), field("metrics", 2, Many(&METRIC)), field("schemaUrl", 3, Text)],
};
static METRIC: Message = Message {
    fields: &[
        field("name", 1, Text),
        field("description", 2, Text),
        field("unit", 3, Text),
        field("gauge", 5, One(&GAUGE)),
        field("sum", 7, One(&SUM)),
        field("histogram", 9, One(&HISTOGRAM)),
        field("exponentialHistogram", 10, One(&EXPONENTIAL_HISTOGRAM)),
        field("summary", 11, One(&SUMMARY)),
        field("metadata", 12, Many(&KEY_VALUE)),
    ],
};
static GAUGE: Message = Message { fields: &[field("dataPoints", 1, Many(&NUMBER_POINT))] };
static SUM: Message = Message {
    fields: &[
        field("dataPoints", 1, Many(&NUMBER_POINT)),
        field("aggregationTemporality", 2, Enum("AGGREGATION_TEMPORALITY_", TEMPORALITIES)),
        field("isMonotonic", 3, Bool),
    ],
};
static HISTOGRAM: Message = Message {
    fields: &[
        field("dataPoints", 1, Many(&HISTOGRAM_POINT)),
        field("aggregationTemporality", 2, Enum("AGGREGATION_TEMPORALITY_", TEMPORALITIES)),
    ],
};
static EXPONENTIAL_HISTOGRAM: Message = Message {
    fields: &[
        field("dataPoints", 1, Many(&EXPONENTIAL_POINT)),
        field("aggregationTemporality", 2, Enum("AGGREGATION_TEMPORALITY_", TEMPORALITIES)),
    ],
};
static SUMMARY: Message = Message { fields: &[field("dataPoints", 1, Many(&SUMMARY_POINT))] };
static NUMBER_POINT: Message = Message {
    fields: &[
        field("startTimeUnixNano", 2, Fixed64),
        field("timeUnixNano", 3, Fixed64),
        field("asDouble", 4, Double),
        field("exemplars", 5, Many(&EXEMPLAR)),
        field("asInt", 6, Sfixed64),
        field("attributes", 7, Many(&KEY_VALUE)),
        field("flags", 8, Uint32),
    ],
};
static HISTOGRAM_POINT: Message = Message {
    fields: &[
        field("startTimeUnixNano", 2, Fixed64),
        field("timeUnixNano", 3, Fixed64),
        field("count", 4, Fixed64),
        field("sum", 5, Double),
        field("bucketCounts", 6, Fixed64s),
        field("explicitBounds", 7, Doubles),
        field("exemplars", 8, Many(&EXEMPLAR)),
        field("attributes", 9, Many(&KEY_VALUE)),
        field("flags", 10, Uint32),
        field("min", 11, Double),
        field("max", 12, Double),
    ],
};
static EXPONENTIAL_POINT: Message = Message {
    fields: &[
        field("attributes", 1, Many(&KEY_VALUE)),
        field("startTimeUnixNano", 2, Fixed64),
        field("timeUnixNano", 3, Fixed64),
        field("count", 4, Fixed64),
        field("sum", 5, Double),
        field("scale", 6, Sint32),
        field("zeroCount", 7, Fixed64),
        field("positive", 8, One(&BUCKETS)),
        field("negative", 9, One(&BUCKETS)),
        field("flags", 10, Uint32),
        field("exemplars", 11, Many(&EXEMPLAR)),
        field("min", 12, Double),
        field("max", 13, Double),
        field("zeroThreshold", 14, Double),
    ],
};
static BUCKETS: Message = Message { fields: &[field("offset", 1, Sint32), field("bucketCounts", 2, Uint64s)] };
static SUMMARY_POINT: Message = Message {
    fields: &[
        field("startTimeUnixNano", 2, Fixed64),
        field("timeUnixNano", 3, Fixed64),
        field("count", 4, Fixed64),
        field("sum", 5, Double),
        field("quantileValues", 6, Many(&QUANTILE)),
        field("attributes", 7, Many(&KEY_VALUE)),
        field("flags", 8, Uint32),
    ],
};
static QUANTILE: Message = Message { fields: &[field("quantile", 1, Double), field("value", 2, Double)] };
static EXEMPLAR: Message = Message {
    fields: &[
        field("timeUnixNano", 2, Fixed64),
        field("asDouble", 3, Double),
        field("spanId", 4, Id),
        field("traceId", 5, Id),
        field("asInt", 6, Sfixed64),
        field("filteredAttributes", 7, Many(&KEY_VALUE)),
    ],
};

const SPAN_KINDS: &[(&str, i32)] =
    &[("UNSPECIFIED", 0), ("INTERNAL", 1), ("SERVER", 2), ("CLIENT", 3), ("PRODUCER", 4), ("CONSUMER", 5)];
const STATUS_CODES: &[(&str, i32)] = &[("UNSET", 0), ("OK", 1), ("ERROR", 2)];
const TEMPORALITIES: &[(&str, i32)] = &[("UNSPECIFIED", 0), ("DELTA", 1), ("CUMULATIVE", 2)];
const SEVERITIES: &[(&str, i32)] = &[
    ("UNSPECIFIED", 0),
    ("TRACE", 1),
    ("TRACE2", 2),
    ("TRACE3", 3),
    ("TRACE4", 4),
    ("DEBUG", 5),
    ("DEBUG2", 6),
    ("DEBUG3", 7),
    ("DEBUG4", 8),
    ("INFO", 9),
    ("INFO2", 10),
    ("INFO3", 11),
    ("INFO4", 12),
    ("WARN", 13),
    ("WARN2", 14),
    ("WARN3", 15),
    ("WARN4", 16),
    ("ERROR", 17),
    ("ERROR2", 18),
    ("ERROR3", 19),
    ("ERROR4", 20),
    ("FATAL", 21),
    ("FATAL2", 22),
    ("FATAL3", 23),
    ("FATAL4", 24),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_cases() {
        for name in ["startTimeUnixNano", "start_time_unix_nano"] {
            assert_eq!(SPAN.field(name).map(|f| f.number), Some(7), "{name}");
        }
        for name in ["start_timeUnixnano", "startTimeUnix", "start_time_unix_nano_", "StartTimeUnixNano", "", "_"] {
            assert!(SPAN.field(name).is_none(), "{name}");
        }
    }
}
