//! An expression: planned once, then evaluated on columns, on distinct values where it reads one dictionary alone.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, Int32Array, RecordBatch, RecordBatchOptions, UInt32Array, new_null_array,
};
use arrow::compute::{cast, concat, take};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef};
use arrow::error::ArrowError;
use component::{ProcessError, Rows};
use datafusion::common::{DFSchema, SchemaError};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Expr, ExprSchemable};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::prelude::SessionContext;
use schemas::{Table, Type};

use super::guard;

/// Makes expressions from text.
pub(super) struct Planner(SessionContext);

/// A planned expression over a table's columns.
pub(super) struct Expression {
    planned: Arc<dyn PhysicalExpr>,
    /// Columns of the table that it reads.
    reads: Vec<usize>,
    /// Their types as they are stored.
    schema: SchemaRef,
    gives: DataType,
}

/// What an expression gave.
pub(super) struct Values {
    values: ArrayRef,
    /// Which value each row has; each its own when there is none.
    at: Option<Vec<usize>>,
    /// By value, whether it could not be computed; empty when all could.
    failed: Vec<bool>,
    rows: usize,
}

impl Planner {
    pub(super) fn new() -> Result<Self, String> {
        crate::engine::context().map(Self).map_err(|e| e.to_string())
    }

    /// An expression that is true or not.
    pub(super) fn condition(&self, table: &Table, text: &str) -> Result<Expression, String> {
        let (expr, schema) = self.parse(table, text)?;
        if expr.column_refs().is_empty() {
            return Err("a condition that looks at no column would meet every row or none".to_owned());
        }
        let expr = simplified(expr, &schema, |_| Ok(()))?;
        match expr.get_type(&schema).map_err(|e| guard::words(&e))? {
            DataType::Boolean => self.planned(table, expr, DataType::Boolean),
            DataType::Null => self.planned(table, cast_to(expr, &DataType::Boolean, &schema)?, DataType::Boolean),
            other => Err(format!("a condition is true or false, and this gives {other}")),
        }
    }

