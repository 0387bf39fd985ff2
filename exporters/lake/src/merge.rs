//! Many small sorted files become one: a streaming k-way merge by the table's sort.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch};
use arrow::compute::{SortOptions, filter_record_batch, interleave_record_batch};
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::row::{OwnedRow, RowConverter, Rows, SortField};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, Stream, StreamExt, TryFutureExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::ParquetRecordBatchStreamBuilder;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use schemas::Table;

use crate::delta::{Add, Marks, Snapshot};
use crate::echo::{ECHO_OF, Echoes};
use crate::flush::{Stored, fresh_path};
use crate::parquet_file::{Codec, Writer, open_bytes};
use crate::rows::{PARTITION, align, present};
use crate::upload::Upload;
use crate::{Error, Store, hours};

/// Files of one level that are merged as soon as they wait.
pub(crate) const FANIN: usize = 16;
/// A file of this size is left alone: merging it again costs more than it saves.
pub(crate) const FULL: i64 = 128 << 20;
/// Rows read from each source at once, and written at once.
const BATCH: usize = 512;
/// Bytes that the files of one merge may take while all of them are open; two are always taken. Some eight first files
/// of the widest table: more at once would save passes and cost memory that senders need.
const OPEN: usize = 16 << 20;

/// Files of one day that should become one.
pub(crate) struct Plan {
    pub(crate) date: String,
    pub(crate) level: u32,
    pub(crate) sources: Vec<Add>,
}

/// Whose files are merged, and which of them with each other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) writer: &'a str,
    /// Those of other writers as well.
    pub(crate) all: bool,
    /// Files that wait to be completed keep to their hour, so that none has to wait for a later one.
    pub(crate) hourly: bool,
    /// So do files that wait to be thinned: one that has rested is not written again for the sake of a younger one.
    pub(crate) thins: bool,
}

/// What a file waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Waits {
    ToBeCompleted,
    ToBeThinned,
}

/// Which hour a file keeps to; none once it waits for nothing.
type Lane = Option<(Waits, i64)>;

impl Scope<'_> {
    pub(crate) fn has(&self, add: &Add) -> bool {
        self.all || add.tag("writer") == Some(self.writer)
    }

    /// When the rows were completed from all that this writer may see.
    pub(crate) fn completed(&self, add: &Add) -> Option<i64> {
        add.completed().filter(|_| add.tag("writer") == Some(self.writer))
    }

    /// Files that may become one are of one lane.
    fn lane(&self, add: &Add) -> Lane {
        match self.completed(add) {
            None if self.hourly => Some((Waits::ToBeCompleted, hours::awaited(add)?)),
            Some(_) if self.thins && add.thinned().is_none() => Some((Waits::ToBeThinned, *hours::of_file(add)?.end())),
            _ => None,
        }
    }

    pub(crate) fn marks(&self, sources: &[Add]) -> Marks {
        let completed: Option<Vec<i64>> = sources.iter().map(|a| self.completed(a)).collect();
        Marks {
            newest: sources.iter().map(Add::newest).max(),
            completed: completed.and_then(|times| times.into_iter().min()),
            thinned: sources.iter().map(Add::thinned).collect::<Option<Vec<i64>>>().and_then(|t| t.into_iter().min()),
        }
    }
}

/// What should be merged: sixteen of a level, or with `tidy` any two small ones of a day.
pub(crate) fn plan(snapshot: &Snapshot, scope: Scope, tidy: bool) -> Vec<Plan> {
    let mut groups: BTreeMap<(String, Lane, u32), Vec<Add>> = BTreeMap::new();
    for add in snapshot.files().filter(|a| a.size < FULL && scope.has(a)) {
        let Some(date) = add.date() else { continue };
        groups.entry((date.to_owned(), scope.lane(add), add.level())).or_default().push(add.clone());
    }
    let mut plans = Vec::new();
    for ((date, _, level), mut sources) in groups {
        if sources.len() >= FANIN || (tidy && level == 0 && sources.len() > 1) {
            // The small ones first, and no more than can be held and sent at once.
            sources.sort_by_key(|a| a.size);
            let mut bytes = 0;
            let fitting = sources.iter().take_while(|a| {
                bytes += a.size;
                bytes <= FULL
            });
            let count = fitting.count().clamp(2, FANIN * 4);
            sources.truncate(count);
            plans.push(Plan { date, level: level + 1, sources });
        }
    }
    plans
}

