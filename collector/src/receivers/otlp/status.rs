//! What a sender is told, in OTLP's own terms on either wire.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::{BufMut, Bytes, BytesMut};
use otlp::Signal;

/// A reason not to take a request, by what its sender can do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Not OTLP. Sending it again is of no use.
    Malformed(String),
    /// No or a wrong token.
    Unauthenticated,
    /// More than the endpoint takes.
    TooLarge(usize),
    /// No room now; come back after the time given.
    Busy(Duration),
    /// Cannot be kept now, for a reason on our side.
    Unavailable(String),
    /// Understood, and refused for good.
    Refused(String),
    /// No such path or method.
    NoSuchMethod,
    /// The path is right, the HTTP method is not.
    NotPost,
    /// A content type that is not OTLP's.
    ContentType,
    /// A compression that is not known here.
    Compression(String),
    /// The body took too long.
    Slow,
}

impl Refusal {
    /// gRPC status code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Malformed(_) | Self::ContentType => 3,
            Self::Slow => 4,
            Self::TooLarge(_) | Self::Busy(_) => 8,
            Self::NoSuchMethod | Self::NotPost | Self::Compression(_) => 12,
            Self::Refused(_) => 13,
            Self::Unavailable(_) => 14,
            Self::Unauthenticated => 16,
        }
    }

    /// HTTP status code. A client may send again on 429, 502, 503 and 504 only.
    pub(crate) fn http(&self) -> u16 {
        match self {
            Self::Malformed(_) => 400,
            Self::Unauthenticated => 401,
            Self::NoSuchMethod => 404,
            Self::NotPost => 405,
            Self::Slow => 408,
            Self::TooLarge(_) => 413,
            Self::ContentType | Self::Compression(_) => 415,
            Self::Busy(_) => 429,
            Self::Refused(_) => 500,
            Self::Unavailable(_) => 503,
        }
    }

    /// For people. Never a value of a record.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Malformed(why) | Self::Unavailable(why) | Self::Refused(why) => why.clone(),
            Self::Unauthenticated => "a valid bearer token is needed".to_owned(),
            Self::TooLarge(limit) => format!("the request is larger than {limit} bytes, also after decompression"),
            Self::Busy(_) => "too much is in flight; send again later".to_owned(),
            Self::NoSuchMethod => {
                "nothing is served here; OTLP is, at /v1/traces, /v1/logs and /v1/metrics or by gRPC".to_owned()
            }
            Self::NotPost => "OTLP is sent by POST".to_owned(),
            Self::ContentType => {
                "the content type must be application/x-protobuf, application/json or application/grpc".to_owned()
            }
            Self::Compression(_) => "the compression must be gzip or zstd".to_owned(),
            Self::Slow => "the body took too long to arrive".to_owned(),
        }
    }

    /// When to come back, if that is known.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy(after) => Some(*after),
            Self::Unavailable(_) => Some(Duration::from_secs(1)),
            _ => None,
        }
    }

    /// `google.rpc.Status` as protobuf.
    pub(crate) fn to_protobuf(&self) -> Bytes {
        let mut out = BytesMut::new();
        put_varint_field(&mut out, 1, u64::from(self.code()));
        put_bytes_field(&mut out, 2, self.message().as_bytes());
        if let Some(after) = self.retry_after() {
            let mut duration = BytesMut::new();
            put_varint_field(&mut duration, 1, after.as_secs());
            put_varint_field(&mut duration, 2, u64::from(after.subsec_nanos()));
            let mut info = BytesMut::new();
            put_bytes_field(&mut info, 1, &duration);
            let mut any = BytesMut::new();
            put_bytes_field(&mut any, 1, RETRY_INFO.as_bytes());
            put_bytes_field(&mut any, 2, &info);
            put_bytes_field(&mut out, 3, &any);
        }
        out.freeze()
    }

    /// `google.rpc.Status` as JSON.
    pub(crate) fn to_json(&self) -> Bytes {
        let mut status = serde_json::json!({ "code": self.code(), "message": self.message() });
        if let Some(after) = self.retry_after() {
            let delay = format!("{}s", after.as_secs_f64());
            status["details"] = serde_json::json!([{ "@type": RETRY_INFO, "retryDelay": delay }]);
        }
        status.to_string().into()
    }

    /// The `grpc-status-details-bin` trailer.
    pub(crate) fn details(&self) -> String {
        STANDARD_NO_PAD.encode(self.to_protobuf())
    }
}

