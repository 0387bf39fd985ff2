//! Which bytes of a text are worth a look, sixty-four at a time.

use wide::u8x16;

use super::detect::FEWEST_DIGITS;

/// Bytes that are looked at together.
pub(super) const BLOCK: usize = 64;

// The steps of `telling_numbers`.
const _: () = assert!(FEWEST_DIGITS == 5);

/// A bit for each byte of a block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Marks {
    /// ASCII letters.
    pub(super) letter: u64,
    /// ASCII digits.
    pub(super) digit: u64,
    /// Signs that something may begin or end at.
    pub(super) sign: u64,
    /// Signs that join the words of a key, a path or base64.
    joint: u64,
    /// What may stand between the groups of a number; some other signs as well.
    gap: u64,
    /// The letter that `Bearer` and `Basic` begin with.
    scheme: u64,
}

impl Marks {
    /// The marks of the block that begins at `from`. What is missing of the last one is as if zero bytes stood there.
    pub(super) fn of(text: &[u8], from: usize) -> Self {
        let Some(rest) = text.get(from..) else { return Self::default() };
        if let Some(block) = rest.first_chunk() {
            return Self::of_block(block);
        }
        if let Some(block) = text.last_chunk() {
            // The end of a long text is read with what stands before it.
            return Self::of_block(block).after(BLOCK - rest.len());
        }
        let mut block = [0; BLOCK];
        block[..rest.len()].copy_from_slice(rest);
        Self::of_block(&block)
    }

    /// The marks without those of the first bytes, fewer than there are.
    fn after(self, bytes: usize) -> Self {
        let Self { letter, digit, sign, joint, gap, scheme } = self;
        let [letter, digit, sign, joint, gap, scheme] =
            [letter, digit, sign, joint, gap, scheme].map(|marks| marks.unbounded_shr(bytes as u32));
        Self { letter, digit, sign, joint, gap, scheme }
    }

    #[inline]
    fn of_block(block: &[u8; BLOCK]) -> Self {
        let mut marks = Self::default();
        let (mut dash, mut high) = (0, 0);
        for (bytes, shift) in parts(block) {
            let is = |byte: u8| bytes.simd_eq(u8x16::splat(byte));
            let within = |bytes: u8x16, first: u8, last: u8| {
                let from_first = bytes - u8x16::splat(first);
                from_first.min(u8x16::splat(last - first)).simd_eq(from_first)
            };
            let put = |found: u8x16| u64::from(found.to_bitmask()) << shift;
            let (plus, slash, dashes) = (is(b'+'), is(b'/'), is(b'-'));
            let lower = bytes | u8x16::splat(0x20);
            marks.letter |= put(within(lower, b'a', b'z'));
            marks.digit |= put(within(bytes, b'0', b'9'));
            marks.sign |= put(is(b'@') | is(b':') | is(b'=') | plus | is(b'%') | is(b'\\') | is(0x1b));
            marks.joint |= put(dashes | is(b'_') | is(b'.') | plus | slash);
            marks.gap |= put(is(b' ') | within(bytes, b'(', b'/'));
            marks.scheme |= put(lower.simd_eq(u8x16::splat(b'b')));
            dash |= put(dashes);
            high |= put(bytes);
        }
        // Armour begins with more than one dash; at the edge of the block nobody knows.
        marks.sign |= dash & (dash >> 1 | 1 << (BLOCK - 1));
        if high != 0 {
            marks.sign |= high_signs(block);
        }
        marks
    }

    /// Letters and digits.
    #[inline]
    pub(super) fn word(self) -> u64 {
        self.letter | self.digit
    }

    /// Of the words and numbers that begin at `starts` those that could be more than words and numbers. `ahead` are the
    /// marks of the next block.
    #[inline]
    pub(super) fn telling(self, ahead: Self, starts: u64) -> u64 {
        let gap = both(self.gap, ahead.gap);
        let digit = both(self.digit, ahead.digit);
        let letter = both(self.letter, ahead.letter);
        let words = telling_words(letter | digit, digit, gap, both(self.joint, ahead.joint)) as u64 | self.scheme;
        let numbers = telling_numbers(digit, letter | gap) as u64;
        (starts & self.letter & words) | (starts & self.digit & numbers)
    }

    /// Length of the run that begins at a place, `None` if it does not end in this block or the next.
    #[inline]
    pub(super) fn run(of: u64, ahead: u64, place: usize) -> Option<usize> {
        let here = (!(of >> place)).trailing_zeros() as usize;
        if place + here < BLOCK {
            return Some(here);
        }
        let there = ahead.trailing_ones() as usize;
        (there < BLOCK).then_some(BLOCK - place + there)
    }
}

/// The marks of one kind in a block and in the next.
#[inline]
fn both(here: u64, ahead: u64) -> u128 {
    u128::from(ahead) << BLOCK | u128::from(here)
}

/// Where words begin that are longer than eight, that a sign joins to the next, that have a digit in third place, or that
/// are two letters before a number.
#[inline]
fn telling_words(word: u128, digit: u128, gap: u128, joint: u128) -> u128 {
    let two = word & word >> 1;
    let four = two & two >> 2;
    let long = four & four >> 4 & word >> 8;
    let pair = two & gap >> 2 & digit >> 3;
    // From the last letter back to the first, one and two and four at a time: longer words are long.
    let last = word & joint >> 1;
    let joined = last | word & last >> 1;
    let joined = joined | two & joined >> 2;
    let joined = joined | four & joined >> 4;
    long | digit >> 2 | pair | joined
}

