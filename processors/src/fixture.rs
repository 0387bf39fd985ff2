//! Test rows from literals, and cells back as text.
//!
//! ```ignore
//! let mut gather = gather(&[("spans", &[("trace_id", "a1"), ("user_id", "ann")]), ("spans", &[("trace_id", "a1")])]);
//! process::<Enrich>("{}", &mut gather);
//! assert_eq!(cell(&gather, "spans", 1, "user_source").as_deref(), Some("trace"));
//! ```

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, MapBuilder,
    MapFieldNames, StringArray, StringBuilder, TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use arrow::util::display::array_value_to_string;
use component::{Component, Context, Gather, Keyring, Processor, Rows};
use schemas::{Catalog, Type};

/// One row: its table, and the columns that have a value. Maps are JSON objects, times microseconds, money decimal
/// text. A row without `tenant` belongs to `default`.
pub(crate) type Row<'a> = (&'a str, &'a [(&'a str, &'a str)]);

/// The built-in tables, a fixed root key, fresh counters.
pub(crate) fn context() -> Context {
    Context::new(Arc::new(Catalog::built_in().unwrap()), Arc::new(Keyring::new(&[7; 32], 1).unwrap()))
}

/// Rows of the built-in tables.
pub(crate) fn gather(rows: &[Row]) -> Gather {
    gather_of(&Catalog::built_in().unwrap(), rows)
}

/// Rows of any catalog's tables.
pub(crate) fn gather_of(catalog: &Catalog, rows: &[Row]) -> Gather {
    for (name, _) in rows {
        assert!(catalog.table(name).is_some(), "no table {name}");
    }
    let tables = catalog.tables().iter().map(|table| {
        let mine: Vec<&[(&str, &str)]> =
            rows.iter().filter(|(t, _)| *t == table.name).map(|(_, cells)| *cells).collect();
        for (column, _) in mine.iter().flat_map(|cells| cells.iter()) {
            assert!(table.index(column).is_some(), "table {} has no column {column}", table.name);
        }
        let columns = table.columns.iter().map(|column| {
            let default = (column.name == "tenant").then_some("default");
            let cell = |cells: &&[(&'_ str, &'_ str)]| {
                cells.iter().find(|(name, _)| *name == column.name).map(|(_, v)| (*v).to_owned())
            };
            let cells: Vec<Option<String>> = mine.iter().map(|c| cell(c).or(default.map(str::to_owned))).collect();
            cells.iter().any(Option::is_some).then(|| array(column.r#type, &cells))
        });
        Rows::new(Arc::clone(table), columns.collect(), vec![0; mine.len()]).unwrap()
    });
    Gather::new(tables.collect())
}

/// Builds a processor from YAML-shaped JSON (`"{}"` for the defaults) with its own [`context`] and runs it once.
pub(crate) fn process<P: Component + Processor>(config: &str, gather: &mut Gather) -> Context {
    let cx = context();
    let config: P::Config = serde_json::from_str(config).unwrap();
    P::new(config, &cx).unwrap().process(gather).unwrap();
    cx
}

/// One cell as text; `None` for NULL, for a table without rows and for a column without values.
pub(crate) fn cell(gather: &Gather, table: &str, row: usize, column: &str) -> Option<String> {
    let rows = gather.table(table)?;
    assert!(rows.table().index(column).is_some(), "table {table} has no column {column}");
    let array = rows.get(column)?;
    if let Some(text) = rows.text(column) {
        return text.get(row).map(str::to_owned);
    }
    if array.is_null(row) {
        return None;
    }
    match array.data_type() {
        DataType::Timestamp(..) => cell_of::<Int64Type>(&cast(array, &DataType::Int64).unwrap(), row),
        DataType::Int64 => cell_of::<Int64Type>(array, row),
        DataType::Float64 => cell_of::<Float64Type>(array, row),
        DataType::Map(..) => Some(map_json(array, row)),
        _ => Some(array_value_to_string(array, row).unwrap()),
    }
}

/// Several cells of one row, for one comparison.
pub(crate) fn cells<const N: usize>(g: &Gather, table: &str, row: usize, columns: [&str; N]) -> [Option<String>; N] {
    columns.map(|column| cell(g, table, row, column))
}

fn cell_of<T: arrow::datatypes::ArrowPrimitiveType>(array: &ArrayRef, row: usize) -> Option<String>
where
    T::Native: ToString,
{
    Some(array.as_primitive::<T>().value(row).to_string())
}

fn map_json(array: &ArrayRef, row: usize) -> String {
    let entry = array.as_map().value(row);
    let (keys, values) = (entry.column(0).as_string::<i32>(), entry.column(1).as_string::<i32>());
    let pairs = (0..keys.len()).map(|i| (keys.value(i).to_owned(), values.value(i).into()));
    serde_json::Value::Object(pairs.collect()).to_string()
}

fn array(kind: Type, cells: &[Option<String>]) -> ArrayRef {
    fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>>(cells: &[Option<String>]) -> Vec<Option<T>> {
        cells.iter().map(|c| c.as_ref().map(|c| c.parse().unwrap())).collect()
    }
    match kind {
        Type::Text => Arc::new(StringArray::from(cells.to_vec())),
        Type::Dict => cast(&(Arc::new(StringArray::from(cells.to_vec())) as ArrayRef), &kind.gather()).unwrap(),
        Type::Int => Arc::new(Int64Array::from(parsed::<i64>(cells))),
        Type::Float => Arc::new(Float64Array::from(parsed::<f64>(cells))),
        Type::Bool => Arc::new(BooleanArray::from(parsed::<bool>(cells))),
        Type::Time => Arc::new(TimestampMicrosecondArray::from(parsed::<i64>(cells)).with_timezone("UTC")),
        Type::Date => Arc::new(Date32Array::from(parsed::<i32>(cells))),
        Type::Money => {
            let money = cells.iter().map(|c| c.as_deref().map(money)).collect::<Decimal128Array>();
            Arc::new(money.with_precision_and_scale(38, 18).unwrap())
        }
        Type::Map => map(cells),
    }
}

fn money(text: &str) -> i128 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{part:0<18}").parse().unwrap()
}

fn map(cells: &[Option<String>]) -> ArrayRef {
    let names = MapFieldNames { entry: "key_value".into(), key: "key".into(), value: "value".into() };
    let mut out = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    for cell in cells {
        let Some(cell) = cell else {
            out.append(false).unwrap();
            continue;
        };
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(cell).unwrap();
        for (key, value) in object {
            out.keys().append_value(key);
            out.values().append_value(value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        }
        out.append(true).unwrap();
    }
    Arc::new(out.finish())
}

#[test]
fn cells_come_back_as_they_were_written() {
    let written: &[(&str, &str)] = &[
        ("trace_id", "a1"),
        ("service_name", "shop"),
        ("time", "1700000000000000"),
        ("duration_ns", "5"),
        ("sample_weight", "2.5"),
        ("is_primary", "true"),
        ("attributes", r#"{"a":"1","b":"[2]"}"#),
    ];
    let gather = gather(&[("spans", &[]), ("spans", written)]);
    for (column, value) in written {
        assert_eq!(cell(&gather, "spans", 1, column).as_deref(), Some(*value), "{column}");
        assert_eq!(cell(&gather, "spans", 0, column), None, "{column}");
    }
    assert_eq!(cells(&gather, "spans", 0, ["tenant", "user_id"]), [Some("default".into()), None]);
}