const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";

/// A request that was taken: how much of it was not, and what its sender should know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Accepted {
    pub(crate) rejected: u64,
    pub(crate) message: Option<String>,
}

impl Accepted {
    /// `Export*ServiceResponse` as protobuf.
    pub(crate) fn to_protobuf(&self) -> Bytes {
        if self.rejected == 0 && self.message.is_none() {
            return Bytes::new();
        }
        let mut partial = BytesMut::new();
        put_varint_field(&mut partial, 1, self.rejected);
        put_bytes_field(&mut partial, 2, self.message.as_deref().unwrap_or_default().as_bytes());
        let mut out = BytesMut::new();
        put_bytes_field(&mut out, 1, &partial);
        out.freeze()
    }

    /// `Export*ServiceResponse` as JSON.
    pub(crate) fn to_json(&self, signal: Signal) -> Bytes {
        if self.rejected == 0 && self.message.is_none() {
            return Bytes::from_static(b"{}");
        }
        let count = match signal {
            Signal::Traces => "rejectedSpans",
            Signal::Logs => "rejectedLogRecords",
            Signal::Metrics => "rejectedDataPoints",
        };
        let mut partial = serde_json::Map::new();
        if self.rejected > 0 {
            partial.insert(count.to_owned(), self.rejected.to_string().into());
        }
        if let Some(message) = &self.message {
            partial.insert("errorMessage".to_owned(), message.clone().into());
        }
        serde_json::json!({ "partialSuccess": partial }).to_string().into()
    }
}

fn put_varint_field(out: &mut BytesMut, field: u8, value: u64) {
    if value != 0 {
        out.put_u8(field << 3);
        put_varint(out, value);
    }
}

fn put_bytes_field(out: &mut BytesMut, field: u8, value: &[u8]) {
    if !value.is_empty() {
        out.put_u8(field << 3 | 2);
        put_varint(out, value.len() as u64);
        out.put_slice(value);
    }
}

fn put_varint(out: &mut BytesMut, mut value: u64) {
    while value >= 0x80 {
        out.put_u8((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.put_u8(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_says_when_to_come_back() {
        let busy = Refusal::Busy(Duration::from_millis(1500));
        let expected = [&[0x08, 8, 0x12, 40][..], b"too much is in flight; send again later"[..].as_ref()];
        let bytes = busy.to_protobuf();
        assert_eq!(&bytes[..2], &expected[0][..2]);
        assert!(bytes.windows(expected[1].len()).any(|w| w == expected[1]));
        // Any { type_url, RetryInfo { Duration { seconds: 1, nanos: 500_000_000 } } }
        let tail = [0x12, 10, 0x0a, 8, 0x08, 1, 0x10, 0x80, 0xca, 0xb5, 0xee, 0x01];
        assert_eq!(&bytes[bytes.len() - tail.len()..], &tail);
        let json: serde_json::Value = serde_json::from_slice(&busy.to_json()).unwrap();
        assert_eq!(json["details"][0]["retryDelay"], "1.5s");
    }

    #[test]
    fn an_answer_without_news_is_empty() {
        assert_eq!(Accepted::default().to_protobuf(), Bytes::new());
        assert_eq!(Accepted::default().to_json(Signal::Logs), Bytes::from_static(b"{}"));
        let partial = Accepted { rejected: 300, message: Some("x".to_owned()) };
        assert_eq!(partial.to_protobuf().as_ref(), [0x0a, 6, 0x08, 0xac, 0x02, 0x12, 1, b'x']);
        assert_eq!(
            partial.to_json(Signal::Logs).as_ref(),
            br#"{"partialSuccess":{"errorMessage":"x","rejectedLogRecords":"300"}}"#
        );
    }
}
