//! What mends a finding, to be copied: one file each under `snippets/`, named `<topic>-<language>[-<more>]` or `<topic>`.

use super::finding::Mend;

/// One file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Snippet {
    /// Its name.
    pub(crate) file: &'static str,
    /// Its text; `{{name}}` is filled in.
    pub(crate) text: &'static str,
}

macro_rules! snippets {
    ($($file:literal),* $(,)?) => {
        &[$(Snippet { file: $file, text: include_str!(concat!("snippets/", $file)) }),*]
    };
}

/// Every snippet. A new one is one file and one line here.
pub(crate) const ALL: &[Snippet] = snippets![
    "browser.js",
    "clock.sh",
    "content-any.sh",
    "drop-overlay.yaml",
    "drop-source.md",
    "event-any.md",
    "event-nodejs.js",
    "event-overlay.yaml",
    "event-python.py",
    "filter.yaml",
    "first-record.sh",
    "genai-any.md",
    "genai-java.sh",
    "genai-nodejs-any.js",
    "genai-nodejs-openai.js",
    "genai-python-any.py",
    "genai-python-anthropic.sh",
    "genai-python-google.sh",
    "genai-python-openai.sh",
    "identity-any.md",
    "identity-django.py",
    "identity-express.js",
    "identity-fastapi.py",
    "identity-flask.py",
    "identity-java.sh",
    "logs-any.md",
    "logs-java.sh",
    "logs-nodejs.sh",
    "logs-python.sh",
    "names-any.md",
    "names-python.sh",
    "price.yaml",
    "private.sh",
    "setting.sh",
    "start.sh",
    "twice-any.md",
    "twice-python.sh",
];

/// The snippet whose name without its ending is the first of these that exists.
pub(crate) fn find(stems: &[String]) -> Option<&'static Snippet> {
    let stem = |snippet: &Snippet| snippet.file.split('.').next().unwrap_or_default().to_owned();
    stems.iter().find_map(|wanted| ALL.iter().find(|s| stem(s) == *wanted))
}

/// The snippet of a topic for a language, the general one where there is none of its own.
pub(crate) fn of_language(topic: &str, language: &str, about: impl Into<String>) -> Mend {
    let stems = [format!("{topic}-{language}"), format!("{topic}-any")];
    mend(&stems, language, about, &[])
}

/// A snippet with its blanks filled in.
pub(crate) fn filled(stem: &str, language: &str, about: impl Into<String>, blanks: &[(&str, &str)]) -> Mend {
    mend(&[stem.to_owned()], language, about, blanks)
}

/// The first of these snippets that exists, with its blanks filled in.
pub(crate) fn mend(stems: &[String], language: &str, about: impl Into<String>, blanks: &[(&str, &str)]) -> Mend {
    let text = find(stems).map_or("", |snippet| snippet.text);
    let snippet = fill(text, blanks).trim_end().to_owned();
    Mend { about: about.into(), language: language.to_owned(), snippet }
}

/// A YAML snippet with `fixed` filled in, whose lines with further blanks are repeated for each item of a list.
pub(crate) fn list(
    stem: &str,
    about: impl Into<String>,
    fixed: &[(&str, &str)],
    items: &[Vec<(&str, String)>],
) -> Mend {
    let text = fill(find(&[stem.to_owned()]).map_or("", |snippet| snippet.text), fixed);
    let (of_item, head): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.contains("{{"));
    let mut lines: Vec<String> = head.iter().map(|&line| line.to_owned()).collect();
    for item in items {
        let blanks: Vec<(&str, &str)> = item.iter().map(|(name, value)| (*name, value.as_str())).collect();
        lines.extend(of_item.iter().map(|line| fill(line, &blanks)));
    }
    Mend { about: about.into(), language: "yaml".to_owned(), snippet: lines.join("\n") }
}

/// A text as YAML and JSON quote it, so that whatever a sender wrote stays one value.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn fill(text: &str, blanks: &[(&str, &str)]) -> String {
    blanks.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{{{name}}}}}"), value))
}
