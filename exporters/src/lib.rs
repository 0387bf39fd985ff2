//! Where data goes. Each exporter follows the journal with its own position.

pub mod debug;

/// What an exporter states about itself.
#[derive(Debug, Clone, Copy)]
pub struct Exporter {
    /// Name in the configuration.
    pub name: &'static str,
    /// One sentence for `marquetry components`.
    pub about: &'static str,
}

/// Every exporter. A new one is one file (or folder) and one line here.
pub const ALL: &[Exporter] = &[
    Exporter { name: "lake", about: "Keeps typed Delta tables on a folder or an object store." },
    Exporter { name: "directory", about: "Keeps who is behind a pseudonym, encrypted, for `marquetry users find`." },
    Exporter { name: debug::NAME, about: debug::ABOUT },
];

/// Their names, as the configuration has them.
pub fn names() -> Vec<&'static str> {
    ALL.iter().map(|e| e.name).collect()
}
