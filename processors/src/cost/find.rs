//! Who sold a call, and which entry of the price list its model is.

use arrow::compute::kernels::cast_utils::Parser;
use arrow::datatypes::Date32Type;

use super::book::{Book, Model};
use super::pattern::Fit;

/// Names of providers that the price list does not know, or takes for somebody else.
const ALIASES: &[(&str, &str)] = &[
    ("azure.ai.openai", "azure"),
    ("azure.ai.inference", "azure"),
    ("az.ai.openai", "azure"),
    ("az.ai.inference", "azure"),
    ("azure_openai", "azure"),
    ("azure-openai", "azure"),
    ("azure_ai", "azure"),
    ("gcp.gemini", "google"),
    ("gcp.vertex_ai", "google"),
    ("gcp.gen_ai", "google"),
    ("x_ai", "x-ai"),
    ("x.ai", "x-ai"),
    ("mistral_ai", "mistral"),
    ("moonshot_ai", "moonshotai"),
    ("assembly_ai", "assemblyai"),
    ("fireworks_ai", "fireworks"),
    ("fireworks.ai", "fireworks"),
    ("z_ai", "zai"),
    ("z.ai", "zai"),
];

/// SDKs that are used with other people's servers: there the host says more than the SDK's own name.
const BORROWED_SDKS: &[&str] = &["openai", "anthropic"];

/// Folders that Google's APIs put before a model's name.
const MODEL_FOLDERS: &[&str] = &["models/", "publishers/", "projects/"];

/// What one call says of its seller and model, as sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Names<'a> {
    pub(super) provider: Option<&'a str>,
    /// Host or URL that was called.
    pub(super) host: Option<&'a str>,
    /// The model that answered.
    pub(super) response_model: Option<&'a str>,
    /// The model that was asked for.
    pub(super) request_model: Option<&'a str>,
}

/// An entry of the price list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// Index of the provider that lists the model.
    pub(super) owner: usize,
    /// Index of the model there.
    pub(super) model: usize,
    /// Whether it is of what only LiteLLM knows.
    pub(super) breadth: bool,
    /// Whether the seller is the owner.
    pub(super) own: bool,
    /// How the model was found: `exact`, `rule`, `normalised` or `fallback`.
    pub(super) how: &'static str,
}

/// Why a call has no entry; the words stored in `price_match`.
pub(super) type Missing = &'static str;

impl Book {
    /// The entry of a call.
    pub(super) fn find(&self, names: Names) -> Result<Entry, Missing> {
        let (seller, models) = self.sold(names)?;
        models.iter().find_map(|model| any_spelling(model, |name| self.listed(seller, name))).ok_or("unknown_model")
    }

    /// The entry of a call among what only LiteLLM knows: the seller's own, never somebody else's.
    pub(super) fn find_breadth(&self, names: Names) -> Option<Entry> {
        let (seller, models) = self.sold(names).ok()?;
        let look = |name: &str| {
            let model = self.providers[seller].breadth.iter().position(|model| model.rule.fit(name).is_some())?;
            Some(Entry { owner: seller, model, breadth: true, own: true, how: "fallback" })
        };
        models.iter().find_map(|model| any_spelling(model, look))
    }

    /// The model of an entry.
    pub(super) fn model(&self, entry: Entry) -> &Model {
        let owner = &self.providers[entry.owner];
        if entry.breadth { &owner.breadth[entry.model] } else { &owner.models[entry.model] }
    }

    /// Who sold a call, and which models it may have been, in lower case.
    fn sold(&self, names: Names) -> Result<(usize, Vec<String>), Missing> {
        let models: Vec<String> =
            [names.response_model, names.request_model].into_iter().flatten().map(str::to_lowercase).collect();
        let first = models.first().ok_or("no_model")?;
        if let Some(sold) = self.litellm(names.provider, &models) {
            return Ok(sold);
        }
        let seller = self.seller(names, first).ok_or(match names.provider {
            Some(_) => "unknown_provider",
            None => "unknown_model",
        })?;
        Ok((seller, models))
    }

