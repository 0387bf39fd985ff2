//! What a row says was used, made to mean one thing: input with its cached part, output with its reasoning.

use arrow::array::{Array, Int64Array};
use component::Rows;

use super::book::Rounding;
use super::decimal::WHOLE;
use super::units::{UnitId, Units, Usage};

/// Columns of `provider_calls` that count a unit, and the unit.
pub(super) const COLUMNS: &[(&str, &str)] = &[
    ("input_tokens", "input_tokens"),
    ("output_tokens", "output_tokens"),
    ("cache_read_tokens", "cache_read_tokens"),
    ("cache_write_tokens", "cache_write_tokens"),
    ("cache_write_5m_tokens", "cache_write_5m_tokens"),
    ("cache_write_1h_tokens", "cache_write_1h_tokens"),
    ("cache_write_12h_tokens", "cache_write_12h_tokens"),
    ("reasoning_tokens", "output_reasoning_tokens"),
    ("citation_tokens", "output_citation_tokens"),
    ("input_text_tokens", "input_text_tokens"),
    ("input_image_tokens", "input_image_tokens"),
    ("input_audio_tokens", "input_audio_tokens"),
    ("input_video_tokens", "input_video_tokens"),
    ("cache_read_text_tokens", "cache_text_read_tokens"),
    ("cache_read_image_tokens", "cache_image_read_tokens"),
    ("cache_read_audio_tokens", "cache_audio_read_tokens"),
    ("output_text_tokens", "output_text_tokens"),
    ("output_image_tokens", "output_image_tokens"),
    ("output_audio_tokens", "output_audio_tokens"),
    ("output_video_tokens", "output_video_tokens"),
    ("billed_characters", "input_characters"),
    ("pages", "input_document_pages"),
    ("annotated_pages", "input_annotated_document_pages"),
    ("text_messages", "input_text_messages"),
    ("web_searches", "web_searches"),
    ("file_searches", "storage_searches"),
    ("code_executions", "code_executions"),
    ("tool_calls", "tool_calls"),
];

/// Counts that are the sum of others where nobody states them.
pub(super) const WHOLES: &[(&str, &[&str])] = &[
    ("cache_read_tokens", &["cache_text_read_tokens", "cache_image_read_tokens", "cache_audio_read_tokens"]),
    ("cache_write_tokens", &["cache_write_5m_tokens", "cache_write_1h_tokens", "cache_write_12h_tokens"]),
    ("input_tokens", &["input_text_tokens", "input_image_tokens", "input_audio_tokens", "input_video_tokens"]),
    ("output_tokens", &["output_text_tokens", "output_image_tokens", "output_audio_tokens", "output_video_tokens"]),
    ("input_document_pages", &["input_annotated_document_pages"]),
];

/// Units that the normaliser works with, by number.
#[derive(Debug)]
pub(super) struct Reader {
    columns: Vec<(&'static str, UnitId)>,
    pub(super) input: UnitId,
    pub(super) output: UnitId,
    cache_read: UnitId,
    cache_write: UnitId,
    reasoning: UnitId,
    /// Wholes that may be given by their parts alone, the inner ones first.
    wholes: Vec<(UnitId, Vec<UnitId>)>,
    audio_seconds: UnitId,
    input_audio_seconds: UnitId,
    output_audio_seconds: UnitId,
    characters: UnitId,
    images: UnitId,
}

/// The columns of one gather that count something.
pub(super) struct Counted<'a> {
    units: Vec<(UnitId, &'a Int64Array)>,
    total: Option<&'a Int64Array>,
    audio_ns: Option<&'a Int64Array>,
    images: Option<&'a Int64Array>,
    input_chars: Option<&'a Int64Array>,
}

/// What a call makes, as far as it decides what its counts mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Makes {
    Speech,
    Images,
    /// Text, numbers, anything else.
    Other,
}

/// How a row's counts were understood.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Report {
    /// `inclusive` or `exclusive`, where cached tokens leave a choice.
    pub(super) semantics: Option<&'static str>,
    /// No count of input, or of output, was given.
    pub(super) no_input: bool,
    pub(super) no_output: bool,
    /// All that is known is how many tokens there were together.
    pub(super) only_total: Option<i128>,
    /// A count was taken from something that is not quite it.
    pub(super) estimated: bool,
    /// A count below zero.
    pub(super) negative: bool,
}

impl Reader {
    /// `None` if the price list lacks a unit that a column counts.
    pub(super) fn new(units: &Units) -> Option<Self> {
        let all = |keys: &[&str]| keys.iter().map(|key| units.usage(key)).collect::<Option<Vec<_>>>();
        Some(Self {
            columns: COLUMNS.iter().map(|(column, key)| Some((*column, units.usage(key)?))).collect::<Option<_>>()?,
            input: units.usage("input_tokens")?,
            output: units.usage("output_tokens")?,
            cache_read: units.usage("cache_read_tokens")?,
            cache_write: units.usage("cache_write_tokens")?,
            reasoning: units.usage("output_reasoning_tokens")?,
            wholes: WHOLES
                .iter()
                .map(|(whole, parts)| Some((units.usage(whole)?, all(parts)?)))
                .collect::<Option<_>>()?,
            audio_seconds: units.usage("audio_seconds")?,
            input_audio_seconds: units.usage("input_audio_seconds")?,
            output_audio_seconds: units.usage("output_audio_seconds")?,
            characters: units.usage("input_characters")?,
            images: units.usage("images")?,
        })
    }

