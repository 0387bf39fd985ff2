//! The tables, and how many rows each must have.

use super::Item;

/// A table of the lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    Requests,
    ProviderCalls,
    Errors,
    AuthEvents,
    ActivityEvents,
    AuditLog,
    RateLimits,
    KeyEvents,
    Spans,
    Logs,
}

/// All of them.
pub const TABLES: [Table; 10] = [
    Table::Requests,
    Table::ProviderCalls,
    Table::Errors,
    Table::AuthEvents,
    Table::ActivityEvents,
    Table::AuditLog,
    Table::RateLimits,
    Table::KeyEvents,
    Table::Spans,
    Table::Logs,
];

impl Table {
    /// Its name in SQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::ProviderCalls => "provider_calls",
            Self::Errors => "errors",
            Self::AuthEvents => "auth_events",
            Self::ActivityEvents => "activity_events",
            Self::AuditLog => "audit_log",
            Self::RateLimits => "rate_limits",
            Self::KeyEvents => "key_events",
            Self::Spans => "spans",
            Self::Logs => "logs",
        }
    }
}

/// What must be stored of some records. Echoes are rows like others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// Rows by table, in the order of [`TABLES`].
    pub rows: [u64; TABLES.len()],
    /// Those of them that are some record's home row.
    pub home: [u64; TABLES.len()],
    /// Records that the filter drops.
    pub dropped: u64,
    /// Home rows of calls that hold messages.
    pub content: u64,
}

impl Expected {
    /// Of these records.
    pub fn of(items: &[Item]) -> Self {
        let mut expected = Self::default();
        items.iter().for_each(|item| expected.add(item));
        expected
    }

    /// One record more.
    pub fn add(&mut self, item: &Item) {
        match item.home {
            Some(table) => {
                self.rows[table as usize] += 1;
                self.home[table as usize] += 1;
            }
            None => self.dropped += 1,
        }
        item.also.iter().for_each(|table| self.rows[*table as usize] += 1);
        self.content += u64::from(item.content);
    }

    /// These and those.
    pub fn merge(&mut self, other: &Self) {
        self.rows.iter_mut().zip(other.rows).for_each(|(sum, more)| *sum += more);
        self.home.iter_mut().zip(other.home).for_each(|(sum, more)| *sum += more);
        self.dropped += other.dropped;
        self.content += other.content;
    }

    /// Records that are sent.
    pub fn sent(&self) -> u64 {
        self.home.iter().sum::<u64>() + self.dropped
    }

    /// Rows in all tables.
    pub fn total(&self) -> u64 {
        self.rows.iter().sum()
    }
}
