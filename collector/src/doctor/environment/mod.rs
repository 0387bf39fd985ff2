//! What surrounds the data: ports, folders, disk, key, clock, a record sent and read back, the process's own numbers.

mod disk;
mod key;
mod own;
mod ports;
mod record;

use std::fs::{File, TryLockError};
use std::path::Path;

use super::finding::{Finding, Seen};
use crate::config::Config;
use crate::store::journal_folder;

/// Everything around the data, in the order in which it is needed for a record to arrive.
pub(super) async fn look(config: &Config) -> Vec<Finding> {
    let running = is_running(&config.data);
    let mut findings = ports::look(config, running).await;
    findings.extend(disk::look(config));
    findings.push(key::look(config).await);
    findings.extend(record::look(config, running).await);
    if running {
        findings.extend(own::look(config).await);
    }
    findings
}

/// Whether a collector has the data folder: it holds the journal's lock as long as it lives.
fn is_running(data: &Path) -> bool {
    let lock = File::open(journal_folder(data).join("lock"));
    // A shared lock, given back at once.
    lock.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// A finding about this very process or machine names no service of an app.
fn seen(what: &'static str, value: impl ToString) -> Vec<Seen> {
    vec![Seen::new("marquetry", 1).with(what, value.to_string())]
}
