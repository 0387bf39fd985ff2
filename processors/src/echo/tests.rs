use super::*;
use crate::fixture::{Row, cell, gather};

const TRACE: &str = "11111111111111111111111111111111";
const CALLS: &str = "provider_calls";
const ERRORS: &str = "errors";

/// A row as `column=value` pairs, and the `echo_of` that it must get.
type Case<'a> = (&'a str, Option<&'a str>);

/// Processes gathers of one table one after the other. A row that says nothing of its trace is in [`TRACE`].
fn check(table: &str, gathers: &[&[Case]]) {
    let mut echoes = Echoes::new(64);
    for (number, cases) in gathers.iter().enumerate() {
        let rows: Vec<Vec<(&str, &str)>> = cases.iter().map(|(row, _)| cells(row)).collect();
        let mut gather = gather(&rows.iter().map(|cells| (table, cells.as_slice())).collect::<Vec<Row>>());
        // A second try of the same gather must not make rows echoes of themselves.
        for attempt in 0..2 {
            echoes.mark(&mut gather).unwrap();
            for (row, (text, expected)) in cases.iter().enumerate() {
                let found = cell(&gather, table, row, "echo_of");
                assert_eq!(found.as_deref(), *expected, "gather {number}, attempt {attempt}, {text}");
            }
        }
    }
}

fn cells(row: &str) -> Vec<(&str, &str)> {
    let mut cells: Vec<_> = row.split(", ").map(|pair| pair.split_once('=').unwrap()).collect();
    if cells.iter().all(|(column, _)| *column != "trace_id") {
        cells.push(("trace_id", TRACE));
    }
    cells.retain(|(_, value)| !value.is_empty());
    cells
}

fn id(rest: &str) -> String {
    format!("{TRACE}:{rest}")
}

#[test]
fn log_events_repeat_their_span() {
    let call = id("aaaaaaaaaaaaaaaa");
    let echo = Some(call.as_str());
    let span = "span_id=aaaaaaaaaaaaaaaa, kind=client, operation=chat, response_id=r1";
    let event = "span_id=aaaaaaaaaaaaaaaa, kind=log, name=gen_ai.client.inference.operation.details, record_uid=u1";
    let loose = "trace_id=, kind=log, name=app.ai.interaction, response_id=r1, record_uid=u2";
    let own = "span_id=bbbbbbbbbbbbbbbb, kind=log, name=app.ai.interaction, operation=chat, record_uid=u3";
    let foreign = "tenant=other, span_id=aaaaaaaaaaaaaaaa, kind=log, name=app.ai.interaction, record_uid=u4";
    check(CALLS, &[&[(event, echo), (span, None), (loose, echo), (own, None), (foreign, None)]]);
    // The log comes first, in its own request: its ids name the span.
    check(CALLS, &[&[(event, echo)], &[(span, None)], &[(loose, echo)]]);
    // Before its span, a log without ids is all there is.
    check(CALLS, &[&[(loose, None)], &[(span, None)]]);
}

#[test]
fn http_spans_repeat_the_call_above_them() {
    let call = id("aaaaaaaaaaaaaaaa");
    let echo = Some(call.as_str());
    let span = "span_id=aaaaaaaaaaaaaaaa, kind=client, operation=chat";
    let child = "span_id=bbbbbbbbbbbbbbbb, parent_span_id=aaaaaaaaaaaaaaaa, kind=client, provider=openai";
    let below = "span_id=cccccccccccccccc, parent_span_id=bbbbbbbbbbbbbbbb, kind=client, provider=openai";
    let agent = "span_id=dddddddddddddddd, kind=client, operation=invoke_agent";
    let direct = "span_id=eeeeeeeeeeeeeeee, parent_span_id=dddddddddddddddd, kind=client, provider=openai";
    let nested = "span_id=ffffffffffffffff, parent_span_id=aaaaaaaaaaaaaaaa, kind=client, operation=embeddings";
    check(CALLS, &[&[(below, echo), (child, echo), (span, None), (agent, None), (direct, None), (nested, None)]]);
    check(CALLS, &[&[(span, None)], &[(child, echo)], &[(below, echo)]]);
    // The child ended first; the merge completes what the gather cannot see.
    check(CALLS, &[&[(child, None)], &[(span, None)]]);
}

