//! Enough of Rust's grammar to measure functions: comments, strings and characters out of the way.

/// A function as it stands in a file.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    /// Line of `fn`, from 1.
    pub line: usize,
    /// Lines from `fn` to the closing brace.
    pub lines: usize,
}

/// Every function with a body.
pub fn functions(source: &str) -> Vec<Function> {
    let code = code_only(source);
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = code[from..].find("fn ").map(|at| from + at) {
        from = at + 3;
        let starts_word = at == 0 || !is_word(code.as_bytes()[at - 1]);
        let name: String = code[from..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if !starts_word || name.is_empty() {
            continue;
        }
        if let Some(end) = end_of_body(&code[from..]) {
            let line = |at: usize| code[..at].matches('\n').count() + 1;
            let (first, last) = (line(at), line(from + end));
            found.push(Function { name, line: first, lines: last - first + 1 });
        }
    }
    found
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Where the body closes; `None` for a declaration.
fn end_of_body(code: &str) -> Option<usize> {
    let (mut depth, mut round) = (0, 0);
    for (at, byte) in code.bytes().enumerate() {
        match byte {
            b'(' | b'[' => round += 1,
            b')' | b']' => round -= 1,
            // A `;` inside brackets is an array type of the signature.
            b';' if depth == 0 && round == 0 => return None,
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// The source with everything that is not code as spaces; newlines stay.
fn code_only(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let length = not_code(&source[at..], at > 0 && is_word(bytes[at - 1]));
        if length == 0 {
            out.push(if bytes[at].is_ascii() { bytes[at] } else { b'x' });
            at += 1;
        } else {
            out.extend(bytes[at..at + length].iter().map(|b| if *b == b'\n' { b'\n' } else { b' ' }));
            at += length;
        }
        while at < bytes.len() && !source.is_char_boundary(at) {
            out.push(b'x');
            at += 1;
        }
    }
    String::from_utf8(out).expect("ASCII")
}

/// Length of the comment, string or character that begins here; 0 when code does.
fn not_code(rest: &str, in_word: bool) -> usize {
    let until = |end: &str, from: usize| rest[from..].find(end).map_or(rest.len(), |at| from + at + end.len());
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return until("*/", 2);
    }
    if !in_word && let Some(hashes) = raw_string(rest) {
        let quote = rest.find('"').unwrap_or_default();
        return until(&format!("\"{}", "#".repeat(hashes)), quote + 1);
    }
    match rest.as_bytes() {
        [b'"', ..] => closing(rest, '"'),
        // A lifetime has no closing quote: 'a' is a character, 'a is not.
        [b'\'', b'\\', ..] => closing(rest, '\''),
        [b'\'', ..] => {
            let mut inside = rest.char_indices().skip(1);
            let (_, second) = (inside.next(), inside.next());
            second.filter(|(_, c)| *c == '\'').map_or(0, |(at, _)| at + 1)
        }
        _ => 0,
    }
}

/// Number of hashes, if a raw string begins here.
fn raw_string(rest: &str) -> Option<usize> {
    let rest = rest.strip_prefix('b').unwrap_or(rest).strip_prefix('r')?;
    let hashes = rest.bytes().take_while(|b| *b == b'#').count();
    rest[hashes..].starts_with('"').then_some(hashes)
}

fn closing(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

#[test]
fn functions_are_measured() {
    let source = r##"
fn one() { let s = "fn no() {"; }
trait T { fn none(&self) -> [u8; 2]; }
/// fn doc() {
pub const fn two<'a>(x: &'a str) -> char {
    let c = '{'; // }
    let r = r#"}"#;
    c
}
"##;
    let found: Vec<_> = functions(source).into_iter().map(|f| (f.name, f.line, f.lines)).collect();
    assert_eq!(found, [("one".to_owned(), 2, 1), ("two".to_owned(), 5, 5)]);
}
