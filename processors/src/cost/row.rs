//! One call: from its columns to its price, or to why there is none.

use std::sync::Arc;

use arrow::array::{Array, BooleanArray, Decimal128Array, Int64Array, TimestampMicrosecondArray};
use component::{Rows, Text};

use super::find::Names;
use super::overrides::{BillWhen, Caller};
use super::plan::{Bill, Plan};
use super::resolve::{Asks, Decision, Question, Resolver};
use super::units::{Fault, Units, Usage};
use super::usage::{Counted, Makes, Reader, Report};

/// Operations that sum up their children or call no model.
const AGGREGATES: &[&str] = &["invoke_agent", "invoke_workflow", "create_agent", "execute_tool", "plan", "agent_step"];

/// Overlaps that are bounded one after the other before a call is given up.
const OVERLAPS: usize = 3;

/// Whether a call of this operation only sums up others.
pub(crate) fn is_aggregate(operation: Option<&str>) -> bool {
    operation.is_some_and(|operation| AGGREGATES.contains(&operation))
}

/// The columns of one gather's calls.
pub(super) struct Calls<'a> {
    tenant: Option<Text<'a>>,
    project: Option<Text<'a>>,
    namespace: Option<Text<'a>>,
    kind: Option<Text<'a>>,
    time: Option<&'a TimestampMicrosecondArray>,
    provider: Option<Text<'a>>,
    host: Option<Text<'a>>,
    request_model: Option<Text<'a>>,
    response_model: Option<Text<'a>>,
    operation: Option<Text<'a>>,
    output_type: Option<Text<'a>>,
    service_tier: Option<Text<'a>>,
    size: Option<Text<'a>>,
    quality: Option<Text<'a>>,
    region: Option<Text<'a>>,
    speed: Option<Text<'a>>,
    search_type: Option<Text<'a>>,
    route: Option<Text<'a>>,
    status: Option<Text<'a>>,
    span_status: Option<Text<'a>>,
    error_type: Option<Text<'a>>,
    status_code: Option<&'a Int64Array>,
    is_batch: Option<&'a BooleanArray>,
    from_cache: Option<&'a BooleanArray>,
    reported: Option<&'a Decimal128Array>,
    reported_currency: Option<Text<'a>>,
    reported_source: Option<Text<'a>>,
    counted: Counted<'a>,
}

/// What a call costs, or why that is not known.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) status: &'static str,
    pub(super) cost: Option<i128>,
    /// What the list says, where the provider says what it costs.
    pub(super) listed: Option<i128>,
    /// `genai-prices`, `litellm`, `override`, `built_in`, `provider` or `sender`.
    pub(super) source: Option<&'static str>,
    /// How the price was found, or what is missing.
    pub(super) how: Option<&'static str>,
    pub(super) plan: Option<Arc<Plan>>,
    /// Whether the pricer's bill is this call's and says how the cost adds up.
    pub(super) billed: bool,
    pub(super) semantics: Option<&'static str>,
}

/// Prices calls; owns what is reused from one to the next.
pub(super) struct Pricer {
    pub(super) resolver: Resolver,
    pub(super) reader: Reader,
    usage: Usage,
    pub(super) bill: Bill,
}

impl<'a> Calls<'a> {
    pub(super) fn new(rows: &'a Rows, pricer: &Pricer) -> Self {
        Self {
            tenant: rows.text("tenant"),
            project: rows.text("project"),
            namespace: rows.text("service_namespace"),
            kind: rows.text("kind"),
            time: rows.get("time").and_then(|a| a.as_any().downcast_ref()),
            provider: rows.text("provider"),
            host: rows.text("server_address"),
            request_model: rows.text("request_model"),
            response_model: rows.text("response_model"),
            operation: rows.text("operation"),
            output_type: rows.text("output_type"),
            service_tier: rows.text("service_tier"),
            size: rows.text("image_size"),
            quality: rows.text("image_quality"),
            region: rows.text("region"),
            speed: rows.text("speed"),
            search_type: rows.text("search_type"),
            route: rows.text("provider_route"),
            status: rows.text("status"),
            span_status: rows.text("span_status"),
            error_type: rows.text("error_type"),
            status_code: rows.int("status_code"),
            is_batch: rows.bool("is_batch"),
            from_cache: rows.bool("from_cache"),
            reported: rows.get("reported_cost").and_then(|a| a.as_any().downcast_ref()),
            reported_currency: rows.text("reported_currency"),
            reported_source: rows.text("reported_cost_source"),
            counted: pricer.reader.columns(rows),
        }
    }

