//! What is wrong with a configuration, said so that it can be mended at once.

use std::fmt::Write;

use super::mask;
use super::node::Place;

/// A text that configuration was read from.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// File name, `env:NAME`, `--set` or `built-in defaults`.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// One thing that is wrong.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) place: Option<Place>,
    /// How many characters to underline.
    pub(crate) width: usize,
    pub(crate) what: String,
    pub(crate) help: Option<String>,
}

/// Everything that is wrong with a configuration, with the texts it came from.
#[derive(Debug, Clone, Default)]
pub struct Problems {
    pub(crate) sources: Vec<Source>,
    pub(crate) list: Vec<Problem>,
}

impl Problems {
    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many things are wrong.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn add(&mut self, place: Place, width: usize, what: impl Into<String>) {
        self.list.push(Problem { place: Some(place), width, what: what.into(), help: None });
    }

    pub(crate) fn add_with_help(
        &mut self,
        place: Place,
        width: usize,
        what: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.list.push(Problem { place: Some(place), width, what: what.into(), help: Some(help.into()) });
    }

    pub(crate) fn add_anywhere(&mut self, what: impl Into<String>) {
        self.list.push(Problem { place: None, width: 0, what: what.into(), help: None });
    }

    fn render(&self, problem: &Problem, out: &mut String) {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "error: {}", problem.what);
        let source = problem.place.and_then(|p| Some((p, self.sources.get(p.source)?)));
        let Some((place, source)) = source else {
            if let Some(help) = &problem.help {
                let _ = writeln!(out, "  = {help}");
            }
            return;
        };
        let _ = writeln!(out, " --> {}:{}:{}", source.name, place.line, place.column);
        let gutter = place.line.to_string().len();
        let _ = writeln!(out, "{:gutter$} |", "");
        if let Some(line) = place.line.checked_sub(1).and_then(|n| source.text.lines().nth(n)) {
            let secret = below_secret(&source.text, place.line);
            let _ = writeln!(out, "{} | {}", place.line, if secret { masked_item(line) } else { shown(line) });
            let carets = "^".repeat(problem.width.max(1));
            let _ = writeln!(out, "{:gutter$} | {:indent$}{carets}", "", "", indent = place.column.saturating_sub(1));
        }
        if let Some(help) = &problem.help {
            let _ = writeln!(out, "{:gutter$} = {help}", "");
        }
    }
}

impl std::fmt::Display for Problems {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = String::new();
        for (index, problem) in self.list.iter().enumerate() {
            if index > 0 {
                out.push('\n');
            }
            self.render(problem, &mut out);
        }
        f.write_str(out.trim_end())
    }
}

impl std::error::Error for Problems {}

/// A line as it may be shown: a secret written into the file is not repeated on a terminal or in a log. What follows a
/// key that may hold one is left out to the end of the line, unless it only names a variable.
fn shown(line: &str) -> String {
    let line = line.replace('\t', " ");
    for (colon, _) in line.match_indices(':') {
        let key = line[..colon].trim_end_matches(['"', '\'']);
        let start = key.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(0, |at| at + 1);
        let value = line[colon + 1..].trim();
        let reference = value.trim_start_matches('"').starts_with("${");
        if mask::is_secret(&key[start..]) && !value.is_empty() && !reference {
            return format!("{}: {}", &line[..colon], mask::MASK);
        }
    }
    line
}

/// Whether a line is an item of a list under a key such as `tokens`.
fn below_secret(text: &str, line: usize) -> bool {
    let lines: Vec<&str> = text.lines().take(line).collect();
    let Some((last, above)) = lines.split_last() else { return false };
    let indent = |line: &str| line.len() - line.trim_start().len();
    let item = last.trim_start().starts_with('-');
    let parent = above.iter().rev().find(|l| {
        let text = l.trim_start();
        !text.is_empty() && !text.starts_with('-') && (indent(l) < indent(last) || indent(l) == indent(last) && item)
    });
    item && parent.is_some_and(|l| mask::is_secret(l.trim().trim_end_matches(':')))
}

/// The item of such a list: only that there is one.
fn masked_item(line: &str) -> String {
    if line.contains(':') {
        shown(line)
    } else {
        format!("{}- {}", &line[..line.len() - line.trim_start().len()], mask::MASK)
    }
}

/// The name that was probably meant.
pub(crate) fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (wrong.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&wrong.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= allowed || (wrong.len() > 3 && name.contains(wrong)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}
