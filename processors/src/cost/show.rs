//! The price list as people read it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::Config;
use super::book::{BUILT_IN, Book};
use super::list::{self, Entry, ListError};
use super::pattern::Rule;

/// Writes a price list from the packages' data; a Python script.
pub const GENERATOR: &str = include_str!("generate_prices.py");

/// A price list with its text.
#[derive(Debug, Clone)]
pub struct PriceList {
    text: Cow<'static, str>,
    book: Arc<Book>,
}

/// One entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Provider and model.
    pub name: String,
    /// `genai-prices` or `litellm`.
    pub source: String,
    /// When and for which requests it holds; empty for always.
    pub when: String,
    /// The prices, US dollars.
    pub prices: String,
    /// Whether it is the plain price of today.
    pub is_current: bool,
}

/// What one list has and another has not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changes {
    /// Models that the newer one has alone.
    pub added: usize,
    /// Models that the older one has alone.
    pub removed: usize,
    /// Models of both whose prices or names differ.
    pub changed: usize,
}

/// A line of a list that is a model, and where it stands.
struct Line<'a> {
    source: &'a str,
    provider: &'a str,
    model: &'a str,
    /// The names that mean it, and its prices.
    rest: &'a str,
}

impl PriceList {
    /// The list that ships with the program.
    pub fn built_in() -> Result<Self, ListError> {
        Ok(Self { text: Cow::Borrowed(BUILT_IN), book: Book::built_in()? })
    }

    /// The list that a configuration names, else the one that ships with the program.
    pub fn of(config: &Config) -> Result<Self, ListError> {
        let Some(path) = &config.prices else { return Self::built_in() };
        let text = std::fs::read_to_string(path).map_err(|e| ListError::file(path, &e))?;
        Self::parse(text)
    }

    /// A list from text.
    pub fn parse(text: String) -> Result<Self, ListError> {
        let book = Arc::new(list::checked(&text)?);
        Ok(Self { text: Cow::Owned(text), book })
    }

    /// Its date and a fingerprint.
    pub fn version(&self) -> &str {
        &self.book.version
    }

    /// What it was made from, with versions and licences.
    pub fn sources(&self) -> &[String] {
        &self.book.sources
    }

    /// The list itself.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How many models it has.
    pub fn models(&self) -> usize {
        self.book.providers.iter().map(|p| p.models.len() + p.breadth.len()).sum()
    }

    /// Entries of a provider, a model, or `provider/model`; all of them without one. `now` is in microseconds since 1970.
    pub fn entries(&self, about: Option<&str>, now: i64) -> Vec<Listed> {
        let about = about.map(|about| self.about(about));
        let lines = self.lines().into_iter().filter(|line| {
            about.as_ref().is_none_or(|(provider, model)| {
                provider.as_deref().is_none_or(|id| id == line.provider)
                    && model.as_deref().is_none_or(|name| line.is_called(name))
            })
        });
        lines.flat_map(|line| self.listed(&line, now)).collect()
    }

