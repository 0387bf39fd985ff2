//! Social security and taxpayer numbers of the United States.

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
    // Of those who have no social security number.
    let taxpayer = area[0] == b'9' && matches!(group[0], b'5'..=b'9') && group != b"89" && group != b"93";
    let end = at + 11;
    let kind = if issued { Kind::Ssn } else { Kind::Id };
    ((issued || taxpayer) && ends(text, end) && byte(text, end) != b'-').then(|| Finding::new(at, end, kind))
}
