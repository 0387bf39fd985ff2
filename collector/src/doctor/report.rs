//! Findings as text for people and as JSON for machines.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::finding::{Finding, Mend, Seen, Severity};

/// Services that are listed under a finding.
const MOST: usize = 12;

/// Findings as JSON.
pub(super) fn json(findings: &[Finding]) -> serde_json::Result<String> {
    serde_json::to_string_pretty(findings)
}

/// Findings as text, by how much they matter.
pub(super) fn text(findings: &[Finding]) -> String {
    let mut out = String::new();
    let mut told = Told::new();
    let groups = [
        (Severity::Problem, "Problems"),
        (Severity::Hint, "Hints"),
        (Severity::Info, "Worth knowing"),
        (Severity::Ok, "Right"),
    ];
    for (severity, head) in groups {
        let group: Vec<&Finding> = findings.iter().filter(|f| f.severity == severity).collect();
        if group.is_empty() {
            continue;
        }
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{head}\n");
        for finding in group {
            if severity == Severity::Ok {
                let _ = writeln!(out, "  {:<24} {}", finding.rule, plain(&finding.title));
            } else {
                whole(&mut out, finding, &mut told);
            }
        }
        if severity == Severity::Ok {
            out.push('\n');
        }
    }
    let count = |severity| findings.iter().filter(|f| f.severity == severity).count() as u64;
    let problems = super::finding::counted(count(Severity::Problem), "problem");
    let hints = super::finding::counted(count(Severity::Hint), "hint");
    let _ = writeln!(out, "{problems}, {hints}");
    out
}

/// Snippets that stand above already, and under which rule.
type Told<'a> = BTreeMap<&'a str, &'static str>;

fn whole<'a>(out: &mut String, finding: &'a Finding, above: &mut Told<'a>) {
    let _ = writeln!(out, "  {}: {}", finding.rule, plain(&finding.title));
    for line in finding.detail.lines() {
        let _ = writeln!(out, "      {}", plain(line));
    }
    for seen in finding.services.iter().take(MOST) {
        let _ = writeln!(out, "      - {}", plain(&told(seen)));
    }
    if let Some(more) = finding.services.len().checked_sub(MOST + 1) {
        let _ = writeln!(out, "      - and {} more", more + 1);
    }
    if let Some(mend) = &finding.mend {
        match above.get(mend.snippet.as_str()) {
            Some(rule) => {
                let _ = writeln!(out, "      To mend it ({}): the lines under {rule} above", plain(&mend.language));
            }
            None => copied(out, mend),
        }
        above.entry(&mend.snippet).or_insert(finding.rule);
    }
    out.push('\n');
}

fn copied(out: &mut String, mend: &Mend) {
    let _ = writeln!(out, "      To mend it ({}), {}:\n", plain(&mend.language), plain(&mend.about));
    for line in mend.snippet.lines() {
        let line = plain(line);
        let _ = writeln!(out, "{}{line}", if line.is_empty() { "" } else { "          " });
    }
}

fn told(seen: &Seen) -> String {
    let of = seen.of.map(|of| format!(" of {of}")).unwrap_or_default();
    let about: Vec<String> = seen.about.iter().map(|(key, value)| format!("{key} {value}")).collect();
    let about = if about.is_empty() { String::new() } else { format!(" ({})", about.join(", ")) };
    format!("{}: {}{of}{about}", seen.service, seen.count)
}

/// Names come from senders: what a terminal would obey is shown instead.
fn plain(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}
