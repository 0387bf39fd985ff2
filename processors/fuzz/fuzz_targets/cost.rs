//! Any numbers as the usage of a call: the laws of `laws.rs` hold.
#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;

#[path = "../laws.rs"]
mod laws;

thread_local! {
    static RIG: RefCell<laws::Rig> = RefCell::new(laws::Rig::new());
}

fuzz_target!(|text: &str| {
    RIG.with_borrow_mut(|rig| rig.cost(text));
});
