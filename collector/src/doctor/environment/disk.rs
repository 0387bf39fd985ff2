//! Data folder, disk, journal, and the file system's clock.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::super::finding::{Finding, counted, percent};
use super::super::snippets;
use super::seen;
use crate::config::{Config, human};
use crate::store::journal_folder;

/// Less free room than this is gone within minutes.
const LEAST: u64 = 256 << 20;
/// Filling of the journal in percent that wants a look, and that is close to refusing senders.
const FILLING: u64 = 50;
const FULL: u64 = 80;
/// Seconds between the file system's clock and the system's.
const SKEW: u64 = 2;

/// Everything about the disk.
pub(super) fn look(config: &Config) -> Vec<Finding> {
    let mut findings = vec![folder(&config.data)];
    findings.push(room(config));
    findings.extend(journal(config));
    findings.extend(clock(&config.data));
    findings
}

/// Writable, and nobody else's to read.
fn folder(data: &Path) -> Finding {
    const RULE: &str = "data_folder";
    let shown = data.display();
    let mode = match std::fs::metadata(data) {
        Ok(found) if found.is_dir() => found.permissions().mode() & 0o777,
        Ok(_) => return Finding::problem(RULE, format!("{shown} is no folder")),
        Err(e) if e.kind() == ErrorKind::NotFound => {
            return Finding::ok(RULE, format!("{shown} is not there yet; the first start makes it"));
        }
        Err(e) => return Finding::problem(RULE, format!("{shown} cannot be looked at: {e}")),
    };
    if let Err(e) = probe(data) {
        let title = format!("{shown} cannot be written to: {e}");
        return Finding::problem(RULE, title).because("Without a disk nothing can be acknowledged.");
    }
    if mode & 0o077 != 0 {
        let title = format!("{shown} can be entered by others than its owner (mode {mode:o})");
        let why = "Journal and lake hold no secret, but pseudonyms and what people did.";
        let blanks = [("mode", "700"), ("path", &*shown.to_string())];
        let mend = snippets::filled("private", "sh", "keep it to its owner", &blanks);
        return Finding::hint(RULE, title).because(why).of(seen("mode", format!("{mode:o}"))).mended(mend);
    }
    Finding::ok(RULE, format!("{shown} can be written to, by its owner alone"))
}

/// Makes a file and takes it away again; when the file system says that was.
fn probe(folder: &Path) -> std::io::Result<SystemTime> {
    let path = folder.join(format!(".doctor-{}", std::process::id()));
    let written = File::create(&path).and_then(|file| file.sync_all().and(file.metadata())?.modified());
    let removed = std::fs::remove_file(&path);
    // Why it could not be made says more than that it is not there.
    let written = written?;
    removed.map(|()| written)
}

/// The nearest folder that is there.
fn existing(path: &Path) -> &Path {
    path.ancestors().find(|p| p.is_dir()).unwrap_or_else(|| Path::new("."))
}

fn free(path: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(existing(path)).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Whether the journal can grow as far as it may.
fn room(config: &Config) -> Finding {
    const RULE: &str = "disk";
    let Some(free) = free(&config.data) else {
        return Finding::hint(RULE, "the room left on the disk cannot be told");
    };
    let wanted = config.journal.max_bytes.saturating_sub(used(&journal_folder(&config.data)));
    let title = format!("{} are free; the journal may still grow by {}", human(free), human(wanted));
    if free >= wanted && free >= LEAST {
        return Finding::ok(RULE, title);
    }
    let setting = format!("journal.max_bytes={}MiB", (free / 2) >> 20);
    let mend =
        snippets::filled("setting", "sh", "free some room, or let the journal be smaller", &[("setting", &setting)]);
    let why =
        "While the lake cannot be written the journal grows; on a full disk senders are refused before its limit.";
    let finding = if free < LEAST { Finding::problem(RULE, title) } else { Finding::hint(RULE, title) };
    finding.because(why).of(seen("free_bytes", free)).mended(mend)
}

/// Bytes of the segments.
fn used(journal: &Path) -> u64 {
    files(journal, "seg").filter_map(|path| Some(path.metadata().ok()?.len())).sum()
}

fn files(folder: &Path, extension: &'static str) -> impl Iterator<Item = PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(move |path| path.extension().is_some_and(|e| e == extension))
}

/// How full the journal is, and whether all of it can be read.
fn journal(config: &Config) -> Vec<Finding> {
    const RULE: &str = "journal";
    let folder = journal_folder(&config.data);
    if !folder.is_dir() {
        return vec![Finding::ok(RULE, "there is no journal yet")];
    }
    let (bytes, most) = (used(&folder), config.journal.max_bytes);
    let mut findings = Vec::new();
    let filled = percent(bytes, most);
    let title = format!("the journal holds {} of {}, {filled} %", human(bytes), human(most));
    let why = "Rows wait there for the lake; when it is full, senders are told to try again later.";
    if filled >= FILLING {
        let finding = if filled >= FULL { Finding::problem(RULE, &*title) } else { Finding::hint(RULE, &*title) };
        findings.push(finding.because(why).of(seen("bytes", bytes)));
    }
    match damage(&folder) {
        Ok(0) => {}
        Ok(places) => {
            let title = format!("the journal is damaged in {places} places; the rest of it is read");
            let why = "A disk gave back other bytes than were written: what stood there is lost. Look at the disk.";
            findings.push(Finding::problem(RULE, title).because(why).of(seen("places", places)));
        }
        Err(e) => findings.push(Finding::problem(RULE, format!("the journal cannot be read: {e}"))),
    }
    let aside = files(&folder, "damaged").count() as u64;
    if aside > 0 {
        let title = format!("{} of earlier segments could not be read and were put aside", counted(aside, "place"));
        let why =
            "A disk gave back other bytes than were written. The files stay for a month, for somebody to look at.";
        findings.push(Finding::hint(RULE, title).because(why).of(seen("files", aside)));
    }
    if findings.is_empty() {
        findings.push(Finding::ok(RULE, title));
    }
    findings
}

/// Places that cannot be read; what may still be written to is the end, not damage.
fn damage(folder: &Path) -> Result<u64, journal::Error> {
    let snapshot = journal::Snapshot::open(folder)?;
    let of_view = |view: &journal::View| {
        let mut entries = view.entries();
        entries.by_ref().for_each(drop);
        entries.damage().len() as u64
    };
    Ok(snapshot.views().iter().map(of_view).sum())
}

/// The file system's clock: files age by it.
fn clock(data: &Path) -> Option<Finding> {
    const RULE: &str = "clock";
    if !data.is_dir() {
        return None;
    }
    let written = probe(data).ok()?;
    let now = SystemTime::now();
    let apart = now.duration_since(written).or_else(|_| written.duration_since(now)).unwrap_or_default().as_secs();
    if apart <= SKEW {
        return Some(Finding::ok(RULE, "the file system and the system agree on the time"));
    }
    let title = format!("the file system's clock is {apart} s away from the system's");
    let why = "Old files are removed by the file system's time, and rows are kept by the system's.";
    let mend = snippets::filled("clock", "sh", "keep both clocks right", &[]);
    Some(Finding::problem(RULE, title).because(why).of(seen("seconds", apart)).mended(mend))
}
