//! Any bytes: never a panic, and nothing of a malformed request among the rows.
#![no_main]

use std::cell::RefCell;
use std::sync::Arc;

use component::Keyring;
use libfuzzer_sys::fuzz_target;
use otlp::{Decoder, Request, Signal};
use schemas::Catalog;

thread_local! {
    static DECODER: RefCell<Decoder> = RefCell::new(
        Decoder::new(Arc::new(Catalog::built_in().unwrap()), Arc::new(Keyring::new(&[7; 32], 1).unwrap())).unwrap(),
    );
}

fuzz_target!(|input: &[u8]| {
    let Some((kind, body)) = input.split_first() else { return };
    let signal = [Signal::Traces, Signal::Logs, Signal::Metrics][usize::from(kind % 3)];
    let request = |body| Request { signal, tenant: "acme", body, received_unix_nano: 1_795_245_353_000_000_000 };
    DECODER.with_borrow_mut(|decoder| {
        let decoded = decoder.decode(&[request(body), request(&[]), request(body)]).unwrap();
        assert_eq!(decoded.outcomes[0], decoded.outcomes[2]);
        let rows: Vec<u32> = decoded.gather.tables().flat_map(|rows| rows.requests().to_vec()).collect();
        let of = |request| rows.iter().filter(|r| **r == request).count();
        assert_eq!((of(0), of(1)), (of(2), 0));
        assert!(!decoded.outcomes[0].malformed || of(0) == 0);
    });
});
