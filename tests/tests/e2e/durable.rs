//! OK means durable: the process is killed at random instants while requests are in flight.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use tests::Setup;
use tests::random::Random;
use tests::sending::{Books, Senders};

const ROUNDS: usize = 20;
const SENDERS: u64 = 4;

/// How often each record is there, by the number in its span id.
fn present(setup: &Setup) -> BTreeMap<u64, u64> {
    let rows = setup.query("SELECT span_id, count(*) AS n FROM requests GROUP BY span_id");
    rows.iter()
        .map(|row| {
            let id = row["span_id"].as_str().expect("an id");
            (u64::from_str_radix(id, 16).expect("16 hex digits"), row["n"].as_u64().expect("a count"))
        })
        .collect()
}

fn check(books: &Books, present: &BTreeMap<u64, u64>, when: &str) {
    let missing: Vec<_> = books.acknowledged.iter().filter(|id| !present.contains_key(id)).collect();
    assert!(
        missing.is_empty(),
        "{when}: {} acknowledged records are missing, first {:?}",
        missing.len(),
        missing.first()
    );
    let doubled: Vec<_> = present.iter().filter(|(_, n)| **n > 1).collect();
    assert!(
        doubled.is_empty(),
        "{when}: {} records are there more than once, first {:?}",
        doubled.len(),
        doubled.first()
    );
    let unknown = present.keys().find(|id| !books.acknowledged.contains(id) && !books.uncertain.contains(id));
    assert_eq!(unknown, None, "{when}: a record that nobody sent");
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut random = Random::new("durable");
    // Often enough that many kills fall between a commit and what follows it.
    let setup = Setup { flush: "100ms", ..Setup::new(&folder.path().join("data")) };
    let (next, mut books) = (Arc::new(AtomicU64::new(1)), Books::default());
    for round in 1..=ROUNDS {
        let marquetry = setup.start();
        let senders = Senders::start(SENDERS, marquetry.ports.http, &next);
        std::thread::sleep(Duration::from_millis(100 + random.below(1500)));
        marquetry.kill();
        let round_books = senders.stop();
        assert!(!round_books.acknowledged.is_empty(), "round {round}: nothing was acknowledged");
        let in_flight = round_books.uncertain.len() as u64;
        assert!(in_flight <= SENDERS * 3, "round {round}: {in_flight} records were in flight");
        books.add(round_books);
        // Nothing is running: a query reads the journal and the lake as the kill left them.
        check(&books, &present(&setup), &format!("after kill {round}"));
    }
    let setup = setup.start().stop();
    let present = present(&setup);
    check(&books, &present, "after a clean stop");
    let lake = tests::foreign::read(&setup.data.join("lake").display().to_string(), &["requests"], &[]);
    assert_eq!(lake["requests"]["deltalake"], present.len(), "after a clean stop every row is in the lake");
    assert_eq!(lake["requests"]["identities"], present.len(), "and it is there once");
    println!(
        "durable: {} acknowledged, {} in flight at kills, {} rows",
        books.acknowledged.len(),
        books.uncertain.len(),
        present.len()
    );
}
