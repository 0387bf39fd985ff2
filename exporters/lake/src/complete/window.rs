//! One hour that is whole: the files that wait for it, what is looked at, and what is written.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::{Array, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use component::Facts;
use futures::StreamExt;
use schemas::Table;

use super::edit::{Editor, IDENTITY, Identities};
use super::{Completed, Completing, SKEW};
use crate::delta::{Add, Commit, Marks, Outcome};
use crate::echo::ECHO_OF;
use crate::flush::Tables;
use crate::merge::{Edit, FULL, Merging, Scope};
use crate::scan::scan;
use crate::{Error, hours};

/// Bytes of a fingerprint in a set.
const FINGERPRINT: usize = 40;
/// Level of a completed file, whatever its sources had.
const LEVEL: u32 = 1;
/// Files of one table and day that are completed at once; the others wait for the next round.
const MOST: usize = 256;

pub(super) struct Window<'w, 't> {
    pub(super) tables: &'w mut Tables<'t>,
    pub(super) how: &'w Completing,
    pub(super) scope: Scope<'w>,
    /// Files that wait, by table and day.
    waiting: Vec<(Arc<Table>, Vec<Add>)>,
    pub(super) facts: Box<dyn Facts>,
    /// Hours of the waiting rows, and when the newest of each was committed.
    touched: BTreeMap<i64, i64>,
    /// Hours whose rows are completed.
    pub(super) hours: BTreeSet<i64>,
    identities: Identities,
    /// By table, waiting rows of hours that files have been completed for: they may be there already.
    late: HashMap<String, HashSet<u128>>,
    /// Those of them that are.
    again: HashMap<String, HashSet<u128>>,
    pub(super) done: Completed,
}

impl<'w, 't> Window<'w, 't> {
    /// With the files that wait for an hour, or without any.
    pub(super) fn new(tables: &'w mut Tables<'t>, how: &'w Completing, scope: Scope<'w>, hour: Option<i64>) -> Self {
        let mut waiting = Vec::new();
        for table in tables.catalog.tables() {
            let Some(snapshot) = tables.snapshots.get(&table.name) else { continue };
            let files = snapshot.files().filter(|a| scope.has(a) && scope.completed(a).is_none());
            // Rows whose clocks are ahead may be of another day.
            let mut days: BTreeMap<i64, Vec<Add>> = BTreeMap::new();
            for add in files.filter(|a| hour.is_some() && hours::awaited(a) == hour) {
                let Some(day) = hours::day(add) else { continue };
                days.entry(day).or_default().push(add.clone());
            }
            for mut files in days.into_values() {
                files.truncate(MOST);
                waiting.push((Arc::clone(table), files));
            }
        }
        Self {
            facts: how.rules.collect(how.memory),
            tables,
            how,
            scope,
            waiting,
            touched: BTreeMap::new(),
            hours: BTreeSet::new(),
            identities: Identities::default(),
            late: HashMap::new(),
            again: HashMap::new(),
            done: Completed::default(),
        }
    }

