//! What the five systems do when somebody uses them: one file each.

pub(crate) mod ai;
pub(crate) mod cvd;
pub(crate) mod optio;
pub(crate) mod postbro;
pub(crate) mod seeme;
pub(crate) mod tripwire;

use crate::item::{Item, Nanos};
use crate::people::{System, User};
use crate::random::Random;

/// One visit of a user, from when it begins.
pub(crate) fn visit(user: &User, random: Random, at: Nanos, pace: f64) -> Vec<Item> {
    match user.system {
        System::SeeMe => seeme::visit(user, random, at, pace),
        System::PostBro => postbro::visit(user, random, at, pace),
        System::Tripwire => tripwire::visit(user, random, at, pace),
        System::Optio => optio::visit(user, random, at, pace),
        System::Cvd => cvd::visit(user, random, at, pace),
    }
}
