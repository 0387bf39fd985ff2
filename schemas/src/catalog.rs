//! All tables, the built-in ones embedded, an overlay folder on top.

use std::path::Path;
use std::sync::Arc;

use crate::load::{self, LoadError};
use crate::table::Table;

/// The tables that ship with Marquetry, in routing order. A new table is one file and one line here.
const BUILT_IN: &[(&str, &str)] = &[
    ("audit_log.yaml", include_str!("../tables/audit_log.yaml")),
    ("auth_events.yaml", include_str!("../tables/auth_events.yaml")),
    ("key_events.yaml", include_str!("../tables/key_events.yaml")),
    ("rate_limits.yaml", include_str!("../tables/rate_limits.yaml")),
    ("errors.yaml", include_str!("../tables/errors.yaml")),
    ("provider_calls.yaml", include_str!("../tables/provider_calls.yaml")),
    ("requests.yaml", include_str!("../tables/requests.yaml")),
    ("activity_events.yaml", include_str!("../tables/activity_events.yaml")),
    ("spans.yaml", include_str!("../tables/spans.yaml")),
    ("logs.yaml", include_str!("../tables/logs.yaml")),
    ("access_log.yaml", include_str!("../tables/access_log.yaml")),
    ("directory.yaml", include_str!("../tables/directory.yaml")),
];

const COMMON: (&str, &str) = ("common.yaml", include_str!("../tables/common.yaml"));

/// Every table that exists, ordered by routing precedence.
#[derive(Debug)]
pub struct Catalog {
    tables: Vec<Arc<Table>>,
    journal_only: Vec<Arc<Table>>,
}

impl Catalog {
    /// The tables that ship with Marquetry.
    pub fn built_in() -> Result<Self, LoadError> {
        Self::load(None)
    }

    /// The built-in tables, extended and added to by the YAML files of `overlay`.
    pub fn load(overlay: Option<&Path>) -> Result<Self, LoadError> {
        let common = load::common(COMMON.0, COMMON.1)?;
        let mut raw = Vec::new();
        for (file, yaml) in BUILT_IN {
            raw.push(((*file).to_owned(), load::raw(file, yaml)?));
        }
        if let Some(folder) = overlay {
            for (file, yaml) in files(folder)? {
                let table = load::raw(&file, &yaml)?;
                match raw.iter_mut().find(|(_, known)| known.table == table.table) {
                    Some((_, known)) => load::extend(known, table),
                    None => raw.push((file, table)),
                }
            }
        }
        let mut tables = Vec::new();
        for (file, table) in raw {
            tables.push((file.clone(), Arc::new(load::check(&file, table, &common)?)));
        }
        tables.sort_by_key(|(_, t)| t.order);
        if let Some(pair) = tables.windows(2).find(|p| p[0].1.order == p[1].1.order) {
            return Err(LoadError::Invalid {
                file: pair[1].0.clone(),
                what: format!(
                    "tables {} and {} have the same order {}",
                    pair[0].1.name, pair[1].1.name, pair[1].1.order
                ),
            });
        }
        let (journal_only, tables) = tables.into_iter().map(|(_, t)| t).partition(|t: &Arc<Table>| t.journal_only);
        Ok(Self { tables, journal_only })
    }

    /// The tables that the lake keeps and SQL serves, in routing order.
    pub fn tables(&self) -> &[Arc<Table>] {
        &self.tables
    }

    /// Tables whose rows live in the journal alone.
    pub fn journal_only(&self) -> &[Arc<Table>] {
        &self.journal_only
    }

    /// A table by name, of either kind.
    pub fn table(&self, name: &str) -> Option<&Arc<Table>> {
        self.tables.iter().chain(&self.journal_only).find(|t| t.name == name)
    }
}

fn files(folder: &Path) -> Result<Vec<(String, String)>, LoadError> {
    let failed = |source| LoadError::Read { file: folder.display().to_string(), source };
    let mut paths = std::fs::read_dir(folder)
        .map_err(failed)?
        .map(|entry| entry.map(|e| e.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed)?;
    paths.retain(|p| p.extension().is_some_and(|e| e == "yaml" || e == "yml"));
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let file = path.display().to_string();
            let yaml =
                std::fs::read_to_string(&path).map_err(|source| LoadError::Read { file: file.clone(), source })?;
            Ok((file, yaml))
        })
        .collect()
}
