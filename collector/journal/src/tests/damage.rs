//! Torn tails, flipped bits, strange files.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::segment::{self, HEADER, Kind, Raw, Seed};

/// A sealed segment of gathers of these sizes, numbered from 1, and its name.
fn segment_of(sizes: &[usize]) -> (Vec<u8>, PathBuf, JournalId) {
    let folder = folder();
    let journal = open(folder.path());
    let mut first = 1;
    for size in sizes {
        journal.append(&numbered(first, *size)).unwrap();
        first += *size as u64;
    }
    let path = segments(folder.path()).remove(0);
    (std::fs::read(&path).unwrap(), PathBuf::from(path.file_name().unwrap()), journal.id())
}

/// All entries of an undamaged segment and where each begins.
fn layout(bytes: &[u8], id: JournalId) -> Vec<(usize, Raw)> {
    let mut at = HEADER;
    let mut out = Vec::new();
    while at < bytes.len() {
        let raw = segment::entry(bytes, at, Seed::of(id)).unwrap();
        let next = raw.next;
        out.push((at, raw));
        at = next;
    }
    out
}

/// Puts a segment into a folder of its own; behind it, if it is to look sealed, an empty one.
fn place(bytes: &[u8], name: &Path, id: JournalId, sealed: bool) -> tempfile::TempDir {
    let folder = folder();
    std::fs::write(folder.path().join(name), bytes).unwrap();
    if sealed {
        let next = Position(1000);
        std::fs::write(segment::path(folder.path(), id, next), segment::header(id, next)).unwrap();
    }
    folder
}

#[test]
fn a_tail_torn_at_every_byte() {
    let (bytes, name, id) = segment_of(&[1, 70, 1]);
    let (begin, _) = layout(&bytes, id).pop().unwrap();
    for cut in begin..=bytes.len() {
        for sealed in [false, true] {
            let folder = place(&bytes[..cut], &name, id, sealed);
            let read: Vec<u64> = contents(folder.path()).into_iter().map(|(_, position, _)| position).collect();
            let whole = cut == bytes.len();
            assert_eq!(read, if whole { vec![1, 2, 3] } else { vec![1, 2] }, "cut at {cut}");
            let torn = sealed && !whole && cut > begin;
            assert_eq!(damaged(folder.path()), u64::from(torn), "cut at {cut}");
        }
    }
}

#[test]
fn a_writer_starts_behind_any_torn_tail() {
    let (bytes, name, id) = segment_of(&[2, 3]);
    for cut in (0..bytes.len()).step_by(61).chain([1, HEADER - 1, HEADER, HEADER + 1]) {
        let folder = place(&bytes[..cut], &name, id, false);
        let journal = open(folder.path());
        assert_ne!(journal.id(), id);
        journal.append(&numbered(900, 1)).unwrap();
        let read = contents(folder.path());
        assert!(read.contains(&(journal.id(), 1, vec![900])), "cut at {cut}");
        let old: Vec<u64> = read.iter().filter(|(i, _, _)| *i == id).map(|(_, position, _)| *position).collect();
        assert_eq!(old, (1..=old.len() as u64).collect::<Vec<_>>(), "cut at {cut}");
        assert_eq!(std::fs::read(folder.path().join(&name)).unwrap(), bytes[..cut], "never truncated or rewritten");
    }
}

#[test]
fn whatever_stands_behind_the_last_entry() {
    let (bytes, name, id) = segment_of(&[1, 1]);
    let foreign = segment_of(&[1, 1]).0;
    let tails: [(&str, Vec<u8>); 4] = [
        ("zeros", vec![0; 5000]),
        ("ones", vec![0xff; 77]),
        ("the entry's own magic", b"MQE1".repeat(100)),
        ("entries of another journal", foreign[HEADER..].to_vec()),
    ];
    for (what, tail) in tails {
        let folder = place(&[bytes.as_slice(), &tail].concat(), &name, id, false);
        assert_eq!(contents(folder.path()).len(), 2, "{what}");
        assert_eq!(damaged(folder.path()), 0, "{what}");
    }
}

