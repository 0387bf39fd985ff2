//! Numbers and hashes of audit rows.

use schemas::{Leaf, Type};

use super::*;
use crate::Verdict;

fn ledger(rows: usize, seed: usize) -> Rows {
    let catalog = catalog();
    let mut out = sample::full(catalog.table("ledger").unwrap(), rows, seed);
    let absent = ["log_id", "log_seq", "canon_ver", "salt", "commitment", "leaf"];
    for column in absent {
        let index = out.table().index(column).unwrap();
        out.clear_at(index);
    }
    out
}

/// Rows of a part, as a reader of the lake would hold them.
pub(super) fn rows_of(part: &Part) -> Rows {
    let catalog = catalog();
    let table = catalog.table(&part.table).unwrap();
    let columns = table.columns.iter().map(|c| part.batch.column_by_name(&c.name).map(stored)).collect();
    Rows::new(Arc::clone(table), columns, vec![0; part.batch.num_rows()]).unwrap()
}

fn audited(folder: &Path) -> Vec<Rows> {
    parts(folder).iter().flatten().filter(|p| p.table == "ledger").map(rows_of).collect()
}

fn ids_and_numbers(folder: &Path) -> Vec<(String, i64)> {
    let mut out = Vec::new();
    for rows in audited(folder) {
        let (ids, numbers) = (rows.text("log_id").unwrap(), rows.int("log_seq").unwrap());
        out.extend((0..rows.len()).map(|row| (ids.get(row).unwrap().to_owned(), numbers.value(row))));
    }
    out
}

/// One stamped gather, read back.
fn stamped(rows: usize) -> Rows {
    let folder = folder();
    open(folder.path()).append(&sample::seal(vec![ledger(rows, 0)])).unwrap();
    audited(folder.path()).remove(0)
}

fn verdicts(rows: &Rows) -> Vec<Verdict> {
    (0..rows.len()).map(|row| crate::verify(rows, row)).collect()
}

#[test]
fn numbers_are_contiguous_across_gathers_rolls_and_clean_stops() {
    let folder = folder();
    let mut rows = 0;
    let mut id = String::new();
    for _ in 0..3 {
        let journal = open(folder.path());
        id = journal.id().to_string();
        for count in [1, 5, 80] {
            let other = sample::full(catalog().table("spans").unwrap(), 2, 1);
            journal.append(&sample::seal(vec![ledger(count, 0), other])).unwrap();
            journal.append(&numbered(1, 1)).unwrap();
            journal.roll().unwrap();
            rows += count as i64;
        }
        journal.close().unwrap();
    }
    assert_eq!(ids_and_numbers(folder.path()), (0..rows).map(|n| (id.clone(), n)).collect::<Vec<_>>());
}

#[test]
fn an_unclean_stop_numbers_anew_under_its_new_id() {
    let folder = folder();
    let mut expected = Vec::new();
    for _ in 0..2 {
        let journal = open(folder.path());
        journal.append(&sample::seal(vec![ledger(3, 0)])).unwrap();
        expected.extend((0..3).map(|n| (journal.id().to_string(), n)));
    }
    let mut read = ids_and_numbers(folder.path());
    read.sort();
    expected.sort();
    assert_eq!(read, expected);
}

#[test]
fn a_refused_append_uses_no_number() {
    let folder = folder();
    let journal = open_with(folder.path(), Options { max_bytes: 20_000, ..Options::default() });
    while journal.append(&sample::seal(vec![ledger(9, 0)])).is_ok() {}
    journal.release(journal.id(), journal.stats().appended).unwrap();
    let next = audited(folder.path()).len();
    assert_eq!(next, 0);
    let before = journal.stats().appended.0 as i64 * 9;
    journal.append(&sample::seal(vec![ledger(1, 0)])).unwrap();
    assert_eq!(ids_and_numbers(folder.path())[0].1, before);
}

#[test]
fn what_a_sender_claims_about_numbers_and_hashes_is_overwritten() {
    let folder = folder();
    let catalog = catalog();
    let claimed = sample::full(catalog.table("ledger").unwrap(), 2, 0);
    open(folder.path()).append(&sample::seal(vec![claimed])).unwrap();
    let rows = audited(folder.path()).remove(0);
    assert_eq!(verdicts(&rows), [Verdict::Intact; 2]);
    assert_eq!(rows.int("log_seq").unwrap().values(), &[0, 1]);
}

#[test]
fn stored_rows_verify_in_either_encoding() {
    for rows in [1, 7, 100] {
        assert_eq!(verdicts(&stamped(rows)), vec![Verdict::Intact; rows]);
    }
    let salts = stamped(100);
    let salts = salts.text("salt").unwrap();
    let distinct: std::collections::HashSet<_> = salts.iter().collect();
    assert_eq!(distinct.len(), 100, "each row has a salt of its own");
}

