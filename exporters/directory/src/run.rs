//! The rounds: follow the journal, and forget opened values in time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::{Directory, Error};

/// How often it is seen to that the journal need not wait for us.
const LOOK: Duration = Duration::from_secs(1);

/// Follows until `stop`, then takes what is left. Rows that cannot be taken wait in the journal.
pub async fn run(directory: Arc<Mutex<Directory>>, stop: CancellationToken) {
    let interval = lock(&directory, |directory| directory.options().flush_interval);
    let mut tick = tokio::time::interval(interval.clamp(Duration::from_millis(50), LOOK));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut taken_at = None::<Instant>;
    let mut failing = false;
    loop {
        let stopped = tokio::select! {
            () = stop.cancelled() => true,
            _ = tick.tick() => false,
        };
        let due = taken_at.is_none_or(|at| at.elapsed() + Duration::from_millis(10) >= interval);
        let taken = round(&directory, due || stopped).await;
        if due {
            taken_at = Some(Instant::now());
        }
        match &taken {
            Err(error) if !failing => {
                tracing::warn!(%error, "the user directory is behind; its rows wait in the journal")
            }
            Ok(()) if failing => tracing::info!("the user directory has caught up"),
            _ => {}
        }
        failing = taken.is_err();
        if stopped {
            return;
        }
    }
}

async fn round(directory: &Arc<Mutex<Directory>>, due: bool) -> Result<(), Error> {
    let directory = Arc::clone(directory);
    let work = move || {
        lock(&directory, |directory| {
            directory.rest();
            if due || directory.holds_much() { directory.catch_up() } else { Ok(()) }
        })
    };
    // A round that panicked has said so.
    tokio::task::spawn_blocking(work).await.unwrap_or(Ok(()))
}

fn lock<T>(directory: &Mutex<Directory>, work: impl FnOnce(&mut Directory) -> T) -> T {
    work(&mut directory.lock().unwrap_or_else(PoisonError::into_inner))
}
