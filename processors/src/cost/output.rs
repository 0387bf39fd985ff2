//! The columns that pricing fills, built row by row.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Builder, DictionaryArray, Int32Array, StringArray, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::Int32Type;
use component::{Rows, RowsError};

use super::row::{Outcome, Pricer};

const MICROS_A_DAY: i64 = 86_400_000_000;

/// A dictionary of few words of ours: found by comparing, not by hashing.
#[derive(Default)]
struct Words {
    words: Vec<&'static str>,
    keys: Vec<Option<i32>>,
}

impl Words {
    fn push(&mut self, word: Option<&'static str>) {
        let key = word.map(|word| match self.words.iter().position(|known| *known == word) {
            Some(key) => key,
            None => {
                self.words.push(word);
                self.words.len() - 1
            }
        });
        self.keys.push(key.and_then(|key| i32::try_from(key).ok()));
    }

    fn finish(self) -> ArrayRef {
        dictionary(self.keys, Arc::new(StringArray::from(self.words)))
    }
}

fn dictionary(keys: Vec<Option<i32>>, words: Arc<StringArray>) -> ArrayRef {
    match DictionaryArray::<Int32Type>::try_new(Int32Array::from(keys.clone()), words.clone()) {
        Ok(dictionary) => Arc::new(dictionary),
        // Keys are positions in `words`, so this cannot be; plain text says the same.
        Err(_) => Arc::new(StringArray::from_iter(
            keys.iter().map(|key| key.and_then(|key| usize::try_from(key).ok()).map(|key| words.value(key))),
        )),
    }
}

/// One builder a column.
pub(super) struct Output {
    cost: Decimal128Builder,
    list_cost: Decimal128Builder,
    status: Words,
    source: Words,
    how: Words,
    semantics: Words,
    price_id: StringBuilder,
    effective_from: TimestampMicrosecondBuilder,
    breakdown: StringBuilder,
    /// Rows whose price is of a list, ours or a given one.
    listed: Vec<Option<i32>>,
    explain: bool,
    text: String,
    /// Rows by metric and label; few of them, so a list.
    counts: Vec<(&'static str, &'static str, u64)>,
}

impl Output {
    pub(super) fn new(rows: usize, explain: bool) -> Self {
        Self {
            cost: Decimal128Builder::with_capacity(rows),
            list_cost: Decimal128Builder::with_capacity(rows),
            status: Words::default(),
            source: Words::default(),
            how: Words::default(),
            semantics: Words::default(),
            price_id: StringBuilder::new(),
            effective_from: TimestampMicrosecondBuilder::with_capacity(rows),
            breakdown: StringBuilder::new(),
            listed: Vec::with_capacity(rows),
            explain,
            text: String::new(),
            counts: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, outcome: &Outcome, pricer: &Pricer) {
        self.cost.append_option(outcome.cost);
        self.list_cost.append_option(outcome.listed);
        self.status.push(Some(outcome.status));
        self.source.push(outcome.source);
        self.how.push(outcome.how);
        self.semantics.push(outcome.semantics);
        self.count("cost_rows", outcome.status);
        if outcome.status == "unpriced" {
            self.count("cost_unpriced", outcome.how.unwrap_or("unknown"));
        }
        let plan = outcome.plan.as_deref().filter(|_| outcome.cost.is_some());
        self.price_id.append_option(plan.map(|plan| plan.id.as_str()));
        self.listed.push(plan.map(|_| 0));
        self.effective_from.append_option(plan.and_then(|plan| plan.from).map(|day| i64::from(day) * MICROS_A_DAY));
        match plan.filter(|_| self.explain && outcome.billed) {
            None => self.breakdown.append_null(),
            Some(plan) => {
                self.text.clear();
                plan.explain(&pricer.resolver.book.units, &pricer.bill, &mut self.text);
                self.breakdown.append_value(&self.text);
            }
        }
    }

    fn count(&mut self, metric: &'static str, label: &'static str) {
        match self.counts.iter_mut().find(|(m, l, _)| *m == metric && *l == label) {
            Some((_, _, count)) => *count += 1,
            None => self.counts.push((metric, label, 1)),
        }
    }

    /// Rows by metric and label.
    pub(super) fn counts(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
        self.counts.iter().copied()
    }

    /// Sets the columns; one that an overlay left out is skipped.
    pub(super) fn store(mut self, rows: &mut Rows, price_list: &str) -> Result<(), RowsError> {
        let lists = Arc::new(StringArray::from(vec![price_list]));
        let money = |mut built: Decimal128Builder| built.finish().with_data_type(schemas::Type::Money.stored());
        let columns: [(&str, ArrayRef); 10] = [
            ("cost_usd", Arc::new(money(self.cost))),
            ("list_cost_usd", Arc::new(money(self.list_cost))),
            ("cost_status", self.status.finish()),
            ("cost_source", self.source.finish()),
            ("price_match", self.how.finish()),
            ("usage_semantics", self.semantics.finish()),
            ("price_list", dictionary(self.listed, lists)),
            ("price_id", Arc::new(self.price_id.finish())),
            ("price_effective_from", Arc::new(self.effective_from.finish().with_timezone("UTC"))),
            ("cost_breakdown", Arc::new(self.breakdown.finish())),
        ];
        for (name, array) in columns {
            if rows.table().index(name).is_some() {
                rows.set(name, array)?;
            }
        }
        Ok(())
    }
}
