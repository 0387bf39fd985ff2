//! JSON text, walked by its keys without building it: the name decides first, then strings and numbers are looked at.
//!
//! What is not touched stays byte for byte.

use std::borrow::Cow;
use std::ops::Range;

use super::kind::Kind;
use super::names::Rule;
use super::steps;
use super::text::Cleaner;

/// What came of a walk.
pub(super) enum Walked {
    /// JSON with nothing to redact.
    Same,
    /// JSON, redacted.
    Changed(String),
    /// Some other text.
    NotJson,
}

/// Fewer digits in a number are no card and no telephone.
const FEWEST_DIGITS: usize = 8;

/// Walks one or several JSON values.
pub(super) fn walk(text: &str, cleaner: &mut Cleaner, depth: usize) -> Walked {
    let mut walk =
        Walk { text, at: 0, cleaner, depth, stack: Vec::new(), edits: Vec::new(), covered: None, done: Vec::new() };
    if walk.run().is_none() {
        return Walked::NotJson;
    }
    let Walk { mut edits, cleaner, done, .. } = walk;
    for kind in done {
        cleaner.count(kind);
    }
    if edits.is_empty() {
        return Walked::Same;
    }
    edits.sort_by_key(|(range, _)| range.start);
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for (range, new) in edits {
        out.push_str(text.get(from..range.start).unwrap_or_default());
        out.push_str(&new);
        from = range.end.max(from);
    }
    out.push_str(&text[from..]);
    Walked::Changed(out)
}

/// An object or an array that is open.
struct Level {
    object: bool,
    /// The rule of the key whose value comes next.
    rule: Rule,
    /// The rule for `value`, from a sibling `key` or `name`: lists of pairs, as OTLP writes them.
    paired: Rule,
    /// The last key was `key` or `name`, `value`, or what an event holds.
    role: Role,
    /// Where the member began, and the comma before it.
    member: usize,
    comma: Option<usize>,
    /// A member before this one stays.
    kept: bool,
    /// The first members went: the comma behind them goes too.
    eat_comma: bool,
    expect: Expect,
}

#[derive(Clone, Copy, PartialEq)]
enum Role {
    Other,
    Name,
    Value,
    Body,
}

#[derive(Clone, Copy, PartialEq)]
enum Expect {
    /// A key, a value of an array, or the end of an empty level.
    First,
    Member,
    Colon,
    Value,
    Comma,
}

/// A value that is replaced or removed as a whole.
struct Covered {
    level: usize,
    start: usize,
    rule: Rule,
}

struct Walk<'a, 'c> {
    text: &'a str,
    at: usize,
    cleaner: &'c mut Cleaner,
    depth: usize,
    stack: Vec<Level>,
    edits: Vec<(Range<usize>, String)>,
    covered: Option<Covered>,
    /// Counted when the text turns out to be JSON.
    done: Vec<Kind>,
}

