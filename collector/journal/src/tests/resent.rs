//! Records that are sent again.

use super::*;

/// Span rows of one trace, by span number; some are events of their span, some have no span id but a uid.
fn spans(table: &str, spans: &[&str]) -> Rows {
    let is_uid = |s: &str| s.starts_with('r');
    let column = |f: &dyn Fn(&str) -> Option<String>| -> ArrayRef {
        Arc::new(spans.iter().map(|s| f(s)).collect::<StringArray>())
    };
    let event = |s: &str| s.split_once('e').filter(|_| !is_uid(s)).map(|(_, event)| event.parse::<i64>().unwrap());
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("tenant", Arc::new(StringArray::from_iter_values(spans.iter().map(|_| "acme")))),
        ("trace_id", column(&|s| (!is_uid(s)).then(|| "4bf92f3577b34da6a3ce929d0e0e4736".to_owned()))),
        ("span_id", column(&|s| (!is_uid(s)).then(|| format!("00f067aa0ba902{}", &s[..2])))),
        ("record_uid", column(&|s| is_uid(s).then(|| s.to_owned()))),
        ("event_index", Arc::new(spans.iter().map(|s| event(s)).collect::<Int64Array>())),
    ];
    sample::rows(catalog().table(table).unwrap(), columns)
}

fn echoes(folder: &Path) -> Vec<Vec<Option<String>>> {
    let of = |part: &Part| match part.batch.column_by_name("echo_of") {
        Some(column) => column.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect(),
        None => vec![None; part.batch.num_rows()],
    };
    parts(folder).iter().flatten().map(of).collect()
}

#[test]
fn what_is_sent_again_is_an_echo_of_itself() {
    let folder = folder();
    let journal = open(folder.path());
    let append = |rows: Rows| journal.append(&sample::seal(vec![rows])).unwrap();
    append(spans("spans", &["b1", "b2", "r1", "b1e0"]));
    append(spans("spans", &["b3", "b2", "b1e1", "r1", "b1e0"]));
    // The same record in another table is another row.
    append(spans("errors", &["b1", "b1e0"]));
    append(spans("errors", &["b1e0"]));
    let trace = |rest: &str| Some(format!("4bf92f3577b34da6a3ce929d0e0e4736:00f067aa0ba902{rest}"));
    let expected = [
        vec![None; 4],
        vec![None, trace("b2"), None, Some("r1".to_owned()), trace("b1:0")],
        vec![None, None],
        vec![trace("b1:0")],
    ];
    assert_eq!(echoes(folder.path()), expected);
    assert_eq!(journal.stats().resent, 4);
}

/// The same rows as another tenant sends them.
fn of_another(mut rows: Rows) -> Rows {
    let tenants: ArrayRef = Arc::new(StringArray::from(vec!["umbrella"; rows.len()]));
    rows.set("tenant", tenants).unwrap();
    rows
}

/// Uids that two tenants can send with no fingerprint in the place of another. Fingerprints have a random key, and one that
/// lost its place to another is found by the merge alone.
fn apart(journal: &Journal, count: usize) -> Vec<String> {
    let many: Vec<String> = (0..2 * count).map(|n| format!("r{n}")).collect();
    let rows = spans("logs", &many.iter().map(String::as_str).collect::<Vec<_>>());
    let prints = [&rows, &of_another(rows.clone())].map(|rows| journal.fingerprints().of(rows));
    let mut taken = std::collections::HashSet::new();
    let mut uids = Vec::new();
    for (at, uid) in many.into_iter().enumerate() {
        let slots = prints.each_ref().map(|prints| crate::resent::slot(prints[at]));
        if slots[0] != slots[1] && slots.iter().all(|slot| !taken.contains(slot)) {
            taken.extend(slots);
            uids.push(uid);
        }
    }
    uids.truncate(count);
    assert_eq!(uids.len(), count, "places for as many");
    uids
}

#[test]
fn other_tenants_and_large_gathers() {
    let folder = folder();
    let journal = open(folder.path());
    let many = apart(&journal, 300);
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let other = of_another(spans("logs", &many));
    for rows in [spans("logs", &many), other, spans("logs", &many[..200])] {
        journal.append(&sample::seal(vec![rows])).unwrap();
    }
    let marked: Vec<usize> = echoes(folder.path()).iter().map(|rows| rows.iter().flatten().count()).collect();
    assert_eq!(marked, [0, 0, 200], "a uid is one tenant's own");
}

#[test]
fn audited_rows_are_marked_and_still_prove_themselves() {
    let folder = folder();
    let journal = open(folder.path());
    for _ in 0..2 {
        journal.append(&sample::seal(vec![spans("ledger", &["r1", "r2"])])).unwrap();
    }
    let uid = |text: &str| Some(text.to_owned());
    assert_eq!(echoes(folder.path()), [vec![None, None], vec![uid("r1"), uid("r2")]]);
    for rows in parts(folder.path()).iter().flatten().map(audited::rows_of) {
        assert_eq!((0..2).map(|row| crate::verify(&rows, row)).collect::<Vec<_>>(), [crate::Verdict::Intact; 2]);
    }
}

#[test]
fn what_was_refused_is_not_known() {
    let folder = folder();
    let journal = open_with(folder.path(), Options { max_bytes: 1, ..Options::default() });
    let rows = || sample::seal(vec![spans("spans", &["b1"])]);
    assert!(journal.append(&rows()).is_err());
    drop(journal);
    let journal = open(folder.path());
    journal.append(&rows()).unwrap();
    assert_eq!(echoes(folder.path()), [vec![None]]);
    assert_eq!(journal.stats().resent, 0);
}
