//! Keys and tokens that say themselves what they are.

use super::super::kind::{Finding, Kind};
use super::checks::entropy;
use super::context::Before;
use super::{before, begins, byte, run, steps};

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

/// Shortest token that only words give away.
const LEAST_TOLD: usize = 20;

/// Prefix, body, and the least length of the body, in the order of their bytes. The whole body is taken, so that no part
/// of a key stays. A length of 0 stands for a scheme, whose credential comes behind it.
const PREFIXES: &[(&[u8], Body, usize)] = &[
    (b"A3T", Body::Upper, 17),
    (b"ABIA", Body::Upper, 16),
    (b"ACCA", Body::Upper, 16),
    (b"AGE-SECRET-KEY-1", Body::Upper, 50),
    (b"AIza", Body::Word, 30),
    (b"AKIA", Body::Upper, 16),
    (b"ASIA", Body::Upper, 16),
    (b"ATATT3", Body::Dotted, 50),
    (b"ATBB", Body::Alnum, 24),
    (b"ATCTT3", Body::Dotted, 50),
    (b"BEARER", Body::Word, 0),
    (b"Basic", Body::Word, 0),
    (b"Bearer", Body::Word, 0),
    (b"CFPAT-", Body::Word, 40),
    (b"FLWSECK", Body::Word, 20),
    (b"GOCSPX-", Body::Word, 20),
    (b"HRKU-", Body::Word, 30),
    (b"NRAK-", Body::Alnum, 20),
    (b"NRJS-", Body::Alnum, 15),
    (b"PMAK-", Body::Word, 24),
    (b"SG.", Body::Dotted, 40),
    (b"SK", Body::Hex, 32),
    (b"basic", Body::Word, 0),
    (b"bearer", Body::Word, 0),
    (b"ccpat_", Body::Word, 30),
    (b"cfut_", Body::Word, 30),
    (b"ctp_", Body::Word, 30),
    (b"dapi", Body::Hex, 32),
    (b"dckr_oat_", Body::Word, 20),
    (b"dckr_pat_", Body::Word, 20),
    (b"doo_v1_", Body::Hex, 64),
    (b"dop_v1_", Body::Hex, 64),
    (b"dor_v1_", Body::Hex, 64),
    (b"dp.pt.", Body::Alnum, 40),
    (b"duffel_", Body::Word, 40),
    (b"eyJ", Body::Word, 8),
    (b"figd_", Body::Word, 30),
    (b"fm2_", Body::Dotted, 40),
    (b"fo1_", Body::Word, 40),
    (b"ghc_", Body::Alnum, 30),
    (b"gho_", Body::Alnum, 30),
    (b"ghp_", Body::Alnum, 30),
    (b"ghr_", Body::Alnum, 30),
    (b"ghs_", Body::Alnum, 30),
    (b"ghu_", Body::Alnum, 30),
    (b"github_pat_", Body::Word, 22),
    (b"glagent-", Body::Word, 20),
    (b"glc_", Body::Dotted, 30),
    (b"glcbt-", Body::Word, 20),
    (b"gldt-", Body::Word, 20),
    (b"glft-", Body::Word, 20),
    (b"glpat-", Body::Word, 20),
    (b"glptt-", Body::Word, 20),
    (b"glrt-", Body::Word, 20),
    (b"glsa_", Body::Word, 32),
    (b"gsk_", Body::Alnum, 30),
    (b"hf_", Body::Alnum, 30),
    (b"hvb.", Body::Word, 24),
    (b"hvr.", Body::Word, 24),
    (b"hvs.", Body::Word, 24),
    (b"jina_", Body::Word, 30),
    (b"key-", Body::Hex, 32),
    (b"lin_api_", Body::Alnum, 30),
    (b"lsv2_pt_", Body::Word, 30),
    (b"lsv2_sk_", Body::Word, 30),
    (b"nfp_", Body::Alnum, 30),
    (b"npm_", Body::Alnum, 30),
    (b"ntn_", Body::Alnum, 40),
    (b"ops_eyJ", Body::Dotted, 40),
    (b"pk.eyJ", Body::Dotted, 40),
    (b"pplx-", Body::Alnum, 30),
    (b"pscale_oauth_", Body::Dotted, 30),
    (b"pscale_pw_", Body::Dotted, 30),
    (b"pscale_tkn_", Body::Dotted, 30),
    (b"pul-", Body::Hex, 40),
    (b"pypi-", Body::Word, 50),
    (b"r8_", Body::Alnum, 30),
    (b"rdme_", Body::Alnum, 60),
    (b"rk_live_", Body::Alnum, 10),
    (b"rk_prod_", Body::Alnum, 10),
    (b"rk_test_", Body::Alnum, 10),
    (b"rpa_", Body::Alnum, 30),
    (b"rubygems_", Body::Hex, 40),
    (b"rzp_live_", Body::Alnum, 10),
    (b"rzp_test_", Body::Alnum, 10),
    (b"sb_publishable_", Body::Word, 16),
    (b"sb_secret_", Body::Word, 16),
    (b"sbp_", Body::Hex, 40),
    (b"secret_", Body::Alnum, 43),
    (b"sgp_", Body::Word, 40),
    (b"shpat_", Body::Hex, 32),
    (b"shpca_", Body::Hex, 32),
    (b"shppa_", Body::Hex, 32),
    (b"shpss_", Body::Hex, 32),
    (b"sk-", Body::Word, 20),
    (b"sk.eyJ", Body::Dotted, 40),
    (b"sk_", Body::Hex, 32),
    (b"sk_live_", Body::Alnum, 10),
    (b"sk_prod_", Body::Alnum, 10),
    (b"sk_test_", Body::Alnum, 10),
    (b"sntrys_", Body::Dotted, 20),
    (b"sntryu_", Body::Hex, 40),
    (b"sq0atp-", Body::Word, 20),
    (b"sq0csp-", Body::Word, 30),
    (b"tfp_", Body::Alnum, 40),
    (b"tk-us-", Body::Word, 40),
    (b"tvly-", Body::Word, 20),
    (b"v1.0-", Body::Dotted, 100),
    (b"whsec_", Body::Dotted, 20),
    (b"xai-", Body::Alnum, 40),
    (b"xapp-", Body::Word, 20),
    (b"xoxa-", Body::Word, 10),
    (b"xoxb-", Body::Word, 10),
    (b"xoxe", Body::Dotted, 20),
    (b"xoxp-", Body::Word, 10),
    (b"xoxr-", Body::Word, 10),
    (b"xoxs-", Body::Word, 10),
    (b"ya29.", Body::Word, 20),
];

