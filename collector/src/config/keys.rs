//! The `keys` section: one place where the root key comes from, and key ids that fit each other.
//!
//! Without `kids` every id from 1 to `kid` is searched for: who rotates by setting `kid` alone still finds every row, and who
//! wants an id to be forgotten has to say so.

use component::{KeyIds, Rotation};

use super::node::{Node, Place};
use super::problem::Problems;
use super::read::locate;
use super::{KeySource, LakeSettings, model};

/// Key ids that are live at once; a search asks for the pseudonyms of all of them.
const MOST: u32 = 100;

/// Where the root key comes from.
pub(super) fn source(root: &Node, keys: &model::Keys, lake: &LakeSettings, problems: &mut Problems) -> KeySource {
    let said = [
        keys.root_key_file.clone().map(|file| ("root_key_file", KeySource::File(file))),
        keys.root_key_env.clone().map(|name| ("root_key_env", KeySource::Env(name))),
        keys.root_key_command.clone().map(|command| ("root_key_command", KeySource::Command(command))),
    ];
    let mut said = said.into_iter().flatten();
    let Some((key, source)) = said.next() else {
        if !lake.local {
            problems.add_anywhere(
                "a lake on an object store needs a root key that outlives this machine; set `keys.root_key_file`, \
                 `keys.root_key_env` or `keys.root_key_command` (make one with `head -c 32 /dev/urandom | base64`)",
            );
        }
        return KeySource::Own;
    };
    if let Some((other, _)) = said.next() {
        let what = "there is one root key: say one of `root_key_file`, `root_key_env` and `root_key_command`";
        add(root, &[other], problems, what);
    }
    if let Some(what) = wrong(&source, lake) {
        add(root, &[key], problems, what);
    }
    source
}

/// Why a root key cannot come from there.
fn wrong(source: &KeySource, lake: &LakeSettings) -> Option<&'static str> {
    match source {
        KeySource::File(file) if lake.local && file.starts_with(lake.location.trim_start_matches("file://")) => {
            Some("the root key lies inside the lake, where every reader could take it")
        }
        KeySource::Command(command) => match command.first() {
            // A whole line would be looked for as one program, and shown as its name.
            Some(program) if program.is_empty() || program.contains(char::is_whitespace) => {
                Some("the first item is the program alone, each argument is an item of its own; no shell reads them")
            }
            Some(_) => None,
            None => Some("the first item is the program that prints the root key"),
        },
        _ => None,
    }
}

/// The key ids of everybody and of single tenants.
pub(super) fn rotation(root: &Node, keys: &model::Keys, problems: &mut Problems) -> Rotation {
    let everybody = ids(root, &[], (keys.kid.unwrap_or(1), keys.kids.as_deref()), problems);
    let tenants = keys.tenants.iter().map(|(tenant, own)| {
        let kid = own.kid.unwrap_or(everybody.current());
        (tenant.clone(), ids(root, &["tenants", tenant.as_str()], (kid, own.kids.as_deref()), problems))
    });
    let tenants = tenants.collect();
    Rotation::new(everybody, tenants)
}

fn ids(root: &Node, above: &[&str], (kid, kids): (u32, Option<&[u32]>), problems: &mut Problems) -> KeyIds {
    let mut wrong = |key: &str, what: String| add(root, &[above, &[key]].concat(), problems, what);
    let Some(kids) = kids else {
        if kid > MOST {
            wrong(
                "kid",
                format!("say in `kids` which key ids are searched for: {kid}, and those that wrote before it"),
            );
            return KeyIds::new(kid, []);
        }
        return KeyIds::new(kid, 1..=kid);
    };
    if !kids.contains(&kid) {
        let own = "`kids` are all key ids that are searched for";
        wrong("kids", format!("{own}, so that the one that writes, `kid: {kid}`, is among them"));
    }
    if kids.len() > MOST as usize {
        wrong("kids", format!("at most {MOST} key ids are searched for"));
    }
    KeyIds::new(kid, kids.iter().copied())
}

fn add(root: &Node, path: &[&str], problems: &mut Problems, what: impl Into<String>) {
    let path: Vec<String> = path.iter().map(|&part| part.to_owned()).collect();
    let (place, width) = root.get("keys").map_or((Place::default(), 1), |keys| locate(keys, &path));
    problems.add(place, width, what);
}

#[cfg(test)]
mod tests;
