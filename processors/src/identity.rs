//! Who and in which session: the rules, for rows of a gather and for stored ones alike.
//!
//! What the sender said is a fact, what other rows tell of a row is a hint. A hint comes from a record of the same
//! trace, then of the same session, then of the same device. Where two facts disagree, a trace or session takes the one
//! on a server span, then the earliest; a device takes the last one that is not later than the row, and a sign-out ends
//! what it tells. Facts of one instant are told apart by their records, then by their text: the rules know nothing of
//! the order in which records came.

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use component::Text;

/// Sign-outs: from then on the device is nobody's.
const SIGNED_OUT: [&str; 3] = ["logout", "session_expired", "session_terminated"];

/// How a user or session was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Attribute,
    Trace,
    Session,
    Device,
}

impl Source {
    /// Every source, in the order of their numbers.
    pub(crate) const ALL: [Self; 4] = [Self::Attribute, Self::Trace, Self::Session, Self::Device];

    /// The word that is stored.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Attribute => "attribute",
            Self::Trace => "trace",
            Self::Session => "session",
            Self::Device => "device",
        }
    }
}

/// A value and what decides between it and another; the derived order is the order of preference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fact<T> {
    /// Not on a server span.
    pub(crate) elsewhere: bool,
    pub(crate) time: i64,
    /// Of which record, as a number.
    pub(crate) record: u64,
    pub(crate) value: T,
}

impl<T> Fact<T> {
    pub(crate) fn map<U>(self, f: impl FnOnce(T) -> U) -> Fact<U> {
        Fact { elsewhere: self.elsewhere, time: self.time, record: self.record, value: f(self.value) }
    }
}

/// Keeps the fact that is preferred.
pub(crate) fn prefer<T: Ord>(kept: &mut Option<Fact<T>>, new: Fact<T>) {
    if kept.as_ref().is_none_or(|old| new < *old) {
        *kept = Some(new);
    }
}

/// What a trace can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    User,
    Session,
    Device,
}

/// What the records of one trace say, by [`Slot`].
#[derive(Debug, Clone)]
pub(crate) struct Trace<T>([Option<Fact<T>>; 3]);

impl<T> Default for Trace<T> {
    fn default() -> Self {
        Self([None, None, None])
    }
}

impl<T: Ord> Trace<T> {
    pub(crate) fn get(&self, slot: Slot) -> Option<&Fact<T>> {
        self.0[slot as usize].as_ref()
    }

    pub(crate) fn keep(&mut self, slot: Slot, fact: Fact<T>) {
        prefer(&mut self.0[slot as usize], fact);
    }

    pub(crate) fn facts(&self) -> impl Iterator<Item = (Slot, &Fact<T>)> {
        [Slot::User, Slot::Session, Slot::Device].into_iter().zip(&self.0).filter_map(|(s, f)| Some((s, f.as_ref()?)))
    }
}

/// What one row says itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Said<'a> {
    pub(crate) trace: Option<&'a str>,
    pub(crate) user: Option<&'a str>,
    pub(crate) session: Option<&'a str>,
    pub(crate) device: Option<&'a str>,
    pub(crate) time: i64,
    elsewhere: bool,
    record: u64,
    signed_out: bool,
}

impl<'a> Said<'a> {
    fn fact<T>(&self, value: T) -> Fact<T> {
        Fact { elsewhere: self.elsewhere, time: self.time, record: self.record, value }
    }

    /// What it tells of its trace.
    pub(crate) fn of_trace(&self) -> impl Iterator<Item = (Slot, Fact<&'a str>)> {
        let slots = [(Slot::User, self.user), (Slot::Session, self.session), (Slot::Device, self.device)];
        slots.into_iter().filter_map(|(slot, value)| Some((slot, self.fact(value?))))
    }

    /// What it tells of its session: whose it is.
    pub(crate) fn of_session(&self) -> Option<(&'a str, Fact<&'a str>)> {
        Some((self.session?, self.fact(self.user?)))
    }

    /// What it tells of its device: whose it is, or that it is nobody's any more.
    pub(crate) fn of_device(&self) -> Option<(&'a str, Fact<Option<&'a str>>)> {
        let device = self.device.filter(|_| self.signed_out || self.user.is_some())?;
        let fact = Fact { elsewhere: false, ..self.fact(self.user.filter(|_| !self.signed_out)) };
        Some((device, fact))
    }
}

/// What other rows say.
pub(crate) trait Known {
    /// A value, however it is held.
    type Value: AsRef<str>;

    /// Of the row's trace.
    fn trace(&mut self, slot: Slot) -> Option<Self::Value>;