#[test]
fn one_answer_counts_once() {
    let plain = "span_id=aaaaaaaaaaaaaaaa, kind=client, operation=chat, response_id=r1, input_tokens=5";
    let rich = "span_id=bbbbbbbbbbbbbbbb, parent_span_id=aaaaaaaaaaaaaaaa, kind=client, operation=chat, \
                response_id=r1, input_tokens=5, cache_read_tokens=2";
    let child = "span_id=cccccccccccccccc, parent_span_id=aaaaaaaaaaaaaaaa, kind=client";
    let agent = "span_id=dddddddddddddddd, kind=internal, operation=invoke_agent, response_id=r1";
    let elsewhere = "trace_id=22222222222222222222222222222222, span_id=aaaaaaaaaaaaaaaa, kind=client, \
                     operation=chat, response_id=r1";
    let (first, best) = (id("aaaaaaaaaaaaaaaa"), id("bbbbbbbbbbbbbbbb"));
    let echo = Some(best.as_str());
    check(CALLS, &[&[(plain, echo), (rich, None), (child, echo), (agent, None), (elsewhere, None)]]);
    // What came in an earlier gather stays what counts: no row is rewritten.
    check(CALLS, &[&[(plain, None)], &[(rich, Some(&first))]]);
}

#[test]
fn libraries_around_one_call_count_once() {
    let outer = "span_id=aaaaaaaaaaaaaaaa, kind=client, scope_name=traceloop, operation=chat, request_model=m, \
                 input_tokens=5, output_tokens=7, cache_read_tokens=2, response_id=r1";
    let inner = "span_id=bbbbbbbbbbbbbbbb, parent_span_id=aaaaaaaaaaaaaaaa, kind=internal, scope_name=openinference, \
                 operation=chat, response_model=m, input_tokens=3, output_tokens=7";
    let http = "span_id=cccccccccccccccc, parent_span_id=bbbbbbbbbbbbbbbb, kind=client";
    let call = id("aaaaaaaaaaaaaaaa");
    let echo = Some(call.as_str());
    check(CALLS, &[&[(inner, echo), (http, echo), (outer, None)]]);
    // The same library makes a call of its own, whose model, answer, counts or end may differ as well.
    for (from, to) in [
        ("scope_name=openinference", "scope_name=traceloop"),
        ("response_model=m", "response_model=n"),
        ("output_tokens=7", "output_tokens=8"),
        ("operation=chat", "operation=embeddings"),
        ("kind=internal", "kind=internal, error_type=429"),
        ("kind=internal", "kind=internal, response_id=r2"),
        ("parent_span_id=aaaaaaaaaaaaaaaa", "parent_span_id=dddddddddddddddd"),
    ] {
        check(CALLS, &[&[(&inner.replace(from, to), None), (outer, None)]]);
    }
    // A third one, which says the most, is what counts.
    let third = "span_id=eeeeeeeeeeeeeeee, parent_span_id=bbbbbbbbbbbbbbbb, kind=client, scope_name=native, \
                 operation=chat, request_model=m, response_model=m, input_tokens=5, output_tokens=7, \
                 cache_read_tokens=2, reasoning_tokens=1";
    let best = id("eeeeeeeeeeeeeeee");
    check(CALLS, &[&[(third, None), (inner, Some(&best)), (outer, Some(&best))]]);
}

