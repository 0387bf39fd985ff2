//! Who and in which session: what the sender said is a fact, what other records tell of a row is a hint.
//!
//! A hint comes from a record of the same trace, then of the same session, then of the same device; first among the
//! records of the gather, then from what the worker remembers. Where two facts disagree, a trace or session takes the
//! one on a server span, then the earliest, then the smallest text, and a device takes the latest: the rule knows
//! nothing of the order in which records came. A sign-out ends what a device tells.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, DictionaryArray, Int32Builder, PrimitiveArray, StringArray, StringBuilder};
use arrow::datatypes::{Int32Type, TimestampMicrosecondType};
use component::{Gather, ProcessError, Rows, Text, map_text};
use hashbrown::HashMap;

use crate::memo::Memo;

/// How a user was found, in the order of the dictionary.
const SOURCES: [&str; 4] = ["attribute", "trace", "session", "device"];

/// Sign-outs: from then on the device is nobody's.
const SIGNED_OUT: [&str; 3] = ["logout", "session_expired", "session_terminated"];

/// What a worker knows of identities.
pub(super) struct Identity {
    /// Words that senders write when nobody is known, in lower case.
    nobody: Vec<String>,
    tenants: BTreeMap<String, u32>,
    traces: Memo<Known<Arc<str>>>,
    sessions: Memo<Fact<Arc<str>>>,
    devices: Memo<Fact<Option<Arc<str>>>>,
}

/// What the records of one trace say.
#[derive(Debug, Clone)]
struct Known<T> {
    user: Option<Fact<T>>,
    session: Option<Fact<T>>,
    device: Option<Fact<T>>,
}

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self { user: None, session: None, device: None }
    }
}

/// A value and what decides between it and another; the derived order is the order of preference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Fact<T> {
    elsewhere: bool,
    time: i64,
    value: T,
}