    /// A provider by any of its names, lower case.
    pub(super) fn provider(&self, name: &str) -> Option<usize> {
        let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, id)| id);
        let by_id = self.providers.iter().position(|p| p.id == name);
        by_id.or_else(|| self.providers.iter().position(|p| p.named.as_ref().is_some_and(|r| r.fit(name).is_some())))
    }

    fn seller(&self, names: Names, model: &str) -> Option<usize> {
        let provider = names.provider.map(|name| name.trim().to_lowercase()).filter(|name| name != "litellm");
        let by_name = provider.as_deref().and_then(|name| self.provider(name));
        let borrowed = provider.as_deref().is_some_and(|name| BORROWED_SDKS.contains(&name));
        if by_name.is_some() && !borrowed {
            return by_name;
        }
        let by_host = names.host.and_then(|host| self.host(host));
        if by_host.is_some() || provider.is_some() {
            return by_host.or(by_name);
        }
        self.providers.iter().position(|p| p.serves.as_ref().is_some_and(|rule| rule.fit(model).is_some()))
    }

    fn host(&self, host: &str) -> Option<usize> {
        let url = if host.contains("://") { host.to_owned() } else { format!("https://{host}") };
        self.providers.iter().position(|p| p.url.as_ref().is_some_and(|known| known.is_match(&url)))
    }

    /// A LiteLLM proxy names the real seller in front of the model.
    fn litellm(&self, provider: Option<&str>, models: &[String]) -> Option<(usize, Vec<String>)> {
        if !provider?.eq_ignore_ascii_case("litellm") {
            return None;
        }
        let (seller, model) = models.iter().find_map(|model| model.split_once('/'))?;
        Some((self.provider(seller)?, vec![model.to_owned()]))
    }

    /// A model that the seller lists, or one step away a provider whose models it resells.
    fn listed(&self, seller: usize, name: &str) -> Option<Entry> {
        let provider = &self.providers[seller];
        std::iter::once(&seller).chain(&provider.fallback).find_map(|&owner| {
            let mut models = self.providers[owner].models.iter().enumerate();
            let (model, fit) = models.find_map(|(index, model)| Some((index, model.rule.fit(name)?)))?;
            let how = match (owner == seller, fit) {
                (false, _) => "fallback",
                (true, Fit::Exact) => "exact",
                (true, Fit::Pattern) => "rule",
            };
            Some(Entry { owner, model, breadth: false, own: owner == seller, how })
        })
    }
}

/// Looks a name up as it is, with its date dashed, and without the folders before it.
fn any_spelling(name: &str, look: impl Fn(&str) -> Option<Entry>) -> Option<Entry> {
    let renamed = |entry: Entry| Entry { how: if entry.how == "fallback" { entry.how } else { "normalised" }, ..entry };
    if let Some(found) = look(name) {
        return Some(found);
    }
    if let Some(found) = dashed_date(name).and_then(|dashed| look(&dashed)) {
        return Some(renamed(found));
    }
    let (_, bare) = name.rsplit_once('/')?;
    let folder = MODEL_FOLDERS.iter().any(|folder| name.starts_with(folder));
    folder.then(|| look(bare)).flatten().map(renamed)
}

/// `-20251211` at the end of a part as `-2025-12-11`; `None` if there is no such date.
fn dashed_date(name: &str) -> Option<String> {
    let mut out = String::with_capacity(name.len() + 2);
    let mut rest = name;
    while let Some(dash) = rest.find('-') {
        let (before, after) = rest.split_at(dash + 1);
        out.push_str(before);
        rest = after;
        if let Some(date) = leading_date(after) {
            out.push_str(&date);
            rest = &after[8..];
        }
    }
    out.push_str(rest);
    (out != name).then_some(out)
}