/// Where the prefixes begin that have a byte as their first.
static FIRST: [u8; 257] = first();

const fn first() -> [u8; 257] {
    let mut places = [0; 257];
    let mut byte = 0;
    let mut prefix = 0;
    while byte < 257 {
        while prefix < PREFIXES.len() && (PREFIXES[prefix].0[0] as usize) < byte {
            prefix += 1;
        }
        places[byte] = prefix as u8;
        byte += 1;
    }
    places
}

/// For each first byte of a prefix, a bit for the second (first table) and for the third (second table), both by their
/// last six bits: two kilobytes that stay near.
static AFTER: [[u64; 256]; 2] = after();

const fn after() -> [[u64; 256]; 2] {
    let mut bits = [[0u64; 256]; 2];
    let mut prefix = 0;
    while prefix < PREFIXES.len() {
        let bytes = PREFIXES[prefix].0;
        let first = bytes[0] as usize;
        bits[0][first] |= 1 << (bytes[1] & 63);
        bits[1][first] |= if bytes.len() > 2 { 1 << (bytes[2] & 63) } else { u64::MAX };
        prefix += 1;
    }
    bits
}

/// Whether a key could begin with these three bytes.
#[inline]
pub(in super::super) fn could_begin(a: u8, b: u8, c: u8) -> bool {
    let first = usize::from(a);
    (AFTER[0][first] >> (b & 63)) & (AFTER[1][first] >> (c & 63)) & 1 == 1
}

/// A key whose prefix stands at `at`.
pub(in super::super) fn key(text: &[u8], at: usize) -> Option<Finding> {
    let rest = &text[at..];
    let first = usize::from(*rest.first()?);
    let places = usize::from(FIRST[first])..usize::from(FIRST[first + 1]);
    // The longest first: `sk_live_` before `sk_`.
    for (prefix, body, least) in PREFIXES[places].iter().rev() {
        if *least == 0 || !rest.starts_with(prefix) {
            continue;
        }
        if *prefix == b"eyJ" {
            return jwt(text, at);
        }
        let start = at + prefix.len();
        let taken = |most: usize| run(text, start, most, |b| body.takes(b));
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
    let takes = |b: u8| Body::Word.takes(b) || matches!(b, b'/' | b'+');
    let part = |from: usize, most: usize| run(text, from, most, takes);
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
    let end = start + run(text, start, usize::MAX, |b| Body::Dotted.takes(b) || b == b'~');
    let token = &text[start..end];
    let digits = token.iter().any(u8::is_ascii_digit);
    let mixed = token.iter().any(u8::is_ascii_lowercase) && token.iter().skip(1).any(u8::is_ascii_uppercase);
    let enough = token.len() >= 8 && (digits || mixed || token.len() >= 24);
    enough.then(|| Finding::new(start, end, Kind::Secret))
}

/// Whether words could stand before a place that give a token away. Behind a sign it is found by its name.
#[inline]
pub(in super::super) fn could_be_told(text: &[u8], at: usize) -> bool {
    matches!(before(text, at), b' ' | b'"' | b'\'' | b'`' | b'(')
        && !matches!(byte(text, at.wrapping_sub(2)), b':' | b'=')
}

/// A token that only the words before it give away: `the api key is 4f9c..`.
pub(in super::super) fn told_token(text: &[u8], at: usize) -> Option<Finding> {
    if !could_be_told(text, at) {
        return None;
    }
    let length = run(text, at, DOUBTFUL, |b| Body::Word.takes(b));
    let token = &text[at..at + length];
    let mixed = token.iter().any(u8::is_ascii_digit) && token.iter().any(u8::is_ascii_alphabetic);
    if length < LEAST_TOLD || length == DOUBTFUL || !mixed || entropy(token) < 3.0 {
        return None;
    }
    let words = Before::new(text, at);
    let said = |word: &str| {
        matches!(
            word,
            "token" | "secret" | "password" | "passwd" | "apikey" | "credential" | "elevenlabs" | "пароль" | "xi"
        ) || word.ends_with("token")
            || word.ends_with("apikey")
    };
    (words.tells(said) || words.tells_key()).then(|| Finding::new(at, at + length, Kind::Secret))
}

/// A Telegram bot's token, `<8 to 10 digits>:AA<33>`, around the colon at `at`.
pub(in super::super) fn telegram(text: &[u8], at: usize) -> Option<Finding> {
    if byte(text, at + 1) != b'A' || byte(text, at + 2) != b'A' {
        return None;
    }
    let length = run(text, at + 1, usize::MAX, |b| Body::Word.takes(b));
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
    steps::add(foot.unwrap_or(text.len()) - at);
    let end = foot.map_or(text.len(), |foot| {
        let close = memchr::memmem::find(&text[foot..text.len().min(foot + 128)], b"-----");
        close.map_or(foot, |close| foot + close + 5)
    });
    Some(Finding::new(at, end, Kind::Key))
}
