//! The lines of a log entry.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::rows::Times;

/// One action; a log entry is one a line.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Action {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) protocol: Option<Protocol>,
    #[serde(rename = "metaData", skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<Metadata>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) txn: Option<Txn>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) add: Option<Add>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remove: Option<Remove>,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// What was done, for people: free-form, and in our entries without any value of a record.
    pub(crate) commit_info: Option<serde_json::Value>,
}

/// What a reader and a writer must understand.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Protocol {
    pub(crate) min_reader_version: i32,
    pub(crate) min_writer_version: i32,
}

/// Identity, schema and properties of a table.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    pub(crate) id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    pub(crate) format: Format,
    /// Columns, as Delta's JSON.
    pub schema_string: String,
    /// Columns that are folders.
    pub partition_columns: Vec<String>,
    /// Table properties.
    #[serde(default)]
    pub configuration: BTreeMap<String, Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created_time: Option<i64>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Format {
    pub(crate) provider: String,
    #[serde(default)]
    pub(crate) options: BTreeMap<String, Option<String>>,
}

/// How far a journal's rows are in the table.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Txn {
    pub(crate) app_id: String,
    pub(crate) version: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_updated: Option<i64>,
}

/// A data file of the table.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Add {
    /// Path below the table's folder.
    pub path: String,
    /// Folder values.
    #[serde(default)]
    pub partition_values: BTreeMap<String, Option<String>>,
    /// Bytes.
    pub size: i64,
    /// Milliseconds.
    #[serde(default)]
    pub modification_time: i64,
    /// Whether rows changed, or only their place.
    pub data_change: bool,
    /// Row count and bounds, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stats: Option<String>,
    /// Ours: level, writer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, Option<String>>>,
}

/// A data file that is no longer part of the table.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Remove {
    /// Path below the table's folder.
    pub path: String,
    /// Milliseconds.
    pub deletion_timestamp: Option<i64>,
    /// Whether rows changed, or only their place.
    #[serde(default)]
    pub data_change: bool,
    /// Whether the next two are given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extended_file_metadata: Option<bool>,
    /// Folder values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition_values: Option<BTreeMap<String, Option<String>>>,
    /// Bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<i64>,
}

/// Tags of ours.
const NEWEST: &str = "newest";
const COMPLETED: &str = "completed";
const THINNED: &str = "thinned";

/// What the rows of a merged file have been through; see [`Add::newest`], [`Add::completed`] and [`Add::thinned`].
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Marks {
    pub(crate) newest: Option<i64>,
    pub(crate) completed: Option<i64>,
    pub(crate) thinned: Option<i64>,
}

impl Marks {
    pub(crate) fn tags(self) -> impl Iterator<Item = (&'static str, String)> {
        let tags = [(NEWEST, self.newest), (COMPLETED, self.completed), (THINNED, self.thinned)];
        tags.into_iter().filter_map(|(name, at)| Some((name, at?.to_string())))
    }
}

impl Add {
    /// Rows, if the writer said.
    pub fn rows(&self) -> Option<u64> {
        self.stat("numRecords")?.as_u64()
    }

    /// Lowest and highest `time`, in microseconds.
    pub fn times(&self) -> Option<(i64, i64)> {
        let read = |key: &str| {
            let bounds = self.stat(key)?;
            let text = bounds.get("time")?.as_str()?.to_owned();
            DateTime::parse_from_rfc3339(&text).ok().map(|t| t.timestamp_micros())
        };
        Some((read("minValues")?, read("maxValues")?))
    }

    /// The day of its rows.
    pub fn date(&self) -> Option<&str> {
        self.partition_values.get("date")?.as_deref()
    }

    pub(crate) fn tag(&self, name: &str) -> Option<&str> {
        self.tags.as_ref()?.get(name)?.as_deref()
    }

    /// How often its rows were merged.
    pub(crate) fn level(&self) -> u32 {
        self.tag("level").and_then(|l| l.parse().ok()).unwrap_or(0)
    }

    /// When the newest of its rows was committed, milliseconds.
    pub(crate) fn newest(&self) -> i64 {
        self.tag(NEWEST).and_then(|at| at.parse().ok()).unwrap_or(self.modification_time)
    }

    /// Commits that were seen when its hints were worked out from facts, as the milliseconds of the last; `None` if they
    /// never were.
    pub(crate) fn completed(&self) -> Option<i64> {
        self.tag(COMPLETED)?.parse().ok()
    }

    /// When its traces were thinned, in milliseconds; `None` if they never were.
    pub(crate) fn thinned(&self) -> Option<i64> {
        self.tag(THINNED)?.parse().ok()
    }

    /// The action that takes it out.
    pub(crate) fn removed(&self, now: DateTime<Utc>, data_change: bool) -> Remove {
        Remove {
            path: self.path.clone(),
            deletion_timestamp: Some(now.timestamp_millis()),
            data_change,
            extended_file_metadata: Some(true),
            partition_values: Some(self.partition_values.clone()),
            size: Some(self.size),
        }
    }

    fn stat(&self, key: &str) -> Option<serde_json::Value> {
        let stats: serde_json::Value = serde_json::from_str(self.stats.as_deref()?).ok()?;
        stats.get(key).cloned()
    }
}

/// Row count and time bounds. Only these: bounds of other columns could hold personal values, and the log outlives rows.
pub(crate) fn stats(rows: usize, times: Option<Times>) -> String {
    let bound = |micros: i64| {
        DateTime::<Utc>::from_timestamp_micros(micros).map(|t| t.to_rfc3339_opts(chrono::SecondsFormat::Micros, true))
    };
    let side = |value: Option<i64>| match value.and_then(bound) {
        Some(time) => serde_json::json!({ "time": time }),
        None => serde_json::json!({}),
    };
    serde_json::json!({
        "numRecords": rows,
        "minValues": side(times.map(|t| t.0)),
        "maxValues": side(times.map(|t| t.1)),
        "nullCount": {},
    })
    .to_string()
}
