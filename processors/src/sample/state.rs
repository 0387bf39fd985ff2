//! The `ot` entry of a W3C trace state: what earlier samplers say.

use std::borrow::Cow;

use super::threshold::{Randomness, Threshold};

/// What a trace state says of sampling.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// What was sampled so far.
    pub(super) threshold: Option<Threshold>,
    /// The randomness of the trace, where it is not that of its id.
    pub(super) randomness: Option<Randomness>,
}

/// Reads a trace state; what is not well-formed says nothing.
pub(super) fn read(state: &str) -> Said {
    let mut said = Said::default();
    let Some(ours) = members(state).find_map(|member| member.strip_prefix("ot=")) else { return said };
    for (key, value) in ours.split(';').filter_map(|entry| entry.split_once(':')) {
        match key {
            "th" => said.threshold = Threshold::stated(value),
            "rv" => said.randomness = Randomness::stated(value),
            _ => {}
        }
    }
    said
}

/// The trace state with another threshold: its entry moves to the front, everything else stays.
pub(super) fn write(state: &str, threshold: Threshold) -> Cow<'_, str> {
    let Some(hex) = threshold.hex() else { return Cow::Borrowed(state) };
    let mut out = format!("ot=th:{hex}");
    let ours = members(state).find_map(|member| member.strip_prefix("ot=")).unwrap_or_default();
    for entry in ours.split(';').filter(|entry| !entry.is_empty() && !entry.starts_with("th:")) {
        out.push(';');
        out.push_str(entry);
    }
    for other in members(state).filter(|member| !member.starts_with("ot=")) {
        out.push(',');
        out.push_str(other);
    }
    Cow::Owned(out)
}

fn members(state: &str) -> impl Iterator<Item = &str> {
    state.split(',').map(str::trim).filter(|member| !member.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_read_and_written() {
        let half = Threshold::of_rate(0.5);
        let quarter = Threshold::of_rate(0.25);
        let cases = [
            ("", None, "ot=th:c"),
            ("ot=th:8", Some(half), "ot=th:c"),
            ("ot=th:80000000000000", Some(half), "ot=th:c"),
            ("ot=rv:ce929d0e0e4736;th:8", Some(half), "ot=th:c;rv:ce929d0e0e4736"),
            (
                "rojo=00f067aa0ba902b7 , ot=th:8;x:1,congo=t61",
                Some(half),
                "ot=th:c;x:1,rojo=00f067aa0ba902b7,congo=t61",
            ),
            ("ot=th:0", Some(Threshold::NONE), "ot=th:c"),
            ("ot=th:", None, "ot=th:c"),
            ("ot=th:zz;p:8", None, "ot=th:c;p:8"),
            ("rot=th:8", None, "ot=th:c,rot=th:8"),
            ("ot", None, "ot=th:c,ot"),
        ];
        for (state, threshold, after) in cases {
            assert_eq!((read(state).threshold, &*write(state, quarter)), (threshold, after), "{state:?}");
        }
        assert_eq!(read("ot=rv:ce929d0e0e4736").randomness, Randomness::stated("ce929d0e0e4736"));
        assert_eq!(read("ot=rv:ce92").randomness, None);
        assert_eq!(write("a=b", Threshold::of_rate(0.0)), "a=b");
    }
}
