//! What is appended is read, value by value.

use proptest::prelude::*;
use schemas::Type;

use super::*;

/// Appends gathers one by one and compares what a reader gets.
fn check(gathers: &[Vec<Rows>]) {
    let folder = folder();
    let journal = open(folder.path());
    for (index, gather) in gathers.iter().enumerate() {
        let position = journal.append(&sample::seal(gather.clone())).unwrap();
        assert_eq!(position, Position(index as u64 + 1));
    }
    let read = parts(folder.path());
    assert_eq!(read.len(), gathers.len());
    for (parts, gather) in read.iter().zip(gathers) {
        assert_eq!(parts.len(), gather.len());
        for rows in gather {
            let part = parts.iter().find(|p| p.table == rows.table().name).unwrap();
            assert_same(&part.batch, rows);
        }
    }
    assert_eq!(damaged(folder.path()), 0);
}

fn full(table: &str, rows: usize, seed: usize) -> Rows {
    sample::full(catalog().table(table).unwrap(), rows, seed)
}

#[test]
fn every_type_below_and_above_the_dictionary_threshold() {
    for rows in [1, 2, 63, 64, 65, 1000] {
        check(&[vec![full("probe", rows, 0)]]);
    }
}

#[test]
fn each_null_alone() {
    // In a lone row every seventh column is NULL, another for each seed.
    for seed in 0..7 {
        check(&[vec![full("probe", 1, seed)]]);
    }
}

#[test]
fn built_in_tables() {
    for table in ["spans", "logs"] {
        for rows in [1, 200] {
            check(&[vec![full(table, rows, 5)]]);
        }
    }
}

#[test]
fn several_tables_and_schemas_in_one_segment() {
    // The same columns have a value, and it is another record: one that came again would be marked.
    let lone = |again: usize| full("probe", 1, 7 * again);
    check(&[
        vec![full("spans", 3, 1), full("logs", 70, 2)],
        vec![full("logs", 3, 3)],
        vec![lone(0)],
        vec![full("probe", 100, 4), full("spans", 3, 5)],
        vec![lone(1)],
    ]);
}

#[test]
fn columns_without_values_are_absent() {
    let catalog = catalog();
    let nulls: ArrayRef = Arc::new(StringArray::new_null(3));
    let rows =
        sample::rows(catalog.table("probe").unwrap(), vec![("int", sample::column(Type::Int, 3, 0)), ("text", nulls)]);
    assert!(rows.get("text").is_none());
    check(&[vec![rows]]);
}

#[test]
fn rows_without_any_value() {
    let catalog = catalog();
    let table = catalog.table("probe").unwrap();
    for rows in [1, 100] {
        check(&[vec![Rows::new(Arc::clone(table), vec![None; table.columns.len()], vec![0; rows]).unwrap()]]);
    }
}

#[test]
fn slices_of_larger_arrays() {
    let whole = full("probe", 300, 0);
    for (offset, rows) in [(1, 1), (9, 63), (100, 64), (299, 1)] {
        let columns = (0..whole.table().columns.len()).map(|i| whole.at(i).map(|a| a.slice(offset, rows))).collect();
        check(&[vec![Rows::new(Arc::clone(whole.table()), columns, vec![0; rows]).unwrap()]]);
    }
}

#[test]
fn dictionaries_given_plain() {
    let catalog = catalog();
    for rows in [1, 100] {
        let plain = stored(&sample::column(Type::Dict, rows, 0));
        check(&[vec![sample::rows(catalog.table("probe").unwrap(), vec![("dict", plain)])]]);
    }
}

