//! Rows through a real journal into the file and out again, over crashes, damage, changes and wrong keys.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use component::{Component, Context, Gather, Keyring, Rows, Seal, Sealed};
use journal::Journal;
use schemas::Catalog;

use crate::{Directory, Error, Found, Options, Query, Standing};

/// A folder with a journal and a directory.
struct House {
    folder: tempfile::TempDir,
    cx: Context,
    journal: Journal,
    directory: Directory,
}

/// Tenant, user, e-mail, phone, name; `-` is nothing.
type Person<'a> = [&'a str; 5];

fn keys(root: u8) -> Arc<Keyring> {
    Arc::new(Keyring::new(&[root; 32], 1).unwrap())
}

fn sealed(cx: &Context, people: &[Person]) -> Sealed {
    let table = Arc::clone(cx.catalog.table("auth_events").unwrap());
    let mut rows = Rows::new(Arc::clone(&table), vec![None; table.columns.len()], vec![0; people.len()]).unwrap();
    for (index, column) in ["tenant", "user_id", "user_email", "user_phone", "full_name"].into_iter().enumerate() {
        let cells = people.iter().map(|p| Some(p[index]).filter(|cell| *cell != "-"));
        rows.set(column, Arc::new(cells.collect::<arrow::array::StringArray>())).unwrap();
    }
    let hash = processors::hash::Hash::new(Default::default(), cx).unwrap();
    let directory = processors::directory::Directory::new(Default::default(), cx).unwrap();
    Seal::new(vec![Box::new(hash), Box::new(directory)]).seal(Gather::new(vec![rows])).unwrap()
}

fn open(folder: &Path, journal: &Journal, root: u8) -> Result<Directory, Error> {
    Directory::open(&folder.join("directory"), journal.clone(), keys(root), Options::default())
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

impl House {
    fn new() -> Self {
        Self::over(tempfile::tempdir().unwrap())
    }

    fn over(folder: tempfile::TempDir) -> Self {
        let cx = Context::new(Arc::new(Catalog::built_in().unwrap()), keys(7));
        let options = journal::Options { segment_bytes: 4096, ..Default::default() };
        let journal = Journal::open(&folder.path().join("journal"), Arc::clone(&cx.catalog), options).unwrap();
        let directory = open(folder.path(), &journal, 7).unwrap();
        Self { folder, cx, journal, directory }
    }

    /// As after a crash: without a clean stop.
    fn crashed(self) -> Self {
        let Self { folder, journal, directory, .. } = self;
        drop((journal, directory));
        Self::over(folder)
    }

    fn append(&self, people: &[Person]) {
        let position = self.journal.append(&sealed(&self.cx, people)).unwrap();
        block_on(self.journal.durable(position)).unwrap();
    }

    fn find(&mut self, text: &str) -> Found {
        self.directory.find("default", &Query::new(text).unwrap(), 20).unwrap()
    }

    /// `email phone name` of everybody who is found.
    fn found(&mut self, text: &str) -> Vec<String> {
        let shown = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let hits = self.find(text).hits;
        hits.into_iter().map(|h| [h.email, h.phone, h.name].map(shown).join(" ")).collect()
    }

    fn file(&self) -> PathBuf {
        let folder = self.folder.path().join("directory");
        let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
        assert_eq!(files.len(), 1, "{files:?}");
        files.remove(0)
    }
}

const ANN: Person = ["default", "ann", "ann.lee@example.com", "+77015551234", "Ann Lee"];
const BOB: Person = ["default", "bob", "bob@shop.example", "+4915112345678", "Róbert Ä. Planner"];

#[test]
fn a_user_is_found_by_a_piece_of_anything() {
    let mut house = House::new();
    house.append(&[ANN, BOB, ["acme", "eve", "eve@example.com", "-", "Eve"]]);
    let (ann, bob) = ("ann.lee@example.com +77015551234 Ann Lee", "bob@shop.example +4915112345678 Róbert Ä. Planner");
    let cases: &[(&str, &[&str])] = &[
        ("ann", &[ann, bob]),
        ("LEE", &[ann]),
        ("n.l", &[ann]),
        ("exam", &[ann, bob]),
        ("555 12", &[ann]),
        ("+49 (151)", &[bob]),
        ("rób", &[bob]),
        ("RO\u{301}B", &[bob]),
        ("ä. pl", &[bob]),
        ("eve", &[]),
        ("example.comb", &[]),
        ("nobody", &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(house.found(text), *expected, "{text}");
    }
    let acme = house.directory.find("acme", &Query::new("eve").unwrap(), 20).unwrap();
    assert_eq!(acme.hits[0].email.as_deref(), Some("eve@example.com"));
    let by_ref = house.find("ann").hits[0].user_ref.clone();
    assert_eq!(house.find(&by_ref).total, 1, "by the pseudonym that a table shows");
    let limited = house.directory.find("default", &Query::new("exam").unwrap(), 1).unwrap();
    assert_eq!((limited.hits.len(), limited.total), (1, 2));
}

#[test]
fn the_newest_word_on_each_thing_counts() {
    let mut house = House::new();
    house.append(&[ANN]);
    assert_eq!(house.found("ann").len(), 1, "opened before the changes");
    house.append(&[["default", "ann", "new@example.org", "-", "-"]]);
    house.append(&[["default", "ann", "-", "-", "Ann Lee-Smith"], BOB]);
    let now = ["new@example.org +77015551234 Ann Lee-Smith"];
    for round in ["while it is open", "opened anew", "after a crash", "compacted"] {
        assert_eq!(house.found("lee-s"), now, "{round}");
        assert_eq!(house.found("new@"), now, "{round}");
        assert_eq!(house.found("ann.lee"), [""; 0], "{round}");
        assert_eq!(house.find("exam").total, 2, "{round}");
        house = match round {
            "opened anew" => house.crashed(),
            "after a crash" => {
                let before = house.directory.stats().bytes;
                house.directory.compact(true).unwrap();
                assert!(house.directory.stats().bytes < before);
                house
            }
            _ => house,
        };
        house.directory.forget();
    }
}

#[test]
fn nothing_readable_is_on_disk_and_nobody_else_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let mut house = House::new();
    house.append(&[ANN, BOB]);
    house.found("ann");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&house.file()), mode(house.file().parent().unwrap())), (0o600, 0o700));
    let mut bytes = std::fs::read(house.file()).unwrap();
    for entry in std::fs::read_dir(house.folder.path().join("journal")).unwrap() {
        bytes.extend(std::fs::read(entry.unwrap().path()).unwrap());
    }
    let text = String::from_utf8_lossy(&bytes).to_lowercase();
    for piece in ["example", "ann.lee", "ann lee", "7701555", "planner"] {
        assert!(!text.contains(piece), "{piece}");
    }
}

