//! The processors of one worker, in order, and the seal that ends them.

use std::sync::Arc;
use std::time::Instant;

use component::{Context, Gather, ProcessError, Processor, Seal, Sealed};

use super::Processors;
use crate::error::Error;
use crate::telemetry::Telemetry;

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
    telemetry: Arc<Telemetry>,
}

impl Recipe {
    /// A new chain with empty caches.
    pub(crate) fn make(&self, context: &Context, telemetry: &Arc<Telemetry>) -> Result<Chain, Error> {
        let mut steps = Vec::new();
        let mut sealing = Vec::new();
        for (name, section) in self.sections.iter() {
            let failed = |why: String| Error::Processor { name: (*name).to_owned(), why };
            let factory = self.processors.iter().find(|f| f.name == *name);
            let factory = factory.ok_or_else(|| failed("it is not in this build".to_owned()))?;
            let step = factory.make(section.clone(), context).map_err(|e| failed(e.what))?;
            if self.seal.contains(name) { sealing.push(step) } else { steps.push((*name, step)) }
        }
        if sealing.len() != self.seal.len() {
            let why = "the seal is not complete; nothing may be written without it".to_owned();
            return Err(Error::Processor { name: self.seal.join(", "), why });
        }
        Ok(Chain { steps, seal: Seal::new(sealing_steps(sealing)), telemetry: Arc::clone(telemetry) })
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
    pub(crate) fn run(&mut self, mut gather: Gather) -> Result<Sealed, ProcessError> {
        for (name, step) in &mut self.steps {
            let started = Instant::now();
            step.process(&mut gather)?;
            self.telemetry.stage(name, started.elapsed());
        }
        let started = Instant::now();
        let sealed = self.seal.seal(gather)?;
        self.telemetry.stage("seal", started.elapsed());
        Ok(sealed)
    }
}
