//! An output whose reader may leave early, as `head` does.

use std::io::{ErrorKind, Result, Write};

/// Takes everything; what comes after the reader has left goes nowhere.
pub(crate) struct UntilClosed<W> {
    out: W,
    closed: bool,
}

impl<W: Write> UntilClosed<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out, closed: false }
    }

    fn unless_closed<T>(&mut self, nothing: T, act: impl FnOnce(&mut W) -> Result<T>) -> Result<T> {
        if self.closed {
            return Ok(nothing);
        }
        match act(&mut self.out) {
            Err(e) if e.kind() == ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(nothing)
            }
            done => done,
        }
    }
}

impl<W: Write> Write for UntilClosed<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.unless_closed(bytes.len(), |out| out.write(bytes))
    }

    fn flush(&mut self) -> Result<()> {
        self.unless_closed((), Write::flush)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes some bytes and then answers with one kind of error.
    struct Failing {
        room: usize,
        kind: ErrorKind,
    }

    impl Write for Failing {
        fn write(&mut self, bytes: &[u8]) -> Result<usize> {
            if self.room == 0 {
                return Err(self.kind.into());
            }
            let taken = bytes.len().min(self.room);
            self.room -= taken;
            Ok(taken)
        }

        fn flush(&mut self) -> Result<()> {
            if self.room == 0 { Err(self.kind.into()) } else { Ok(()) }
        }
    }

    #[test]
    fn only_a_reader_that_left_is_no_mistake() {
        let check = |kind, expected: bool| {
            let mut out = UntilClosed::new(Failing { room: 3, kind });
            let done = out.write_all(b"more than three").and_then(|()| out.flush());
            assert_eq!(done.is_ok(), expected, "{kind}");
            assert_eq!(out.closed, expected, "{kind}");
        };
        check(ErrorKind::BrokenPipe, true);
        check(ErrorKind::StorageFull, false);
    }
}
