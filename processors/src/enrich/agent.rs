//! Browser, version, system and class of device, by the patterns of `user_agents.tsv`.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, BooleanBuilder, DictionaryArray, Int32Array, StringBuilder};
use arrow::datatypes::Int32Type;
use component::{ProcessError, Rows, Text};
use ua_parser::{os, user_agent};

use crate::memo::Memo;

/// The patterns, trimmed from uap-core.
const PATTERNS: &str = include_str!("user_agents.tsv");

/// Built at the first user agent: it takes tens of milliseconds and some 8 MiB, shared by all workers.
static PARSER: LazyLock<Option<Parser>> = LazyLock::new(|| Parser::new(PATTERNS));

/// Systems that only phones and tablets run.
const HANDHELD: [&str; 9] = [
    "iOS",
    "Android",
    "Windows Phone",
    "Windows Mobile",
    "BlackBerry OS",
    "Symbian OS",
    "Firefox OS",
    "KaiOS",
    "BlackBerry Tablet OS",
];

/// Systems of desks and laptops.
const DESKTOP: [&str; 10] =
    ["Windows", "Mac OS X", "Mac OS", "Linux", "Ubuntu", "Debian", "Fedora", "Chrome OS", "FreeBSD", "Red Hat"];

struct Parser {
    agents: user_agent::Extractor<'static>,
    systems: os::Extractor<'static>,
    bots: os::Extractor<'static>,
    /// The widest pattern, which calls some browsers of phones a bot.
    crawlers: os::Extractor<'static>,
}

/// What a user agent tells.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    family: Option<String>,
    version: Option<String>,
    system: Option<String>,
    class: &'static str,
}

/// One of the things told.
type Field = fn(&Told) -> Option<&str>;

impl Parser {
    /// `None` if a pattern does not compile, which the tests rule out.
    fn new(patterns: &'static str) -> Option<Self> {
        let lines = || patterns.lines().filter(|l| !l.starts_with('#')).map(|l| l.split('\t').collect::<Vec<_>>());
        let cell = |text: &'static str| (!text.is_empty()).then_some(text.into());
        let mut agents = user_agent::Builder::new();
        let (mut systems, mut bots, mut crawlers) = (os::Builder::new(), os::Builder::new(), os::Builder::new());
        for line in lines() {
            let [kind, regex, family, version] = line[..] else { return None };
            let os = || os::Parser {
                regex: regex.into(),
                os_replacement: cell(family),
                os_v1_replacement: cell(version),
                ..os::Parser::default()
            };
            match kind {
                "agent" => {
                    let (family_replacement, v1_replacement) = (cell(family), cell(version));
                    let parser = user_agent::Parser {
                        regex: regex.into(),
                        family_replacement,
                        v1_replacement,
                        ..Default::default()
                    };
                    agents = agents.push(parser).ok()?;
                }
                "os" => systems = systems.push(os()).ok()?,
                "bot" => bots = bots.push(os()).ok()?,
                "crawler" => crawlers = crawlers.push(os()).ok()?,
                _ => return None,
            }
        }
        Some(Self {
            agents: agents.build().ok()?,
            systems: systems.build().ok()?,
            bots: bots.build().ok()?,
            crawlers: crawlers.build().ok()?,
        })
    }

    fn told(&self, text: &str) -> Told {
        let agent = self.agents.extract(text);
        let system = self.systems.extract(text).map(|s| s.os.into_owned()).filter(|s| s != "Other");
        let handheld = system.as_deref().is_some_and(|s| HANDHELD.contains(&s));
        let bot = self.bots.extract(text).is_some() || (!handheld && self.crawlers.extract(text).is_some());
        Told {
            class: if bot { "bot" } else { class(text, system.as_deref(), handheld) },
            version: agent.as_ref().and_then(|a| a.major).map(str::to_owned),
            family: agent.map(|a| a.family.into_owned()).filter(|f| f != "Other"),
            system,
        }
    }
}

fn class(text: &str, system: Option<&str>, handheld: bool) -> &'static str {
    let tablet = ["iPad", "Tablet", "PlayBook", "Kindle", "Silk/"].iter().any(|word| text.contains(word));
    // Android tablets leave out the word that phones have.
    let roomy = system == Some("Android") && text.contains("Mozilla/") && !text.contains("Mobile");
    if (tablet && !text.contains("Tablet PC")) || roomy {
        "tablet"
    } else if handheld || text.contains("Mobile") {
        "mobile"
    } else if system.is_some_and(|s| DESKTOP.contains(&s)) {
        "desktop"
    } else {
        "other"
    }
}

/// Reads user agents, each distinct one once.
pub(super) struct Agents {
    memo: Memo<Arc<Told>>,
}

