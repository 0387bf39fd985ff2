//! What brings data in. A new receiver is one file (or folder) here, one line in `config::components::RECEIVERS`.

pub mod otlp;
