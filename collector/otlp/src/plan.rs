//! What to do for each table, worked out once from its columns.

use std::sync::Arc;

use hashbrown::HashMap;
use schemas::{Catalog, Source, Table, Type};

use crate::columns::Conversion;

/// A catalog that cannot be decoded into.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A source that the decoder has nothing for.
    #[error("column {table}.{column} has the source {origin:?}, {why}")]
    Source {
        /// Table name.
        table: String,
        /// Column name.
        column: String,
        /// The source as the YAML writes it.
        origin: String,
        /// Why it cannot be, and what could.
        why: &'static str,
    },
    /// Records that match no clause would have nowhere to go.
    #[error("the catalog has no table {0}, which takes the records that no other table matches")]
    NoTable(&'static str),
    /// More tables, columns or keys than are numbered in 16 bits.
    #[error("the catalog names more than 65,534 {0}")]
    TooMany(&'static str),
}

/// Fields of a record, its scope, its resource or its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Tenant,
    Time,
    TimeUnixNano,
    ObservedTime,
    ReceivedTime,
    Date,
    TimeSuspect,
    TraceId,
    SpanId,
    ParentSpanId,
    Name,
    EventName,
    Kind,
    Duration,
    StatusCode,
    StatusMessage,
    SeverityNumber,
    SeverityText,
    Body,
    Attributes,
    Events,
    Links,
    TraceState,
    Flags,
    Resource,
    ScopeName,
    ScopeVersion,
    ScopeAttributes,
    RecordUid,
    EventIndex,
    IsPrimary,
    ReceivedAs,
    ResourceAs,
    ScopeAs,
}

/// Every field by the name that `field:` gives it.
const FIELDS: &[(&str, Field)] = &[
    ("tenant", Field::Tenant),
    ("time", Field::Time),
    ("time_unix_nano", Field::TimeUnixNano),
    ("observed_time", Field::ObservedTime),
    ("received_time", Field::ReceivedTime),
    ("date", Field::Date),
    ("time_suspect", Field::TimeSuspect),
    ("trace_id", Field::TraceId),
    ("span_id", Field::SpanId),
    ("parent_span_id", Field::ParentSpanId),
    ("name", Field::Name),
    ("event_name", Field::EventName),
    ("kind", Field::Kind),
    ("duration", Field::Duration),
    ("status_code", Field::StatusCode),
    ("status_message", Field::StatusMessage),
    ("severity_number", Field::SeverityNumber),
    ("severity_text", Field::SeverityText),
    ("body", Field::Body),
    ("attributes", Field::Attributes),
    ("events", Field::Events),
    ("links", Field::Links),
    ("trace_state", Field::TraceState),
    ("flags", Field::Flags),
    ("resource", Field::Resource),
    ("scope_name", Field::ScopeName),
    ("scope_version", Field::ScopeVersion),
    ("scope_attributes", Field::ScopeAttributes),
    ("record_uid", Field::RecordUid),
    ("event_index", Field::EventIndex),
    ("is_primary", Field::IsPrimary),
    ("received_as", Field::ReceivedAs),
    ("resource_as", Field::ResourceAs),
    ("scope_as", Field::ScopeAs),
];

impl Field {
    fn named(name: &str) -> Option<Self> {
        FIELDS.iter().find(|(known, _)| *known == name).map(|(_, field)| *field)
    }

    /// Column types that the field can fill.
    fn types(self) -> &'static [Type] {
        match self {
            Self::Time | Self::ObservedTime | Self::ReceivedTime => &[Type::Time, Type::Int],
            Self::Date => &[Type::Date],
            Self::TimeSuspect | Self::IsPrimary => &[Type::Bool],
            Self::TimeUnixNano | Self::Duration | Self::SeverityNumber | Self::Flags | Self::EventIndex => {
                &[Type::Int, Type::Float]
            }
            Self::Attributes | Self::Resource | Self::ScopeAttributes => &[Type::Map],
            _ => &[Type::Text, Type::Dict],
        }
    }

    /// What the value is the same for: each run of rows of one block gets it at once.
    fn block(self) -> Option<Block> {
        match self {
            Self::Tenant => Some(Block::Tenant),
            Self::Resource | Self::ResourceAs => Some(Block::Resource),
            Self::ScopeName | Self::ScopeVersion | Self::ScopeAttributes | Self::ScopeAs => Some(Block::Scope),
            _ => None,
        }
    }
}

/// Levels at which neighbouring rows share values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Block {
    Tenant,
    Resource,
    Scope,
}

/// One source of a column.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin {
    Attribute { key: u16, how: Conversion },
    Resource { key: u16 },
    Field(Field),
}

/// A column that an attribute can fill, and how much it is preferred over the others: less is better.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    pub(crate) column: u16,
    pub(crate) rank: u16,
    pub(crate) how: Conversion,
}

/// A column and the sources it tries in order.
#[derive(Debug)]
pub(crate) struct Mixed {
    pub(crate) column: usize,
    pub(crate) origins: Vec<Origin>,
}

/// How the rows of one table are filled.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// By key number, the columns an attribute can fill.
    targets: Vec<Box<[Target]>>,
    /// Columns filled from one field of the record.
    pub(crate) fields: Vec<(usize, Field)>,
    /// The columns of attributes that no other took.
    pub(crate) rest: Vec<usize>,
    /// The column of what the attributes were like.
    pub(crate) shape: Option<usize>,
    /// Columns whose sources are of several sorts.
    pub(crate) mixed: Vec<Mixed>,
    /// Columns filled per run of rows that share a tenant, a resource or a scope.
    pub(crate) blocks: [Vec<Mixed>; 3],
}

