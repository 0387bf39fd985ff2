//! Values in memory, opened and folded, one buffer a column: looking for a piece of text passes over them once.
//!
//! A row is never changed. A user of whom something new is said gets a new row, and the old one is blanked.

use memchr::memmem::Finder;

use crate::Part;
use crate::changes::Users;
use crate::file::Image;
use crate::query::Query;

/// Ends the text of a row; no folded text has it.
const END: u8 = b'\n';

/// The texts of one column, by row.
#[derive(Default)]
pub(crate) struct Column {
    text: Vec<u8>,
    starts: Vec<u32>,
}

/// The users of one tenant.
pub(crate) struct Index {
    pub(crate) tenant: String,
    /// Which file it was made of, and how much of it.
    pub(crate) generation: u64,
    pub(crate) image: Image,
    pub(crate) users: Users,
    pub(crate) columns: [Column; Part::ALL.len()],
    /// The user of each row, and the row of each user.
    pub(crate) user_of: Vec<u32>,
    pub(crate) row_of: Vec<u32>,
    /// Values that no key opens.
    pub(crate) unreadable: u64,
}

/// Users that were found: the first ones, and how many there are.
#[derive(Debug, Default)]
pub(crate) struct Matches {
    pub(crate) users: Vec<u32>,
    pub(crate) total: u64,
}

impl Column {
    /// Adds a row's text; what finds no room in four gigabytes is left out.
    pub(crate) fn push(&mut self, text: &str) {
        let start = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        self.starts.push(start);
        if start < u32::MAX - 1024 {
            self.text.extend_from_slice(text.as_bytes());
            self.text.push(END);
        }
    }

    /// Adds the rows of another one.
    pub(crate) fn append(&mut self, other: &Self) {
        let base = self.text.len();
        let shifted = other.starts.iter().map(|start| u32::try_from(base + *start as usize).unwrap_or(u32::MAX));
        self.starts.extend(shifted);
        self.text.extend_from_slice(&other.text);
    }

    fn range(&self, row: usize) -> std::ops::Range<usize> {
        let at =
            |row: usize| self.starts.get(row).map_or(self.text.len(), |start| *start as usize).min(self.text.len());
        let (from, to) = (at(row), at(row + 1));
        from..to.saturating_sub(1).max(from)
    }

    pub(crate) fn get(&self, row: usize) -> &str {
        std::str::from_utf8(&self.text[self.range(row)]).unwrap_or_default()
    }

    pub(crate) fn blank(&mut self, row: usize) {
        let range = self.range(row);
        self.text[range].fill(0);
    }

    pub(crate) fn bytes(&self) -> usize {
        self.text.capacity() + self.starts.capacity() * size_of::<u32>()
    }

    /// Tells every row with `needle` in its text once, and whether the text begins with it.
    fn each(&self, needle: &str, mut tell: impl FnMut(usize, bool)) {
        let finder = Finder::new(needle.as_bytes());
        let (mut at, mut row) = (0, 0);
        while let Some(found) = self.text.get(at..).and_then(|rest| finder.find(rest)) {
            let found = at + found;
            row = self.row_at(found, row);
            let range = self.range(row);
            tell(row, found == range.start);
            at = range.end + 1;
            row += 1;
        }
    }

    /// The row of a place in the text, at or behind `from`: near it where hits are many, by halves where they are few.
    fn row_at(&self, place: usize, from: usize) -> usize {
        let mut step = 1;
        while self.starts.get(from + step).is_some_and(|start| *start as usize <= place) {
            step *= 2;
        }
        let to = (from + step).min(self.starts.len());
        let near = &self.starts[from..to];
        from + near.partition_point(|start| *start as usize <= place).saturating_sub(1)
    }
}

impl Index {
    /// The users with a text in e-mail or name, its digits in the phone number, or as their pseudonym; those whose value
    /// begins with it come first.
    pub(crate) fn find(&self, query: &Query, limit: usize) -> Matches {
        let rows = self.user_of.len();
        let mut seen = vec![0u64; rows.div_ceil(64)];
        let (mut first, mut others, mut total) = (Vec::new(), Vec::new(), 0);
        let mut take = |row: usize, begins: bool| {
            let Some(word) = seen.get_mut(row / 64).filter(|word| **word >> (row % 64) & 1 == 0) else { return };
            *word |= 1 << (row % 64);
            total += 1;
            let list = if begins { &mut first } else { &mut others };
            if list.len() < limit {
                list.push(row);
            }
        };
        if let Some(user) = self.users.find(&query.folded) {
            take(self.row_of[user as usize] as usize, true);
        }
        for (part, column) in Part::ALL.into_iter().zip(&self.columns) {
            match (part, &query.digits) {
                (Part::Phone, Some(digits)) => column.each(digits, &mut take),
                (Part::Phone, None) => {}
                _ => column.each(&query.folded, &mut take),
            }
        }
        let users = first.into_iter().chain(others).take(limit).map(|row| self.user_of[row]).collect();
        Matches { users, total }
    }

    /// Rows that say nothing any more are half of them or more.
    pub(crate) fn is_stale(&self) -> bool {
        self.user_of.len() > 1024 && self.user_of.len() > 2 * self.users.len()
    }

    /// Bytes of memory.
    pub(crate) fn bytes(&self) -> usize {
        let columns: usize = self.columns.iter().map(Column::bytes).sum();
        columns + self.users.bytes() + (self.user_of.capacity() + self.row_of.capacity()) * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(texts: &[&str]) -> Column {
        let mut column = Column::default();
        texts.iter().for_each(|text| column.push(text));
        column
    }

    fn rows(column: &Column, needle: &str) -> Vec<(usize, bool)> {
        let mut found = Vec::new();
        column.each(needle, |row, begins| found.push((row, begins)));
        found
    }

    #[test]
    fn every_row_is_found_once_and_nothing_across_rows() {
        let mut all = column(&["anna", "", "bananana", "hannover", "", "an"]);
        assert_eq!(rows(&all, "ann"), [(0, true), (3, false)]);
        assert_eq!(rows(&all, "ana"), [(2, false)]);
        assert_eq!(rows(&all, "aba"), [], "not from one row into the next");
        assert_eq!(rows(&all, "an"), [(0, true), (2, false), (3, false), (5, true)]);
        all.blank(3);
        all.append(&column(&["ann", "x"]));
        assert_eq!(rows(&all, "ann"), [(0, true), (6, true)]);
        assert_eq!((all.get(2), all.get(6), all.get(7), all.get(9)), ("bananana", "ann", "x", ""));
    }

    #[test]
    fn the_same_is_found_as_by_looking_at_each() {
        let texts: Vec<String> = (0..2000u32).map(|n| format!("{:x}", n.wrapping_mul(2_654_435_761))).collect();
        let all = column(&texts.iter().map(String::as_str).collect::<Vec<_>>());
        for needle in ["000", "abc", "1", "ff", "9e3", "e", "37", "nothing"] {
            let expected: Vec<_> = (0..2000)
                .filter(|row| texts[*row].contains(needle))
                .map(|row| (row, texts[row].starts_with(needle)))
                .collect();
            assert_eq!(rows(&all, needle), expected, "{needle}");
        }
    }
}
