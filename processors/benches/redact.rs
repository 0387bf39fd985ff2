//! How fast `redact` passes over log text, on one core: `cargo bench -p processors --bench redact`.
//!
//! `-- read FILE` measures the lines of a file and prints megabytes a second alone; `-- write` prints the made text, for
//! others to be measured with.

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use component::{Component, Context, Gather, Keyring, Rows};
use processors::redact::{Config, Redact};
use schemas::Catalog;

mod measure;

const BYTES: usize = 32 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let catalog = Arc::new(Catalog::built_in()?);
    let keys = Arc::new(Keyring::new(&[7; 32], 1)?);
    let cx = Context::new(Arc::clone(&catalog), keys);
    let mut redact = Redact::new(Config::default(), &cx)?;
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["write"] => {
            let mut out = std::io::stdout().lock();
            return Ok(lines(20, false).iter().try_for_each(|line| writeln!(out, "{line}"))?);
        }
        ["read", file] => {
            let text = std::fs::read_to_string(file)?;
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            let bytes: usize = lines.iter().map(String::len).sum();
            println!("{:.0}", bytes as f64 / fastest(&mut redact, &catalog, &lines)? / 1e6);
            return Ok(());
        }
        _ => {}
    }
    for (what, hits) in [
        ("log text, nothing to redact", 0),
        ("log text, one line in twenty redacted", 20),
        ("log text, every line redacted", 1),
    ] {
        show(what, &mut redact, &catalog, &lines(hits, false))?;
    }
    show("JSON lines, one in twenty redacted", &mut redact, &catalog, &lines(20, true))
}

fn show(what: &str, redact: &mut Redact, catalog: &Catalog, lines: &[String]) -> Result<(), Box<dyn Error>> {
    let bytes: usize = lines.iter().map(String::len).sum();
    let best = fastest(redact, catalog, lines)?;
    println!("{what:40} {:7.0} MB/s  {:6.0} ns a line", bytes as f64 / best / 1e6, best * 1e9 / lines.len() as f64);
    Ok(())
}

/// Seconds of the fastest of some rounds.
fn fastest(redact: &mut Redact, catalog: &Catalog, lines: &[String]) -> Result<f64, Box<dyn Error>> {
    let gathers = lines.chunks(4096).map(|chunk| gather(catalog, chunk)).collect::<Result<Vec<_>, _>>()?;
    measure::fastest(redact, &gathers)
}

fn gather(catalog: &Catalog, lines: &[String]) -> Result<Gather, Box<dyn Error>> {
    let table = catalog.table("logs").ok_or("no table logs")?;
    let body: ArrayRef = Arc::new(StringArray::from_iter_values(lines));
    let columns = table.columns.iter().map(|c| (c.name == "body").then(|| Arc::clone(&body))).collect();
    Ok(Gather::new(vec![Rows::new(Arc::clone(table), columns, vec![0; lines.len()])?]))
}

const WORDS: [&str; 12] = [
    "request",
    "completed",
    "handler",
    "cache",
    "miss",
    "for",
    "item",
    "retrying",
    "upstream",
    "connection",
    "worker",
    "queue",
];

/// Lines as services write them. Every `hits`-th holds something personal; none does for 0.
fn lines(hits: usize, json: bool) -> Vec<String> {
    let mut state = 42u64;
    let mut next = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let personal =
        ["bob.smith@example.com", "+1 415 555 2671", "4111 1111 1111 1111", "203.0.113.77", "password=hunter2"];
    let mut lines = Vec::new();
    let mut bytes = 0;
    while bytes < BYTES {
        let mut message = String::new();
        for _ in 0..8 + next(8) {
            message.push_str(WORDS[next(WORDS.len() as u64) as usize]);
            message.push(' ');
        }
        if hits > 0 && lines.len() % hits == 0 {
            message.push_str(personal[next(personal.len() as u64) as usize]);
        }
        let mut line = String::new();
        let (id, took, status) = (next(1 << 31), next(10_000), 200 + next(300));
        let time = format!(
            "2026-11-{:02}T{:02}:{:02}:{:02}.{:06}Z",
            1 + next(28),
            next(24),
            next(60),
            next(60),
            next(1_000_000)
        );
        // Writing to a String cannot fail.
        let _ = if json {
            write!(
                line,
                r#"{{"ts":"{time}","level":"info","msg":"{message}","trace_id":"{id:032x}","took_ms":{took},"status":{status},"path":"/api/v2/items/{id}"}}"#
            )
        } else {
            write!(
                line,
                "{time} INFO [worker-{}] app::service: {message} trace_id={id:032x} took={took}ms status={status} path=/api/v2/items/{id}?page=2",
                id % 16
            )
        };
        bytes += line.len();
        lines.push(line);
    }
    lines
}
