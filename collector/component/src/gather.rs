//! What one worker took at once: the rows of every table, and which request each row came from.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array, MapArray, UInt32Array, new_null_array};
use arrow::compute;
use schemas::{Catalog, Table};

use crate::Text;

/// The rows of all tables, one entry per table of the catalog and in its order.
#[derive(Debug, Clone)]
pub struct Gather {
    tables: Vec<Rows>,
}

impl Gather {
    /// No rows yet.
    pub fn empty(catalog: &Catalog) -> Self {
        Self { tables: catalog.tables().iter().map(|t| Rows::empty(Arc::clone(t))).collect() }
    }

    /// Rows as decoded. Tables that are missing have no rows.
    pub fn new(tables: Vec<Rows>) -> Self {
        Self { tables }
    }

    /// Tables that have rows.
    pub fn tables(&self) -> impl Iterator<Item = &Rows> + Clone {
        self.tables.iter().filter(|r| r.len > 0)
    }

    /// Tables that have rows, to change.
    pub fn tables_mut(&mut self) -> impl Iterator<Item = &mut Rows> {
        self.tables.iter_mut().filter(|r| r.len > 0)
    }

    /// One table by name, if it has rows.
    pub fn table_mut(&mut self, name: &str) -> Option<&mut Rows> {
        self.tables_mut().find(|r| r.table.name == name)
    }

    /// Takes rows in, in the place of what the gather had of their table.
    pub fn put(&mut self, rows: Rows) {
        match self.tables.iter_mut().find(|r| Arc::ptr_eq(&r.table, &rows.table)) {
            Some(place) => *place = rows,
            None => self.tables.push(rows),
        }
    }

    /// Takes rows in, behind those that the gather has of their table.
    pub fn add(&mut self, rows: Rows) -> Result<(), RowsError> {
        match self.tables.iter_mut().find(|r| Arc::ptr_eq(&r.table, &rows.table)) {
            Some(there) => there.append(rows)?,
            None => self.tables.push(rows),
        }
        Ok(())
    }

    /// One table by name, if it has rows.
    pub fn table(&self, name: &str) -> Option<&Rows> {
        self.tables().find(|r| r.table.name == name)
    }

    /// Rows in all tables.
    pub fn len(&self) -> usize {
        self.tables.iter().map(|r| r.len).sum()
    }

    /// Whether there is no row at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The rows of one table. A column that no row has a value for is not there.
#[derive(Debug, Clone)]
pub struct Rows {
    table: Arc<Table>,
    len: usize,
    columns: Vec<Option<ArrayRef>>,
    /// Number of the request (within the gather) that each row came from.
    requests: UInt32Array,
}

/// A column was set or read against its schema.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RowsError {
    /// No such column.
    #[error("table {table} has no column {column}")]
    NoColumn {
        /// Table name.
        table: String,
        /// Column name.
        column: String,
    },
    /// Wrong type.
    #[error("column {table}.{column} is {declared}, not {given}")]
    Type {
        /// Table name.
        table: String,
        /// Column name.
        column: String,
        /// The schema's type.
        declared: String,
        /// The type that was given.
        given: String,
    },
    /// Wrong number of rows.
    #[error("column {table}.{column} has {given} rows, the table has {rows}")]
    Length {
        /// Table name.
        table: String,
        /// Column name.
        column: String,
        /// Rows of the column.
        given: usize,
        /// Rows of the table.
        rows: usize,
    },
    /// Arrow refused to put columns behind one another.
    #[error("adding rows to table {table}: {why}")]
    Append {
        /// Table name.
        table: String,
        /// Arrow's words.
        why: String,
    },
    /// Arrow refused a kernel.
    #[error("filtering rows of table {table}: {why}")]
    Filter {
        /// Table name.
        table: String,
        /// Arrow's words.
        why: String,
    },
}

impl Rows {
    /// No rows.
    pub fn empty(table: Arc<Table>) -> Self {
        let columns = vec![None; table.columns.len()];
        Self { table, len: 0, columns, requests: UInt32Array::from(Vec::<u32>::new()) }
    }

    /// Rows as decoded: one entry per column of the table, types as `Type::gather`.
    pub fn new(table: Arc<Table>, columns: Vec<Option<ArrayRef>>, requests: Vec<u32>) -> Result<Self, RowsError> {
        let mut rows = Self::empty(table);
        rows.len = requests.len();
        rows.requests = UInt32Array::from(requests);
        for (index, column) in columns.into_iter().enumerate().take(rows.table.columns.len()) {
            if let Some(column) = column {
                rows.set_at(index, column)?;
            }
        }
        Ok(rows)
    }

