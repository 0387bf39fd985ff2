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

/// Reads on and says which positions came.
fn read_on(folder: &Path, id: JournalId, place: &mut Place, upto: u64, max_bytes: usize) -> (Vec<u64>, bool) {
    let stretch = Snapshot::open(folder).unwrap().stretch(id, place, Position(upto), max_bytes);
    assert_eq!(stretch.damage, []);
    for entry in &stretch.entries {
        assert_eq!(entry.tables().map(|(table, _)| table).collect::<Vec<_>>(), ["probe"]);
        entry.parts(&catalog(), |_| true).unwrap();
    }
    *place = stretch.next;
    (stretch.entries.iter().map(|entry| entry.position().0).collect(), stretch.more)
}

#[test]
fn a_follower_goes_on_from_its_place() {
    let folder = folder();
    let journal = open_with(folder.path(), Options { segment_bytes: 20_000, ..Options::default() });
    let mut place = Place::default();
    let mut read = Vec::new();
    for position in 1..=60 {
        // Schemas come and go: what a place knows must be enough.
        let table = catalog();
        let gather = match position % 3 {
            0 => sample::seal(vec![sample::full(table.table("probe").unwrap(), 1, 0)]),
            _ => numbered(position, 1 + position as usize % 40),
        };
        journal.append(&gather).unwrap();
        if position % 4 == 0 {
            // The last is left for the next time.
            let (came, more) = read_on(folder.path(), journal.id(), &mut place, position - 1, usize::MAX);
            assert!(!more, "what stands behind the last wanted is no more");
            read.extend(came);
        }
    }
    assert!(segments(folder.path()).len() > 2);
    assert_eq!(read, (1..=59).collect::<Vec<_>>());
    let other = JournalId::random().unwrap();
    assert_eq!(read_on(folder.path(), other, &mut Place::default(), u64::MAX, usize::MAX), (vec![], false));
}

#[test]
fn a_stretch_is_bounded_and_can_be_read_again() {
    let folder = folder();
    let journal = open_with(folder.path(), Options { segment_bytes: 20_000, ..Options::default() });
    (1..=50).for_each(|position| append(&journal, position));
    for max_bytes in [1, 3_000, 30_000] {
        let mut place = Place::default();
        let (mut read, mut stretches) = (Vec::new(), 0);
        loop {
            let before = place.clone();
            let (came, more) = read_on(folder.path(), journal.id(), &mut place, 45, max_bytes);
            let again = read_on(folder.path(), journal.id(), &mut before.clone(), 45, max_bytes);
            assert_eq!(again, (came.clone(), more), "from the old place the same comes again");
            assert!(max_bytes > 1 || came.len() <= 1);
            read.extend(came);
            stretches += 1;
            if !more {
                break;
            }
        }
        assert_eq!(read, (1..=45).collect::<Vec<_>>(), "in stretches of {max_bytes} bytes");
        assert!(stretches > 1);
    }
}

#[test]
fn damage_on_the_way_is_told() {
    let folder = folder();
    let journal = open(folder.path());
    (1..=9).for_each(|position| append(&journal, position));
    let id = journal.id();
    drop(journal);
    let path = &segments(folder.path())[0];
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xFF;
    std::fs::write(path, bytes).unwrap();
    let stretch = Snapshot::open(folder.path()).unwrap().stretch(id, &Place::default(), Position(9), usize::MAX);
    assert_eq!(stretch.damage.len(), 1);
    assert_eq!(stretch.entries.len(), 8);
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
