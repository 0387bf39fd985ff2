//! The bench: one corpus, two collectors, the same bytes, one run.

mod client;
mod corpus;
mod load;
mod measure;
mod random;
mod report;
mod requests;
mod stored;
mod subject;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Parser;

use crate::corpus::Corpus;
use crate::load::Overload;
use crate::measure::{Bench, Measured, Overloaded};
use crate::requests::{Load, Shape, Wire};
use crate::subject::{Programs, Side};

/// The shape whose numbers are quoted: SDKs send by gRPC, in batches of some hundred.
const QUOTED: Shape = Shape { wire: Wire::Grpc, gzip: false, batch: 200 };

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Sends one corpus to Marquetry and to the Go collector and says what each needed for it.
#[derive(Debug, Parser)]
struct Arguments {
    /// The binary of Marquetry.
    #[arg(long)]
    marquetry: PathBuf,
    /// Another binary that answers queries: the sidecar build has no SQL.
    #[arg(long)]
    ask: Option<PathBuf>,
    /// The binary of the Go collector; without it only Marquetry is measured.
    #[arg(long)]
    go: Option<PathBuf>,
    /// The folder of the bench, with the configurations of both.
    #[arg(long, default_value = env!("CARGO_MANIFEST_DIR"))]
    configs: PathBuf,
    /// Where the processes may write.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Records of the corpus.
    #[arg(long, default_value_t = 200_000)]
    items: usize,
    /// Choices of the corpus.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How often the shape that is quoted is measured.
    #[arg(long, default_value_t = 5)]
    repeats: usize,
    /// How often every other shape is.
    #[arg(long, default_value_t = 1)]
    sweep_repeats: usize,
    /// Seconds of overload.
    #[arg(long, default_value_t = 15)]
    overload_seconds: u64,
    /// Two minutes: shows that the bench works and that nothing is lost. Its times mean nothing.
    #[arg(long)]
    quick: bool,
    /// The shape that is quoted and nothing else.
    #[arg(long)]
    only_saturation: bool,
    /// The shape that is quoted, at saturation and overloaded.
    #[arg(long)]
    no_sweep: bool,
    /// Also write the tables as Markdown.
    #[arg(long)]
    markdown: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let items = if arguments.quick { arguments.items.min(20_000) } else { arguments.items };
    let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos())?;
    let corpus = Corpus::new(arguments.seed, items, now);
    let folder = arguments.folder.clone().unwrap_or_else(std::env::temp_dir);
    let programs = Programs {
        marquetry: std::path::absolute(&arguments.marquetry)?,
        ask: arguments.ask.as_ref().map(std::path::absolute).transpose()?,
        go: arguments.go.as_ref().map(std::path::absolute).transpose()?,
        configs: std::path::absolute(&arguments.configs)?,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let warm = Corpus::new(arguments.seed + 1, 2_000, now);
    let warm = Arc::new(Load::new(&warm, QUOTED, warm.items.len())?);
    let bench = Bench { programs: &programs, runtime: &runtime, folder: &folder, warm: &warm };
    let mut report = report::Report::default();
    report.corpus(&corpus, arguments.seed);
    let quoted = quoted(&bench, &corpus, arguments, &mut report)?;
    if !arguments.only_saturation {
        overloaded(&bench, &corpus, arguments, &quoted, &mut report)?;
        if !arguments.no_sweep {
            sweep(&bench, &corpus, arguments, &mut report)?;
        }
    }
    if let Some(path) = &arguments.markdown {
        std::fs::write(path, report.markdown())?;
    }
    report.judge(arguments.quick)
}

fn sides(programs: &Programs) -> Vec<Side> {
    if programs.go.is_some() { vec![Side::Marquetry, Side::Go] } else { vec![Side::Marquetry] }
}

/// The shape that is quoted, in alternated pairs.
fn quoted(bench: &Bench, corpus: &Corpus, arguments: &Arguments, report: &mut report::Report) -> Result<Vec<Measured>> {
    let shape = QUOTED;
    let load = Arc::new(Load::new(corpus, shape, corpus.items.len())?);
    let mut measured = Vec::new();
    let mut order = sides(bench.programs);
    for repeat in 0..if arguments.quick { 1 } else { arguments.repeats } {
        for side in &order {
            eprintln!("{}, {}, repeat {}", shape.name(), side.name(), repeat + 1);
            measured.push(bench.saturation(*side, &load, true)?);
        }
        order.reverse();
    }
    eprintln!("merge");
    report.saturation(&load, &measured, &bench.merge(&load)?, corpus);
    Ok(measured)
}

/// Five times what either can take.
fn overloaded(
    bench: &Bench,
    corpus: &Corpus,
    arguments: &Arguments,
    quoted: &[Measured],
    report: &mut report::Report,
) -> Result<()> {
    let shape = QUOTED;
    let load = Arc::new(Load::new(corpus, shape, corpus.items.len())?);
    let mut done: Vec<Overloaded> = Vec::new();
    for side in sides(bench.programs) {
        let of_side = quoted.iter().filter(|m| m.side == side);
        let most = of_side.map(|m| m.outcome.rate()).fold(0.0, f64::max);
        let lasting = Duration::from_secs(if arguments.quick { 4 } else { arguments.overload_seconds });
        let how = Overload { rate: most * 5.0, lasting, connections: 32, open: 3_000 };
        eprintln!("overload, {}", side.name());
        done.push(bench.overload(side, &load, how)?);
    }
    report.overload(&done);
    Ok(())
}

/// Every shape. Small batches cost more, so fewer records are enough.
fn sweep(bench: &Bench, corpus: &Corpus, arguments: &Arguments, report: &mut report::Report) -> Result<()> {
    let mut rows = Vec::new();
    let quick = [(Wire::Http, true, 200), (Wire::Json, false, 10), (Wire::Grpc, false, 1)];
    let shapes = Shape::all().into_iter();
    for shape in shapes.filter(|s| !arguments.quick || quick.contains(&(s.wire, s.gzip, s.batch))) {
        let share = match shape.batch {
            1 => 10,
            10 => 4,
            _ => 1,
        };
        let load = Arc::new(Load::new(corpus, shape, corpus.items.len() / share)?);
        let mut measured = Vec::new();
        let mut order = sides(bench.programs);
        for _ in 0..if arguments.quick { 1 } else { arguments.sweep_repeats } {
            for side in &order {
                eprintln!("{}, {}", shape.name(), side.name());
                measured.push(bench.saturation(*side, &load, false)?);
            }
            order.reverse();
        }
        rows.push((load, measured));
    }
    report.sweep(&rows);
    Ok(())
}
