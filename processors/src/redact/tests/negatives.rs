//! Texts that look like personal data and are none: how many are redacted by mistake.

use super::{Dice, redactor};

const HEX: &str = "0123456789abcdef";

fn luhn_fails(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(i, d)| match (i % 2, u32::from(d - b'0')) {
            (0, n) => n,
            (_, n) if n > 4 => n * 2 - 9,
            (_, n) => n * 2,
        })
        .sum();
    !sum.is_multiple_of(10)
}

fn order(dice: &mut Dice) -> String {
    loop {
        let length = 8 + dice.below(9) as usize;
        let number = dice.digits(length);
        if luhn_fails(&number) {
            return number;
        }
    }
}

fn uuid(dice: &mut Dice) -> String {
    let h = dice.chars(HEX, 32);
    format!("{}-{}-4{}-a{}-{}", &h[..8], &h[8..12], &h[13..16], &h[17..20], &h[20..])
}

fn version(dice: &mut Dice) -> String {
    let small = |dice: &mut Dice| dice.below(20);
    match dice.below(4) {
        0 => format!("{}.{}.{}", small(dice), dice.below(100), dice.below(1000)),
        1 => format!("v{}.{}.{}.{}", small(dice), dice.below(256), dice.below(256), dice.below(256)),
        2 => format!("{}.{}.{}.{}", 1 + dice.below(9), small(dice), small(dice), small(dice)),
        _ => format!("{}.{}.{}-rc.{}+build.{}", small(dice), small(dice), small(dice), small(dice), dice.below(9999)),
    }
}

fn time(dice: &mut Dice) -> String {
    let seconds = 1_600_000_000 + dice.below(300_000_000);
    match dice.below(8) {
        0 => seconds.to_string(),
        1 => format!("{seconds}{}", dice.digits(3)),
        2 => format!("{seconds}{}", dice.digits(9)),
        3 => format!("{seconds}.{}", dice.digits(6)),
        4 => format!(
            "20{}-{:02}-{:02}T{:02}:{:02}:{:02}.{}Z",
            20 + dice.below(9),
            1 + dice.below(12),
            1 + dice.below(28),
            dice.below(24),
            dice.below(60),
            dice.below(60),
            dice.digits(6)
        ),
        5 => format!(
            "{:02}/{:02}/20{} {:02}:{:02}:{:02} +0200",
            1 + dice.below(12),
            1 + dice.below(28),
            20 + dice.below(9),
            dice.below(24),
            dice.below(60),
            dice.below(60)
        ),
        6 => format!(
            "20{}{:02}{:02}{:02}{:02}{:02}",
            20 + dice.below(9),
            1 + dice.below(12),
            1 + dice.below(28),
            dice.below(24),
            dice.below(60),
            dice.below(60)
        ),
        _ => format!(
            "{:02}.{:02}.20{} {:02}:{:02}",
            1 + dice.below(28),
            1 + dice.below(12),
            20 + dice.below(9),
            dice.below(24),
            dice.below(60)
        ),
    }
}

fn price(dice: &mut Dice) -> String {
    match dice.below(4) {
        0 => format!("${}.{}", dice.below(10_000), dice.digits(2)),
        1 => format!("{} {} {},{} EUR", 1 + dice.below(99), dice.digits(3), dice.digits(3), dice.digits(2)),
        2 => format!("1,{},{}.{}", dice.digits(3), dice.digits(3), dice.digits(2)),
        _ => format!("0.{}", dice.digits(16)),
    }
}

fn line(dice: &mut Dice) -> String {
    match dice.below(14) {
        0 => format!("request_id={} status=200 bytes={}", uuid(dice), dice.below(1 << 40)),
        1 => format!("trace_id={} span_id={}", dice.chars(HEX, 32), dice.chars(HEX, 16)),
        2 => format!("order {} shipped in {}ms", order(dice), dice.below(10_000)),
        3 => format!("app {} upgraded", version(dice)),
        4 => format!("ts={} level=info", time(dice)),
        5 => format!("price {} total {}", price(dice), price(dice)),
        6 => format!("commit {} by ci", dice.chars(HEX, 40)),
        7 => format!("{{\"order_id\":{},\"id\":\"{}\",\"at\":\"{}\"}}", order(dice), uuid(dice), time(dice)),
        8 => format!("sha256:{} etag W/\"{}\"", dice.chars(HEX, 64), dice.chars(HEX, 32)),
        9 => {
            format!("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/{}.0.0.0 Safari/537.36", dice.below(255))
        }
        10 => format!(
            "at module::path::Type<{}> (src/main.rs:{}:{}) 0x{}",
            dice.below(99),
            dice.below(9999),
            dice.below(99),
            dice.chars(HEX, 12)
        ),
        11 => format!(
            "GET /api/v2/items/{}?page={}&sort=-price HTTP/1.1 {} {} {}",
            order(dice),
            dice.below(99),
            dice.below(600),
            dice.below(99999),
            dice.below(999)
        ),
        12 => format!(
            "user-agent curl/8.{}.{} took {}.{}s at {},{}",
            dice.below(20),
            dice.below(9),
            dice.below(99),
            dice.digits(3),
            dice.fill("5%.####"),
            dice.fill("1%.####")
        ),
        _ => format!("image sha-{} tokens: {} max_token=4096 key: none", dice.chars(HEX, 12), dice.below(99_999)),
    }
}

#[test]
fn fewer_than_one_mistake_a_megabyte() {
    const MEGABYTES: usize = 3;
    let mut dice = Dice::new(2026);
    let mut redact = redactor("{}");
    let mut bytes = 0;
    let mut mistakes = Vec::new();
    while bytes < MEGABYTES << 20 {
        let text = line(&mut dice);
        bytes += text.len();
        if let Some(stored) = redact.cleaner.clean(&text) {
            mistakes.push((text, stored));
        }
    }
    assert!(
        mistakes.len() < MEGABYTES,
        "{} mistakes, for example {:#?}",
        mistakes.len(),
        &mistakes[..mistakes.len().min(8)]
    );
}
