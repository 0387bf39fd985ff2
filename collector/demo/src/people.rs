//! Who uses the five systems.

use crate::random::Random;

/// One of the systems, told by who uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum System {
    SeeMe,
    PostBro,
    Tripwire,
    Optio,
    Cvd,
}

/// Shares of the users, in percent.
const SHARES: [(System, u64); 5] =
    [(System::SeeMe, 28), (System::PostBro, 26), (System::Tripwire, 14), (System::Optio, 22), (System::Cvd, 10)];

/// A person with an account.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) system: System,
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) phone: String,
    pub(crate) full_name: String,
    pub(crate) address: String,
    pub(crate) agent: &'static str,
    pub(crate) device: String,
    /// Visits on an ordinary day.
    pub(crate) zeal: f64,
    /// A student who came once and is about to be lost.
    pub(crate) fading: bool,
}

const FIRST: [&str; 20] = [
    "Aigerim", "Daniyar", "Madina", "Timur", "Aliya", "Nurlan", "Zarina", "Arman", "Kamila", "Yerlan", "Emma", "Noah",
    "Mia", "Liam", "Sofia", "Leon", "Hanna", "Paul", "Clara", "Jonas",
];
const LAST: [&str; 16] = [
    "Akhmetova",
    "Bekov",
    "Sadykova",
    "Omarov",
    "Kim",
    "Iskakov",
    "Nurgaliev",
    "Tulegenova",
    "Fischer",
    "Weber",
    "Haas",
    "Novak",
    "Rossi",
    "Moreau",
    "Larsen",
    "Silva",
];
/// Networks set aside for documentation: nobody lives there.
const NETWORKS: [&str; 3] = ["203.0.113", "198.51.100", "192.0.2"];
const PHONES: [&str; 2] =
    ["SeeMe/3.8.1 (iPhone; iOS 18.6; Scale/3.00)", "SeeMe/3.8.1 (iPhone; iOS 19.1; Scale/3.00) CFNetwork/3826.400.120"];
const BROWSERS: [&str; 5] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
];

/// Everybody, each system's users together. Every system has two at least, and Optio three who fade.
pub(crate) fn cast(seed: u64, count: usize) -> Vec<User> {
    let mut users = Vec::new();
    for (system, share) in SHARES {
        let number = (count as u64 * share / 100).max(if system == System::Optio { 6 } else { 2 });
        let fading = if system == System::Optio { (number / 12).max(3) } else { 0 };
        users.extend((0..number).map(|n| user(seed, system, n, n < fading)));
    }
    users
}

fn user(seed: u64, system: System, number: u64, fading: bool) -> User {
    let mut random = Random::of(&[seed, 0x7065_6f70, system as u64, number]);
    let (first, last) = (*random.pick(&FIRST), *random.pick(&LAST));
    let prefix = ["sm", "pb", "tw", "op", "cv"][system as usize];
    User {
        system,
        id: format!("{prefix}-{}", 1000 + number),
        email: format!("{}.{}.{prefix}{number}@mail.example", first.to_lowercase(), last.to_lowercase()),
        phone: format!(
            "+7 70{} {:03} {:02} {:02}",
            system as u64 + 1,
            100 + number % 900,
            random.between(10, 99),
            number % 100
        ),
        full_name: format!("{first} {last}"),
        address: format!("{}.{}", random.pick(&NETWORKS), random.between(1, 200)),
        agent: if system == System::SeeMe { random.pick::<&str>(&PHONES) } else { random.pick::<&str>(&BROWSERS) },
        device: format!("{prefix}-device-{}", random.hex(12)),
        zeal: random.around(3.0, 0.6).min(9.0),
        fading,
    }
}

#[cfg(test)]
mod tests {
    use super::{System, cast};

    #[test]
    fn few_users_are_still_of_every_system() {
        for count in [1, 20, 200] {
            let users = cast(7, count);
            for system in [System::SeeMe, System::PostBro, System::Tripwire, System::Optio, System::Cvd] {
                assert!(users.iter().filter(|u| u.system == system && !u.fading).count() >= 2, "{system:?} of {count}");
            }
            assert!(users.iter().filter(|u| u.fading).count() >= 3);
            let mut ids: Vec<_> = users.iter().map(|u| &u.id).collect();
            ids.sort();
            ids.dedup();
            assert_eq!(ids.len(), users.len(), "every account has an id of its own");
        }
    }
}
