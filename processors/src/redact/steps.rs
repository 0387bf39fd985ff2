//! How many bytes the detectors looked at, counted in tests and by the fuzzer alone: that time is linear is then a fact about numbers that
//! no busy machine can change.

#[cfg(any(test, fuzzing))]
thread_local! {
    static TAKEN: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Counts bytes that were looked at.
#[inline]
pub(super) fn add(bytes: usize) {
    #[cfg(any(test, fuzzing))]
    TAKEN.with(|taken| taken.set(taken.get() + bytes as u64));
    #[cfg(not(any(test, fuzzing)))]
    let _ = bytes;
}

/// What was counted since the last time.
#[cfg(any(test, fuzzing))]
pub fn taken() -> u64 {
    TAKEN.with(|taken| taken.replace(0))
}