    /// The table.
    pub fn table(&self) -> &Arc<Table> {
        &self.table
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Which request each row came from.
    pub fn requests(&self) -> &[u32] {
        self.requests.values()
    }

    /// A column's values; `None` when every row is NULL or the table has no such column.
    pub fn get(&self, column: &str) -> Option<&ArrayRef> {
        self.columns[self.table.index(column)?].as_ref()
    }

    /// A column by index in the table.
    pub fn at(&self, index: usize) -> Option<&ArrayRef> {
        self.columns.get(index)?.as_ref()
    }

    /// A text or dict column, read the same way.
    pub fn text(&self, column: &str) -> Option<Text<'_>> {
        Text::new(self.get(column)?)
    }

    /// An int column.
    pub fn int(&self, column: &str) -> Option<&Int64Array> {
        self.get(column)?.as_any().downcast_ref()
    }

    /// A float column.
    pub fn float(&self, column: &str) -> Option<&Float64Array> {
        self.get(column)?.as_any().downcast_ref()
    }

    /// A bool column.
    pub fn bool(&self, column: &str) -> Option<&BooleanArray> {
        self.get(column)?.as_any().downcast_ref()
    }

    /// A map column.
    pub fn map(&self, column: &str) -> Option<&MapArray> {
        self.get(column)?.as_any().downcast_ref()
    }

    /// Replaces a column; a column of only NULLs is forgotten.
    pub fn set(&mut self, column: &str, values: ArrayRef) -> Result<(), RowsError> {
        let index = self
            .table
            .index(column)
            .ok_or_else(|| RowsError::NoColumn { table: self.table.name.clone(), column: column.to_owned() })?;
        self.set_at(index, values)
    }

    /// Replaces a column by index.
    pub fn set_at(&mut self, index: usize, values: ArrayRef) -> Result<(), RowsError> {
        let Some(column) = self.table.columns.get(index) else {
            return Err(RowsError::NoColumn { table: self.table.name.clone(), column: index.to_string() });
        };
        let declared = column.r#type.gather();
        // A dict column may be given plain: the journal and the lake decide the encoding.
        if values.data_type() != &declared && values.data_type() != &column.r#type.stored() {
            return Err(RowsError::Type {
                table: self.table.name.clone(),
                column: column.name.clone(),
                declared: declared.to_string(),
                given: values.data_type().to_string(),
            });
        }
        if values.len() != self.len {
            return Err(RowsError::Length {
                table: self.table.name.clone(),
                column: column.name.clone(),
                given: values.len(),
                rows: self.len,
            });
        }
        self.columns[index] = (values.null_count() < values.len()).then_some(values);
        Ok(())
    }

    /// Forgets a column: every row becomes NULL.
    pub fn clear_at(&mut self, index: usize) {
        if let Some(column) = self.columns.get_mut(index) {
            *column = None;
        }
    }

    /// Takes in the rows of another of the same table, behind its own.
    fn append(&mut self, more: Self) -> Result<(), RowsError> {
        if self.len == 0 {
            *self = more;
            return Ok(());
        }
        let failed =
            |e: arrow::error::ArrowError| RowsError::Append { table: self.table.name.clone(), why: e.to_string() };
        let mut columns = Vec::with_capacity(self.columns.len());
        for (index, column) in self.table.columns.iter().enumerate() {
            let parts = [(self.at(index), self.len), (more.at(index), more.len)];
            if parts.iter().all(|(part, _)| part.is_none()) {
                columns.push(None);
                continue;
            }
            // One may have plain what the other has as a dictionary.
            let whole = parts.map(|(part, len)| match part {
                Some(part) => compute::cast(part, &column.r#type.gather()),
                None => Ok(new_null_array(&column.r#type.gather(), len)),
            });
            let [one, other] = whole;
            columns.push(Some(compute::concat(&[&one.map_err(failed)?, &other.map_err(failed)?]).map_err(failed)?));
        }
        let requests: Vec<u32> = self.requests().iter().chain(more.requests()).copied().collect();
        (self.len, self.columns) = (requests.len(), columns);
        self.requests = UInt32Array::from(requests);
        Ok(())
    }

    /// Keeps the rows for which `keep` is true.
    pub fn retain(&mut self, keep: &BooleanArray) -> Result<(), RowsError> {
        let failed =
            |e: arrow::error::ArrowError| RowsError::Filter { table: self.table.name.clone(), why: e.to_string() };
        let requests = compute::filter(&self.requests, keep).map_err(failed)?;
        let columns = self
            .columns
            .iter()
            .map(|c| c.as_ref().map(|c| compute::filter(c, keep)).transpose())
            .collect::<Result<Vec<_>, _>>()
            .map_err(failed)?;
        self.len = requests.len();
        self.requests = requests
            .as_any()
            .downcast_ref::<UInt32Array>()
            .cloned()
            .unwrap_or_else(|| UInt32Array::from(Vec::<u32>::new()));
        self.columns = columns;
        Ok(())
    }
}