/// A gather's entry for the journal `id` whose bytes are all ASCII, as a text can hold them.
fn forged(id: JournalId) -> String {
    for number in 0..1u64 << 20 {
        let fingerprint = number.to_le_bytes().map(|b| b & 0x7f);
        let (mut out, position) = (Vec::new(), Position(u64::from_le_bytes(fingerprint) + 100));
        let body = [&fingerprint[..], &[1, 0, 0, 0], &[0; 4]].concat();
        segment::push_entry(&mut out, Seed::of(id), Kind::Gather, position, |out| {
            out.extend_from_slice(&body);
            Ok(())
        })
        .unwrap();
        if out.is_ascii() {
            return String::from_utf8(out).unwrap();
        }
    }
    panic!("no such entry");
}

#[test]
fn text_that_looks_like_an_entry_is_none() {
    // Whoever knew the journal's id could put an entry into a text; the checksums stand against all others.
    for knows_the_id in [false, true] {
        let folder = folder();
        let journal = open(folder.path());
        let forged = forged(if knows_the_id { journal.id() } else { JournalId::random().unwrap() });
        let texts: ArrayRef = Arc::new(StringArray::from_iter_values((0..8).map(|n| "x".repeat(n) + &forged)));
        let table = catalog();
        let gather = sample::seal(vec![sample::rows(table.table("probe").unwrap(), vec![("text", texts)])]);
        journal.append(&gather).unwrap();
        journal.append(&gather).unwrap();
        let path = segments(folder.path()).remove(0);
        let mut bytes = std::fs::read(&path).unwrap();
        let layout = layout(&bytes, journal.id());
        let at = layout.iter().find(|(_, raw)| raw.kind == Kind::Gather as u32).unwrap().0;
        // Only with its header gone a reader has to look for the next entry byte by byte.
        bytes[at] ^= 1;
        let folder = place(&bytes, Path::new(path.file_name().unwrap()), journal.id(), true);
        let snapshot = Snapshot::open(folder.path()).unwrap();
        let positions: Vec<Position> = snapshot.views()[0].entries().map(|e| e.position()).collect();
        assert_eq!(positions.last(), Some(&Position(2)));
        assert_eq!(positions.len() == 1, !knows_the_id, "{positions:?}");
    }
}

#[test]
fn many_false_heads_do_not_make_resync_slow() {
    let (mut bytes, name, id) = segment_of(&[1, 1]);
    let end = bytes.len();
    let false_head = [b"MQE1".as_slice(), &2u32.to_le_bytes(), &(1u32 << 20).to_le_bytes(), &[0; 20]].concat();
    bytes.extend(false_head.repeat((8 << 20) / false_head.len()));
    let folder = place(&bytes, &name, id, true);
    let begin = std::time::Instant::now();
    assert_eq!(contents(folder.path()).len(), 2);
    assert!(begin.elapsed().as_secs() < 5, "scanning {} bytes took {:?}", bytes.len() - end, begin.elapsed());
}

#[test]
fn damage_before_the_live_tail_costs_only_itself() {
    let (mut bytes, name, id) = segment_of(&[1, 1, 1, 1]);
    let second = layout(&bytes, id).iter().find(|(_, raw)| raw.position == Position(2)).unwrap().0;
    bytes[second + 40] ^= 4;
    // The last entry is torn as well.
    bytes.pop();
    let folder = place(&bytes, &name, id, false);
    let read: Vec<u64> = contents(folder.path()).into_iter().map(|(_, position, _)| position).collect();
    assert_eq!(read, [1, 3]);
    assert_eq!(damaged(folder.path()), 1);
}

#[test]
fn a_damaged_header_costs_nothing() {
    let (bytes, name, id) = segment_of(&[1, 2]);
    for bit in 0..(HEADER - 4) * 8 {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let folder = place(&bytes, &name, id, false);
        assert_eq!(contents(folder.path()).len(), 2, "bit {bit}");
        assert_eq!(damaged(folder.path()), 1, "bit {bit}");
    }
    let folder = place(&vec![0; 4096], &name, id, false);
    assert_eq!(contents(folder.path()).len(), 0);
    assert_eq!(open(folder.path()).stats().segments, 2, "a segment of zeros does not stop the start");
}

