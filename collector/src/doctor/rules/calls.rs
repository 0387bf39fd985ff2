//! Calls to providers: seen at all, priced, and counted once.

use serde::Deserialize;

use super::super::facts::Facts;
use super::super::finding::{Finding, Seen, Severity, counted, listed, percent};
use super::super::snippets::{self, quoted};
use super::{Rule, by};
use crate::error::Error;

/// Paid providers among the known hosts that run no model.
const NO_MODEL: &[&str] = &["brightdata", "supabase"];

/// Providers that are called by a client of their own, which no instrumentation named here knows.
const OWN_CLIENTS: &[&str] = &[
    "assembly_ai",
    "aws.bedrock",
    "cohere",
    "deepgram",
    "elevenlabs",
    "hugging_face",
    "ibm.watsonx.ai",
    "mistral_ai",
    "replicate",
    "stability_ai",
    "voyage_ai",
];

/// Repeated calls of a service in percent from which it is worth a word.
const REPEATED: u64 = 10;

#[derive(Debug, Deserialize)]
struct Call {
    service: String,
    language: String,
    provider: Option<String>,
    host: Option<String>,
    total: u64,
}

/// AI calls of which nothing but HTTP is seen.
pub(super) fn not_instrumented(rule: &Rule, facts: &Facts<'_>) -> Result<Vec<Finding>, Error> {
    let calls: Vec<Call> = facts.rows("calls_without_genai")?;
    let known = calls.into_iter().filter(|call| is_ai(facts, call)).collect();
    let groups = by(known, |call: &Call| (call.language.clone(), client(call.provider.as_deref())));
    let finding = |((language, client), calls): ((String, &str), Vec<Call>)| {
        let total = calls.iter().map(|c| c.total).sum();
        let hosts = listed(calls.iter().filter_map(|c| c.host.as_deref()).map(without_port));
        let services = listed(calls.iter().map(|c| c.service.as_str()));
        let title = format!("{} of {services} to {hosts} without a GenAI record", counted(total, "call"));
        let seen = calls.iter().map(|c| {
            let host = without_port(c.host.as_deref().unwrap_or_default());
            Seen::new(&c.service, c.total)
                .with("host", host)
                .with("provider", c.provider.as_deref().unwrap_or_default())
        });
        let stems = [
            format!("genai-{language}-{client}"),
            format!("genai-{language}"),
            format!("genai-{language}-any"),
            "genai-any".to_owned(),
        ];
        let mend = snippets::mend(&stems, &language, "install the instrumentation that tells tokens and model", &[]);
        rule.found(Severity::Problem, title).of(seen.collect()).mended(mend)
    };
    Ok(groups.into_iter().map(finding).collect())
}

/// Whether the host is one of the catalog's, and runs models.
fn is_ai(facts: &Facts<'_>, call: &Call) -> bool {
    let Some(host) = call.host.as_deref().map(|host| without_port(host).to_ascii_lowercase()) else { return false };
    let within = |name: &str| host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    let clauses = facts.catalog.table("provider_calls").map(|t| t.clauses.as_slice()).unwrap_or_default();
    clauses.iter().flat_map(|c| &c.host).any(|name| within(name))
        && call.provider.as_deref().is_none_or(|provider| !NO_MODEL.contains(&provider))
}

fn without_port(host: &str) -> &str {
    host.split(':').next().unwrap_or_default()
}

/// The client library that reaches a provider; many speak OpenAI's.
fn client(provider: Option<&str>) -> &'static str {
    match provider {
        Some("anthropic") => "anthropic",
        Some("gcp.gemini" | "gcp.vertex_ai") => "google",
        Some(other) if !OWN_CLIENTS.contains(&other) => "openai",
        _ => "any",
    }
}

#[derive(Debug, Deserialize)]
struct Unpriced {
    service: String,
    provider: Option<String>,
    model: Option<String>,
    missing: String,
    total: u64,
    with_tokens: u64,
    with_characters: u64,
    with_audio: u64,
    with_images: u64,
}

/// Models that nobody has a price for.
pub(super) fn without_price(rule: &Rule, facts: &Facts<'_>) -> Result<Vec<Finding>, Error> {
    let calls: Vec<Unpriced> = facts.rows("prices")?;
    let (priceable, nameless): (Vec<_>, Vec<_>) =
        calls.into_iter().partition(|call| call.provider.is_some() && call.model.is_some());
    let mut findings = Vec::new();
    if !priceable.is_empty() {
        let total = priceable.iter().map(|c| c.total).sum();
        let title = format!("{} of {} have no price", counted(total, "call"), listed(models(&priceable)));
        let mend = snippets::list("price", "price the models in the configuration", &[], &overrides(&priceable));
        findings.push(rule.found(Severity::Problem, title).of(priceable.iter().map(seen).collect()).mended(mend));
    }
    if !nameless.is_empty() {
        let total = nameless.iter().map(|c| c.total).sum();
        let title = format!("{} do not say who was called or which model", counted(total, "call"));
        let mend = snippets::of_language("genai", "any", "name provider and model on the span");
        findings.push(rule.found(Severity::Problem, title).of(nameless.iter().map(seen).collect()).mended(mend));
    }
    Ok(findings)
}

