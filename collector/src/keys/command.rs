//! A program that prints the root key: a client of a key store, or what decrypts a file.
//!
//! It is started as it stands, without a shell, with this process's environment and nothing on standard input. What it says
//! on standard error is shown to nobody, for it may hold the secret.

use std::io::{Error, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How long it may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// Bytes that it may print: a key and some space around it are far fewer.
const MOST: u64 = 64 << 10;

/// Time between two looks whether it has ended.
const TICK: Duration = Duration::from_millis(5);

/// Why a program gave no key.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The system does not start it.
    #[error("it cannot be started: {0}")]
    Start(Error),
    /// What it prints cannot be read.
    #[error("reading what it prints: {0}")]
    Read(Error),
    /// It says that it failed.
    #[error("it ended with {0}; run it by hand to see why")]
    Failed(ExitStatus),
    /// It runs, or something that it started keeps its output open.
    #[error("it has not ended after {0:?}; run it by hand to see what it waits for")]
    Late(Duration),
    /// It ended well, with nothing on standard output.
    #[error("it printed nothing; the key belongs on its standard output")]
    Nothing,
    /// This is no key.
    #[error("it printed more than {MOST} bytes, and a key has at least 32")]
    Long,
}

/// What a program prints, which ends within `patience` or is ended.
pub(super) fn output(command: &[String], patience: Duration) -> Result<Vec<u8>, CommandError> {
    let Some((program, arguments)) = command.split_first() else { return Err(CommandError::Nothing) };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(CommandError::Start)?;
    let printed = printed(&mut child, patience);
    if printed.is_err() {
        // It may have ended already, and then there is nothing to end.
        let _ = child.kill();
        let _ = child.wait();
    }
    printed
}

fn printed(child: &mut Child, patience: Duration) -> Result<Vec<u8>, CommandError> {
    let end = Instant::now() + patience;
    let Some(stdout) = child.stdout.take() else { return Err(CommandError::Nothing) };
    let (send, receive) = mpsc::channel();
    // On a thread of its own, for reading a pipe has no time limit.
    thread::spawn(move || {
        let mut text = Vec::new();
        let read = stdout.take(MOST + 1).read_to_end(&mut text);
        // Nobody waits for it any more when it is late.
        let _ = send.send(read.map(|_| text));
    });
    let late = || CommandError::Late(patience);
    let text = receive.recv_timeout(patience).map_err(|_| late())?.map_err(CommandError::Read)?;
    if text.len() as u64 > MOST {
        return Err(CommandError::Long);
    }
    let status = loop {
        match child.try_wait().map_err(CommandError::Read)? {
            Some(status) => break status,
            None if Instant::now() >= end => return Err(late()),
            None => thread::sleep(TICK),
        }
    };
    match status.success() {
        true if text.trim_ascii().is_empty() => Err(CommandError::Nothing),
        true => Ok(text),
        false => Err(CommandError::Failed(status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, patience: Duration) -> Result<Vec<u8>, CommandError> {
        output(&["sh", "-c", script].map(str::to_owned), patience)
    }

    #[test]
    fn what_it_prints_is_taken_and_what_it_complains_of_is_not() {
        let printed = sh("echo a-key; echo s3cr3t >&2; cat", PATIENCE).unwrap();
        assert_eq!(printed, b"a-key\n", "standard input is empty");
        let arguments = ["printf", "%s|", "a b", "$HOME", "*"].map(str::to_owned);
        assert_eq!(output(&arguments, PATIENCE).unwrap(), b"a b|$HOME|*|", "no shell reads them");
    }

    #[test]
    fn every_failure_says_what_it_is_and_nothing_that_was_printed() {
        let brief = Duration::from_millis(300);
        for (printed, expected) in [
            (sh("echo s3cr3t; echo s3cr3t >&2; exit 3", PATIENCE), "it ended with exit status: 3"),
            (sh("kill -9 $$", PATIENCE), "it ended with signal: 9"),
            (sh("echo s3cr3t; exec sleep 60", brief), "it has not ended after 300ms"),
            (sh("echo s3cr3t; exec >&-; exec sleep 60", brief), "it has not ended after 300ms"),
            (sh("sleep 5 & echo s3cr3t", brief), "it has not ended after 300ms"),
            (sh("echo; echo s3cr3t >&2", PATIENCE), "it printed nothing"),
            (sh("yes s3cr3t", PATIENCE), "it printed more than 65536 bytes"),
            (
                output(&["/nowhere/at-all".to_owned(), "s3cr3t".to_owned()], PATIENCE),
                "it cannot be started: No such file",
            ),
            (output(&[], PATIENCE), "it printed nothing"),
        ] {
            let error = printed.unwrap_err().to_string();
            assert!(error.starts_with(expected) && !error.contains("s3cr3t"), "{error}");
        }
    }
}
