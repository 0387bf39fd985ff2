//! One pass over the bytes of a text: marks where something could begin, and anchored checks there alone.

use super::detect;
use super::kind::{Finding, Kind};
use super::marks::{BLOCK, Marks};
use super::names::Names;
use super::steps;
use super::token::Proofs;
use super::tokens::opening;

/// Adds what the text holds to `found`, unordered; says whether the text is encoded in some way.
pub(super) fn scan(text: &[u8], names: &mut Names, proofs: &Proofs, found: &mut Vec<Finding>) -> bool {
    let mut pass = Pass { text, names, proofs, found, encoded: false, host: usize::MAX, colons: 0, nested: false };
    pass.run();
    pass.encoded
}

/// Groups of an address have four digits at most before the next colon.
const NEAR: usize = 6;

struct Pass<'a> {
    text: &'a [u8],
    names: &'a mut Names,
    proofs: &'a Proofs,
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
        let (mut block, mut next) = (0, 0);
        let mut here = Marks::of(self.text, 0);
        while block < self.text.len() {
            steps::add(BLOCK);
            let ahead = Marks::of(self.text, block + BLOCK);
            let in_word = u64::from(block > 0 && is_word(self.text[block - 1]));
            let starts = here.word() & !(here.word() << 1 | in_word);
            let mut events = here.telling(ahead, starts) | here.sign;
            events &= at_or_behind(next, block);
            while events != 0 {
                let place = events.trailing_zeros() as usize;
                events &= events - 1;
                if !self.is_worth(block, place, here, ahead) {
                    continue;
                }
                next = self.look(block + place, Marks::run(here.word(), ahead.word(), place));
                events &= at_or_behind(next, block);
            }
            // What was found may reach beyond many blocks.
            let reached = next / BLOCK * BLOCK;
            here = if reached > block + BLOCK { Marks::of(self.text, reached) } else { ahead };
            block = (block + BLOCK).max(reached);
        }
    }

    /// Whether a place is worth more than a look: most words, numbers and signs are not.
    #[inline]
    fn is_worth(&self, block: usize, place: usize, here: Marks, ahead: Marks) -> bool {
        let at = block + place;
        let is = |of: u64| of >> place & 1 == 1;
        if is(here.letter) {
            could_tell(self.text, at, Marks::run(here.word(), ahead.word(), place))
        } else if is(here.digit) {
            let digits = Marks::run(here.digit, ahead.digit, place);
            could_count(self.text, at, digits, Marks::run(here.word(), ahead.word(), place))
        } else {
            match self.text[at] {
                b'=' => detect::could_name(self.text, at, self.names),
                b':' => self.is_telling_colon(at),
                _ => true,
            }
        }
    }

    /// Whether a name, the scheme of a URL, a bot's number or a part of an address could stand before a colon.
    #[inline]
    fn is_telling_colon(&self, at: usize) -> bool {
        let next = self.text.get(at + 1..self.text.len().min(at + NEAR)).unwrap_or_default();
        matches!(next, [b'/' | b'A', ..])
            || (at >= self.colons && next.contains(&b':'))
            || detect::could_name(self.text, at, self.names)
    }

    /// Looks at a place, and goes on where a finding ends inside a word; gives the next place to look at. `word` is
    /// the length of the word there, where it is known.
    fn look(&mut self, at: usize, word: Option<usize>) -> usize {
        let Some(mut next) = self.look_at(at, word) else { return at + 1 };
        while self.text.get(next).is_some_and(|b| is_word(*b)) && is_word(self.text[next - 1]) {
            match self.look_at(next, None) {
                Some(after) => next = after,
                None => return next,
            }
        }
        next
    }

    /// What is found at a place: the place behind it, `None` when there is nothing.
    fn look_at(&mut self, at: usize, word: Option<usize>) -> Option<usize> {
        match self.text[at] {
            b'0'..=b'9' => self.number(at),
            b'a'..=b'z' | b'A'..=b'Z' => self.word(at, word.unwrap_or_else(|| self.word_end(at) - at)),
            b'=' => self.pair(at),
            b':' => self.colon(at),
            b'@' if at != self.host => self.take(detect::email(self.text, at)),
            b'+' => self.take(detect::plus(self.text, at)),
            b'-' => self.take(detect::private_key(self.text, at)),
            b'%' => self.percent(at),
            b'\\' => {
                self.encoded = true;
                None
            }
            0x1b => self.escape(at),
            0x80.. => self.high(at),
            _ => None,
        }
    }

    /// Notes a finding; the pass goes on behind it.
    #[inline]
    fn take(&mut self, finding: Option<Finding>) -> Option<usize> {
        let finding = finding?;
        self.found.push(finding);
        Some(finding.end)
    }

    fn word_end(&self, at: usize) -> usize {
        let length = self.text[at..].iter().take_while(|b| is_word(**b)).count();
        steps::add(length);
        at + length
    }

    fn word(&mut self, at: usize, length: usize) -> Option<usize> {
        let text = self.text;
        let &[a, b, c, ..] = &text[at..] else { return None };
        if length == 8 && detect::is_uuid(text, at) {
            return Some(at + detect::UUID);
        }
        if detect::could_begin(a, b, c) {
            let finding = detect::key(text, at).or_else(|| detect::scheme_token(text, at));
            if finding.is_some() {
                return self.take(finding);
            }
        }
        if c.is_ascii_digit() || (length == 2 && matches!(c, b' ' | b'-')) {
            let finding = detect::lettered(text, at);
            if finding.is_some() {
                return self.take(finding);
            }
        }
        self.long_word(at, length)
    }

    /// A word too long to be one: an Italian number, base64, a token behind a word that says so.
    fn long_word(&mut self, at: usize, length: usize) -> Option<usize> {
        if length < detect::SHORTEST_BLOB {
            return None;
        }
        if length == 16 {
            let finding = detect::italian(self.text, at, at + 16);
            if finding.is_some() {
                return self.take(finding);
            }
        }
        if !self.nested && detect::could_be_readable(&self.text[at..]) {
            let found = self.decoded(at);
            if found.is_some() {
                return found;
            }
        }
        if length < detect::SHORTEST_TOKEN { None } else { self.take(detect::told_token(self.text, at)) }
    }

    fn decoded(&mut self, at: usize) -> Option<usize> {
        let (end, meant) = detect::blob(self.text, at)?;
        let mut inside = Vec::new();
        let (names, proofs) = (&mut *self.names, self.proofs);
        let (text, found) = (&*meant, &mut inside);
        let mut pass = Pass { text, names, proofs, found, encoded: false, host: usize::MAX, colons: 0, nested: true };
        pass.run();
        let kind = inside.iter().min_by_key(|f| (f.start, f.kind)).map(|f| f.kind)?;
        self.take(Some(Finding::new(at, end, kind)))
    }

    fn number(&mut self, at: usize) -> Option<usize> {
        let text = self.text;
        let mut end = at + 1;
        while text.get(end).is_some_and(u8::is_ascii_digit) {
            end += 1;
        }
        steps::add(end - at);
        let (length, next) = (end - at, text.get(end).copied().unwrap_or(0));
        if next.is_ascii_alphabetic() && detect::is_uuid(text, at) {
            return Some(at + detect::UUID);
        }
        if next.is_ascii_alphabetic() && !matches!(next, b'x' | b'e') {
            let finding = detect::number_and_letter(text, at, end);
            if finding.is_some() {
                return self.take(finding);
            }
            return self.long_word(at, self.word_end(end) - at);
        }
        let finding = match (length, next) {
            (4, b'-' | b'/' | b'.') if detect::is_date(text, at) => return Some(detect::moment_end(text, at)),
            (8, b'-') if detect::is_uuid(text, at) => return Some(at + detect::UUID),
            (4 | 12..=19, _) => detect::card(text, at, end),
            (1..=3, b'.') => detect::ipv4(text, at, end),
            (2, b'-') => detect::dashed_mac(text, at),
            (1, b'x') => detect::ethereum(text, at),
            (3, b'-') => detect::ssn(text, at, end),
            _ => None,
        };
        let finding = finding.or_else(|| detect::of_a_person(text, at, end));
        if finding.is_some() {
            return self.take(finding);
        }
        self.long_word(at, if next.is_ascii_alphabetic() { self.word_end(end) - at } else { length })
    }

    fn colon(&mut self, at: usize) -> Option<usize> {
        let text = self.text;
        if text.get(at + 1) == Some(&b'/')
            && let Some((finding, host)) = detect::user_info(text, at)
        {
            self.host = host;
            return self.take(finding);
        }
        let finding = detect::telegram(text, at).or_else(|| self.named(at));
        if finding.is_some() {
            // The label of a token is the name of nothing.
            return self.token_end(at).or_else(|| self.take(finding));
        }
        let near = text.get(at + 1..text.len().min(at + NEAR)).unwrap_or_default();
        if at < self.colons || !near.contains(&b':') {
            return None;
        }
        let (finding, looked) = detect::colons(text, at);
        self.colons = looked;
        self.take(finding)
    }

    /// The end of the encrypted value that reaches over a place.
    fn token_end(&self, at: usize) -> Option<usize> {
        let from = opening(self.text, at)?;
        let end = from + self.proofs.length_at(self.text, from)?;
        (end > at).then_some(end)
    }

    fn pair(&mut self, at: usize) -> Option<usize> {
        let finding = self.named(at);
        self.take(finding)
    }

    /// The value under the name before a sign. The end of a token is the name of nothing: its letters are random, and
    /// now and then they read `..Cvc]`.
    fn named(&mut self, at: usize) -> Option<Finding> {
        let finding = detect::pair(self.text, at, self.names)?;
        let name = detect::name_end(self.text, at).checked_sub(1)?;
        self.token_end(name).is_none().then_some(finding)
    }

    fn percent(&mut self, at: usize) -> Option<usize> {
        let hex = |i: usize| self.text.get(i).is_some_and(u8::is_ascii_hexdigit);
        self.encoded |= hex(at + 1) && hex(at + 2);
        None
    }

    /// Terminal colours: the last letter of the sequence begins no word.
    fn escape(&mut self, at: usize) -> Option<usize> {
        if self.text.get(at + 1) != Some(&b'[') {
            return None;
        }
        let inside = self.text[at + 2..].iter().take(16).take_while(|b| b.is_ascii_digit() || **b == b';').count();
        Some(self.text.len().min(at + 3 + inside))
    }

    /// Typographic spaces and dashes, full-width and Arabic digits are read as the plain ones in a second look.
    fn high(&mut self, at: usize) -> Option<usize> {
        let next = self.text.get(at + 1).copied().unwrap_or(0);
        self.encoded |= matches!(
            (self.text[at], next),
            (0xC2, 0xA0 | 0xAD)
                | (0xE2, 0x80 | 0x81 | 0x88)
                | (0xE3, 0x80)
                | (0xEF, 0xBB..=0xBD)
                | (0xD9, 0xA0..=0xA9)
                | (0xDB, 0xB0..=0xB9)
        );
        None
    }
}

