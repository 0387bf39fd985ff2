//! Two weeks of traffic, planned before the first record is sent, so that its size is known.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::incidents::{self, Incident};
use crate::item::{Item, Nanos};
use crate::people::{System, User, cast};
use crate::random::Random;
use crate::scene::{DAY, HOUR};
use crate::systems::{self, optio, postbro};

/// No history is larger, whatever is asked for.
pub const MOST_ITEMS: u64 = 200_000;

/// Fewest days: what an hour usually costs is told from seven days before.
pub const FEWEST_DAYS: u32 = 9;

/// Most days: records of more than 30 days ago are not believed to be of then.
pub const MOST_DAYS: u32 = 28;

/// How busy the hours of a day are, where the users live.
const HOURS: [f64; 24] = [
    0.5, 0.3, 0.2, 0.1, 0.1, 0.2, 0.6, 1.4, 2.2, 2.6, 2.4, 2.3, 2.6, 2.4, 2.2, 2.3, 2.6, 3.0, 3.6, 4.0, 3.8, 3.0, 2.0,
    1.0,
];
/// Five hours before UTC.
const HOME: Nanos = 5 * HOUR;

/// What traffic is like.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// The same seed and moment give the same traffic.
    pub seed: u64,
    /// Days of history.
    pub days: u32,
    /// People with an account.
    pub users: usize,
    /// The end of the history.
    pub now: SystemTime,
}

/// A history that is planned.
#[derive(Debug)]
pub struct Traffic {
    settings: Settings,
    pub(crate) users: Vec<User>,
    acts: Vec<Act>,
    spans: u64,
    logs: u64,
}

/// Something to happen.
#[derive(Debug, Clone, Copy)]
struct Act {
    at: Nanos,
    what: What,
}

#[derive(Debug, Clone, Copy)]
enum What {
    Visit { user: usize, number: u64 },
    LastVisit { user: usize },
    SignUp { user: usize },
    Incident(Incident),
}

impl Traffic {
    /// Plans; what would be too much is thinned out evenly.
    pub fn plan(settings: Settings) -> Self {
        let mut traffic =
            Self { settings, users: cast(settings.seed, settings.users), acts: Vec::new(), spans: 0, logs: 0 };
        let mut share = 1.0;
        loop {
            traffic.acts = traffic.acts_of(share);
            let (mut spans, mut logs) = (0, 0);
            for item in traffic.history() {
                match item {
                    Item::Span(_) => spans += 1,
                    Item::Log(_) => logs += 1,
                }
            }
            (traffic.spans, traffic.logs) = (spans, logs);
            if traffic.items() <= MOST_ITEMS {
                return traffic;
            }
            share *= 0.97 * MOST_ITEMS as f64 / traffic.items() as f64;
        }
    }

    /// Spans of the history.
    pub fn spans(&self) -> u64 {
        self.spans
    }

    /// Log records of the history.
    pub fn logs(&self) -> u64 {
        self.logs
    }

    /// Spans and log records of the history.
    pub fn items(&self) -> u64 {
        self.spans + self.logs
    }

    /// People with an account.
    pub fn users(&self) -> usize {
        self.users.len()
    }

    /// Records that one visit makes, on average.
    pub(crate) fn items_per_visit(&self) -> f64 {
        self.items() as f64 / self.acts.len().max(1) as f64
    }

    pub(crate) fn seed(&self) -> u64 {
        self.settings.seed
    }

    /// What goes wrong in the history, the latest first.
    pub fn incidents(&self) -> Vec<(Duration, &'static str)> {
        let mut told: Vec<_> =
            incidents::HISTORY.iter().map(|(_, ago, text)| (Duration::from_nanos(*ago), *text)).collect();
        told.sort();
        told
    }