/// Where numbers begin that have many digits, or that a letter or another number may follow.
#[inline]
fn telling_numbers(digit: u128, next: u128) -> u128 {
    let two = digit & digit >> 1;
    let four = two & two >> 2;
    let many = four & digit >> (FEWEST_DIGITS - 1);
    let last = digit & next >> 1;
    let followed = last | digit & last >> 1;
    many | followed | two & followed >> 2
}

/// The parts of a block that are looked at at once, and the place of each.
#[inline]
fn parts(block: &[u8; BLOCK]) -> impl Iterator<Item = (u8x16, u32)> {
    let (parts, _) = block.as_chunks();
    parts.iter().map(|part| u8x16::new(*part)).zip([0, 16, 32, 48])
}

/// Where spaces, dashes and digits of other alphabets begin.
fn high_signs(block: &[u8; BLOCK]) -> u64 {
    parts(block).fold(0, |signs, (bytes, shift)| {
        let is = |byte: u8| bytes.simd_eq(u8x16::splat(byte));
        let found = is(0xC2) | is(0xE2) | is(0xE3) | is(0xEF) | is(0xD9) | is(0xDB);
        signs | u64::from(found.to_bitmask()) << shift
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words, numbers and signs of all lengths and at all places, and every byte.
    fn texts() -> Vec<Vec<u8>> {
        let all: Vec<u8> = (0..=255).chain(b"a-b --c@d:e=f+1%\\\x1bz".iter().copied()).collect();
        let mut words = Vec::new();
        for length in 1..24 {
            for sign in b" -_./+(=," {
                words.extend(vec![b'a'; length]);
                words.push(*sign);
                words.extend(vec![b'7'; length % 9]);
                words.push(*sign);
            }
        }
        let long = [vec![b'x'; 150], b" ".to_vec(), vec![b'1'; 150], b"-a".to_vec()].concat();
        vec![all[40..70].to_vec(), all[100..].to_vec(), all, words, long, Vec::new()]
    }

    #[test]
    fn marks_are_what_a_look_at_each_byte_gives() {
        for text in texts() {
            for from in 0..text.len() {
                let marks = Marks::of(&text, from);
                for (place, byte) in text[from..].iter().take(BLOCK).enumerate() {
                    let is = |marks: u64| marks >> place & 1 == 1;
                    assert_eq!(is(marks.letter), byte.is_ascii_alphabetic(), "{byte}");
                    assert_eq!(is(marks.digit), byte.is_ascii_digit(), "{byte}");
                    assert_eq!(is(marks.joint), b"-_./+".contains(byte), "{byte}");
                    assert_eq!(is(marks.gap), b" ()*+,-./".contains(byte), "{byte}");
                    assert_eq!(is(marks.scheme), b"bB".contains(byte), "{byte}");
                    let edge = place == BLOCK - 1 || from + place == text.len() - 1;
                    let dash = *byte == b'-' && (text.get(from + place + 1) == Some(&b'-') || edge);
                    let sign = b"@:=+%\\\x1b\xC2\xE2\xE3\xEF\xD9\xDB".contains(byte);
                    let marked = is(marks.sign);
                    assert!(marked == sign || (dash && marked), "{byte}");
                    assert!(marked || !dash || edge, "{byte}");
                }
                let rest = text.len() - from;
                assert!(
                    rest >= BLOCK || (marks.word() | marks.sign | marks.gap) >> rest == 0,
                    "nothing behind the end"
                );
            }
        }
    }

    #[test]
    fn what_tells_is_what_a_look_at_each_word_gives() {
        for text in texts() {
            let text = String::from_utf8_lossy(&text).replace(|c: char| !c.is_ascii(), " ").into_bytes();
            for from in (0..text.len()).step_by(7) {
                let (here, ahead) = (Marks::of(&text, from), Marks::of(&text, from + BLOCK));
                let word = here.word();
                let telling = here.telling(ahead, word & !(word << 1));
                for place in 0..BLOCK.min(text.len() - from) {
                    let rest = &text[from + place..];
                    let is = |at: usize, signs: &[u8]| rest.get(at).is_some_and(|b| signs.contains(b));
                    let digit = |at: usize| rest.get(at).is_some_and(u8::is_ascii_digit);
                    let begins = place == 0 || !text[from + place - 1].is_ascii_alphanumeric();
                    let length = rest.iter().take_while(|b| b.is_ascii_alphanumeric()).count();
                    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
                    let expected = if digits > 0 {
                        let followed = is(digits, b" ()*+,-./") || length > digits;
                        digits >= FEWEST_DIGITS || followed
                    } else {
                        let joined = is(length, b"-_./+");
                        let pair = length == 2 && is(2, b" ()*+,-./") && digit(3);
                        length > 8 || digit(2) || pair || is(0, b"bB") || joined
                    };
                    let got = telling >> place & 1 == 1;
                    assert_eq!(got, begins && length > 0 && expected, "{}", rest.escape_ascii());
                    let run = Marks::run(word, ahead.word(), place);
                    assert_eq!(run, Some(length).filter(|length| place + length < 2 * BLOCK));
                }
            }
        }
    }
}
