//! The lake as readers see it that know nothing of Marquetry.

use serde_json::Value;

use crate::python;

/// What Python's `deltalake` and Polars find in tables of a lake, by table.
pub fn read(lake: &str, tables: &[&str], environment: &[(String, String)]) -> Value {
    let mut script = python::script("lake.py");
    script.arg(lake).args(tables).envs(environment.to_vec());
    serde_json::from_str(&python::output(&mut script)).expect("lake.py prints JSON")
}
