//! Which bytes of a text are worth a look, sixty-four at a time: the compiler turns these loops into vector code.

/// Bytes that are looked at together.
pub(super) const BLOCK: usize = 64;

/// A bit for each byte of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marks {
    /// ASCII letters and digits.
    pub(super) word: u64,
    /// ASCII letters.
    pub(super) letter: u64,
    /// Signs that something may begin or end at.
    pub(super) sign: u64,
}

impl Marks {
    /// The marks of a block. What is missing of the last one is as if zero bytes stood there.
    pub(super) fn of(text: &[u8]) -> Self {
        match text.first_chunk() {
            Some(block) => Self::of_block(block),
            None => {
                let mut block = [0; BLOCK];
                block[..text.len()].copy_from_slice(text);
                Self::of_block(&block)
            }
        }
    }

    fn of_block(block: &[u8; BLOCK]) -> Self {
        let dashes = bits(block, |b| u8::from(b == b'-'));
        // Armour begins with more than one dash; at the edge of the block nobody knows.
        let dashes = dashes & (dashes >> 1 | 1 << (BLOCK - 1));
        let letter = bits(block, is_letter);
        Self { word: letter | bits(block, is_digit), letter, sign: bits(block, is_sign) | dashes }
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
    let ascii = u8::from(b == b'@')
        | u8::from(b == b':')
        | u8::from(b == b'=')
        | u8::from(b == b'+')
        | u8::from(b == b'%')
        | u8::from(b == b'\\')
        | u8::from(b == 0x1b);
    // Where spaces, dashes and digits of other alphabets begin.
    let high = u8::from(b == 0xC2)
        | u8::from(b == 0xE2)
        | u8::from(b == 0xE3)
        | u8::from(b == 0xEF)
        | u8::from(b == 0xD9)
        | u8::from(b == 0xDB);
    ascii | high
}

/// Gathers a bit a byte: `is` gives 0 or 1.
#[inline]
fn bits(block: &[u8; BLOCK], is: impl Fn(u8) -> u8) -> u64 {
    // A plain loop: the compiler makes a vector of it where it leaves `map` a call for each byte.
    let mut lanes = [0u8; BLOCK];
    for (lane, byte) in lanes.iter_mut().zip(block) {
        *lane = is(*byte);
    }
    let (eights, _) = lanes.as_chunks::<8>();
    // The product puts the lowest bit of each byte side by side into the highest byte.
    let gathered = |eight: &[u8; 8]| u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    eights.iter().zip((0..).step_by(8)).fold(0, |all, (eight, shift)| all | gathered(eight) << shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_what_a_look_at_each_byte_gives() {
        let text: Vec<u8> = (0..=255).chain(b"a-b --c@d:e=f+1%\\\x1bz".iter().copied()).collect();
        for (from, _) in text.iter().enumerate() {
            let marks = Marks::of(&text[from..]);
            for (place, byte) in text[from..].iter().take(BLOCK).enumerate() {
                assert_eq!(marks.word >> place & 1 == 1, byte.is_ascii_alphanumeric(), "{byte}");
                assert_eq!(marks.letter >> place & 1 == 1, byte.is_ascii_alphabetic(), "{byte}");
                let dash = *byte == b'-' && (place == 63 || text.get(from + place + 1) == Some(&b'-'));
                let sign = dash || b"@:=+%\\\x1b\xC2\xE2\xE3\xEF\xD9\xDB".contains(byte);
                assert_eq!(marks.sign >> place & 1 == 1, sign, "{byte}");
            }
        }
    }
}
