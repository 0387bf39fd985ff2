//! One measurement: a fresh process on a fresh folder takes a load, and what it took is read off.

use std::path::Path;
use std::sync::Arc;

use tokio::runtime::Runtime;

use crate::Result;
use crate::load::{Outcome, Overload, overload, saturate};
use crate::requests::Load;
use crate::stored;
use crate::subject::{Memory, Programs, Setup, Side, Subject};

/// What a side needed for a load.
pub struct Measured {
    pub side: Side,
    /// Seconds of CPU from the first request to the end of the process, for each million records.
    pub cpu: f64,
    pub outcome: Outcome,
    pub memory: Memory,
    /// Bytes on the disk for each record.
    pub stored: f64,
    /// Seconds for each million records by stage, as the process counts them itself; empty unless asked for.
    pub stages: Vec<(String, f64)>,
}

/// Commits that are merged to one: one more, and they would be while the load is on.
const COMMITS: usize = 15;
/// Files that a table may have when it is merged: only so many are merged at once as fit into the memory for it.
const LEFT: f64 = 8.0;

/// What merging once took, and what it left.
pub struct Merged {
    pub cpu: f64,
    pub stored: f64,
    /// Of a process that does nothing else.
    pub memory: Memory,
}

/// The bench's hands.
pub struct Bench<'a> {
    pub programs: &'a Programs,
    pub runtime: &'a Runtime,
    /// Folders of the processes; emptied after each measurement.
    pub folder: &'a Path,
    /// Sent before anything is measured: what a process builds once, when it first needs it, is no cost of a record.
    pub warm: &'a Arc<Load>,
}

impl Bench<'_> {
    /// As fast as it goes.
    pub fn saturation(&self, side: Side, load: &Arc<Load>, in_full: bool) -> Result<Measured> {
        let data = tempfile::tempdir_in(self.folder)?;
        let subject = Setup::new(side, self.programs, &data.path().join("data"))?.start()?;
        self.warm_up(&subject)?;
        let begun = stages(&subject)?;
        let before = subject.cpu()?;
        let connections = if load.shape.batch >= 100 { 16 } else { 64 };
        let outcome = self.runtime.block_on(saturate(load, 0..load.requests.len(), subject.target(), connections))?;
        let mut expected = load.expected.clone();
        expected.merge(&self.warm.expected);
        if in_full && side == Side::Marquetry {
            committed(&subject, expected.total())?;
        }
        let stages = since(&begun, stages(&subject)?);
        let memory = Memory::peak(&subject.memory());
        let (setup, after) = subject.stop()?;
        let bytes = stored::check(&setup, &expected)?;
        let records = load.expected.sent() as f64;
        let per_million = |seconds: f64| seconds * 1e6 / records;
        let measured = Measured {
            side,
            cpu: per_million(after - before),
            outcome,
            memory,
            stored: bytes as f64 / expected.sent() as f64,
            stages: stages.into_iter().map(|(stage, seconds)| (stage, per_million(seconds))).collect(),
        };
        measured.plausible()?;
        Ok(measured)
    }

    fn warm_up(&self, subject: &Subject) -> Result<()> {
        let sent = saturate(self.warm, 0..self.warm.requests.len(), subject.target(), 4);
        self.runtime.block_on(sent).map(drop)
    }

    /// Stores a load in some commits, then starts the process again with nothing to do but to merge them.
    pub fn merge(&self, load: &Arc<Load>) -> Result<Merged> {
        let data = tempfile::tempdir_in(self.folder)?;
        let folder = data.path().join("data");
        let eager = |tidy: &str| -> Result<Setup> {
            let mut setup = Setup::new(Side::Marquetry, self.programs, &folder)?;
            setup.settings =
                vec!["exporters.lake.flush_interval=1s".to_owned(), format!("exporters.lake.tidy_interval={tidy}")];
            Ok(setup)
        };
        let subject = eager("1h")?.start()?;
        let mut rows = 0;
        let count = load.requests.len();
        for part in 0..COMMITS {
            let part = count * part / COMMITS..count * (part + 1) / COMMITS;
            let sent = self.runtime.block_on(saturate(load, part, subject.target(), 16))?;
            rows += sent.acknowledged.total();
            committed(&subject, rows)?;
        }
        subject.stop()?;
        let subject = eager("1s")?.start()?;
        subject.wait_for("the merge", |s| {
            let files = s.metrics("marquetry_lake_table_files")?;
            Ok(!files.is_empty() && files.iter().all(|(_, n)| (1.0..=LEFT).contains(n)))
        })?;
        // By its own count: the merge may be done before anybody can ask the process for the first time.
        let work = subject.metrics("marquetry_lake_work_cpu_seconds_total")?;
        let used: f64 = work.iter().filter(|(labels, _)| labels.contains("\"merge\"")).map(|(_, n)| n).sum();
        let stored = subject.metric("marquetry_lake_table_bytes")?;
        let memory = Memory::peak(&subject.memory());
        let (setup, _) = subject.stop()?;
        stored::check(&setup, &load.expected)?;
        let records = load.expected.sent() as f64;
        if used <= 0.0 || stored <= 0.0 {
            return Err("a reading of the merge is zero".into());
        }
        Ok(Merged { cpu: used * 1e6 / records, stored: stored / records, memory })
    }

    /// More than it can take.
    pub fn overload(&self, side: Side, load: &Arc<Load>, how: Overload) -> Result<Overloaded> {
        let data = tempfile::tempdir_in(self.folder)?;
        let subject = Setup::new(side, self.programs, &data.path().join("data"))?.start()?;
        self.warm_up(&subject)?;
        let before = subject.cpu()?;
        let outcome = self.runtime.block_on(overload(load, subject.target(), how))?;
        let samples = subject.memory();
        let (setup, after) = subject.stop()?;
        // A request that was never answered may be stored; then equality cannot be asked for.
        if outcome.broken == 0 {
            let mut expected = outcome.acknowledged.clone();
            expected.merge(&self.warm.expected);
            stored::check(&setup, &expected)?;
        }
        let half = samples.len() / 2;
        Ok(Overloaded {
            side,
            cpu: (after - before) * 1e6 / outcome.acknowledged.sent().max(1) as f64,
            first: Memory::peak(&samples[..half]),
            second: Memory::peak(&samples[half..]),
            outcome,
        })
    }
}