#[test]
fn one_exception_counts_once() {
    let inner = "span_id=aaaaaaaaaaaaaaaa, event_index=0, error_type=openai.RateLimitError, message=slow down";
    let outer = "span_id=bbbbbbbbbbbbbbbb, event_index=1, error_type=RateLimitError, message=slow down, time=9";
    let log = "kind=log, record_uid=u1, error_type=RateLimitError, message=slow down, time=1";
    let status =
        "span_id=dddddddddddddddd, kind=client, error_type=RateLimitError, status_message=RateLimitError: slow down";
    let other = "span_id=aaaaaaaaaaaaaaaa, event_index=2, error_type=RateLimitError, message=still";
    let vague = "kind=log, record_uid=u2, message=slow down";
    let first = id("bbbbbbbbbbbbbbbb:1");
    let echo = Some(first.as_str());
    check(ERRORS, &[&[(log, echo), (outer, None), (inner, echo), (status, echo), (other, None), (vague, None)]]);
    check(ERRORS, &[&[(log, None)], &[(inner, Some("u1"))], &[(status, Some("u1"))]]);
}

#[test]
fn a_failed_call_is_the_exception_that_says_the_same() {
    // Node: the call names its type by the class, its frameworks by the provider's code.
    let call =
        "span_id=aaaaaaaaaaaaaaaa, kind=client, operation=chat, error_type=RateLimitError, status_message=429 slow";
    let again =
        "span_id=cccccccccccccccc, kind=client, operation=chat, error_type=RateLimitError, status_message=429 slow";
    let event = "span_id=bbbbbbbbbbbbbbbb, event_index=0, error_type=rate_limit_exceeded, message=429 slow";
    let other = "span_id=bbbbbbbbbbbbbbbb, event_index=1, error_type=rate_limit_exceeded, message=429 slower";
    let elsewhere = "trace_id=22222222222222222222222222222222, span_id=bbbbbbbbbbbbbbbb, event_index=0, \
                     error_type=rate_limit_exceeded, message=429 slow";
    let wrapped = "span_id=bbbbbbbbbbbbbbbb, event_index=2, error_type=AppError, message=429 slow";
    let silent = "span_id=dddddddddddddddd, kind=client, operation=chat, error_type=RateLimitError";
    let (exception, failed) = (id("bbbbbbbbbbbbbbbb:0"), id("aaaaaaaaaaaaaaaa"));
    let echo = Some(exception.as_str());
    let one =
        [(call, echo), (again, echo), (event, None), (other, None), (elsewhere, None), (wrapped, None), (silent, None)];
    check(ERRORS, &[&one]);
    check(ERRORS, &[&[(event, None)], &[(call, echo)]]);
    check(ERRORS, &[&[(call, None)], &[(event, Some(&failed))]]);
}

#[test]
fn failed_spans_repeat_what_they_recorded() {
    let event = "span_id=aaaaaaaaaaaaaaaa, event_index=0, error_type=RateLimitError, message=slow down";
    let call = "span_id=aaaaaaaaaaaaaaaa, kind=client, operation=chat, error_type=429, status_message=limited";
    let http = "span_id=cccccccccccccccc, parent_span_id=aaaaaaaaaaaaaaaa, kind=client, error_type=503";
    let tool =
        "span_id=dddddddddddddddd, parent_span_id=aaaaaaaaaaaaaaaa, kind=client, operation=embeddings, error_type=500";
    let (recorded, failed) = (id("aaaaaaaaaaaaaaaa:0"), id("aaaaaaaaaaaaaaaa"));
    let echo = Some(recorded.as_str());
    check(ERRORS, &[&[(http, echo), (call, echo), (event, None), (tool, None)]]);
    check(ERRORS, &[&[(http, Some(&failed)), (call, None)]]);
}

#[test]
fn the_memory_stays_bounded_and_forgets_the_oldest() {
    let mut recent = Recent { limit: 2, ..Recent::default() };
    let key = |number| Key::LooseAnswer(0, number);
    for number in 0..5 {
        recent.keep(key(number), &Id::Uid(number.to_string().into()));
        recent.keep(key(number), &Id::Uid("later".into()));
    }
    assert_eq!((recent.known.len(), recent.order.len()), (2, 2));
    assert_eq!(recent.get(&key(2)), None);
    assert_eq!(recent.get(&key(4)), Some(&Id::Uid("4".into())));
}
