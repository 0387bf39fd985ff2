//! Keys and tokens that say themselves what they are.

use super::super::kind::{Finding, Kind};
use super::{before, begins, byte, entropy};

/// What a key may consist of behind its prefix.
#[derive(Clone, Copy, PartialEq)]
enum Body {
    Hex,
    Upper,
    Alnum,
    Word,
    Dotted,
}

impl Body {
    fn takes(self, byte: u8) -> bool {
        match self {
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Alnum => byte.is_ascii_alphanumeric(),
            Self::Word => byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-',
            Self::Dotted => byte.is_ascii_alphanumeric() || b"_-.=/+".contains(&byte),
        }
    }
}

/// Whether a run is a key is told by its beginning: a run that is refused is looked at again at its next word.
const JUDGED: usize = 128;

/// A token's part that does not begin like one is followed so far.
const DOUBTFUL: usize = 4096;

/// Prefix, body, and the least length of the body. The whole body is taken, so that no part of a key stays.
const PREFIXES: &[(&[u8], Body, usize)] = &[
    (b"sk-", Body::Word, 20),
    (b"sk_live_", Body::Alnum, 10),
    (b"sk_test_", Body::Alnum, 10),
    (b"sk_prod_", Body::Alnum, 10),
    (b"rk_live_", Body::Alnum, 10),
    (b"rk_test_", Body::Alnum, 10),
    (b"rk_prod_", Body::Alnum, 10),
    (b"sk_", Body::Hex, 32),
    (b"whsec_", Body::Dotted, 20),
    (b"ghp_", Body::Alnum, 30),
    (b"gho_", Body::Alnum, 30),
    (b"ghu_", Body::Alnum, 30),
    (b"ghs_", Body::Alnum, 30),
    (b"ghr_", Body::Alnum, 30),
    (b"github_pat_", Body::Word, 22),
    (b"glpat-", Body::Word, 20),
    (b"AIza", Body::Word, 30),
    (b"ya29.", Body::Word, 20),
    (b"GOCSPX-", Body::Word, 20),
    (b"AKIA", Body::Upper, 16),
    (b"ASIA", Body::Upper, 16),
    (b"ABIA", Body::Upper, 16),
    (b"ACCA", Body::Upper, 16),
    (b"A3T", Body::Upper, 17),
    (b"xoxb-", Body::Word, 10),
    (b"xoxp-", Body::Word, 10),
    (b"xoxa-", Body::Word, 10),
    (b"xoxr-", Body::Word, 10),
    (b"xoxs-", Body::Word, 10),
    (b"xoxe", Body::Dotted, 20),
    (b"xapp-", Body::Word, 20),
    (b"SG.", Body::Dotted, 40),
    (b"hf_", Body::Alnum, 30),
    (b"pplx-", Body::Alnum, 30),
    (b"SK", Body::Hex, 32),
    (b"sb_secret_", Body::Word, 16),
    (b"sb_publishable_", Body::Word, 16),
    (b"sbp_", Body::Hex, 40),
    (b"npm_", Body::Alnum, 30),
    (b"pypi-", Body::Word, 50),
    (b"dckr_pat_", Body::Word, 20),
    (b"dop_v1_", Body::Hex, 64),
    (b"shpat_", Body::Hex, 32),
    (b"shpss_", Body::Hex, 32),
    (b"r8_", Body::Alnum, 30),
    (b"gsk_", Body::Alnum, 30),
    (b"xai-", Body::Alnum, 40),
    (b"tvly-", Body::Word, 20),
    (b"lin_api_", Body::Alnum, 30),
    (b"ntn_", Body::Alnum, 40),
    (b"figd_", Body::Word, 30),
    (b"glsa_", Body::Word, 32),
    (b"sntrys_", Body::Dotted, 20),
    (b"hvs.", Body::Word, 24),
    (b"ATATT3", Body::Dotted, 50),
    (b"PMAK-", Body::Word, 24),
    (b"AGE-SECRET-KEY-1", Body::Upper, 50),
    (b"key-", Body::Hex, 32),
    (b"dapi", Body::Hex, 32),
    (b"eyJ", Body::Word, 8),
    (b"Bearer", Body::Word, 0),
    (b"bearer", Body::Word, 0),
    (b"BEARER", Body::Word, 0),
    (b"Basic", Body::Word, 0),
    (b"basic", Body::Word, 0),
];