    /// What changed since an older list.
    pub fn changes_since(&self, older: &Self) -> Changes {
        let by_name = |list: &'_ Self| -> BTreeMap<String, String> {
            let named =
                |line: Line| (format!("{} {}/{}", line.source, line.provider, line.model), line.rest.to_owned());
            list.lines().into_iter().map(named).collect()
        };
        let (old, new) = (by_name(older), by_name(self));
        Changes {
            added: new.keys().filter(|name| !old.contains_key(*name)).count(),
            removed: old.keys().filter(|name| !new.contains_key(*name)).count(),
            changed: new.iter().filter(|(name, rest)| old.get(*name).is_some_and(|other| other != *rest)).count(),
        }
    }

    /// A provider's id and a model in lower case, as far as somebody means them.
    fn about(&self, text: &str) -> (Option<String>, Option<String>) {
        let text = text.trim().to_lowercase();
        let id = |name: &str| self.book.provider(name).map(|index| self.book.providers[index].id.clone());
        if let Some((provider, model)) = text.split_once('/')
            && let Some(provider) = id(provider)
        {
            return (Some(provider), (!model.is_empty()).then(|| model.to_owned()));
        }
        match id(&text) {
            // Rules that know other names of a provider are wide: `gemini-2.5-pro` is a model of it.
            Some(provider) if provider == text || !self.lines().iter().any(|line| line.is_called(&text)) => {
                (Some(provider), None)
            }
            _ => (None, Some(text)),
        }
    }

    fn lines(&self) -> Vec<Line<'_>> {
        let (mut source, mut provider) = ("", "");
        let mut lines = Vec::new();
        for line in self.text.lines() {
            if let Some(rest) = line.strip_prefix("provider ") {
                provider = rest.split('\t').next().unwrap_or(rest);
            } else if let Some((model, rest)) = line.split_once('\t') {
                lines.push(Line { source, provider, model, rest });
            } else if let Some(from) = line.strip_prefix("from ") {
                source = from;
            }
        }
        lines
    }

    fn listed(&self, line: &Line, now: i64) -> Vec<Listed> {
        let parsed: Vec<(&str, Entry)> = line
            .rest
            .split('\t')
            .skip(1)
            .filter_map(|text| Some((text, Entry::parse(text, &self.book.units)?)))
            .collect();
        let plain = |entry: &Entry| entry.asks.is_empty();
        let holding = parsed.iter().rposition(|(_, entry)| plain(entry) && entry.when.holds(now));
        let current = holding.or_else(|| parsed.iter().position(|(_, entry)| plain(entry)));
        let one = |(index, (text, _)): (usize, &(&str, Entry))| {
            let (when, prices) = self.spelt(text);
            Listed {
                name: format!("{}/{}", line.provider, line.model),
                source: line.source.to_owned(),
                when,
                prices,
                is_current: current == Some(index),
            }
        };
        parsed.iter().enumerate().filter(|(_, (text, _))| *text != "-").map(one).collect()
    }

    /// An entry's conditions and prices, short names spelt out.
    fn spelt(&self, text: &str) -> (String, String) {
        let (mut when, mut prices) = (Vec::new(), Vec::new());
        for word in text.split(' ') {
            match word.split_once('=').and_then(|(key, value)| Some((self.book.units.price(key)?, value))) {
                Some((unit, value)) => {
                    let value = value.replace('>', ", above ").replace("above =", "from ").replace(':', " tokens ");
                    prices.push(format!("{} {value}", self.book.units.get(unit).price_key));
                }
                None if word.starts_with('@') => when.push(format!("from {}", &word[1..])),
                None if word.starts_with('?') => when.push(word[1..].to_owned()),
                None if word.starts_with('x') => prices.push(format!("tokens times {}", &word[1..])),
                None => when.push(word.replace("min=", "at least seconds ").replace("step=", "in steps of seconds ")),
            }
        }
        let prices = if prices.is_empty() { "the plain price".to_owned() } else { prices.join("; ") };
        (when.join(", "), prices)
    }
}

impl Line<'_> {
    /// Whether a name means this model, or is the beginning of its own.
    fn is_called(&self, name: &str) -> bool {
        let model = self.model.to_lowercase();
        let names = self.rest.split('\t').next().unwrap_or_default();
        model.starts_with(name) || (!names.is_empty() && Rule::any(names).fit(name).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-20T12:00:00Z.
    const NOW: i64 = 1_795_176_000_000_000;

    #[test]
    fn entries_are_found_and_spelt_out() {
        let list = PriceList::built_in().unwrap();
        let o3 = list.entries(Some("openai/o3"), NOW);
        let o3: Vec<&Listed> = o3.iter().filter(|entry| entry.name == "openai/o3").collect();
        assert!(o3.iter().any(|e| e.when == "from 2025-06-10" && e.is_current), "{o3:?}");
        assert!(o3.iter().any(|e| e.when.starts_with("service_tier=flex") && !e.is_current), "{o3:?}");
        assert!(o3[0].prices.contains("input_mtok 10"), "{o3:?}");
        let peak = list.entries(Some("deepseek/deepseek-v4-flash"), NOW);
        assert!(peak.iter().any(|e| e.when == "01:00-04:00, mon-fri"), "{peak:?}");
        let tiered = list.entries(Some("gcp.gemini/gemini-2.5-pro"), NOW);
        assert!(tiered.iter().any(|e| e.prices.contains("input_mtok 1.25, above 200000 tokens 2.5")), "{tiered:?}");
        for (about, expected) in
            [("deepgram", "deepgram/"), ("aws.bedrock", "aws/"), ("eleven_flash_v2_5", "elevenlabs/")]
        {
            let entries = list.entries(Some(about), NOW);
            assert!(entries.iter().any(|entry| entry.name.starts_with(expected)), "{about}");
        }
        assert!(list.entries(Some("no-such-model"), NOW).is_empty());
        assert!(list.entries(None, NOW).len() > 5_000);
    }

    #[test]
    fn changes_are_counted() {
        let list = PriceList::built_in().unwrap();
        assert_eq!(list.changes_since(&list), Changes::default());
        let text = list.text().replace("\no3\t", "\no3-new\t").replace("\ngpt-4\t", "\ngpt-4\tgpt-four ");
        let newer = PriceList::parse(text).unwrap();
        let Changes { added, removed, changed } = newer.changes_since(&list);
        assert!(added >= 1 && added == removed && changed >= 1, "{added} {removed} {changed}");
    }
}
