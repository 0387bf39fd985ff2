//! The answers to the doctor's questions (`queries/doctor`), from which the rules judge.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use queries::{Answer, DOCTOR, Engine};
use schemas::Catalog;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::rules;
use crate::error::Error;

/// What arrived, as far as the rules want to know.
pub(super) struct Facts<'a> {
    answers: BTreeMap<&'static str, Vec<Value>>,
    /// What tables there are and what fills them.
    pub(super) catalog: &'a Catalog,
}

impl<'a> Facts<'a> {
    /// Asks what the rules want to know about what was received in the last while, each question once.
    pub(super) async fn ask(engine: &Engine, catalog: &'a Catalog, since: Duration) -> Result<Self, Error> {
        let since = SystemTime::now().checked_sub(since).unwrap_or(SystemTime::UNIX_EPOCH).max(SystemTime::UNIX_EPOCH);
        let mut answers = BTreeMap::new();
        let asked = |name| rules::ALL.iter().any(|rule| rule.asks.contains(&name));
        for question in DOCTOR.iter().filter(|question| asked(question.name)) {
            let failed = |why: &dyn std::fmt::Display| Error::Query(format!("asking {}: {why}", question.name));
            let answer = engine.query_since(question.sql, since).await.map_err(|e| failed(&e))?;
            answers.insert(question.name, rows(&answer).map_err(|e| failed(&e))?);
        }
        Ok(Self { answers, catalog })
    }

    /// Rows of a question's answer.
    pub(super) fn rows<T: DeserializeOwned>(&self, question: &'static str) -> Result<Vec<T>, Error> {
        let failed = |why: &dyn std::fmt::Display| Error::Query(format!("reading the answer to {question}: {why}"));
        let rows = self.answers.get(question).ok_or_else(|| failed(&"there is no such question"))?;
        rows.iter().map(|row| T::deserialize(row).map_err(|e| failed(&e))).collect()
    }
}

/// Rows as JSON.
pub(super) fn rows(answer: &Answer) -> Result<Vec<Value>, Error> {
    let mut json = Vec::new();
    answer.write(queries::Format::Json, &mut json).map_err(|e| Error::Query(e.to_string()))?;
    serde_json::from_slice(&json).map_err(|e| Error::Query(e.to_string()))
}
