//! What is said at the end.

use std::sync::Arc;

use crate::Result;
use crate::corpus::{Corpus, Expected, TABLES};
use crate::measure::{Measured, Merged, Overloaded};
use crate::requests::Load;
use crate::subject::Side;
use crate::table::Sheet;

/// Anonymous memory that Marquetry may have, MiB.
const MEMORY: f64 = 200.0;

/// Tables, and what must hold.
#[derive(Default)]
pub struct Report {
    sheets: Vec<Sheet>,
    broken: Vec<String>,
}

impl Report {
    fn say(&mut self, sheet: Sheet) {
        println!("{}", sheet.text());
        self.sheets.push(sheet);
    }

    /// All tables, as a page has them.
    pub fn markdown(&self) -> String {
        self.sheets.iter().map(Sheet::markdown).collect::<Vec<_>>().join("\n")
    }

    /// Fails when something that must hold does not. Times are not judged: a busy machine proves nothing.
    pub fn judge(&self, quick: bool) -> Result<()> {
        if !self.broken.is_empty() {
            return Err(self.broken.join("; ").into());
        }
        let times = if quick { " (times of a quick run mean nothing)" } else { "" };
        println!("stored = sent on every side and in every shape; anonymous memory stays below {MEMORY} MiB{times}");
        Ok(())
    }

    /// What is sent.
    pub fn corpus(&mut self, corpus: &Corpus, seed: u64) {
        let (records, expected) = (corpus.items.len() as f64, Expected::of(&corpus.items));
        let share = corpus.spans() as f64 * 100.0 / records;
        let title = format!(
            "Corpus of seed {seed}: {records} records, {share:.1} % spans, {:.0} bytes each, entropy {:.0} bits = {:.0} bytes each",
            corpus.bytes as f64 / records,
            corpus.bits / records,
            corpus.bits / 8.0 / records,
        );
        let mut sheet = Sheet::new(title, &["table", "rows", "home rows"]);
        for (at, table) in TABLES.iter().enumerate() {
            sheet.row([table.name().to_owned(), expected.rows[at].to_string(), expected.home[at].to_string()]);
        }
        sheet.row(["dropped by the filter".to_owned(), String::new(), expected.dropped.to_string()]);
        self.say(sheet);
    }

    /// The shape that is quoted.
    pub fn saturation(&mut self, load: &Load, measured: &[Measured], merged: &Merged, corpus: &Corpus) {
        let count = measured.iter().filter(|m| m.side == Side::Marquetry).count();
        let title = format!(
            "Saturation, {}, {} records, {count} alternated repeats, minimum / median",
            load.shape.name(),
            load.expected.sent()
        );
        let head =
            ["", "CPU-s per million", "records/s", "p50 ms", "p99 ms", "anonymous MiB", "RSS MiB", "bytes/record"];
        let mut sheet = Sheet::new(title, &head);
        for side in [Side::Marquetry, Side::Go] {
            let of_side: Vec<_> = measured.iter().filter(|m| m.side == side).collect();
            if !of_side.is_empty() {
                sheet.row(readings(side.name(), &of_side));
            }
        }
        let of = |side| minimum(measured.iter().filter(|m| m.side == side).map(|m| m.cpu));
        if of(Side::Go).is_finite() {
            sheet.row(["Go / Marquetry".to_owned(), format!("{:.2}", of(Side::Go) / of(Side::Marquetry))]);
        }
        self.say(sheet);
        self.stages(measured, merged, corpus);
        self.limit(measured.iter().filter(|m| m.side == Side::Marquetry).map(|m| m.memory.anonymous));
    }

    /// Where the time of Marquetry goes, of the run that needed least.
    fn stages(&mut self, measured: &[Measured], merged: &Merged, corpus: &Corpus) {
        let ours = measured.iter().filter(|m| m.side == Side::Marquetry);
        let Some(best) = ours.min_by(|a, b| a.cpu.total_cmp(&b.cpu)) else { return };
        let mut sheet = Sheet::new(
            "Marquetry by stage, as it counts itself: workers in time, the lake in CPU, seconds per million",
            &["stage", "s"],
        );
        let mut sum = 0.0;
        for (stage, seconds) in best.stages.iter().filter(|(stage, s)| stage != "durable" && *s > 0.0) {
            sum += seconds;
            sheet.row([stage.clone(), format!("{seconds:.2}")]);
        }
        sheet.row(["receive, fsync, runtime (CPU less the above)".to_owned(), format!("{:.2}", best.cpu - sum)]);
        sheet.row(["all, CPU".to_owned(), format!("{:.2}", best.cpu)]);
        let entropy = corpus.bits / 8.0 / corpus.items.len() as f64;
        sheet.row(["merging all of it once, apart".to_owned(), format!("{:.2}", merged.cpu)]);
        sheet.row(["anonymous MiB of a process that merges".to_owned(), format!("{:.0}", merged.memory.anonymous)]);
        let bytes = format!("{:.0} bytes a record once merged, entropy {entropy:.0}", merged.stored);
        sheet.row([bytes, format!("{:.2}", merged.stored / entropy)]);
        self.say(sheet);
    }

