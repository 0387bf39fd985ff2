//! What an expression may see, and where it may put what it saw.

use arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, ExprSchemable, Volatility};
use schemas::{Class, Column, Source, Table};

use super::BEHIND;

/// Fields of a record that are plain words of its sender.
const WORDS: &[&str] = &["body", "status_message"];

/// Whether a column has its value when the expressions run. The others would always be NULL.
pub(super) fn is_visible(column: &Column) -> bool {
    !column.journal_only && (!column.from.is_empty() || column.by.as_deref() == Some(BEHIND))
}

/// The column's index, if it may be set.
pub(super) fn settable(table: &Table, name: &str) -> Result<usize, String> {
    let list = || table.columns.iter().filter(|c| may_set(c)).map(|c| c.name.as_str()).collect::<Vec<_>>().join(", ");
    match table.index(name) {
        None => {
            let near = meant(name, table.columns.iter().filter(|c| may_set(c)).map(|c| c.name.as_str()));
            Err(format!("table {} has no column `{name}`{near}; these may be set: {}", table.name, list()))
        }
        Some(index) if may_set(&table.columns[index]) => Ok(index),
        Some(_) => Err(format!("`{name}` is not filled by attributes alone; these may be set: {}", list())),
    }
}

/// Whether a column holds what a sender's attributes said, and nothing goes by it that an expression must not undo: keys,
/// times and identity are fields, what names a person is transient, pseudonyms and money are worked out behind.
fn may_set(column: &Column) -> bool {
    let said = column.from.iter().any(|source| match source {
        Source::Attribute { .. } | Source::Resource(_) => true,
        Source::Field(field) => WORDS.contains(&field.as_str()),
    });
    said && !column.transient
        && !column.journal_only
        && column.from_hash.is_none()
        && column.leaf.is_none()
        && column.by.as_deref().is_none_or(|by| by == BEHIND)
}

/// How well a class is guarded behind the seal.
fn guarded(class: Class) -> u8 {
    match class {
        Class::Safe => 0,
        Class::Operational => 1,
        Class::FreeText => 2,
        // Both end when rows are anonymised.
        Class::Indirect | Class::Pseudonym => 3,
        Class::Child => 4,
        Class::Direct => 5,
        Class::Secret => 6,
    }
}

/// Classes of which not even the answer to a question may be kept elsewhere.
const CLOSED: u8 = 4;

/// Refuses an expression whose value could carry something to a target that is guarded less.
pub(super) fn flow(expr: &Expr, schema: &DFSchema, table: &Table, target: &Column) -> Result<(), String> {
    let most = guarded(target.class);
    let mut leak = None;
    let mut look = |expr: &Expr, most: u8| {
        let names = expr.column_refs().into_iter().map(|c| c.name.clone());
        let columns = names.filter_map(|name| table.column(&name));
        let worst = columns.filter(|c| guarded(c.class) > most).max_by_key(|c| (guarded(c.class), c.name.clone()));
        leak = leak.take().or(worst.map(|c| (c.name.clone(), c.class)));
    };
    let walked = expr.apply(|part| {
        let is_condition = !matches!(part, Expr::Column(_)) && part.get_type(schema)? == DataType::Boolean;
        if is_condition {
            look(part, most.max(CLOSED - 1));
            return Ok(TreeNodeRecursion::Jump);
        }
        if matches!(part, Expr::Column(_)) {
            look(part, most);
        }
        Ok(TreeNodeRecursion::Continue)
    });
    walked.map_err(|e| words(&e))?;
    match leak {
        None => Ok(()),
        Some((name, class)) => Err(format!(
            "`{name}` is {} and `{}` only {}: no value may go where it is guarded less",
            class.as_str(),
            target.name,
            target.class.as_str()
        )),
    }
}

/// Refuses what is no expression over the columns of one row, and what says something else another time.
pub(super) fn kind(expr: &Expr) -> Result<(), String> {
    let mut wrong = None;
    let walked = expr.apply(|part| {
        let what = match part {
            Expr::ScalarFunction(call) if call.func.signature().volatility != Volatility::Immutable => Some(format!(
                "`{}()` says something else each time: what a row becomes must depend on the row alone",
                call.func.name()
            )),
            Expr::Alias(_) | Expr::Column(_) | Expr::Literal(..) | Expr::BinaryExpr(_) | Expr::Like(_) => None,
            Expr::SimilarTo(_) | Expr::Not(_) | Expr::IsNotNull(_) | Expr::IsNull(_) | Expr::IsTrue(_) => None,
            Expr::IsFalse(_) | Expr::IsUnknown(_) | Expr::IsNotTrue(_) | Expr::IsNotFalse(_) => None,
            Expr::IsNotUnknown(_) | Expr::Negative(_) | Expr::Between(_) | Expr::Case(_) | Expr::Cast(_) => None,
            Expr::TryCast(_) | Expr::InList(_) | Expr::ScalarFunction(_) => None,
            _ => Some("an expression looks at the columns of one row: no aggregate, window or query".to_owned()),
        };
        wrong = wrong.take().or(what);
        Ok(if wrong.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    walked.map_err(|e| words(&e))?;
    wrong.map_or(Ok(()), Err)
}

/// A column that is not there, or not yet.
pub(super) fn missing(table: &Table, name: &str) -> String {
    if let Some(column) = table.column(name) {
        return match &column.from_hash {
            Some(raw) => {
                format!("`{name}` is made behind the expressions, by the seal; `{raw}` is what it is made from")
            }
            None => format!("`{name}` is filled behind the expressions"),
        };
    }
    let names: Vec<&str> = table.columns.iter().filter(|c| is_visible(c)).map(|c| c.name.as_str()).collect();
    let near = meant(name, names.iter().copied());
    format!("table {} has no column `{name}`{near}; it has {}", table.name, names.join(", "))
}

/// "; did you mean `x`?" or nothing.
pub(super) fn meant<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> String {
    let allowed = (wrong.chars().count() / 3).max(1);
    known
        .map(|name| (strsim::damerau_levenshtein(&wrong.to_lowercase(), name), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| format!("; did you mean `{name}`?"))
        .unwrap_or_default()
}

/// The engine's words, in one line.
pub(super) fn words(e: &DataFusionError) -> String {
    e.strip_backtrace().lines().map(str::trim).collect::<Vec<_>>().join(" ")
}
