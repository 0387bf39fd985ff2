//! The rows of one table while they are being filled.

use std::sync::Arc;

use schemas::Table;

use crate::attributes::Attributes;
use crate::columns::{Column, Conversion, map_entry};
use crate::context::Shared;
use crate::fields::{Moment, put_field};
use crate::keys::UNKNOWN;
use crate::plan::{Block, Field, Mixed, Origin, Plan, Target};
use crate::record::{Parts, Record};
use crate::shapes::{BY_EVENT_NAME, Shapes, kind};
use crate::value::Value;

/// What the records of a request have in common.
#[derive(Debug)]
pub(crate) struct Surroundings<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) resource: Shared<'a>,
    pub(crate) scope: Shared<'a>,
}

/// One record on its way into the tables it belongs to.
#[derive(Debug)]
pub(crate) struct Row<'r, 'a> {
    pub(crate) record: &'r Record<'a>,
    pub(crate) attributes: &'r Attributes<'a>,
    /// The span of a span event.
    pub(crate) span: Option<&'r Attributes<'a>>,
    pub(crate) parts: &'r Parts<'a>,
    pub(crate) moment: Moment,
    pub(crate) uid: &'r [u8],
    /// The attributes that gave the event name and the identity, if attributes did.
    pub(crate) named_by: Option<usize>,
    pub(crate) identified_by: Option<usize>,
    pub(crate) is_primary: bool,
    pub(crate) request: u32,
    pub(crate) around: &'r Surroundings<'a>,
}

/// The best source of a column found so far in the row at hand.
#[derive(Debug, Clone, Copy, Default)]
struct Best {
    stamp: u32,
    rank: u16,
    of_span: bool,
    place: u32,
    how: Conversion,
}

/// Memory for filling one row, used again for the next.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    best: Vec<Best>,
    stamp: u32,
    touched: Vec<u16>,
    taken: Vec<bool>,
    shapes: Shapes,
}

impl Scratch {
    fn begin(&mut self, columns: usize, attributes: usize) {
        if self.stamp == u32::MAX {
            self.best.clear();
            self.stamp = 0;
        }
        self.stamp += 1;
        if self.best.len() < columns {
            self.best.resize(columns, Best::default());
        }
        self.touched.clear();
        self.taken.clear();
        self.taken.resize(attributes, false);
        self.shapes.begin();
    }

    #[inline]
    fn consider(&mut self, target: &Target, of_span: bool, place: usize) {
        let best = &mut self.best[usize::from(target.column)];
        let fresh = best.stamp != self.stamp;
        if fresh {
            self.touched.push(target.column);
        }
        if fresh || target.rank < best.rank {
            *best = Best { stamp: self.stamp, rank: target.rank, of_span, place: place as u32, how: target.how };
        }
    }
}

/// The rows of one table.
#[derive(Debug)]
pub(crate) struct TableRows {
    pub(crate) table: Arc<Table>,
    plan: Arc<Plan>,
    pub(crate) columns: Vec<Column>,
    /// The request each row came from.
    pub(crate) requests: Vec<u32>,
    /// Up to which row the columns of each block are filled.
    filled: [usize; 3],
}

impl TableRows {
    pub(crate) fn new(table: Arc<Table>, plan: Arc<Plan>) -> Self {
        let columns = table.columns.iter().map(Column::new).collect();
        Self { table, plan, columns, requests: Vec::new(), filled: [0; 3] }
    }

    pub(crate) fn len(&self) -> usize {
        self.requests.len()
    }

    /// Makes room for a share of what the gather before had.
    pub(crate) fn expect(&mut self, share: f64) {
        self.columns.iter_mut().for_each(|column| column.expect(share));
    }

    /// Forgets all rows from `rows` on.
    pub(crate) fn truncate(&mut self, rows: usize) {
        if self.len() > rows {
            self.requests.truncate(rows);
            self.columns.iter_mut().for_each(|column| column.truncate(rows));
            self.filled = self.filled.map(|filled| filled.min(rows));
        }
    }

    /// Starts the next gather, once the columns are finished; returns the request of each row.
    pub(crate) fn reset(&mut self) -> Vec<u32> {
        self.filled = [0; 3];
        std::mem::take(&mut self.requests)
    }

