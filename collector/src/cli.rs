//! The command line.

use std::fmt::Arguments;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{Config, Inputs, Period};
use crate::error::Error;
use crate::telemetry::LogFormat;
use crate::{Distribution, commands, pseudonym};

/// An OpenTelemetry collector that keeps what it is sent: as private, typed, queryable Delta tables.
#[derive(Debug, Parser)]
#[command(name = "marquetry", version, after_help = EXAMPLES, max_term_width = 110)]
pub struct Cli {
    /// What to do; `run` unless said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Configuration: FILE, env:NAME or yaml:TEXT. Repeat to lay one over the other: maps merge, lists replace.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Vec<String>,
    /// One setting on top of all files, such as receivers.otlp.protocols.grpc.endpoint=127.0.0.1:5317.
    #[arg(long, global = true, value_name = "A.B=C")]
    pub set: Vec<String>,
    /// Folder of journal, keys and lake [default: $MARQUETRY_DATA, else ./marquetry-data].
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Form of log lines [default: human on a terminal, else json].
    #[arg(long, global = true, value_name = "FORM")]
    pub log_format: Option<LogFormat>,
    /// Taken from collector deployments and ignored.
    #[arg(long, global = true, hide = true)]
    pub feature_gates: Vec<String>,
}

const EXAMPLES: &str = "\
Examples:
  marquetry demo                              see it at work first, on traffic that it makes itself
  marquetry                                   start on defaults: OTLP on 127.0.0.1:4317 and :4318
  marquetry --config marquetry.yaml           start with a configuration in the collector's shape
  marquetry validate --config marquetry.yaml  find every mistake in it, with line and column
  marquetry query \"SELECT provider, model, sum(cost_usd) FROM provider_calls GROUP BY 1, 2\"
  marquetry query --format csv \"SELECT * FROM errors WHERE time > now() - interval '1 hour'\"
  marquetry pseudonym email ann@example.com   what a person is called in the tables
  marquetry doctor                            what is missing or wrong, and what mends it
  marquetry schema provider_calls             what a table's columns are and where they come from

Send it something:
  OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 opentelemetry-instrument python app.py";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Take data until stopped; the same as no command.
    Run,
    /// Ask a question in SQL, of a running process or of what one left behind.
    #[command(after_help = QUERY_EXAMPLES)]
    Query {
        /// The question; `-` reads it from standard input.
        sql: String,
        /// Form of the answer.
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
        /// Write the answer to a file.
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Show Marquetry at work: two weeks of traffic of five systems, then live, in a folder of its own.
    #[cfg(feature = "demo")]
    #[command(after_help = DEMO_EXAMPLES)]
    Demo(crate::demo::Options),
    /// Check the configuration and print everything that is wrong with it.
    Validate,
    /// Say what is missing in what arrived, what is wrong around it, and what mends it; fails if something must be mended.
    #[command(after_help = DOCTOR_EXAMPLES)]
    Doctor {
        /// Form of the answer.
        #[arg(long, value_enum, default_value_t = Form::Text)]
        format: Form,
        /// How far back to look, by the time of receipt: 30m, 24h, 7d.
        #[arg(long, value_name = "TIME", default_value = "24h", value_parser = since)]
        since: Duration,
    },
    /// List what this build can receive, process and export.
    Components,
    /// Print the effective configuration, secrets masked.
    PrintConfig,
    /// List the tables, or describe one.
    Schema {
        /// Which table.
        table: Option<String>,
        /// Print the whole reference as Markdown.
        #[arg(long)]
        reference: bool,
    },
    /// Print the pseudonyms of a value, by every live key id: what to search the tables for.
    #[command(after_help = PSEUDONYM_EXAMPLES)]
    Pseudonym(pseudonym::Options),
    /// Find the user behind a piece of e-mail, name or phone; every look-up is put down in access_log.
    #[command(after_help = USERS_EXAMPLES)]
    Users {
        /// What about them.
        #[command(subcommand)]
        what: Users,
    },
    /// Open the encrypted values of a text: what `redact` made of them by the action `encrypt`. Put down in access_log.
    #[command(after_help = REVEAL_EXAMPLES)]
    Reveal(Reveal),
    /// What calls cost: look prices up, explain a cost, renew the list, price stored calls anew.
    #[command(after_help = PRICES_EXAMPLES)]
    Prices {
        /// What about them.
        #[command(subcommand)]
        what: Prices,
    },
}

