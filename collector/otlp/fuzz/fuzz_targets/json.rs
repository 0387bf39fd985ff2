//! Any text as OTLP/JSON: never a panic, and what is written is well formed.
#![no_main]

use std::cell::RefCell;
use std::sync::Arc;

use component::Keyring;
use libfuzzer_sys::fuzz_target;
use otlp::{Decoder, Request, Signal, json_to_protobuf};
use schemas::Catalog;

thread_local! {
    static DECODER: RefCell<Decoder> = RefCell::new(
        Decoder::new(Arc::new(Catalog::built_in().unwrap()), Arc::new(Keyring::new(&[7; 32], 1).unwrap())).unwrap(),
    );
}

fuzz_target!(|input: &[u8]| {
    let Some((kind, json)) = input.split_first() else { return };
    let signal = [Signal::Traces, Signal::Logs, Signal::Metrics][usize::from(kind % 3)];
    let Ok(body) = json_to_protobuf(signal, json) else { return };
    let request = Request { signal, tenant: "acme", body: &body, received_unix_nano: 1_795_245_353_000_000_000 };
    DECODER.with_borrow_mut(|decoder| {
        let decoded = decoder.decode(&[request]).unwrap();
        assert!(!decoded.outcomes[0].malformed);
    });
});
