//! The whole process: built in an order in which every failure is found before data is taken, run, and drained in an
//! order in which nothing that was acknowledged waits for anything that has already stopped.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use component::{Context, References};
use directory::Directory;
use journal::Journal;
use lake::Lake;
use schemas::Catalog;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::Distribution;
use crate::config::{Config, reaches};
use crate::error::{Error, bind};
use crate::pipeline::{Parts, Pipeline, Recipe};
use crate::receivers::otlp::{self as receiver, Admission, Server};
use crate::telemetry::{self, Answerer, Metrics, Page, Phase, Sources, Telemetry};
use crate::users::{self, Desk, Socket};
use crate::{keys, references, store};

/// How long open requests may take to finish when the process is asked to stop.
const GRACE: Duration = Duration::from_secs(15);

/// A process that is built and does not run yet.
pub struct Service {
    config: Config,
    servers: Vec<Server>,
    admin: Vec<(TcpListener, Admin)>,
    pipeline: Pipeline,
    journal: Journal,
    lake: Lake,
    users: Option<Users>,
    sources: Arc<Sources>,
    metrics: Metrics,
    telemetry: Arc<Telemetry>,
    made_key: Option<PathBuf>,
}

/// A process that runs.
pub struct Running {
    telemetry: Arc<Telemetry>,
    metrics: Metrics,
    /// Instruments read them for as long as these are there, and the journal is locked for as long as well.
    sources: Arc<Sources>,
    pipeline: Pipeline,
    journal: Journal,
    lake: tokio::task::JoinHandle<Result<(), lake::Error>>,
    users: Option<tokio::task::JoinHandle<()>>,
    stop_receiving: CancellationToken,
    stop_lake: CancellationToken,
    stop_admin: CancellationToken,
    open: TaskTracker,
}

/// The user directory, and where it is asked.
struct Users {
    directory: Arc<Mutex<Directory>>,
    desk: Desk,
}

/// What a page of ours shows.
enum Admin {
    Metrics,
    Health(String),
}

impl Service {
    /// Takes the ports, opens keys, journal and lake, and starts the workers.
    pub async fn build(config: Config, distribution: &Distribution) -> Result<Self, Error> {
        let (servers, admin) = take_ports(&config).await?;
        no_loop(&config, &servers)?;
        let private = |path: &std::path::Path| {
            keys::private_folder(path).map_err(|why| Error::file("making data folder", path, why))
        };
        private(&config.data)?;
        let catalog = Catalog::load(config.overlay.as_deref()).map_err(|e| Error::Schemas(crate::with_sources(&e)))?;
        let catalog = Arc::new(catalog);
        let (keyring, made_key) = keys::keyring(&config.key, &config.data, &config.rotation)?;
        let fingerprint = keyring.fingerprint().map_err(keys::RootKeyError::from)?;
        let journal = store::open_journal(&config, &catalog)?;
        let lake = store::open_lake(&config, journal.clone(), fingerprint).await?;
        let context = Context {
            references: References::new(Arc::new(references::Disk)),
            sections: config.chain.clone().into(),
            ..Context::new(catalog, Arc::new(keyring))
        };
        let users = open_users(&config, distribution, &context, &journal)?;
        let metrics = Metrics::start(&config.telemetry)?;
        let telemetry = Arc::new(Telemetry::new(&metrics.meter()));
        let sources = Arc::new(Sources {
            telemetry: Arc::clone(&telemetry),
            counts: context.counts.clone(),
            references: context.references.clone(),
            journal: journal.clone(),
            journal_max: config.journal.max_bytes,
            lake: lake.stats(),
            users: users.as_ref().map(|users| lock(&users.directory).shown()),
            room: Admission::new(config.pipeline.max_in_flight_bytes),
        });
        metrics.read(&sources);
        let watcher = Arc::clone(&telemetry);
        journal.on_sync(move |took| watcher.fsync(took));
        let recipe = Recipe {
            processors: distribution.processors,
            seal: distribution.seal,
            sections: Arc::clone(&context.sections),
        };
        let parts =
            Parts { recipe, context, journal: journal.clone(), telemetry: Arc::clone(&telemetry), debug: config.debug };
        let pipeline = Pipeline::start(&parts, config.pipeline.workers)?;
        Ok(Self { config, servers, admin, pipeline, journal, lake, users, sources, metrics, telemetry, made_key })
    }

    /// Addresses that take OTLP, as bound.
    pub fn addresses(&self) -> Vec<String> {
        self.servers.iter().map(Server::address).collect()
    }

    /// Addresses of metrics and health, as bound.
    pub fn admin_addresses(&self) -> Vec<String> {
        self.admin.iter().filter_map(|(socket, _)| Some(socket.local_addr().ok()?.to_string())).collect()
    }

    /// What a person who started it wants to know.
    pub fn announcement(&self) -> String {
        let pages = self.admin.iter().filter_map(|(socket, page)| {
            let address = socket.local_addr().ok()?;
            Some(match page {
                Admin::Metrics => ("metrics", format!("http://{address}/metrics")),
                Admin::Health(path) => ("health", format!("http://{address}{path}")),
            })
        });
        crate::announce::announcement(&self.config, &self.servers, &pages.collect::<Vec<_>>(), self.made_key.as_deref())
    }

