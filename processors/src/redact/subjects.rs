//! Whose values a gather holds: a pseudonym is a tenant's, a data key is a user's.

use std::sync::Arc;

use arrow::array::{Array, TimestampMicrosecondArray};
use component::Rows;
use hashbrown::{Equivalent, HashMap};

/// A tenant, and its user where users are told apart and one is known.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Subject {
    pub(super) tenant: Box<str>,
    pub(super) user: Option<Box<str>>,
}

/// A subject that is looked for.
#[derive(Hash)]
struct Asked<'a> {
    tenant: &'a str,
    user: Option<&'a str>,
}

impl Equivalent<Arc<Subject>> for Asked<'_> {
    fn equivalent(&self, key: &Arc<Subject>) -> bool {
        *self.tenant == *key.tenant && self.user == key.user.as_deref()
    }
}

/// A subject, and the row in which a gather has it first.
#[derive(Debug)]
pub(super) struct Met {
    pub(super) subject: Arc<Subject>,
    /// The row's request.
    pub(super) request: u32,
    /// When the row was received.
    pub(super) time: Option<i64>,
}

/// The subjects of a gather, by number, and those of the rows of one of its tables.
#[derive(Debug, Default)]
pub(super) struct Subjects {
    met: Vec<Met>,
    numbers: HashMap<Arc<Subject>, usize>,
    rows: Vec<usize>,
}

impl Subjects {
    /// A new gather begins.
    pub(super) fn clear(&mut self) {
        self.met.clear();
        self.numbers.clear();
        self.rows.clear();
    }

    /// The rows of a table come now; `by_user` says whether users are told apart.
    pub(super) fn begin(&mut self, rows: &Rows, by_user: bool) {
        let (tenants, users) = (rows.text("tenant"), rows.text("user_ref").filter(|_| by_user));
        let times = rows.get("received_time").or_else(|| rows.get("time"));
        let times: Option<&TimestampMicrosecondArray> = times.and_then(|times| times.as_any().downcast_ref());
        self.rows.clear();
        for row in 0..rows.len() {
            let asked = Asked {
                tenant: tenants.and_then(|text| text.get(row)).unwrap_or_default(),
                user: users.and_then(|text| text.get(row)),
            };
            let number = self.numbers.get(&asked).copied().unwrap_or_else(|| {
                let subject = Subject { tenant: asked.tenant.into(), user: asked.user.map(Into::into) };
                let time = times.filter(|times| times.is_valid(row)).map(|times| times.value(row));
                self.meet(Met { subject: Arc::new(subject), request: rows.requests()[row], time })
            });
            self.rows.push(number);
        }
    }

    fn meet(&mut self, met: Met) -> usize {
        let number = self.met.len();
        self.numbers.insert(Arc::clone(&met.subject), number);
        self.met.push(met);
        number
    }

    /// The number of a row's subject.
    pub(super) fn of(&self, row: usize) -> usize {
        self.rows.get(row).copied().unwrap_or_default()
    }

    /// A subject by its number.
    pub(super) fn get(&self, number: usize) -> Option<&Met> {
        self.met.get(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::gather;

    #[test]
    fn rows_of_one_user_have_one_number_in_every_table() {
        let ann = [("tenant", "acme"), ("user_ref", "u1_ann"), ("received_time", "5")];
        let other = [("tenant", "acme"), ("user_ref", "u1_bob")];
        let gather = gather(&[
            ("logs", &ann),
            ("logs", &other),
            ("logs", &[("user_ref", "u1_ann")]),
            ("logs", &[("tenant", "acme")]),
            ("logs", &ann),
            ("spans", &ann),
        ]);
        let mut subjects = Subjects::default();
        subjects.begin(gather.table("logs").unwrap(), true);
        assert_eq!((0..5).map(|row| subjects.of(row)).collect::<Vec<_>>(), [0, 1, 2, 3, 0]);
        subjects.begin(gather.table("spans").unwrap(), true);
        assert_eq!(subjects.of(0), 0);
        let met = subjects.get(0).unwrap();
        assert_eq!((met.subject.user.as_deref(), met.time), (Some("u1_ann"), Some(5)));
        subjects.clear();
        subjects.begin(gather.table("logs").unwrap(), false);
        assert_eq!((0..5).map(|row| subjects.of(row)).collect::<Vec<_>>(), [0, 0, 1, 0, 0]);
    }
}
