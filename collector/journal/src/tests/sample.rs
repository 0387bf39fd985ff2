//! Rows to append: every type, with and without NULLs, and spans as an SDK sends them.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int32Array, Int64Array,
    MapBuilder, MapFieldNames, StringArray, StringBuilder, TimestampMicrosecondArray,
};
use component::{Gather, Rows, Seal, Sealed};
use schemas::{Catalog, Table, Type};

/// Milliseconds in a day, of which some time columns are made.
const TIME: i64 = 1_795_000_000_000_000;

/// Values of one type. Every seventh row is NULL, at a place that `seed` moves; so are all rows of a lone NULL.
pub fn column(kind: Type, rows: usize, seed: usize) -> ArrayRef {
    let numbers = || (0..rows).map(|row| ((row + seed) % 7 != 3).then_some((row * 31 + seed) as i64));
    let texts = |distinct: i64| numbers().map(move |n| n.map(|n| format!("ä{}", n % distinct))).collect::<Vec<_>>();
    match kind {
        Type::Text => Arc::new(StringArray::from(texts(1 << 40))),
        Type::Dict => {
            let values = StringArray::from_iter_values((0..5).map(|v| format!("value {v}")));
            let keys = Int32Array::from_iter(numbers().map(|n| n.map(|n| (n % 5) as i32)));
            Arc::new(DictionaryArray::new(keys, Arc::new(values)))
        }
        Type::Int => Arc::new(Int64Array::from_iter(numbers().map(|n| n.map(|n| i64::MIN + n)))),
        Type::Float => Arc::new(Float64Array::from_iter(numbers().map(|n| n.map(|n| n as f64 / 3.0)))),
        Type::Bool => Arc::new(BooleanArray::from_iter(numbers().map(|n| n.map(|n| n % 2 == 0)))),
        Type::Time => {
            Arc::new(TimestampMicrosecondArray::from_iter(numbers().map(|n| n.map(|n| TIME + n))).with_timezone("UTC"))
        }
        Type::Date => Arc::new(Date32Array::from_iter(numbers().map(|n| n.map(|n| n as i32)))),
        Type::Money => Arc::new(
            Decimal128Array::from_iter(numbers().map(|n| n.map(|n| i128::from(n) * -1_000_000_000_000_000_000_007)))
                .with_precision_and_scale(38, 18)
                .unwrap(),
        ),
        Type::Map => map(numbers()
            .map(|n| n.map(|n| (0..n % 4).map(|i| (format!("key.{i}"), (i != 2).then(|| format!("{n}")))).collect()))),
    }
}

/// A map column.
pub fn map(rows: impl Iterator<Item = Option<Vec<(String, Option<String>)>>>) -> ArrayRef {
    let names = MapFieldNames { entry: "key_value".into(), key: "key".into(), value: "value".into() };
    let mut builder = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    for row in rows {
        for (key, value) in row.iter().flatten() {
            builder.keys().append_value(key);
            builder.values().append_option(value.as_deref());
        }
        builder.append(row.is_some()).unwrap();
    }
    Arc::new(builder.finish())
}

/// Rows with a value in every column of a table, transient ones included.
pub fn full(table: &Arc<Table>, rows: usize, seed: usize) -> Rows {
    let columns = table.columns.iter().enumerate().map(|(i, c)| Some(column(c.r#type, rows, seed + i))).collect();
    Rows::new(Arc::clone(table), columns, vec![0; rows]).unwrap()
}

/// Rows of a table with only these columns.
pub fn rows(table: &Arc<Table>, columns: Vec<(&str, ArrayRef)>) -> Rows {
    let count = columns[0].1.len();
    let mut rows = Rows::new(Arc::clone(table), vec![None; table.columns.len()], vec![0; count]).unwrap();
    for (name, values) in columns {
        rows.set(name, values).unwrap();
    }
    rows
}

/// Seals rows by a seal without steps: only the transient columns go.
pub fn seal(tables: Vec<Rows>) -> Sealed {
    Seal::new(vec![]).seal(Gather::new(tables)).unwrap()
}

/// Spans as an instrumented web service sends them, sealed: 29 columns have a value.
pub fn spans(catalog: &Catalog, count: usize, seed: usize) -> Sealed {
    let table = catalog.table("spans").unwrap();
    let dict = |values: &[&str]| -> ArrayRef {
        let keys = Int32Array::from_iter_values((0..count).map(|row| ((row + seed) % values.len()) as i32));
        Arc::new(DictionaryArray::new(keys, Arc::new(StringArray::from_iter_values(values))))
    };
    let text = |make: &dyn Fn(u64) -> String| -> ArrayRef {
        let mixed = (0..count).map(|row| ((row + seed) as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        Arc::new(StringArray::from_iter_values(mixed.map(make)))
    };
    let time = |add: i64| -> ArrayRef {
        let values = (0..count).map(|row| TIME + add + (row + seed) as i64);
        Arc::new(TimestampMicrosecondArray::from_iter_values(values).with_timezone("UTC"))
    };
    let int = |add: i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values((0..count).map(|row| add + row as i64))) };
    let pairs = |pairs: &[(&str, &str)]| {
        let pairs: Vec<_> = pairs.iter().map(|(k, v)| ((*k).to_owned(), Some((*v).to_owned()))).collect();
        map((0..count).map(|_| Some(pairs.clone())))
    };
    let columns = vec![
        ("tenant", dict(&["default"])),
        ("time", time(0)),
        ("service_name", dict(&["checkout", "shipping"])),
        ("trace_id", text(&|n| format!("{n:032x}"))),
        ("span_id", text(&|n| format!("{n:016x}"))),
        ("parent_span_id", text(&|n| format!("{:016x}", !n))),
        ("user_ref", text(&|n| format!("u1_{n:026}"))),
        ("user_source", dict(&["attribute"])),
        ("session_ref", text(&|n| format!("s1_{n:026}"))),
        ("client_prefix", dict(&["192.0.2.0/24"])),
        ("client_ref", text(&|n| format!("i1_{n:026}"))),
        ("name", dict(&["SELECT orders", "GET /cart", "render"])),
        ("kind", dict(&["internal", "client"])),
        ("duration_ns", int(1_500_000)),
        ("span_status", dict(&["unset"])),
        ("attributes", pairs(&[("db.system", "postgresql"), ("db.operation", "SELECT"), ("thread.id", "281472")])),
        ("flags", int(257)),
        ("service_version", dict(&["1.4.2"])),
        ("deployment_environment", dict(&["production"])),
        ("sdk_language", dict(&["python"])),
        ("resource", pairs(&[("host.name", "web-1"), ("process.pid", "7"), ("telemetry.sdk.version", "1.33.0")])),
        ("scope_name", dict(&["opentelemetry.instrumentation.flask"])),
        ("scope_version", dict(&["0.54b0"])),
        ("time_unix_nano", int(TIME * 1000)),
        ("observed_time", time(1_500)),
        ("received_time", time(2_000_000)),
        ("is_primary", Arc::new(BooleanArray::from(vec![true; count]))),
        ("redactions", pairs(&[("email", "1")])),
        ("date", Arc::new(Date32Array::from(vec![20_776; count]))),
    ];
    seal(vec![rows(table, columns)])
}
