//! One pass over the bytes of a text: a class for each byte, and anchored checks only where one begins.

use super::detect;
use super::kind::{Finding, Kind};
use super::names::Names;

/// What may begin at a byte.
#[derive(Clone, Copy, PartialEq)]
enum Class {
    Nothing,
    Letter,
    Digit,
    At,
    Colon,
    Equals,
    Plus,
    Dash,
    Percent,
    Backslash,
    Escape,
    High,
}

static CLASSES: [Class; 256] = classes();

const fn classes() -> [Class; 256] {
    let mut table = [Class::Nothing; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' => Class::Letter,
            b'0'..=b'9' => Class::Digit,
            b'@' => Class::At,
            b':' => Class::Colon,
            b'=' => Class::Equals,
            b'+' => Class::Plus,
            b'-' => Class::Dash,
            b'%' => Class::Percent,
            b'\\' => Class::Backslash,
            0x1b => Class::Escape,
            0x80.. => Class::High,
            _ => Class::Nothing,
        };
        byte += 1;
    }
    table
}

/// Adds what the text holds to `found`, unordered; says whether the text is encoded in some way.
pub(super) fn scan(text: &[u8], names: &mut Names, found: &mut Vec<Finding>) -> bool {
    let mut pass = Pass { text, names, found, encoded: false, host: usize::MAX, colons: 0, nested: false };
    pass.run();
    pass.encoded
}

struct Pass<'a> {
    text: &'a [u8],
    names: &'a mut Names,
    found: &'a mut Vec<Finding>,
    encoded: bool,
    /// The `@` before the host of a URL: no e-mail address.
    host: usize,
    /// Colons before this have been looked at.
    colons: usize,
    /// Inside a decoded blob, where no other blob is looked for.
    nested: bool,
}