    /// The history in the order in which it happened, up to its end.
    pub fn history(&self) -> impl Iterator<Item = Item> + '_ {
        let now = nanos(self.settings.now);
        self.acts.iter().flat_map(|act| self.perform(*act)).filter(move |item| item.due() <= now)
    }

    fn perform(&self, act: Act) -> Vec<Item> {
        let random = |parts: [u64; 2]| Random::of(&[self.settings.seed, 0x0061_6374, parts[0], parts[1]]);
        match act.what {
            What::Visit { user, number } => {
                systems::visit(&self.users[user], random([user as u64, number]), act.at, 1.0)
            }
            What::LastVisit { user } => optio::fading(&self.users[user], random([user as u64, 0]), act.at),
            What::SignUp { user } => postbro::sign_up(&self.users[user], random([user as u64, 1]), act.at),
            What::Incident(kind) => incidents::stage(kind, &self.users, random([u64::MAX, kind as u64]), act.at),
        }
    }

    fn acts_of(&self, share: f64) -> Vec<Act> {
        let now = nanos(self.settings.now);
        let mut acts: Vec<Act> = Vec::new();
        for (index, user) in self.users.iter().enumerate() {
            if user.fading {
                acts.push(self.last_visit(index, now));
            } else {
                acts.extend(self.visits(index, user, share));
            }
            // Every second one at PostBro is new.
            if user.system == System::PostBro && index % 2 == 0 {
                let mut random = Random::of(&[self.settings.seed, 0x6e65_7773, index as u64]);
                let ago = random.between(HOUR, u64::from(self.settings.days) * DAY);
                acts.push(Act { at: now - ago, what: What::SignUp { user: index } });
            }
        }
        let incident = |(kind, ago, _): &(Incident, Nanos, &str)| Act { at: now - ago, what: What::Incident(*kind) };
        acts.extend(incidents::HISTORY.iter().map(incident));
        acts.retain(|act| act.at < now);
        acts.sort_by_key(|act| act.at);
        acts
    }

    /// Whoever fades was there once, before the two weeks began.
    fn last_visit(&self, user: usize, now: Nanos) -> Act {
        let mut random = Random::of(&[self.settings.seed, 0x6661_6465, user as u64]);
        Act { at: now - random.between(18 * DAY, 24 * DAY), what: What::LastVisit { user } }
    }

    /// A user's visits: by the day of the week, the hour of the day, and how keen the user is.
    fn visits(&self, index: usize, user: &User, share: f64) -> Vec<Act> {
        let now = nanos(self.settings.now);
        let first = now - now % DAY - u64::from(self.settings.days) * DAY;
        let mut acts = Vec::new();
        for day in 0..=u64::from(self.settings.days) {
            let begin = first + day * DAY;
            let mut random = Random::of(&[self.settings.seed, 0x0064_6179, index as u64, day]);
            let visits = random.count(user.zeal * share * weekday(begin));
            for visit in 0..visits {
                let at = begin + hour(&mut random) + random.between(0, HOUR - 1);
                // The first day begins where the last one ends.
                if at + u64::from(self.settings.days) * DAY >= now {
                    acts.push(Act { at, what: What::Visit { user: index, number: day * 1000 + visit } });
                }
            }
        }
        acts
    }
}

/// Saturday and Sunday are quieter. 1970 began with a Thursday.
fn weekday(at: Nanos) -> f64 {
    if matches!((at / DAY + 3) % 7, 5 | 6) { 0.65 } else { 1.1 }
}

/// An hour of the day in UTC, drawn by how busy it is.
fn hour(random: &mut Random) -> Nanos {
    let mut rest = random.unit() * HOURS.iter().sum::<f64>();
    let found = HOURS.iter().position(|weight| {
        rest -= weight;
        rest < 0.0
    });
    (found.unwrap_or(20) as Nanos * HOUR + DAY - HOME) % DAY
}

pub(crate) fn nanos(time: SystemTime) -> Nanos {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Nanos::try_from(since.as_nanos()).unwrap_or(Nanos::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::{Duration, UNIX_EPOCH};

    use super::{MOST_ITEMS, Settings, Traffic};
    use crate::item::Item;
    use crate::scene::DAY;

    fn settings(seed: u64, users: usize) -> Settings {
        Settings { seed, days: 14, users, now: UNIX_EPOCH + Duration::from_secs(1_795_687_000) }
    }

    #[test]
    fn a_seed_and_a_moment_make_a_history() {
        let items = |seed| Traffic::plan(settings(seed, 20)).history().collect::<Vec<_>>();
        assert_eq!(items(1), items(1));
        assert_ne!(items(1), items(2));
    }

    #[test]
    fn the_plan_says_what_the_history_is() {
        let traffic = Traffic::plan(settings(7, 30));
        let now = super::nanos(traffic.settings.now);
        let mut ids = HashSet::new();
        let (mut spans, mut logs) = (0, 0);
        for item in traffic.history() {
            assert!(item.due() <= now && item.due() > now - 25 * DAY, "an item of another time");
            match item {
                Item::Span(span) => {
                    spans += 1;
                    assert!(ids.insert((span.trace_id, span.span_id)), "a span's id is used twice");
                }
                Item::Log(_) => logs += 1,
            }
        }
        assert_eq!((spans, logs), (traffic.spans(), traffic.logs()));
        assert!(traffic.items() > 2000, "{} items are no history", traffic.items());
    }

    #[test]
    fn no_history_is_too_large() {
        let traffic = Traffic::plan(Settings { days: 28, ..settings(7, 900) });
        assert!((MOST_ITEMS / 2..=MOST_ITEMS).contains(&traffic.items()), "{} items", traffic.items());
    }
}