/// Merges sorted files, as many of them as may be open at once; the others wait for the next time.
pub(crate) async fn merge(store: &Store, table: &Table, mut plan: Plan) -> Result<Merged, Error> {
    let mut readers = Vec::new();
    let mut bytes = 0;
    for add in &plan.sources {
        let reader = reader(store, &table.name, add).await?;
        bytes += open_bytes(reader.metadata());
        if bytes > OPEN && readers.len() >= 2 {
            break;
        }
        readers.push(reader);
    }
    plan.sources.truncate(readers.len());
    let mut merging = Merging::over(table, &plan.sources, readers, None).await?;
    let file = merging.file(store, (&plan.date, plan.level), usize::MAX).await?;
    if let Err(e) = merging.check() {
        store.delete(&format!("{}/{}", table.name, file.path)).await?;
        return Err(e);
    }
    Ok(Merged { file, changed: merging.marked() > 0, plan })
}

/// What a merge made.
pub(crate) struct Merged {
    pub(crate) file: Stored,
    /// Whether a value differs from what the sources had, not only its place.
    pub(crate) changed: bool,
    /// What was planned, with the sources that were taken.
    pub(crate) plan: Plan,
}

/// What is done to rows on the way.
pub(crate) struct Edit<'a> {
    /// Columns that it may fill though no source has them.
    pub(crate) columns: Vec<&'static str>,
    pub(crate) apply: Apply<'a>,
}

/// Returns the rows as they should be and, unless all of them stay, which ones do.
type Apply<'a> = Box<dyn FnMut(RecordBatch) -> Result<(RecordBatch, Option<BooleanArray>), ArrowError> + Send + 'a>;

/// A merge under way.
pub(crate) struct Merging<'a> {
    table: &'a Table,
    merge: Merge<'a>,
    /// Rows that come next; `None` once all are written.
    ahead: Option<RecordBatch>,
    read: u64,
    written: u64,
}

impl<'a> Merging<'a> {
    pub(crate) async fn open(
        store: &Store,
        table: &'a Table,
        files: &[Add],
        edit: Option<Edit<'a>>,
    ) -> Result<Self, Error> {
        let mut readers = Vec::new();
        for add in files {
            readers.push(reader(store, &table.name, add).await?);
        }
        Self::over(table, files, readers, edit).await
    }

    async fn over(
        table: &'a Table,
        files: &[Add],
        readers: Vec<ParquetRecordBatchStreamBuilder<Ranges>>,
        edit: Option<Edit<'a>>,
    ) -> Result<Self, Error> {
        let fail = |e: ParquetError| Error::rows("merging files", &table.name, e);
        let schemas: Vec<SchemaRef> = readers.iter().map(|r| Arc::clone(r.schema())).collect();
        let sources = readers.into_iter().map(|r| r.with_batch_size(BATCH).build().map_err(fail));
        let sources = sources.collect::<Result<Vec<_>, _>>()?;
        let schema = with_unknown(&present(table, schemas.iter().cloned()), &schemas);
        // Rows may turn out to be echoes, or somebody's, though none was so far.
        let hints = edit.iter().flat_map(|e| e.columns.iter().copied()).chain([ECHO_OF]);
        let schema = hints.fold(schema, |schema, column| with(table, schema, column));
        let mut merge = Merge::new(table, schema, edit)?;
        for (index, source) in sources.into_iter().enumerate() {
            merge.open(index, Box::pin(source.map(|b| b.map_err(|e| e.to_string())))).await?;
        }
        let ahead = merge.next().await?;
        let read = files.iter().filter_map(Add::rows).sum();
        Ok(Self { table, merge, ahead, read, written: 0 })
    }

    /// Writes the next rows as a file of a day and level, until it is about as large as it may be.
    pub(crate) async fn file(&mut self, store: &Store, to: (&str, u32), most: usize) -> Result<Stored, Error> {
        let (date, level) = to;
        let path = fresh_path(self.table, date, level)?;
        let mut upload = Upload::new(store, format!("{}/{path}", self.table.name));
        let rows = usize::try_from(self.read).unwrap_or(usize::MAX);
        let mut writer = Writer::new(self.table, Arc::clone(&self.merge.schema), Codec::Small, rows)?;
        let written = self.write(&mut writer, &mut upload, most).await;
        let (rest, rows, times) = match written.and_then(|()| writer.finish()) {
            Ok(finished) => finished,
            Err(e) => {
                upload.abort().await;
                return Err(e);
            }
        };
        // Where nothing is left there is no file.
        let size = if rows == 0 { 0 } else { upload.finish(rest).await? };
        self.written += rows as u64;
        Ok(Stored { path, date: date.to_owned(), size, rows, times })
    }

