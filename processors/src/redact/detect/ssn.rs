//! United States social security numbers.

use super::super::kind::{Finding, Kind};
use super::{before, begins, byte, digits_end, ends};

/// `AAA-GG-SSSS` whose first digit stands at `at`; numbers that are never issued are none.
pub(in super::super) fn ssn(text: &[u8], at: usize, run_end: usize) -> Option<Finding> {
    let part =
        |from: usize, digits: usize| text.get(from..from + digits).filter(|_| digits_end(text, from) == from + digits);
    if run_end - at != 3 || byte(text, run_end) != b'-' || !begins(text, at) || before(text, at) == b'-' {
        return None;
    }
    let area = part(at, 3)?;
    let group = part(at + 4, 2)?;
    let serial = (byte(text, at + 6) == b'-').then(|| part(at + 7, 4)).flatten()?;
    let issued = area != b"000" && area != b"666" && area[0] != b'9' && group != b"00" && serial != b"0000";
    let end = at + 11;
    (issued && ends(text, end) && byte(text, end) != b'-').then(|| Finding::new(at, end, Kind::Ssn))
}
