//! The words around a number or a token, in the languages that people write them.

use super::words::{self, Role};

/// Longest word that is compared; a longer one is compared by its end.
const LONGEST: usize = 40;
/// Marks and spaces between two words, at most.
const GAP: usize = 8;
/// Words before a place that are looked at.
const WORDS: usize = 5;

/// A word in lower case, and what it says.
#[derive(Clone, Copy)]
struct Word {
    bytes: [u8; LONGEST],
    length: usize,
    role: Option<Role>,
}

impl Word {
    const NONE: Self = Self { bytes: [0; LONGEST], length: 0, role: None };

    fn new(letters: &[u8]) -> Self {
        let mut word = Self::lowered(letters);
        word.role = words::role(word.as_str());
        word
    }

    fn lowered(letters: &[u8]) -> Self {
        let mut word = Self::NONE;
        if letters.is_ascii() {
            word.length = letters.len();
            word.bytes[..letters.len()].copy_from_slice(letters);
            word.bytes.make_ascii_lowercase();
            return word;
        }
        let Ok(text) = std::str::from_utf8(letters) else { return word };
        for c in text.chars().flat_map(char::to_lowercase) {
            let end = word.length + c.len_utf8();
            if end > LONGEST {
                break;
            }
            c.encode_utf8(&mut word.bytes[word.length..end]);
            word.length = end;
        }
        word
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

/// The words before a place, the nearest first, up to the second that says something; digits end them.
pub(super) struct Before {
    words: [Word; WORDS],
    count: usize,
}

impl Before {
    pub(super) fn new(text: &[u8], at: usize) -> Self {
        let mut before = Self { words: [Word::NONE; WORDS], count: 0 };
        let (mut end, mut telling) = (at, 0);
        while before.count < WORDS && telling < 2 {
            let Some((start, stop)) = letters_before(text, end) else { break };
            let word = Word::new(&text[start..stop]);
            telling += usize::from(word.role != Some(Role::LeadsOver));
            before.words[before.count] = word;
            before.count += 1;
            end = start;
        }
        before
    }

    fn word(&self, index: usize) -> &str {
        if index < self.count { self.words[index].as_str() } else { "" }
    }

    /// Whether one of the nearest words is told by `is`, those that only lead over from it left out.
    pub(super) fn tells(&self, is: impl Fn(&str) -> bool) -> bool {
        self.leading().any(|word| is(word.as_str()))
    }

    /// The words up to the first that says something of its own.
    fn leading(&self) -> impl Iterator<Item = &Word> {
        let mut over = true;
        let last = move |word: &&Word| std::mem::replace(&mut over, word.role == Some(Role::LeadsOver));
        self.words[..self.count].iter().take_while(last)
    }

    /// Whether the nearest word is told by `is`.
    pub(super) fn nearest(&self, is: impl Fn(&str) -> bool) -> bool {
        self.count > 0 && is(self.word(0))
    }

    /// Whether one of the words is told by `is`, whatever stands between it and the place.
    pub(super) fn any(&self, is: impl Fn(&str) -> bool) -> bool {
        (0..self.count).any(|index| is(self.word(index)))
    }

    /// Whether a telephone number is announced without doubt: `phone`, or `call me at`.
    pub(super) fn tells_phone(&self) -> bool {
        let mut whom = false;
        self.leading().any(|word| {
            let told = word.role == Some(Role::Phone) || (whom && word.role == Some(Role::Call));
            whom |= words::WHOM.contains(&word.as_str());
            told
        }) || self.tells_whose()
    }

    /// Whether a word comes before that people also use for other things than telephones.
    pub(super) fn may_tell_phone(&self) -> bool {
        self.leading().any(|word| word.role == Some(Role::Call))
    }

    /// Whether it is somebody's number: `my number is`, `contact number`.
    fn tells_whose(&self) -> bool {
        let whose = |word: &str| words::WHOSE.contains(&word);
        let is_number = |word: &str| words::NUMBER.contains(&word);
        let told =
            |index: &usize| is_number(self.word(*index)) && whose(self.word(index + 1)) && self.leads_over(*index);
        (0..self.count.saturating_sub(1)).take(3).any(|index| told(&index))
    }

    /// Whether the words before one only lead over.
    fn leads_over(&self, index: usize) -> bool {
        self.words[..index].iter().all(|word| word.role == Some(Role::LeadsOver))
    }

    /// Whether a key comes: `api key`, `secret key`, `access key is`.
    pub(super) fn tells_key(&self) -> bool {
        let is_key = |index: usize| matches!(self.word(index), "key" | "keys" | "ключ");
        let kind = |word: &str| {
            matches!(word, "api" | "secret" | "access" | "private" | "auth" | "elevenlabs" | "account" | "encryption")
        };
        (0..self.count).any(|index| is_key(index) && kind(self.word(index + 1)) && self.leads_over(index))
    }

    /// Whether the identifier of a span or a parent comes: sixteen digits are one of them now and then.
    pub(super) fn tells_span(&self) -> bool {
        let joined = |word: &str| matches!(word, "spanid" | "parentid" | "parentspanid");
        joined(self.word(0)) || (self.word(0) == "id" && matches!(self.word(1), "span" | "parent"))
    }

    /// Whether there is a word, and none that says that an identifier of something else comes.
    pub(super) fn tells_no_other(&self) -> bool {
        self.count > 0 && !self.tells_other()
    }

    /// Whether the nearest word says that an identifier of something else comes.
    pub(super) fn tells_other(&self) -> bool {
        self.tells(words::is_other)
    }
}

/// Whether the word before a place may say something: a look at its last letters that spares the rest for most.
#[inline]
pub(super) fn could_tell(text: &[u8], at: usize) -> bool {
    let floor = at.saturating_sub(GAP);
    let mark = |b: u8| b < 0x80 && !b.is_ascii_alphanumeric();
    let mut end = at;
    while end > floor && mark(text[end - 1]) {
        end -= 1;
    }
    let letters = text[end.saturating_sub(3)..end].iter().rev().take_while(|b| b.is_ascii_alphabetic()).count();
    match letters {
        0 => end > 0 && text[end - 1] >= 0x80,
        // Short words lead over to longer ones.
        1 | 2 => true,
        _ => words::could_tell(&text[end - 3..end]),
    }
}

/// Where the last run of letters before a place begins and ends; none beyond a digit, a line of marks or a gap.
fn letters_before(text: &[u8], at: usize) -> Option<(usize, usize)> {
    let mut end = at;
    let floor = at.saturating_sub(GAP);
    loop {
        let (start, c) = char_before(text, end)?;
        if c.is_alphabetic() {
            break;
        }
        // What was redacted before says nothing of what comes behind.
        if c.is_numeric() || c == ']' || start <= floor {
            return None;
        }
        end = start;
    }
    let mut start = end;
    while let Some((before, c)) = char_before(text, start)
        && c.is_alphabetic()
        && end - before <= LONGEST
    {
        start = before;
    }
    Some((start, end))
}

fn char_before(text: &[u8], at: usize) -> Option<(usize, char)> {
    let last = *text.get(at.checked_sub(1)?)?;
    if last < 0x80 {
        return Some((at - 1, char::from(last)));
    }
    let start = (at.saturating_sub(4)..at).rev().find(|i| text[*i] & 0xC0 != 0x80)?;
    let c = std::str::from_utf8(&text[start..at]).ok().and_then(|s| s.chars().next());
    Some((start, c.unwrap_or(char::REPLACEMENT_CHARACTER)))
}

/// Whether the word behind a number says what it was: `.. office`, `..-Fax`, `.. (mobile)`.
pub(super) fn told_behind(text: &[u8], end: usize) -> bool {
    let gap = text[end..].iter().take(4).take_while(|b| b" -,(/".contains(b)).count();
    let start = end + gap;
    let length = text[start..].iter().take(16).take_while(|b| b.is_ascii_alphabetic() || **b >= 0x80).count();
    if gap == 0 || length < 3 {
        return false;
    }
    let word = Word::new(&text[start..start + length]);
    // `12345678 mobile users` is about users.
    let goes_on = text.get(start + length) == Some(&b' ')
        && text.get(start + length + 1).is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    !goes_on && words::BEHIND.contains(&word.as_str())
}