impl<'a> Walk<'a, '_> {
    fn run(&mut self) -> Option<()> {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
                b'{' | b'[' => self.open(*byte == b'{')?,
                b'}' | b']' => self.close(*byte == b'}')?,
                b',' => self.comma()?,
                b':' => self.colon()?,
                b'"' => self.string()?,
                b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => self.scalar()?,
                _ => return None,
            }
        }
        self.stack.is_empty().then_some(())
    }

    fn open(&mut self, object: bool) -> Option<()> {
        self.begin_value()?;
        let level = self.stack.len();
        if self.covered.is_none() {
            let rule = self.value_rule();
            if rule != Rule::Scan && level > 0 {
                self.covered = Some(Covered { level, start: self.at, rule });
            }
        }
        self.stack.push(Level {
            object,
            rule: Rule::Scan,
            paired: Rule::Scan,
            role: Role::Other,
            member: self.at + 1,
            comma: None,
            kept: false,
            eat_comma: false,
            expect: Expect::First,
        });
        self.at += 1;
        Some(())
    }

    fn close(&mut self, object: bool) -> Option<()> {
        let level = self.stack.pop()?;
        if level.object != object || !matches!(level.expect, Expect::First | Expect::Comma) {
            return None;
        }
        self.at += 1;
        if let Some(covered) = self.covered.take_if(|c| c.level == self.stack.len()) {
            let empty = self.text[covered.start + 1..self.at - 1].trim_ascii().is_empty();
            let masked = matches!(covered.rule, Rule::Mask(_));
            if !(masked && empty) {
                self.replace_value(covered.start, covered.rule);
                self.end_value(covered.rule.removes());
                return Some(());
            }
        }
        self.end_value(false);
        Some(())
    }

    fn comma(&mut self) -> Option<()> {
        let (at, covered) = (self.at, self.covered.is_some());
        let level = self.stack.last_mut()?;
        if level.expect != Expect::Comma {
            return None;
        }
        level.expect = Expect::Member;
        level.comma = Some(at);
        if level.eat_comma && !covered {
            self.edits.push((at..at + 1, String::new()));
        }
        level.eat_comma = false;
        level.member = at + 1;
        self.at += 1;
        Some(())
    }

    fn colon(&mut self) -> Option<()> {
        let level = self.stack.last_mut()?;
        if level.expect != Expect::Colon {
            return None;
        }
        level.expect = Expect::Value;
        self.at += 1;
        Some(())
    }

    /// Checks that a value may stand here.
    fn begin_value(&mut self) -> Option<()> {
        match self.stack.last() {
            None => Some(()),
            Some(level) if level.object => (level.expect == Expect::Value).then_some(()),
            Some(level) => matches!(level.expect, Expect::First | Expect::Member).then_some(()),
        }
    }

    fn end_value(&mut self, removed: bool) {
        if let Some(level) = self.stack.last_mut() {
            level.expect = Expect::Comma;
            level.kept |= !removed;
        }
    }

    /// The rule for the value that comes now.
    fn value_rule(&self) -> Rule {
        match self.stack.last() {
            Some(level) if level.rule != Rule::Scan => level.rule,
            Some(level) if matches!(level.role, Role::Value | Role::Body) => level.paired,
            // The elements of an array are what their key says.
            _ => Rule::Scan,
        }
    }

    fn string(&mut self) -> Option<()> {
        let start = self.at;
        let (end, escaped) = string_end(self.text.as_bytes(), start)?;
        let inside = &self.text[start + 1..end - 1];
        let is_key = self.stack.last().is_some_and(|l| l.object && matches!(l.expect, Expect::First | Expect::Member));
        if !is_key {
            self.begin_value()?;
        }
        self.at = end;
        if self.covered.is_some() {
            self.after_string(is_key, false);
            return Some(());
        }
        let meant: Cow<'_, str> = if escaped {
            Cow::Owned(serde_json::from_str(&self.text[start..end]).ok()?)
        } else {
            Cow::Borrowed(inside)
        };
        if is_key {
            self.key(start, end, &meant);
            self.after_string(true, false);
            return Some(());
        }
        let rule = self.value_rule();
        self.note_pair(&meant);
        let removed = self.text_value(start, end, &meant, rule);
        self.after_string(false, removed);
        Some(())
    }

    fn after_string(&mut self, is_key: bool, removed: bool) {
        if !is_key {
            self.end_value(removed);
        } else if let Some(level) = self.stack.last_mut() {
            level.expect = Expect::Colon;
        }
    }

    fn key(&mut self, start: usize, end: usize, name: &str) {
        let (rule, new) = self.cleaner.name(name, self.depth + 1, &mut self.done);
        if let Some(level) = self.stack.last_mut() {
            level.rule = rule;
            if level.comma.is_none() {
                level.member = start;
            }
            level.role = match name {
                "key" | "name" | "Name" | "Key" => Role::Name,
                "value" | "Value" => Role::Value,
                "attributes" | "body" => Role::Body,
                _ => Role::Other,
            };
        }
        if let Some(new) = new {
            self.edits.push((start..end, quoted(&new)));
        }
    }

    /// Remembers what a `key` or `name` says about its sibling.
    fn note_pair(&mut self, value: &str) {
        let Some(level) = self.stack.last_mut() else { return };
        if !level.object || level.role != Role::Name {
            return;
        }
        level.paired = if self.cleaner.names.is_content_event(value) {
            Rule::Remove(Kind::Content)
        } else {
            self.cleaner.names.rule(value)
        };
    }

    /// Redacts one string; says whether its entry went.
    fn text_value(&mut self, start: usize, end: usize, value: &str, rule: Rule) -> bool {
        if rule.removes() {
            self.replace_value(start, rule);
            return true;
        }
        let new = match rule {
            Rule::Mask(kind) => self.cleaner.masked(kind, value).inspect(|_| self.done.push(kind)),
            _ => self.clean_quietly(value),
        };
        if let Some(new) = new {
            self.edits.push((start..end, quoted(&new)));
        }
        false
    }

    /// Cleans, and keeps the counts back until it is known that the text is JSON.
    fn clean_quietly(&mut self, value: &str) -> Option<String> {
        self.cleaner.clean_aside(value, self.depth + 1, &mut self.done)
    }

    fn scalar(&mut self) -> Option<()> {
        self.begin_value()?;
        let start = self.at;
        let rest = &self.text.as_bytes()[start..];
        let length = rest.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'.')).count();
        let literal = &self.text[start..start + length];
        let word = matches!(literal, "true" | "false" | "null");
        if !word && !literal.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b)) {
            return None;
        }
        self.at += length;
        if self.covered.is_some() {
            self.end_value(false);
            return Some(());
        }
        let rule = self.value_rule();
        match rule {
            Rule::Remove(_) => self.replace_value(start, rule),
            Rule::Mask(_) if !word => self.replace_value(start, rule),
            // A zero in front is no number's, and no card's.
            _ if !word && literal.len() >= FEWEST_DIGITS && !literal.starts_with('0') => {
                if let Some(kind) = self.cleaner.first_kind(literal) {
                    self.replace_value(start, Rule::Mask(kind));
                }
            }
            _ => {}
        }
        self.end_value(rule.removes());
        Some(())
    }

    /// Replaces the value from `start` to here by its token, or removes its whole member.
    fn replace_value(&mut self, start: usize, rule: Rule) {
        let end = self.at;
        match rule {
            Rule::Scan => {}
            Rule::Mask(kind) => {
                let value = &self.text[start..end];
                // Of an object as a whole nothing may be left, but it may be encrypted.
                let hidden = value.starts_with(['{', '[']) && !self.cleaner.encrypts(kind);
                let value = if hidden { "" } else { value };
                let token = quoted(&self.cleaner.replacement(kind, value));
                self.done.push(kind);
                self.edits.push((start..end, token));
            }
            Rule::Remove(kind) => {
                self.done.push(kind);
                let Some(level) = self.stack.last_mut() else { return };
                let from = match level.comma {
                    Some(comma) if level.kept => comma,
                    _ => {
                        level.eat_comma = true;
                        level.member
                    }
                };
                // Edits inside the member, such as its key's, go with it.
                while self.edits.pop_if(|(range, _)| range.start >= from).is_some() {}
                self.edits.push((from..end, String::new()));
            }
        }
    }
}

/// End of the string whose quote stands at `start`, and whether it has escapes.
fn string_end(bytes: &[u8], start: usize) -> Option<(usize, bool)> {
    let mut at = start + 1;
    let mut escaped = false;
    loop {
        let next = memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        steps::add(next + 1);
        at += next;
        if bytes[at] == b'"' {
            return Some((at + 1, escaped));
        }
        escaped = true;
        at += 2;
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