/// What about prices.
#[derive(Debug, Subcommand)]
pub enum Prices {
    /// List prices with their days, windows and source: all, or those of a provider or model.
    Show {
        /// A provider, a model, or both.
        #[arg(value_name = "PROVIDER/MODEL")]
        about: Option<String>,
    },
    /// Say line by line how the cost of a call adds up, and why this price.
    Explain {
        /// The call: JSON of its columns or attributes, or the record_id of a stored one; `-` reads standard input.
        call: String,
    },
    /// Write a newer price list into the data folder: the packages' newest by `uv`, or a given one.
    Update {
        /// A price list.
        file: Option<PathBuf>,
    },
    /// What stored calls would cost by today's list and overrides, beside what they cost; changes no row.
    Reprice {
        /// First day or moment.
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// First day or moment after.
        #[arg(long, value_name = "TIME")]
        to: Option<String>,
        /// Form of the report.
        #[arg(long, value_enum, default_value_t = Format::Csv)]
        format: Format,
        /// Write the report to a file.
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

/// What about users.
#[derive(Debug, Subcommand)]
pub enum Users {
    /// List the users in whose e-mail, name or phone number a text stands, or whose pseudonym it is.
    Find {
        /// At least three letters or digits; `-` reads them from standard input, where no process list shows them.
        text: String,
        /// Whose users.
        #[arg(long, default_value = "default")]
        tenant: String,
        /// How many to show.
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: usize,
        /// Form of the answer.
        #[arg(long, value_enum, default_value_t = Form::Text)]
        format: Form,
        /// Show e-mail, phone and name in clear.
        #[arg(long)]
        show: bool,
        /// Why, for access_log.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}

/// What is to be opened.
#[derive(Debug, clap::Args)]
pub struct Reveal {
    /// A token, or any text with tokens in it; `-` reads it from standard input.
    pub text: String,
    /// Whose rows the text comes from.
    #[arg(long, default_value = "default")]
    pub tenant: String,
    /// Why, for access_log.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

const REVEAL_EXAMPLES: &str = "\
Asks the collector that runs on the data folder, or opens what one left behind. What belongs to a user who was erased
nobody can open any more.

Examples:
  marquetry reveal '[EMAIL:k3t5bq2m7xw4vd6jz2nh5ra3yc:pXq0]' --reason 'ticket 4711'
  marquetry query --format csv \"SELECT body FROM logs LIMIT 20\" | marquetry reveal -";

const USERS_EXAMPLES: &str = "\
Asks the collector that runs on the data folder, or opens what one left behind. `user_ref` is what stands in the tables.

Examples:
  marquetry users find ann
  marquetry users find '+7 701' --show --reason 'ticket 4711'
  echo ann@example.com | marquetry users find - --format json
  marquetry query \"SELECT time, actor, hits, in_clear, reason FROM access_log ORDER BY time DESC LIMIT 20\"";

const PRICES_EXAMPLES: &str = "\
The list ships with the program and changes with it; `processors: { cost: { prices: FILE } }` takes another.

Examples:
  marquetry prices show openai/gpt-5.1
  marquetry prices explain '{\"provider\": \"openai\", \"request_model\": \"gpt-5.1\", \"input_tokens\": 2006, \"output_tokens\": 300}'
  marquetry prices update
  marquetry prices reprice --from 2026-07-01 --to 2026-08-01 --format parquet --output july.parquet";

const QUERY_EXAMPLES: &str = "\
A row can be asked for within a second of its OK, also from a second process and after a crash.

Examples:
  marquetry query \"SELECT time, user_ref, method, route, status_code FROM requests ORDER BY time DESC LIMIT 20\"
  marquetry query --format json \"SELECT count(*) AS rows FROM spans\"
  marquetry query --format parquet --output calls.parquet \"SELECT * FROM provider_calls\"
  echo \"SELECT 1\" | marquetry query -";

pub(crate) const PSEUDONYM_EXAMPLES: &str = "\
The value may be spelled anyhow: it is brought into the same normal form as the collector's, by processors.hash. Give the
same --config, --set and --data; the root key is read, never made. The current key id (keys.kid) comes first, then the
others that are live (keys.kids). `-` keeps a value out of the shell's history and the list of processes.

  user      user_ref, actor_ref, resource_ref    email     email_ref, attempted_ref
  session   session_ref, conversation_ref        phone     phone_ref
  device    device_ref                           ip        client_ref
  apikey    key_ref

Examples:
  marquetry pseudonym email Ann@Example.com
  marquetry pseudonym phone '8 701 123 45 67' --tenant acme
  pass show openai/key | marquetry pseudonym apikey - --format json
  marquetry query \"SELECT * FROM requests WHERE user_ref $(marquetry pseudonym user u-42 --format sql)\"";

#[cfg(feature = "demo")]
const DEMO_EXAMPLES: &str = "\
The traffic comes over real OTLP, from the OpenTelemetry SDK. Some of it goes wrong on purpose, and the demo prints what
one can ask about it. Ctrl-C ends it; the folder goes with it unless --keep or --data names one.

Examples:
  marquetry demo                       look around: it prints questions and their commands
  marquetry demo --once                ask them all, show the answers, and end
  marquetry demo --keep ./demo-data    leave the tables behind";

const DOCTOR_EXAMPLES: &str = "\
To a collector that runs it sends a test record, under service.name marquetry-doctor, and reads it back. Give it the
same --config, --set and --data. It shows counts and names, never a value of a record.

Examples:
  marquetry doctor
  marquetry doctor --since 7d
  marquetry doctor --format json | jq '.[] | select(.severity == \"problem\")'";

/// Form of the doctor's findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For people: problems first.
    Text,
    /// One array of objects.
    Json,
}

/// Form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned columns for people.
    Table,
    /// One array of objects.
    Json,
    /// With a header line.
    Csv,
    /// A Parquet file.
    Parquet,
}

impl Cli {
    /// Where the configuration comes from.
    pub fn inputs(&self) -> Inputs {
        Inputs { configs: self.config.clone(), sets: self.set.clone(), data: self.data.clone(), ..Inputs::default() }
    }
}

/// The arguments of this process, performed: `run` as the binary tells it, everything else here.
pub fn main(distribution: &Distribution, run: fn(&Cli, &Distribution) -> Result<(), Error>) -> ExitCode {
    let cli = Cli::parse();
    if !cli.feature_gates.is_empty() {
        say(format_args!("note: --feature-gates is the collector's and has no meaning here"));
    }
    exit_code(perform(&cli, distribution, run))
}

fn perform(
    cli: &Cli,
    distribution: &Distribution,
    run: fn(&Cli, &Distribution) -> Result<(), Error>,
) -> Result<(), Error> {
    let inputs = cli.inputs();
    match &cli.command {
        None | Some(Command::Run) => run(cli, distribution),
        Some(Command::Query { sql, format, output }) => {
            let config = Config::for_questions(&inputs, distribution)?;
            runtime()?.block_on(commands::query(&config, sql, *format, output.as_deref()))
        }
        #[cfg(feature = "demo")]
        Some(Command::Demo(options)) => crate::demo::run(cli, options, distribution),
        Some(Command::Doctor { format, since }) => {
            runtime()?.block_on(commands::doctor(&inputs, distribution, *format, *since))
        }
        Some(Command::Validate) => commands::validate(&inputs, distribution),
        Some(Command::Components) => commands::components(distribution),
        Some(Command::PrintConfig) => commands::print_config(&inputs, distribution),
        Some(Command::Schema { table, reference }) => {
            commands::schema(&Config::for_questions(&inputs, distribution)?, table.as_deref(), *reference)
        }
        Some(Command::Pseudonym(asked)) => pseudonym::run(&Config::for_pseudonyms(&inputs, distribution)?, asked),
        Some(Command::Users { what }) => {
            let config = Config::for_users(&inputs, distribution)?;
            runtime()?.block_on(crate::users::find(&config, distribution, what))
        }
        Some(Command::Reveal(what)) => {
            let config = Config::for_users(&inputs, distribution)?;
            runtime()?.block_on(crate::users::reveal(&config, distribution, what))
        }
        Some(Command::Prices { what }) => commands::prices(&Config::for_prices(&inputs, distribution)?, what),
    }
}

fn since(text: &str) -> Result<Duration, String> {
    Period::parse(text).map(|period| period.0).ok_or_else(|| "a time is written as 30m, 24h or 7d".to_owned())
}

/// The threads that serve connections.
pub fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    let built = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    built.map_err(|why| Error::file("starting", std::path::Path::new("the runtime"), why))
}

/// Ends when the process is asked to stop, by Ctrl-C or SIGTERM. Being asked twice ends it at once: what was
/// acknowledged is on disk.
pub async fn stop_signal() {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping: finishing open requests and flushing; ask again to stop at once");
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        std::process::exit(130);
    });
}

/// Tells people something. Nobody may be listening any more, as with `2>&1 | head`, and that is no mistake of ours.
pub(crate) fn say(text: Arguments<'_>) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Says what went wrong, and how to tell it to a shell.
fn exit_code(done: Result<(), Error>) -> ExitCode {
    let Err(error) = done else { return ExitCode::SUCCESS };
    match &error {
        Error::Config(problems) => {
            let count = problems.len();
            let plural = if count == 1 { "" } else { "s" };
            say(format_args!("{problems}\n\n{count} mistake{plural} in the configuration"));
        }
        // Whoever reads our output has closed it, as `head` does.
        Error::Output(e) if e.kind() == std::io::ErrorKind::BrokenPipe => return ExitCode::SUCCESS,
        // The findings have said it.
        Error::Unhealthy => {}
        error => say(format_args!("error: {}", crate::with_sources(error))),
    }
    ExitCode::FAILURE
}
