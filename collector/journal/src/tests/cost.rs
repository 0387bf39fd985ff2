//! What a row costs: bytes on disk, memory in the process.

use super::*;

#[test]
fn a_lone_span_costs_at_most_3_kb() {
    let folder = folder();
    let journal = open(folder.path());
    let mut costs = Vec::new();
    for seed in 0..5 {
        let before = journal.stats().bytes;
        journal.append(&sample::spans(&catalog(), 1, seed)).unwrap();
        costs.push(journal.stats().bytes - before);
    }
    println!("a lone span: {} bytes with the frame schema, {:?} after it", costs[0], &costs[1..]);
    assert!(costs[1..].iter().all(|bytes| *bytes <= 3 << 10), "{costs:?}");
    let file = segments(folder.path())[0].metadata().unwrap().len();
    assert_eq!(file, journal.stats().bytes);
}

#[test]
fn bytes_per_row_fall_with_the_gather() {
    let folder = folder();
    let journal = open(folder.path());
    let mut costs = Vec::new();
    for rows in [1, 10, 200, 5000] {
        journal.append(&sample::spans(&catalog(), rows, 0)).unwrap();
        let before = journal.stats().bytes;
        journal.append(&sample::spans(&catalog(), rows, 0)).unwrap();
        costs.push((journal.stats().bytes - before) / rows as u64);
    }
    println!("bytes per row in gathers of 1, 10, 200 and 5,000: {costs:?}");
    assert!(costs.windows(2).all(|w| w[1] < w[0]), "{costs:?}");
    assert!(costs[3] < 800, "{costs:?}");
}

#[test]
fn memory_stays_flat() {
    let folder = folder();
    run_alone("tests::cost::appending_process", folder.path());
}

/// Anonymous memory of this process, in KiB.
fn anonymous() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
#[ignore = "measures its whole process; memory_stays_flat runs it"]
fn appending_process() {
    let journal = open_with(&given_folder(), Options { segment_bytes: 4 << 20, ..Options::default() });
    let append = |rows: usize, count: usize| {
        let gather = sample::spans(&catalog(), rows, 0);
        for _ in 0..count {
            journal.append(&gather).unwrap();
        }
    };
    append(200, 10);
    append(1, 100);
    let before = anonymous();
    append(200, 450);
    append(1, 10_000);
    let after = anonymous();
    println!("anonymous memory: {before} KiB, after 100,000 rows {after} KiB");
    assert!(after < before + 2048, "{before} KiB, then {after} KiB");
    assert!(journal.stats().bytes > 50 << 20);
}
