//! One run over the requests of a gather.

use std::ops::Range;
use std::sync::Arc;

use component::{Key, Keyring, Pseudonym};
use schemas::{Signal as RecordSignal, SpanKind};

use crate::attributes::Attributes;
use crate::context::{Shared, Sort};
use crate::count::count_data_points;
use crate::current::Current;
use crate::decoder::{DecodeError, Lookup};
use crate::fields::Moment;
use crate::plan::Block;
use crate::record::{Parts, Record, Scanner};
use crate::route::{Facts, Routes};
use crate::rows::{Row, Scratch, Surroundings, TableRows};
use crate::value::{Refusal, Value};
use crate::wire::{Reader, WireError};
use crate::{Outcome, Request, Signal};

/// What a row costs however little it says.
const ROW: usize = 1024;

/// Why a request ends early.
enum Stop {
    Wire(WireError),
    /// A resource or scope came after the first of its records: read again, looking for it first.
    Late,
    Fatal(DecodeError),
}

impl From<WireError> for Stop {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

/// Everything in use while requests are decoded; what borrows from their bytes lives here.
pub(crate) struct Session<'d, 'a> {
    lookup: &'d Lookup,
    keyring: &'d Keyring,
    tables: &'d mut [TableRows],
    scratch: &'d mut Scratch,
    scanner: Scanner<'d, 'a>,
    around: Surroundings<'a>,
    routes: Routes,
    /// The attributes of the span event at hand.
    event: Attributes<'a>,
    /// Which events of the span at hand make a row, and where.
    event_rows: Vec<(usize, u16)>,
    /// What a span event has of events and links.
    nothing: Parts<'a>,
    key: Option<(&'a str, Arc<Key>)>,
    current: Current<'a>,
    /// The parts of the resource or scope being read.
    parts: Vec<&'a [u8]>,
    /// The keyed hash of the resource and scope at hand, once a record needed it.
    shared_hash: Option<[u8; 16]>,
    /// Records of each request that are read over, by their number in it.
    without: &'d [Range<u64>],
}

impl<'d, 'a> Session<'d, 'a> {
    pub(crate) fn new(
        lookup: &'d Lookup,
        keyring: &'d Keyring,
        tables: &'d mut [TableRows],
        scratch: &'d mut Scratch,
    ) -> Self {
        let keys = &lookup.keys;
        let attributes = || Attributes::new(keys, lookup.conditions);
        Self {
            scanner: Scanner { keys, attributes: attributes(), parts: Parts::default(), refusal: None },
            around: Surroundings { tenant: "", resource: Shared::none(keys), scope: Shared::none(keys) },
            routes: Routes::default(),
            event: attributes(),
            event_rows: Vec::new(),
            nothing: Parts::default(),
            key: None,
            current: Current::default(),
            parts: Vec::new(),
            shared_hash: None,
            without: &[],
            lookup,
            keyring,
            tables,
            scratch,
        }
    }

    /// Reads over some records of each request.
    pub(crate) fn without(self, without: &'d [Range<u64>]) -> Self {
        Self { without, ..self }
    }

