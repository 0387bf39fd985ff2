//! Who and in which session, as far as a gather and what the worker remembers tell. The rules are in
//! [`crate::identity`]; what is found here is completed by the merge.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int32Builder, StringArray, StringBuilder};
use arrow::datatypes::Int32Type;
use component::{Gather, ProcessError, Rows, map_text};
use hashbrown::HashMap;

use super::read::set;
use crate::identity::{Columns, Fact, Known, Names, Said, Slot, Source, Trace, hints, prefer};
use crate::memo::Memo;

/// As sent: what becomes a pseudonym stands in columns of its own.
const SENT: Names = Names { user: "user_id", session: "session_id", device: "device_id", sources: None };

/// What a worker knows of identities.
pub(super) struct Identity {
    /// Words that senders write when nobody is known, in lower case.
    nobody: Vec<String>,
    tenants: BTreeMap<String, u32>,
    memory: Memory,
}

/// What earlier gathers told.
struct Memory {
    traces: Memo<Trace<Arc<str>>>,
    sessions: Memo<Fact<Arc<str>>>,
    devices: Memo<Fact<Option<Arc<str>>>>,
}

/// The facts of one gather, by tenant number and text.
#[derive(Default)]
struct Facts<'a> {
    traces: HashMap<(u32, &'a str), Trace<&'a str>>,
    sessions: HashMap<(u32, &'a str), Option<Fact<&'a str>>>,
    /// In order of time once all are there.
    devices: HashMap<(u32, &'a str), Vec<Fact<Option<&'a str>>>>,
}

/// The columns of one table that tell who, held apart from the gather so that it can be changed.
struct View {
    table: Arc<schemas::Table>,
    len: usize,
    tenants: Vec<u32>,
    columns: Vec<(&'static str, ArrayRef)>,
}

/// Columns that are read.
const READ: [&str; 10] = [
    "trace_id",
    "user_id",
    "session_id",
    "device_id",
    "kind",
    "action",
    "span_id",
    "record_uid",
    "event_index",
    "time",
];

impl Identity {
    pub(super) fn new(memory: usize, nobody: &[String]) -> Self {
        Self {
            nobody: nobody.iter().map(|w| w.to_lowercase()).collect(),
            tenants: BTreeMap::new(),
            memory: Memory {
                traces: Memo::new(memory / 2),
                sessions: Memo::new(memory / 4),
                devices: Memo::new(memory / 4),
            },
        }
    }

    /// `anonymous` is nobody: such rows may learn who it was, and count as unknown if they do not.
    pub(super) fn forget_nobody(&self, rows: &mut Rows) -> Result<(), ProcessError> {
        for name in ["user_id", "session_id", "device_id"] {
            let Some(column) = rows.get(name) else { continue };
            let known = |text: &str| !text.is_empty() && !self.nobody.iter().any(|w| w.eq_ignore_ascii_case(text));
            // Trimmed, as its pseudonym is of the trimmed text: what is one person afterwards is one person here.
            if let Some(column) = map_text(column, |text| Some(text.trim()).filter(|t| known(t)).map(Into::into)) {
                rows.set(name, column)?;
            }
        }
        Ok(())
    }

    /// Fills `user_id`, `session_id` and how they were found.
    pub(super) fn fill(&mut self, gather: &mut Gather) -> Result<(), ProcessError> {
        let views: Vec<View> = gather.tables().map(|rows| View::of(rows, self.numbers(rows))).collect();
        let facts = Facts::of(&views);
        for (rows, view) in gather.tables_mut().zip(&views) {
            for (name, column) in self.memory.columns(view, &facts) {
                set(rows, name, column)?;
            }
        }
        self.memory.remember(&facts);
        Ok(())
    }

    fn numbers(&mut self, rows: &Rows) -> Vec<u32> {
        let column = rows.text("tenant");
        let mut last: Option<(&str, u32)> = None;
        let number = |row| {
            let tenant = column.and_then(|c| c.get(row)).unwrap_or_default();
            if let Some((known, number)) = last
                && known == tenant
            {
                return number;
            }
            let next = u32::try_from(self.tenants.len()).unwrap_or(u32::MAX);
            let number = match self.tenants.get(tenant) {
                Some(number) => *number,
                None => *self.tenants.entry(tenant.to_owned()).or_insert(next),
            };
            last = Some((tenant, number));
            number
        };
        (0..rows.len()).map(number).collect()
    }
}

impl View {
    fn of(rows: &Rows, tenants: Vec<u32>) -> Self {
        let columns = READ.into_iter().filter_map(|name| Some((name, rows.get(name)?.clone()))).collect();
        Self { table: Arc::clone(rows.table()), len: rows.len(), tenants, columns }
    }

    fn columns(&self) -> Columns<'_> {
        let get = |name: &str| self.columns.iter().find(|(known, _)| *known == name).map(|(_, column)| column);
        Columns::of(&self.table.name, &SENT, get)
    }
}

impl<'a> Facts<'a> {
    fn of(views: &'a [View]) -> Self {
        let mut facts = Self::default();
        for view in views {
            let columns = view.columns();
            for row in 0..view.len {
                facts.add(view.tenants[row], &columns.said(row));
            }
        }
        for of_device in facts.devices.values_mut() {
            of_device.sort_unstable();
        }
        facts
    }

    fn add(&mut self, tenant: u32, said: &Said<'a>) {
        if let Some(trace) = said.trace {
            for (slot, fact) in said.of_trace() {
                self.traces.entry((tenant, trace)).or_default().keep(slot, fact);
            }
        }
        if let Some((session, fact)) = said.of_session() {
            prefer(self.sessions.entry((tenant, session)).or_default(), fact);
        }
        if let Some((device, fact)) = said.of_device() {
            self.devices.entry((tenant, device)).or_default().push(fact);
        }
    }
}

impl Memory {
    fn columns(&mut self, view: &View, facts: &Facts) -> [(&'static str, ArrayRef); 4] {
        let columns = view.columns();
        let text = || StringBuilder::with_capacity(view.len, view.len * 16);
        let (mut users, mut sessions) = (text(), text());
        let number = || Int32Builder::with_capacity(view.len);
        let (mut user_sources, mut session_sources) = (number(), number());
        for row in 0..view.len {
            let said = columns.said(row);
            let (mut user, mut session) = (said.user, said.session);
            let (mut user_source, mut session_source) = (Source::Attribute, Source::Attribute);
            // Audit rows state who acted: they give facts and take no hints.
            let found = (!view.table.audit && (user.is_none() || session.is_none()))
                .then(|| hints(&said, &mut Near::of(view.tenants[row], said.trace, facts, self)));
            if let Some(found) = &found {
                if let Some((text, source)) = &found.user {
                    (user, user_source) = (Some(text.as_ref()), *source);
                }
                if let Some(text) = &found.session {
                    (session, session_source) = (Some(text.as_ref()), Source::Trace);
                }
            }
            users.append_option(user);
            user_sources.append_option(user.map(|_| user_source as i32));
            sessions.append_option(session);
            session_sources.append_option(session.map(|_| session_source as i32));
        }
        let names: ArrayRef = Arc::new(StringArray::from_iter_values(Source::ALL.map(Source::name)));
        let sources = |mut numbers: Int32Builder| -> ArrayRef {
            Arc::new(DictionaryArray::<Int32Type>::new(numbers.finish(), Arc::clone(&names)))
        };
        [
            ("user_id", Arc::new(users.finish())),
            ("user_source", sources(user_sources)),
            ("session_id", Arc::new(sessions.finish())),
            ("session_source", sources(session_sources)),
        ]
    }

    fn remember(&mut self, facts: &Facts) {
        for ((tenant, trace), new) in &facts.traces {
            let mut known = self.traces.get(*tenant, trace).cloned().unwrap_or_default();
            for (slot, fact) in new.facts() {
                known.keep(slot, fact.clone().map(Arc::from));
            }
            let size = known.facts().map(|(_, fact)| 64 + fact.value.len()).sum();
            self.traces.put(*tenant, trace, known, size);
        }
        for ((tenant, session), new) in &facts.sessions {
            let mut known = self.sessions.get(*tenant, session).cloned();
            if let Some(new) = new {
                prefer(&mut known, new.clone().map(Arc::from));
            }
            if let Some(known) = known {
                let size = known.value.len() + 64;
                self.sessions.put(*tenant, session, known, size);
            }
        }
        for ((tenant, device), new) in &facts.devices {
            let known = self.devices.get(*tenant, device).cloned();
            let new = new.last().cloned().map(|fact| fact.map(|user| user.map(Arc::from)));
            if let Some(latest) = known.max(new) {
                let size = latest.value.as_ref().map_or(0, |user| user.len()) + 64;
                self.devices.put(*tenant, device, latest, size);
            }
        }
    }
}

/// What is known about one row: first from the gather, then from memory.
struct Near<'a> {
    tenant: u32,
    trace: Option<&'a str>,
    facts: &'a Facts<'a>,
    now: Option<&'a Trace<&'a str>>,
    /// Looked up when the gather does not tell.
    earlier: Option<Option<Trace<Arc<str>>>>,
    memory: &'a mut Memory,
}

/// A value of the gather, or a remembered one.
enum Value<'a> {
    Here(&'a str),
    Kept(Arc<str>),
}

impl AsRef<str> for Value<'_> {
    fn as_ref(&self) -> &str {
        match self {
            Self::Here(text) => text,
            Self::Kept(text) => text,
        }
    }
}

impl<'a> Near<'a> {
    fn of(tenant: u32, trace: Option<&'a str>, facts: &'a Facts<'a>, memory: &'a mut Memory) -> Self {
        let now = trace.and_then(|trace| facts.traces.get(&(tenant, trace)));
        Self { tenant, trace, facts, now, earlier: None, memory }
    }
}

impl<'a> Known for Near<'a> {
    type Value = Value<'a>;

    fn trace(&mut self, slot: Slot) -> Option<Value<'a>> {
        if let Some(fact) = self.now.and_then(|now| now.get(slot)) {
            return Some(Value::Here(fact.value));
        }
        let trace = self.trace?;
        let earlier = self.earlier.get_or_insert_with(|| self.memory.traces.get(self.tenant, trace).cloned());
        Some(Value::Kept(Arc::clone(&earlier.as_ref()?.get(slot)?.value)))
    }

    fn session(&mut self, session: &str) -> Option<Value<'a>> {
        if let Some(Some(fact)) = self.facts.sessions.get(&(self.tenant, session)) {
            return Some(Value::Here(fact.value));
        }
        self.memory.sessions.get(self.tenant, session).map(|fact| Value::Kept(Arc::clone(&fact.value)))
    }

    fn device(&mut self, device: &str, at: i64) -> Option<Value<'a>> {
        let of_device = self.facts.devices.get(&(self.tenant, device)).map(Vec::as_slice).unwrap_or_default();
        let now = of_device[..of_device.partition_point(|fact| fact.time <= at)].last();
        let earlier = self.memory.devices.get(self.tenant, device).filter(|fact| fact.time <= at);
        let is_newer =
            |kept: &Fact<Option<Arc<str>>>| now.is_none_or(|now| (now.time, now.record) < (kept.time, kept.record));
        match earlier.filter(|kept| is_newer(kept)) {
            Some(kept) => kept.value.clone().map(Value::Kept),
            None => now?.value.map(Value::Here),
        }
    }
}
