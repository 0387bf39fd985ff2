//! The socket on which a running process is asked: a file in the directory's own folder, for its owner and root alone.
//!
//! A connection carries one question and one answer, each a line of JSON.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;

use super::{Answer, Asked, Desk};

/// Longest question, in bytes.
const LONGEST: u64 = 16 << 10;
/// How long somebody may take to ask.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the process that owns a folder is asked.
pub(super) fn path(folder: &Path) -> PathBuf {
    folder.join("ask.sock")
}

/// A socket that is bound; its file goes with it.
pub(crate) struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Binds the socket of a folder. Whoever holds the journal may remove one that a crash left behind.
    pub(crate) fn bind(folder: &Path) -> std::io::Result<Self> {
        let path = path(folder);
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path)?;
        // The folder lets nobody else in; this is for one whose mode somebody has widened.
        std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        Ok(Self { listener, path })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Answers until `stop`.
pub(crate) async fn serve(socket: Socket, desk: Desk, stop: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = socket.listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => drop(tokio::spawn(converse(stream, desk.clone()))),
            Err(error) => {
                tracing::warn!(%error, "somebody who wanted to ask for a user could not be let in");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn converse(mut stream: UnixStream, desk: Desk) {
    let Ok(Ok(answer)) = tokio::time::timeout(PATIENCE * 60, reply(&mut stream, &desk)).await else { return };
    let Ok(mut line) = serde_json::to_vec(&answer) else { return };
    line.push(b'\n');
    // Whoever went away has been put down all the same.
    let _ = stream.write_all(&line).await;
}

async fn reply(stream: &mut UnixStream, desk: &Desk) -> std::io::Result<Answer> {
    let uid = stream.peer_cred()?.uid();
    if uid != 0 && uid != rustix::process::geteuid().as_raw() {
        return Ok(Answer::Refused("only the account that runs the collector, and root, may ask for users".to_owned()));
    }
    let mut line = String::new();
    let mut reader = BufReader::new(stream.take(LONGEST));
    match tokio::time::timeout(PATIENCE, reader.read_line(&mut line)).await {
        Ok(read) => read?,
        Err(_) => return Ok(Answer::Refused("no question came".to_owned())),
    };
    Ok(match serde_json::from_str::<Asked>(&line) {
        Ok(question) => desk.answer(&question, uid).await,
        Err(_) => Answer::Refused("the question is of another version; use the binary that runs".to_owned()),
    })
}
