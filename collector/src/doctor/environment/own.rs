//! What the running collector counts of itself.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::super::client;
use super::super::finding::{Finding, counted};
use super::seen;
use crate::config::Config;

const RULE: &str = "own_metrics";

/// Time without a good round of the lake from which something is wrong, at least.
const STALE: Duration = Duration::from_secs(300);

/// Judges the metrics page.
pub(super) async fn look(config: &Config) -> Vec<Finding> {
    let Some(address) = &config.metrics else {
        return vec![Finding::ok(RULE, "metrics are switched off: the collector's own counts are not looked at")];
    };
    let page = match client::page(address, "/metrics").await {
        Ok(page) if page.status == 200 => String::from_utf8_lossy(&page.body).into_owned(),
        // Who has the port is said elsewhere.
        _ => return vec![Finding::hint(RULE, format!("no metrics are answered on {address}"))],
    };
    let metrics = Metrics(&page);
    let mut findings: Vec<Finding> = [
        refused(&metrics),
        rejected(&metrics),
        failing(&metrics),
        stale(&metrics, config),
        panics(&metrics),
        damage(&metrics),
    ]
    .into_iter()
    .flatten()
    .collect();
    if findings.is_empty() {
        let rows = metrics.sum("marquetry_lake_rows");
        findings.push(Finding::ok(RULE, format!("nothing was refused or lost; {} committed", counted(rows, "row"))));
    }
    findings
}

/// A page as Prometheus reads it.
struct Metrics<'a>(&'a str);

impl Metrics<'_> {
    /// All values of a family, or of its kinds by signal, whatever their labels.
    fn sum(&self, name: &str) -> u64 {
        let value = |line: &str| {
            let family = line.split(['{', ' ']).next()?;
            let kind = family.strip_suffix("_total").unwrap_or(family).strip_prefix(name)?;
            let is_it = matches!(kind, "" | "_spans" | "_log_records" | "_metric_points");
            line.rsplit(' ').next().filter(|_| is_it)?.parse::<f64>().ok()
        };
        self.0.lines().filter_map(value).sum::<f64>() as u64
    }
}

fn refused(metrics: &Metrics<'_>) -> Option<Finding> {
    let n = metrics.sum("otelcol_receiver_refused");
    let title = format!("{} were refused since the start, to be sent again", counted(n, "record"));
    let why = "There was no room, in memory or in the journal, or something here failed: look at the log.";
    (n > 0).then(|| Finding::hint(RULE, title).because(why).of(seen("refused", n)))
}

fn rejected(metrics: &Metrics<'_>) -> Option<Finding> {
    let n = metrics.sum("otelcol_receiver_failed");
    let title = format!("{} were left out for good since the start", counted(n, "record"));
    let why = "They are not what OTLP says, or could not be processed; their senders were told the reason.";
    (n > 0).then(|| Finding::hint(RULE, title).because(why).of(seen("failed", n)))
}

fn failing(metrics: &Metrics<'_>) -> Option<Finding> {
    let n = metrics.sum("marquetry_lake_failing");
    let title = "the lake cannot be written; rows wait in the journal";
    let why = "The health page says why under `lake`. When the journal is full, senders are refused.";
    (n > 0).then(|| {
        Finding::problem(RULE, title).because(why).of(seen("failures", metrics.sum("marquetry_lake_failures")))
    })
}

fn stale(metrics: &Metrics<'_>, config: &Config) -> Option<Finding> {
    let last = metrics.sum("marquetry_lake_last_success_timestamp_seconds");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let patience = config.lake.flush_interval.map_or(STALE, |interval| STALE.max(interval * 3)).as_secs();
    let age = now.saturating_sub(last);
    let title = format!("the lake was last written {age} s ago");
    let why = "It is written every flush_interval; other readers of the tables see nothing newer.";
    (last > 0 && age > patience).then(|| Finding::problem(RULE, title).because(why).of(seen("seconds", age)))
}

fn panics(metrics: &Metrics<'_>) -> Option<Finding> {
    let n = metrics.sum("marquetry_worker_panics");
    let title = format!("workers failed {} and were set up anew", counted(n, "time"));
    let why = "A record met a fault of ours; it was refused and its neighbours were not. Please report it.";
    (n > 0).then(|| Finding::problem(RULE, title).because(why).of(seen("panics", n)))
}

fn damage(metrics: &Metrics<'_>) -> Option<Finding> {
    let n = metrics.sum("marquetry_journal_quarantined");
    let title = format!("{} of the journal could not be read since the start", counted(n, "place"));
    let why = "A disk gave back other bytes than were written: what stood there is lost. Look at the disk.";
    (n > 0).then(|| Finding::problem(RULE, title).because(why).of(seen("places", n)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_summed_over_signals_and_labels_and_is_not_taken_for_another() {
        let page = "# TYPE otelcol_receiver_refused_spans counter\n\
                    otelcol_receiver_refused_spans{transport=\"grpc\"} 2\n\
                    otelcol_receiver_refused_spans_total{transport=\"http\"} 3\n\
                    otelcol_receiver_refused_log_records 4\n\
                    otelcol_receiver_refused_other 50\n\
                    marquetry_lake_failing 1\nmarquetry_lake_failures_total 7\n";
        let metrics = Metrics(page);
        let sums = ["otelcol_receiver_refused", "marquetry_lake_failing", "marquetry_lake_failures", "marquetry_lake"];
        assert_eq!(sums.map(|name| metrics.sum(name)), [9, 1, 7, 0]);
        let failing = failing(&metrics).unwrap();
        assert_eq!(failing.services[0].about["failures"], "7");
        assert_eq!(refused(&metrics).unwrap().title, "9 records were refused since the start, to be sent again");
        assert!(rejected(&metrics).is_none() && panics(&metrics).is_none() && damage(&metrics).is_none());
    }
}