/// The facts of one gather, by tenant number and text.
#[derive(Default)]
struct Facts<'a> {
    traces: HashMap<(u32, &'a str), Known<&'a str>>,
    sessions: HashMap<(u32, &'a str), Fact<&'a str>>,
    devices: HashMap<(u32, &'a str), Fact<Option<&'a str>>>,
}

/// The columns of one table that tell who, held apart from the gather so that it can be changed.
struct View {
    len: usize,
    /// Audit rows state who acted: they give facts and take no hints.
    audit: bool,
    tenants: Vec<u32>,
    trace: Option<ArrayRef>,
    user: Option<ArrayRef>,
    session: Option<ArrayRef>,
    device: Option<ArrayRef>,
    time: Option<ArrayRef>,
    kind: Option<ArrayRef>,
    action: Option<ArrayRef>,
}

impl Identity {
    pub(super) fn new(memory: usize, nobody: &[String]) -> Self {
        Self {
            nobody: nobody.iter().map(|w| w.to_lowercase()).collect(),
            tenants: BTreeMap::new(),
            traces: Memo::new(memory / 2),
            sessions: Memo::new(memory / 4),
            devices: Memo::new(memory / 4),
        }
    }

    /// Fills `user_id`, `user_source` and `session_id`.
    pub(super) fn fill(&mut self, gather: &mut Gather) -> Result<(), ProcessError> {
        let mut views = Vec::new();
        for rows in gather.tables_mut() {
            self.forget_nobody(rows)?;
            views.push(self.view(rows));
        }
        let mut facts = Facts::default();
        for view in &views {
            facts.add(view);
        }
        for (rows, view) in gather.tables_mut().zip(&views) {
            let (user, source, session) = self.columns(view, &facts);
            for (name, column) in [("user_id", user), ("user_source", source), ("session_id", session)] {
                if rows.table().index(name).is_some() {
                    rows.set(name, column)?;
                }
            }
        }
        self.remember(&facts);
        Ok(())
    }

    /// `anonymous` is nobody: such rows may learn who it was, and count as unknown if they do not.
    fn forget_nobody(&self, rows: &mut Rows) -> Result<(), ProcessError> {
        for name in ["user_id", "session_id", "device_id"] {
            let Some(column) = rows.get(name) else { continue };
            let known = |text: &str| {
                let text = text.trim();
                !text.is_empty() && !self.nobody.iter().any(|w| w.eq_ignore_ascii_case(text))
            };
            if let Some(column) = map_text(column, |text| known(text).then(|| text.into())) {
                rows.set(name, column)?;
            }
        }
        Ok(())
    }

    fn view(&mut self, rows: &Rows) -> View {
        let auth = rows.table().name == "auth_events";
        View {
            len: rows.len(),
            audit: rows.table().audit,
            tenants: self.numbers(rows),
            trace: rows.get("trace_id").cloned(),
            user: rows.get("user_id").cloned(),
            session: rows.get("session_id").cloned(),
            device: rows.get("device_id").cloned(),
            time: rows.get("time").cloned(),
            kind: rows.get("kind").cloned(),
            action: rows.get("action").filter(|_| auth).cloned(),
        }
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

    fn columns(&mut self, view: &View, facts: &Facts) -> (ArrayRef, ArrayRef, ArrayRef) {
        let columns = Columns::of(view);
        let mut users = StringBuilder::with_capacity(view.len, view.len * 16);
        let mut sessions = StringBuilder::with_capacity(view.len, view.len * 16);
        let mut sources = Int32Builder::with_capacity(view.len);
        for row in 0..view.len {
            let place = (view.tenants[row], columns.trace(row));
            let (user, session) = (columns.user(row), columns.session(row));
            if view.audit || (user.is_some() && session.is_some()) {
                users.append_option(user);
                sessions.append_option(session);
                sources.append_option(user.map(|_| 0));
                continue;
            }
            let trace = self.trace(place, facts);
            let session = session.or(trace.session());
            sessions.append_option(session);
            if let Some(user) = user {
                users.append_value(user);
                sources.append_value(0);
            } else if let Some(user) = trace.user() {
                users.append_value(user);
                sources.append_value(1);
            } else {
                let device = columns.device(row).or(trace.device());
                let found = hint(&mut self.sessions, &mut self.devices, facts, view.tenants[row], session, device);
                users.append_option(found.as_ref().map(|(user, _)| &**user));
                sources.append_option(found.map(|(_, source)| source));
            }
        }
        let names = Arc::new(StringArray::from(SOURCES.to_vec()));
        let sources = DictionaryArray::<Int32Type>::new(sources.finish(), names);
        (Arc::new(users.finish()), Arc::new(sources), Arc::new(sessions.finish()))
    }

    /// What the gather says of a trace, completed by what is remembered of it.
    fn trace<'a>(&mut self, (tenant, trace): (u32, Option<&'a str>), facts: &'a Facts<'a>) -> Trace<'a> {
        let Some(trace) = trace else { return Trace::default() };
        let now = facts.traces.get(&(tenant, trace));
        // The device matters only where no user is known.
        let complete = now.is_some_and(|n| n.user.is_some() && n.session.is_some());
        let earlier = if complete { None } else { self.traces.get(tenant, trace).cloned() };
        Trace { now, earlier }
    }

    fn remember(&mut self, facts: &Facts) {
        for ((tenant, trace), new) in &facts.traces {
            let mut known = self.traces.get(*tenant, trace).cloned().unwrap_or_default();
            for (old, new) in
                [(&mut known.user, &new.user), (&mut known.session, &new.session), (&mut known.device, &new.device)]
            {
                if let Some(new) = new {
                    prefer(
                        old,
                        Fact { elsewhere: new.elsewhere, time: new.time, value: new.value.into() },
                        Ordering::Less,
                    );
                }
            }
            let size =
                [&known.user, &known.session, &known.device].into_iter().flatten().map(|f| 64 + f.value.len()).sum();
            self.traces.put(*tenant, trace, known, size);
        }
        for ((tenant, session), new) in &facts.sessions {
            let mut known = self.sessions.get(*tenant, session).cloned();
            prefer(
                &mut known,
                Fact { elsewhere: new.elsewhere, time: new.time, value: new.value.into() },
                Ordering::Less,
            );
            if let Some(known) = known {
                self.sessions.put(*tenant, session, known, new.value.len() + 64);
            }
        }
        for ((tenant, device), new) in &facts.devices {
            let mut known = self.devices.get(*tenant, device).cloned();
            let value = new.value.map(Arc::from);
            prefer(&mut known, Fact { elsewhere: false, time: new.time, value }, Ordering::Greater);
            if let Some(known) = known {
                self.devices.put(*tenant, device, known, new.value.map_or(0, str::len) + 64);
            }
        }
    }
}

/// The user of a session, else of a device, and the number of that source.
fn hint(
    sessions: &mut Memo<Fact<Arc<str>>>,
    devices: &mut Memo<Fact<Option<Arc<str>>>>,
    facts: &Facts,
    tenant: u32,
    session: Option<&str>,
    device: Option<&str>,
) -> Option<(Arc<str>, i32)> {
    if let Some(session) = session {
        let now = facts.sessions.get(&(tenant, session)).map(|f| Arc::from(f.value));
        if let Some(user) = now.or_else(|| sessions.get(tenant, session).map(|f| Arc::clone(&f.value))) {
            return Some((user, 2));
        }
    }
    let device = device?;
    let user = match facts.devices.get(&(tenant, device)) {
        Some(fact) => fact.value.map(Arc::from),
        None => devices.get(tenant, device).and_then(|f| f.value.clone()),
    };
    user.map(|user| (user, 3))
}

