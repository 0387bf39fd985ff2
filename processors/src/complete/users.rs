//! Whose traces, sessions and devices: facts by hour, and the hints that follow.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashSet};
use std::hash::BuildHasher;
use std::sync::Arc;

use arrow::array::RecordBatch;
use component::{Hints, Text};
use hashbrown::HashMap;
use schemas::Table;

use super::{Changes, Room};
use crate::columns::Columns as _;
use crate::identity::{Columns, Fact, Known, Names, Said, Slot, Source, Trace, hints, prefer};

/// Columns that are worked out again.
pub(super) const HINTS: [&str; 4] = ["user_ref", "user_source", "session_ref", "session_source"];

/// Columns that are read, also where rows take no hints.
pub(super) const READS: &[&str] = &["user_ref", "user_source", "session_ref", "session_source", "device_ref", "action"];

/// As stored.
const STORED: Names = Names {
    user: "user_ref",
    session: "session_ref",
    device: "device_ref",
    sources: Some(["user_source", "session_source"]),
};

/// Map slot and what a growing map wastes.
const SPARE: usize = 2;

/// Facts by the hour of their events.
#[derive(Default)]
pub(super) struct Users {
    hours: BTreeMap<i64, Hour>,
    names: Fingerprints,
    /// Every value once: a user has many records.
    values: HashSet<Arc<str>>,
    /// Something found no room, so that what is not known may only be missing.
    full: bool,
}

/// The facts of one hour, by fingerprint of tenant and text.
#[derive(Default)]
struct Hour {
    traces: HashMap<u128, Trace<Arc<str>>>,
    sessions: HashMap<u128, Option<Fact<Arc<str>>>>,
    /// In order of time once they are settled.
    devices: HashMap<u128, Vec<Fact<Option<Arc<str>>>>>,
}

/// Keys that nobody can choose to be equal.
#[derive(Default)]
pub(super) struct Fingerprints(RandomState, RandomState);

impl Fingerprints {
    pub(super) fn of(&self, tenant: &str, text: &str) -> u128 {
        let key = (tenant, text);
        u128::from(self.0.hash_one(key)) << 64 | u128::from(self.1.hash_one(key))
    }
}

impl Users {
    pub(super) fn add(&mut self, table: &Table, rows: &RecordBatch, hours: &[i64], room: &mut Room) {
        let columns = Columns::of(&table.name, &STORED, |name| rows.values(name));
        let tenants = rows.words("tenant");
        for (row, hour) in hours.iter().enumerate() {
            let said = columns.said(row);
            self.take(*hour, tenant(tenants, row), &said, room);
        }
    }

    fn take(&mut self, hour: i64, tenant: &str, said: &Said, room: &mut Room) {
        if let Some(trace) = said.trace {
            let mut key = None;
            for (slot, fact) in said.of_trace() {
                let key = *key.get_or_insert_with(|| self.names.of(tenant, trace));
                let known = self.hours.get(&hour).and_then(|hour| hour.traces.get(&key));
                if known.is_none() && !room.take(size_of::<(u128, Trace<Arc<str>>)>() * SPARE) {
                    self.full = true;
                    continue;
                }
                let Some(value) = self.value(fact.value, room) else { continue };
                self.hours.entry(hour).or_default().traces.entry(key).or_default().keep(slot, fact.map(|_| value));
            }
        }
        if let Some((session, fact)) = said.of_session() {
            let key = self.names.of(tenant, session);
            let known = self.hours.get(&hour).is_some_and(|hour| hour.sessions.contains_key(&key));
            if !known && !room.take(size_of::<(u128, Fact<Arc<str>>)>() * SPARE) {
                self.full = true;
            } else if let Some(value) = self.value(fact.value, room) {
                prefer(self.hours.entry(hour).or_default().sessions.entry(key).or_default(), fact.map(|_| value));
            }
        }
        if let Some((device, fact)) = said.of_device() {
            let key = self.names.of(tenant, device);
            if !room.take(size_of::<Fact<Option<Arc<str>>>>() * SPARE) {
                self.full = true;
                return;
            }
            let value = fact.value.map(|user| self.value(user, room));
            if value != Some(None) {
                let fact = fact.map(|_| value.flatten());
                self.hours.entry(hour).or_default().devices.entry(key).or_default().push(fact);
            }
        }
    }