/// For each pair of bytes, whether a prefix has it as first and second byte (first table) or as second and third.
static PAIRS: [[u64; 1024]; 2] = pairs();

const fn pairs() -> [[u64; 1024]; 2] {
    let mut bits = [[0u64; 1024]; 2];
    let mut prefix = 0;
    while prefix < PREFIXES.len() {
        let bytes = PREFIXES[prefix].0;
        let first = (bytes[0] as usize) << 8 | bytes[1] as usize;
        bits[0][first / 64] |= 1 << (first % 64);
        if bytes.len() > 2 {
            let second = (bytes[1] as usize) << 8 | bytes[2] as usize;
            bits[1][second / 64] |= 1 << (second % 64);
        } else {
            let mut third = 0;
            while third < 256 {
                let second = (bytes[1] as usize) << 8 | third;
                bits[1][second / 64] |= 1 << (second % 64);
                third += 1;
            }
        }
        prefix += 1;
    }
    bits
}

/// Whether a key could begin with these three bytes.
#[inline]
pub(in super::super) fn could_begin(a: u8, b: u8, c: u8) -> bool {
    let first = usize::from(a) << 8 | usize::from(b);
    let second = usize::from(b) << 8 | usize::from(c);
    PAIRS[0][first / 64] >> (first % 64) & 1 == 1 && PAIRS[1][second / 64] >> (second % 64) & 1 == 1
}

/// A key whose prefix stands at `at`.
pub(in super::super) fn key(text: &[u8], at: usize) -> Option<Finding> {
    let rest = &text[at..];
    for (prefix, body, least) in PREFIXES {
        if *least == 0 || !rest.starts_with(prefix) {
            continue;
        }
        if *prefix == b"eyJ" {
            return jwt(text, at);
        }
        let start = at + prefix.len();
        let taken = |most: usize| text[start..].iter().take(most).take_while(|b| body.takes(**b)).count();
        let judged = taken(JUDGED);
        if judged < *least || !looks_random(prefix, &text[start..start + judged]) {
            continue;
        }
        let end = start + taken(usize::MAX);
        if !byte(text, end).is_ascii_alphanumeric() {
            return Some(Finding::new(at, end, Kind::Key));
        }
    }
    None
}

/// `sk-` also begins style names and slugs, and upper-case words exist: the rest must not be words.
fn looks_random(prefix: &[u8], run: &[u8]) -> bool {
    let bits = entropy(run);
    let digits = run.iter().filter(|b| b.is_ascii_digit()).count();
    match prefix {
        b"sk-" => {
            let longest = run.split(|b| matches!(b, b'-' | b'_')).map(<[u8]>::len).max().unwrap_or_default();
            let mixed = run.iter().any(u8::is_ascii_uppercase) && run.iter().any(u8::is_ascii_lowercase);
            bits >= 2.5 && (longest >= 16 || (digits > 1 && mixed))
        }
        b"AKIA" | b"ASIA" | b"ABIA" | b"ACCA" | b"A3T" | b"SK" | b"key-" | b"dapi" => bits >= 2.0,
        _ => bits >= 1.5,
    }
}