/// Keeps the fact that is `wanted` when compared with the other.
fn prefer<T: Ord>(kept: &mut Option<Fact<T>>, new: Fact<T>, wanted: Ordering) {
    if kept.as_ref().is_none_or(|old| new.cmp(old) == wanted) {
        *kept = Some(new);
    }
}

/// What is known of a row's trace.
#[derive(Default)]
struct Trace<'a> {
    now: Option<&'a Known<&'a str>>,
    earlier: Option<Known<Arc<str>>>,
}

impl Trace<'_> {
    fn user(&self) -> Option<&str> {
        self.get(|k| k.user.as_ref(), |k| k.user.as_ref())
    }

    fn session(&self) -> Option<&str> {
        self.get(|k| k.session.as_ref(), |k| k.session.as_ref())
    }

    fn device(&self) -> Option<&str> {
        self.get(|k| k.device.as_ref(), |k| k.device.as_ref())
    }

    fn get<'s>(
        &'s self,
        now: impl Fn(&'s Known<&'s str>) -> Option<&'s Fact<&'s str>>,
        earlier: impl Fn(&'s Known<Arc<str>>) -> Option<&'s Fact<Arc<str>>>,
    ) -> Option<&'s str> {
        let fact = self.now.and_then(now).map(|f| f.value);
        fact.or_else(|| self.earlier.as_ref().and_then(earlier).map(|f| &*f.value))
    }
}

impl<'a> Facts<'a> {
    fn add(&mut self, view: &'a View) {
        let columns = Columns::of(view);
        for row in 0..view.len {
            let tenant = view.tenants[row];
            let (user, session, device) = (columns.user(row), columns.session(row), columns.device(row));
            let elsewhere = columns.kind.and_then(|k| k.get(row)) != Some("server");
            let time = columns.time.map_or(i64::MAX, |t| t.value(row));
            let fact = |value| Fact { elsewhere, time, value };
            if let Some(trace) = columns.trace(row)
                && (user.is_some() || session.is_some() || device.is_some())
            {
                let known = self.traces.entry((tenant, trace)).or_default();
                for (kept, value) in
                    [(&mut known.user, user), (&mut known.session, session), (&mut known.device, device)]
                {
                    if let Some(value) = value {
                        prefer(kept, fact(value), Ordering::Less);
                    }
                }
            }
            if let (Some(user), Some(session)) = (user, session) {
                let kept = self.sessions.entry((tenant, session));
                kept.and_modify(|old| *old = fact(user).min(old.clone())).or_insert_with(|| fact(user));
            }
            let out = columns.action.and_then(|a| a.get(row)).is_some_and(|a| SIGNED_OUT.contains(&a));
            if let Some(device) = device.filter(|_| out || user.is_some()) {
                let new = Fact { elsewhere: false, time, value: user.filter(|_| !out) };
                let kept = self.devices.entry((tenant, device));
                kept.and_modify(|old| *old = new.clone().max(old.clone())).or_insert(new);
            }
        }
    }
}

/// The same columns, ready to read.
struct Columns<'a> {
    trace: Option<Text<'a>>,
    user: Option<Text<'a>>,
    session: Option<Text<'a>>,
    device: Option<Text<'a>>,
    kind: Option<Text<'a>>,
    action: Option<Text<'a>>,
    time: Option<&'a PrimitiveArray<TimestampMicrosecondType>>,
}

impl<'a> Columns<'a> {
    fn of(view: &'a View) -> Self {
        let text = |column: &'a Option<ArrayRef>| column.as_ref().and_then(Text::new);
        Self {
            trace: text(&view.trace),
            user: text(&view.user),
            session: text(&view.session),
            device: text(&view.device),
            kind: text(&view.kind),
            action: text(&view.action),
            time: view.time.as_ref().and_then(|t| t.as_primitive_opt()),
        }
    }

    fn trace(&self, row: usize) -> Option<&'a str> {
        self.trace?.get(row)
    }

    fn user(&self, row: usize) -> Option<&'a str> {
        self.user?.get(row)
    }

    fn session(&self, row: usize) -> Option<&'a str> {
        self.session?.get(row)
    }

    fn device(&self, row: usize) -> Option<&'a str> {
        self.device?.get(row)
    }
}