    /// An expression for the values of a column.
    pub(super) fn value(&self, table: &Table, index: usize, text: &str) -> Result<Expression, String> {
        let target = &table.columns[index];
        let (expr, schema) = self.parse(table, text)?;
        let expr = simplified(expr, &schema, |expr| guard::flow(expr, &schema, table, target))?;
        let wanted = target.r#type.stored();
        let given = expr.get_type(&schema).map_err(|e| guard::words(&e))?;
        if !fits(&given, target.r#type) {
            let (column, kind) = (&target.name, target.r#type.as_str());
            return Err(format!("`{column}` is {kind} and this gives {given}; say how with CAST(.. AS ..)"));
        }
        self.planned(table, cast_to(expr, &wanted, &schema)?, wanted)
    }

    fn parse(&self, table: &Table, text: &str) -> Result<(Expr, DFSchema), String> {
        let visible = table.columns.iter().filter(|c| guard::is_visible(c));
        let fields: Vec<Field> = visible.map(|c| Field::new(&c.name, c.r#type.stored(), true)).collect();
        let schema = DFSchema::try_from(Schema::new(fields)).map_err(|e| guard::words(&e))?;
        let expr = self.0.parse_sql_expr(text, &schema).map_err(|e| match e.find_root() {
            DataFusionError::SchemaError(error, _) => match error.as_ref() {
                SchemaError::FieldNotFound { field, .. } => guard::missing(table, &field.name),
                _ => guard::words(&e),
            },
            _ => format!("not an SQL expression: {}", guard::words(&e)),
        })?;
        let expr = expr.unalias_nested().data;
        guard::kind(&expr)?;
        Ok((expr, schema))
    }

    fn planned(&self, table: &Table, expr: Expr, gives: DataType) -> Result<Expression, String> {
        let mut reads: Vec<usize> = expr.column_refs().iter().filter_map(|c| table.index(&c.name)).collect();
        reads.sort_unstable();
        let read = |index: &usize| {
            let column = &table.columns[*index];
            Field::new(&column.name, column.r#type.stored(), true)
        };
        let schema = Arc::new(Schema::new(reads.iter().map(read).collect::<Vec<_>>()));
        let named = DFSchema::try_from(Arc::clone(&schema)).map_err(|e| guard::words(&e))?;
        let planned = self.0.create_physical_expr(expr, &named).map_err(|e| guard::words(&e))?;
        Ok(Expression { planned, reads, schema, gives })
    }
}

/// With types that fit each other, checked, and shortened.
fn simplified(expr: Expr, schema: &DFSchema, check: impl Fn(&Expr) -> Result<(), String>) -> Result<Expr, String> {
    let shared = Arc::new(schema.clone());
    let simplifier = ExprSimplifier::new(SimplifyContext::builder().with_schema(shared).build());
    let coerced = simplifier.coerce(expr, schema).map_err(|e| guard::words(&e))?;
    check(&coerced)?;
    simplifier.simplify(coerced).map_err(|e| guard::words(&e))
}

fn cast_to(expr: Expr, wanted: &DataType, schema: &DFSchema) -> Result<Expr, String> {
    expr.cast_to(wanted, schema).map_err(|e| guard::words(&e))
}

/// Whether a value may become a column's without a word about how.
fn fits(given: &DataType, wanted: Type) -> bool {
    let exact = given.is_null() || *given == wanted.stored();
    exact
        || match wanted {
            Type::Text | Type::Dict => given.is_string(),
            Type::Int => given.is_integer(),
            Type::Float => given.is_numeric(),
            Type::Money => given.is_integer() || given.is_decimal(),
            Type::Time => matches!(given, DataType::Timestamp(..)),
            Type::Bool | Type::Date | Type::Map => false,
        }
}

impl Expression {
    /// The values for every row. A row that cannot be computed costs itself alone: what it gives is NULL.
    pub(super) fn evaluate(&self, rows: &Rows) -> Result<Values, ProcessError> {
        let (batch, at) = self.inputs(rows)?;
        let len = batch.num_rows();
        let (mut parts, mut failed) = (Vec::new(), Vec::new());
        self.part(&batch, 0..len, &mut parts, &mut failed)?;
        let values = match parts.as_slice() {
            [one] => Arc::clone(one),
            parts => concat(&parts.iter().map(AsRef::as_ref).collect::<Vec<_>>()).map_err(|e| broken(&e))?,
        };
        Ok(Values { values, at, failed, rows: rows.len() })
    }

    /// The columns that are read, plain; or, when one dictionary is all that is read, its values and NULL.
    fn inputs(&self, rows: &Rows) -> Result<(RecordBatch, Option<Vec<usize>>), ProcessError> {
        if let [only] = self.reads.as_slice()
            && let Some(dict) = rows.at(*only).and_then(|array| array.as_dictionary_opt::<Int32Type>())
            && dict.values().len() < rows.len()
        {
            let null = dict.values().len();
            let values = concat(&[dict.values().as_ref(), &new_null_array(dict.values().data_type(), 1)]);
            let at = dict.keys().iter().map(|key| key.and_then(|k| usize::try_from(k).ok()).unwrap_or(null));
            return Ok((self.batch(vec![values.map_err(|e| broken(&e))?], null + 1)?, Some(at.collect())));
        }
        let plain = self.reads.iter().zip(self.schema.fields()).map(|(index, field)| match rows.at(*index) {
            None => Ok(new_null_array(field.data_type(), rows.len())),
            Some(array) => cast(array, field.data_type()).map_err(|e| broken(&e)),
        });
        Ok((self.batch(plain.collect::<Result<_, _>>()?, rows.len())?, None))
    }

    fn batch(&self, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, ProcessError> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options).map_err(|e| broken(&e))
    }

    /// Evaluates some rows; where that fails, halves of them, until the row that is to blame stands alone.
    fn part(
        &self,
        batch: &RecordBatch,
        range: Range<usize>,
        parts: &mut Vec<ArrayRef>,
        failed: &mut Vec<bool>,
    ) -> Result<(), ProcessError> {
        let slice = batch.slice(range.start, range.len());
        match self.planned.evaluate(&slice).and_then(|value| value.into_array(range.len())) {
            Ok(array) => parts.push(cast(&array, &self.gives).map_err(|e| broken(&e))?),
            // The engine's words are lost on purpose: they may hold a value of the row.
            Err(_) if range.len() == 1 => {
                failed.resize(batch.num_rows(), false);
                failed[range.start] = true;
                parts.push(new_null_array(&self.gives, 1));
            }
            Err(_) => {
                let middle = range.start + range.len() / 2;
                self.part(batch, range.start..middle, parts, failed)?;
                self.part(batch, middle..range.end, parts, failed)?;
            }
        }
        Ok(())
    }
}

impl Values {
    fn place(&self, row: usize) -> usize {
        self.at.as_ref().map_or(row, |at| at[row])
    }

    /// Whether a condition holds in a row; NULL does not.
    pub(super) fn is_true(&self, row: usize) -> bool {
        let place = self.place(row);
        self.values.is_valid(place) && self.values.as_boolean_opt().is_some_and(|values| values.value(place))
    }

    /// Whether a row's value could not be computed.
    pub(super) fn has_failed(&self, row: usize) -> bool {
        self.failed.get(self.place(row)) == Some(&true)
    }

    /// In how many rows.
    pub(super) fn failed(&self) -> u64 {
        if self.failed.is_empty() {
            return 0;
        }
        (0..self.rows).filter(|row| self.has_failed(*row)).count() as u64
    }

    /// As a column of a type.
    pub(super) fn column(&self, r#type: Type) -> Result<ArrayRef, ProcessError> {
        let Some(at) = &self.at else { return Ok(Arc::clone(&self.values)) };
        if r#type == Type::Dict {
            let key = |place: &usize| self.values.is_valid(*place).then(|| i32::try_from(*place).ok()).flatten();
            let keys: Int32Array = at.iter().map(key).collect();
            let dict = DictionaryArray::try_new(keys, Arc::clone(&self.values)).map_err(|e| broken(&e))?;
            return Ok(Arc::new(dict));
        }
        let places: UInt32Array = at.iter().map(|place| u32::try_from(*place).ok()).collect();
        take(&self.values, &places, None).map_err(|e| broken(&e))
    }
}

/// A kernel that refused what the schema promises. Its words could hold a value, so only their kind is said.
pub(super) fn broken(e: &ArrowError) -> ProcessError {
    let kind = format!("{e}");
    let kind = kind.split(':').next().unwrap_or_default().to_lowercase();
    ProcessError::Refused(format!("evaluating an SQL expression: {kind}"))
}