    fn names(&self, row: usize) -> Names<'_> {
        Names {
            provider: text(self.provider, row),
            host: text(self.host, row),
            response_model: text(self.response_model, row),
            request_model: text(self.request_model, row),
        }
    }

    fn asks(&self, row: usize) -> Asks<'_> {
        let mut asks = Asks::default();
        let tier = text(self.service_tier, row);
        let words = [
            ("service_tier", tier),
            ("operation", text(self.operation, row)),
            ("size", text(self.size, row)),
            ("quality", text(self.quality, row)),
            ("region", text(self.region, row)),
            ("speed", text(self.speed, row)),
            ("search_type", text(self.search_type, row)),
            ("route", text(self.route, row)),
            ("output_type", text(self.output_type, row)),
            ("processing", (tier == Some("batch") || flag(self.is_batch, row)).then_some("batch")),
        ];
        for (key, value) in words {
            if let Some(value) = value {
                asks.add(key, value);
            }
        }
        asks
    }

    /// Whether the call was seen as nothing but HTTP.
    fn is_http(&self, row: usize) -> bool {
        let without = |column| text(column, row).is_none();
        without(self.operation)
            && without(self.request_model)
            && without(self.response_model)
            && text(self.kind, row) != Some("log")
    }

    /// What is counted by what was asked for is not counted for a call that failed.
    fn makes(&self, row: usize) -> Makes {
        if !self.succeeded(row) {
            return Makes::Other;
        }
        match (text(self.operation, row), text(self.output_type, row)) {
            (Some("text_to_speech"), _) => Makes::Speech,
            (Some("image_generation"), _) => Makes::Images,
            (Some("chat" | "generate_content" | "speech_to_text"), _) => Makes::Other,
            (_, Some("speech")) => Makes::Speech,
            (_, Some("image")) => Makes::Images,
            _ => Makes::Other,
        }
    }

    /// Whether the call brought what it was made for.
    fn succeeded(&self, row: usize) -> bool {
        match text(self.status, row) {
            Some("success") => true,
            Some("error" | "aborted" | "pending") => false,
            _ => {
                let code = self.status_code.filter(|a| a.is_valid(row)).map(|a| a.value(row));
                text(self.error_type, row).is_none()
                    && text(self.span_status, row) != Some("error")
                    && code.is_none_or(|code| (200..400).contains(&code))
            }
        }
    }

    /// What the sender says it cost, in dollars.
    fn reported(&self, row: usize) -> Option<i128> {
        let cost = self.reported.filter(|a| a.is_valid(row)).map(|a| a.value(row)).filter(|cost| *cost >= 0)?;
        text(self.reported_currency, row).is_none_or(|currency| currency.eq_ignore_ascii_case("usd")).then_some(cost)
    }

    fn reported_by_provider(&self, row: usize) -> bool {
        text(self.reported_source, row).is_some_and(|source| source.eq_ignore_ascii_case("provider"))
    }
}

impl Outcome {
    fn without_cost(status: &'static str) -> Self {
        Self { status, ..Self::default() }
    }

    fn free(status: &'static str) -> Self {
        Self { status, cost: Some(0), ..Self::default() }
    }

    fn unpriced(how: &'static str) -> Self {
        Self { status: "unpriced", how: Some(how), ..Self::default() }
    }

    fn reported(cost: i128, source: &'static str) -> Self {
        Self { status: "reported", cost: Some(cost), source: Some(source), ..Self::default() }
    }
}

impl Pricer {
    /// `None` if the price list lacks a unit that a column counts.
    pub(super) fn new(resolver: Resolver) -> Option<Self> {
        let reader = Reader::new(&resolver.book.units)?;
        Some(Self { resolver, reader, usage: Usage::default(), bill: Bill::default() })
    }

    /// Prices one call.
    pub(super) fn price(&mut self, calls: &Calls, row: usize) -> Outcome {
        if is_aggregate(text(calls.operation, row)) {
            return Outcome::without_cost("aggregate");
        }
        if flag(calls.from_cache, row) {
            return Outcome::free("cache_hit");
        }
        let reported = calls.reported(row);
        let report = self.reader.read(&calls.counted, row, calls.makes(row), &mut self.usage);
        let mut outcome = self.work_out(calls, row, &report);
        if let Some(cost) = reported.filter(|_| calls.reported_by_provider(row)) {
            outcome = Outcome { listed: outcome.cost, ..Outcome::reported(cost, "provider") };
        }
        if let Some(cost) = reported.filter(|_| matches!(outcome.status, "unpriced" | "no_usage")) {
            outcome = Outcome { how: outcome.how, ..Outcome::reported(cost, "sender") };
        }
        outcome.semantics = report.semantics;
        outcome
    }

    fn work_out(&mut self, calls: &Calls, row: usize, report: &Report) -> Outcome {
        let project = text(calls.project, row).or_else(|| text(calls.namespace, row));
        let caller = Caller { tenant: text(calls.tenant, row), project };
        let time = calls.time.filter(|a| a.is_valid(row)).map_or(0, |a| a.value(row));
        let question = Question { names: calls.names(row), caller, asks: &calls.asks(row), time };
        let decision = self.resolver.decide(&question);
        let outcome = self.by(&decision, calls, row, report);
        let by_list = decision.source == "genai-prices" && outcome.how == Some("no_price");
        if let Some(other) = by_list.then(|| self.resolver.decide_by_breadth(&question)).flatten() {
            let second = self.by(&other, calls, row, report);
            if second.cost.is_some() {
                // The provider sells the model by another measure.
                let status = if second.status == "priced" { "estimated" } else { second.status };
                return Outcome { status, ..second };
            }
        }
        outcome
    }

