//! Prices calls outside the chain: one that somebody wants explained, and stored ones anew.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, new_null_array,
};
use arrow::compute::kernels::cast_utils::string_to_timestamp_nanos;
use arrow::compute::{cast, concat};
use arrow::datatypes::{Decimal128Type, Field, Schema};
use arrow::error::ArrowError;
use component::{ConfigError, Context, Rows, RowsError};
use schemas::{Column, Source, Table, Type};
use serde_json::{Map, Value};

use super::{Config, Cost, TABLE, decimal};
use component::Component;

/// What a call is, before its prices: as much as says which call it was.
const CALL: &[&str] = &["record_id", "time", "tenant", "project", "provider", "request_model", "response_model"];

/// What pricing says; each stands twice, as it was stored and as it is now.
const PRICED: &[&str] =
    &["cost_usd", "cost_status", "cost_source", "price_match", "price_id", "price_list", "cost_breakdown"];

/// Calls could not be priced anew.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AgainError {
    /// The settings.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Rows that do not fit their table.
    #[error(transparent)]
    Rows(#[from] RowsError),
    /// Columns of another type than their table's.
    #[error("reading stored calls: {0}")]
    Arrow(#[from] ArrowError),
    /// A call as somebody wrote it.
    #[error("{0}")]
    Call(String),
}

/// Prices calls with a configuration's overrides and price list.
pub struct Again {
    cost: Cost,
    table: Arc<Table>,
}

impl Again {
    /// Reads the price list and the overrides.
    pub fn new(config: Config, cx: &Context) -> Result<Self, AgainError> {
        let table = cx.catalog.table(TABLE).ok_or_else(|| AgainError::Call(format!("there is no table {TABLE}")))?;
        Ok(Self { table: Arc::clone(table), cost: Cost::new(Config { breakdown: true, ..config }, cx)? })
    }

    /// One call, its columns by name or by the attribute that they come from; what pricing says of it, as text.
    pub fn explain(&mut self, call: &Map<String, Value>) -> Result<BTreeMap<String, String>, AgainError> {
        let columns = self.table.columns.iter().map(|column| one(column, call)).collect::<Result<Vec<_>, _>>()?;
        let known = |key: &String| {
            self.table.columns.iter().any(|c| c.name == *key || scale_of(c, key).is_some()) || key == "record_id"
        };
        if let Some(unknown) = call.keys().find(|key| !known(key)) {
            let what =
                "columns are listed by `marquetry schema provider_calls`, attributes by `marquetry schema --reference`";
            return Err(AgainError::Call(format!("no column of {TABLE} comes from {unknown}; {what}")));
        }
        let mut rows = Rows::new(Arc::clone(&self.table), columns, vec![0])?;
        self.cost.price(&mut rows)?;
        let shown = CALL.iter().chain(PRICED).chain(&["price_effective_from", "usage_semantics"]);
        let mut told = BTreeMap::new();
        for column in shown {
            if let Some(array) = rows.get(column).filter(|array| array.is_valid(0)) {
                let text = arrow::util::display::array_value_to_string(&cast(array, &plain(array))?, 0)?;
                told.insert((*column).to_owned(), text);
            }
        }
        Ok(told)
    }

    /// Stored calls: which they are, what they cost when they came, and what they cost now.
    pub fn reprice(&mut self, stored: &RecordBatch) -> Result<RecordBatch, AgainError> {
        let count = stored.num_rows();
        let columns = self.table.columns.iter().map(|column| {
            let Some(array) = stored.column_by_name(&column.name) else { return Ok(None) };
            cast(array, &column.r#type.gather()).map(Some)
        });
        let columns = columns.collect::<Result<_, ArrowError>>()?;
        let mut rows = Rows::new(Arc::clone(&self.table), columns, vec![0; count])?;
        self.cost.price(&mut rows)?;
        let type_of = |name: &str| self.table.columns.iter().find(|c| c.name == name).map_or(Type::Text, |c| c.r#type);
        let mut fields = Vec::new();
        let mut arrays: Vec<ArrayRef> = Vec::new();
        let mut add = |name: String, array: Option<&ArrayRef>, kind: Type| -> Result<ArrayRef, ArrowError> {
            let array = match array {
                Some(array) => cast(array, &kind.stored())?,
                None => new_null_array(&kind.stored(), count),
            };
            fields.push(Field::new(name, kind.stored(), true));
            arrays.push(Arc::clone(&array));
            Ok(array)
        };
        for name in CALL {
            add((*name).to_owned(), stored.column_by_name(name), type_of(name))?;
        }
        for name in PRICED {
            let kind = type_of(name);
            let old = add((*name).to_owned(), stored.column_by_name(name), kind)?;
            let new = add(format!("new_{name}"), rows.get(name), kind)?;
            if kind == Type::Money {
                let change = difference(&old, &new);
                add("difference_usd".to_owned(), Some(&change), kind)?;
            }
        }
        Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
    }

    /// Columns that [`Again::reprice`] needs, those of a row's identity included.
    pub fn needed(&self) -> Vec<String> {
        let stored = self.table.stored_columns().filter(|column| column.r#type != Type::Map);
        let stored = stored.map(|column| column.name.clone());
        stored.chain(["record_id".to_owned()]).collect()
    }
}

/// New less old; NULL where one of them is not known.
fn difference(old: &ArrayRef, new: &ArrayRef) -> ArrayRef {
    let (old, new) = (old.as_primitive::<Decimal128Type>(), new.as_primitive::<Decimal128Type>());
    let change = old.iter().zip(new).map(|(old, new)| new?.checked_sub(old?));
    Arc::new(change.collect::<Decimal128Array>().with_data_type(Type::Money.stored()))
}

/// What a dictionary holds.
fn plain(array: &ArrayRef) -> arrow::datatypes::DataType {
    match array.data_type() {
        arrow::datatypes::DataType::Dictionary(_, values) => values.as_ref().clone(),
        other => other.clone(),
    }
}

/// The factor of a column's attribute, if it comes from this one.
fn scale_of(column: &Column, key: &str) -> Option<f64> {
    column.from.iter().find_map(|source| match source {
        Source::Attribute { key: known, scale } if known == key => Some(scale.unwrap_or(1.0)),
        _ => None,
    })
}

/// A column of one row; `None` if the call says nothing of it.
fn one(column: &Column, call: &Map<String, Value>) -> Result<Option<ArrayRef>, AgainError> {
    let by_name = call.get(&column.name).map(|value| (value, 1.0));
    let sources = column.from.iter().filter_map(|source| match source {
        Source::Attribute { key, scale } => Some((call.get(key)?, scale.unwrap_or(1.0))),
        _ => None,
    });
    let given = by_name.into_iter().chain(sources).find(|(value, _)| !value.is_null());
    let Some((value, scale)) = given else { return Ok(None) };
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let wrong =
        || AgainError::Call(format!("{} is {}, and what was given is not", column.name, column.r#type.as_str()));
    let array: ArrayRef = match column.r#type {
        Type::Text | Type::Dict => {
            let spelt = column.values.get(&text.to_lowercase()).cloned().unwrap_or(text);
            Arc::new(StringArray::from(vec![spelt]))
        }
        Type::Int => Arc::new(Int64Array::from(vec![whole(&text, scale).ok_or_else(wrong)?])),
        Type::Bool => Arc::new(BooleanArray::from(vec![text.parse::<bool>().map_err(|_| wrong())?])),
        Type::Time => {
            let micros = text.parse::<i64>().ok();
            let micros = micros.or_else(|| Some(string_to_timestamp_nanos(&text).ok()? / 1_000)).ok_or_else(wrong)?;
            Arc::new(TimestampMicrosecondArray::from(vec![micros]).with_timezone("UTC"))
        }
        Type::Money => {
            let scaled = decimal::parse(&text).ok_or_else(wrong)?;
            Arc::new(Decimal128Array::from(vec![scaled]).with_data_type(Type::Money.stored()))
        }
        // Nothing that is priced.
        Type::Float | Type::Date | Type::Map => return Ok(None),
    };
    Ok(Some(cast(&concat(&[array.as_ref()])?, &column.r#type.gather())?))
}

/// A count, in the column's own measure.
fn whole(text: &str, scale: f64) -> Option<i64> {
    if scale == 1.0 {
        return text.parse().ok();
    }
    // Seconds become nanoseconds by their decimal text, so that none is lost.
    let scaled = decimal::parse(text)?.checked_mul(scale as i128)?;
    i64::try_from(scaled / 10_i128.pow(18)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::context;

    fn told(config: &str, call: &str) -> BTreeMap<String, String> {
        let mut again = Again::new(serde_json::from_str(config).unwrap(), &context()).unwrap();
        again.explain(serde_json::from_str(call).as_ref().unwrap()).unwrap()
    }

    #[test]
    fn a_call_is_explained_by_columns_and_by_attributes() {
        let columns = r#"{"provider": "openai", "request_model": "gpt-5.1", "input_tokens": 2006, "cache_read_tokens": 1920, "output_tokens": 300, "time": "2026-11-20T12:00:00Z"}"#;
        let attributes = r#"{"gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-5.1", "gen_ai.usage.input_tokens": 2006, "gen_ai.usage.cache_read.input_tokens": 1920, "gen_ai.usage.output_tokens": "300", "time": 1795176000000000}"#;
        for call in [columns, attributes] {
            let told = told("{}", call);
            assert_eq!(told["cost_usd"], "0.003347500000000000");
            assert_eq!((told["cost_status"].as_str(), told["price_match"].as_str()), ("priced", "exact"));
            assert!(told["cost_breakdown"].contains("cache_read_tokens"), "{told:?}");
        }
        let seconds = r#"{"gen_ai.system": "groq", "gen_ai.request.model": "whisper-large-v3", "gen_ai.usage.audio_seconds": 11.5}"#;
        assert_eq!(told("{}", seconds)["cost_usd"], "0.000354583333333333");
    }

    #[test]
    fn what_is_not_of_a_call_is_refused() {
        let mut again = Again::new(Config::default(), &context()).unwrap();
        for (call, expected) in [
            (r#"{"input_tokenz": 1}"#, "no column of provider_calls comes from input_tokenz"),
            (r#"{"input_tokens": "many"}"#, "input_tokens is int, and what was given is not"),
            (r#"{"from_cache": 3}"#, "from_cache is bool, and what was given is not"),
        ] {
            let error = again.explain(serde_json::from_str(call).as_ref().unwrap()).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn a_stored_call_keeps_its_old_price_beside_the_new_one() {
        let mut first = Again::new(Config::default(), &context()).unwrap();
        let texts: [(&str, ArrayRef); 4] = [
            ("record_id", Arc::new(StringArray::from(vec!["a:1", "a:2"]))),
            ("provider", Arc::new(StringArray::from(vec!["openai", "openai"]))),
            ("request_model", Arc::new(StringArray::from(vec!["o3", "foo-9"]))),
            ("operation", Arc::new(StringArray::from(vec!["chat", "chat"]))),
        ];
        let counts: ArrayRef = Arc::new(Int64Array::from(vec![1_000_000, 5]));
        let time: ArrayRef =
            Arc::new(TimestampMicrosecondArray::from(vec![1_795_176_000_000_000; 2]).with_timezone("UTC"));
        let old: ArrayRef =
            Arc::new(Decimal128Array::from(vec![Some(3 * 10_i128.pow(18)), None]).with_data_type(Type::Money.stored()));
        let rest =
            [("input_tokens", Arc::clone(&counts)), ("output_tokens", counts), ("time", time), ("cost_usd", old)];
        let stored = RecordBatch::try_from_iter(texts.into_iter().chain(rest)).unwrap();
        let priced = first.reprice(&stored).unwrap();
        let text = |row, column| {
            let array = priced.column_by_name(column).unwrap();
            array.is_valid(row).then(|| arrow::util::display::array_value_to_string(array, row).unwrap())
        };
        let known = |text: &str| Some(text.to_owned());
        assert_eq!(text(0, "cost_usd"), known("3.000000000000000000"));
        assert_eq!(text(0, "new_cost_usd"), known("10.000000000000000000"));
        assert_eq!(text(0, "difference_usd"), known("7.000000000000000000"));
        assert_eq!((text(1, "new_cost_usd"), text(1, "difference_usd")), (None, None));
        assert_eq!((text(1, "record_id"), text(1, "new_cost_status")), (known("a:2"), known("unpriced")));
        assert!(first.needed().contains(&"input_tokens".to_owned()));
    }
}
