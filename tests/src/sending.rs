//! Senders that keep books: what was acknowledged, and what was in flight when the other side died.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use crate::http;
use crate::otlp::{self, Message, PROTOBUF};

/// Records in one request: small, as a sidecar's are.
const PER_REQUEST: u64 = 3;

/// What became of the records that were sent; a record is known by its number.
#[derive(Debug, Default)]
pub struct Books {
    /// The sender was told OK.
    pub acknowledged: BTreeSet<u64>,
    /// The sender was told nothing, or no: the record may be there or not.
    pub uncertain: BTreeSet<u64>,
}

impl Books {
    /// Adds another sender's.
    pub fn add(&mut self, other: Books) {
        self.acknowledged.extend(other.acknowledged);
        self.uncertain.extend(other.uncertain);
    }
}

/// Some threads that send until they are told to stop.
pub struct Senders {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Books>>,
}

impl Senders {
    /// Starts `threads` senders of served requests to an OTLP/HTTP port; `next` numbers the records over all rounds.
    pub fn start(threads: u64, port: u16, next: &Arc<AtomicU64>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let threads = (0..threads)
            .map(|_| {
                let (stop, next) = (Arc::clone(&stop), Arc::clone(next));
                std::thread::spawn(move || send(port, &stop, &next))
            })
            .collect();
        Self { stop, threads }
    }

    /// Stops them; what they know.
    pub fn stop(self) -> Books {
        self.stop.store(true, Ordering::Relaxed);
        let mut books = Books::default();
        for thread in self.threads {
            books.add(thread.join().expect("a sender does not panic"));
        }
        books
    }
}

fn send(port: u16, stop: &AtomicBool, next: &AtomicU64) -> Books {
    let mut books = Books::default();
    while !stop.load(Ordering::Relaxed) {
        let first = next.fetch_add(PER_REQUEST, Ordering::Relaxed);
        let numbers = first..first + PER_REQUEST;
        let spans = numbers.clone().map(|number| otlp::served(number, "/api/durable")).collect();
        let request = otlp::spans("durable", spans).encode_to_vec();
        match http::post(port, "/v1/traces", PROTOBUF, &request) {
            Ok(answer) if answer.status == 200 => books.acknowledged.extend(numbers),
            Ok(_) => books.uncertain.extend(numbers),
            // The other side died: this was in flight, unless nobody listened any more.
            Err(error) => {
                if error.kind() != std::io::ErrorKind::ConnectionRefused {
                    books.uncertain.extend(numbers);
                }
                break;
            }
        }
    }
    books
}
