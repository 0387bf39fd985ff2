//! Readers at work while the writer appends, rolls and releases.

use std::process::Child;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::*;

const GATHERS: u64 = 1500;

/// Sizes around the dictionary threshold and one that takes several writes to become visible.
fn size(position: u64) -> usize {
    [1, 1, 70, 3, 1, 900][position as usize % 6]
}

/// Everything a folder holds, checked: whole gathers, in order, without a hole. Returns the first and last position.
fn check(folder: &Path) -> Option<(u64, u64)> {
    let mut seen: Option<(u64, u64)> = None;
    let snapshot = Snapshot::open(folder).unwrap();
    for view in snapshot.views() {
        let mut entries = view.entries();
        for entry in entries.by_ref() {
            let position = entry.position().0;
            let numbers = numbers(&entry);
            assert_eq!(numbers, (position * 1000..).take(size(position)).collect::<Vec<_>>());
            assert!(seen.is_none_or(|(_, last)| position == last + 1), "{seen:?} then {position}");
            seen = Some((seen.map_or(position, |(first, _)| first), position));
        }
        assert_eq!(entries.damage(), []);
    }
    seen
}

fn append(journal: &Journal, position: u64) {
    let appended = journal.append(&numbered(position * 1000, size(position))).unwrap();
    assert_eq!(appended, Position(position));
}

/// Ends a reader process that its test did not wait for.
struct Reader(Child);

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn another_process_sees_whole_gathers_in_order() {
    let folder = folder();
    let mut reader = Reader(alone("tests::readers::reading_process", folder.path()).spawn().unwrap());
    let journal = open_with(folder.path(), Options { segment_bytes: 100_000, ..Options::default() });
    let begin = Instant::now();
    for position in 1.. {
        append(&journal, position);
        if let Some(status) = reader.0.try_wait().unwrap() {
            assert!(status.success());
            break;
        }
        assert!(begin.elapsed() < Duration::from_secs(120), "the other process does not see the journal grow");
        if position > GATHERS {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    assert!(segments(folder.path()).len() > 1);
}

#[test]
#[ignore = "another_process_sees_whole_gathers_in_order runs it"]
fn reading_process() {
    let folder = given_folder();
    let (mut last, mut growths) = (0, 0);
    while growths < 30 {
        let Some((first, now)) = check(&folder) else { continue };
        assert_eq!(first, 1);
        assert!(now >= last, "gathers do not vanish");
        growths += u64::from(now > last);
        last = now;
    }
}

#[test]
fn snapshots_while_segments_go() {
    let folder = folder();
    let journal = open_with(folder.path(), Options { segment_bytes: 50_000, ..Options::default() });
    let (done, safe) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for position in 1..=GATHERS {
                append(&journal, position);
                if position % 50 == 0 {
                    let released = position.saturating_sub(120);
                    safe.store(released, Ordering::SeqCst);
                    journal.release(journal.id(), Position(released)).unwrap();
                }
            }
            done.store(true, Ordering::SeqCst);
        });
        let mut last = 0;
        while !done.load(Ordering::SeqCst) {
            let Some((_, now)) = check(folder.path()) else { continue };
            assert!(now >= last);
            last = now;
        }
        let (first, last) = check(folder.path()).unwrap();
        assert!(first > 1 && first <= safe.load(Ordering::SeqCst) + 1, "{first}");
        assert_eq!(last, GATHERS);
    });
}

#[test]
fn a_follower_goes_on_from_its_cursor() {
    let folder = folder();
    let journal = open(folder.path());
    let mut cursor = None;
    let mut read = Vec::new();
    for position in 1..=30 {
        // Schemas come and go: what a cursor knows must be enough.
        let table = catalog();
        let gather = match position % 3 {
            0 => sample::seal(vec![sample::full(table.table("probe").unwrap(), 1, 0)]),
            _ => numbered(position, 1),
        };
        journal.append(&gather).unwrap();
        if position % 4 == 0 {
            let snapshot = Snapshot::open(folder.path()).unwrap();
            let view = &snapshot.views()[0];
            let mut entries = match cursor.take() {
                Some(cursor) => view.entries_from(cursor),
                None => view.entries(),
            };
            for entry in entries.by_ref() {
                assert_eq!(entry.tables().map(|(table, _)| table).collect::<Vec<_>>(), ["probe"]);
                entry.parts(&catalog(), |_| true).unwrap();
                read.push(entry.position().0);
            }
            assert_eq!(entries.damage(), []);
            cursor = Some(entries.cursor());
        }
    }
    assert_eq!(read, (1..=28).collect::<Vec<_>>());
}

#[test]
fn a_folder_that_is_not_there_or_has_a_segment_just_begun() {
    let folder = folder();
    assert_eq!(Snapshot::open(&folder.path().join("none")).unwrap().views().len(), 0);
    let begun = folder.path().join(format!("{:032x}-{:020}.seg", 1, 1));
    std::fs::write(begun, b"MQJ1").unwrap();
    assert_eq!(contents(folder.path()), []);
    assert_eq!(damaged(folder.path()), 0);
}
