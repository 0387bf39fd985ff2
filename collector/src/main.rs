//! Marquetry: OTLP in, private typed Delta tables out, SQL on them.

use std::io::Write;
use std::process::ExitCode;

use collector::cli::{self, Cli};
use collector::config::Config;
use collector::telemetry::start_logs;
use collector::{Distribution, Error, Service};

/// Decoding makes and frees many buffers on several threads; memory then stays flat where the system's allocator grows.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main(&Distribution::default(), run)
}

fn run(cli: &Cli, distribution: &Distribution) -> Result<(), Error> {
    // Parse.
    let config = Config::load(&cli.inputs(), distribution)?;
    cli::runtime()?.block_on(async {
        let own = start_logs(&config, cli.log_format)?;
        let done = serve(config, distribution).await;
        // Last, since a drain has something to say as well.
        own.finish().await;
        done
    })
}

async fn serve(config: Config, distribution: &Distribution) -> Result<(), Error> {
    // Build.
    let service = Service::build(config, distribution).await?;
    // Nobody has to read it.
    let _ = writeln!(std::io::stdout(), "{}", service.announcement());
    // Run.
    let running = service.run();
    cli::stop_signal().await;
    // Drain.
    running.drain().await
}