#[test]
fn rows_are_taken_once_over_crashes_and_segments_wait_for_them() {
    let mut house = House::new();
    for number in 0..40 {
        let user = format!("u{number:02}");
        house.append(&[["default", &user, &format!("{user}@example.com"), "-", "-"]]);
        if number % 7 == 0 {
            house.directory.catch_up().unwrap();
        }
        if number % 10 == 9 {
            let id = house.journal.id();
            house.journal.release(id, journal::Position(u64::MAX)).unwrap();
            house = house.crashed();
        }
    }
    assert_eq!(house.find("example").total, 40);
    assert_eq!(house.directory.stats().rows, 4, "what the one before had not taken, and nothing twice");
}

#[test]
fn a_torn_tail_is_cut_and_damage_costs_itself() {
    let mut house = House::new();
    for person in [ANN, BOB, ["default", "cyd", "cyd@example.com", "-", "-"]] {
        house.append(&[person]);
        house.directory.catch_up().unwrap();
    }
    let whole = std::fs::read(house.file()).unwrap();
    let path = house.file();
    for cut in [1, 7, 8, 40, 100] {
        let torn = &whole[..whole.len() - cut];
        std::fs::write(&path, [torn, &b"MQU1 torn"[..]].concat()).unwrap();
        house = house.crashed();
        assert_eq!(house.directory.stats().damaged, 0, "a tail is no damage");
        assert!(house.find("exam").total >= 2, "cut by {cut}");
    }
    // A byte in the first row: the second and third are there.
    let mut damaged = whole.clone();
    damaged[200] ^= 1;
    std::fs::write(&path, &damaged).unwrap();
    house = house.crashed();
    assert_eq!(house.directory.stats().damaged, 1);
    assert_eq!(house.find("exam").total, 2);
    assert_eq!(house.found("ann.lee"), [""; 0]);
    damaged = whole;
    damaged[9] ^= 1;
    std::fs::write(&path, &damaged).unwrap();
    let House { folder, directory, journal, .. } = house;
    drop(directory);
    let error = open(folder.path(), &journal, 7).err().unwrap().to_string();
    assert!(error.contains("its header is damaged"), "{error}");
}

#[test]
fn another_root_key_is_refused() {
    let mut house = House::new();
    house.append(&[ANN]);
    house.directory.catch_up().unwrap();
    let error = open(house.folder.path(), &house.journal, 8).err().unwrap();
    assert!(matches!(&error, Error::WrongKey { .. }), "{error}");
    assert!(error.to_string().contains("another root key"), "{error}");
}

