//! The decoder from outside: against prost, against hostile bytes, against captured requests.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail as tests do")]

mod corpus;
mod faithful;
mod fields;
mod generate;
mod hostile;
mod json;
mod oracle;
mod routing;
mod support;