    /// A shared copy of a value; `None` if there is no room for another one.
    fn value(&mut self, text: &str, room: &mut Room) -> Option<Arc<str>> {
        if let Some(known) = self.values.get(text) {
            return Some(Arc::clone(known));
        }
        if !room.take(text.len() + 64) {
            self.full = true;
            return None;
        }
        let value: Arc<str> = text.into();
        self.values.insert(Arc::clone(&value));
        Some(value)
    }

    pub(super) fn settle(&mut self) {
        for of_device in self.hours.values_mut().flat_map(|hour| hour.devices.values_mut()) {
            of_device.sort_unstable();
            of_device.dedup();
        }
    }

    pub(super) fn complete(&self, table: &Table, rows: &RecordBatch, hours: &[Option<i64>], out: &mut Hints) {
        let columns = Columns::of(&table.name, &STORED, |name| rows.values(name));
        let tenants = rows.words("tenant");
        let [mut users, mut user_sources, mut sessions, mut session_sources] =
            HINTS.map(|name| Changes::of(rows, name));
        for (row, hour) in hours.iter().enumerate() {
            let Some(hour) = *hour else { continue };
            let said = columns.said(row);
            if said.user.is_some() && said.session.is_some() {
                continue;
            }
            let found = hints(&said, &mut Near::of(self, hour, tenant(tenants, row), said.trace));
            // What is not known here may be among what found no room: then ingest's word stands.
            if said.user.is_none() && (found.user.is_some() || !self.full) {
                users.set(row, found.user.as_ref().map(|(user, _)| &**user));
                user_sources.set(row, found.user.as_ref().map(|(_, source)| source.name()));
            }
            if said.session.is_none() && (found.session.is_some() || !self.full) {
                sessions.set(row, found.session.as_deref());
                session_sources.set(row, found.session.as_ref().map(|_| Source::Trace.name()));
            }
        }
        for changes in [users, user_sources, sessions, session_sources] {
            if table.column(changes.name).is_some() {
                changes.store(out);
            }
        }
    }
}

pub(super) fn tenant<'a>(tenants: Option<Text<'a>>, row: usize) -> &'a str {
    tenants.and_then(|t| t.get(row)).unwrap_or_default()
}

/// What is known about one row: the facts of its hour and of the two beside it.
struct Near<'a> {
    names: &'a Fingerprints,
    tenant: &'a str,
    hours: [Option<&'a Hour>; 3],
    traces: [Option<&'a Trace<Arc<str>>>; 3],
}

impl<'a> Near<'a> {
    fn of(users: &'a Users, hour: i64, tenant: &'a str, trace: Option<&str>) -> Self {
        let hours = [hour - 1, hour, hour + 1].map(|hour| users.hours.get(&hour));
        let key = trace.map(|trace| users.names.of(tenant, trace));
        let traces = hours.map(|hour| hour?.traces.get(&key?));
        Self { names: &users.names, tenant, hours, traces }
    }
}

impl Known for Near<'_> {
    type Value = Arc<str>;

    fn trace(&mut self, slot: Slot) -> Option<Arc<str>> {
        let facts = self.traces.iter().flatten().filter_map(|trace| trace.get(slot));
        facts.min().map(|fact| Arc::clone(&fact.value))
    }

    fn session(&mut self, session: &str) -> Option<Arc<str>> {
        let key = self.names.of(self.tenant, session);
        let facts = self.hours.iter().flatten().filter_map(|hour| hour.sessions.get(&key)?.as_ref());
        facts.min().map(|fact| Arc::clone(&fact.value))
    }

    fn device(&mut self, device: &str, at: i64) -> Option<Arc<str>> {
        let key = self.names.of(self.tenant, device);
        let last = |of_device: &'_ Vec<Fact<Option<Arc<str>>>>| {
            of_device[..of_device.partition_point(|fact| fact.time <= at)].last().cloned()
        };
        let facts = self.hours.iter().flatten().filter_map(|hour| last(hour.devices.get(&key)?));
        facts.max()?.value
    }
}
