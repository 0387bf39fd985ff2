//! Sends a load: as fast as it is taken, or at a pace that does not care whether it is.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::Result;
use crate::client::{Answer, Client, Target};
use crate::corpus::Expected;
use crate::requests::{Load, Wire};

/// What came of a load.
#[derive(Debug, Default)]
pub struct Outcome {
    /// From the first request to the last answer.
    pub took: Duration,
    /// Microseconds to each OK.
    pub latencies: Vec<u32>,
    /// What must be stored: the records of every OK.
    pub acknowledged: Expected,
    /// Requests that were refused for now, and how many of those said when to come back.
    pub refused: u64,
    pub said_when: u64,
    /// Requests that could not even be begun in time, because too many were open.
    pub skipped: u64,
    /// Requests that were never answered: whether they are stored, nobody can say.
    pub broken: u64,
}

impl Outcome {
    /// Milliseconds within which this share of the OKs came.
    pub fn percentile(&self, share: f64) -> f64 {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let at = ((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1));
        sorted.get(at).map_or(0.0, |micros| f64::from(*micros) / 1000.0)
    }

    /// Records answered OK in a second.
    pub fn rate(&self) -> f64 {
        self.acknowledged.sent() as f64 / self.took.as_secs_f64()
    }

    fn add(&mut self, expected: &Expected, answer: Answer, took: Duration) {
        match answer {
            Answer::Ok => {
                self.acknowledged.merge(expected);
                self.latencies.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
            }
            Answer::Refused { says_when } => {
                self.refused += 1;
                self.said_when += u64::from(says_when);
            }
        }
    }

    fn merge(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.acknowledged.merge(&other.acknowledged);
        self.refused += other.refused;
        self.said_when += other.said_when;
    }
}

/// A part of the requests, each connection sending its next once the last is answered; what is refused is sent again.
pub async fn saturate(load: &Arc<Load>, part: Range<usize>, target: Target, connections: usize) -> Result<Outcome> {
    let next = Arc::new(AtomicUsize::new(part.start));
    let mut clients = Vec::new();
    for _ in 0..connections {
        clients.push(Client::connect(target, load.shape).await?);
    }
    let start = Instant::now();
    let mut senders = JoinSet::new();
    for client in clients {
        senders.spawn(drive(client, Arc::clone(load), Arc::clone(&next), part.end));
    }
    let mut outcome = Outcome::default();
    while let Some(sender) = senders.join_next().await {
        outcome.merge(sender??);
    }
    outcome.took = start.elapsed();
    Ok(outcome)
}

async fn drive(client: Client, load: Arc<Load>, next: Arc<AtomicUsize>, end: usize) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    while let Some(request) = load.requests[..end].get(next.fetch_add(1, Ordering::Relaxed)) {
        loop {
            let start = Instant::now();
            let answer = client.send(request).await?;
            outcome.add(&request.expected, answer, start.elapsed());
            if answer == Answer::Ok {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    Ok(outcome)
}

/// How to overload.
#[derive(Debug, Clone, Copy)]
pub struct Overload {
    /// Records offered in a second.
    pub rate: f64,
    pub lasting: Duration,
    /// Connections, and requests that may be open on all of them: more than admission has room for.
    pub connections: usize,
    pub open: usize,
}

/// Begins requests at a fixed pace, over and over the load, whatever becomes of them.
pub async fn overload(load: &Arc<Load>, target: Target, how: Overload) -> Result<Outcome> {
    // HTTP/1 carries one request at a time.
    let connections = if load.shape.wire == Wire::Grpc { how.connections } else { how.open };
    let mut clients = Vec::new();
    for _ in 0..connections {
        clients.push(Client::connect(target, load.shape).await?);
    }
    let each = Duration::from_secs_f64(load.shape.batch as f64 / how.rate);
    let (start, mut begun, mut outcome) = (Instant::now(), 0_u32, Outcome::default());
    let mut open = JoinSet::new();
    while start.elapsed() < how.lasting {
        while let Some(done) = open.try_join_next() {
            settle(&mut outcome, load, done?);
        }
        while start.elapsed() > each * begun {
            if open.len() >= how.open {
                outcome.skipped += 1;
            } else {
                let at = begun as usize % load.requests.len();
                open.spawn(once(clients[begun as usize % clients.len()].clone(), Arc::clone(load), at));
            }
            begun += 1;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    while let Some(done) = open.join_next().await {
        settle(&mut outcome, load, done?);
    }
    outcome.took = start.elapsed();
    Ok(outcome)
}

type Once = (usize, Result<Answer>, Duration);

async fn once(client: Client, load: Arc<Load>, at: usize) -> Once {
    let start = Instant::now();
    let answer = client.send(&load.requests[at]).await;
    (at, answer, start.elapsed())
}

fn settle(outcome: &mut Outcome, load: &Load, (at, answer, took): Once) {
    match answer {
        Ok(answer) => outcome.add(&load.requests[at].expected, answer, took),
        Err(_) => outcome.broken += 1,
    }
}
