//! One thread: takes what waits, decodes and processes it at once. On failure each request is tried alone, and of one
//! request the records that are to blame are found and left out.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use component::{Context, Counts, Recent, Sealed, Shared};
use otlp::{Decoder, Outcome};
use tokio::sync::mpsc::UnboundedSender;
use tracing::field::Empty;

use super::blame::{self, Blame};
use super::chain::Chain;
use super::queue::{Job, Queue};
use super::settle::{Books, Records, Reply, Settlement};
use super::{Answer, Parts, Received};
use crate::error::Error;
use crate::telemetry::{SPANS, Signals, Tally, Verdict, place};

/// When a sender should come back after the journal was full: the lake needs a flush or two to make room.
const JOURNAL_FULL: Duration = Duration::from_secs(5);

/// Requests that a traced gather names.
const LINKS: usize = 64;

/// Owns a decoder and a chain; nothing of it is shared.
pub(crate) struct Worker {
    parts: Parts,
    settler: UnboundedSender<Settlement>,
    books: Books,
    tools: Tools,
}

/// What keeps state between gathers, and is made anew after a panic.
struct Tools {
    decoder: Decoder,
    chain: Chain,
    /// What its processors count of the gather at hand.
    counts: Counts,
    /// What its stages share, among it what they know to be written.
    shared: Shared,
}

/// What became of a gather.
struct Done {
    sealed: Sealed,
    outcomes: Vec<Outcome>,
    tally: Tally,
}

/// Why a gather could not be processed. Holds no value of a record.
pub(super) struct Failure {
    pub(super) why: String,
    /// Audited records were in it.
    pub(super) audited: bool,
}

impl Worker {
    pub(crate) fn new(parts: Parts, settler: UnboundedSender<Settlement>) -> Result<Self, Error> {
        let tools = Tools::new(&parts)?;
        let books = Books::of(&parts);
        Ok(Self { parts, settler, books, tools })
    }

    /// Works until the queue is closed and empty.
    pub(crate) fn run(mut self, queue: &Queue) {
        while let Some(jobs) = queue.take() {
            let bytes = jobs.iter().map(|job| job.received.body.len()).sum();
            self.parts.telemetry.gather(jobs.len(), bytes);
            let span = tracing::info_span!(target: SPANS, "gather", requests = jobs.len(), bytes, rows = Empty);
            for job in jobs.iter().take(LINKS) {
                span.follows_from(&job.span);
            }
            span.in_scope(|| self.handle(jobs));
        }
    }

    fn handle(&mut self, jobs: Vec<Job>) {
        match (self.attempt(&jobs, &[]), jobs.len()) {
            (Ok(done), _) => self.append(jobs, done),
            (Err(failure), 1) => jobs.into_iter().for_each(|job| self.leave_out(job, &failure)),
            // Alone, each request answers for itself only.
            (Err(_), _) => jobs.into_iter().for_each(|job| self.handle(vec![job])),
        }
    }

    /// Finds the records that make a request fail, and takes the others.
    fn leave_out(&mut self, job: Job, failure: &Failure) {
        let jobs = [job];
        let records = otlp::count_records(&jobs[0].received.body).unwrap_or_default();
        let blame = blame::find(records, failure, |without| self.attempt(&jobs, without).map(|_| ()));
        let done = match &blame {
            Blame::Whole(why) => Err(why.clone()),
            Blame::Records { numbers, .. } => self.attempt(&jobs, &blame::without(numbers)).map_err(|f| f.why),
        };
        match (done, blame) {
            (Ok(mut done), Blame::Records { numbers, why }) if !done.outcomes.iter().any(|o| o.audited) => {
                done.outcomes.iter_mut().for_each(|outcome| blame::tell(outcome, numbers.len() as u64, &why));
                self.append(jobs.into(), done);
            }
            (Err(why), _) | (Ok(_), Blame::Records { why, .. } | Blame::Whole(why)) => self.refuse(jobs.into(), &why),
        }
    }