/// Whether a word that begins here is worth more than a look: most of a text is words that are not.
#[inline]
fn could_tell(text: &[u8], at: usize, length: Option<usize>) -> bool {
    let &[a, b, c, ..] = &text[at..] else { return false };
    detect::could_begin(a, b, c)
        || c.is_ascii_digit()
        || match length {
            None | Some(16) => true,
            Some(2) => matches!(c, b' ' | b'-'),
            Some(8) if text.get(at + 8) == Some(&b'-') => true,
            Some(length) => could_hide(text, at, length),
        }
}

/// Whether a number that begins here is worth more than a look: short ones stand in every line.
#[inline]
fn could_count(text: &[u8], at: usize, digits: Option<usize>, word: Option<usize>) -> bool {
    let (Some(digits), Some(word)) = (digits, word) else { return true };
    match text.get(at + digits) {
        // `12ms`, `4bf92f`, and what may be base64 or the address of a wallet.
        Some(letter) if letter.is_ascii_alphabetic() => {
            matches!(digits, 6 | 8)
                || (word == 8 && text.get(at + 8) == Some(&b'-'))
                || matches!(letter, b'x' | b'e')
                || text.get(at + 2) == Some(&b'-')
                || (word >= detect::SHORTEST_TOKEN && matches!(text[at], b'1' | b'3'))
                || could_hide(text, at, word)
        }
        Some(b'-' | b'.' | b'/' | b'(' | b')' | b'+') => true,
        _ => detect::could_stand_alone(text, at, at + digits),
    }
}

/// Whether a long word could be base64, hexadecimal text or a token.
#[inline]
fn could_hide(text: &[u8], at: usize, length: usize) -> bool {
    (length >= detect::SHORTEST_BLOB && detect::could_be_readable(&text[at..]))
        || (length >= detect::SHORTEST_TOKEN && detect::could_be_told(text, at))
}

/// Marks for the places of a block that are not before `place`.
#[inline]
fn at_or_behind(place: usize, block: usize) -> u64 {
    u64::MAX.unbounded_shl(u32::try_from(place.saturating_sub(block)).unwrap_or(u32::MAX))
}

#[inline]
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
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