    /// A call by one decision.
    fn by(&mut self, decision: &Decision, calls: &Calls, row: usize, report: &Report) -> Outcome {
        if decision.bill_when == BillWhen::Success && !calls.succeeded(row) {
            return decision.outcome(Outcome::free("not_billed"));
        }
        let used = self.usage.any() || report.only_total.is_some();
        if !used && calls.is_http(row) && decision.plan.as_ref().is_none_or(|plan| !plan.requests_only) {
            return Outcome::unpriced("http_only");
        }
        let Some(plan) = decision.plan.clone() else {
            let outcome = if used { Outcome::unpriced(decision.how) } else { Outcome::without_cost("no_usage") };
            return decision.outcome(outcome);
        };
        if report.negative {
            return decision.outcome(Outcome::without_cost("invalid_usage"));
        }
        if !plan.requests_only {
            if !used {
                return decision.outcome(Outcome::without_cost("no_usage"));
            }
            if let Some(outcome) = self.unpriceable(&plan, report) {
                return decision.outcome(outcome);
            }
        }
        self.reader.round_audio(&mut self.usage, decision.rounding);
        let mut outcome = self.bill(&plan, report);
        if decision.estimated && outcome.status == "priced" {
            outcome.status = "estimated";
        }
        decision.outcome(outcome)
    }

    /// Cases in which no bill can be written.
    fn unpriceable(&self, plan: &Plan, report: &Report) -> Option<Outcome> {
        let units = &self.resolver.book.units;
        if let Some(total) = report.only_total {
            let least = plan.least(units, &[self.reader.input, self.reader.output], total);
            return Some(match least {
                Some(least) => Outcome { cost: Some(least), ..Outcome::without_cost("lower_bound") },
                None => Outcome::unpriced("no_price"),
            });
        }
        (!plan.covers_any(units, &self.usage)).then(|| Outcome::unpriced("no_price"))
    }

    fn bill(&mut self, plan: &Plan, report: &Report) -> Outcome {
        let Self { resolver, reader, usage, bill } = self;
        let units = &resolver.book.units;
        let exact = match apply(plan, units, usage, bill, OVERLAPS) {
            Ok(exact) => exact,
            Err(_) => return Outcome::without_cost("invalid_usage"),
        };
        let missing = |absent: bool, unit| absent && plan.charges(unit);
        let unsold = |unit| usage.stated(unit).is_some_and(|n| n > 0) && !plan.sells(unit);
        let tokens = plan.sells(reader.input) || plan.sells(reader.output);
        let partial = missing(report.no_input, reader.input)
            || missing(report.no_output, reader.output)
            || (tokens && (unsold(reader.input) || unsold(reader.output)));
        let status = match (exact && !partial, report.estimated) {
            (false, _) => "lower_bound",
            (true, true) => "estimated",
            (true, false) => "priced",
        };
        Outcome { cost: Some(bill.total), billed: true, ..Outcome::without_cost(status) }
    }
}

impl Decision {
    /// Adds where the price comes from.
    fn outcome(&self, outcome: Outcome) -> Outcome {
        let how = outcome.how.or(Some(self.how));
        Outcome { plan: self.plan.clone(), source: Some(self.source).filter(|s| !s.is_empty()), how, ..outcome }
    }
}

/// Applies a plan; where counts overlap by an unknown amount it takes the end that costs less and returns false.
fn apply(plan: &Plan, units: &Units, usage: &mut Usage, bill: &mut Bill, overlaps: usize) -> Result<bool, Fault> {
    let (unit, least, most) = match plan.apply(units, usage, bill) {
        Ok(()) => return Ok(true),
        Err(Fault::Overlap { unit, least, most }) if overlaps > 0 => (unit, least, most),
        Err(fault) => return Err(fault),
    };
    let mut cheapest: Option<(i128, i128)> = None;
    for end in [least, most] {
        let mut trial = usage.clone();
        trial.set(unit, end);
        if apply(plan, units, &mut trial, bill, overlaps - 1).is_ok()
            && cheapest.is_none_or(|(cost, _)| bill.total < cost)
        {
            cheapest = Some((bill.total, end));
        }
    }
    let (_, end) = cheapest.ok_or(Fault::Contradiction)?;
    usage.set(unit, end);
    Ok(apply(plan, units, usage, bill, overlaps - 1)? && least == most)
}

fn text(column: Option<Text<'_>>, row: usize) -> Option<&str> {
    column.and_then(|text| text.get(row)).filter(|text| !text.is_empty())
}

fn flag(column: Option<&BooleanArray>, row: usize) -> bool {
    column.is_some_and(|a| a.is_valid(row) && a.value(row))
}