#[test]
fn another_version_is_refused_not_skipped() {
    let (mut bytes, name, id) = segment_of(&[1]);
    bytes[4] = 2;
    let check = crc32fast::hash(&bytes[..32]);
    bytes[32..36].copy_from_slice(&check.to_le_bytes());
    let error = Snapshot::open(place(&bytes, &name, id, false).path()).unwrap_err().to_string();
    assert!(error.contains("version 2"), "{error}");
}

#[test]
fn a_segment_under_another_name_gives_no_row_a_second_identity() {
    let (bytes, _, id) = segment_of(&[1, 1]);
    let other = segment_of(&[1]).2;
    let folder = place(&bytes, &segment::path(Path::new(""), other, Position(1)), id, true);
    assert_eq!(contents(folder.path()), []);
    std::fs::write(folder.path().join("notes.txt"), "not ours").unwrap();
    std::fs::write(folder.path().join("x-1.seg"), "not ours").unwrap();
    assert_eq!(contents(folder.path()), []);
}

#[test]
fn a_frame_schema_has_more_than_one_copy() {
    let folder = folder();
    let journal = open(folder.path());
    for index in 0..40 {
        journal.append(&numbered(index * 3000 + 1, 3000)).unwrap();
    }
    let path = segments(folder.path()).remove(0);
    let mut bytes = std::fs::read(&path).unwrap();
    let copies: Vec<usize> = layout(&bytes, journal.id())
        .iter()
        .filter(|(_, raw)| raw.kind == Kind::Schema as u32)
        .map(|(at, _)| *at)
        .collect();
    assert!((2..10).contains(&copies.len()), "{} copies", copies.len());
    bytes[copies[0] + 50] ^= 1;
    let folder = place(&bytes, Path::new(path.file_name().unwrap()), journal.id(), true);
    let read: Vec<u64> = contents(folder.path()).into_iter().flat_map(|(_, _, numbers)| numbers).collect();
    assert_eq!(read, (1..=120_000).collect::<Vec<_>>());
    assert_eq!(damaged(folder.path()), 1);
}

#[test]
fn frames_without_a_schema_are_counted() {
    let (mut bytes, name, id) = segment_of(&[1, 1, 1]);
    let (schema, raw) = layout(&bytes, id).remove(0);
    assert_eq!(raw.kind, Kind::Schema as u32);
    bytes[schema + 40] ^= 1;
    let folder = place(&bytes, &name, id, true);
    let snapshot = Snapshot::open(folder.path()).unwrap();
    let tables: Vec<usize> = snapshot.views()[0].entries().map(|entry| entry.tables().count()).collect();
    assert_eq!(tables, [0, 0, 0]);
    assert_eq!(damaged(folder.path()), 1 + 3);
}

#[test]
fn damaged_bytes_are_put_aside_once_and_go_with_time() {
    let (mut bytes, name, id) = segment_of(&[1, 1, 1]);
    let (at, raw) = layout(&bytes, id).remove(2);
    bytes[raw.body + 3] ^= 1;
    let folder = place(&bytes, &name, id, true);
    let journal = open(folder.path());
    let damage = {
        let snapshot = Snapshot::open(folder.path()).unwrap();
        let mut entries = snapshot.views().iter().find(|view| view.id() == id).unwrap().entries();
        entries.by_ref().for_each(drop);
        entries.damage().to_vec()
    };
    let [place] = damage.as_slice() else { panic!("{damage:?}") };
    assert_eq!((place.at, place.len, place.what), (at as u64, (raw.next - at) as u64, "no whole entry is here"));
    journal.quarantine(&damage);
    journal.quarantine(&damage);
    assert_eq!(journal.stats().quarantined, 2, "met twice");
    let stem = name.file_stem().unwrap().to_str().unwrap();
    let kept = folder.path().join(format!("{stem}-{at}.damaged"));
    assert_eq!(std::fs::read(&kept).unwrap(), bytes[at..raw.next]);
    journal.release(id, Position(u64::MAX)).unwrap();
    assert!(kept.exists(), "it outlives its segment");

    // A segment that has vanished stops nothing.
    let gone = crate::Damage { segment: folder.path().join("gone.seg"), ..place.clone() };
    journal.quarantine(&[gone]);
    drop(journal);
    drop(open(folder.path()));
    assert!(kept.exists());
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(31 * 24 * 3600);
    std::fs::File::options().write(true).open(&kept).unwrap().set_modified(old).unwrap();
    drop(open(folder.path()));
    assert!(!kept.exists());
}

