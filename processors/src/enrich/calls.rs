//! `provider_calls` and `key_events`: who was called, where, with which key, and how it ended.

use std::sync::Arc;

use component::{ProcessError, Rows};

use super::read::{Bools, Ints, Texts, bools, ints, set, texts};
use super::url;

/// Columns that only the GenAI conventions fill.
const GENAI: [&str; 5] = ["operation", "request_model", "response_model", "input_tokens", "output_tokens"];

/// Fills `provider`, `api_key`, `endpoint`, `input_tokens`, `stream_aborted`, `status` and `seen_as`.
pub(super) fn provider_calls(rows: &mut Rows) -> Result<(), ProcessError> {
    provider(rows)?;
    keys(rows)?;
    endpoint(rows)?;
    embedded(rows)?;
    let (given, finish, stream) =
        (Bools::of(rows, "stream_aborted"), Texts::of(rows, "finish_reasons"), Bools::of(rows, "is_stream"));
    let aborted = bools(rows, |row| {
        let cut = finish.get(row).map(|f| ["cancel", "abort"].iter().any(|word| f.contains(word)));
        // That a stream did not break off is known only of a stream that says how it ended.
        given.get(row).or(cut.filter(|cut| *cut || stream.get(row) == Some(true)))
    });
    set(rows, "stream_aborted", aborted)?;
    status(rows)?;
    let seen: Vec<usize> = GENAI.iter().filter_map(|c| rows.table().index(c)).collect();
    let kind = Texts::of(rows, "kind");
    let seen_as = texts(rows, |row| {
        let genai = seen.iter().any(|c| rows.at(*c).is_some_and(|a| a.is_valid(row)));
        let seen = if kind.get(row) == Some("log") {
            "event"
        } else if genai {
            "genai"
        } else {
            "http"
        };
        Some(seen.into())
    });
    set(rows, "seen_as", seen_as)
}

/// Fills `provider`, `api_key`, `characters` and `limit_count`.
pub(super) fn key_events(rows: &mut Rows) -> Result<(), ProcessError> {
    keys(rows)?;
    let (provider, name) = (Texts::of(rows, "provider"), Texts::of(rows, "name"));
    let [spent, most, characters, limit] =
        ["elevenlabs_characters", "elevenlabs_limit", "characters", "limit_count"].map(|c| Ints::of(rows, c));
    // Events named after a provider, such as `elevenlabs.key_rotated`, say whose key it is.
    let named = |row| name.get(row)?.split(['.', '_']).next().filter(|word| *word == "elevenlabs");
    let counted = |row| spent.get(row).or(most.get(row)).map(|_| "elevenlabs");
    let providers =
        texts(rows, |row| provider.get(row).or_else(|| named(row)).or_else(|| counted(row)).map(Into::into));
    let spent = ints(rows, |row| spent.get(row).or(characters.get(row)));
    let most = ints(rows, |row| limit.get(row).or(most.get(row)));
    set(rows, "characters", spent)?;
    set(rows, "limit_count", most)?;
    set(rows, "provider", providers)
}

/// Fills `provider` from the host that was called, by the host names among the column's spellings.
pub(super) fn provider(rows: &mut Rows) -> Result<(), ProcessError> {
    let table = Arc::clone(rows.table());
    let Some(column) = table.column("provider") else { return Ok(()) };
    let (given, server, whole) =
        (Texts::of(rows, "provider"), Texts::of(rows, "server_address"), Texts::of(rows, "url"));
    let hosts: Vec<(&str, &str)> =
        column.values.iter().filter(|(k, _)| k.contains('.')).map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let mut last: Option<(&str, Option<&str>)> = None;
    let mut of_host = |host| match last {
        Some((known, provider)) if known == host => provider,
        _ => {
            let provider = provider_of(&hosts, host);
            last = Some((host, provider));
            provider
        }
    };
    let providers = texts(rows, |row| {
        let found = given.get(row).or_else(|| {
            let host = server.get(row).or_else(|| whole.get(row).and_then(url::host))?;
            of_host(host)
        });
        found.map(Into::into)
    });
    set(rows, "provider", providers)
}

/// The longest spelling that is the host or a domain above it.
fn provider_of<'a>(hosts: &[(&str, &'a str)], host: &str) -> Option<&'a str> {
    let host = host.to_ascii_lowercase();
    let host = host.split(':').next().unwrap_or_default();
    let within = |name: &str| host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    hosts.iter().filter(|(name, _)| within(name)).max_by_key(|(name, _)| name.len()).map(|(_, provider)| *provider)
}

/// Keys that travel in the query.
fn keys(rows: &mut Rows) -> Result<(), ProcessError> {
    let (given, whole, query) = (Texts::of(rows, "api_key"), Texts::of(rows, "url"), Texts::of(rows, "url_query"));
    if !whole.any(|_| true) && !query.any(|_| true) {
        return Ok(());
    }
    let in_url = |row| url::key(whole.get(row).and_then(|u| url::split(u).1)?);
    let found = texts(rows, |row| {
        let key = given.get(row).or_else(|| query.get(row).and_then(url::key)).or_else(|| in_url(row));
        key.map(Into::into)
    });
    set(rows, "api_key", found)
}

/// Template or URL that was called: no query, no user, ids replaced.
fn endpoint(rows: &mut Rows) -> Result<(), ProcessError> {
    let [given, whole, server, path] = ["endpoint", "url", "server_address", "url_path"].map(|c| Texts::of(rows, c));
    let endpoints = texts(rows, |row| {
        let named = given.get(row);
        let target = named.or(whole.get(row)).or(path.get(row))?;
        let (called, _) = url::split(target);
        let host = url::host(target).or_else(|| server.get(row).filter(|_| named.is_none()));
        let called = url::template(called);
        Some(host.map_or(called.clone(), |host| format!("{host}{called}").into()))
    });
    set(rows, "endpoint", endpoints)
}

/// Embeddings have no tokens out: where only a total is told, it is what came in.
fn embedded(rows: &mut Rows) -> Result<(), ProcessError> {
    let operation = Texts::of(rows, "operation");
    let [input, output, total] = ["input_tokens", "output_tokens", "total_tokens"].map(|c| Ints::of(rows, c));
    let alone = |row| operation.get(row) == Some("embeddings") && output.get(row).is_none_or(|tokens| tokens == 0);
    if !operation.any(|operation| operation == "embeddings") {
        return Ok(());
    }
    let tokens = ints(rows, |row| input.get(row).or_else(|| total.get(row).filter(|_| alone(row))));
    set(rows, "input_tokens", tokens)
}

fn status(rows: &mut Rows) -> Result<(), ProcessError> {
    let [given, span, error] = ["status", "span_status", "error_type"].map(|c| Texts::of(rows, c));
    let (code, aborted) = (Ints::of(rows, "status_code"), Bools::of(rows, "stream_aborted"));
    let statuses = texts(rows, |row| {
        let known = given.get(row).filter(|s| matches!(*s, "success" | "error" | "aborted" | "pending"));
        let status = known.unwrap_or_else(|| {
            let failed =
                span.get(row) == Some("error") || error.get(row).is_some() || code.get(row).is_some_and(|c| c >= 400);
            if aborted.get(row) == Some(true) {
                "aborted"
            } else if failed {
                "error"
            } else {
                "success"
            }
        });
        Some(status.into())
    });
    set(rows, "status", statuses)
}