    /// Decodes, processes and seals. A panic is caught here, where the record that caused it can still be found.
    fn attempt(&mut self, jobs: &[Job], without: &[Range<u64>]) -> Result<Done, Failure> {
        let Self { parts, tools, .. } = self;
        let mut audited = false;
        let caught = catch_unwind(AssertUnwindSafe(|| tools.run(parts, jobs, without, &mut audited)));
        let why = match caught {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(why)) => {
                parts.telemetry.failed_gather();
                why
            }
            Err(_) => {
                parts.telemetry.panicked();
                // Caches may be half written.
                if let Ok(tools) = Tools::new(parts) {
                    self.tools = tools;
                }
                "see our log".to_owned()
            }
        };
        Err(Failure { why, audited })
    }

    fn append(&self, jobs: Vec<Job>, done: Done) {
        let telemetry = &self.parts.telemetry;
        if self.parts.debug {
            tracing::info!(requests = jobs.len(), rows = exporters::debug::line(&done.sealed), "gather");
        }
        #[cfg(feature = "control")]
        super::control::tell(&done.sealed, &self.parts.context.counts);
        let span = tracing::info_span!(target: SPANS, "append").entered();
        let started = Instant::now();
        // Everything may have been filtered or refused: then there is nothing to wait for.
        let position =
            if done.sealed.is_empty() { Ok(None) } else { self.parts.journal.append(&done.sealed).map(Some) };
        telemetry.stage("append", started.elapsed());
        drop(span);
        let failure = match &position {
            Ok(_) => None,
            Err(e) if e.is_full() => Some(Answer::Full(JOURNAL_FULL)),
            Err(e) => {
                tracing::error!(error = %e, "appending to the journal failed; senders are told to try again");
                Some(Answer::Unavailable(e.to_string()))
            }
        };
        let replies = jobs.into_iter().zip(done.outcomes).map(|(job, outcome)| {
            let (wire, signal) = (job.received.wire, job.received.signal);
            let records = Records { wire, signal, accepted: outcome.accepted, rejected: outcome.rejected };
            if matches!(failure, Some(Answer::Full(_))) {
                telemetry.no_room(signal, outcome.accepted + outcome.rejected);
            }
            let answer = failure.clone().unwrap_or_else(|| answer(outcome));
            Reply { to: job.reply, answer, records, _grant: job.grant }
        });
        let replies: Vec<Reply> = replies.collect();
        match position {
            Ok(Some(position)) => {
                if let Some(recent) = self.tools.shared.get::<Recent>() {
                    recent.keep();
                }
                let appended = Instant::now();
                let _ = self.settler.send(Settlement { position, appended, replies, tally: done.tally });
                return;
            }
            Ok(None) => self.books.kept(&replies, done.tally),
            Err(_) => self.books.refused(&replies),
        }
        replies.into_iter().for_each(|r| drop(r.to.send(r.answer)));
    }

    fn refuse(&self, jobs: Vec<Job>, why: &str) {
        for job in jobs {
            let Received { wire, signal, body, .. } = &job.received;
            let records = otlp::count_records(body).unwrap_or_default();
            self.parts.telemetry.records(*wire, *signal, Verdict::Rejected, records);
            let _ = job.reply.send(Answer::Refused(format!("the request could not be processed: {why}")));
        }
    }
}

impl Tools {
    fn new(parts: &Parts) -> Result<Self, Error> {
        let counts = Counts::default();
        let shared = Shared::default();
        let context = &Context { counts: counts.clone(), shared: shared.clone(), ..parts.context.clone() };
        Ok(Self {
            decoder: Decoder::new(Arc::clone(&context.catalog), Arc::clone(&context.keys))
                .map_err(|e| Error::Schemas(e.to_string()))?,
            chain: parts.recipe.make(context, &parts.telemetry)?,
            counts,
            shared,
        })
    }

    /// Says whether `audited` records are there before anything can fail that does not come from reading them.
    fn run(&mut self, parts: &Parts, jobs: &[Job], without: &[Range<u64>], audited: &mut bool) -> Result<Done, String> {
        let requests: Vec<otlp::Request<'_>> = jobs
            .iter()
            .map(|job| otlp::Request {
                signal: job.received.signal,
                tenant: &job.received.tenant,
                body: &job.received.body,
                received_unix_nano: job.received.received_unix_nano,
            })
            .collect();
        let span = tracing::info_span!(target: SPANS, "decode");
        let started = Instant::now();
        let decoded = span.in_scope(|| match without {
            [] => self.decoder.decode(&requests),
            without => self.decoder.decode_without(&requests, without),
        });
        let decoded = decoded.map_err(|e| e.to_string())?;
        *audited = decoded.outcomes.iter().any(|outcome| outcome.audited);
        parts.telemetry.stage("decode", started.elapsed());
        tracing::Span::current().record("rows", decoded.gather.len());
        // Of a gather that failed and is tried again, nothing counts.
        drop(self.counts.take());
        let signals = Signals::of(requests.iter().map(|request| request.signal));
        let (sealed, mut tally) = self.chain.run(decoded.gather, &signals).map_err(|e| e.to_string())?;
        tally.counted = self.counts.take();
        for (request, outcome) in requests.iter().zip(&decoded.outcomes) {
            if let Some(signal) = place(request.signal) {
                tally.accepted[signal] += outcome.accepted;
            }
        }
        Ok(Done { sealed, outcomes: decoded.outcomes, tally })
    }
}

fn answer(outcome: Outcome) -> Answer {
    if outcome.malformed {
        let why = outcome.reason.unwrap_or_else(|| "not an OTLP request".to_owned());
        return Answer::Malformed(why);
    }
    Answer::Accepted { rejected: outcome.rejected, message: outcome.reason }
}