#[test]
fn transient_columns_never_reach_the_disk() {
    let folder = folder();
    let journal = open(folder.path());
    let catalog = catalog();
    for rows in [1, 100] {
        let secrets: ArrayRef = Arc::new(StringArray::from(vec!["hunter2"; rows]));
        let columns = vec![("password", secrets), ("text", sample::column(Type::Text, rows, 0))];
        journal.append(&sample::seal(vec![sample::rows(catalog.table("probe").unwrap(), columns)])).unwrap();
    }
    let bytes = std::fs::read(&segments(folder.path())[0]).unwrap();
    let holds = |text: &str| bytes.windows(text.len()).any(|w| w == text.as_bytes());
    assert!(holds("ä31"), "the scan finds what is there");
    assert!(!holds("hunter2") && !holds("password"));
}

#[test]
fn short_gathers_hold_only_the_dictionary_values_they_use() {
    let folder = folder();
    let journal = open(folder.path());
    let catalog = catalog();
    let used = sample::column(Type::Dict, 10, 0).slice(0, 1);
    journal.append(&sample::seal(vec![sample::rows(catalog.table("probe").unwrap(), vec![("dict", used)])])).unwrap();
    let bytes = std::fs::read(&segments(folder.path())[0]).unwrap();
    assert!(bytes.windows(7).any(|w| w == b"value 0"));
    assert!(!bytes.windows(7).any(|w| w == b"value 1"));
}

#[test]
fn a_column_that_the_catalog_lost_is_still_read() {
    let folder = folder();
    let rows = full("probe", 80, 0);
    open(folder.path()).append(&sample::seal(vec![rows.clone()])).unwrap();
    let without = Catalog::built_in().unwrap();
    let snapshot = Snapshot::open(folder.path()).unwrap();
    let entry = snapshot.views()[0].entries().next().unwrap();
    assert_same(&entry.parts(&without, |_| true).unwrap()[0].batch, &rows);
}

#[test]
fn only_wanted_tables_are_decoded() {
    let folder = folder();
    open(folder.path()).append(&sample::seal(vec![full("spans", 3, 1), full("logs", 70, 2)])).unwrap();
    let snapshot = Snapshot::open(folder.path()).unwrap();
    let entry = snapshot.views()[0].entries().next().unwrap();
    let mut tables: Vec<_> = entry.tables().collect();
    tables.sort_unstable();
    assert_eq!(tables, [("logs", 70), ("spans", 3)]);
    let parts = entry.parts(&catalog(), |table| table == "logs").unwrap();
    assert_eq!(parts.iter().map(|p| p.table.as_str()).collect::<Vec<_>>(), ["logs"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Any mix of columns, row numbers and NULLs comes back.
    #[test]
    fn any_gather(gathers in prop::collection::vec((1..140usize, any::<u16>(), 0..1000usize), 1..4)) {
        let table = Arc::clone(catalog().table("probe").unwrap());
        let gathers: Vec<Vec<Rows>> = gathers
            .into_iter()
            .enumerate()
            .map(|(index, (rows, mask, seed))| {
                // Values go up by 31, so that no two gathers share one: a record that came again would be marked.
                let seed = seed - seed % 31 + index;
                let whole = sample::full(&table, rows, seed);
                let columns = (0..table.columns.len())
                    .map(|i| whole.at(i).filter(|_| mask & (1 << (i % 16)) != 0).cloned())
                    .collect();
                vec![Rows::new(Arc::clone(&table), columns, vec![0; rows]).unwrap()]
            })
            .collect();
        check(&gathers);
    }

    /// Any text, of any length, at any place.
    #[test]
    fn any_text(texts in prop::collection::vec(prop::option::of(".{0,40}"), 1..100)) {
        let table = Arc::clone(catalog().table("probe").unwrap());
        let plain: ArrayRef = Arc::new(StringArray::from(texts.clone()));
        let maps = sample::map(texts.iter().map(|t| t.as_ref().map(|t| vec![(t.clone(), None), (String::new(), Some(t.clone()))])));
        let dict = cast(&plain, &Type::Dict.gather()).unwrap();
        check(&[vec![sample::rows(&table, vec![("text", plain), ("dict", dict), ("map", maps)])]]);
    }
}
