//! Starts and stops, fsync, limits, release, and a disk that refuses.

use std::fs::{File, OpenOptions};

use rustix::process::{Resource, Rlimit, setrlimit};

use super::*;
use crate::segment;

fn marks(folder: &Path) -> usize {
    let is_mark = |path: PathBuf| path.extension().is_some_and(|e| e == "clean");
    std::fs::read_dir(folder).unwrap().filter(|e| is_mark(e.as_ref().unwrap().path())).count()
}

fn position_of(result: Result<Position, Error>) -> u64 {
    result.unwrap().0
}

#[test]
fn a_clean_stop_goes_on_under_the_same_id() {
    let folder = folder();
    let mut id = None;
    let mut next = 1;
    for start in 0..4 {
        let journal = open(folder.path());
        assert_eq!(marks(folder.path()), 0, "the mark is taken at once");
        assert_eq!(*id.get_or_insert(journal.id()), journal.id());
        // One start appends nothing.
        for _ in 0..[2, 0, 1, 3][start] {
            assert_eq!(position_of(journal.append(&numbered(next, 1))), next);
            next += 1;
        }
        journal.close().unwrap();
        assert!(matches!(journal.append(&numbered(next, 1)), Err(Error::Poisoned(_))));
        assert_eq!(marks(folder.path()), 1);
        assert_eq!(journal.stats().durable, Position(next - 1));
    }
    let read: Vec<u64> = contents(folder.path()).into_iter().map(|(_, position, _)| position).collect();
    assert_eq!(read, (1..next).collect::<Vec<_>>());
}

#[test]
fn an_unclean_stop_starts_a_new_id_and_the_old_one_stays() {
    let folder = folder();
    let mut expected = Vec::new();
    for start in 1..4 {
        let journal = open(folder.path());
        for position in 1..=start {
            assert_eq!(position_of(journal.append(&numbered(start * 10 + position, 1))), position);
            expected.push((journal.id(), position, vec![start * 10 + position]));
        }
        let clone = journal.clone();
        drop(journal);
        assert!(matches!(Journal::open(folder.path(), catalog(), Options::default()), Err(Error::Locked(_))));
        drop(clone);
        assert_eq!(marks(folder.path()), 0);
    }
    expected.sort();
    assert_eq!(contents(folder.path()), expected);
    assert_eq!(damaged(folder.path()), 0);
}

#[test]
fn a_mark_that_is_older_than_the_segments_is_not_believed() {
    let folder = folder();
    let journal = open(folder.path());
    journal.append(&numbered(1, 1)).unwrap();
    journal.close().unwrap();
    let mark = folder.path().join(format!("{}.clean", journal.id()));
    let old = std::fs::read(&mark).unwrap();
    let id = journal.id();
    drop(journal);
    let journal = open(folder.path());
    journal.append(&numbered(2, 1)).unwrap();
    drop(journal);
    for mark_bytes in [old.as_slice(), b"", b"{", br#"{"next":0,"next_audit":0}"#] {
        std::fs::write(&mark, mark_bytes).unwrap();
        assert_ne!(open(folder.path()).id(), id);
        assert_eq!(marks(folder.path()), 0);
    }
}

#[test]
fn durable_tells_when_everything_before_is_synced() {
    let folder = folder();
    let journal = open(folder.path());
    assert_eq!(*journal.subscribe().borrow().as_ref().unwrap(), Position(0));
    let last = (1..=200).map(|n| position_of(journal.append(&numbered(n, 1)))).max().unwrap();
    block_on(async {
        journal.durable(Position(last)).await.unwrap();
        journal.durable(Position(1)).await.unwrap();
    });
    assert_eq!(journal.stats().durable, Position(last));
    assert_eq!(journal.stats().appended, Position(last));
}