impl Agents {
    pub(super) fn new(memory: usize) -> Self {
        Self { memo: Memo::new(memory) }
    }

    /// Fills `ua_family`, `ua_version`, `os_family`, `device_class` and `is_bot`.
    pub(super) fn fill(&mut self, rows: &mut Rows) -> Result<(), ProcessError> {
        let Some(column) = rows.get("user_agent").cloned() else { return Ok(()) };
        let Some(texts) = Text::new(&column) else { return Ok(()) };
        let distinct = match texts {
            Text::Dict { values, .. } | Text::Plain(values) => values,
        };
        let told: Vec<Option<Arc<Told>>> = distinct.iter().map(|text| self.told(text?)).collect();
        let fields: [(&str, Field); 4] = [
            ("ua_family", |t| t.family.as_deref()),
            ("ua_version", |t| t.version.as_deref()),
            ("os_family", |t| t.system.as_deref()),
            ("device_class", |t| Some(t.class)),
        ];
        for (name, field) in fields {
            let mut out = StringBuilder::with_capacity(told.len(), told.len() * 8);
            told.iter().for_each(|t| out.append_option(t.as_deref().and_then(field)));
            rows.set(name, keyed(&column, Arc::new(out.finish())))?;
        }
        self.bots(rows, &column, &told)
    }

    /// A sender that knows better than the name says so in `synthetic_type`.
    fn bots(&self, rows: &mut Rows, column: &ArrayRef, told: &[Option<Arc<Told>>]) -> Result<(), ProcessError> {
        let stated = rows.get("synthetic_type").cloned();
        let stated = stated.as_ref().and_then(Text::new);
        let keys = column.as_dictionary_opt::<Int32Type>();
        let mut bots = BooleanBuilder::with_capacity(rows.len());
        for row in 0..rows.len() {
            let told = keys.map_or(Some(row), |k| k.key(row)).and_then(|value| told.get(value)?.as_deref());
            let synthetic = stated.and_then(|s| s.get(row)).is_some_and(|s| matches!(s, "bot" | "test"));
            bots.append_option(told.map(|t| t.class == "bot" || synthetic).or(synthetic.then_some(true)));
        }
        rows.set("is_bot", Arc::new(bots.finish()))?;
        Ok(())
    }

    fn told(&mut self, text: &str) -> Option<Arc<Told>> {
        if let Some(known) = self.memo.get(0, text) {
            return Some(Arc::clone(known));
        }
        let told = Arc::new(PARSER.as_ref()?.told(text));
        self.memo.put(0, text, Arc::clone(&told), 160);
        Some(told)
    }
}

/// One value for each of the column's distinct ones, under the column's keys; a key without value becomes NULL.
fn keyed(column: &ArrayRef, values: ArrayRef) -> ArrayRef {
    let Some(dict) = column.as_dictionary_opt::<Int32Type>() else { return values };
    if values.null_count() == 0 {
        return Arc::new(DictionaryArray::new(dict.keys().clone(), values));
    }
    let told = |key: &i32| usize::try_from(*key).is_ok_and(|key| values.is_valid(key));
    let keys: Int32Array = dict.keys().iter().map(|key| key.filter(told)).collect();
    Arc::new(DictionaryArray::new(keys, values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_patterns_compile_and_tell() {
        let parser = Parser::new(PATTERNS).unwrap();
        let cases = [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
                "Chrome 126 Windows desktop",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
                "Mobile Safari 17 iOS mobile",
            ),
            (
                "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
                "Mobile Safari 17 iOS tablet",
            ),
            (
                "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
                "Chrome Mobile 126 Android mobile",
            ),
            (
                "Mozilla/5.0 (Linux; Android 13; SM-X700) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
                "Chrome 126 Android tablet",
            ),
            (
                "Mozilla/5.0 (Linux; Android 9; KFMAWI) AppleWebKit/537.36 (KHTML, like Gecko) Silk/126.1.1 like Chrome/126.0.0.0 Safari/537.36",
                "Amazon Silk 126 Android tablet",
            ),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0", "Firefox 127 Linux desktop"),
            ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Googlebot 2 - bot"),
            (
                "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
                "Googlebot 2 Android bot",
            ),
            ("curl/7.88.1", "curl 7 - other"),
            ("python-requests/2.32.3", "Python Requests 2 - other"),
            ("SeeMe/312 CFNetwork/1496.0.7 Darwin/23.5.0", "SeeMe 312 iOS mobile"),
            ("", "- - - other"),
        ];
        for (text, expected) in cases {
            let t = parser.told(text);
            let or = |v: &Option<String>| v.clone().unwrap_or_else(|| "-".to_owned());
            let got = format!("{} {} {} {}", or(&t.family), or(&t.version), or(&t.system), t.class);
            assert_eq!(got, expected, "{text}");
        }
    }
}