    /// Forgets whatever is here, half-finished columns included.
    pub(crate) fn clear(&mut self) {
        self.reset();
        self.columns = self.table.columns.iter().map(Column::new).collect();
    }

    /// Whether some column got more than it can hold.
    pub(crate) fn is_full(&self) -> bool {
        self.columns.iter().any(Column::is_full)
    }

    /// Appends a row.
    pub(crate) fn push(&mut self, row: &Row<'_, '_>, scratch: &mut Scratch) {
        scratch.begin(self.columns.len(), row.attributes.list().len());
        self.fill_from_attributes(row, scratch);
        self.fill_mixed(row, scratch);
        self.fill_fields(row, scratch);
        self.fill_rest(row, scratch);
        if let (Some(column), true) = (self.plan.shape, row.is_primary)
            && let Some(shape) = scratch.shapes.text(&self.table)
        {
            self.columns[column].text(self.requests.len(), shape.as_bytes());
        }
        self.requests.push(row.request);
    }

    fn fill_from_attributes(&mut self, row: &Row<'_, '_>, scratch: &mut Scratch) {
        let at = self.requests.len();
        for (place, attribute) in row.attributes.list().iter().enumerate() {
            if attribute.number == UNKNOWN || attribute.value.is_empty() {
                continue;
            }
            for target in self.plan.targets(attribute.number) {
                scratch.consider(target, false, place);
            }
        }
        if let Some(span) = row.span {
            for (place, attribute) in span.list().iter().enumerate() {
                if attribute.number == UNKNOWN || attribute.value.is_empty() {
                    continue;
                }
                if row.attributes.place(attribute.number).is_none() {
                    for target in self.plan.targets(attribute.number) {
                        scratch.consider(target, true, place);
                    }
                }
            }
        }
        for column in &scratch.touched {
            let best = scratch.best[usize::from(*column)];
            let place = best.place as usize;
            let list = if best.of_span { row.span.unwrap_or(row.attributes) } else { row.attributes };
            let took = self.columns[usize::from(*column)].put(at, &list.list()[place].value, best.how);
            if took && !best.of_span {
                scratch.taken[place] = true;
                scratch.shapes.take(usize::from(*column), usize::from(best.rank), &list.list()[place].value);
            }
        }
    }

    fn fill_mixed(&mut self, row: &Row<'_, '_>, scratch: &mut Scratch) {
        let at = self.requests.len();
        for Mixed { column: number, origins } in &self.plan.mixed {
            let column = &mut self.columns[*number];
            for (alias, origin) in origins.iter().enumerate() {
                let done = match origin {
                    Origin::Attribute { key, how } => match (row.attributes.place(*key), row.span) {
                        (Some(place), _) => {
                            let value = &row.attributes.list()[place].value;
                            if column.put(at, value, *how) {
                                scratch.taken[place] = true;
                                scratch.shapes.take(*number, alias, value);
                            }
                            true
                        }
                        (None, Some(span)) => span.get(*key).map(|value| column.put(at, value, *how)).is_some(),
                        (None, None) => false,
                    },
                    Origin::Resource { key } => {
                        let value = row.around.resource.attributes.get(*key);
                        value.map(|value| column.put(at, value, Conversion::default())).is_some()
                    }
                    Origin::Field(field) => put_field(column, at, *field, row),
                };
                if done {
                    break;
                }
            }
        }
    }

    #[inline]
    fn fill_fields(&mut self, row: &Row<'_, '_>, scratch: &mut Scratch) {
        let at = self.requests.len();
        for (column, field) in &self.plan.fields {
            if !put_field(&mut self.columns[*column], at, *field, row) {
                continue;
            }
            let origin = match field {
                Field::EventName => row.named_by,
                Field::Name if row.record.name.is_empty() => row.named_by,
                Field::RecordUid => row.identified_by,
                _ => None,
            };
            if let Some(place) = origin {
                scratch.taken[place] = true;
                scratch.shapes.take(*column, BY_EVENT_NAME, &row.attributes.list()[place].value);
            }
        }
    }

