//! Drops rows and sets columns by SQL expressions over a table's columns: `filter` and `set` in the language of the queries.
//!
//! ```yaml
//! processors:
//!   sql:
//!     rules:                                          # one after the other, each on what the one before left
//!       - { name: bots, table: requests, drop: "is_bot AND status_code < 400" }
//!       - { name: chatter, table: logs, drop: "severity_number < 9 AND attributes['app.job'] IN ('sync', 'poll')" }
//!       - { name: shops, table: requests, set: { route: "regexp_replace(route, '^/shops/[a-z]+', '/shops/{shop}')" } }
//!       - table: provider_calls
//!         where: service_name = 'importer'            # only these rows; all of them when nothing is said
//!         set:                                        # all at once, each from the values before
//!           feature_name: "'import'"
//!           request_model: lower(request_model)
//! ```
//!
//! It runs behind `enrich` and before everything that counts, prices or seals: an expression sees what came in and what
//! `enrich` found, and whatever it sets is redacted like a sender's own words. `drop` takes the rows for which it is true;
//! false, NULL and what cannot be computed (a text that is no number, a division by 0) stay. A rule names its table, so
//! rows of `errors` and `auth_events` go if you say so, and those that say an error too; `audit_log` is never touched. A
//! record that has rows in several tables loses only those that a rule meets.
//!
//! `set` may fill columns that attributes fill, not keys, times, pseudonyms, money worked out here or anything that the
//! seal goes by. What cannot be computed becomes NULL, never what stood there before. No value goes where it is guarded
//! less: a column is set from columns of its own class or a weaker one (safe, operational, free_text, indirect, child, in
//! this order). A condition may look at any of those; at what is never stored, such as `user_email`, `drop` and `where`
//! alone may look. Clocks and chance (`now()`, `random()`) are refused: what a row becomes depends on the row alone.
//!
//! Counted by rule, which is `rules.0` and so on unless it has a name: `filter_dropped`, `sql_set`, and `sql_failed` for
//! rows whose expression could not be computed.

mod expression;
mod guard;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, new_null_array};
use arrow::compute::{cast, kernels::zip::zip};
use component::{Component, ConfigError, Context, Counts, Gather, ProcessError, Processor, Rows};
use schemas::Table;
use serde::Deserialize;

use expression::{Expression, Planner, Values};

/// The processor that this one runs behind: what it fills can be seen.
pub(super) const BEHIND: &str = "enrich";

/// Settings.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// One after the other.
    pub rules: Vec<RuleConfig>,
}

/// One rule: either `drop` or `set`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RuleConfig {
    /// Name in the metrics; by default the rule's place, as `rules.0`.
    pub name: Option<String>,
    /// The table whose rows it looks at.
    pub table: String,
    /// Rows for which this is true are dropped.
    pub drop: Option<String>,
    /// Column to the expression that gives its value.
    pub set: BTreeMap<String, String>,
    /// Which rows `set` changes.
    pub r#where: Option<String>,
}

/// The processor.
pub struct Sql {
    rules: Vec<Rule>,
    counts: Counts,
}

struct Rule {
    name: String,
    table: String,
    action: Action,
}

enum Action {
    Drop(Expression),
    Set { only: Option<Expression>, columns: Vec<(usize, Expression)> },
}

impl Component for Sql {
    const NAME: &'static str = "sql";
    const ABOUT: &'static str = "Drops rows and sets columns by SQL expressions.";
    type Config = Config;

    fn new(config: Config, cx: &Context) -> Result<Self, ConfigError> {
        let counts = cx.counts.clone();
        if config.rules.is_empty() {
            return Ok(Self { rules: Vec::new(), counts });
        }
        let planner = Planner::new().map_err(|e| ConfigError::at("", format!("starting the query engine: {e}")))?;
        let rules = config.rules.into_iter().enumerate();
        let rules = rules.map(|(place, rule)| Rule::new(rule, &format!("rules.{place}"), cx, &planner));
        Ok(Self { rules: rules.collect::<Result<_, _>>()?, counts })
    }
}

impl Processor for Sql {
    fn process(&mut self, gather: &mut Gather) -> Result<(), ProcessError> {
        for rule in &self.rules {
            if let Some(rows) = gather.table_mut(&rule.table) {
                rule.apply(rows, &self.counts)?;
            }
        }
        Ok(())
    }
}

