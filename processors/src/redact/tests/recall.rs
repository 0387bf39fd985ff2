//! Generated values of every kind, in many formats and surroundings: how many are found.

use super::{Dice, redactor};

const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const WORD: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
const HEX: &str = "0123456789abcdef";
const EACH: usize = 1000;

/// Plants values in texts; nothing of them may be left in at least `share` of the cases.
fn recall(kind: &str, share: f64, mut value: impl FnMut(&mut Dice) -> String) {
    let around: &[&str] = &[
        "{}",
        "user {} logged in",
        "value=\"{}\" status=ok",
        "failed for {}, retrying",
        "{\"message\":\"got {}\",\"n\":1}",
        "<b>{}</b>",
        "2026-11-21T09:26:11Z INFO {} done in 12ms",
        "({})",
        "x: {}; y: 2",
        "\"{}\"",
        "line\n{}\nline",
        "['{}']",
    ];
    let mut dice = Dice::new(7);
    let mut redact = redactor("{}");
    let mut missed = Vec::new();
    for _ in 0..EACH {
        let value = value(&mut dice);
        let text = dice.pick(around).replace("{}", &value);
        let stored = redact.cleaner.clean(&text).unwrap_or_else(|| text.clone());
        if stored.contains(&value) || stored == text {
            missed.push(text);
        }
    }
    let found = 1.0 - missed.len() as f64 / EACH as f64;
    missed.truncate(5);
    assert!(found >= share, "{kind}: {found} of {EACH}, for example {missed:?}");
}

fn luhn(mut digits: String) -> String {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(i, d)| match (i % 2, u32::from(d - b'0')) {
            (1, n) => n,
            (_, n) if n > 4 => n * 2 - 9,
            (_, n) => n * 2,
        })
        .sum();
    digits.push(char::from(b'0' + (10 - sum % 10) as u8 % 10));
    digits
}

fn grouped(digits: &str, gap: &str, sizes: &[usize]) -> String {
    let mut rest = digits;
    let mut groups = Vec::new();
    for size in sizes.iter().chain(std::iter::repeat(&4)) {
        if rest.is_empty() {
            break;
        }
        let (group, after) = rest.split_at((*size).min(rest.len()));
        groups.push(group);
        rest = after;
    }
    groups.join(gap)
}

#[test]
fn cards() {
    let ranges: &[(&str, usize)] = &[
        ("4", 16),
        ("4", 13),
        ("4", 19),
        ("51", 16),
        ("55", 16),
        ("2221", 16),
        ("2720", 16),
        ("34", 15),
        ("37", 15),
        ("6011", 16),
        ("65", 16),
        ("644", 16),
        ("300", 14),
        ("36", 14),
        ("38", 14),
        ("3528", 16),
        ("3589", 16),
        ("2131", 15),
        ("1800", 15),
        ("62", 16),
        ("62", 19),
        ("5018", 12),
        ("6304", 12),
        ("6761", 13),
        ("5612", 12),
        ("2200", 16),
        ("9792", 16),
        ("9", 16),
    ];
    recall("card", 0.995, |dice| {
        let (prefix, length) = ranges[dice.below(ranges.len() as u64) as usize];
        let card = luhn(format!("{prefix}{}", dice.digits(length - prefix.len() - 1)));
        let sizes: &[usize] = if length == 15 { &[4, 6, 5] } else { &[4, 4, 4, 4, 3] };
        match dice.below(3) {
            1 if length > 13 => grouped(&card, " ", sizes),
            2 if length > 13 => grouped(&card, "-", sizes),
            _ => card,
        }
    });
}

#[test]
fn emails() {
    let tops: &[&str] = &["com", "co.uk", "de", "museum", "io", "xn--p1ai", "travel"];
    let names: &[&str] = &["??????", "???.?????", "??+##", "?_???-??", "?????####", "o'?????", "??%????"];
    recall("email", 0.999, |dice| {
        let name = if dice.below(8) == 0 {
            dice.chars(ALNUM, 60)
        } else {
            let n = dice.pick(names);
            dice.fill(&n.replace('%', "p"))
        };
        format!("{name}@{}.{}", dice.fill("????-??"), dice.pick(tops))
    });
}

#[test]
fn ibans() {
    let formats: &[(&str, &str)] = &[
        ("DE", "##################"),
        ("GB", "????##############"),
        ("FR", "#######################"),
        ("NL", "????##########"),
        ("KZ", "###?????????????"),
        ("NO", "###########"),
        ("MT", "????#####??????????????????"),
        ("ES", "####################"),
        ("CH", "#################"),
        ("PL", "########################"),
    ];
    recall("iban", 0.999, |dice| {
        let (country, format) = formats[dice.below(formats.len() as u64) as usize];
        let account = dice.fill(format).to_uppercase();
        let rest = format!("{account}{country}00").bytes().fold(0u64, |sum, c| match c {
            b'0'..=b'9' => (sum * 10 + u64::from(c - b'0')) % 97,
            _ => (sum * 100 + u64::from(c - b'A') + 10) % 97,
        });
        let iban = format!("{country}{:02}{account}", 98 - rest);
        match dice.below(3) {
            0 => grouped(&iban, " ", &[]),
            1 => iban.to_lowercase(),
            _ => iban,
        }
    });
}

