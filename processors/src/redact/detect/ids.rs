//! Numbers that states, banks and makers give to people: told by the word before them and by their check digits, or by
//! a shape of their own with them.

use super::super::kind::{Finding, Kind};
use super::checks;
use super::context::Before;
use super::phone::Number;
use super::{before, begins, byte, ends};

/// A number that stands behind one of some words.
struct Told {
    words: &'static [&'static str],
    lengths: &'static [usize],
    fits: fn(&[u8]) -> bool,
}

const fn behind(words: &'static [&'static str], lengths: &'static [usize], fits: fn(&[u8]) -> bool) -> Told {
    Told { words, lengths, fits }
}

/// What no check digit guards.
fn any(_: &[u8]) -> bool {
    true
}

/// `words` are compared by their beginning when they end in a dash.
const TOLD: &[Told] = &[
    behind(&["iin", "иин", "жсн"], &[12], checks::kazakh),
    behind(&["inn", "инн"], &[10, 12], checks::russian_tax),
    behind(&["snils", "снилс"], &[11], checks::russian_pension),
    behind(&["паспорт-", "passport-", "reisepass-", "passeport", "pasaporte", "passaporto"], &[6, 7, 8, 9, 10], any),
    behind(&["ssn", "social", "itin", "taxpayer"], &[9], any),
    behind(&["nhs"], &[10], checks::british_health),
    behind(&["steuer-", "idnr", "tin", "taxid", "identifikationsnummer"], &[11], checks::german_tax),
    behind(&["nir", "sécu-", "secu", "insee", "sociale"], &[15], checks::french),
    behind(&["pesel"], &[11], checks::polish),
    behind(&["bsn", "burgerservice-", "sofinummer"], &[9], checks::dutch),
    behind(&["rijksregister-", "niss", "insz", "national"], &[11], checks::belgian),
    behind(&["personnummer", "pnr", "samordningsnummer"], &[10], checks::luhn),
    behind(&["personnummer", "pnr", "samordningsnummer"], &[12], |d| checks::luhn(&d[2..])),
    behind(&["cpf"], &[11], checks::brazilian),
    behind(&["aadhaar", "aadhar", "uidai"], &[12], checks::verhoeff),
    behind(&["sin", "insurance"], &[9], checks::luhn),
    behind(&["tfn"], &[9], checks::australian_tax),
    behind(&["routing", "aba", "rtn"], &[9], checks::routing),
    behind(&["imei"], &[15], checks::luhn),
];

/// A number that begins at `at`, behind a word that says whose it is.
pub(super) fn told(text: &[u8], at: usize, number: &Number, words: &Before) -> Option<Finding> {
    let fits = |told: &Told, count: usize| told.lengths.contains(&count) && (told.fits)(&number.digits()[..count]);
    let said = |told: &Told| words.any(|word| told.words.iter().any(|w| is_said(w, word)));
    TOLD.iter().find_map(|told| {
        let (end, _) = number.ends().find(|(end, count)| fits(told, *count) && ends(text, *end))?;
        said(told).then(|| Finding::new(at, end, Kind::Id))
    })
}

fn is_said(told: &str, word: &str) -> bool {
    told.strip_suffix('-').map_or(word == told, |stem| word.starts_with(stem))
}

/// A number whose groups and check digits together nothing else has.
pub(super) fn shaped(text: &[u8], at: usize, run_end: usize) -> Option<Finding> {
    let end = match (run_end - at, byte(text, run_end)) {
        // SNILS 112-233-445 95, CPF 111.444.777-35
        (3, b'-' | b'.') => {
            let check = match [byte(text, at + 3), byte(text, at + 7), byte(text, at + 11)] {
                [b'-', b'-', b' ' | b'-'] => checks::russian_pension,
                [b'.', b'.', b'-'] => checks::brazilian,
                _ => return None,
            };
            grouped(text, at, &[3, 3, 3, 2], check)?
        }
        // 85.07.30-033.28
        (2, b'.') => grouped(text, at, &[2, 2, 2, 3, 2], |d| checks::belgian(d) && checks::is_day(&d[..6]))?,
        // 2 55 08 14 168 025 38
        (1, b' ') => grouped(text, at, &[1, 2, 2, 2, 3, 3, 2], checks::french)?,
        // 131052-308T
        (6, b'-' | b'+' | b'A'..=b'F' | b'U'..=b'Y') => finnish(text, at)?,
        _ => return None,
    };
    let apart = begins(text, at) && ends(text, end) && !matches!(before(text, at), b'-' | b'.');
    apart.then(|| Finding::new(at, end, Kind::Id))
}

/// End of a number whose groups are so long and whose digits fit.
fn grouped(text: &[u8], at: usize, shape: &[usize], fits: fn(&[u8]) -> bool) -> Option<usize> {
    let number = Number::read(text, at)?;
    let count = shape.iter().sum::<usize>();
    let (end, _) = number.ends().find(|(_, digits)| *digits == count)?;
    (number.shape().starts_with(shape) && fits(&number.digits()[..count])).then_some(end)
}

fn finnish(text: &[u8], at: usize) -> Option<usize> {
    let born = text.get(at..at + 6)?;
    let serial = text.get(at + 7..at + 10).filter(|s| s.iter().all(u8::is_ascii_digit))?;
    let number = born.iter().chain(serial).fold(0usize, |n, d| n * 10 + usize::from(d - b'0'));
    let day = [born[4], born[5], born[2], born[3], born[0], born[1]];
    (checks::is_day(&day) && b"0123456789ABCDEFHJKLMNPRSTUVWXY"[number % 31] == byte(text, at + 10)).then_some(at + 11)
}

