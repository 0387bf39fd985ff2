//! What `filter` and `sample` cost a row, on one core: `cargo bench -p processors --bench sample`.

use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::compute::cast;
use component::{Component, Context, Gather, Keyring, Processor, Rows};
use processors::{filter, sample};
use schemas::Catalog;

const ROWS: usize = 4096;
const GATHERS: usize = 64;
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let catalog = Arc::new(Catalog::built_in()?);
    let keys = Arc::new(Keyring::new(&[7; 32], 1)?);
    let cx = Context::new(Arc::clone(&catalog), keys);
    let gathers = (0..GATHERS).map(|number| gather(&catalog, number)).collect::<Result<Vec<_>, _>>()?;
    for (what, config) in [
        ("filter, its defaults", r#"{}"#),
        ("filter, authenticated only", r#"{"authenticated_only": true}"#),
        ("filter, ten rules", &format!(r#"{{"skip": [{}]}}"#, rules("")) as &str),
    ] {
        let mut step = filter::Filter::new(serde_json::from_str(config)?, &cx)?;
        println!("{what:40} {:6.1} ns a row", measure(&mut step, &gathers)?);
    }
    for (what, config) in [
        ("sample, off", r#"{}"#),
        ("sample, one in two", r#"{"rate": 0.5}"#),
        ("sample, one in ten", r#"{"rate": 0.1}"#),
        (
            "sample, one in ten, ten rules",
            &format!(r#"{{"rate": 0.1, "rules": [{}]}}"#, rules(r#", "rate": 0.01"#)) as &str,
        ),
    ] {
        let mut step = sample::Sample::new(serde_json::from_str(config)?, &cx)?;
        println!("{what:40} {:6.1} ns a row", measure(&mut step, &gathers)?);
    }
    Ok(())
}

/// Endpoints that a tenth of the rows have.
fn rules(rate: &str) -> String {
    (0..10).map(|n| format!(r#"{{"route": "/rare/{n}/*"{rate}}}"#)).collect::<Vec<_>>().join(", ")
}

/// Nanoseconds a row of the fastest of some rounds.
fn measure(step: &mut dyn Processor, gathers: &[Gather]) -> Result<f64, Box<dyn Error>> {
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let mut copies = gathers.to_vec();
        let start = Instant::now();
        for gather in &mut copies {
            step.process(gather)?;
        }
        best = best.min(start.elapsed());
        black_box(&copies);
    }
    Ok(best.as_secs_f64() * 1e9 / (ROWS * GATHERS) as f64)
}

/// Requests of some traces, one in a hundred an error.
fn gather(catalog: &Catalog, number: usize) -> Result<Gather, Box<dyn Error>> {
    let table = catalog.table("requests").ok_or("there is no table requests")?;
    let trace = |row: usize| {
        let mixed = ((number * ROWS + row) as u64 / 4).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        format!("{:032x}", u128::from(mixed) << 32 | u128::from(mixed >> 7))
    };
    let text =
        |f: &dyn Fn(usize) -> Option<String>| -> ArrayRef { Arc::new((0..ROWS).map(f).collect::<StringArray>()) };
    let mut columns: Vec<Option<ArrayRef>> = vec![None; table.columns.len()];
    let mut put = |name: &str, values: ArrayRef| -> Result<(), Box<dyn Error>> {
        let index = table.index(name).ok_or("there is no such column")?;
        columns[index] = Some(cast(&values, &table.columns[index].r#type.gather())?);
        Ok(())
    };
    put("tenant", text(&|_| Some("default".to_owned())))?;
    put("kind", text(&|_| Some("server".to_owned())))?;
    put("service_name", text(&|row| Some(format!("shop-{}", row % 4))))?;
    put("trace_id", text(&|row| Some(trace(row))))?;
    put("span_id", text(&|row| Some(format!("{:016x}", number * ROWS + row))))?;
    put(
        "route",
        text(&|row| Some(if row % 10 == 0 { format!("/rare/{}/x", row % 20) } else { format!("/api/{}", row % 50) })),
    )?;
    put("user_id", text(&|row| (row % 8 == 0).then(|| format!("user-{}", row % 500))))?;
    put(
        "status_code",
        Arc::new(Int64Array::from_iter_values((0..ROWS).map(|row| if row % 100 == 0 { 500 } else { 200 }))),
    )?;
    put("duration_ns", Arc::new(Int64Array::from_iter_values((0..ROWS as i64).map(|row| row * 100_000))))?;
    Ok(Gather::new(vec![Rows::new(Arc::clone(table), columns, vec![0; ROWS])?]))
}
