//! `marquetry demo`: this process on a fresh folder, the traffic of five systems, and what one can ask about it.

mod announce;
mod progress;
mod questions;
mod stage;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use ::demo::{Senders, Settings, Traffic};
use queries::{Engine, Format};
use tokio_util::sync::CancellationToken;

use self::progress::{History, Pulse};
use self::questions::Question;
use self::stage::{Folder, Stage};
use crate::cli::{self, Cli};
use crate::error::Error;
use crate::{Distribution, asking};

/// What a demo is asked to be.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Ask every question, show the answers and end; fails if one has no rows.
    #[arg(long)]
    once: bool,
    /// Keep everything in this folder, which has to be new or empty.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// The same seed gives the same traffic, relative to now.
    #[arg(long, value_name = "N", default_value_t = 7)]
    seed: u64,
    /// Days of history.
    #[arg(long, value_name = "N", default_value_t = 14, value_parser = clap::value_parser!(u32).range(i64::from(::demo::FEWEST_DAYS)..=i64::from(::demo::MOST_DAYS)))]
    days: u32,
    /// People with an account, over all five systems.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=2000))]
    users: u32,
    /// Records a second of the live part, about.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rate: u32,
}

/// The whole of it. What was made is removed again, however it ends.
pub(crate) fn run(cli: &Cli, options: &Options, distribution: &Distribution) -> Result<(), Error> {
    if !cli.config.is_empty() {
        let text = "a demo runs on defaults in a folder of its own and takes no --config; single values by --set";
        return Err(Error::Usage(text.to_owned()));
    }
    if cli.data.is_some() && options.keep.is_some() {
        return Err(Error::Usage("--data and --keep both name the folder; use one of them".to_owned()));
    }
    let folder = Folder::choose(cli.data.as_ref().or(options.keep.as_ref()))?;
    cli::runtime()?.block_on(async {
        let stop = CancellationToken::new();
        let asked = stop.clone();
        tokio::spawn(async move {
            cli::stop_signal().await;
            asked.cancel();
        });
        let (stage, running) = Stage::set(cli, &folder, distribution).await?;
        let shown = show(options, &stage, &stop).await;
        let drained = running.drain().await;
        shown.and(drained)
    })
}

async fn show(options: &Options, stage: &Stage, stop: &CancellationToken) -> Result<(), Error> {
    let now = SystemTime::now();
    let settings = Settings { seed: options.seed, days: options.days, users: options.users as usize, now };
    let traffic = tokio::task::spawn_blocking(move || Traffic::plan(settings)).await;
    let traffic = Arc::new(traffic.map_err(|_| ::demo::Error::Closed)?);
    let senders = Senders::new(&stage.endpoints)?;
    let began = Instant::now();
    let Some(mut senders) = history(&traffic, senders, stop).await? else {
        return interrupted(options);
    };
    senders.settled().await?;
    let engine = asking::open(&stage.config).await?;
    check(&engine, &traffic).await?;
    progress::done(&traffic, senders.counts(), began.elapsed());
    if options.once {
        senders.close().await?;
        return ask_all(&engine, stage, stop).await;
    }
    stage.say(&announce::announcement(stage, &traffic))?;
    live(options, &traffic, senders, &engine, stop).await
}

fn interrupted(options: &Options) -> Result<(), Error> {
    if options.once {
        return Err(Error::Usage("stopped before the questions were asked".to_owned()));
    }
    Ok(())
}

/// Sends the history from a thread of its own, since senders wait there; `None` when asked to stop.
async fn history(traffic: &Arc<Traffic>, senders: Senders, stop: &CancellationToken) -> Result<Option<Senders>, Error> {
    let mut shown = History::new(traffic.items());
    let counts = Arc::clone(senders.counts());
    let (traffic, stop) = (Arc::clone(traffic), stop.clone());
    let mut sending = tokio::task::spawn_blocking(move || {
        let mut items = traffic.history().take_while(|_| !stop.is_cancelled());
        let sent = items.try_for_each(|item| senders.send(item));
        (senders, sent.map(|()| !stop.is_cancelled()))
    });
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    let ended = loop {
        tokio::select! {
            ended = &mut sending => break ended,
            _ = tick.tick() => shown.show(counts.items()),
        }
    };
    shown.end();
    let (senders, sent) = ended.map_err(|_| ::demo::Error::Closed)?;
    match sent {
        Ok(complete) => Ok(complete.then_some(senders)),
        // The exporter that gave up knows more.
        Err(stuck) => Err(senders.close().await.err().unwrap_or(stuck).into()),
    }
}

