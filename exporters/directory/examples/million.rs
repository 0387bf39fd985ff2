//! A million users from a seed: how long the directory takes to open, what it takes of memory, and how long a search takes.
//!
//! `cargo run --release -p directory --example million -- [USERS] [SEED]`

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::StringArray;
use component::{Component, Context, Gather, Keyring, Rows, Seal};
use directory::{Directory, Options, Query};
use journal::Journal;
use schemas::Catalog;

/// Users in one append.
const AT_ONCE: usize = 10_000;
/// Searches by each part.
const SEARCHES: usize = 1_000;

const FIRST: [&str; 24] = [
    "Aigerim", "Anna", "Bolat", "Chen", "Damir", "Élodie", "Fatima", "Greta", "Hiroshi", "Ivan", "Jürgen", "Kwame",
    "Ləman", "Marta", "Nurlan", "Olga", "Priya", "Quentin", "Rosa", "Søren", "Tomás", "Uma", "Viktor", "Yerlan",
];
const SYLLABLES: [&str; 20] = [
    "an", "ber", "cho", "dan", "ev", "fer", "gul", "hov", "is", "jan", "kas", "lin", "mar", "nov", "or", "pet", "rud",
    "sil", "tov", "zer",
];
const HOSTS: [&str; 8] = [
    "gmail.example",
    "mail.example",
    "yandex.example",
    "outlook.example",
    "school.example",
    "web.example",
    "posteo.example",
    "uni.example",
];

/// SplitMix64: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % most as u64).unwrap_or(0)
    }

    fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words.get(self.below(words.len())).copied().unwrap_or_default()
    }
}

/// E-mail, phone, name.
type Person = [String; 3];

fn person(random: &mut Random, number: usize) -> Person {
    let first = random.of(&FIRST);
    let last: String = (0..2 + random.below(2)).map(|_| random.of(&SYLLABLES)).collect();
    let email = format!("{}.{last}{}@{}", first.to_lowercase(), number % 9973, random.of(&HOSTS));
    let mut family = last;
    family[..1].make_ascii_uppercase();
    [email, format!("+77{:09}", random.next() % 1_000_000_000), format!("{first} {family}")]
}

fn sealed(cx: &Context, people: &[(String, Person)]) -> Result<component::Sealed, Box<dyn Error>> {
    let table = cx.catalog.table("auth_events").ok_or("no table auth_events")?;
    let mut rows = Rows::new(Arc::clone(table), vec![None; table.columns.len()], vec![0; people.len()])?;
    let column = |of: &dyn Fn(&str, &Person) -> String| {
        Arc::new(people.iter().map(|p| Some(of(&p.0, &p.1))).collect::<StringArray>())
    };
    rows.set("tenant", column(&|_, _| "default".to_owned()))?;
    rows.set("user_id", column(&|id, _| id.to_owned()))?;
    rows.set("user_email", column(&|_, [email, _, _]| email.clone()))?;
    rows.set("user_phone", column(&|_, [_, phone, _]| phone.clone()))?;
    rows.set("full_name", column(&|_, [_, _, name]| name.clone()))?;
    let hash = processors::hash::Hash::new(Default::default(), cx)?;
    let directory = processors::directory::Directory::new(Default::default(), cx)?;
    Ok(Seal::new(vec![Box::new(hash), Box::new(directory)]).seal(Gather::new(vec![rows]))?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: u64| arguments.next().map_or(Ok(default), |text| text.parse::<u64>());
    let (users, seed) = (usize::try_from(number(1_000_000)?)?, number(1)?);
    let folder = tempfile::tempdir()?;
    let cx = Context::new(Arc::new(Catalog::built_in()?), Arc::new(Keyring::new(&[7; 32], 1)?));
    let journal = Journal::open(&folder.path().join("journal"), Arc::clone(&cx.catalog), journal::Options::default())?;
    let mut directory =
        Directory::open(&folder.path().join("directory"), journal.clone(), Arc::clone(&cx.keys), Options::default())?;
    let mut random = Random(seed);
    let begun = Instant::now();
    let mut some = Vec::new();
    for first in (0..users).step_by(AT_ONCE) {
        let numbers = first..(first + AT_ONCE).min(users);
        let people: Vec<_> = numbers.map(|n| (format!("user-{n}"), person(&mut random, n))).collect();
        some.extend(people.iter().step_by(997).map(|(_, person)| person.clone()));
        let position = journal.append(&sealed(&cx, &people)?)?;
        journal.durable(position).await?;
        directory.catch_up()?;
        journal.roll()?;
        journal.release(journal.id(), position)?;
    }
    println!("seed {seed}, {users} users: made, encrypted, journaled and taken in {:.1?}", begun.elapsed());
    println!("file: {:.0} MB", directory.stats().bytes as f64 / 1e6);
    let (before, begun) = (anonymous(), Instant::now());
    directory.find("default", &Query::new("nobody at all")?, 20)?;
    let opened = begun.elapsed();
    println!(
        "opened in {opened:.2?}; {:.0} MB of memory while it is open ({:.0} MB more than before)",
        directory.stats().open_bytes as f64 / 1e6,
        (anonymous() - before) as f64 / 1e6
    );
    for (part, name) in ["e-mail", "phone", "name"].into_iter().enumerate() {
        search(&mut directory, &mut random, &some, part, name)?;
    }
    Ok(())
}

/// Random three-letter pieces of one part of what somebody is called.
fn search(
    directory: &mut Directory,
    random: &mut Random,
    some: &[Person],
    part: usize,
    name: &str,
) -> Result<(), Box<dyn Error>> {
    let (mut times, mut hits): (Vec<Duration>, u64) = (Vec::new(), 0);
    while times.len() < SEARCHES {
        let person = some.get(random.below(some.len())).ok_or("no users")?;
        let letters: Vec<char> = person[part].chars().collect();
        let from = random.below(letters.len().saturating_sub(2));
        let text: String = letters.iter().skip(from).take(3).collect();
        let Ok(query) = Query::new(&text) else { continue };
        let begun = Instant::now();
        let found = directory.find("default", &query, 20)?;
        times.push(begun.elapsed());
        if found.total == 0 {
            return Err(format!("nobody is found by a piece of a {name} that somebody has").into());
        }
        hits += found.total;
    }
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    let mean = hits / SEARCHES as u64;
    println!("{name}: p50 {:.1?}, p99 {:.1?}, longest {:.1?}; {mean} users on average", at(0.5), at(0.99), at(1.0));
    Ok(())
}

/// Resident memory of the process that is no file's, in bytes.
fn anonymous() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kib: i64 = line.and_then(|l| l.trim().split(' ').next()?.parse().ok()).unwrap_or(0);
    kib * 1024
}
