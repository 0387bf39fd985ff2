//! The attribute keys that some table or clause names, each with a number.

/// The number of a key that no table and no clause names.
pub(crate) const UNKNOWN: u16 = u16::MAX;

/// Known keys in an open hash table with four places for each, built once and read for every attribute.
#[derive(Debug)]
pub(crate) struct Keys {
    names: Vec<Box<[u8]>>,
    slots: Vec<u16>,
    mask: usize,
}

impl Keys {
    /// The keys of `names`, numbered in their order; `None` if there are more than the numbers reach.
    pub(crate) fn new(names: Vec<Box<[u8]>>) -> Option<Self> {
        if names.len() >= usize::from(UNKNOWN) {
            return None;
        }
        let size = (names.len() * 4).next_power_of_two().max(4);
        let mut keys = Self { names: Vec::with_capacity(names.len()), slots: vec![UNKNOWN; size], mask: size - 1 };
        for name in names {
            let mut slot = hash(&name) as usize & keys.mask;
            while keys.slots[slot] != UNKNOWN {
                slot = (slot + 1) & keys.mask;
            }
            keys.slots[slot] = u16::try_from(keys.names.len()).ok()?;
            keys.names.push(name);
        }
        Some(keys)
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// The number of a key, by its hash and bytes.
    #[inline]
    pub(crate) fn number(&self, hash: u64, key: &[u8]) -> u16 {
        let mut slot = hash as usize & self.mask;
        loop {
            let number = self.slots[slot];
            if number == UNKNOWN || &*self.names[usize::from(number)] == key {
                return number;
            }
            slot = (slot + 1) & self.mask;
        }
    }
}

/// A quick hash of a key. Not for tables that a sender can fill: its collisions are easy to make.
#[inline]
pub(crate) fn hash(key: &[u8]) -> u64 {
    const A: u64 = 0x9e37_79b9_7f4a_7c15;
    const B: u64 = 0xc2b2_ae3d_27d4_eb4f;
    const C: u64 = 0x1656_67b1_9e37_79f9;
    let (first, last) = match (key.first_chunk(), key.last_chunk()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => (key.iter().fold(0u64, |word, byte| (word << 8) | u64::from(*byte)), 0),
    };
    let middle =
        key.get(key.len() / 2..).and_then(<[u8]>::first_chunk).map_or(0, |m| u64::from(u32::from_le_bytes(*m)));
    let word =
        (first.wrapping_mul(A) ^ last.rotate_left(23)).wrapping_mul(B) ^ middle.wrapping_mul(C) ^ key.len() as u64;
    let word = word.wrapping_mul(A);
    word ^ (word >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_its_number_and_no_other_has_one() {
        let names: Vec<Box<[u8]>> = (0..500).map(|n| format!("gen_ai.usage.{n}.tokens").into_bytes().into()).collect();
        let keys = Keys::new(names.clone()).unwrap();
        assert_eq!(keys.len(), 500);
        for (number, name) in names.iter().enumerate() {
            assert_eq!(usize::from(keys.number(hash(name), name)), number);
        }
        for key in ["", "a", "gen_ai.usage.500.tokens", "gen_ai.usage.0.tokens "] {
            assert_eq!(keys.number(hash(key.as_bytes()), key.as_bytes()), UNKNOWN);
        }
    }
}