/// Home rows of what a demo sends; somebody may send more meanwhile.
const OURS: &str = "is_primary AND deployment_environment = 'demo'";

/// Everything that was sent has a home row, and only one.
async fn check(engine: &Engine, traffic: &Traffic) -> Result<(), Error> {
    let tables = schemas::Catalog::built_in().map_err(|e| Error::Schemas(crate::with_sources(&e)))?;
    let each: Vec<String> = tables
        .tables()
        .iter()
        .map(|table| format!("SELECT kind, count(*) AS n FROM {} WHERE {OURS} GROUP BY kind", table.name))
        .collect();
    let sql = format!(
        "SELECT coalesce(sum(CASE WHEN kind = 'log' THEN 0 ELSE n END), 0) AS spans, \
         coalesce(sum(CASE WHEN kind = 'log' THEN n ELSE 0 END), 0) AS logs FROM ({})",
        each.join(" UNION ALL ")
    );
    let stored = text(engine, &sql, Format::Csv).await?;
    let sent = format!("spans,logs\n{},{}\n", traffic.spans(), traffic.logs());
    if stored == sent {
        return Ok(());
    }
    let one_line = |text: &str| text.trim_end().replace('\n', " ");
    Err(Error::Query(format!("the tables hold {}, but sent were {}", one_line(&stored), one_line(&sent))))
}

async fn text(engine: &Engine, sql: &str, format: Format) -> Result<String, Error> {
    let answer = engine.query(sql).await.map_err(|e| asking::failed(&e))?;
    let mut out = Vec::new();
    answer.write(format, &mut out).map_err(|e| asking::failed(&e))?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// Asks and shows one question after the other; those without rows are named at the end.
async fn ask_all(engine: &Engine, stage: &Stage, stop: &CancellationToken) -> Result<(), Error> {
    let mut silent = Vec::new();
    for question in questions::ALL {
        if stop.is_cancelled() {
            return Err(Error::Usage("stopped before every question was asked".to_owned()));
        }
        let Question { title, sql } = question;
        let answer = engine.query(sql).await.map_err(|e| asking::failed(&e))?;
        let mut table = Vec::new();
        answer.write(Format::Table, &mut table).map_err(|e| asking::failed(&e))?;
        let table = String::from_utf8_lossy(&table);
        stage.say(&format!("{title}\n  {}\n{table}\n", stage.command(sql)))?;
        if answer.rows() == 0 {
            silent.push(*title);
        }
    }
    if silent.is_empty() {
        let asked = questions::ALL.len();
        stage.say(&format!("{asked} questions, and every one has rows.\n"))?;
        return Ok(());
    }
    Err(Error::Query(format!("no rows for: {}", silent.join(" · "))))
}

/// Goes on until asked to stop, with a line that shows that it does.
async fn live(
    options: &Options,
    traffic: &Arc<Traffic>,
    senders: Senders,
    engine: &Engine,
    stop: &CancellationToken,
) -> Result<(), Error> {
    let counts = Arc::clone(senders.counts());
    let last: Arc<Mutex<Option<(&'static str, Instant)>>> = Arc::default();
    let (told, rate, traffic, asked) = (Arc::clone(&last), f64::from(options.rate), Arc::clone(traffic), stop.clone());
    let mut sending = tokio::task::spawn_blocking(move || {
        let tell = |text| *told.lock().unwrap_or_else(PoisonError::into_inner) = Some((text, Instant::now()));
        let sent = traffic.live(&senders, rate, &asked, tell);
        (senders, sent)
    });
    let mut pulse = Pulse::new();
    let mut tick = tokio::time::interval(Duration::from_secs(3));
    loop {
        tokio::select! {
            ended = &mut sending => {
                pulse.end();
                let (senders, sent) = ended.map_err(|_| ::demo::Error::Closed)?;
                return Ok(senders.close().await.and(sent)?);
            }
            _ = tick.tick() => {
                let spent = text(engine, questions::SPENT, Format::Csv).await?;
                let last = *last.lock().unwrap_or_else(PoisonError::into_inner);
                pulse.show(counts.items(), spent.lines().nth(1).unwrap_or_default(), last);
            }
        }
    }
}
