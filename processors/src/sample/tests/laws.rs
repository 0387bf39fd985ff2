//! What holds for any traces and rates.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// A record: which trace, which shape, and which gather it comes in.
#[derive(Debug, Clone)]
struct Record {
    trace: usize,
    shape: usize,
    gather: usize,
}

/// Tables and columns of the rows that a record makes.
type Shape = &'static [(&'static str, &'static [(&'static str, &'static str)])];

const SHAPES: [Shape; 6] = [
    &[("requests", &[("kind", "server"), ("status_code", "200"), ("route", "/a")])],
    &[("requests", &[("kind", "server"), ("status_code", "503"), ("route", "/a")])],
    &[("spans", &[("kind", "internal")])],
    &[("provider_calls", &[("kind", "client"), ("span_status", "error")]), ("errors", &[("kind", "client")])],
    &[("requests", &[("kind", "server")]), ("rate_limits", &[("kind", "server")])],
    &[("logs", &[("kind", "log")])],
];

fn records() -> impl Strategy<Value = (Vec<u64>, Vec<Record>)> {
    let record = (0..8_usize, 0..SHAPES.len(), 0..4_usize);
    let record = record.prop_map(|(trace, shape, gather)| Record { trace, shape, gather });
    (prop::collection::vec(any::<u64>(), 8), prop::collection::vec(record, 1..40))
}

/// Rows of some records, marked by number; states as an earlier sampler left them.
fn rows_of(traces: &[u64], records: &[(usize, Record)], before: f64) -> Gather {
    let before = Threshold::of_rate(before);
    let mut rows: Vec<(&str, Vec<(&str, String)>)> = Vec::new();
    for (number, record) in records {
        let id = format!("{:032x}", u128::from(traces[record.trace]));
        let is_log = SHAPES[record.shape][0].0 == "logs";
        if !is_log && !Randomness::of_trace(&id).is_some_and(|randomness| before.keeps(randomness)) {
            continue;
        }
        for (table, cells) in SHAPES[record.shape] {
            let mut cells: Vec<(&str, String)> =
                cells.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
            cells.push(("trace_id", id.clone()));
            cells.push(("span_id", format!("{number}")));
            if is_log {
                cells.push(("record_uid", format!("{number}")));
            } else if before > Threshold::NONE {
                cells.push(("trace_state", state::write("", before).into_owned()));
            }
            rows.push((table, cells));
        }
    }
    let borrowed: Vec<Vec<(&str, &str)>> =
        rows.iter().map(|(_, cells)| cells.iter().map(|(name, value)| (*name, value.as_str())).collect()).collect();
    let rows: Vec<Row> = rows.iter().zip(&borrowed).map(|((table, _), cells)| (*table, cells.as_slice())).collect();
    gather(&rows)
}

fn numbered(records: &[Record]) -> Vec<(usize, Record)> {
    records.iter().cloned().enumerate().collect()
}

fn sampled(config: &str, mut gather: Gather) -> Vec<String> {
    process::<Sample>(config, &mut gather);
    let mut left = left(&gather);
    left.sort();
    left
}