#[test]
fn an_erased_user_is_gone_from_file_and_memory() {
    let mut house = House::new();
    house.append(&[ANN, BOB]);
    let user_ref = house.find("ann.lee").hits[0].user_ref.clone();
    let before = std::fs::read(house.file()).unwrap().len();
    let table = Arc::clone(house.cx.catalog.table("directory").unwrap());
    let append = |journal: &Journal, cells: &[(&str, &str)]| {
        let mut rows = Rows::new(Arc::clone(&table), vec![None; table.columns.len()], vec![0]).unwrap();
        for (column, value) in [("tenant", "default"), ("user_ref", &*user_ref)].iter().chain(cells) {
            rows.set(column, Arc::new(arrow::array::StringArray::from(vec![*value]))).unwrap();
        }
        let sealed = Seal::new(Vec::new()).seal(Gather::new(vec![rows])).unwrap();
        block_on(journal.durable(journal.append(&sealed).unwrap())).unwrap();
    };
    // A key for texts elsewhere is kept for its name's sake, however often the file is written anew.
    let (key, wrapped) = component::Envelopes::new(keys(7), crate::TABLE).seal("default", &user_ref).unwrap();
    append(&house.journal, &[("key_id", key.id()), ("key_wrapped", &*wrapped)]);
    let mut text = key.encrypt(&["a text"], b"hello").unwrap();
    house.directory.catch_up().unwrap();
    house.directory.compact(true).unwrap();
    let told = house.directory.text_keys(&[key.id()]).unwrap().remove(0);
    let Some(Standing::Kept(kept)) = told else { panic!("its key is there") };
    let again = house.directory.open_text_key(key.id(), &kept).unwrap();
    assert_eq!(again.decrypt(&["a text"], &mut text).unwrap(), b"hello");
    append(&house.journal, &[("status", "erased")]);
    assert_eq!(house.found("ann.lee"), [""; 0]);
    assert_eq!(house.directory.text_keys(&[key.id()]).unwrap(), [Some(Standing::Gone)], "its keys are gone");
    assert_eq!(house.find("exam").total, 1);
    let bytes = std::fs::read(house.file()).unwrap();
    assert!(
        bytes.len() < before && !String::from_utf8_lossy(&bytes).contains(&user_ref),
        "the file holds nothing of it"
    );
    let mut house = house.crashed();
    assert_eq!(house.find("exam").total, 1);
    house.append(&[["default", "ann", "back@example.com", "-", "-"]]);
    assert_eq!(house.found("back"), ["back@example.com - -"], "who comes back is a new user");
}

impl House {
    /// Appends rows of the directory: tenant, user, id of the key, wrapped key, status.
    fn rows(&self, rows: &[[&str; 5]]) {
        let table = Arc::clone(self.cx.catalog.table("directory").unwrap());
        let mut made = Rows::new(Arc::clone(&table), vec![None; table.columns.len()], vec![0; rows.len()]).unwrap();
        for (index, column) in ["tenant", "user_ref", "key_id", "key_wrapped", "status"].into_iter().enumerate() {
            let cells = rows.iter().map(|row| Some(row[index]).filter(|cell| *cell != "-"));
            made.set(column, Arc::new(cells.collect::<arrow::array::StringArray>())).unwrap();
        }
        let sealed = Seal::new(Vec::new()).seal(Gather::new(vec![made])).unwrap();
        block_on(self.journal.durable(self.journal.append(&sealed).unwrap())).unwrap();
    }

    /// `user wrapped`, `gone` or `-` for each id.
    fn keys(&mut self, ids: &[&str]) -> Vec<String> {
        let told = |standing: Option<Standing>| match standing {
            Some(Standing::Kept(key)) => format!("{} {}", key.user_ref, key.wrapped),
            Some(Standing::Gone) => "gone".to_owned(),
            None => "-".to_owned(),
        };
        self.directory.text_keys(ids).unwrap().into_iter().map(told).collect()
    }
}

#[test]
fn keys_of_texts_are_kept_once_and_go_with_their_user_for_good() {
    let mut house = House::new();
    let [ann, again, bob] = [["ann", "k1", "w1_a"], ["ann", "k2", "w1_b"], ["bob", "k3", "w1_c"]]
        .map(|[user, id, wrapped]| ["default", user, id, wrapped, "-"]);
    house.rows(&[ann, bob]);
    house.rows(&[ann, again, ann]);
    let (ids, all) = (["k1", "k2", "k3", "k4"], ["ann w1_a", "ann w1_b", "bob w1_c", "-"]);
    assert_eq!(house.keys(&ids), all);
    let before = house.directory.stats().bytes;
    house.directory.compact(true).unwrap();
    assert!(house.directory.stats().bytes < before, "rows that are equal are one");
    assert_eq!(house.keys(&ids), all);
    house = house.crashed();
    assert_eq!(house.keys(&ids), all);
    house.append(&[ANN]);
    assert_eq!(house.find("ann.lee").total, 1, "they are no users");
    // The erased user's keys are gone, and stay so when a process that does not know brings them again.
    house.rows(&[["default", "ann", "-", "-", "erased"]]);
    let left = ["gone", "gone", "bob w1_c", "-"];
    for round in ["at once", "late", "compacted", "after a crash", "late again"] {
        match round {
            "late" | "late again" => house.rows(&[ann]),
            "compacted" => house.directory.compact(true).unwrap(),
            "after a crash" => house = house.crashed(),
            _ => {}
        }
        assert_eq!(house.keys(&ids), left, "{round}");
        let file = std::fs::read(house.file()).unwrap();
        assert!(!file.windows(4).any(|w| w == b"w1_a"), "no wrapped key is left: {round}");
    }
    // Who comes back has a new key.
    house.rows(&[["default", "ann", "k4", "w1_d", "-"]]);
    assert_eq!(house.keys(&ids)[3], "ann w1_d");
}