/// What a side did with more than it can take.
pub struct Overloaded {
    pub side: Side,
    /// Seconds of CPU for each million records that were acknowledged.
    pub cpu: f64,
    pub outcome: Outcome,
    /// Peaks of either half: memory that grows with the backlog is larger in the second.
    pub first: Memory,
    pub second: Memory,
}

impl Measured {
    /// A reading of zero is a broken measurement, never a result.
    fn plausible(&self) -> Result<()> {
        let readings = [
            self.cpu,
            self.outcome.rate(),
            self.outcome.percentile(0.5),
            self.memory.anonymous,
            self.memory.total,
            self.stored,
        ];
        if readings.iter().any(|reading| !reading.is_finite() || *reading <= 0.0) {
            return Err(format!("a reading of {} is zero", self.side.name()).into());
        }
        Ok(())
    }
}

/// Waits until so many rows are in the lake.
fn committed(subject: &Subject, rows: u64) -> Result<()> {
    subject.wait_for("a commit", |s| Ok(s.metric("marquetry_lake_rows_total")? >= rows as f64))
}

/// Seconds by stage so far; the Go collector does not tell.
fn stages(subject: &Subject) -> Result<Vec<(String, f64)>> {
    if subject.setup.side == Side::Go {
        return Ok(Vec::new());
    }
    let mut all = Vec::new();
    for (name, label, what) in
        [("marquetry_stage_seconds_sum", "stage", ""), ("marquetry_lake_work_cpu_seconds_total", "work", "lake: ")]
    {
        for (labels, seconds) in subject.metrics(name)? {
            let value = labels.split(&format!("{label}=\"")).nth(1).and_then(|rest| rest.split('"').next());
            all.push((format!("{what}{}", value.unwrap_or_default()), seconds));
        }
    }
    Ok(all)
}

fn since(begun: &[(String, f64)], now: Vec<(String, f64)>) -> Vec<(String, f64)> {
    let before = |stage: &str| begun.iter().find(|(known, _)| known == stage).map_or(0.0, |(_, seconds)| *seconds);
    now.into_iter().map(|(stage, seconds)| (stage.clone(), seconds - before(&stage))).collect()
}