#[test]
fn many_appenders_share_one_order() {
    let folder = folder();
    let journal = open_with(folder.path(), Options { segment_bytes: 20_000, ..Options::default() });
    let threads: Vec<_> = (0..4u64)
        .map(|thread| {
            let journal = journal.clone();
            std::thread::spawn(move || {
                let number = |i| thread * 1000 + i;
                (0..100).map(|i| (position_of(journal.append(&numbered(number(i), 1))), number(i))).collect::<Vec<_>>()
            })
        })
        .collect();
    let mut expected: Vec<(u64, u64)> = threads.into_iter().flat_map(|t| t.join().unwrap()).collect();
    expected.sort_unstable();
    let read: Vec<(u64, u64)> = contents(folder.path()).into_iter().map(|(_, p, numbers)| (p, numbers[0])).collect();
    assert_eq!(read, expected);
    assert_eq!(expected.iter().map(|(p, _)| *p).collect::<Vec<_>>(), (1..=400).collect::<Vec<_>>());
}

/// A journal of three sealed segments with two gathers each, and an active one with one.
fn rolled(folder: &Path) -> Journal {
    let journal = open(folder);
    for number in 1..=7 {
        journal.append(&numbered(number, 1)).unwrap();
        if number % 2 == 0 {
            journal.roll().unwrap();
            journal.roll().unwrap();
        }
    }
    let own = segments(folder).iter().filter(|p| p.to_str().unwrap().contains(&journal.id().to_string())).count();
    assert_eq!(own, 4);
    journal
}

#[test]
fn release_takes_only_what_is_safe() {
    // What is safe, and how many of three sealed segments may stay.
    for (safe, left) in [(0, 3), (1, 3), (2, 2), (3, 2), (4, 1), (5, 1), (6, 0), (7, 0), (u64::MAX, 0)] {
        let folder = folder();
        let journal = rolled(folder.path());
        let before = Snapshot::open(folder.path()).unwrap();
        journal.release(journal.id(), Position(safe)).unwrap();
        journal.release(journal.id(), Position(safe)).unwrap();
        assert_eq!(segments(folder.path()).len(), left + 1, "safe {safe}");
        assert_eq!(journal.stats().segments, left as u64 + 1, "safe {safe}");
        let bytes: u64 = segments(folder.path()).iter().map(|p| p.metadata().unwrap().len()).sum();
        assert_eq!(journal.stats().bytes, bytes, "safe {safe}");
        let read: Vec<u64> = contents(folder.path()).into_iter().map(|(_, position, _)| position).collect();
        assert_eq!(read, (2 * (3 - left as u64) + 1..=7).collect::<Vec<_>>(), "safe {safe}");
        let held = before.views().iter().flat_map(|v| v.entries()).map(|e| numbers(&e)[0]);
        assert_eq!(held.collect::<Vec<_>>(), (1..=7).collect::<Vec<_>>(), "a snapshot keeps what it saw");
    }
}

#[test]
fn a_segment_stays_until_every_follower_is_past_it() {
    let folder = folder();
    let journal = rolled(folder.path());
    let id = journal.id();
    let left = || segments(folder.path()).len() - 1;
    let (slow, fast) = (journal.hold(), journal.hold());
    journal.release(id, Position(7)).unwrap();
    assert_eq!(left(), 3, "both hold");
    fast.advance(id, Position(7)).unwrap();
    assert_eq!(left(), 3, "one holds");
    slow.advance(id, Position(3)).unwrap();
    assert_eq!(left(), 2, "up to the slower one");
    drop(slow);
    journal.release(id, Position(7)).unwrap();
    assert_eq!(left(), 0, "who is gone holds nothing");
}

#[test]
fn what_was_released_goes_when_its_holder_lets_go() {
    let folder = folder();
    let old = rolled(folder.path()).id();
    let journal = open(folder.path());
    let hold = journal.hold();
    journal.release(old, Position(u64::MAX)).unwrap();
    assert_eq!(segments(folder.path()).len(), 5, "nobody asks a second time");
    hold.advance(old, Position(u64::MAX)).unwrap();
    assert_eq!(segments(folder.path()).len(), 1);
}

