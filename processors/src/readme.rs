//! The page shows what the chain does: its table is run.

use component::{Gather, Seal};

use crate::fixture::{Row, cell, context, gather};
use crate::{ALL, SEAL};

const PAGE: &str = include_str!("../README.md");

/// Column, before, after.
type Line = [Option<&'static str>; 3];

/// `| table.column | before | after |`, code marks taken off and `-` as NULL.
fn lines() -> Vec<Line> {
    let cell = |text: &'static str| Some(text.trim().trim_matches('`')).filter(|t| *t != "-");
    let split = |line: &'static str| -> Option<Line> {
        let cells: Vec<_> = line.strip_prefix("| `")?.strip_suffix(" |")?.split(" | ").map(cell).collect();
        cells.try_into().ok()
    };
    PAGE.lines().filter_map(split).filter(|[name, ..]| name.is_some_and(|n| n.contains('.'))).collect()
}

fn before() -> Gather {
    let mut rows: Vec<(&str, Vec<(&str, &str)>)> = Vec::new();
    for [name, before, _] in lines() {
        let (table, column) = name.unwrap().split_once('.').unwrap();
        if !rows.iter().any(|(t, _)| *t == table) {
            rows.push((table, Vec::new()));
        }
        if let (Some((_, cells)), Some(value)) = (rows.iter_mut().find(|(t, _)| *t == table), before) {
            cells.push((column, value));
        }
    }
    gather(&rows.iter().map(|(t, cells)| (*t, cells.as_slice())).collect::<Vec<Row>>())
}

#[test]
fn the_page_is_true() {
    let cx = context();
    let mut gather = before();
    let mut seal = Vec::new();
    for factory in ALL {
        let hop = serde_json::json!({"client": {"trusted_hops": 1}});
        let config = if factory.name == "enrich" { hop } else { serde_json::Value::Null };
        let mut made = factory.make(config, &cx).unwrap();
        if SEAL.contains(&factory.name) {
            seal.push(made);
        } else {
            made.process(&mut gather).unwrap();
        }
    }
    let sealed = Seal::new(seal).seal(gather).unwrap();
    let after = Gather::new(sealed.tables().cloned().collect());
    assert!(lines().len() > 10);
    let told: Vec<(&str, Option<String>)> = lines()
        .iter()
        .map(|[name, ..]| (name.unwrap(), name.unwrap().split_once('.').unwrap()))
        .map(|(name, (table, column))| (name, cell(&after, table, 0, column)))
        .collect();
    let page: Vec<(&str, Option<String>)> =
        lines().iter().map(|[n, _, after]| (n.unwrap(), after.map(str::to_owned))).collect();
    assert_eq!(told, page);
}