impl Pass<'_> {
    fn run(&mut self) {
        let mut at = 0;
        while let Some(byte) = self.text.get(at) {
            at = match CLASSES[usize::from(*byte)] {
                Class::Nothing => at + 1,
                Class::Letter => self.word(at),
                Class::Digit => self.number(at),
                Class::At if at != self.host => self.take(detect::email(self.text, at), at + 1),
                Class::At => at + 1,
                Class::Colon => self.colon(at),
                Class::Equals => self.pair(at),
                Class::Plus => self.take(detect::plus(self.text, at), at + 1),
                Class::Dash => self.take(detect::private_key(self.text, at), at + 1),
                Class::Percent => self.percent(at),
                Class::Backslash => {
                    self.encoded = true;
                    at + 1
                }
                Class::Escape => self.escape(at),
                Class::High => self.high(at),
            };
        }
    }

    /// Notes a finding; the pass goes on behind it, else at `next`.
    #[inline]
    fn take(&mut self, finding: Option<Finding>, next: usize) -> usize {
        match finding {
            None => next,
            Some(finding) => {
                self.found.push(finding);
                next.max(finding.end)
            }
        }
    }

    fn word_end(&self, at: usize) -> usize {
        let mut end = at;
        while let Some(byte) = self.text.get(end)
            && matches!(CLASSES[usize::from(*byte)], Class::Letter | Class::Digit)
        {
            end += 1;
        }
        end
    }

    #[inline]
    fn word(&mut self, at: usize) -> usize {
        let &[a, b, c, ..] = &self.text[at..] else { return self.word_end(at) };
        if detect::could_begin(a, b, c) {
            let finding = detect::key(self.text, at).or_else(|| detect::scheme_token(self.text, at));
            if finding.is_some() {
                return self.take(finding, at);
            }
        }
        if c.is_ascii_digit() && b.is_ascii_alphabetic() {
            let finding = detect::iban(self.text, at);
            if finding.is_some() {
                return self.take(finding, at);
            }
        }
        let end = self.word_end(at);
        if end - at >= 4 { self.blob(at, end) } else { end }
    }

    #[inline]
    fn blob(&mut self, at: usize, next: usize) -> usize {
        if self.nested || !detect::could_be_readable(&self.text[at..]) {
            return next;
        }
        self.decoded(at, next)
    }

    fn decoded(&mut self, at: usize, next: usize) -> usize {
        let Some((end, meant)) = detect::blob(self.text, at) else { return next };
        let mut inside = Vec::new();
        let names = &mut *self.names;
        let mut pass =
            Pass { text: &meant, names, found: &mut inside, encoded: false, host: usize::MAX, colons: 0, nested: true };
        pass.run();
        let kind = inside.iter().min_by_key(|f| (f.start, f.kind)).map(|f| f.kind);
        self.take(kind.map(|kind| Finding::new(at, end, kind)), next)
    }

    fn number(&mut self, at: usize) -> usize {
        let mut end = at + 1;
        while self.text.get(end).is_some_and(u8::is_ascii_digit) {
            end += 1;
        }
        let next = self.text.get(end).copied().unwrap_or(0);
        if next.is_ascii_alphabetic() && !matches!(next, b'x' | b'e') {
            let end = self.word_end(end);
            return self.blob(at, end);
        }
        let text = self.text;
        let address = || if next == b'.' && end - at <= 3 { detect::ipv4(text, at, end) } else { None };
        let card = || if matches!(end - at, 4 | 12..=19) { detect::card(text, at, end) } else { None };
        let ssn = || if end - at == 3 && next == b'-' { detect::ssn(text, at, end) } else { None };
        let parted = matches!(next, b' ' | b'-' | b'.' | b'/' | b'(' | b')');
        let phone = || if parted || end - at >= 7 { detect::national(text, at, end) } else { None };
        let finding = card().or_else(address).or_else(ssn).or_else(phone);
        if finding.is_some() {
            return self.take(finding, end);
        }
        let word_end = if next.is_ascii_alphabetic() { self.word_end(end) } else { end };
        if word_end - at >= 4 { self.blob(at, word_end) } else { word_end }
    }

    fn colon(&mut self, at: usize) -> usize {
        if let Some((finding, host)) = detect::user_info(self.text, at) {
            self.host = host;
            return self.take(finding, at + 1);
        }
        if let Some(finding) = detect::telegram(self.text, at) {
            return self.take(Some(finding), at + 1);
        }
        let next = self.pair(at);
        if next > at + 1 || at < self.colons {
            return next;
        }
        let (finding, looked) = detect::colons(self.text, at);
        self.colons = looked;
        self.take(finding, at + 1)
    }

    fn pair(&mut self, at: usize) -> usize {
        let finding = detect::pair(self.text, at, self.names);
        self.take(finding, at + 1)
    }

    fn percent(&mut self, at: usize) -> usize {
        let hex = |i: usize| self.text.get(i).is_some_and(u8::is_ascii_hexdigit);
        self.encoded |= hex(at + 1) && hex(at + 2);
        at + 1
    }

    /// Terminal colours: the last letter of the sequence begins no word.
    fn escape(&mut self, at: usize) -> usize {
        if self.text.get(at + 1) != Some(&b'[') {
            return at + 1;
        }
        let inside = self.text[at + 2..].iter().take(16).take_while(|b| b.is_ascii_digit() || **b == b';').count();
        self.text.len().min(at + 3 + inside)
    }

    /// Typographic spaces, dashes and full-width digits are read as the plain ones in a second look.
    fn high(&mut self, at: usize) -> usize {
        let next = self.text.get(at + 1).copied().unwrap_or(0);
        self.encoded |= matches!(
            (self.text[at], next),
            (0xC2, 0xA0 | 0xAD) | (0xE2, 0x80 | 0x81 | 0x88) | (0xE3, 0x80) | (0xEF, 0xBB..=0xBD)
        );
        at + 1
    }
}

/// The kinds that are switched off, a bit each.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Off(u64);

impl Off {
    pub(super) fn add(&mut self, kind: Kind) {
        self.0 |= 1 << kind.index();
    }

    pub(super) fn has(self, kind: Kind) -> bool {
        self.0 != 0 && self.0 >> kind.index().min(63) & 1 == 1
    }
}