#[test]
fn release_of_an_earlier_journal() {
    // The last segment holds position 7; nobody knows that it does not hold more.
    for (safe, left) in [(1, 4), (2, 3), (6, 1), (7, 1), (1 << 40, 1), (u64::MAX, 0)] {
        let folder = folder();
        let old = rolled(folder.path()).id();
        let journal = open(folder.path());
        journal.append(&numbered(100, 1)).unwrap();
        journal.release(old, Position(safe)).unwrap();
        let read = contents(folder.path());
        assert_eq!(segments(folder.path()).len(), left + 1, "safe {safe}");
        assert!(read.contains(&(journal.id(), 1, vec![100])), "safe {safe}");
        journal.release(journal.id(), Position(safe)).unwrap();
        assert!(contents(folder.path()).contains(&(journal.id(), 1, vec![100])), "the active segment stays");
    }
}

#[test]
fn release_of_segments_from_before_a_clean_stop() {
    let folder = folder();
    // Other journals are listed around it.
    for _ in 0..3 {
        open(folder.path()).append(&numbered(1, 1)).unwrap();
    }
    let journal = rolled(folder.path());
    journal.close().unwrap();
    let id = journal.id();
    drop(journal);
    let journal = open(folder.path());
    journal.append(&numbered(8, 1)).unwrap();
    journal.roll().unwrap();
    let own = || segments(folder.path()).iter().filter(|p| p.to_str().unwrap().contains(&id.to_string())).count();
    assert_eq!(own(), 6);
    for (safe, left) in [(5, 4), (6, 3), (7, 2), (8, 1)] {
        journal.release(id, Position(safe)).unwrap();
        assert_eq!(own(), left, "safe {safe}");
    }
    assert_eq!(segments(folder.path()).len(), 4);
}

#[test]
fn a_segment_that_cannot_be_unlinked_is_kept_in_mind() {
    let folder = folder();
    let journal = rolled(folder.path());
    let first = segments(folder.path()).remove(0);
    std::fs::remove_file(&first).unwrap();
    std::fs::create_dir(&first).unwrap();
    assert!(matches!(journal.release(journal.id(), Position(6)), Err(Error::Io { .. })));
    assert_eq!(journal.stats().segments, 4);
    std::fs::remove_dir(&first).unwrap();
    journal.release(journal.id(), Position(6)).unwrap();
    assert_eq!(journal.stats().segments, 1);
}

#[test]
fn a_full_journal_refuses_until_something_is_released() {
    let folder = folder();
    // Smaller than a segment: what fills it is the active one.
    let journal = open_with(folder.path(), Options { max_bytes: 50_000, segment_bytes: 32 << 20 });
    for round in 0..3 {
        let mut last = Position(0);
        let refused = loop {
            match journal.append(&numbered(1, 100)) {
                Ok(position) => last = position,
                Err(error) => break error,
            }
        };
        assert!(refused.is_full(), "{refused}");
        assert!(journal.append(&numbered(1, 1)).unwrap_err().is_full());
        assert_eq!(journal.stats().appended, last, "round {round}: a refused append uses no position");
        journal.release(journal.id(), last).unwrap();
    }
    journal.append(&numbered(1, 1)).unwrap();
}

#[test]
fn bytes_of_earlier_journals_count() {
    let folder = folder();
    let old = open(folder.path());
    old.append(&numbered(1, 1000)).unwrap();
    let id = old.id();
    drop(old);
    let journal = open_with(folder.path(), Options { max_bytes: 10_000, ..Options::default() });
    assert!(journal.append(&numbered(1, 1)).unwrap_err().is_full());
    journal.release(id, Position(u64::MAX)).unwrap();
    journal.append(&numbered(1, 1)).unwrap();
}

/// A file that takes writes and refuses to sync.
fn unsyncable() -> File {
    OpenOptions::new().write(true).open("/dev/null").unwrap()
}