impl Rule {
    fn new(config: RuleConfig, at: &str, cx: &Context, planner: &Planner) -> Result<Self, ConfigError> {
        let below = |key: &str| format!("{at}.{key}");
        let table = table(&config.table, cx).map_err(|what| match config.table.is_empty() {
            true => ConfigError::at(at, what),
            false => ConfigError::at(&below("table"), what),
        })?;
        let action = match (config.drop, config.set.is_empty()) {
            (Some(_), false) => return Err(ConfigError::at(at, "a rule has one of `drop` and `set`; write two rules")),
            (None, true) => return Err(ConfigError::at(at, "a rule says what it does: give `drop` or `set`")),
            (Some(_), true) if config.r#where.is_some() => {
                let what = "`where` goes with `set`; a condition of `drop` is joined to it with AND";
                return Err(ConfigError::at(&below("where"), what));
            }
            (Some(text), true) => {
                Action::Drop(planner.condition(&table, &text).map_err(|e| ConfigError::at(&below("drop"), e))?)
            }
            (None, false) => {
                let only = config.r#where.map(|text| planner.condition(&table, &text)).transpose();
                let only = only.map_err(|e| ConfigError::at(&below("where"), e))?;
                let columns = config.set.into_iter().map(|(column, text)| {
                    // A column's name holds no dot, so the path is right.
                    let failed = |what| ConfigError::at(&format!("{at}.set.{column}"), what);
                    let index = guard::settable(&table, &column).map_err(failed)?;
                    Ok((index, planner.value(&table, index, &text).map_err(failed)?))
                });
                Action::Set { only, columns: columns.collect::<Result<_, _>>()? }
            }
        };
        Ok(Self { name: config.name.unwrap_or_else(|| at.to_owned()), table: table.name.clone(), action })
    }

    fn apply(&self, rows: &mut Rows, counts: &Counts) -> Result<(), ProcessError> {
        match &self.action {
            Action::Drop(condition) => {
                let met = condition.evaluate(rows)?;
                counts.add("sql_failed", &self.name, met.failed());
                let keep: BooleanArray = (0..rows.len()).map(|row| Some(!met.is_true(row))).collect();
                let dropped = rows.len() - keep.true_count();
                counts.add("filter_dropped", &self.name, dropped as u64);
                if dropped > 0 {
                    rows.retain(&keep)?;
                }
                Ok(())
            }
            Action::Set { only, columns } => {
                let met = only.as_ref().map(|only| only.evaluate(rows)).transpose()?;
                let mask: Option<BooleanArray> =
                    met.as_ref().map(|met| (0..rows.len()).map(|row| Some(met.is_true(row))).collect());
                let set = mask.as_ref().map_or(rows.len(), BooleanArray::true_count);
                let mut failed = met.as_ref().map_or(0, Values::failed);
                if set > 0 {
                    failed += set_columns(rows, columns, mask.as_ref())?;
                }
                counts.add("sql_set", &self.name, set as u64);
                counts.add("sql_failed", &self.name, failed);
                Ok(())
            }
        }
    }
}

/// Sets columns where `mask` is true, all from the values before; says in how many of those rows one could not be computed.
fn set_columns(
    rows: &mut Rows,
    columns: &[(usize, Expression)],
    mask: Option<&BooleanArray>,
) -> Result<u64, ProcessError> {
    let computed = columns.iter().map(|(index, expression)| Ok((*index, expression.evaluate(rows)?)));
    let computed: Vec<(usize, Values)> = computed.collect::<Result<_, ProcessError>>()?;
    let is_set = |row: &usize| mask.is_none_or(|mask| mask.value(*row));
    let failed = (0..rows.len()).filter(is_set).filter(|row| computed.iter().any(|(_, v)| v.has_failed(*row))).count();
    for (index, values) in computed {
        let new = values.column(rows.table().columns[index].r#type)?;
        let new = match mask {
            Some(mask) if mask.true_count() < rows.len() => merged(rows, index, mask, &new)?,
            _ => new,
        };
        rows.set_at(index, new)?;
    }
    Ok(failed as u64)
}

/// The new values where `mask` is true, the old ones elsewhere.
fn merged(rows: &Rows, index: usize, mask: &BooleanArray, new: &ArrayRef) -> Result<ArrayRef, ProcessError> {
    let plain = rows.table().columns[index].r#type.stored();
    let failed = |e: arrow::error::ArrowError| expression::broken(&e);
    let old = match rows.at(index) {
        Some(old) => cast(old, &plain).map_err(failed)?,
        None => new_null_array(&plain, rows.len()),
    };
    zip(mask, &cast(new, &plain).map_err(failed)?, &old).map_err(failed)
}

fn table(name: &str, cx: &Context) -> Result<Arc<Table>, String> {
    let names = || cx.catalog.tables().iter().map(|t| t.name.as_str());
    if name.is_empty() {
        return Err("a rule names its `table`".to_owned());
    }
    let Some(table) = cx.catalog.tables().iter().find(|t| t.name == name) else {
        let near = guard::meant(name, names());
        return Err(format!("there is no table `{name}`{near}; there are {}", names().collect::<Vec<_>>().join(", ")));
    };
    if table.audit {
        return Err(format!("rows of {name} are kept as they came: no rule drops or changes them"));
    }
    Ok(Arc::clone(table))
}
