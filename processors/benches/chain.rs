//! What each processor costs, on one core: `cargo bench -p processors --bench chain`.
//!
//! Every processor of `ALL`, with its defaults, is given what the one before it left of gathers that no cache has seen: once
//! with values that repeat as they do in one second of a service, once with values of their own in every row. The difference,
//! over the values that are more, is what a distinct value costs.

use std::error::Error;
use std::hint::black_box;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use arrow::array::{
    ArrayRef, Int64Array, MapBuilder, MapFieldNames, StringArray, StringBuilder, TimestampMicrosecondArray,
};
use arrow::compute::cast;
use component::{Context, Gather, Keyring, Rows};
use processors::ALL;
use schemas::{Catalog, Table, Type};

/// Rows of one gather.
const ROWS: usize = 4096;
/// Gathers, each with values of its own.
const GATHERS: usize = 32;
/// Distinct values of a column in a gather where they repeat.
const FEW: usize = 64;

/// A column and what it holds; `#` is a number.
type Cell = (&'static str, &'static str);

/// The tables, how large a part of a gather they are, and their text columns.
const TABLES: &[(&str, usize, &[Cell])] = &[
    (
        "requests",
        4,
        &[
            ("user_id", "user-#"),
            ("session_id", "session-#"),
            ("user_email", "user.#@example.com"),
            ("client_address", "203.0.113.7"),
            (
                "user_agent",
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.#.0 Safari/537.36",
            ),
            ("method", "GET"),
            ("path", "/api/v2/orders/#/items"),
            ("query", "page=#&sort=name"),
            ("name", "GET /api/v2/orders/{id}/items"),
            ("kind", "server"),
        ],
    ),
    (
        "provider_calls",
        8,
        &[
            ("provider", "openai"),
            ("operation", "chat"),
            ("request_model", "gpt-4o-mini"),
            ("response_model", "gpt-4o-mini-2024-07-18"),
            ("response_id", "chatcmpl-#"),
            ("api_key", "Bearer sk-proj-4f9a#"),
            ("name", "chat gpt-4o-mini"),
            ("kind", "client"),
        ],
    ),
    ("spans", 2, &[("name", "SELECT orders"), ("kind", "client"), ("user_id", "user-#")]),
    (
        "logs",
        8,
        &[
            ("name", "app.log"),
            ("kind", "log"),
            ("severity_text", "INFO"),
            ("body", "order # of user.#@example.com took 17 ms on worker 3, cache miss"),
        ],
    ),
];

fn main() -> Result<(), Box<dyn Error>> {
    let catalog = Arc::new(Catalog::built_in()?);
    let keys = Arc::new(Keyring::new(&[7; 32], 1)?);
    let cx = Context::new(catalog, keys);
    let mut few = gathers(&cx, FEW)?;
    let mut many = gathers(&cx, ROWS)?;
    let rows = (GATHERS * ROWS) as f64;
    // Attributes hold one more.
    let own = |columns: &[Cell]| columns.iter().filter(|(_, pattern)| pattern.contains('#')).count() + 1;
    let more: usize = TABLES.iter().map(|(_, part, columns)| (ROWS / part - FEW) * own(columns)).sum();
    let more = (more * GATHERS) as f64;
    println!("{:12} {:>14} {:>14} {:>22}", "ns", "a row, few", "a row, many", "a distinct value more");
    for factory in ALL {
        let mut took = [Duration::ZERO; 2];
        for (took, gathers) in took.iter_mut().zip([&mut few, &mut many]) {
            let mut processor = factory.make(serde_json::Value::Null, &cx)?;
            for gather in gathers.iter_mut() {
                let start = cpu_time();
                processor.process(gather)?;
                *took += cpu_time() - start;
                black_box(&gather);
            }
        }
        let [few, many] = took.map(|t| t.as_secs_f64() * 1e9);
        println!("{:12} {:14.0} {:14.0} {:22.0}", factory.name, few / rows, many / rows, (many - few) / more);
    }
    Ok(())
}

/// Time this thread has had a processor, where the system tells; else the time that has passed.
fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|n| n.parse().ok());
    nanoseconds.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Gathers whose columns have so many distinct values each.
fn gathers(cx: &Context, distinct: usize) -> Result<Vec<Gather>, Box<dyn Error>> {
    (0..GATHERS).map(|number| gather(cx, number * ROWS, distinct)).collect()
}

fn gather(cx: &Context, from: usize, distinct: usize) -> Result<Gather, Box<dyn Error>> {
    let tables = TABLES.iter().map(|(name, part, columns)| {
        let table = cx.catalog.tables().iter().find(|t| t.name == *name).ok_or("no such table")?;
        table_rows(table, ROWS / part, columns, from, distinct)
    });
    Ok(Gather::new(tables.collect::<Result<_, _>>()?))
}

fn table_rows(
    table: &Arc<Table>,
    rows: usize,
    columns: &[(&str, &str)],
    from: usize,
    distinct: usize,
) -> Result<Rows, Box<dyn Error>> {
    let mut out = Rows::new(Arc::clone(table), vec![None; table.columns.len()], vec![0; rows])?;
    let text =
        |make: &dyn Fn(usize) -> String| -> ArrayRef { Arc::new(StringArray::from_iter_values((0..rows).map(make))) };
    let number =
        |make: &dyn Fn(usize) -> i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values((0..rows).map(make))) };
    out.set("tenant", cast(&text(&|_| "default".to_owned()), &Type::Dict.gather())?)?;
    out.set("trace_id", text(&|i| format!("{:032x}", from + i / 4 + 1)))?;
    out.set("span_id", text(&|i| format!("{:016x}", from + i + 1)))?;
    let micros = (0..rows).map(|i| 1_795_000_000_000_000 + (from + i) as i64 * 100);
    out.set("time", Arc::new(TimestampMicrosecondArray::from_iter_values(micros).with_timezone("UTC")))?;
    out.set("duration_ns", number(&|i| 1_000_000 + i as i64))?;
    for (name, pattern) in columns {
        let column = table.column(name).ok_or_else(|| format!("{} has no column {name}", table.name))?;
        let values = text(&|i| pattern.replace('#', &(from + i % distinct).to_string()));
        out.set(name, cast(&values, &column.r#type.gather())?)?;
    }
    if table.index("input_tokens").is_some() {
        out.set("input_tokens", number(&|i| 1000 + (i % distinct) as i64))?;
        out.set("output_tokens", number(&|i| 100 + (i % 7) as i64))?;
    }
    if table.index("status_code").is_some() {
        out.set("status_code", number(&|i| if i % 50 == 0 { 500 } else { 200 }))?;
    }
    out.set("attributes", attributes(rows, from, distinct)?)?;
    Ok(out)
}

fn attributes(rows: usize, from: usize, distinct: usize) -> Result<ArrayRef, Box<dyn Error>> {
    let names = MapFieldNames { entry: "key_value".into(), key: "key".into(), value: "value".into() };
    let mut out = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    for row in 0..rows {
        let order = format!("order-{}", from + row % distinct);
        for (key, value) in
            [("thread.name", "worker-3"), ("code.function", "place_order"), ("app.order.id", order.as_str())]
        {
            out.keys().append_value(key);
            out.values().append_value(value);
        }
        out.append(true)?;
    }
    Ok(Arc::new(out.finish()))
}