    /// The user of a session.
    fn session(&mut self, session: &str) -> Option<Self::Value>;

    /// The user of a device at a time.
    fn device(&mut self, device: &str, at: i64) -> Option<Self::Value>;
}

/// What a row does not say and others know.
pub(crate) struct Hinted<T> {
    pub(crate) user: Option<(T, Source)>,
    /// From the trace: nothing else tells of a session.
    pub(crate) session: Option<T>,
}

/// The hints of a row.
pub(crate) fn hints<K: Known>(said: &Said, known: &mut K) -> Hinted<K::Value> {
    let session = if said.session.is_none() { known.trace(Slot::Session) } else { None };
    if said.user.is_some() {
        return Hinted { user: None, session };
    }
    if let Some(user) = known.trace(Slot::User) {
        return Hinted { user: Some((user, Source::Trace)), session };
    }
    let in_session = said.session.or(session.as_ref().map(AsRef::as_ref));
    if let Some(user) = in_session.and_then(|session| known.session(session)) {
        return Hinted { user: Some((user, Source::Session)), session };
    }
    let of_trace = if said.device.is_none() { known.trace(Slot::Device) } else { None };
    let device = said.device.or(of_trace.as_ref().map(AsRef::as_ref));
    let user = device.and_then(|device| known.device(device, said.time));
    Hinted { user: user.map(|user| (user, Source::Device)), session }
}

/// Where a table keeps who it was.
pub(crate) struct Names {
    pub(crate) user: &'static str,
    pub(crate) session: &'static str,
    pub(crate) device: &'static str,
    /// Columns that tell hints from facts, where there are hints already.
    pub(crate) sources: Option<[&'static str; 2]>,
}

/// The columns that tell who, ready to read.
pub(crate) struct Columns<'a> {
    trace: Option<Text<'a>>,
    user: Option<Text<'a>>,
    user_source: Option<Text<'a>>,
    session: Option<Text<'a>>,
    session_source: Option<Text<'a>>,
    device: Option<Text<'a>>,
    kind: Option<Text<'a>>,
    action: Option<Text<'a>>,
    span: Option<Text<'a>>,
    uid: Option<Text<'a>>,
    event: Option<&'a PrimitiveArray<Int64Type>>,
    time: Option<&'a PrimitiveArray<TimestampMicrosecondType>>,
}

impl<'a> Columns<'a> {
    /// Reads by name; an action is a sign-in or sign-out in `auth_events` alone.
    pub(crate) fn of(table: &str, names: &Names, get: impl Fn(&str) -> Option<&'a ArrayRef>) -> Self {
        let text = |name: &str| get(name).and_then(Text::new);
        let source = |index: usize| names.sources.and_then(|sources| text(sources[index]));
        Self {
            trace: text("trace_id"),
            user: text(names.user),
            user_source: source(0),
            session: text(names.session),
            session_source: source(1),
            device: text(names.device),
            kind: text("kind"),
            action: text("action").filter(|_| table == "auth_events"),
            span: text("span_id"),
            uid: text("record_uid"),
            event: get("event_index").and_then(|c| c.as_primitive_opt()),
            time: get("time").and_then(|c| c.as_primitive_opt()),
        }
    }

    /// What a row says, without what was only found out about it.
    pub(crate) fn said(&self, row: usize) -> Said<'a> {
        let get = |column: Option<Text<'a>>| column.and_then(|c| c.get(row));
        let fact = |value, source| get(value).filter(|_| get(source).is_none_or(|s| s == Source::Attribute.name()));
        let user = fact(self.user, self.user_source);
        let session = fact(self.session, self.session_source);
        let device = get(self.device);
        let tells = user.is_some() || session.is_some() || device.is_some();
        Said {
            trace: get(self.trace),
            user,
            session,
            device,
            time: self.time.filter(|t| t.is_valid(row)).map_or(i64::MAX, |t| t.value(row)),
            elsewhere: get(self.kind) != Some("server"),
            record: if tells { self.record(row) } else { 0 },
            signed_out: device.is_some() && get(self.action).is_some_and(|a| SIGNED_OUT.contains(&a)),
        }
    }

    /// A number of a row's record that is the same wherever the record is read.
    fn record(&self, row: usize) -> u64 {
        let get = |column: Option<Text<'a>>| column.and_then(|c| c.get(row));
        let event = self.event.filter(|e| e.is_valid(row)).map_or(-1, |e| e.value(row));
        let id = get(self.uid).or_else(|| get(self.span)).unwrap_or_default();
        // FNV-1a: it need not be hard to guess, only the same in every process.
        id.bytes()
            .chain(event.to_le_bytes())
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }
}
