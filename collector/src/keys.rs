//! The root key: found, or made by itself for a lake that does not leave this machine.

mod command;

use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use component::{Keyring, Rotation};

use crate::config::KeySource;
use command::CommandError;

/// Why there is no root key.
#[derive(Debug, thiserror::Error)]
pub enum RootKeyError {
    /// The file could not be read or made.
    #[error("{doing} root key {path}: {why}")]
    File {
        /// What was tried.
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// The system's answer.
        why: std::io::Error,
    },
    /// Others can read it.
    #[error("root key {0} can be read by others than its owner; run `chmod 600 {0}`")]
    Readable(PathBuf),
    /// It was never made.
    #[error(
        "there is no root key {0}: the first start of the collector makes it; give --data, --config and --set as the \
         collector has them"
    )]
    Missing(PathBuf),
    /// The variable is not there.
    #[error("environment variable {0}, named by keys.root_key_env, is not set")]
    Variable(String),
    /// The program gave none.
    #[error("running {program}, which keys.root_key_command names: {why}")]
    Command {
        /// Which program, without its arguments.
        program: String,
        /// What became of it.
        why: CommandError,
    },
    /// The system has no randomness to give.
    #[error("making a root key: {0}")]
    Random(String),
    /// Too short.
    #[error(transparent)]
    Key(#[from] component::KeyError),
}

/// The keyring, and the file that was made for it at this start, if one was.
pub(crate) fn keyring(
    source: &KeySource,
    data: &Path,
    rotation: &Rotation,
) -> Result<(Keyring, Option<PathBuf>), RootKeyError> {
    let own = own_file(data);
    let made = *source == KeySource::Own && !own.exists();
    if made {
        make(&own)?;
    }
    Ok((existing(source, data, rotation)?, made.then_some(own)))
}

/// The keyring of a root key that must be there.
pub(crate) fn existing(source: &KeySource, data: &Path, rotation: &Rotation) -> Result<Keyring, RootKeyError> {
    let root = match source {
        KeySource::Env(name) => {
            let text = std::env::var(name).map_err(|_| RootKeyError::Variable(name.clone()))?;
            secret(text.as_bytes())
        }
        KeySource::File(path) => load(path)?,
        KeySource::Command(line) => {
            let failed = |why| RootKeyError::Command { program: program(line).to_owned(), why };
            secret(&command::output(line, command::PATIENCE).map_err(failed)?)
        }
        KeySource::Own => {
            let path = own_file(data);
            if !path.exists() {
                return Err(RootKeyError::Missing(path));
            }
            load(&path)?
        }
    };
    Ok(Keyring::rotated(&root, rotation.clone())?)
}

/// The root key that a local lake makes for itself.
pub(crate) fn own_file(data: &Path) -> PathBuf {
    data.join("keys").join("root.key")
}

/// What may be shown of a command: its arguments may hold a secret.
pub(crate) fn program(command: &[String]) -> &str {
    command.first().map_or("", String::as_str)
}

fn load(path: &Path) -> Result<Vec<u8>, RootKeyError> {
    let failed = |why| RootKeyError::File { doing: "reading", path: path.to_owned(), why };
    let mode = std::fs::metadata(path).map_err(failed)?.permissions().mode();
    if mode & 0o077 != 0 && !is_mounted_secret(path) {
        return Err(RootKeyError::Readable(path.to_owned()));
    }
    Ok(secret(&std::fs::read(path).map_err(failed)?))
}

/// Kubernetes mounts secrets through links and with modes that a pod cannot change.
fn is_mounted_secret(path: &Path) -> bool {
    path.parent().is_some_and(|folder| folder.join("..data").exists()) || path.starts_with("/run/secrets")
}

/// Base64 text of 32 bytes or more is decoded; anything else is taken as it is.
fn secret(bytes: &[u8]) -> Vec<u8> {
    let text = bytes.trim_ascii();
    match STANDARD.decode(text) {
        Ok(decoded) if decoded.len() >= 32 => decoded,
        _ => text.to_vec(),
    }
}

fn make(path: &Path) -> Result<(), RootKeyError> {
    let failed = |why| RootKeyError::File { doing: "making", path: path.to_owned(), why };
    if let Some(folder) = path.parent() {
        private_folder(folder).map_err(failed)?;
    }
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(|e| RootKeyError::Random(e.to_string()))?;
    // Written beside and renamed: a crash must not leave half a key, which would look like a wrong one for ever.
    let draft = path.with_extension("new");
    let _ = std::fs::remove_file(&draft);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(failed)?;
    file.write_all(STANDARD.encode(bytes).as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    std::fs::rename(&draft, path).map_err(failed)?;
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    std::fs::File::open(folder).and_then(|f| f.sync_all()).map_err(failed)
}

/// A folder that only its owner can enter.
pub(crate) fn private_folder(path: &Path) -> std::io::Result<()> {
    let fresh = !path.exists();
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    // The mode of `create` passes through the umask; ours is exact, and a folder that was there keeps its own.
    if fresh { std::fs::set_permissions(path, Permissions::from_mode(0o700)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use component::KeyIds;

    use super::*;

    fn rotation() -> Rotation {
        Rotation::new(KeyIds::new(1, []), BTreeMap::new())
    }

    #[test]
    fn the_first_start_makes_a_private_key_and_the_second_finds_it() {
        let data = tempfile::tempdir().unwrap();
        let missing = existing(&KeySource::Own, data.path(), &rotation()).unwrap_err();
        assert!(matches!(missing, RootKeyError::Missing(_)), "{missing}");
        assert!(!data.path().join("keys").exists(), "who only asks makes none");
        let (first, made) = keyring(&KeySource::Own, data.path(), &rotation()).unwrap();
        let path = made.unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        let (second, made) = keyring(&KeySource::Own, data.path(), &rotation()).unwrap();
        assert_eq!(made, None);
        assert_eq!(first.fingerprint().unwrap(), second.fingerprint().unwrap());
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(keyring(&KeySource::Own, data.path(), &rotation()), Err(RootKeyError::Readable(_))));
    }

    #[test]
    fn a_short_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("short.key");
        std::fs::write(&path, "c2hvcnQ=").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        let error = keyring(&KeySource::File(path), folder.path(), &rotation()).unwrap_err();
        assert!(matches!(error, RootKeyError::Key(component::KeyError::Short(8))), "{error}");
    }

    #[test]
    fn a_program_prints_the_key_that_a_file_holds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.key");
        std::fs::write(&path, "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=\n").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        let fingerprint = |source: KeySource| {
            let (keyring, made) = keyring(&source, folder.path(), &rotation()).unwrap();
            assert_eq!(made, None);
            keyring.fingerprint().unwrap()
        };
        let cat = KeySource::Command(vec!["cat".to_owned(), path.display().to_string()]);
        assert_eq!(fingerprint(cat), fingerprint(KeySource::File(path)));
        let echo = KeySource::Command(["echo", "s3cr3t"].map(str::to_owned).to_vec());
        let error = keyring(&echo, folder.path(), &rotation()).unwrap_err();
        assert!(matches!(error, RootKeyError::Key(component::KeyError::Short(6))), "{error}");
        let fails = KeySource::Command(["false", "s3cr3t"].map(str::to_owned).to_vec());
        let error = keyring(&fails, folder.path(), &rotation()).unwrap_err().to_string();
        assert_eq!(
            error,
            "running false, which keys.root_key_command names: it ended with exit status: 1; run it by hand to see why"
        );
    }
}