#[test]
fn a_failed_fsync_stops_the_journal_for_good() {
    let folder = folder();
    let journal = open(folder.path());
    journal.append(&numbered(1, 1)).unwrap();
    block_on(journal.durable(Position(1))).unwrap();
    journal.write_to(unsyncable());
    let position = journal.append(&numbered(2, 1)).unwrap();
    assert!(block_on(journal.durable(position)).is_err());
    assert!(matches!(journal.append(&numbered(3, 1)), Err(Error::Poisoned(_))));
    assert!(journal.roll().is_err());
    assert!(journal.close().is_err());
    assert_eq!(marks(folder.path()), 0);
    assert_eq!(journal.stats().durable, Position(1));
}

#[test]
fn a_fsync_that_fails_while_sealing_stops_it_too() {
    let folder = folder();
    let journal = open(folder.path());
    journal.append(&numbered(1, 1)).unwrap();
    block_on(journal.durable(Position(1))).unwrap();
    // The sync thread has nothing to do, so that only sealing meets the failure.
    journal.write_to(unsyncable());
    assert!(journal.roll().is_err());
    assert!(matches!(journal.append(&numbered(2, 1)), Err(Error::Poisoned(_))));
    assert!(journal.subscribe().borrow().is_err());
    assert!(journal.close().is_err());
    assert_eq!(marks(folder.path()), 0);
}

fn limit_files(bytes: Option<u64>) {
    setrlimit(Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
}

#[test]
fn a_disk_that_refuses_loses_nothing_acknowledged() {
    let folder = folder();
    run_alone("tests::lifecycle::refusing_disk", folder.path());
    // What the process checked from inside holds after its end, too.
    let read: Vec<u64> = contents(folder.path()).into_iter().flat_map(|(_, _, numbers)| numbers).collect();
    assert!(!read.is_empty() && read.windows(2).all(|w| w[0] < w[1]));
}

#[test]
#[ignore = "limits its whole process; a_disk_that_refuses_loses_nothing_acknowledged runs it"]
fn refusing_disk() {
    let folder = given_folder();
    let journal = open(&folder);
    let mut acknowledged = Vec::new();
    let mut append = |number: u64| {
        let result = journal.append(&numbered(number, 1));
        if let Ok(position) = &result {
            acknowledged.push((journal.id(), position.0, vec![number]));
        }
        result.is_ok()
    };
    assert!(append(1) && append(2));
    // Room left in the segment for an append of which only a part fits, down to none and up to all but the last byte.
    let cost = {
        let before = journal.stats().bytes;
        assert!(append(3));
        journal.stats().bytes - before
    };
    for (number, room) in (10..).zip([0, 1, 31, 32, 33, 100, cost - 8, cost - 1]) {
        assert!(append(number * 10));
        let active = segments(&folder).pop().unwrap();
        limit_files(Some(active.metadata().unwrap().len() + room));
        assert!(!append(number * 10 + 1), "{room} bytes left of {cost}");
        // Not even a header fits.
        limit_files(Some(7));
        assert!(!append(number * 10 + 2), "{room} bytes left of {cost}");
        limit_files(None);
        assert!(append(number * 10 + 3), "{room} bytes left of {cost}");
        let bytes: u64 = segments(&folder).iter().map(|p| p.metadata().unwrap().len()).sum();
        assert_eq!(journal.stats().bytes, bytes);
    }
    // Nothing of this segment was ever acknowledged.
    journal.roll().unwrap();
    limit_files(Some(segment::HEADER as u64 + 20));
    assert!(!append(1000));
    limit_files(None);
    assert!(append(1001));
    let last = Position(acknowledged.last().unwrap().1);
    block_on(journal.durable(last)).unwrap();
    assert_eq!(contents(&folder), acknowledged);
    let positions: Vec<u64> = acknowledged.iter().map(|(_, position, _)| *position).collect();
    assert!(positions.windows(2).all(|w| w[0] < w[1]), "{positions:?}");
    // Eight appends left torn bytes behind, one left none.
    assert_eq!(segments(&folder).len(), 11);
    assert_eq!(damaged(&folder), 8);
    journal.close().unwrap();
}