    pub(super) async fn complete(&mut self) -> Result<(), Error> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.look().await?;
        let stale = self.stale();
        self.look_around().await?;
        self.facts.settle();
        self.done.left_out += self.facts.left_out();
        // First what others wrote of earlier: while the late rows wait, a crash leaves everything to be done again.
        for (table, files) in stale {
            let mut differing = Vec::new();
            for add in files {
                if self.differs(&table, &add).await? {
                    differing.push(add);
                }
            }
            if !self.rewrite(&table, &differing).await? {
                return Ok(());
            }
        }
        for (table, files) in std::mem::take(&mut self.waiting) {
            if !self.close(&table, &files).await? {
                return Ok(());
            }
        }
        self.done.windows += 1;
        Ok(())
    }

    /// Files of this writer that were completed, of one table.
    fn completed(&self, table: &str) -> impl Iterator<Item = &Add> {
        let files = self.tables.snapshots.get(table).into_iter().flat_map(|s| s.files());
        files.filter(move |a| self.scope.has(a) && self.scope.completed(a).is_some())
    }

    fn columns(&self, table: &Table) -> Vec<&'static str> {
        let mut columns = self.how.rules.reads(table);
        columns.extend(IDENTITY);
        columns.push(ECHO_OF);
        columns
    }

    /// Reads the waiting files: their facts, their hours, and which rows may be there already.
    async fn look(&mut self) -> Result<(), Error> {
        for (table, files) in std::mem::take(&mut self.waiting) {
            let covered: Vec<RangeInclusive<i64>> = self.completed(&table.name).filter_map(hours::of_file).collect();
            let columns = self.columns(&table);
            for add in &files {
                let Some(day) = hours::day(add) else { continue };
                let mut batches = scan(self.tables.store, &table.name, add, &columns, |_, _| true).await?;
                while let Some(batch) = batches.next().await {
                    let batch = batch?;
                    let of_rows = hours::of_rows(&batch, day);
                    self.facts.add(&table, &batch, &of_rows);
                    for (row, hour) in of_rows.iter().enumerate() {
                        let newest = self.touched.entry(*hour).or_insert(i64::MIN);
                        *newest = add.newest().max(*newest);
                        if covered.iter().any(|hours| hours.contains(hour)) {
                            self.note(&table, &batch, row);
                        }
                    }
                    tokio::task::yield_now().await;
                }
            }
            self.waiting.push((table, files));
        }
        self.hours = self.touched.keys().copied().collect();
        Ok(())
    }

    /// Remembers a row that may be there already.
    fn note(&mut self, table: &Table, batch: &RecordBatch, row: usize) {
        let Some(id) = self.identities.of(batch, row) else { return };
        let late = self.late.entry(table.name.clone()).or_default();
        if late.len() < self.how.memory / 4 / FINGERPRINT {
            late.insert(id);
        } else {
            self.done.left_out += 1;
        }
    }

    /// Completed files that lack facts which came after them; the hours of those are completed again.
    fn stale(&mut self) -> Vec<(Arc<Table>, Vec<Add>)> {
        let near = |hour: i64| hour - 1..=hour + 1;
        let mut again = BTreeSet::new();
        let mut stale = Vec::new();
        for table in self.tables.catalog.tables() {
            let mut files = Vec::new();
            // What was thinned rests: rows that would tell of others may be gone.
            for add in self.completed(&table.name).filter(|add| add.thinned().is_none()) {
                let (Some(of_file), Some(seen)) = (hours::of_file(add), self.scope.completed(add)) else { continue };
                let late = self.touched.iter().filter(|(_, newest)| **newest > seen).map(|(hour, _)| *hour);
                let late: Vec<i64> = late.filter(|hour| near(*hour).any(|hour| of_file.contains(&hour))).collect();
                if !late.is_empty() {
                    again.extend(late.into_iter().flat_map(near));
                    files.push(add.clone());
                }
            }
            if !files.is_empty() {
                stale.push((Arc::clone(table), files));
            }
        }
        self.hours.extend(again);
        stale
    }

    /// Reads all other files that have rows of the hours in question and of those beside them.
    pub(super) async fn look_around(&mut self) -> Result<(), Error> {
        let wanted: BTreeSet<i64> = self.hours.iter().flat_map(|hour| hour - 1..=hour + 1).collect();
        let waiting: HashSet<String> =
            self.waiting.iter().flat_map(|(_, files)| files).map(|a| a.path.clone()).collect();
        for table in Arc::clone(self.tables.catalog).tables() {
            let Some(snapshot) = self.tables.snapshots.get(&table.name) else { continue };
            let others = snapshot.files().filter(|a| self.scope.has(a) && !waiting.contains(&a.path));
            let others = others.filter(|a| hours::of_file(a).is_some_and(|hours| wanted.range(hours).next().is_some()));
            let columns = self.columns(table);
            for add in others.cloned().collect::<Vec<_>>() {
                self.look_at(table, &add, &columns, &wanted).await?;
            }
        }
        Ok(())
    }

    async fn look_at(
        &mut self,
        table: &Table,
        add: &Add,
        columns: &[&str],
        wanted: &BTreeSet<i64>,
    ) -> Result<(), Error> {
        let Some(day) = hours::day(add) else { return Ok(()) };
        let is_completed = self.scope.completed(add).is_some();
        let overlaps = |low, high| wanted.range(hours::between(low, high, day)).next().is_some();
        let mut batches = scan(self.tables.store, &table.name, add, columns, overlaps).await?;
        while let Some(batch) = batches.next().await {
            let batch = batch?;
            let is_wanted: BooleanArray =
                hours::of_rows(&batch, day).iter().map(|h| Some(wanted.contains(h))).collect();
            let batch = filter_record_batch(&batch, &is_wanted);
            let batch = batch.map_err(|e| Error::rows("reading columns", &table.name, e))?;
            self.facts.add(table, &batch, &hours::of_rows(&batch, day));
            if let Some(late) = self.late.get(&table.name).filter(|late| is_completed && !late.is_empty()) {
                // A copy that does not count itself leaves the counting to the one that comes.
                let echoes = batch.column_by_name(ECHO_OF);
                let counting = (0..batch.num_rows()).filter(|row| echoes.is_none_or(|echoes| echoes.is_null(*row)));
                let ids = counting.filter_map(|row| self.identities.of(&batch, row));
                let known: Vec<u128> = ids.filter(|id| late.contains(id)).collect();
                self.again.entry(table.name.clone()).or_default().extend(known);
            }
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    fn editor<'s>(&'s self, table: &'s Table, day: i64, again: Option<&'s HashSet<u128>>) -> Editor<'s> {
        Editor {
            facts: &*self.facts,
            table,
            day,
            hours: &self.hours,
            identities: &self.identities,
            again: again.filter(|again| !again.is_empty()),
            rows: 0,
            changed: 0,
            dropped: 0,
        }
    }

    /// Whether any value of a completed file would be another now.
    pub(super) async fn differs(&self, table: &Table, add: &Add) -> Result<bool, Error> {
        let Some(day) = hours::day(add) else { return Ok(false) };
        let columns = self.columns(table);
        let mut editor = self.editor(table, day, None);
        let overlaps = |low, high| self.hours.range(hours::between(low, high, day)).next().is_some();
        let mut batches = scan(self.tables.store, &table.name, add, &columns, overlaps).await?;
        while let Some(batch) = batches.next().await {
            editor.apply(batch?).map_err(|e| Error::rows("completing rows", &table.name, e))?;
            if editor.changed + editor.dropped > 0 {
                return Ok(true);
            }
            tokio::task::yield_now().await;
        }
        Ok(false)
    }

    /// Writes completed files anew, each for itself. False if somebody else was first.
    async fn rewrite(&mut self, table: &Table, files: &[Add]) -> Result<bool, Error> {
        let mut adds = Vec::new();
        for add in files {
            let marks = self.marks(std::slice::from_ref(add));
            adds.extend(self.merge(table, std::slice::from_ref(add), add.level(), marks).await?.0);
        }
        self.commit(table, Commit { removes: self.removed(files, true), adds, ..Commit::default() }).await
    }

    /// Makes one completed file of those that wait, or several if it were too large. False if somebody else was first.
    async fn close(&mut self, table: &Table, files: &[Add]) -> Result<bool, Error> {
        if let [add] = files
            && add.level() > 0
            && self.again.get(&table.name).is_none_or(HashSet::is_empty)
            && !self.differs(table, add).await?
        {
            self.done.rows += add.rows().unwrap_or(0);
            return self.tag(table, add, LEVEL, self.marks(files)).await;
        }
        let (adds, changed) = self.merge(table, files, LEVEL, self.marks(files)).await?;
        self.commit(table, Commit { removes: self.removed(files, changed), adds, ..Commit::default() }).await
    }

    /// Says of a file what its rows have been through, and leaves them as they are. False if somebody else was first.
    async fn tag(&mut self, table: &Table, add: &Add, level: u32, marks: Marks) -> Result<bool, Error> {
        let same = self.tagged(add, level, marks);
        let commit = Commit { keeps: vec![add.path.clone()], adds: vec![same], ..Commit::default() };
        self.commit(table, commit).await
    }

    pub(super) fn tagged(&self, add: &Add, level: u32, marks: Marks) -> Add {
        let tags = [("level", level.to_string()), ("writer", self.scope.writer.to_owned())].into_iter();
        let tags = tags.chain(marks.tags()).map(|(k, v)| (k.to_owned(), Some(v))).collect();
        Add { tags: Some(tags), data_change: false, ..add.clone() }
    }

    pub(super) fn removed(&self, files: &[Add], changed: bool) -> Vec<crate::delta::Remove> {
        files.iter().map(|a| a.removed(self.tables.now, changed)).collect()
    }

    fn marks(&self, files: &[Add]) -> Marks {
        let now = (self.tables.now - SKEW).timestamp_millis();
        // Rows of other hours have not been looked at: of them no more was seen than before.
        let whole =
            |add: &Add| hours::of_file(add).is_some_and(|mut hours| hours.all(|hour| self.hours.contains(&hour)));
        let seen = |add: &Add| self.scope.completed(add).filter(|_| !whole(add)).unwrap_or(now);
        Marks { newest: files.iter().map(Add::newest).max(), completed: files.iter().map(seen).min(), thinned: None }
    }

    /// Merges files of one day with new hints. Returns what was written, and whether a value differs. Nothing is written
    /// where no row stays.
    pub(super) async fn merge(
        &mut self,
        table: &Table,
        files: &[Add],
        level: u32,
        marks: Marks,
    ) -> Result<(Vec<Add>, bool), Error> {
        let (Some(day), Some(date)) = (files.first().and_then(hours::day), files.first().and_then(Add::date)) else {
            return Err(Error::rows("completing rows", &table.name, "a file has no day"));
        };
        let is_waiting = files.iter().all(|a| self.scope.completed(a).is_none());
        let again = self.again.get(&table.name).filter(|_| is_waiting);
        let mut editor = self.editor(table, day, again);
        let apply = Box::new(|batch| editor.apply(batch));
        let edit = Edit { columns: self.how.rules.hints(table), apply };
        let mut merging = Merging::open(self.tables.store, table, files, Some(edit)).await?;
        let mut adds = Vec::new();
        loop {
            let most = usize::try_from(FULL).unwrap_or(usize::MAX);
            let file = merging.file(self.tables.store, (date, level), most).await?;
            if file.rows > 0 {
                adds.push(self.tables.add(file, level, marks));
            }
            if !merging.is_open() {
                break;
            }
        }
        merging.check()?;
        let marked = merging.marked();
        drop(merging);
        let (rows, changed, dropped) = (editor.rows, editor.changed + marked, editor.dropped);
        self.done.rows += rows;
        self.done.changed += changed;
        self.done.dropped += dropped;
        let changed = changed + dropped;
        self.done.files += adds.len() as u64;
        for add in &mut adds {
            add.data_change = changed > 0;
        }
        Ok((adds, changed > 0))
    }

    /// False if somebody else was first; what was written for it goes again.
    pub(super) async fn commit(&mut self, table: &Table, commit: Commit) -> Result<bool, Error> {
        if commit.adds.is_empty() && commit.removes.is_empty() {
            return Ok(true);
        }
        let Some(snapshot) = self.tables.snapshots.get_mut(&table.name) else { return Ok(false) };
        let fresh: Vec<String> =
            commit.adds.iter().map(|a| a.path.clone()).filter(|path| !commit.keeps.contains(path)).collect();
        let commit = Commit { operation: "OPTIMIZE", ..commit };
        if snapshot.commit(self.tables.store, commit, self.tables.now).await? != Outcome::Conflict {
            return Ok(true);
        }
        for path in fresh {
            self.tables.store.delete(&format!("{}/{path}", table.name)).await?;
        }
        Ok(false)
    }
}
