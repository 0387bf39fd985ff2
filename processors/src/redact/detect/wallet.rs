//! Addresses of wallets: Bitcoin by its check sums, Ethereum by its shape.

use sha2::{Digest, Sha256};

use super::super::kind::{Finding, Kind};
use super::{begins, byte, ends};

const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const BASE32: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// Bytes of an address: version, hash and check sum.
const BYTES: usize = 25;

/// An address that begins with 1 or 3.
pub(super) fn bitcoin(text: &[u8], at: usize) -> Option<Finding> {
    if !matches!(byte(text, at), b'1' | b'3') {
        return None;
    }
    let length = text[at..].iter().take(36).take_while(|b| b.is_ascii_alphanumeric()).count();
    let address = &text[at..at + length];
    if !(25..=35).contains(&length) || !begins(text, at) || !ends(text, at + length) {
        return None;
    }
    let mut bytes = [0u8; BYTES];
    for digit in address {
        let mut carry = BASE58.iter().position(|b| b == digit)?;
        for byte in bytes.iter_mut().rev() {
            carry += usize::from(*byte) * 58;
            *byte = u8::try_from(carry & 0xFF).unwrap_or(0);
            carry >>= 8;
        }
        if carry > 0 {
            return None;
        }
    }
    let sum = Sha256::digest(Sha256::digest(&bytes[..BYTES - 4]));
    (sum[..4] == bytes[BYTES - 4..]).then(|| Finding::new(at, at + length, Kind::Crypto))
}

/// An address that begins with `bc1`, in one case.
pub(super) fn segwit(text: &[u8], at: usize) -> Option<Finding> {
    let length = text[at..].iter().take(92).take_while(|b| b.is_ascii_alphanumeric()).count();
    if !(42..=90).contains(&length) || !begins(text, at) || !ends(text, at + length) {
        return None;
    }
    let mut check = 1u32;
    let mut feed = |value: u32| {
        let top = check >> 25;
        check = (check & 0x01FF_FFFF) << 5 ^ value;
        let polynomials = [0x3B6A_57B2, 0x2650_8E6D, 0x1EA1_19FA, 0x3D42_33DD, 0x2A14_62B3u32];
        check = (0..5).filter(|i| top >> i & 1 == 1).fold(check, |check, i| check ^ polynomials[i]);
    };
    // The letters `bc` as the sum sees them.
    [3, 3, 0, 2, 3].into_iter().for_each(&mut feed);
    for digit in &text[at + 3..at + length] {
        feed(u32::try_from(BASE32.iter().position(|b| *b == digit.to_ascii_lowercase())?).unwrap_or(0));
    }
    matches!(check, 1 | 0x2BC8_30A3).then(|| Finding::new(at, at + length, Kind::Crypto))
}

/// `0x` and forty hexadecimal digits.
pub(in super::super) fn ethereum(text: &[u8], at: usize) -> Option<Finding> {
    let end = at + 42;
    let digits = text.get(at + 2..end)?;
    let fits = digits.iter().all(u8::is_ascii_hexdigit) && begins(text, at) && ends(text, end);
    // Zeros in a row are an example or a burnt address.
    (fits && !digits.starts_with(b"00000000")).then(|| Finding::new(at, end, Kind::Crypto))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_sums() {
        for address in ["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"] {
            assert!(bitcoin(address.as_bytes(), 0).is_some(), "{address}");
            assert!(bitcoin(address.replace("NL", "NM").replace("7Div", "7Diw").as_bytes(), 0).is_none(), "{address}");
        }
        assert!(segwit(b"bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", 0).is_some());
        assert!(segwit(b"bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mda", 0).is_none());
        assert!(segwit(b"bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr", 0).is_some());
    }
}