fn rate(rate: f64) -> String {
    format!(r#"{{"rate": {rate}}}"#)
}

/// Table and record of a line.
fn row(line: &str) -> (String, String) {
    let mut words = line.split(' ').map(str::to_owned);
    (words.next().unwrap(), words.next().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_split_of_the_records_keeps_the_same_rows((traces, records) in records(), p in 0.0..1.0_f64) {
        let all = numbered(&records);
        let config = format!(r#"{{"rate": {p}, "rules": [{{"route": "/a", "rate": 0.3}}]}}"#);
        let whole = sampled(&config, rows_of(&traces, &all, 1.0));
        let mut split = Vec::new();
        for part in 0..4 {
            let mine: Vec<_> = all.iter().filter(|(_, record)| record.gather == part).cloned().collect();
            split.extend(sampled(&config, rows_of(&traces, &mine, 1.0)));
        }
        split.sort();
        prop_assert_eq!(whole, split);
    }

    #[test]
    fn the_rows_of_a_trace_live_or_die_together((traces, records) in records(), p in 0.0..1.0_f64) {
        let mut fates: BTreeMap<usize, Vec<bool>> = BTreeMap::new();
        let left = sampled(&rate(p), rows_of(&traces, &numbered(&records), 1.0));
        let kept: Vec<(String, String)> = left.iter().map(|line| row(line)).collect();
        for (number, record) in numbered(&records) {
            // What stays by rule tells nothing of its trace.
            if [0, 2, 5].contains(&record.shape) {
                let table = SHAPES[record.shape][0].0.to_owned();
                fates.entry(record.trace).or_default().push(kept.contains(&(table, number.to_string())));
            }
        }
        for (trace, fates) in fates {
            prop_assert!(fates.windows(2).all(|two| two[0] == two[1]), "trace {}: {:?}", trace, fates);
        }
    }

    #[test]
    fn what_a_rate_keeps_every_higher_one_keeps((traces, records) in records(), p in 0.0..1.0_f64, q in 0.0..1.0_f64) {
        let (low, high) = if p < q { (p, q) } else { (q, p) };
        let keeps = |p: f64| -> Vec<_> {
            sampled(&rate(p), rows_of(&traces, &numbered(&records), 1.0)).iter().map(|line| row(line)).collect()
        };
        let more = keeps(high);
        for kept in keeps(low) {
            prop_assert!(more.contains(&kept), "{:?}", kept);
        }
    }

    #[test]
    fn two_samplers_in_a_row_are_the_stricter_one((traces, records) in records(), p in 0.01..1.0_f64, q in 0.01..1.0_f64) {
        // Logs have no trace state: what was sampled of them before nobody can know.
        let spans: Vec<Record> = records.into_iter().filter(|record| [0, 2].contains(&record.shape)).collect();
        let both = sampled(&rate(q), rows_of(&traces, &numbered(&spans), p));
        let strict = sampled(&rate(p.min(q)), rows_of(&traces, &numbered(&spans), 1.0));
        prop_assert_eq!(&both, &strict);
        let mut series = rows_of(&traces, &numbered(&spans), 1.0);
        process::<Sample>(&rate(p), &mut series);
        prop_assert_eq!(sampled(&rate(q), series), strict);
    }

    #[test]
    fn a_record_has_one_weight((traces, records) in records(), p in 0.0..1.0_f64, before in 0.1..1.0_f64) {
        let mut weights: BTreeMap<String, String> = BTreeMap::new();
        for line in sampled(&rate(p), rows_of(&traces, &numbered(&records), before)) {
            let words: Vec<&str> = line.split(' ').collect();
            let weight = weights.entry(words[1].to_owned()).or_insert_with(|| words[2].to_owned());
            prop_assert_eq!(weight, words[2]);
        }
    }
}

/// Numbers that look random, always the same ones.
fn dice(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*seed ^ (*seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[test]
fn weighted_counts_are_near_the_true_ones() {
    let mut seed = 7;
    let traces: Vec<u64> = (0..8_000).map(|_| dice(&mut seed)).collect();
    // One in fifty fails, and stays by rule.
    let records: Vec<Record> =
        (0..traces.len()).map(|trace| Record { trace, shape: usize::from(trace % 50 == 0), gather: 0 }).collect();
    for (config, before) in [
        (rate(0.5), 1.0),
        (rate(0.1), 1.0),
        (rate(0.02), 1.0),
        (rate(1.0), 0.25),
        (rate(0.1), 0.5),
        (r#"{"rate": 0.2, "upstream": "multiply"}"#.to_owned(), 0.5),
    ] {
        let left = sampled(&config, rows_of(&traces, &numbered(&records), before));
        let weights = left.iter().map(|line| line.split(' ').nth(2).unwrap().parse().unwrap_or(1.0));
        let (sum, most) = weights.fold((0.0_f64, 1.0_f64), |(sum, most), weight| (sum + weight, most.max(weight)));
        let true_count = traces.len() as f64;
        // Three standard deviations of a sum of independent traces of which one in `most` stays.
        let tolerance = 3.0 * (true_count * (most - 1.0)).sqrt();
        assert!((sum - true_count).abs() < tolerance, "{config}, {before}: {sum} of {true_count}, {tolerance}");
        assert!(left.len() as f64 <= true_count * (1.0 / most + 0.03), "{config}: {} rows stay", left.len());
    }
}
