//! `marquetry users find`: asks the process that runs, or opens what one left behind and puts the look-up down itself.

use std::io::{BufWriter, ErrorKind, Read};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use component::{Context, Counts, References, Shared};
use directory::Directory;
use journal::Journal;
use schemas::Catalog;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use super::access::Access;
use super::{Answer, Asked, Desk, Found, Question, serve, show, who};
use crate::Distribution;
use crate::cli::{self, Form, Users};
use crate::config::Config;
use crate::error::Error;
use crate::pipeline::Recipe;
use crate::until_closed::UntilClosed;
use crate::{keys, references, store};

/// Longer than opening a large directory takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// Looks for users and prints them.
pub(crate) async fn find(config: &Config, distribution: &Distribution, what: &Users) -> Result<(), Error> {
    let Users::Find { text, tenant, limit, format, show, reason } = what;
    let mut text = text.clone();
    if text == "-" {
        text.clear();
        std::io::stdin().lock().read_to_string(&mut text)?;
    }
    let question = Question {
        tenant: tenant.clone(),
        text: text.trim().to_owned(),
        limit: *limit,
        show: *show,
        reason: reason.clone(),
        sudo_user: who::sudo_user(),
    };
    match answer(config, distribution, &Asked::Find(question)).await? {
        Answer::Refused(why) => Err(Error::Usage(why)),
        Answer::Found(found) => print(&found, *format, *show),
        Answer::Revealed(_) => Err(Error::Usage("the collector answered another question".to_owned())),
    }
}

/// The answer of the process that runs on the data folder, or of what one left behind.
pub(super) async fn answer(config: &Config, distribution: &Distribution, asked: &Asked) -> Result<Answer, Error> {
    match ask(&store::directory_folder(&config.data), asked).await? {
        Some(answer) => Ok(answer),
        None => answer_here(config, distribution, asked).await,
    }
}

fn print(found: &Found, format: Form, in_clear: bool) -> Result<(), Error> {
    let mut out = BufWriter::new(UntilClosed::new(std::io::stdout()));
    match format {
        Form::Json => show::json(found, &mut out)?,
        Form::Text if found.users.is_empty() => {}
        Form::Text => show::table(found, &mut out)?,
    }
    let shown = found.users.len();
    match found.total {
        0 => cli::say(format_args!("nobody is found")),
        total if total > shown as u64 => {
            cli::say(format_args!("{shown} of {total} users; say more of the text, or --limit"))
        }
        _ => {}
    }
    if shown > 0 && !in_clear {
        cli::say(format_args!("masked; --show shows them in clear, and access_log says so"));
    }
    Ok(())
}

/// The answer of the process that runs; `None` if none does.
async fn ask(folder: &Path, question: &Asked) -> Result<Option<Answer>, Error> {
    let path = serve::path(folder);
    let failed = |why| Error::file("asking the collector at", &path, why);
    let mut stream = match UnixStream::connect(&path).await {
        Ok(stream) => stream,
        // Nothing was ever there, or a crash left it behind.
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => return Ok(None),
        Err(e) => return Err(failed(e)),
    };
    let mut line = serde_json::to_vec(question).map_err(std::io::Error::from)?;
    line.push(b'\n');
    stream.write_all(&line).await.map_err(failed)?;
    let mut answer = String::new();
    let read = async { BufReader::new(stream).read_line(&mut answer).await };
    tokio::time::timeout(PATIENCE, read).await.map_err(|_| failed(ErrorKind::TimedOut.into()))?.map_err(failed)?;
    serde_json::from_str(&answer).map(Some).map_err(|_| failed(ErrorKind::UnexpectedEof.into()))
}

/// Answers from the folder, with nothing running.
async fn answer_here(config: &Config, distribution: &Distribution, question: &Asked) -> Result<Answer, Error> {
    let data = config.data.display();
    // Opening would make the folder and a key, and an empty answer would look like an answer.
    if !store::journal_folder(&config.data).is_dir() {
        let what = format!("there is no data in {data}; start `marquetry` first, or say where with --data");
        return Err(Error::Usage(what));
    }
    let catalog = Catalog::load(config.overlay.as_deref()).map_err(|e| Error::Schemas(crate::with_sources(&e)))?;
    let keyring = keys::existing(&config.key, &config.data, &config.rotation)?;
    let context = Context {
        references: References::new(Arc::new(references::Disk)),
        sections: config.chain.clone().into(),
        ..Context::new(Arc::new(catalog), Arc::new(keyring))
    };
    let journal = store::open_journal(config, &context.catalog).map_err(|e| match e {
        Error::Journal(journal::Error::Locked(_)) => Error::Usage(format!(
            "a process runs on {data} and keeps no user directory; add the exporter `directory` to its configuration"
        )),
        e => e,
    })?;
    let directory = store::open_directory(config, &journal, &context)?;
    let desk = desk(Arc::new(Mutex::new(directory)), &context, distribution, &journal)?;
    // Whoever may write here is who runs this.
    let answer = desk.answer(question, rustix::process::getuid().as_raw()).await;
    drop(desk);
    let closed = tokio::task::spawn_blocking(move || journal.close()).await;
    closed.map_err(|e| Error::Query(e.to_string()))??;
    Ok(answer)
}

/// A desk over an open directory.
pub(crate) fn desk(
    directory: Arc<Mutex<Directory>>,
    context: &Context,
    distribution: &Distribution,
    journal: &Journal,
) -> Result<Desk, Error> {
    let recipe = Recipe {
        processors: distribution.processors,
        seal: distribution.seal,
        sections: Arc::clone(&context.sections),
    };
    // Counters and caches of its own: what is put down here is nobody's record.
    let context = Context { counts: Counts::default(), shared: Shared::default(), ..context.clone() };
    let seal = recipe.seal(&context)?;
    Ok(Desk::new(directory, Access::new(context, seal, journal.clone())))
}