#[test]
fn an_entry_is_whole_only_with_its_padding() {
    let seed = Seed::of(JournalId::random().unwrap());
    for length in 0..20 {
        let mut bytes = Vec::new();
        segment::push_entry(&mut bytes, seed, Kind::Gather, Position(1), |out| {
            out.resize(out.len() + length, 7);
            Ok(())
        })
        .unwrap();
        for cut in 0..=bytes.len() {
            assert_eq!(segment::entry(&bytes[..cut], 0, seed).is_some(), cut == bytes.len(), "{length} cut at {cut}");
        }
    }
}

/// A segment with several schemas, its gathers by position, and what each decoded to.
struct Intact {
    bytes: Vec<u8>,
    name: PathBuf,
    id: JournalId,
    parts: HashMap<u64, Vec<Part>>,
}

fn intact() -> &'static Intact {
    static INTACT: OnceLock<Intact> = OnceLock::new();
    INTACT.get_or_init(|| {
        let folder = folder();
        let journal = open(folder.path());
        let catalog = catalog();
        for seed in 0..12 {
            let (table, rows) = [("probe", 1), ("spans", 2), ("probe", 70), ("logs", 1)][seed % 4];
            journal
                .append(&sample::seal(vec![sample::full(catalog.table(table).unwrap(), rows, seed / 4 * 7)]))
                .unwrap();
        }
        let path = segments(folder.path()).remove(0);
        let parts = (1..).zip(parts(folder.path())).collect();
        let name = PathBuf::from(path.file_name().unwrap());
        Intact { bytes: std::fs::read(&path).unwrap(), name, id: journal.id(), parts }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Flipped bits cost the entries they hit and, if they hit the only copy of a schema, the frames that need it. They
    /// are counted, and nothing wrong is ever read.
    #[test]
    fn flipped_bits(flips in prop::collection::vec((any::<prop::sample::Index>(), 0..8u8), 1..5), sealed: bool) {
        let intact = intact();
        let mut bytes = intact.bytes.clone();
        for (place, bit) in &flips {
            bytes[place.index(intact.bytes.len())] ^= 1 << bit;
        }
        let hit = |(at, raw): &(usize, Raw)| bytes[*at..raw.next] != intact.bytes[*at..raw.next];
        let layout = layout(&intact.bytes, intact.id);
        let lost: usize = layout.iter().filter(|e| hit(e)).count();
        let schema_hit = layout.iter().any(|e| e.1.kind == Kind::Schema as u32 && hit(e));
        let folder = place(&bytes, &intact.name, intact.id, sealed);
        let snapshot = Snapshot::open(folder.path()).unwrap();
        let mut entries = snapshot.views()[0].entries();
        let mut read = HashMap::new();
        let mut last = 0;
        for entry in entries.by_ref() {
            prop_assert!(entry.position().0 > last, "in order");
            last = entry.position().0;
            read.insert(last, entry.parts(&catalog(), |_| true).unwrap());
        }
        let mut missing = 0;
        for (position, expected) in &intact.parts {
            let Some(parts) = read.get(position) else {
                missing += 1;
                continue;
            };
            prop_assert!(schema_hit || parts.len() == expected.len());
            missing += usize::from(parts.len() < expected.len());
            for part in parts {
                let same = expected.iter().find(|e| e.table == part.table).unwrap();
                prop_assert_eq!(&part.batch, &same.batch);
            }
        }
        if !schema_hit {
            prop_assert!(missing <= lost);
        }
        // At the live tail damage cannot be told from an append that is under way.
        let tail = !sealed && hit(layout.last().unwrap());
        prop_assert!(missing == 0 || tail || !entries.damage().is_empty());
        prop_assert_eq!(entries.next().is_none(), true);
        let counted = entries.damage().len();
        prop_assert!(entries.next().is_none() && entries.damage().len() == counted, "counted once");
    }
}
