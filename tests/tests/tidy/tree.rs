//! The files of the repository, without what is built or stored there.

use std::path::{Path, PathBuf};

use tests::places;

/// Folders that hold no source.
const SKIPPED: &[&str] = &["target", "node_modules", "marquetry-data", "data", "__pycache__", "fixtures"];

/// Every file with one of these extensions, relative to the root.
pub fn files(extensions: &[&str]) -> Vec<PathBuf> {
    let root = places::root();
    let mut found = Vec::new();
    walk(&root, &mut found);
    let mut files: Vec<_> = found
        .iter()
        .filter(|path| path.extension().and_then(|e| e.to_str()).is_some_and(|e| extensions.contains(&e)))
        .map(|path| path.strip_prefix(&root).expect("below the root").to_owned())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no file with an extension of {extensions:?}");
    files
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        if name.starts_with('.') || SKIPPED.contains(&name) {
            continue;
        }
        if path.is_dir() {
            walk(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// The text of a file.
pub fn read(path: impl AsRef<Path>) -> String {
    let path = places::root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("reading {}: {e}", path.display()))
}
