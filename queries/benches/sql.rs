//! What rules in SQL cost a row, on one core: `cargo bench -p queries --bench sql`.

use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::compute::cast;
use component::{Component, Context, Gather, Keyring, Processor, Rows};
use queries::processors::sql::{Config, Sql};
use schemas::{Catalog, Type};

/// Rows of all rounds together, for each size of a gather.
const ROWS: usize = 1 << 20;

const RULES: &[(&str, &str)] = &[
    ("nothing", "[]"),
    ("drop: numbers", r#"[{"table":"requests","drop":"status_code < 100 AND duration_ns > 5"}]"#),
    ("drop: LIKE on a dictionary", r#"[{"table":"requests","drop":"route LIKE '/none/%'"}]"#),
    ("drop: LIKE on text", r#"[{"table":"requests","drop":"path LIKE '%/none/%'"}]"#),
    ("drop: one row in 8 divides by 0", r#"[{"table":"requests","drop":"8 / flags > 9"}]"#),
    ("set: a constant", r#"[{"table":"requests","set":{"feature_name":"'x'"}}]"#),
    (
        "set: regexp on a dictionary",
        r#"[{"table":"requests","set":{"route":"regexp_replace(route, '/[0-9]+', '/{n}')"}}]"#,
    ),
    ("set: regexp on text", r#"[{"table":"requests","set":{"path":"regexp_replace(path, '/[0-9]+', '/{n}')"}}]"#),
    (
        "set: CASE, where",
        r#"[{"table":"requests","where":"status_code > 300","set":{"feature_name":"CASE WHEN path LIKE '/api/%' THEN 'api' ELSE feature_name END"}}]"#,
    ),
];

fn main() -> Result<(), Box<dyn Error>> {
    let catalog = Arc::new(Catalog::built_in()?);
    let keys = Arc::new(Keyring::new(&[7; 32], 1)?);
    let sizes = [1, 64, 4096];
    println!("{:34} {}", "ns a row, in gathers of", sizes.map(|n| format!("{n:>9}")).concat());
    for (what, rules) in RULES {
        let cx = Context::new(Arc::clone(&catalog), Arc::clone(&keys));
        let config: Config = serde_json::from_str(&format!("{{\"rules\":{rules}}}"))?;
        let start = Instant::now();
        let mut sql = Sql::new(config, &cx)?;
        let planned = start.elapsed();
        let mut line = format!("{what:34} ");
        for size in sizes {
            let rows = if size == 1 { ROWS >> 6 } else { ROWS };
            let made = gather(&catalog, size)?;
            let mut took = Duration::ZERO;
            for _ in 0..rows / size {
                let mut copy = made.clone();
                let start = Instant::now();
                sql.process(&mut copy)?;
                took += start.elapsed();
                black_box(&copy);
            }
            line.push_str(&format!("{:9.0}", took.as_secs_f64() * 1e9 / rows as f64));
        }
        println!("{line}   planned in {planned:.1?}");
    }
    Ok(())
}

/// Requests to sixteen routes.
fn gather(catalog: &Catalog, rows: usize) -> Result<Gather, Box<dyn Error>> {
    let table = catalog.tables().iter().find(|t| t.name == "requests").ok_or("no table requests")?;
    let text = |f: &dyn Fn(usize) -> String| -> ArrayRef { Arc::new(StringArray::from_iter_values((0..rows).map(f))) };
    let number = |f: &dyn Fn(usize) -> i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values((0..rows).map(f))) };
    let mut out = Rows::new(Arc::clone(table), vec![None; table.columns.len()], vec![0; rows])?;
    out.set("route", cast(&text(&|i| format!("/api/things/{}", i % 16)), &Type::Dict.gather())?)?;
    out.set("path", text(&|i| format!("/api/things/{i}/parts")))?;
    out.set("status_code", number(&|i| if i % 10 == 0 { 404 } else { 200 }))?;
    out.set("duration_ns", number(&|i| i as i64 * 1000))?;
    out.set("flags", number(&|i| (i % 8) as i64))?;
    Ok(Gather::new(vec![out]))
}