    /// Opens the doors.
    pub fn run(self) -> Running {
        let (stop_receiving, stop_lake, stop_admin) =
            (CancellationToken::new(), CancellationToken::new(), CancellationToken::new());
        let open = TaskTracker::new();
        for (socket, page) in self.admin {
            let answer = answerer(page, &self.metrics, Arc::clone(&self.sources));
            tokio::spawn(telemetry::serve(socket, answer, stop_admin.clone()));
        }
        let watcher = Arc::clone(&self.telemetry);
        let lake_run = self.lake.run(stop_lake.clone());
        let lake = tokio::spawn(async move {
            let ended = lake_run.await;
            if let Err(e) = &ended {
                tracing::error!(error = %e, "the lake stopped; what is acknowledged stays in the journal");
                watcher.set_phase(Phase::Failing(format!("the lake stopped: {e}")));
            }
            ended
        });
        let users = self.users.map(|users| run_users(users, &stop_lake));
        let context =
            receiver::Context::new(self.sources.room.clone(), self.pipeline.outlet(), Arc::clone(&self.telemetry));
        for server in self.servers {
            let connections = self.config.pipeline.max_connections;
            let serving = server.serve(context.clone(), connections, stop_receiving.clone(), open.clone());
            open.spawn(serving);
        }
        tokio::spawn(references::watch(self.sources.references.clone(), stop_receiving.clone()));
        self.telemetry.set_phase(Phase::Ready);
        let Self { telemetry, metrics, sources, pipeline, journal, .. } = self;
        Running {
            telemetry,
            metrics,
            sources,
            pipeline,
            journal,
            lake,
            users,
            stop_receiving,
            stop_lake,
            stop_admin,
            open,
        }
    }
}

impl Running {
    /// Stops taking data, answers what is open, flushes the lake, closes the journal and pushes the last metrics.
    pub async fn drain(self) -> Result<(), Error> {
        self.telemetry.set_phase(Phase::Draining);
        self.stop_receiving.cancel();
        self.open.close();
        if tokio::time::timeout(GRACE, self.open.wait()).await.is_err() {
            tracing::warn!("requests that were still arriving were cut off; their senders will send them again");
        }
        self.pipeline.drain().await;
        self.stop_lake.cancel();
        let flushed = self.lake.await;
        if let Some(users) = self.users {
            // What it could not take waits in the journal.
            let _ = users.await;
        }
        let journal = self.journal;
        let closed = tokio::task::spawn_blocking(move || journal.close()).await;
        self.stop_admin.cancel();
        self.metrics.stop().await;
        drop(self.sources);
        match (flushed, closed) {
            (Ok(Err(e)), _) => Err(e.into()),
            (_, Ok(Err(e))) => Err(e.into()),
            _ => Ok(()),
        }
    }
}

async fn take_ports(config: &Config) -> Result<(Vec<Server>, Vec<(TcpListener, Admin)>), Error> {
    let mut servers = Vec::new();
    for listener in &config.listeners {
        servers.push(receiver::bind(listener.clone()).await?);
    }
    let mut admin = Vec::new();
    if let Some((address, path)) = &config.health {
        let socket = bind(address, "extensions.health_check.endpoint").await?;
        admin.push((socket, Admin::Health(path.clone())));
    }
    if let Some(address) = &config.metrics {
        admin.push((bind(address, "service.telemetry.metrics.address").await?, Admin::Metrics));
    }
    Ok((servers, admin))
}

fn open_users(
    config: &Config,
    distribution: &Distribution,
    context: &Context,
    journal: &Journal,
) -> Result<Option<Users>, Error> {
    if config.directory.is_none() {
        return Ok(None);
    }
    let directory = Arc::new(Mutex::new(store::open_directory(config, journal, context)?));
    let desk = users::desk(Arc::clone(&directory), context, distribution, journal)?;
    Ok(Some(Users { directory, desk }))
}

fn lock(directory: &Mutex<Directory>) -> MutexGuard<'_, Directory> {
    directory.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Follows the journal and answers who asks for a user, until `stop`.
fn run_users(users: Users, stop: &CancellationToken) -> tokio::task::JoinHandle<()> {
    let folder = lock(&users.directory).folder().to_owned();
    let socket = Socket::bind(&folder).inspect_err(|error| {
        // Say, a path that is longer than a socket's may be. Data is taken all the same.
        tracing::error!(%error, folder = %folder.display(), "`marquetry users find` cannot reach this process");
    });
    let stop = stop.clone();
    tokio::spawn(async move {
        let answering = async {
            if let Ok(socket) = socket {
                users::serve(socket, users.desk, stop.clone()).await;
            }
        };
        tokio::join!(answering, directory::run(users.directory, stop.clone()));
    })
}

/// A port that the system chose is known only now.
fn no_loop(config: &Config, servers: &[Server]) -> Result<(), Error> {
    for target in config.telemetry.targets() {
        if let Some(server) = servers.iter().find(|server| reaches(&target.url, &server.address())) {
            let listener = format!("{}.endpoint", server.listener().path);
            return Err(Error::Loop { setting: target.setting.clone(), listener });
        }
    }
    Ok(())
}

fn answerer(page: Admin, metrics: &Metrics, sources: Arc<Sources>) -> Answerer {
    match page {
        Admin::Metrics => {
            let page = metrics.page();
            Arc::new(move |path| {
                let kind = "text/plain; version=0.0.4; charset=utf-8";
                (path == "/metrics").then(|| Page { status: 200, kind, body: page() })
            })
        }
        Admin::Health(own) => Arc::new(move |path| {
            let known = path == own || matches!(path, "/health" | "/health/live" | "/health/ready");
            known.then(|| sources.telemetry.health(&sources))
        }),
    }
}
