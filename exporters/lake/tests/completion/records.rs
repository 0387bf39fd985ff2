//! Records as numbers, so that a failing case shrinks, and the rows that they make.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Int64Array, StringArray, TimestampMicrosecondArray};
use component::{Gather, Rows};
use proptest::prelude::*;
use schemas::{Catalog, Type};

/// Two hours before midnight: what happens within four hours lies in two partitions.
pub const BASE: i64 = (20_000 * 24 + 22) * HOUR;
pub const HOUR: i64 = 3_600_000_000;

/// One record; 0 means that it does not say so.
#[derive(Debug, Clone, Default)]
pub struct Record {
    pub what: What,
    pub tenant: u8,
    pub trace: u8,
    /// Which record is above, by number from 1.
    pub parent: u8,
    /// Microseconds after [`BASE`].
    pub at: i64,
    pub user: u8,
    pub session: u8,
    pub device: u8,
    pub answer: u8,
    pub detail: u8,
    /// How often it is sent.
    pub copies: u8,
    /// Its time is not of its day.
    pub suspect: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum What {
    #[default]
    Request,
    Span,
    Log,
    SignIn,
    SignOut,
    Audit,
    Call,
    HttpCall,
    CallLog,
    Exception,
    ErrorLog,
    FailedSpan,
    Activity,
}

const WHATS: [What; 13] = [
    What::Request,
    What::Span,
    What::Log,
    What::SignIn,
    What::SignOut,
    What::Audit,
    What::Call,
    What::HttpCall,
    What::CallLog,
    What::Exception,
    What::ErrorLog,
    What::FailedSpan,
    What::Activity,
];

pub type Cells = Vec<(&'static str, String)>;

impl Record {
    /// Its table and the columns that have a value; `number` is its own, from 1.
    pub fn row(&self, number: usize) -> (&'static str, Cells) {
        let mut row = self.common(number);
        let mut say = |column: &'static str, value: &str| row.push((column, value.to_owned()));
        let first = self.detail.is_multiple_of(2);
        let table = match self.what {
            What::Request => "requests",
            What::Span => "spans",
            What::Log => "logs",
            What::SignIn | What::SignOut => {
                say("action", if self.what == What::SignIn { "login" } else { "logout" });
                "auth_events"
            }
            What::Audit => {
                say("action", "USER_UPDATE");
                "audit_log"
            }
            What::Call | What::HttpCall | What::CallLog => {
                self.call(&mut say);
                "provider_calls"
            }
            What::Exception | What::ErrorLog | What::FailedSpan => {
                say("error_type", if self.detail < 3 { "ApiError" } else { "lib.RateLimitError" });
                say("message", if first { "slow down" } else { "not now" });
                if self.what == What::Exception {
                    say("event_index", &(self.detail % 2).to_string());
                }
                "errors"
            }
            What::Activity => "activity_events",
        };
        (table, row)
    }

    fn call(&self, say: &mut impl FnMut(&'static str, &str)) {
        say("provider", "openai");
        if self.answer > 0 && self.what != What::HttpCall {
            say("response_id", &format!("answer-{}", self.answer));
        }
        match self.what {
            What::Call => {
                say("operation", if self.detail == 5 { "invoke_agent" } else { "chat" });
                say("request_model", "gpt-4o-mini");
                for (bit, column) in [(1, "input_tokens"), (2, "reasoning_tokens")] {
                    if self.detail & bit > 0 {
                        say(column, "7");
                    }
                }
            }
            What::CallLog if self.detail.is_multiple_of(2) => say("name", "gen_ai.client.inference.operation.details"),
            _ => say("name", "app.ai.interaction"),
        }
    }

    fn is_log(&self) -> bool {
        matches!(
            self.what,
            What::Log | What::SignIn | What::SignOut | What::Audit | What::CallLog | What::ErrorLog | What::Activity
        )
    }

    fn common(&self, number: usize) -> Cells {
        let time = if self.suspect { BASE - 40 * 24 * HOUR } else { BASE + self.at };
        let kind = match self.what {
            _ if self.is_log() => "log",
            What::Request => "server",
            What::Call | What::HttpCall => "client",
            _ => "internal",
        };
        let mut row: Cells = vec![
            ("tenant", ["acme", "other"][usize::from(self.tenant)].to_owned()),
            ("time", time.to_string()),
            ("date", (BASE + self.at).div_euclid(24 * HOUR).to_string()),
            ("service_name", ["shop", "api"][number % 2].to_owned()),
            ("kind", kind.to_owned()),
        ];
        let span = |number: usize| format!("{number:016x}");
        if self.trace > 0 {
            // Spread over what a sampler looks at: of the traces 1, 2 and 3 a half keeps 2 and 3.
            row.push(("trace_id", format!("{:032x}", u64::from(self.trace) * 0x0055_5555_5555_5555)));
            let own = if self.is_log() { usize::from(self.parent) } else { number };
            let above = if self.is_log() { 0 } else { usize::from(self.parent) };
            row.extend((own > 0).then(|| ("span_id", span(own))));
            row.extend((above > 0).then(|| ("parent_span_id", span(above))));
        }
        if self.is_log() || self.trace == 0 {
            row.push(("record_uid", format!("uid-{number}")));
        }
        for (column, value) in [("user_id", self.user), ("session_id", self.session), ("device_id", self.device)] {
            row.extend((value > 0).then(|| (column, format!("{column} {value}"))));
        }
        row
    }
}

/// Times anywhere within four hours, edges of hours among them.
fn at(hours: i64) -> impl Strategy<Value = i64> {
    prop_oneof![
        3 => (0..hours * 60).prop_map(|minute| minute * 60_000_000),
        1 => (0..=hours, -1..=1_i64).prop_map(move |(hour, shift)| (hour * HOUR + shift).clamp(0, hours * HOUR - 1)),
    ]
}

/// Up to `most` records within so many hours.
pub fn records(most: usize, hours: i64) -> impl Strategy<Value = Vec<Record>> {
    let copies = prop_oneof![6 => Just(1_u8), 1 => Just(2_u8), 1 => Just(3_u8)];
    let who = (0..3_u8, 0..3_u8, 0..3_u8);
    let place = (prop::sample::select(WHATS.to_vec()), 0..2_u8, 0..4_u8, 0..9_u8, at(hours));
    let rest = (0..3_u8, 0..6_u8, copies, prop::bool::weighted(if hours > 1 { 0.03 } else { 0.0 }));
    let record = (place, who, rest).prop_map(|((what, tenant, trace, parent, at), who, rest)| {
        let (user, session, device) = who;
        let (answer, detail, copies, suspect) = rest;
        Record { what, tenant, trace, parent, at, user, session, device, answer, detail, copies, suspect }
    });
    prop::collection::vec(record, 1..most)
}

/// Rows of all tables, as the decoder would make them.
pub fn gather(catalog: &Catalog, rows: &[(&'static str, Cells)]) -> Gather {
    let tables = catalog.tables().iter().map(|table| {
        let mine: Vec<&Cells> = rows.iter().filter(|(name, _)| *name == table.name).map(|(_, cells)| cells).collect();
        let columns = table.columns.iter().map(|column| {
            let cell = |cells: &&Cells| cells.iter().find(|(name, _)| *name == column.name).map(|(_, v)| v.clone());
            let values: Vec<Option<String>> = mine.iter().map(cell).collect();
            values.iter().any(Option::is_some).then(|| array(column.r#type, &values))
        });
        Rows::new(Arc::clone(table), columns.collect(), vec![0; mine.len()]).unwrap()
    });
    Gather::new(tables.collect())
}

fn array(kind: Type, values: &[Option<String>]) -> ArrayRef {
    let numbers = || values.iter().map(|v| v.as_ref().map(|v| v.parse::<i64>().unwrap()));
    match kind {
        Type::Text | Type::Dict => Arc::new(StringArray::from(values.to_vec())),
        Type::Int => Arc::new(numbers().collect::<Int64Array>()),
        Type::Time => Arc::new(numbers().collect::<TimestampMicrosecondArray>().with_timezone("UTC")),
        Type::Date => Arc::new(numbers().map(|n| n.map(|n| i32::try_from(n).unwrap())).collect::<Date32Array>()),
        other => unreachable!("no record has a {other:?}"),
    }
}
