//! Files and functions stay readable: longer ones need a comment that begins with `long:` and says why.

use crate::{rust, tree};

const FILE_LINES: usize = 500;
const FUNCTION_LINES: usize = 60;

/// A test is often a table of cases, which is data.
const TEST_LINES: usize = 100;

/// What people write; generated lists and data are not read from top to bottom.
const WRITTEN: &[&str] = &["rs", "py", "js", "sql", "md", "sh", "toml"];

/// Written by a command; a test of its own keeps it current.
const GENERATED: &[&str] = &["schemas/REFERENCE.md"];

fn says_why(lines: &[&str]) -> bool {
    lines.iter().any(|line| ["// long: ", "# long: ", "-- long: ", "//! long: "].iter().any(|mark| line.contains(mark)))
}

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    let mut long = Vec::new();
    for path in tree::files(WRITTEN).into_iter().filter(|p| !GENERATED.iter().any(|g| p.ends_with(g))) {
        let text = tree::read(&path);
        let lines: Vec<_> = text.lines().collect();
        if lines.len() > FILE_LINES && !says_why(&lines[..20]) {
            long.push(format!("{} has {} lines", path.display(), lines.len()));
        }
    }
    assert!(long.is_empty(), "files above {FILE_LINES} lines:\n{}", long.join("\n"));
}

#[test]
fn no_function_is_longer_than_a_screen() {
    let mut long = Vec::new();
    for path in tree::files(&["rs"]) {
        let text = tree::read(&path);
        let lines: Vec<_> = text.lines().collect();
        for function in rust::functions(&text) {
            let above = &lines[function.line.saturating_sub(8)..function.line];
            let is_test = above.iter().rev().skip(1).take(2).any(|line| line.trim() == "#[test]");
            let most = if is_test { TEST_LINES } else { FUNCTION_LINES };
            if function.lines > most && !says_why(above) {
                long.push(format!(
                    "{}:{} {} has {} lines",
                    path.display(),
                    function.line,
                    function.name,
                    function.lines
                ));
            }
        }
    }
    assert!(long.is_empty(), "functions above {FUNCTION_LINES} lines, tests above {TEST_LINES}:\n{}", long.join("\n"));
}

#[test]
fn lints_are_expected_with_a_reason_not_allowed() {
    let allow = ["#[", "allow("].concat();
    let inner = ["#![", "allow("].concat();
    for path in tree::files(&["rs"]) {
        let text = tree::read(&path);
        assert!(
            !text.contains(&allow) && !text.contains(&inner),
            "{}: use expect(.., reason = \"..\")",
            path.display()
        );
    }
}
