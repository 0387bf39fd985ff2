//! Traffic of the moment: visits begin at random and their records come when they are due.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::incidents::{self, LIVE};
use crate::item::{Item, Nanos};
use crate::plan::{Traffic, nanos};
use crate::random::Random;
use crate::scene::{HOUR, SECOND};
use crate::send::Senders;
use crate::systems;

/// How often somebody looks for what is due.
const TICK: Duration = Duration::from_millis(100);

/// While one watches people think faster, or a visit would take a quarter of an hour.
const PACE: f64 = 0.08;

/// What is to come.
struct Live<'a> {
    traffic: &'a Traffic,
    random: Random,
    coming: BTreeMap<(Nanos, u64), Item>,
    number: u64,
    next_visit: Nanos,
    next_incident: Nanos,
    /// Between two visits, on average.
    pause: f64,
}

impl Traffic {
    /// Sends about `rate` records a second until `stop`; `told` hears what goes wrong. Blocks its thread.
    pub fn live(
        &self,
        senders: &Senders,
        rate: f64,
        stop: &CancellationToken,
        told: impl Fn(&'static str),
    ) -> Result<(), Error> {
        let now = nanos(SystemTime::now());
        let mut live = Live {
            traffic: self,
            random: Random::of(&[self.seed(), 0x6c69_7665, now / HOUR]),
            coming: BTreeMap::new(),
            number: now / SECOND,
            next_visit: now,
            next_incident: now + 10 * SECOND,
            pause: self.items_per_visit() / rate.max(0.1) * SECOND as f64,
        };
        while !stop.is_cancelled() {
            let now = nanos(SystemTime::now());
            live.begin(now, &told);
            for item in live.due(now) {
                senders.send(item)?;
            }
            std::thread::sleep(TICK);
        }
        Ok(())
    }
}

impl Live<'_> {
    /// Visits and incidents whose time has come.
    fn begin(&mut self, now: Nanos, told: &impl Fn(&'static str)) {
        let users: Vec<_> = self.traffic.users.iter().filter(|user| !user.fading).collect();
        while self.next_visit <= now {
            let user = *self.random.pick(&users);
            let random = self.own();
            self.add(systems::visit(user, random, self.next_visit, PACE));
            self.next_visit += 1 + (self.pause * 2.0 * self.random.unit()) as Nanos;
        }
        if self.next_incident <= now {
            let (kind, text) = *self.random.pick(&LIVE);
            let random = self.own();
            self.add(incidents::stage(kind, &self.traffic.users, random, self.next_incident));
            self.next_incident = now + self.random.between(60, 150) * SECOND;
            told(text);
        }
    }

    fn own(&mut self) -> Random {
        self.number += 1;
        Random::of(&[self.traffic.seed(), 0x006e_6f77, self.number, self.random.next()])
    }

    fn add(&mut self, items: Vec<Item>) {
        for item in items {
            self.number += 1;
            self.coming.insert((item.due(), self.number), item);
        }
    }

    fn due(&mut self, now: Nanos) -> Vec<Item> {
        let later = self.coming.split_off(&(now + 1, 0));
        std::mem::replace(&mut self.coming, later).into_values().collect()
    }
}