/// A JSON web token, encrypted and cut ones too.
fn jwt(text: &[u8], at: usize) -> Option<Finding> {
    // `{"alg":`, `{"typ":`, `{"kid":`: a first part that begins so is no other word.
    let known = [&b"eyJhbGci"[..], b"eyJ0eXAi", b"eyJraWQi", b"eyJlbmMi", b"eyJjdHki", b"eyJqd"]
        .iter()
        .any(|k| text[at..].starts_with(k));
    let most = if known { usize::MAX } else { DOUBTFUL };
    let takes = |b: &&u8| Body::Word.takes(**b) || matches!(**b, b'/' | b'+');
    let part = |from: usize, most: usize| text[from..].iter().take(most).take_while(takes).count();
    let header = at + part(at, if known { most } else { DOUBTFUL / 8 });
    let mut end = header;
    let mut parts = 1;
    while parts < 5 && byte(text, end) == b'.' && parts_go_on(text, end, parts) {
        end = end + 1 + part(end + 1, most);
        parts += 1;
    }
    end += text[end..].iter().take(2).take_while(|b| **b == b'=').count();
    (header - at >= 12 && (known || parts >= 3)).then(|| Finding::new(at, end, Kind::Jwt))
}

/// Whether the dot at `dot` parts two parts of a token and does not end a sentence.
fn parts_go_on(text: &[u8], dot: usize, parts: usize) -> bool {
    let next = byte(text, dot + 1);
    // Only the second and third dot may be followed by nothing: an unsigned token, or direct encryption.
    Body::Word.takes(next) || (next == b'.' && parts == 1)
}

/// The credential behind `Bearer` or `Basic`, where the scheme's first letter stands at `at`.
pub(in super::super) fn scheme_token(text: &[u8], at: usize) -> Option<Finding> {
    let rest = &text[at..];
    let scheme = rest
        .get(..6)
        .filter(|s| s.eq_ignore_ascii_case(b"bearer"))
        .or_else(|| rest.get(..5).filter(|s| s.eq_ignore_ascii_case(b"basic")))?;
    let mut start = at + scheme.len();
    if !begins(text, at) || !matches!(byte(text, start), b' ' | b':' | b'+') {
        return None;
    }
    start += text[start..].iter().take(2).take_while(|b| matches!(b, b' ' | b':' | b'+')).count();
    let end = start + text[start..].iter().take_while(|b| Body::Dotted.takes(**b) || **b == b'~').count();
    let token = &text[start..end];
    let digits = token.iter().any(u8::is_ascii_digit);
    let mixed = token.iter().any(u8::is_ascii_lowercase) && token.iter().skip(1).any(u8::is_ascii_uppercase);
    let enough = token.len() >= 8 && (digits || mixed || token.len() >= 24);
    enough.then(|| Finding::new(start, end, Kind::Secret))
}

/// A Telegram bot's token, `<8 to 10 digits>:AA<33>`, around the colon at `at`.
pub(in super::super) fn telegram(text: &[u8], at: usize) -> Option<Finding> {
    if byte(text, at + 1) != b'A' || byte(text, at + 2) != b'A' {
        return None;
    }
    let length = text[at + 1..].iter().take_while(|b| Body::Word.takes(**b)).count();
    let reach = at.saturating_sub(10);
    let digits = text[reach..at].iter().rev().take_while(|b| b.is_ascii_digit()).count();
    (length >= 33 && digits >= 8).then(|| Finding::new(at - digits, at + 1 + length, Kind::Key))
}

/// A private key in its armour, where the first dash stands at `at`. Without an end it reaches to the text's end.
pub(in super::super) fn private_key(text: &[u8], at: usize) -> Option<Finding> {
    if !text[at..].starts_with(b"-----BEGIN") || before(text, at) == b'-' {
        return None;
    }
    let head = &text[at..text.len().min(at + 128)];
    // A form writes its spaces as plus signs.
    let named = |words: &[u8]| memchr::memmem::find(head, words);
    named(b"PRIVATE KEY").or_else(|| named(b"PRIVATE+KEY"))?;
    let foot = memchr::memmem::find(&text[at..], b"-----END").map(|foot| at + foot + 8);
    let end = foot.map_or(text.len(), |foot| {
        let close = memchr::memmem::find(&text[foot..text.len().min(foot + 128)], b"-----");
        close.map_or(foot, |close| foot + close + 5)
    });
    Some(Finding::new(at, end, Kind::Key))
}
