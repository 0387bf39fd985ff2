//! Who uses the systems, and what they say.

use crate::random::{Draw, Ranks};

/// Users of one system.
const USERS: usize = 2_000;

const FIRST: [&str; 24] = [
    "Ada", "Aigerim", "Ben", "Carla", "Dias", "Elena", "Farid", "Grace", "Hana", "Ivan", "Jamila", "Kenji", "Lena",
    "Marat", "Nora", "Omar", "Priya", "Quentin", "Rosa", "Saule", "Timur", "Uma", "Viktor", "Wanda",
];
const LAST: [&str; 16] = [
    "Akhmetov", "Bauer", "Castro", "Dubois", "Evans", "Fischer", "Garcia", "Haddad", "Ito", "Jensen", "Kim", "Lopez",
    "Meyer", "Novak", "Okafor", "Petrov",
];
const MAIL: [&str; 5] = ["gmail.com", "mail.ru", "outlook.com", "icloud.com", "example.org"];

/// User agents of apps, browsers and devices.
pub const AGENTS: [&str; 8] = [
    "SeeMe/4.12 (iPhone; iOS 19.1; Scale/3.00) CFNetwork/1568.100.1 Darwin/24.1.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
    "okhttp/5.2.1",
];

/// One of them.
#[derive(Debug, Clone)]
pub struct Person {
    pub id: String,
    pub email: String,
    pub phone: String,
    pub name: String,
    pub address: String,
    pub agent: &'static str,
    pub session: String,
    pub device: String,
}

/// All users of one system, some of whom come far more often than others.
pub struct People {
    list: Vec<Person>,
    ranks: Ranks,
}

impl People {
    /// Drawn once; each use afterwards costs the choice alone.
    pub fn new(draw: &mut Draw) -> Self {
        Self { list: (0..USERS).map(|_| person(draw)).collect(), ranks: Ranks::new(USERS) }
    }

    /// Whoever comes now.
    pub fn come(&self, draw: &mut Draw) -> Person {
        self.list[draw.ranked(&self.ranks)].clone()
    }
}

fn person(draw: &mut Draw) -> Person {
    let (first, last) = (*draw.pick(&FIRST), *draw.pick(&LAST));
    let year = draw.between(70, 100);
    Person {
        id: format!("usr_{}", draw.hex(6)),
        email: format!("{}.{}{year}@{}", first.to_lowercase(), last.to_lowercase(), draw.pick(&MAIL)),
        phone: format!("+7701{:07}", draw.below(10_000_000)),
        name: format!("{first} {last}"),
        address: format!("{}.{}.{}.{}", draw.between(20, 220), draw.below(256), draw.below(256), draw.between(1, 255)),
        agent: draw.pick::<&str>(&AGENTS),
        session: draw.hex(16),
        device: format!("{}-{}-4f0a-81bc-{}", draw.hex(4), draw.hex(2), draw.hex(6)).to_uppercase(),
    }
}

/// Words that are said, the most common first.
const WORDS: &str = include_str!("words.txt");

/// A language: words by how often they are said.
pub struct Language {
    words: Vec<&'static str>,
    ranks: Ranks,
}

impl Language {
    /// The words of the list.
    pub fn new() -> Self {
        let words: Vec<_> = WORDS.split_whitespace().collect();
        Self { ranks: Ranks::new(words.len()), words }
    }

    /// Some words in a row.
    pub fn say(&self, draw: &mut Draw, words: usize) -> String {
        let mut said = String::with_capacity(words * 6);
        for at in 0..words {
            if at > 0 {
                said.push(' ');
            }
            said.push_str(self.words[draw.ranked(&self.ranks)]);
        }
        said
    }
}