#[test]
fn phones() {
    // `%` is 2 to 9.
    let formats: &[&str] = &[
        "+1%##%######",
        "+1-%##-%##-####",
        "+1 (%##) %##-####",
        "+1.%##.%##.####",
        "(%##) %##-####",
        "(%##)%##-####",
        "%##-%##-####",
        "%##.%##.####",
        "1-%##-%##-####",
        "001-%##-%##-####",
        "%##-%##-####x####",
        "+1-%##-%##-####x###",
        "+44 20 7### ####",
        "+44 7### ######",
        "+44(0)1632 ######",
        "020 7### ####",
        "07### ######",
        "(01632) ######",
        "+447#########",
        "+49 30 %#######",
        "+49(0)%### ######",
        "+49 151 ########",
        "0%##/#######",
        "+33 6 ## ## ## ##",
        "06 ## ## ## ##",
        "+33 (0)6 ## ## ## ##",
        "+7 (701) ###-##-##",
        "+7701#######",
        "8 (705) ###-##-##",
        "8-916-###-##-##",
        "+7 916 ### ## ##",
        "+34 6## ### ###",
        "+39 3## #######",
        "+380 (67) ###-##-##",
        "+48 ### ### ###",
        "+81-3-####-####",
        "+86 138 #### ####",
        "+91 98### #####",
        "+55 (11) 9####-####",
        "+61 4## ### ###",
        "+998 90 ### ## ##",
        "0049 30 %#######",
        "tel %##%######",
    ];
    recall("phone", 0.97, |dice| {
        let format = dice.pick(formats);
        dice.fill(format)
    });
}

#[test]
fn addresses() {
    recall("ip", 0.99, |dice| match dice.below(3) {
        0 => (0..8).map(|_| format!("{:x}", dice.below(65536))).collect::<Vec<_>>().join(":"),
        1 => format!("2001:db8:{:x}::{:x}", dice.below(65536), 1 + dice.below(65535)),
        _ => format!("{}.{}.{}.{}", 1 + dice.below(223), dice.below(256), dice.below(256), dice.below(256)),
    });
}

#[test]
fn tokens_and_keys() {
    type Make = fn(&mut Dice) -> String;
    let kinds: &[(&str, Make)] = &[
        ("openai project", |d| format!("sk-proj-{}T3BlbkFJ{}", d.chars(WORD, 58), d.chars(WORD, 57) + "a")),
        ("openai", |d| format!("sk-{}T3BlbkFJ{}", d.chars(ALNUM, 20), d.chars(ALNUM, 20))),
        ("anthropic", |d| format!("sk-ant-api03-{}AA", d.chars(WORD, 93))),
        ("google", |d| format!("AIza{}b", d.chars(WORD, 34))),
        ("aws", |d| {
            format!("{}{}", d.pick(&["AKIA", "ASIA", "ABIA"]), d.chars("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16))
        }),
        ("elevenlabs", |d| format!("sk_{}", d.chars(HEX, 48))),
        ("stripe", |d| format!("{}_{}", d.pick(&["sk_live", "sk_test", "rk_live"]), d.chars(ALNUM, 24))),
        ("github", |d| format!("{}_{}", d.pick(&["ghp", "gho", "ghu", "ghs", "ghr"]), d.chars(ALNUM, 36))),
        ("github fine", |d| format!("github_pat_{}_{}", d.chars(ALNUM, 22), d.chars(ALNUM, 59))),
        ("slack", |d| format!("xoxb-{}-{}-{}", d.digits(12), d.digits(12), d.chars(ALNUM, 24))),
        ("sendgrid", |d| format!("SG.{}.{}x", d.chars(ALNUM, 22), d.chars(WORD, 42))),
        ("hugging face", |d| format!("hf_{}", d.chars(&ALNUM[..52], 34))),
        ("perplexity", |d| format!("pplx-{}", d.chars(ALNUM, 48))),
        ("twilio", |d| format!("SK{}", d.chars(HEX, 32))),
        ("supabase", |d| format!("sb_secret_{}x", d.chars(WORD, 30))),
        ("telegram", |d| format!("{}:AA{}x", d.digits(10), d.chars(WORD, 32))),
        ("jwt", |d| format!("eyJhbGciOiJIUzI1NiJ9.eyJ{}.{}x", d.chars(WORD, 40), d.chars(WORD, 42))),
        ("private key", |d| {
            format!("-----BEGIN EC PRIVATE KEY-----\\n{}\\n-----END EC PRIVATE KEY-----", d.chars(ALNUM, 64))
        }),
    ];
    for (kind, make) in kinds {
        recall(kind, 0.995, make);
    }
}