    /// Five times too much.
    pub fn overload(&mut self, done: &[Overloaded]) {
        let head = [
            "",
            "OK records/s",
            "CPU-s per million OK",
            "OK",
            "refused",
            "said when",
            "not begun",
            "unanswered",
            "p50 ms",
            "p99 ms",
            "anonymous MiB, halves",
            "RSS MiB",
        ];
        let mut sheet = Sheet::new("Five times what it can take", &head);
        for run in done {
            let outcome = &run.outcome;
            sheet.row([
                run.side.name().to_owned(),
                format!("{:.0}", outcome.rate()),
                format!("{:.1}", run.cpu),
                outcome.latencies.len().to_string(),
                outcome.refused.to_string(),
                outcome.said_when.to_string(),
                outcome.skipped.to_string(),
                outcome.broken.to_string(),
                format!("{:.0}", outcome.percentile(0.5)),
                format!("{:.0}", outcome.percentile(0.99)),
                format!("{:.0}, {:.0}", run.first.anonymous, run.second.anonymous),
                format!("{:.0}", run.second.total.max(run.first.total)),
            ]);
            if run.side == Side::Marquetry {
                self.limit([run.first.anonymous, run.second.anonymous].into_iter());
                self.refusals(run);
            }
        }
        self.say(sheet);
    }

    fn refusals(&mut self, run: &Overloaded) {
        let outcome = &run.outcome;
        if outcome.refused == 0 {
            self.broken.push("overload refused nothing, so it was none".to_owned());
        }
        if outcome.said_when != outcome.refused {
            self.broken.push(format!("{} refusals said not when to come back", outcome.refused - outcome.said_when));
        }
        if outcome.broken > 0 {
            self.broken.push(format!("{} requests got no answer", outcome.broken));
        }
    }

    fn limit(&mut self, anonymous: impl Iterator<Item = f64>) {
        let most = anonymous.fold(0.0, f64::max);
        if most > MEMORY {
            self.broken.push(format!("{most:.0} MiB of anonymous memory, {MEMORY} are allowed"));
        }
    }

    /// Every shape.
    pub fn sweep(&mut self, rows: &[(Arc<Load>, Vec<Measured>)]) {
        let head = [
            "wire, batch",
            "sent bytes/record",
            "side",
            "CPU-s per million",
            "records/s",
            "p50 ms",
            "p99 ms",
            "anonymous MiB",
            "RSS MiB",
            "bytes/record",
        ];
        let mut sheet = Sheet::new("Every shape at saturation, minimum / median", &head);
        for (load, measured) in rows {
            let wire = format!("{:.0}", load.bytes as f64 / load.expected.sent() as f64);
            for side in [Side::Marquetry, Side::Go] {
                let of_side: Vec<_> = measured.iter().filter(|m| m.side == side).collect();
                if !of_side.is_empty() {
                    sheet.row([load.shape.name(), wire.clone()].into_iter().chain(readings(side.name(), &of_side)));
                }
            }
            self.limit(measured.iter().filter(|m| m.side == Side::Marquetry).map(|m| m.memory.anonymous));
        }
        self.say(sheet);
    }
}

fn minimum(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(f64::INFINITY, f64::min)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Of one side: the least and the middle of the times, the middle of rates, the most of memory.
fn readings(name: &str, measured: &[&Measured]) -> Vec<String> {
    let of = |read: fn(&Measured) -> f64| measured.iter().map(move |m| read(m));
    let both = |read: fn(&Measured) -> f64, digits: usize| match measured.len() {
        1 => format!("{:.digits$}", median(of(read))),
        _ => format!("{:.digits$} / {:.digits$}", minimum(of(read)), median(of(read))),
    };
    vec![
        name.to_owned(),
        both(|m| m.cpu, 1),
        format!("{:.0}", median(of(|m| m.outcome.rate()))),
        both(|m| m.outcome.percentile(0.5), 1),
        both(|m| m.outcome.percentile(0.99), 1),
        format!("{:.0}", of(|m| m.memory.anonymous).fold(0.0, f64::max)),
        format!("{:.0}", of(|m| m.memory.total).fold(0.0, f64::max)),
        format!("{:.0}", median(of(|m| m.stored))),
    ]
}