    fn fill_rest(&mut self, row: &Row<'_, '_>, scratch: &mut Scratch) {
        let at = self.requests.len();
        for (attribute, _) in row.attributes.list().iter().zip(&scratch.taken).filter(|(_, taken)| !**taken) {
            scratch.shapes.leave(&attribute.value);
        }
        for column in &self.plan.rest {
            let Column::Map(map) = &mut self.columns[*column] else { continue };
            for (attribute, taken) in row.attributes.list().iter().zip(&scratch.taken) {
                if !taken {
                    map_entry(map, attribute.key, &attribute.value);
                }
            }
            map.close(at);
        }
    }

    /// Fills the columns of a block for all rows that came since it was last filled.
    pub(crate) fn fill_block(&mut self, block: Block, around: &Surroundings<'_>) {
        let start = std::mem::replace(&mut self.filled[block as usize], self.requests.len());
        let Some(more) = self.requests.len().checked_sub(start + 1) else { return };
        let resource = &around.resource.attributes;
        let mut taken = vec![false; resource.list().len()];
        let mut shapes = Shapes::default();
        for Mixed { column: number, origins } in &self.plan.blocks[block as usize] {
            let column = &mut self.columns[*number];
            let mut filled = false;
            for (alias, origin) in origins.iter().enumerate() {
                filled = match origin {
                    Origin::Attribute { .. } => false,
                    Origin::Resource { key } => match resource.place(*key) {
                        Some(place) => {
                            let value = &resource.list()[place].value;
                            let took = column.put(start, value, Conversion::default());
                            if took {
                                taken[place] = true;
                                shapes.take(*number, alias, value);
                            }
                            took
                        }
                        None => false,
                    },
                    Origin::Field(field) => put_shared(column, start, *field, around),
                };
                if filled {
                    break;
                }
            }
            if filled {
                column.repeat(more);
            }
        }
        if block == Block::Resource {
            self.fill_resource(start, more, &mut Left { resource, taken, shapes });
        }
    }

    /// The resource attributes that no column took, once all others had their turn.
    fn fill_resource(&mut self, start: usize, more: usize, left: &mut Left<'_, '_>) {
        let Left { resource, taken, shapes } = left;
        let rest = || resource.list().iter().zip(&*taken).filter(|(_, taken)| !**taken).map(|(attribute, _)| attribute);
        rest().for_each(|attribute| shapes.leave(&attribute.value));
        let shape = shapes.text(&self.table);
        for Mixed { column, origins } in &self.plan.blocks[Block::Resource as usize] {
            let column = &mut self.columns[*column];
            match (&mut *column, &origins[..], shape) {
                (Column::Map(map), [Origin::Field(Field::Resource)], _) => {
                    rest().for_each(|attribute| map_entry(map, attribute.key, &attribute.value));
                    map.close(start);
                    if rest().next().is_some() {
                        map.repeat(more);
                    }
                }
                (_, [Origin::Field(Field::ResourceAs)], Some(shape)) => {
                    column.text(start, shape.as_bytes());
                    column.repeat(more);
                }
                _ => {}
            }
        }
    }
}

/// A resource while its columns are filled.
struct Left<'r, 'a> {
    resource: &'r Attributes<'a>,
    taken: Vec<bool>,
    shapes: Shapes,
}

/// Writes a field of the tenant or the scope; what is left of the resource is written later.
pub(crate) fn put_shared(column: &mut Column, at: usize, field: Field, around: &Surroundings<'_>) -> bool {
    let text: &[u8] = match field {
        Field::Tenant => around.tenant.as_bytes(),
        Field::ScopeName => around.scope.name,
        Field::ScopeVersion => around.scope.version,
        Field::ScopeAttributes => {
            let Column::Map(map) = column else { return false };
            let attributes = around.scope.attributes.list();
            for attribute in attributes {
                map_entry(map, attribute.key, &attribute.value);
            }
            map.close(at);
            return !attributes.is_empty();
        }
        Field::ScopeAs => {
            let kinds: Vec<u8> = around.scope.attributes.list().iter().map(|a| kind(&a.value)).collect();
            let said = kinds.iter().rposition(|kind| *kind != b's').map_or(0, |last| last + 1);
            if said > 0 {
                column.text(at, &[b";", &kinds[..said]].concat());
            }
            return said > 0;
        }
        _ => return false,
    };
    !text.is_empty() && column.put(at, &Value::Text(text), Conversion::default())
}