/// A French number whose department is half of Corsica: 2A counts as 19, 2B as 18.
pub(super) fn corsican(text: &[u8], at: usize) -> Option<Finding> {
    let end = at + 15;
    let mut digits: [u8; 15] = text.get(at..end)?.try_into().ok()?;
    let department = match &digits[5..7] {
        b"2A" => b"19",
        b"2B" => b"18",
        _ => return None,
    };
    digits[5..7].copy_from_slice(department);
    let fits = digits.iter().all(u8::is_ascii_digit) && checks::french(&digits);
    (fits && begins(text, at) && ends(text, end)).then(|| Finding::new(at, end, Kind::Id))
}

/// Eight digits and a letter behind a word for the Spanish number, the letter right.
pub(super) fn spanish(text: &[u8], at: usize, run_end: usize) -> Option<Finding> {
    let letter = run_end + usize::from(byte(text, run_end) == b'-');
    let end = letter + 1;
    let fits = run_end - at == 8
        && byte(text, letter).is_ascii_alphabetic()
        && ends(text, end)
        && checks::spanish(&text[at..run_end], byte(text, letter))
        && begins(text, at);
    let said = |word: &str| matches!(word, "dni" | "nif" | "documento" | "identidad");
    (fits && Before::new(text, at).any(said)).then(|| Finding::new(at, end, Kind::Id))
}

/// A number that begins with letters at `at`: British, Spanish for foreigners, passports behind their word.
pub(super) fn lettered(text: &[u8], at: usize) -> Option<Finding> {
    if !begins(text, at) || before(text, at) == b'_' {
        return None;
    }
    let end = nino(text, at).or_else(|| nie(text, at)).or_else(|| passport(text, at))?;
    ends(text, end).then(|| Finding::new(at, end, Kind::Id))
}

/// `QQ 12 34 56 C`, prefixes that are never given left out.
fn nino(text: &[u8], at: usize) -> Option<usize> {
    let (first, second) = (byte(text, at), byte(text, at + 1));
    let said = |word: &str| matches!(word, "nino" | "insurance");
    let given = b"ABCEGHJKLMNOPRSTWXYZ".contains(&first)
        && b"ABCEGHJKLMNPRSTWXYZ".contains(&second)
        && ![b"BG", b"GB", b"NK", b"KN", b"TN", b"NT", b"ZZ"].contains(&&[first, second]);
    let told = || first.is_ascii_uppercase() && second.is_ascii_uppercase() && Before::new(text, at).any(said);
    if !given && !told() {
        return None;
    }
    let spaced = byte(text, at + 2) == b' ';
    let mut place = at + 2;
    for _ in 0..3 {
        place += usize::from(spaced && byte(text, place) == b' ');
        if !(byte(text, place).is_ascii_digit() && byte(text, place + 1).is_ascii_digit()) {
            return None;
        }
        place += 2;
    }
    place += usize::from(spaced && byte(text, place) == b' ');
    let letter = byte(text, place);
    (matches!(letter, b'A'..=b'D') || (letter.is_ascii_uppercase() && told())).then_some(place + 1)
}

fn nie(text: &[u8], at: usize) -> Option<usize> {
    let first = byte(text, at);
    let start = at + 1 + usize::from(byte(text, at + 1) == b'-');
    let digits = text.get(start..start + 7).filter(|d| d.iter().all(u8::is_ascii_digit))?;
    let letter = start + 7 + usize::from(byte(text, start + 7) == b'-');
    let number = [&[first.wrapping_sub(b'X') + b'0'], digits].concat();
    let fits = matches!(first, b'X'..=b'Z') && checks::spanish(&number, byte(text, letter));
    (fits && byte(text, letter).is_ascii_uppercase()).then_some(letter + 1)
}

fn passport(text: &[u8], at: usize) -> Option<usize> {
    let letters = text[at..].iter().take(3).take_while(|b| b.is_ascii_uppercase()).count();
    let start = at + letters;
    let end = start + text[start..].iter().take(9).take_while(|b| b.is_ascii_digit()).count();
    let shape = (1..=2).contains(&letters) && (6..=8).contains(&(end - start));
    (shape && Before::new(text, at).any(|word| word.starts_with("passport") || word.starts_with("паспорт")))
        .then_some(end)
}

/// The Italian number of a person: letters of the name, day and place of birth, and the letter that they give.
pub(in super::super) fn italian(text: &[u8], at: usize, end: usize) -> Option<Finding> {
    const ODD: [u8; 26] =
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let code = text.get(at..end).filter(|code| code.len() == 16)?;
    // Where two people would have the same number, letters stand for digits.
    let digit = |b: u8| b.is_ascii_digit() || b"LMNPQRSTUV".contains(&b.to_ascii_uppercase());
    let shape =
        b"aaaaaa99a99a999a".iter().zip(code).all(|(s, c)| if *s == b'9' { digit(*c) } else { c.is_ascii_alphabetic() });
    if !shape || !begins(text, at) || !ends(text, end) {
        return None;
    }
    let order = |b: u8| usize::from(if b.is_ascii_digit() { b - b'0' } else { b.to_ascii_uppercase() - b'A' });
    let sum: usize = code[..15]
        .iter()
        .enumerate()
        .map(|(i, b)| if i % 2 == 0 { usize::from(ODD[order(*b)]) } else { order(*b) })
        .sum();
    (sum % 26 == order(code[15])).then(|| Finding::new(at, end, Kind::Id))
}
