//! The fuzz targets' seeds, and whatever a fuzzer once found, replayed.

use std::path::Path;

use otlp::{Signal, json_to_protobuf};

use crate::support::decode;

fn each(corpus: &str, run: impl Fn(Signal, &[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(corpus);
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let input = std::fs::read(entry.unwrap().path()).unwrap();
        let (kind, body) = input.split_first().map_or((0, &[][..]), |(kind, body)| (*kind, body));
        // As the targets read their first byte.
        run([Signal::Traces, Signal::Logs, Signal::Metrics][usize::from(kind % 3)], body);
        count += 1;
    }
    assert!(count >= 5, "{corpus} has {count} inputs");
}

#[test]
fn corpus_replay() {
    each("decode", |signal, body| drop(decode(signal, &[body, body])));
    each("json", |signal, body| {
        if let Ok(bytes) = json_to_protobuf(signal, body) {
            assert!(!decode(signal, &[&bytes]).outcomes[0].malformed);
        }
    });
}