#[test]
fn any_changed_value_breaks_the_leaf() {
    let intact = stamped(8);
    let table = Arc::clone(intact.table());
    let hashed = |name: &str| matches!(name, "log_id" | "log_seq" | "canon_ver" | "salt" | "commitment" | "leaf");
    let mut tried = 0;
    for (index, column) in table.columns.iter().enumerate().filter(|(_, c)| !c.transient) {
        let must_break = column.leaf.is_some() || hashed(&column.name);
        let kept = intact.at(index).unwrap();
        let changed = match column.r#type {
            // A hash in another spelling would still be the same hash.
            Type::Text if hashed(&column.name) => Arc::new(StringArray::from(vec!["00".repeat(32); 8])) as ArrayRef,
            kind => stored(&sample::column(kind, 9, index + 5).slice(1, 8)),
        };
        for (row, verdict) in verdicts(&with(&intact, index, changed.clone())).into_iter().enumerate() {
            let differs = kept.slice(row, 1).as_ref() != changed.slice(row, 1).as_ref();
            let expected = if must_break && differs { Verdict::Tampered } else { Verdict::Intact };
            assert_eq!(verdict, expected, "{} row {row}", column.name);
            tried += usize::from(must_break && differs);
        }
        let nulled = with(&intact, index, arrow::array::new_null_array(&column.r#type.stored(), 8));
        for (row, verdict) in verdicts(&nulled).into_iter().enumerate() {
            let expected = if must_break && kept.is_valid(row) { Verdict::Tampered } else { Verdict::Intact };
            assert_eq!(verdict, expected, "{} nulled, row {row}", column.name);
        }
    }
    assert!(tried > 60, "only {tried} changes were tried");
}

fn with(rows: &Rows, index: usize, values: ArrayRef) -> Rows {
    let mut rows = rows.clone();
    rows.set_at(index, values).unwrap();
    rows
}

#[test]
fn values_cannot_move_between_rows_or_columns() {
    let intact = stamped(8);
    let mut swapped = intact.clone();
    let order = arrow::array::UInt32Array::from(vec![1, 0, 2, 3, 4, 5, 6, 7]);
    let index = intact.table().index("actor_ref").unwrap();
    swapped.set_at(index, arrow::compute::take(intact.at(index).unwrap(), &order, None).unwrap()).unwrap();
    assert_eq!(verdicts(&swapped)[..3], [Verdict::Tampered, Verdict::Tampered, Verdict::Intact]);
    // Whole rows may stand in any order: each says its number.
    let columns = (0..intact.table().columns.len())
        .map(|i| intact.at(i).map(|a| arrow::compute::take(a, &order, None).unwrap()))
        .collect();
    let moved = Rows::new(Arc::clone(intact.table()), columns, vec![0; 8]).unwrap();
    assert_eq!(verdicts(&moved), [Verdict::Intact; 8]);
}

#[test]
fn an_empty_map_value_is_not_a_missing_one() {
    let catalog = catalog();
    let table = catalog.table("ledger").unwrap();
    let pair =
        |value: Option<&str>| sample::map([Some(vec![("key".to_owned(), value.map(str::to_owned))])].into_iter());
    for (before, after) in [(None, Some("")), (Some(""), None), (None, Some("x"))] {
        let folder = folder();
        open(folder.path()).append(&sample::seal(vec![sample::rows(table, vec![("details", pair(before))])])).unwrap();
        let rows = audited(folder.path()).remove(0);
        assert_eq!(verdicts(&rows), [Verdict::Intact]);
        let index = table.index("details").unwrap();
        assert_eq!(verdicts(&with(&rows, index, pair(after))), [Verdict::Tampered], "{before:?} to {after:?}");
    }
}

#[test]
fn erasing_leaves_a_leaf_that_verifies() {
    let mut erased = stamped(8);
    let table = Arc::clone(erased.table());
    let personal = |c: &schemas::Column| c.leaf == Some(Leaf::Personal) || c.name == "salt";
    for (index, _) in table.columns.iter().enumerate().filter(|(_, c)| personal(c)) {
        erased.clear_at(index);
    }
    assert_eq!(verdicts(&erased), [Verdict::Erased; 8]);
    let amount = table.index("amount").unwrap();
    let changed = with(&erased, amount, sample::column(Type::Money, 8, 1000));
    assert!(verdicts(&changed).contains(&Verdict::Tampered), "the open half is still protected");
    let actor = table.index("actor_ref").unwrap();
    let planted = with(&erased, actor, Arc::new(StringArray::from(vec!["u1_somebody"; 8])));
    assert_eq!(verdicts(&planted), [Verdict::Tampered; 8], "nothing can be put where something was erased");
}

#[test]
fn later_columns_do_not_change_a_leaf() {
    let rows = stamped(8);
    let remark = rows.table().index("remark").unwrap();
    assert_eq!(verdicts(&with(&rows, remark, Arc::new(StringArray::from(vec!["merged"; 8])))), [Verdict::Intact; 8]);
}

#[test]
fn the_built_in_table_has_what_is_stamped() {
    let catalog = catalog();
    let table = catalog.table("audit_log").unwrap();
    assert!(table.audit);
    let folder = folder();
    open(folder.path()).append(&sample::seal(vec![sample::full(table, 70, 1), sample::full(table, 1, 2)])).unwrap();
    for part in parts(folder.path()).iter().flatten() {
        let rows = rows_of(part);
        assert_eq!(verdicts(&rows), vec![Verdict::Intact; rows.len()]);
    }
    for half in [Leaf::Public, Leaf::Personal] {
        assert!(table.columns.iter().any(|c| c.leaf == Some(half)), "{half:?}");
    }
}