    /// The columns of a gather.
    pub(super) fn columns<'a>(&self, rows: &'a Rows) -> Counted<'a> {
        Counted {
            units: self.columns.iter().filter_map(|(column, unit)| Some((*unit, rows.int(column)?))).collect(),
            total: rows.int("total_tokens"),
            audio_ns: rows.int("audio_ns"),
            images: rows.int("images"),
            input_chars: rows.int("input_chars"),
        }
    }

    /// Reads one row into `usage`.
    pub(super) fn read(&self, counted: &Counted, row: usize, makes: Makes, usage: &mut Usage) -> Report {
        let at = |array: Option<&Int64Array>| array.filter(|a| a.is_valid(row)).map(|a| i128::from(a.value(row)));
        let mut report = Report::default();
        usage.clear();
        for (unit, array) in &counted.units {
            if let Some(count) = at(Some(array)) {
                report.negative |= count < 0;
                usage.set(*unit, count * WHOLE);
            }
        }
        // A nanosecond is a billionth of what is priced, a second.
        if let Some(nanoseconds) = at(counted.audio_ns) {
            report.negative |= nanoseconds < 0;
            let direction = if makes == Makes::Speech { self.output_audio_seconds } else { self.input_audio_seconds };
            usage.set(self.audio_seconds, nanoseconds);
            usage.set(direction, nanoseconds);
        }
        // Elsewhere the column counts the choices that a chat was asked for.
        if makes == Makes::Images {
            usage.set(self.images, at(counted.images).unwrap_or(1).max(0) * WHOLE);
        }
        if makes == Makes::Speech
            && !usage.any()
            && let Some(letters) = at(counted.input_chars).filter(|n| *n > 0)
        {
            usage.set(self.characters, letters * WHOLE);
            report.estimated = true;
        }
        self.normalise(at(counted.total).map(|total| total * WHOLE), usage, &mut report);
        report
    }

    fn normalise(&self, total: Option<i128>, usage: &mut Usage, report: &mut Report) {
        if let Some(total) = total.filter(|total| *total > 0 && !usage.any()) {
            report.only_total = Some(total);
            return;
        }
        for (whole, parts) in &self.wholes {
            let sum: i128 = parts.iter().filter_map(|part| usage.stated(*part)).sum();
            if sum > 0 && usage.stated(*whole).is_none() {
                usage.set(*whole, sum);
            }
        }
        self.input(total, usage, report);
        self.output(total, usage, report);
    }

    /// Cached tokens that exceed the input cannot be among it; a total that adds up says so as well.
    fn input(&self, total: Option<i128>, usage: &mut Usage, report: &mut Report) {
        let stated = |unit| usage.stated(unit).unwrap_or(0);
        let cached = stated(self.cache_read) + stated(self.cache_write);
        let (output, reasoning) = (stated(self.output), stated(self.reasoning));
        let Some(input) = usage.stated(self.input) else {
            report.no_input = true;
            if cached > 0 {
                usage.set(self.input, cached);
            }
            return;
        };
        if cached <= 0 {
            return;
        }
        let apart = input + cached + output;
        let adds_up = total == Some(apart) || (reasoning > 0 && total == Some(apart + reasoning));
        // Where both readings give the reported total, the convention's own stands.
        let among = total == Some(input + output) || total == Some(input + output + reasoning);
        if cached > input || (adds_up && !among) {
            usage.set(self.input, input + cached);
            report.semantics = Some("exclusive");
        } else {
            report.semantics = Some("inclusive");
        }
    }

    fn output(&self, total: Option<i128>, usage: &mut Usage, report: &mut Report) {
        let reasoning = usage.stated(self.reasoning).unwrap_or(0);
        let Some(output) = usage.stated(self.output) else {
            report.no_output = true;
            if reasoning > 0 {
                usage.set(self.output, reasoning);
            }
            return;
        };
        let input = usage.stated(self.input).unwrap_or(0);
        let adds_up = reasoning > 0 && total == Some(input + output + reasoning);
        if reasoning > output || adds_up {
            usage.set(self.output, output + reasoning);
        }
    }

    /// Raises seconds of audio to those that are billed.
    pub(super) fn round_audio(&self, usage: &mut Usage, rounding: Rounding) {
        if rounding == Rounding::default() {
            return;
        }
        let units = [self.audio_seconds, self.input_audio_seconds, self.output_audio_seconds];
        let (least, step) = (whole(rounding.minimum.unwrap_or(0)), whole(rounding.increment.unwrap_or(0)));
        // The minimum is of what is listened to; what is spoken is billed as it is long.
        let heard = units[..2].iter().any(|unit| usage.stated(*unit).is_some_and(|n| n > 0));
        let mut billed = units.into_iter().find_map(|unit| usage.stated(unit)).filter(|n| *n > 0).unwrap_or(0);
        if billed == 0 {
            return;
        }
        if heard {
            billed = billed.max(least);
        }
        if step > 0 {
            billed = (billed + step - 1) / step * step;
        }
        for unit in units {
            if usage.stated(unit).is_some() || (heard && unit != self.output_audio_seconds) {
                usage.set(unit, billed);
            }
        }
    }
}

fn whole(seconds: u32) -> i128 {
    i128::from(seconds) * WHOLE
}