impl Plan {
    /// The plan of a table; keys get their numbers from `number`.
    pub(crate) fn new(table: &Table, number: &mut Numbering) -> Result<Self, BuildError> {
        let mut plan = Self::default();
        for (index, column) in table.columns.iter().enumerate() {
            let mut origins = Vec::with_capacity(column.from.len());
            for source in &column.from {
                origins.push(origin(source, column.r#type, column.from.len(), number).map_err(|why| {
                    BuildError::Source {
                        table: table.name.clone(),
                        column: column.name.clone(),
                        origin: spelled(source),
                        why,
                    }
                })?);
            }
            plan.add(index, origins)?;
        }
        Ok(plan)
    }

    fn add(&mut self, column: usize, origins: Vec<Origin>) -> Result<(), BuildError> {
        let number = u16::try_from(column).map_err(|_| BuildError::TooMany("columns in one table"))?;
        let only_attributes = origins.iter().all(|o| matches!(o, Origin::Attribute { .. }));
        match origins[..] {
            [] => return Ok(()),
            [Origin::Field(Field::Attributes)] => self.rest.push(column),
            [Origin::Field(Field::ReceivedAs)] => self.shape = Some(column),
            [Origin::Field(field)] if field.block().is_none() => self.fields.push((column, field)),
            _ if !only_attributes => match common_block(&origins) {
                Some(block) => self.blocks[block as usize].push(Mixed { column, origins: origins.clone() }),
                None => self.mixed.push(Mixed { column, origins: origins.clone() }),
            },
            _ => {}
        }
        let mixed = self.mixed.last().is_some_and(|m| m.column == column);
        for (rank, origin) in origins.iter().enumerate() {
            // Columns of mixed sources look their attributes up themselves.
            if let (Origin::Attribute { key, how }, false) = (origin, mixed) {
                let rank = u16::try_from(rank).map_err(|_| BuildError::TooMany("aliases of one column"))?;
                let at = usize::from(*key);
                if self.targets.len() <= at {
                    self.targets.resize_with(at + 1, Box::default);
                }
                let mut targets = std::mem::take(&mut self.targets[at]).into_vec();
                targets.push(Target { column: number, rank, how: *how });
                self.targets[at] = targets.into();
            }
        }
        Ok(())
    }

    /// The columns that a key can fill.
    #[inline]
    pub(crate) fn targets(&self, key: u16) -> &[Target] {
        self.targets.get(usize::from(key)).map_or(&[], |targets| targets)
    }
}

/// The block that settles all of a column's sources, if one does.
fn common_block(origins: &[Origin]) -> Option<Block> {
    let mut blocks = origins.iter().map(|origin| match origin {
        Origin::Attribute { .. } => None,
        Origin::Resource { .. } => Some(Block::Resource),
        Origin::Field(field) => field.block(),
    });
    let first = blocks.next()??;
    blocks.all(|block| block == Some(first)).then_some(first)
}

fn origin(source: &Source, r#type: Type, sources: usize, number: &mut Numbering) -> Result<Origin, &'static str> {
    match source {
        Source::Attribute { key, scale } => {
            let numeric = matches!(r#type, Type::Int | Type::Float | Type::Time | Type::Date | Type::Money);
            if scale.is_some() && !numeric {
                return Err("and only numbers and times can be scaled");
            }
            if scale.is_some_and(|s| !s.is_finite()) {
                return Err("and the factor is not a finite number");
            }
            let header = key.starts_with("http.request.header.") || key.starts_with("http.response.header.");
            Ok(Origin::Attribute { key: number.of(key), how: Conversion { scale: *scale, header } })
        }
        Source::Resource(key) => Ok(Origin::Resource { key: number.of(key) }),
        Source::Field(name) => {
            let field = Field::named(name).ok_or("which is no field of a record, scope or request")?;
            if !field.types().contains(&r#type) {
                return Err("which does not have the column's type");
            }
            if r#type == Type::Map && sources > 1 {
                return Err("and a column of whatever is left over takes no other source");
            }
            Ok(Origin::Field(field))
        }
    }
}

fn spelled(source: &Source) -> String {
    match source {
        Source::Attribute { key, scale: None } => key.clone(),
        Source::Attribute { key, scale: Some(scale) } => format!("{key} * {scale:e}"),
        Source::Resource(key) => format!("resource:{key}"),
        Source::Field(name) => format!("field:{name}"),
    }
}

/// Gives each key its number, in the order of asking.
#[derive(Debug, Default)]
pub(crate) struct Numbering {
    numbers: HashMap<String, u16>,
    names: Vec<Box<[u8]>>,
}

impl Numbering {
    pub(crate) fn of(&mut self, key: &str) -> u16 {
        // Past the last number all keys share one; `Keys::new` then refuses the whole.
        let next = u16::try_from(self.names.len()).unwrap_or(u16::MAX);
        *self.numbers.entry_ref(key).or_insert_with(|| {
            self.names.push(key.as_bytes().into());
            next
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    pub(crate) fn into_names(self) -> Vec<Box<[u8]>> {
        self.names
    }
}

/// The plan of every table, in the catalog's order.
pub(crate) fn plans(catalog: &Catalog, number: &mut Numbering) -> Result<Vec<Arc<Plan>>, BuildError> {
    catalog.tables().iter().map(|table| Plan::new(table, number).map(Arc::new)).collect()
}