fn leading_date(text: &str) -> Option<String> {
    let digits = text.get(..8)?;
    let ends = matches!(text.as_bytes().get(8), None | Some(b'-' | b':'));
    if !ends || !digits.starts_with("20") || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let date = format!("{}-{}-{}", &digits[..4], &digits[4..6], &digits[6..]);
    Date32Type::parse(&date).map(|_| date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_dates_become_dashed() {
        for (name, expected) in [
            ("gpt-5.2-20251211", Some("gpt-5.2-2025-12-11")),
            ("a-20251211:free", Some("a-2025-12-11:free")),
            ("a-20251211-b-20240101", Some("a-2025-12-11-b-2024-01-01")),
            ("a-20250230", None),
            ("a-202512111", None),
            ("a-19991231", None),
            ("plain", None),
        ] {
            assert_eq!(dashed_date(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn sellers_and_models_are_found() {
        let book = Book::built_in().unwrap();
        let find = |provider, host, response_model, request_model| {
            book.find(Names { provider, host, response_model, request_model })
                .map(|e| (book.providers[e.owner].id.as_str(), book.model(e).id.as_str(), e.how))
        };
        for (provider, host, response, request, expected) in [
            (Some("openai"), None, Some("gpt-5.1"), None, Ok(("openai", "gpt-5.1", "exact"))),
            (Some("OpenAI"), None, Some("foo-9"), Some("GPT-5.1"), Ok(("openai", "gpt-5.1", "exact"))),
            (Some("azure.ai.openai"), None, None, Some("gpt-5.1"), Ok(("openai", "gpt-5.1", "fallback"))),
            (
                Some("gcp.vertex_ai"),
                None,
                None,
                Some("models/gemini-2.5-flash"),
                Ok(("google", "gemini-2.5-flash", "normalised")),
            ),
            (
                Some("openai"),
                Some("api.groq.com"),
                None,
                Some("whisper-large-v3"),
                Ok(("groq", "whisper-large-v3", "exact")),
            ),
            (Some("openai"), Some("127.0.0.1"), None, Some("o3"), Ok(("openai", "o3", "exact"))),
            (Some("litellm"), None, None, Some("perplexity/sonar"), Ok(("perplexity", "sonar", "exact"))),
            (Some("litellm"), None, None, Some("deepgram/nova-2"), Err("unknown_model")),
            (None, Some("api.perplexity.ai"), None, Some("sonar"), Ok(("perplexity", "sonar", "exact"))),
            (None, None, None, Some("gpt-5.1"), Ok(("openai", "gpt-5.1", "exact"))),
            (None, None, None, Some("foo-9"), Err("unknown_model")),
            (Some("openai"), None, None, Some("foo-9"), Err("unknown_model")),
            (Some("nobody"), None, None, Some("gpt-5.1"), Err("unknown_provider")),
            (Some("openai"), None, None, None, Err("no_model")),
        ] {
            assert_eq!(
                find(provider, host, response, request),
                expected,
                "{provider:?} {host:?} {response:?} {request:?}"
            );
        }
    }

    #[test]
    fn what_only_litellm_knows_is_found_by_its_own_provider() {
        let book = Book::built_in().unwrap();
        let find = |provider, host, model| {
            let names = Names { provider, host, request_model: Some(model), ..Names::default() };
            book.find_breadth(names).map(|entry| book.model(entry).id.as_str())
        };
        for (provider, host, model, expected) in [
            (Some("deepgram"), None, "nova-2", Some("nova-2")),
            (Some("elevenlabs"), None, "eleven_flash_v2_5", Some("eleven_flash_v2_5")),
            (Some("litellm"), None, "deepgram/Nova-2", Some("nova-2")),
            (None, Some("api.deepgram.com"), "nova-2", Some("nova-2")),
            (Some("openai"), None, "nova-2", None),
            (Some("openai"), None, "gpt-5.1", None),
            (None, None, "nova-2", None),
        ] {
            assert_eq!(find(provider, host, model), expected, "{provider:?} {host:?} {model}");
        }
    }
}
