//! The seal: the last stage before anything may be written, as a type.

use crate::{Gather, ProcessError, Processor, Rows};

/// The steps that make a gather safe to write: `hash`, `directory`, `redact`, then the transient columns go.
pub struct Seal {
    steps: Vec<Box<dyn Processor>>,
}

impl Seal {
    /// A seal of these steps, in order.
    pub fn new(steps: Vec<Box<dyn Processor>>) -> Self {
        Self { steps }
    }

    /// Seals a gather. A failing step lets nothing through.
    pub fn seal(&mut self, mut gather: Gather) -> Result<Sealed, ProcessError> {
        for step in &mut self.steps {
            step.process(&mut gather)?;
        }
        for rows in gather.tables_mut() {
            let transient: Vec<usize> =
                rows.table().columns.iter().enumerate().filter(|(_, c)| c.transient).map(|(i, _)| i).collect();
            for index in transient {
                rows.clear_at(index);
            }
        }
        Ok(Sealed(gather))
    }
}

/// A gather that has passed the seal: only this can be journaled, and only [`Seal::seal`] makes one.
#[derive(Debug, Clone)]
pub struct Sealed(Gather);

impl Sealed {
    /// Tables that have rows.
    pub fn tables(&self) -> impl Iterator<Item = &Rows> + Clone {
        self.0.tables()
    }

    /// Rows in all tables.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is left to write.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