    async fn write(&mut self, writer: &mut Writer, upload: &mut Upload<'_>, most: usize) -> Result<(), Error> {
        while let Some(batch) = self.ahead.take() {
            if batch.num_rows() > 0 {
                writer.write(&batch)?;
                upload.take(writer.written()).await?;
            }
            self.ahead = self.merge.next().await?;
            if writer.size() >= most {
                break;
            }
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Whether rows are left to write.
    pub(crate) fn is_open(&self) -> bool {
        self.ahead.is_some()
    }

    /// Rows that were marked as sent twice.
    pub(crate) fn marked(&self) -> u64 {
        self.merge.echoes.marked()
    }

    /// Rows written so far; fails if they and those that an edit dropped are not all that the sources had.
    pub(crate) fn check(&self) -> Result<u64, Error> {
        if self.is_open() || self.written + self.merge.dropped != self.read {
            return Err(Error::Merge { table: self.table.name.clone(), read: self.read, written: self.written });
        }
        Ok(self.written)
    }
}

/// A file, ready to be read in part or in whole.
pub(crate) async fn reader(
    store: &Store,
    table: &str,
    add: &Add,
) -> Result<ParquetRecordBatchStreamBuilder<Ranges>, Error> {
    let path = store.path(&format!("{table}/{}", add.path));
    let size = u64::try_from(add.size).unwrap_or_default();
    let reader = Ranges { objects: Arc::clone(store.objects()), path, size };
    ParquetRecordBatchStreamBuilder::new(reader).await.map_err(|e| Error::rows("reading a file", table, e))
}

/// Columns that files have and the schemas do not, of an overlay that is not here, are carried along.
fn with_unknown(known: &SchemaRef, files: &[SchemaRef]) -> SchemaRef {
    let mut fields: Vec<Arc<Field>> = known.fields().iter().cloned().collect();
    for field in files.iter().flat_map(|f| f.fields().iter()) {
        if field.name() != PARTITION && !fields.iter().any(|k| k.name() == field.name()) {
            fields.push(Arc::clone(field));
        }
    }
    Arc::new(Schema::new(fields))
}

/// The same columns and one more, if the table declares it.
fn with(table: &Table, schema: SchemaRef, column: &str) -> SchemaRef {
    let declared = table.column(column).filter(|_| schema.field_with_name(column).is_err());
    let Some(column) = declared else { return schema };
    let more = Arc::new(Field::new(&column.name, column.r#type.stored(), true));
    let fields: Vec<Arc<Field>> = schema.fields().iter().cloned().chain([more]).collect();
    Arc::new(Schema::new(fields))
}

/// Ranges of one object, for the Parquet reader.
pub(crate) struct Ranges {
    objects: Arc<dyn ObjectStore>,
    path: Path,
    size: u64,
}

impl AsyncFileReader for Ranges {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        let read = async move { self.objects.get_range(&self.path, range).await };
        read.map_err(|e| ParquetError::External(Box::new(e))).boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        let size = self.size;
        async move { ParquetMetaDataReader::new().load_and_finish(self, size).await.map(Arc::new) }.boxed()
    }
}

type Source = Pin<Box<dyn Stream<Item = Result<RecordBatch, String>> + Send>>;

/// One source and the batch that it is in.
struct Open {
    source: Source,
    batch: RecordBatch,
    keys: Rows,
    row: usize,
}

struct Merge<'a> {
    table: String,
    schema: SchemaRef,
    sort: Vec<usize>,
    converter: RowConverter,
    open: Vec<Option<Open>>,
    heap: BinaryHeap<Reverse<(OwnedRow, usize)>>,
    /// Sort key of the row that went out last.
    last: Option<OwnedRow>,
    edit: Option<Edit<'a>>,
    echoes: Echoes,
    dropped: u64,
}

impl<'a> Merge<'a> {
    fn new(table: &Table, schema: SchemaRef, edit: Option<Edit<'a>>) -> Result<Self, Error> {
        let sort: Vec<usize> = table.sort.iter().filter_map(|name| schema.index_of(name).ok()).collect();
        let options = SortOptions { descending: false, nulls_first: true };
        let fields =
            sort.iter().map(|i| SortField::new_with_options(schema.field(*i).data_type().clone(), options)).collect();
        let converter = RowConverter::new(fields).map_err(|e| Error::rows("merging files", &table.name, e))?;
        Ok(Self {
            table: table.name.clone(),
            schema,
            sort,
            converter,
            open: Vec::new(),
            heap: BinaryHeap::new(),
            last: None,
            edit,
            echoes: Echoes::default(),
            dropped: 0,
        })
    }

    fn fail(&self, why: impl ToString) -> Error {
        Error::rows("merging files", &self.table, why)
    }

    async fn open(&mut self, index: usize, source: Source) -> Result<(), Error> {
        self.open.resize_with(index + 1, || None);
        self.advance(index, source).await
    }

    /// Reads the next batch of a source, or closes it.
    async fn advance(&mut self, index: usize, mut source: Source) -> Result<(), Error> {
        while let Some(batch) = source.next().await {
            let batch = batch.map_err(|e| self.fail(e))?;
            if batch.num_rows() == 0 {
                continue;
            }
            let batch = align(&batch, &self.schema).map_err(|e| self.fail(e))?;
            let columns: Vec<ArrayRef> = self.sort.iter().map(|i| Arc::clone(batch.column(*i))).collect();
            let keys = match columns.is_empty() {
                true => self.converter.empty_rows(0, 0),
                false => self.converter.convert_columns(&columns).map_err(|e| self.fail(e))?,
            };
            let open = Open { source, batch, keys, row: 0 };
            self.push(index, &open);
            self.open[index] = Some(open);
            return Ok(());
        }
        self.open[index] = None;
        Ok(())
    }

    fn push(&mut self, index: usize, open: &Open) {
        self.heap.push(Reverse((open.keys.row(open.row).owned(), index)));
    }

    /// The next rows in order; stops early where a source needs its next batch.
    async fn next(&mut self) -> Result<Option<RecordBatch>, Error> {
        let mut picks: Vec<(usize, usize)> = Vec::with_capacity(BATCH);
        let mut starts = Vec::with_capacity(BATCH);
        let mut exhausted = None;
        while picks.len() < BATCH {
            let Some(Reverse((key, index))) = self.heap.pop() else { break };
            let Some(open) = self.open[index].as_mut() else { continue };
            picks.push((index, open.row));
            starts.push(self.last.as_ref() != Some(&key));
            self.last = Some(key);
            open.row += 1;
            if open.row == open.batch.num_rows() {
                exhausted = Some(index);
                break;
            }
            let key = open.keys.row(open.row).owned();
            self.heap.push(Reverse((key, index)));
        }
        if picks.is_empty() {
            return Ok(None);
        }
        let mut batch = self.pick(&picks)?;
        let mut keep = None;
        if let Some(edit) = &mut self.edit {
            (batch, keep) = (edit.apply)(batch).map_err(|e| Error::rows("completing rows", &self.table, e))?;
        }
        let mut batch = self.echoes.mark(batch, &starts).map_err(|e| Error::rows("marking echoes", &self.table, e))?;
        if let Some(keep) = keep {
            let kept = filter_record_batch(&batch, &keep).map_err(|e| self.fail(e))?;
            self.dropped += (batch.num_rows() - kept.num_rows()) as u64;
            batch = kept;
        }
        if let Some(index) = exhausted
            && let Some(open) = self.open[index].take()
        {
            self.advance(index, open.source).await?;
        }
        Ok(Some(batch))
    }

    fn pick(&self, picks: &[(usize, usize)]) -> Result<RecordBatch, Error> {
        let mut place = vec![0; self.open.len()];
        let mut batches = Vec::new();
        for (index, open) in self.open.iter().enumerate() {
            if let Some(open) = open {
                place[index] = batches.len();
                batches.push(&open.batch);
            }
        }
        let picks: Vec<(usize, usize)> = picks.iter().map(|(source, row)| (place[*source], *row)).collect();
        interleave_record_batch(&batches, &picks).map_err(|e| self.fail(e))
    }
}
