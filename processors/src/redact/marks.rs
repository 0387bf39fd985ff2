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
            let Self { letter, digit, sign } = Self::of_block(block);
            return Self { letter: letter >> past, digit: digit >> past, sign: sign >> past };
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
        Self { letter: bits(block, is_letter), digit: bits(block, is_digit), sign }
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
                    assert!(marked || !(dash && !edge), "{byte}");
                }
            }
        }
    }
}
