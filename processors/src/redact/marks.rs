//! Which bytes of a text are worth a look, sixty-four at a time: the compiler turns these loops into vector code.

/// Bytes that are looked at together.
pub(super) const BLOCK: usize = 64;

/// A bit for each byte of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marks {
    /// ASCII letters.
    pub(super) letter: u64,
    /// ASCII digits.
    pub(super) digit: u64,
    /// Signs that something may begin or end at.
    pub(super) sign: u64,
    /// Signs that join the words of a key, a path or base64.
    joint: u64,
    /// The letter that `Bearer` and `Basic` begin with.
    scheme: u64,
}

impl Marks {
    /// The marks of the block that begins at `from`. What is missing of the last one is as if zero bytes stood there.
    pub(super) fn of(text: &[u8], from: usize) -> Self {
        if let Some(block) = text[from..].first_chunk() {
            return Self::of_block(block);
        }
        if let Some(block) = text.last_chunk() {
            // The end of a long text is read with what stands before it.
            let past = BLOCK - (text.len() - from);
            let Self { letter, digit, sign, joint, scheme } = Self::of_block(block);
            return Self {
                letter: letter >> past,
                digit: digit >> past,
                sign: sign >> past,
                joint: joint >> past,
                scheme: scheme >> past,
            };
        }
        let mut block = [0; BLOCK];
        block[..text.len() - from].copy_from_slice(&text[from..]);
        Self::of_block(&block)
    }

    fn of_block(block: &[u8; BLOCK]) -> Self {
        let dash = bits(block, |b| u8::from(b == b'-'));
        // Armour begins with more than one dash; at the edge of the block nobody knows.
        let mut sign = bits(block, is_sign) | dash & (dash >> 1 | 1 << (BLOCK - 1));
        if bits(block, |b| b >> 7) != 0 {
            sign |= bits(block, is_high_sign);
        }
        Self {
            letter: bits(block, is_letter),
            digit: bits(block, is_digit),
            sign,
            joint: dash | bits(block, is_joint),
            scheme: bits(block, |b| u8::from(b | 0x20 == b'b')),
        }
    }

    /// Of words that begin with a letter at `starts`, those that could be more than words: long ones, those that a sign
    /// joins to the next, those with a digit in third place, two letters before a number, and the words of schemes.
    pub(super) fn telling(self, starts: u64) -> u64 {
        let word = self.letter | self.digit;
        let two = word & word >> 1;
        let four = two & two >> 2;
        let long = four & four >> 4 & word >> 8;
        let pair = two & !(word >> 2) & self.digit >> 3;
        // Of words that go on behind the block nobody knows.
        let edge = !0 << (BLOCK - 9);
        starts & (long | pair | edge | self.digit >> 2 | self.scheme | self.joined(word))
    }

    /// Where the words begin behind which a joint stands. From its last letter a word is run through backwards: in
    /// reversed bits the addition of one carries to the other end of a run.
    fn joined(self, word: u64) -> u64 {
        let last = (word & self.joint >> 1).reverse_bits();
        let reversed = word.reverse_bits();
        let past = reversed.wrapping_add(last) & !reversed;
        let begins_block = reversed.checked_add(last).is_none();
        past.reverse_bits() << 1 | u64::from(begins_block)
    }
}

/// Without branches, so that it can be done for many bytes at once.
#[inline]
fn is_letter(b: u8) -> u8 {
    u8::from((b | 0x20).wrapping_sub(b'a') < 26)
}

#[inline]
fn is_digit(b: u8) -> u8 {
    u8::from(b.wrapping_sub(b'0') < 10)
}

#[inline]
fn is_sign(b: u8) -> u8 {
    u8::from(b == b'@')
        | u8::from(b == b':')
        | u8::from(b == b'=')
        | u8::from(b == b'+')
        | u8::from(b == b'%')
        | u8::from(b == b'\\')
        | u8::from(b == 0x1b)
}

#[inline]
fn is_joint(b: u8) -> u8 {
    u8::from(b == b'_') | u8::from(b == b'.') | u8::from(b == b'+') | u8::from(b == b'/')
}

/// Where spaces, dashes and digits of other alphabets begin.
#[inline]
fn is_high_sign(b: u8) -> u8 {
    u8::from(b == 0xC2)
        | u8::from(b == 0xE2)
        | u8::from(b == 0xE3)
        | u8::from(b == 0xEF)
        | u8::from(b == 0xD9)
        | u8::from(b == 0xDB)
}

/// Gathers a bit a byte: `is` gives 0 or 1.
#[inline]
fn bits(block: &[u8; BLOCK], is: impl Fn(u8) -> u8) -> u64 {
    // Counted by hand: of an iterator the compiler leaves calls where it optimises for a quick build.
    let mut lanes = [0u8; BLOCK];
    let mut at = 0;
    while at < BLOCK {
        lanes[at] = is(block[at]);
        at += 1;
    }
    let (eights, _) = lanes.as_chunks::<8>();
    let mut all = 0;
    let mut eight = 0;
    while eight < BLOCK / 8 {
        // The product puts the lowest bit of each byte side by side into the highest byte.
        let gathered = u64::from_le_bytes(eights[eight]).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        all |= gathered << (8 * eight);
        eight += 1;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_what_a_look_at_each_byte_gives() {
        let all: Vec<u8> = (0..=255).chain(b"a-b --c@d:e=f+1%\\\x1bz".iter().copied()).collect();
        for text in [&all[..], &all[40..70], &all[100..], b""] {
            for from in 0..text.len() {
                let marks = Marks::of(text, from);
                for (place, byte) in text[from..].iter().take(BLOCK).enumerate() {
                    assert_eq!(marks.letter >> place & 1 == 1, byte.is_ascii_alphabetic(), "{byte}");
                    assert_eq!(marks.digit >> place & 1 == 1, byte.is_ascii_digit(), "{byte}");
                    let edge = place == BLOCK - 1 || from + place == text.len() - 1;
                    let dash = *byte == b'-' && (text.get(from + place + 1) == Some(&b'-') || edge);
                    let sign = b"@:=+%\\\x1b\xC2\xE2\xE3\xEF\xD9\xDB".contains(byte);
                    let marked = marks.sign >> place & 1 == 1;
                    assert!(marked == sign || (dash && marked), "{byte}");
                    assert!(marked || !dash || edge, "{byte}");
                }
            }
        }
    }

    #[test]
    fn words_that_could_be_more() {
        let text = b"a plain bearer word, sk-x hf_ of AB 12 and DE89 connection path/to end. some x";
        let marks = Marks::of(text, 0);
        let word = marks.letter | marks.digit;
        let telling = marks.telling(word & !(word << 1));
        let found = (0..BLOCK - 9).filter(|place| telling >> place & 1 == 1).map(|place| {
            let length = text[place..].iter().take_while(|b| b.is_ascii_alphanumeric()).count();
            std::str::from_utf8(&text[place..place + length]).unwrap()
        });
        assert_eq!(found.collect::<Vec<_>>(), ["bearer", "sk", "hf", "AB", "DE89", "connection"]);
    }
}
