//! Marquetry: OTLP in, private typed Delta tables out, SQL on them.

use std::io::Write;
use std::process::ExitCode;

use collector::cli::{self, Cli};
use collector::config::Config;
use collector::telemetry::start_logs;
use collector::{Distribution, Error, Service};

/// Decoding makes and frees many buffers on several threads; memory then stays flat where the system's allocator grows.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// How the allocator starts, unless `_RJEM_MALLOC_CONF` in the environment says otherwise. What was freed goes back to the
/// system within half a second, by a thread of its own: an idle collector is a small one. No huge pages: a touched byte
/// would cost two mebibytes, and a collector beside an app has no such to spare.
#[expect(unsafe_code, reason = "the allocator looks for a symbol of this name; nothing else has it")]
#[unsafe(export_name = "_rjem_malloc_conf")]
pub static ALLOCATOR_SETTINGS: &[u8] = b"background_thread:true,dirty_decay_ms:500,thp:never\0";

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
