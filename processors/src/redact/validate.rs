//! Checks that patterns of the configuration can name.

use serde::Deserialize;

use super::detect::checks;

/// A check that a match must pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Validator {
    /// The digit of cards and IMEI.
    Luhn,
    /// The digit of Aadhaar.
    Verhoeff,
    /// ISO 7064 MOD 97-10, as account numbers have it.
    Mod97,
    /// The individual number of Kazakhstan.
    Iin,
    /// The Russian tax number.
    Inn,
    /// The Russian pension number.
    Snils,
    /// The number of a patient in England and Wales.
    Nhs,
    /// The German tax number.
    SteuerId,
    /// The French number of an insured person.
    Nir,
    /// The Polish number of a person.
    Pesel,
    /// The Dutch number of a citizen.
    Bsn,
    /// The Brazilian tax number of a person.
    Cpf,
    /// A bank of the United States.
    Aba,
    /// The Australian tax number.
    Tfn,
    /// Three bits a byte at least: random, not a word.
    Entropy,
}

impl Validator {
    /// Whether a match passes. Only its letters and digits count.
    pub(super) fn accepts(self, text: &str) -> bool {
        if self == Self::Entropy {
            return checks::entropy(text.as_bytes()) >= 3.0;
        }
        let plain: Vec<u8> = text.bytes().filter(u8::is_ascii_alphanumeric).collect();
        if self == Self::Mod97 {
            let letters = plain.iter().take(2).all(u8::is_ascii_alphabetic);
            return letters && plain.len() > 4 && checks::remainder_97(&plain) == 1;
        }
        let check = match self {
            Self::Luhn => checks::luhn,
            Self::Verhoeff => checks::verhoeff,
            Self::Iin => checks::kazakh,
            Self::Inn => checks::russian_tax,
            Self::Snils => checks::russian_pension,
            Self::Nhs => checks::british_health,
            Self::SteuerId => checks::german_tax,
            Self::Nir => checks::french,
            Self::Pesel => checks::polish,
            Self::Bsn => checks::dutch,
            Self::Cpf => checks::brazilian,
            Self::Aba => checks::routing,
            Self::Tfn => checks::australian_tax,
            Self::Mod97 | Self::Entropy => return false,
        };
        !plain.is_empty() && plain.iter().all(u8::is_ascii_digit) && check(&plain)
    }
}
