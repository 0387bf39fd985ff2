//! What one sees while records travel: a bar and a heart-beat on a terminal, plain lines elsewhere.

use std::time::{Duration, Instant};

use ::demo::{Counts, Traffic, Wire};
use indicatif::{ProgressBar, ProgressStyle};

use super::stage::watched;
use crate::cli;

/// Between two plain lines of the live part.
const LINE: Duration = Duration::from_secs(60);

/// The history on its way.
pub(super) struct History {
    total: u64,
    /// Quarters that have been told.
    quarters: u64,
    bar: Option<ProgressBar>,
}

impl History {
    pub(super) fn new(total: u64) -> Self {
        let bar = watched().then(|| {
            let style =
                ProgressStyle::with_template("  history  [{bar:32}] {human_pos}/{human_len} records  {percent}%");
            let bar = ProgressBar::new(total);
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
            bar
        });
        if bar.is_none() {
            cli::say(format_args!("sending {} records of history", grouped(total)));
        }
        Self { total, quarters: 0, bar }
    }

    /// `arrived` have their OK.
    pub(super) fn show(&mut self, arrived: u64) {
        if let Some(bar) = &self.bar {
            return bar.set_position(arrived);
        }
        let quarters = arrived * 4 / self.total.max(1);
        if quarters > self.quarters && quarters < 4 {
            self.quarters = quarters;
            cli::say(format_args!("{} of {} records", grouped(arrived), grouped(self.total)));
        }
    }

    pub(super) fn end(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// What the history was and how it came.
pub(super) fn done(traffic: &Traffic, counts: &Counts, took: Duration) {
    let wires = [Wire::Grpc, Wire::HttpProtobuf, Wire::HttpJson];
    let wires: Vec<String> = wires.map(|wire| format!("{} over {}", grouped(counts.over(wire)), wire.as_str())).into();
    cli::say(format_args!(
        "{} spans and {} log records of {} users in {:.1} s, {}; the tables hold exactly these",
        grouped(traffic.spans()),
        grouped(traffic.logs()),
        traffic.users(),
        took.as_secs_f64(),
        wires.join(", ")
    ));
}

/// The line of the live part.
pub(super) struct Pulse {
    bar: Option<ProgressBar>,
    told: Instant,
    incident: Option<Instant>,
}

impl Pulse {
    pub(super) fn new() -> Self {
        let bar = watched().then(|| {
            let bar = ProgressBar::new_spinner();
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Self { bar, told: Instant::now(), incident: None }
    }

    pub(super) fn show(&mut self, arrived: u64, spent: &str, last: Option<(&'static str, Instant)>) {
        let ago = |at: Instant| at.elapsed().as_secs();
        let incident = last.map(|(text, at)| format!("; {} s ago: {text}", ago(at))).unwrap_or_default();
        let line = format!("live: {} records in, {spent} US dollars so far{incident}", grouped(arrived));
        if let Some(bar) = &self.bar {
            return bar.set_message(line);
        }
        let new = last.map(|(_, at)| at);
        if new != self.incident || self.told.elapsed() >= LINE {
            (self.incident, self.told) = (new, Instant::now());
            cli::say(format_args!("{line}"));
        }
    }

    pub(super) fn end(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// 1234567 as 1,234,567.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn numbers_are_grouped_by_three() {
        for (number, expected) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), expected);
        }
    }
}
