//! Side-by-side measurements: one corpus, replayed at Marquetry and at the Go collector in one run.
fn main() {}
