//! What `enrich` costs a row and a distinct value: `cargo bench -p processors --bench enrich`.
//!
//! The rows are requests, 4,096 a gather. Between two lines that differ by their distinct values alone lies what these cost.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use component::{Component, Context, Files, Gather, Keyring, References, Rows, Take};
use processors::enrich::Enrich;
use schemas::Catalog;

mod measure;

const ROWS: usize = 4096;
const GATHERS: usize = 32;

/// Users, as many as a real list has.
const USERS: usize = 100_000;

struct Users;

impl Files for Users {
    fn rows(&self, _: &Path, _: &[&str], _: u64, take: &mut Take<'_>) -> Result<(), String> {
        (0..USERS).try_for_each(|user| take(&[Some(&format!("user-{user}")), Some(["free", "pro"][user % 2])]))
    }

    fn bytes(&self, _: &Path, _: u64) -> Result<Vec<u8>, String> {
        Err("no such file".to_owned())
    }

    fn stamp(&self, _: &Path) -> Option<u128> {
        Some(0)
    }
}

/// A column, and the value of a number.
type Column = (&'static str, fn(usize) -> String);

fn main() -> Result<(), Box<dyn Error>> {
    let catalog = Arc::new(Catalog::built_in()?);
    let keys = Arc::new(Keyring::new(&[7; 32], 1)?);
    let cx = Context { references: References::new(Arc::new(Users)), ..Context::new(Arc::clone(&catalog), keys) };
    let lookup = r#"{"lookups": [{"name": "l", "file": "l", "key": "user_id", "columns": {"plan": "user_plan"}}]}"#;
    let columns: [Column; 4] = [
        ("name", |_| "GET".to_owned()),
        ("client_address", |n| format!("203.0.{}.{}", n >> 8, n & 255)),
        ("user_agent", |n| {
            format!("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0", 100 + n)
        }),
        ("user_id", |n| format!("user-{n}")),
    ];
    for (column, make) in columns {
        for distinct in [1, 64, ROWS] {
            let gathers =
                (0..GATHERS).map(|_| gather(&catalog, column, distinct, make)).collect::<Result<Vec<_>, _>>()?;
            show(&format!("{column}, {distinct} distinct"), "{}", &cx, &gathers)?;
            if column == "user_id" {
                show(&format!("{column} looked up, {distinct} distinct"), lookup, &cx, &gathers)?;
            }
        }
    }
    Ok(())
}

fn show(what: &str, config: &str, cx: &Context, gathers: &[Gather]) -> Result<(), Box<dyn Error>> {
    let mut enrich = Enrich::new(serde_json::from_str(config)?, cx)?;
    let best = measure::fastest(&mut enrich, gathers)?;
    println!("{what:36} {:7.0} ns a row", best * 1e9 / (GATHERS * ROWS) as f64);
    Ok(())
}

fn gather(
    catalog: &Catalog,
    column: &str,
    distinct: usize,
    make: fn(usize) -> String,
) -> Result<Gather, Box<dyn Error>> {
    let table = catalog.table("requests").ok_or("no table requests")?;
    let values: ArrayRef = Arc::new(StringArray::from_iter_values((0..ROWS).map(|row| make(row % distinct))));
    let tenants: ArrayRef = Arc::new(StringArray::from_iter_values((0..ROWS).map(|_| "default")));
    let mut rows = Rows::new(Arc::clone(table), vec![None; table.columns.len()], vec![0; ROWS])?;
    rows.set("tenant", tenants)?;
    rows.set(column, values)?;
    Ok(Gather::new(vec![rows]))
}
