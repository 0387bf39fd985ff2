//! Which records of one request cannot be processed: found by halves, so that they cost themselves only.

use std::ops::Range;

use otlp::Outcome;

use super::worker::Failure;

/// A request with more bad records than this is refused whole: each costs some tries over the whole request, and a
/// sender must not be able to make us try for ever.
const MOST: usize = 16;

/// Who is to blame for a request that cannot be processed, and why, without a value of it.
pub(super) enum Blame {
    /// These records, by their number in the request.
    Records {
        /// In order.
        numbers: Vec<u64>,
        /// What the first of them did.
        why: String,
    },
    /// No record alone, too many, or one of a request that is taken whole or not at all.
    Whole(String),
}

/// Looks for the records that make `attempt` fail, which is given the records to leave out. `first` is how the whole
/// request of `records` records failed.
pub(super) fn find(
    records: u64,
    first: &Failure,
    mut attempt: impl FnMut(&[Range<u64>]) -> Result<(), Failure>,
) -> Blame {
    if first.audited || records <= 1 {
        return Blame::Whole(first.why.clone());
    }
    let mut numbers = Vec::new();
    let mut why = None;
    // Parts that are known to fail, the first on top.
    let mut failing: Vec<Range<u64>> = std::iter::once(0..records).collect();
    while let Some(part) = failing.pop() {
        let middle = part.start + (part.end - part.start) / 2;
        for half in [middle..part.end, part.start..middle] {
            let Err(failure) = attempt(&[0..half.start, half.end..u64::MAX]) else { continue };
            if failure.audited {
                return Blame::Whole(failure.why);
            }
            if half.end - half.start > 1 {
                failing.push(half);
                continue;
            }
            numbers.push(half.start);
            why.get_or_insert(failure.why);
            if numbers.len() > MOST {
                return Blame::Whole(format!("over {MOST} of its {records} records, one for instance: {}", first.why));
            }
        }
    }
    numbers.sort_unstable();
    match why {
        Some(why) => Blame::Records { numbers, why },
        // It fails only in company, say by its size.
        None => Blame::Whole(first.why.clone()),
    }
}

/// What to leave out.
pub(super) fn without(numbers: &[u64]) -> Vec<Range<u64>> {
    numbers.iter().map(|number| *number..number + 1).collect()
}

/// Adds the records that were left out to what the sender is told.
pub(super) fn tell(outcome: &mut Outcome, left_out: u64, why: &str) {
    outcome.rejected += left_out;
    let more = format!("{left_out} could not be processed: {why}");
    outcome.reason = Some(match outcome.reason.take() {
        Some(reason) => format!("{reason}; {more}"),
        None => more,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(audited: bool) -> Failure {
        Failure { why: "trapped".to_owned(), audited }
    }

    /// Fails if one of `bad` is among the records that are not left out.
    fn search(records: u64, bad: &[u64]) -> (Blame, usize) {
        let mut tries = 0;
        let found = find(records, &failure(false), |without| {
            tries += 1;
            let there = |number: &u64| !without.iter().any(|range| range.contains(number));
            if bad.iter().any(there) { Err(failure(false)) } else { Ok(()) }
        });
        (found, tries)
    }

    #[test]
    fn every_bad_record_is_found_and_no_other() {
        for (records, bad) in [(2, vec![0]), (2, vec![1]), (3, vec![0, 2]), (200, vec![0, 99, 100, 199]), (7, vec![6])]
        {
            let (Blame::Records { numbers, why }, _) = search(records, &bad) else { panic!("{records} {bad:?}") };
            assert_eq!((numbers, why.as_str()), (bad, "trapped"));
        }
    }

    #[test]
    fn one_bad_record_takes_two_tries_for_each_halving() {
        let (_, tries) = search(1024, &[777]);
        assert_eq!(tries, 20);
    }

    #[test]
    fn what_is_refused_whole() {
        let (all, tries) = search(100_000, &(0..100_000).collect::<Vec<_>>());
        assert!(matches!(all, Blame::Whole(_)));
        assert!(tries < 100, "{tries}");
        assert!(matches!(search(1, &[0]).0, Blame::Whole(_)), "it is the request");
        assert!(matches!(search(8, &[]).0, Blame::Whole(_)), "it fails in company only");
        let audited = find(8, &failure(true), |_| panic!("nothing is tried"));
        assert!(matches!(audited, Blame::Whole(_)));
        let meets_one = find(8, &failure(false), |_| Err(failure(true)));
        assert!(matches!(meets_one, Blame::Whole(_)));
    }
}