    /// Decodes all requests; afterwards every column of the tables is complete.
    pub(crate) fn run(&mut self, requests: &[Request<'a>]) -> Result<Vec<Outcome>, DecodeError> {
        let mut outcomes = Vec::with_capacity(requests.len());
        for (number, request) in requests.iter().enumerate() {
            outcomes.push(match request.signal {
                Signal::Metrics => metrics(request),
                Signal::Traces | Signal::Logs => self.request(number, request)?,
            });
        }
        for block in [Block::Tenant, Block::Resource, Block::Scope] {
            self.fill(block);
        }
        Ok(outcomes)
    }

    fn fill(&mut self, block: Block) {
        self.tables.iter_mut().for_each(|rows| rows.fill_block(block, &self.around));
    }

    fn request(&mut self, number: usize, request: &Request<'a>) -> Result<Outcome, DecodeError> {
        let marks: Vec<usize> = self.tables.iter().map(TableRows::len).collect();
        if self.around.tenant != request.tenant {
            self.fill(Block::Tenant);
            self.around.tenant = request.tenant;
            self.shared_hash = None;
        }
        self.current.begin(number, request);
        let mut result = self.body(request.signal, request.body);
        if let Err(Stop::Late) = result {
            self.undo(&marks);
            self.current.begin(number, request);
            self.current.is_careful = true;
            result = self.body(request.signal, request.body);
        }
        let broken = match result {
            Ok(()) => None,
            Err(Stop::Fatal(error)) => return Err(error),
            Err(Stop::Wire(error)) => Some(error.to_string()),
            Err(Stop::Late) => Some("a resource or scope stands behind its records".to_owned()),
        };
        if let Some(what) = broken {
            self.undo(&marks);
            let reason = Some(format!("the request is not a valid OTLP message: {what}"));
            return Ok(Outcome { reason, malformed: true, ..Outcome::default() });
        }
        if self.current.is_audited && self.current.rejected > 0 {
            self.undo(&marks);
            self.current.rejected += std::mem::take(&mut self.current.accepted);
        }
        Ok(self.current.outcome(request.signal))
    }

    fn undo(&mut self, marks: &[usize]) {
        for (rows, mark) in self.tables.iter_mut().zip(marks) {
            rows.truncate(*mark);
        }
    }

    /// Spans and logs are wrapped alike: request, resource, scope, record.
    fn body(&mut self, signal: Signal, body: &'a [u8]) -> Result<(), Stop> {
        let mut reader = Reader::new(body);
        while let Some(field) = reader.field()? {
            if field.number == 1 {
                self.group(Sort::Resource, signal, field.bytes()?)?;
            }
        }
        Ok(())
    }

    /// One resource and its scopes, or one scope and its records.
    fn group(&mut self, sort: Sort, signal: Signal, group: &'a [u8]) -> Result<(), Stop> {
        self.share(sort, group)?;
        let mut reader = Reader::new(group);
        let mut is_late = false;
        while let Some(field) = reader.field()? {
            match field.number {
                1 if is_late => return Err(Stop::Late),
                1 | 3 => {
                    field.bytes()?;
                }
                2 => {
                    is_late = !self.current.is_careful;
                    match sort {
                        Sort::Resource => self.group(Sort::Scope, signal, field.bytes()?)?,
                        Sort::Scope => self.record(signal, field.bytes()?)?,
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Makes the resource or scope of a group the one that its records share.
    fn share(&mut self, sort: Sort, group: &'a [u8]) -> Result<(), WireError> {
        self.parts.clear();
        let mut reader = Reader::new(group);
        while let Some(field) = reader.field()? {
            match field.number {
                1 => self.parts.push(field.bytes()?),
                // Senders put it first; to look further means to touch every record twice.
                2 if !self.current.is_careful => break,
                _ => {}
            }
        }
        let (block, shared) = match sort {
            Sort::Resource => (Block::Resource, &self.around.resource),
            Sort::Scope => (Block::Scope, &self.around.scope),
        };
        if shared.is(&self.parts) {
            return Ok(());
        }
        self.fill(block);
        self.shared_hash = None;
        let shared = match sort {
            Sort::Resource => &mut self.around.resource,
            Sort::Scope => &mut self.around.scope,
        };
        shared.read(&self.lookup.keys, sort, &self.parts)
    }

    fn record(&mut self, signal: Signal, bytes: &'a [u8]) -> Result<(), Stop> {
        let number = self.current.met;
        self.current.met += 1;
        if self.without.iter().any(|range| range.contains(&number)) {
            return Ok(());
        }
        match signal {
            Signal::Traces => self.span(bytes),
            _ => self.log(bytes),
        }
    }

    fn span(&mut self, bytes: &'a [u8]) -> Result<(), Stop> {
        let mut span = self.scanner.span(bytes)?;
        let named_by = self.name(&mut span);
        self.route(RecordSignal::Span, &span);
        self.route_events(&span);
        // Each row of an event repeats what its span says.
        let events = self.event_rows.len().saturating_mul(ROW + bytes.len() + self.shared_size());
        if !self.admit(events) {
            return Ok(());
        }
        let time = [span.time, span.end, self.current.received].into_iter().find(|t| *t != 0).unwrap_or_default();
        let uid = match span.trace_id.is_empty() || span.span_id.is_empty() {
            true => Some(self.identity(bytes).map_err(Stop::Fatal)?),
            false => None,
        };
        let uid = uid.as_ref().map_or("", Pseudonym::as_str).as_bytes();
        self.push(&span, time, uid, (named_by, None));
        self.push_events(&span, time, uid);
        Ok(())
    }

    fn log(&mut self, bytes: &'a [u8]) -> Result<(), Stop> {
        let mut log = self.scanner.log(bytes)?;
        let named_by = self.name(&mut log);
        self.route(RecordSignal::Log, &log);
        if !self.admit(0) {
            return Ok(());
        }
        let time = [log.time, log.observed, self.current.received].into_iter().find(|t| *t != 0).unwrap_or_default();
        let attributes = &self.scanner.attributes;
        let given = match attributes.get(self.lookup.record_uid) {
            Some(Value::Text(text)) if !text.is_empty() => Some(*text),
            _ => None,
        };
        match given {
            Some(given) => {
                let identified_by = attributes.place(self.lookup.record_uid);
                // A sender may have put anything there, a person's address too: only its keyed hash is kept.
                let uid = self.record_key().map_err(Stop::Fatal)?.pseudonym_of(&[given]);
                self.push(&log, time, uid.as_str().as_bytes(), (named_by, identified_by));
            }
            None => {
                let uid = self.identity(bytes).map_err(Stop::Fatal)?;
                self.push(&log, time, uid.as_str().as_bytes(), (named_by, None));
            }
        }
        Ok(())
    }

    /// Gives a record without an event name the one in its attributes, and says which attribute that is.
    fn name(&self, record: &mut Record<'a>) -> Option<usize> {
        if !record.event_name.is_empty() {
            return None;
        }
        let place = self.scanner.attributes.place(self.lookup.event_name)?;
        match self.scanner.attributes.list()[place].value {
            Value::Text(name) if !name.is_empty() => record.event_name = name,
            _ => return None,
        }
        Some(place)
    }

    fn route(&mut self, signal: RecordSignal, record: &Record<'a>) {
        let facts = Facts {
            signal,
            kind: record.span_kind.unwrap_or(SpanKind::Unspecified),
            event: record.event_name,
            severity: record.severity_number,
            is_error: record.status == Some("error"),
            attributes: &self.scanner.attributes,
            span: None,
        };
        self.lookup.router.route(&facts, &mut self.routes);
        let audited = &self.lookup.router.audited;
        let mut tables = self.routes.home.iter().chain(&self.routes.also);
        self.current.is_audited |= tables.any(|table| audited[usize::from(*table)]);
    }

    /// Bytes that every row repeats.
    fn shared_size(&self) -> usize {
        self.around.resource.bytes.len() + self.around.scope.bytes.len()
    }

    /// Counts the record at hand as accepted or, if anything is against it, as rejected.
    fn admit(&mut self, extra: usize) -> bool {
        let rows = usize::from(self.routes.home.is_some()) + self.routes.also.len();
        let cost = rows.saturating_mul(ROW + self.shared_size()).saturating_add(extra);
        let refusal = self.around.resource.refusal.or(self.around.scope.refusal).or(self.scanner.refusal);
        let refusal = refusal.or_else(|| (cost > self.current.budget).then_some(Refusal::Copies));
        match refusal {
            Some(refusal) => {
                self.current.rejected += 1;
                self.current.refusal.get_or_insert(refusal);
            }
            None => {
                self.current.accepted += 1;
                self.current.budget -= cost;
            }
        }
        refusal.is_none()
    }

    fn push(&mut self, record: &Record<'a>, time: u64, uid: &[u8], by: (Option<usize>, Option<usize>)) {
        let mut row = Row {
            record,
            attributes: &self.scanner.attributes,
            span: None,
            parts: &self.scanner.parts,
            moment: Moment::new(time, self.current.received),
            uid,
            named_by: by.0,
            identified_by: by.1,
            is_primary: true,
            request: self.current.number,
            around: &self.around,
        };
        for table in self.routes.home.iter().chain(&self.routes.also) {
            self.tables[usize::from(*table)].push(&row, self.scratch);
            row.is_primary = false;
        }
    }

    /// The identity of a record that brings none: a keyed hash over all that was received of it.
    fn identity(&mut self, bytes: &[u8]) -> Result<Pseudonym, DecodeError> {
        let key = self.record_key()?;
        let (resource, scope) = (&*self.around.resource.bytes, &*self.around.scope.bytes);
        // What records share is hashed once for all of them.
        let shared = *self.shared_hash.get_or_insert_with(|| key.hash(&[resource, scope]));
        let first = key.pseudonym_of(&[&shared, bytes, &0u64.to_le_bytes()]);
        match self.current.ordinals.get_mut(&first) {
            Some(count) => {
                *count += 1;
                Ok(key.pseudonym_of(&[&shared, bytes, &count.to_le_bytes()]))
            }
            None => {
                self.current.ordinals.insert(first.clone(), 0);
                Ok(first)
            }
        }
    }

    /// The key of the request's tenant for identities of records.
    fn record_key(&mut self) -> Result<Arc<Key>, DecodeError> {
        let tenant = self.current.tenant;
        let key = match &self.key {
            Some((known, key)) if *known == tenant => key,
            _ => &self.key.insert((tenant, self.keyring.key(tenant, "record")?)).1,
        };
        Ok(Arc::clone(key))
    }

    fn load_event(&mut self, event: usize) {
        self.event.clear();
        let parts = &self.scanner.parts;
        for (key, value) in parts.attributes.get(parts.events[event].attributes.clone()).unwrap_or_default() {
            self.event.add(&self.lookup.keys, key, value.clone());
        }
    }

    /// Finds the tables of the events of the span at hand, keeping the span's own routes.
    fn route_events(&mut self, span: &Record<'a>) {
        self.event_rows.clear();
        if !self.lookup.router.takes_span_events() {
            return;
        }
        let mut routes = Routes::default();
        for index in 0..self.scanner.parts.events.len() {
            self.load_event(index);
            let facts = Facts {
                signal: RecordSignal::SpanEvent,
                kind: span.span_kind.unwrap_or(SpanKind::Unspecified),
                event: self.scanner.parts.events[index].name,
                severity: 0,
                is_error: span.status == Some("error"),
                attributes: &self.event,
                span: Some(&self.scanner.attributes),
            };
            self.lookup.router.route(&facts, &mut routes);
            self.event_rows.extend(routes.home.iter().chain(&routes.also).map(|table| (index, *table)));
        }
        let audited = &self.lookup.router.audited;
        self.current.is_audited |= self.event_rows.iter().any(|(_, table)| audited[usize::from(*table)]);
    }

    fn push_events(&mut self, span: &Record<'a>, span_time: u64, uid: &[u8]) {
        for (index, table) in std::mem::take(&mut self.event_rows) {
            self.load_event(index);
            let event = &self.scanner.parts.events[index];
            let time = if event.time == 0 { span_time } else { event.time };
            let record = Record {
                kind: "span_event",
                name: event.name,
                event_name: event.name,
                end: 0,
                observed: 0,
                event_index: i64::try_from(index).ok(),
                ..span.clone()
            };
            let row = Row {
                record: &record,
                attributes: &self.event,
                span: Some(&self.scanner.attributes),
                parts: &self.nothing,
                moment: Moment::new(time, self.current.received),
                uid,
                named_by: None,
                identified_by: None,
                is_primary: false,
                request: self.current.number,
                around: &self.around,
            };
            self.tables[usize::from(table)].push(&row, self.scratch);
        }
    }
}

/// Data points are acknowledged and counted.
fn metrics(request: &Request<'_>) -> Outcome {
    match count_data_points(request.body) {
        Ok(accepted) => Outcome { accepted, ..Outcome::default() },
        Err(error) => Outcome {
            reason: Some(format!("the request is not a valid OTLP message: {error}")),
            malformed: true,
            ..Outcome::default()
        },
    }
}
