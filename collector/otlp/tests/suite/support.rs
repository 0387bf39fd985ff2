//! Decoders, and cells of a gather as plain values.

use std::cell::RefCell;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType};
use component::{Gather, Keyring, Rows, Text};
use otlp::{Decoded, Decoder, Request, Signal};
use schemas::{Catalog, Type};

/// When every request of a test is received: a day in 2026.
pub const RECEIVED: u64 = 1_795_245_353_000_000_000;

pub fn keyring() -> Arc<Keyring> {
    Arc::new(Keyring::new(&[7; 32], 1).unwrap())
}

/// The built-in tables and those of the tests.
pub fn catalog() -> Arc<Catalog> {
    static CATALOG: LazyLock<Arc<Catalog>> = LazyLock::new(|| {
        let overlay = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/overlay");
        Arc::new(Catalog::load(Some(&overlay)).unwrap())
    });
    Arc::clone(&CATALOG)
}

pub fn decoder() -> Decoder {
    Decoder::new(catalog(), keyring()).unwrap()
}

pub fn request(signal: Signal, body: &[u8]) -> Request<'_> {
    Request { signal, tenant: "acme", body, received_unix_nano: RECEIVED }
}

pub fn decode(signal: Signal, bodies: &[&[u8]]) -> Decoded {
    let requests: Vec<Request<'_>> = bodies.iter().map(|body| request(signal, body)).collect();
    // One decoder for many gathers, as a worker has: nothing of one may be seen in the next.
    thread_local! { static DECODER: RefCell<Decoder> = RefCell::new(decoder()); }
    DECODER.with_borrow_mut(|decoder| decoder.decode(&requests).unwrap())
}

/// One value of a row.
#[derive(Debug, Clone)]
pub enum Cell {
    Null,
    Text(String),
    Int(i64),
    Float(f64),
    Bool(bool),
    Time(i64),
    Date(i32),
    Money(i128),
    Map(Vec<(String, Option<String>)>),
}

/// A NaN is the same as itself here: it is what was sent.
impl PartialEq for Cell {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Int(a), Self::Int(b)) | (Self::Time(a), Self::Time(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a == b || (a.is_nan() && b.is_nan()),
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Date(a), Self::Date(b)) => a == b,
            (Self::Money(a), Self::Money(b)) => a == b,
            (Self::Map(a), Self::Map(b)) => a == b,
            _ => false,
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

pub fn cell(rows: &Rows, column: &str, row: usize) -> Cell {
    let r#type = rows.table().column(column).unwrap_or_else(|| panic!("no column {column}")).r#type;
    let Some(array) = rows.get(column) else { return Cell::Null };
    assert_eq!(array.data_type(), &r#type.gather());
    if array.is_null(row) {
        return Cell::Null;
    }
    match r#type {
        Type::Text | Type::Dict => Cell::Text(Text::new(array).unwrap().get(row).unwrap().to_owned()),
        Type::Int => Cell::Int(array.as_primitive::<Int64Type>().value(row)),
        Type::Float => Cell::Float(array.as_primitive::<Float64Type>().value(row)),
        Type::Bool => Cell::Bool(array.as_boolean().value(row)),
        Type::Time => Cell::Time(array.as_primitive::<TimestampMicrosecondType>().value(row)),
        Type::Date => Cell::Date(array.as_primitive::<Date32Type>().value(row)),
        Type::Money => Cell::Money(array.as_primitive::<Decimal128Type>().value(row)),
        Type::Map => {
            let entries = array.as_map().value(row);
            let (keys, values) = (entries.column(0).as_string::<i32>(), entries.column(1).as_string::<i32>());
            Cell::Map(
                keys.iter().map(|k| k.unwrap().to_owned()).zip(values.iter().map(|v| v.map(str::to_owned))).collect(),
            )
        }
    }
}

/// All cells of the rows that came from one request, table by table: what a neighbour must not change.
pub fn rows_of(gather: &Gather, request: u32) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for rows in gather.tables() {
        for row in (0..rows.len()).filter(|row| rows.requests()[*row] == request) {
            let cells: Vec<Cell> = rows.table().columns.iter().map(|c| cell(rows, &c.name, row)).collect();
            // As text, in which NaN is equal to itself.
            all.push((rows.table().name.clone(), format!("{cells:?}")));
        }
    }
    all
}
