//! The processors of one worker, in order, and the seal that ends them. Counts and times are taken here, at the seams, and
//! never by a processor.

use std::sync::Arc;
use std::time::Instant;

use component::{Context, Gather, ProcessError, Processor, Seal, Sealed};

use super::Processors;
use crate::error::Error;
use crate::telemetry::{SPANS, Seams, Signals, Tally, Telemetry};

/// How a chain is made: which processors, with which sections, and which of them make up the seal.
#[derive(Clone)]
pub(crate) struct Recipe {
    pub(crate) processors: Processors,
    pub(crate) seal: &'static [&'static str],
    pub(crate) sections: Arc<[(&'static str, serde_json::Value)]>,
}

/// A chain, owned by one worker.
pub(crate) struct Chain {
    steps: Vec<(&'static str, Box<dyn Processor>)>,
    seal: Seal,
    seams: Seams,
    telemetry: Arc<Telemetry>,
}

impl Recipe {
    /// A new chain with empty caches.
    pub(crate) fn make(&self, context: &Context, telemetry: &Arc<Telemetry>) -> Result<Chain, Error> {
        let mut steps = Vec::new();
        let mut sealing = Vec::new();
        for (name, section) in self.sections.iter() {
            let step = self.step(name, section, context)?;
            if self.seal.contains(name) { sealing.push(step) } else { steps.push((*name, step)) }
        }
        let seams = Seams::of(&context.catalog);
        Ok(Chain { steps, seal: self.whole(sealing)?, seams, telemetry: Arc::clone(telemetry) })
    }

    /// The seal alone, for rows that are made here.
    pub(crate) fn seal(&self, context: &Context) -> Result<Seal, Error> {
        let sealing = self.sections.iter().filter(|(name, _)| self.seal.contains(name));
        let sealing =
            sealing.map(|(name, section)| self.step(name, section, context)).collect::<Result<Vec<_>, _>>()?;
        self.whole(sealing)
    }

    fn step(&self, name: &str, section: &serde_json::Value, context: &Context) -> Result<Box<dyn Processor>, Error> {
        let failed = |why: String| Error::Processor { name: name.to_owned(), why };
        let factory = self.processors.iter().find(|f| f.name == name);
        let factory = factory.ok_or_else(|| failed("it is not in this build".to_owned()))?;
        factory.make(section.clone(), context).map_err(|e| failed(e.what))
    }

    fn whole(&self, sealing: Vec<Box<dyn Processor>>) -> Result<Seal, Error> {
        if sealing.len() != self.seal.len() {
            let why = "the seal is not complete; nothing may be written without it".to_owned();
            return Err(Error::Processor { name: self.seal.join(", "), why });
        }
        Ok(Seal::new(sealing_steps(sealing)))
    }
}

#[cfg(not(feature = "control"))]
fn sealing_steps(steps: Vec<Box<dyn Processor>>) -> Vec<Box<dyn Processor>> {
    steps
}

/// The test build that lets everything through, so that the privacy scan can show that it would notice.
#[cfg(feature = "control")]
fn sealing_steps(_steps: Vec<Box<dyn Processor>>) -> Vec<Box<dyn Processor>> {
    Vec::new()
}

impl Chain {
    /// Processes and seals a gather. On an error nothing of it may be written.
    pub(crate) fn run(&mut self, mut gather: Gather, signals: &Signals) -> Result<(Sealed, Tally), ProcessError> {
        let seams = &self.seams;
        let mut tally = Tally::of(gather.tables(), seams, signals);
        for (name, step) in &mut self.steps {
            let span = tracing::info_span!(target: SPANS, "process", otel.name = *name);
            let started = Instant::now();
            span.in_scope(|| step.process(&mut gather))?;
            self.telemetry.stage(name, started.elapsed());
            tally.stage(name, gather.tables(), seams, signals);
        }
        let span = tracing::info_span!(target: SPANS, "seal");
        let started = Instant::now();
        let sealed = span.in_scope(|| self.seal.seal(gather))?;
        self.telemetry.stage("seal", started.elapsed());
        tally.stage("seal", sealed.tables(), seams, signals);
        tally.words(sealed.tables(), seams);
        Ok((sealed, tally))
    }
}