fn models(calls: &[Unpriced]) -> impl Iterator<Item = &str> {
    calls.iter().filter_map(|call| call.model.as_deref())
}

fn seen(call: &Unpriced) -> Seen {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    Seen::new(&call.service, call.total)
        .with("provider", text(&call.provider))
        .with("model", text(&call.model))
        .with("missing", &*call.missing)
}

/// One override for each provider and model, with the units that the calls count.
fn overrides(calls: &[Unpriced]) -> Vec<Vec<(&'static str, String)>> {
    let mut done: Vec<(&str, &str)> = Vec::new();
    let mut items = Vec::new();
    for call in calls {
        let (Some(provider), Some(model)) = (call.provider.as_deref(), call.model.as_deref()) else { continue };
        if done.contains(&(provider, model)) {
            continue;
        }
        done.push((provider, model));
        items.push(vec![("provider", quoted(provider)), ("model", quoted(model)), ("prices", units(call))]);
    }
    items
}

fn units(call: &Unpriced) -> String {
    let known = [
        (call.with_tokens, "input_mtok: 1.00, output_mtok: 2.00"),
        (call.with_characters, "input_mchars: 1.00"),
        (call.with_audio, "audio_hours: 1.00"),
        (call.with_images, "image: 0.01"),
    ];
    let used = known.iter().find(|(count, _)| *count > 0).map_or("requests_kcount: 1.00", |(_, prices)| *prices);
    format!("{{ {used} }}")
}

#[derive(Debug, Deserialize)]
struct Aggregate {
    service: String,
    language: String,
    total: u64,
    childless: u64,
}

/// Agents whose model calls are not sent.
pub(super) fn aggregates(rule: &Rule, facts: &Facts<'_>) -> Result<Vec<Finding>, Error> {
    let rows: Vec<Aggregate> = facts.rows("aggregates")?;
    let childless = rows.into_iter().filter(|row| row.childless > 0).collect();
    let finding = |(language, rows): (String, Vec<Aggregate>)| {
        let total = rows.iter().map(|r| r.childless).sum();
        let services = listed(rows.iter().map(|r| r.service.as_str()));
        let title =
            format!("{} of {services} used tokens, and no call below them is seen", counted(total, "agent span"));
        let seen = rows.iter().map(|r| Seen::new(&r.service, r.childless).out_of(r.total)).collect();
        let stems = [format!("genai-{language}-openai"), format!("genai-{language}"), "genai-any".to_owned()];
        let mend = snippets::mend(&stems, &language, "instrument the client that the agent calls", &[]);
        rule.found(Severity::Problem, title).of(seen).mended(mend)
    };
    Ok(by(childless, |row: &Aggregate| row.language.clone()).into_iter().map(finding).collect())
}

#[derive(Debug, Deserialize)]
struct Instrumentation {
    service: String,
    language: String,
    scope: String,
    total: u64,
    echoes: u64,
}

/// Services whose calls are told by more than one instrumentation.
pub(super) fn twice(rule: &Rule, facts: &Facts<'_>) -> Result<Vec<Finding>, Error> {
    let rows: Vec<Instrumentation> = facts.rows("instrumentations")?;
    let mut findings = Vec::new();
    for ((service, language), scopes) in by(rows, |row: &Instrumentation| (row.service.clone(), row.language.clone())) {
        let total: u64 = scopes.iter().map(|s| s.total).sum();
        let echoes: u64 = scopes.iter().map(|s| s.echoes).sum();
        if percent(echoes, total) < REPEATED {
            continue;
        }
        let title = format!("{echoes} of {} of {service} only repeat another one", counted(total, "GenAI span"));
        let seen = |s: &Instrumentation| Seen::new(&service, s.echoes).out_of(s.total).with("scope", &*s.scope);
        let repeating: Vec<&str> = scopes.iter().filter(|s| s.echoes > 0).map(|s| s.scope.as_str()).collect();
        let names: Vec<&str> = if language == "python" {
            repeating.iter().map(|s| s.trim_start_matches("opentelemetry.instrumentation.")).collect()
        } else {
            repeating
        };
        let stems = [format!("twice-{language}"), "twice-any".to_owned()];
        let mend = snippets::mend(&stems, &language, "leave one of them out", &[("name", &names.join(","))]);
        findings.push(rule.found(Severity::Hint, title).of(scopes.iter().map(seen).collect()).mended(mend));
    }
    Ok(findings)
}
