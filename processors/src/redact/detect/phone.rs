//! Telephone numbers: international ones by their sign and the plan of their country, national ones by a shape that
//! nothing else has, any other by the words around it.

use super::super::kind::{Finding, Kind};
use super::context::{self, Before};
use super::plan::Plan;
use super::{before, byte};

/// Digits of the longest number, a trunk zero and the prefix abroad with it.
const DIGITS: usize = 20;
/// Groups of the most parted number.
const GROUPS: usize = 10;
/// Fewer digits behind a sign are none.
const FEWEST: usize = 7;
/// Fewer digits behind a word are none: small islands have numbers of five.
pub(super) const FEWEST_ANNOUNCED: usize = 5;
/// International numbers have so many digits, without what is dialled before them.
const MOST: usize = 15;

/// Digits of a number and where each group of them lies.
pub(super) struct Number {
    digits: [u8; DIGITS],
    count: usize,
    groups: [(usize, usize); GROUPS],
    used: usize,
}

impl Number {
    /// Reads groups from `at` on.
    pub(super) fn read(text: &[u8], at: usize) -> Option<Self> {
        let mut number = Self { digits: [0; DIGITS], count: 0, groups: [(0, 0); GROUPS], used: 0 };
        let mut place = at;
        while number.used < GROUPS {
            let end = digits_end_within(text, place, DIGITS + 1);
            let group = &text[place..end];
            if number.count + group.len() > DIGITS {
                break;
            }
            number.digits[number.count..number.count + group.len()].copy_from_slice(group);
            number.count += group.len();
            number.groups[number.used] = (place, end);
            number.used += 1;
            match gap(text, end) {
                Some(next) => place = next,
                None => break,
            }
        }
        (number.used > 0).then_some(number)
    }

    pub(super) fn digits(&self) -> &[u8] {
        &self.digits[..self.count]
    }

    /// Length of a group, 0 when there is none.
    pub(super) fn group(&self, index: usize) -> usize {
        if index < self.used { self.groups[index].1 - self.groups[index].0 } else { 0 }
    }

    /// Lengths of the groups, zeros behind the last.
    pub(super) fn shape(&self) -> [usize; GROUPS] {
        std::array::from_fn(|index| self.group(index))
    }

    /// What stands between a group and the next.
    fn between<'t>(&self, text: &'t [u8], index: usize) -> &'t [u8] {
        if index + 1 < self.used { &text[self.groups[index].1..self.groups[index + 1].0] } else { b"" }
    }

    /// Whether the same sign stands between all of the first `groups`.
    fn is_even(&self, text: &[u8], groups: usize) -> bool {
        (1..groups.saturating_sub(1)).all(|index| self.between(text, index) == self.between(text, 0))
    }

    /// Ends of the groups and the digits up to there, the longest first.
    pub(super) fn ends(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        (0..self.used).rev().map(|last| (self.groups[last].1, (0..=last).map(|i| self.group(i)).sum()))
    }
}

fn digits_end_within(text: &[u8], at: usize, most: usize) -> usize {
    at + text[at..].iter().take(most).take_while(|b| b.is_ascii_digit()).count()
}

/// The next group, behind one to three separators. A form writes its spaces as plus signs.
pub(super) fn gap(text: &[u8], end: usize) -> Option<usize> {
    let gap = text[end..].iter().take(4).take_while(|b| b" -./()".contains(b)).count();
    let gap = if gap == 0 { usize::from(byte(text, end) == b'+') } else { gap };
    let next = end + gap;
    ((1..=3).contains(&gap) && byte(text, next).is_ascii_digit() && !text[end..next].starts_with(b"  ")).then_some(next)
}

/// A number behind the `+` at `at`.
pub(in super::super) fn plus(text: &[u8], at: usize) -> Option<Finding> {
    let left = before(text, at);
    if left.is_ascii_alphanumeric() && !super::ends_colour(text, at) {
        return None;
    }
    let mut start = at + 1;
    start += usize::from(byte(text, start) == b'(');
    if !matches!(byte(text, start), b'1'..=b'9') {
        return None;
    }
    let end = international(text, start, true)?;
    Some(Finding::new(at, end, Kind::Phone))
}

/// End of a number whose country code begins at `start`. `signed` numbers may be a little longer than their plan.
fn international(text: &[u8], start: usize, signed: bool) -> Option<usize> {
    let number = Number::read(text, start)?;
    let plan = Plan::of(number.digits())?;
    // The trunk zero in `+44 (0)20` or `+44 020` is written and not dialled.
    let trunk = usize::from(number.digits().get(plan.code) == Some(&b'0'));
    let fits = |digits: usize, fits: &dyn Fn(usize) -> bool| {
        let national = digits.saturating_sub(plan.code);
        (FEWEST..=MOST + trunk).contains(&digits) && (fits(national) || (trunk == 1 && fits(national - 1)))
    };
    let whole = |is: &dyn Fn(usize) -> bool| {
        number.ends().find_map(|(end, digits)| if fits(digits, is) { finish(text, end) } else { None })
    };
    let almost = || if signed { whole(&|national| plan.almost_has(national)) } else { None };
    whole(&|national| plan.has(national)).or_else(almost)
}

/// The end with an extension, unless the number goes on as a word.
fn finish(text: &[u8], end: usize) -> Option<usize> {
    if let Some(end) = extension(text, end) {
        return Some(end);
    }
    let next = byte(text, end);
    let goes_on =
        next.is_ascii_alphanumeric() || next == b'_' || (next == b'.' && byte(text, end + 1).is_ascii_digit());
    (!goes_on).then_some(end)
}

/// The end of `x389`, `ext. 389`, `;ext=389`, `доб. 389`.
fn extension(text: &[u8], end: usize) -> Option<usize> {
    let skip = |from: usize, signs: &[u8]| from + text[from..].iter().take(2).take_while(|b| signs.contains(b)).count();
    let mark = skip(end, b" ,;");
    let words: [&[u8]; 5] = [b"extension", b"ext", b"x", b"#", "доб".as_bytes()];
    let word = words.iter().find(|word| text[mark..].starts_with(word))?;
    let start = skip(mark + word.len(), b" .:=");
    let until = digits_end_within(text, start, 7);
    (until > start).then_some(until)
}

/// Shapes that nothing but a telephone number has.
pub(super) fn shaped(text: &[u8], number: &Number, opened: bool, start: usize) -> Option<usize> {
    let digits = number.digits();
    if let Some(end) = abroad(text, number) {
        return Some(end);
    }
    let shape = number.shape();
    let even = |groups: usize| number.is_even(text, groups);
    let spaced = |group: usize| number.between(text, group) == b" ";
    if number.used < 2 || is_date(digits, &shape) || (spaced(0) && is_row(text, start)) {
        return None;
    }
    if opened && text[number.groups[0].1] == b')' {
        return in_brackets(text, number);
    }
    let dashed = number.between(text, 0) == b"-";
    let local = (dashed || digits.get(3).is_some_and(|d| *d > b'1')) && even(3) && !spaced(0);
    let groups = match (digits[0], shape) {
        // 415-555-2671, 415.555.2671
        (b'2'..=b'9', [3, 3, 4, ..]) if local => 3,
        // 31 8870-6557
        (b'1'..=b'9', [2, 4 | 5, 4, ..]) if spaced(0) && number.between(text, 1) == b"-" => 3,
        // 1-415-555-2671, 8 (701) 123-45-67, 8-701-123-4567
        (b'1', [1, 3, 3, 4, ..]) if matches!(digits[1], b'2'..=b'9') && !(spaced(0) && even(4)) => 4,
        (b'8', [1, 3, 3, 4, ..]) if matches!(digits[1], b'3'..=b'9') && !(spaced(0) && is_counted(text, start)) => 4,
        (b'8' | b'7', [1, 3, 3, 2, 2, ..]) => 5,
        (b'8', [1, 3, 7, ..]) if matches!(digits[1], b'3'..=b'9') => 3,
        (b'0', _) if digits.get(1) != Some(&b'0') => with_trunk(text, number)?,
        _ => return None,
    };
    let end = number.groups[groups - 1].1;
    // More digits behind make it something longer, unless a space parts them from a number with signs of its own.
    let longer = matches!(byte(text, end), b'-' | b'/' | b'.') && byte(text, end + 1).is_ascii_digit();
    let row = spaced(0) && byte(text, end) == b' ' && byte(text, end + 1).is_ascii_digit();
    if longer || row || (groups == 5 && is_dump(text, start, end)) { None } else { finish(text, end) }
}

/// `(415) 555-2671`, `(0171) 2345678`, `(351) 261 816 510`: an area or a country in brackets, the rest behind them.
fn in_brackets(text: &[u8], number: &Number) -> Option<usize> {
    let least = if number.digits()[0] == b'0' { 9 } else { 10 };
    let area = number.group(0);
    let fits = |digits: usize| (2..=5).contains(&area) && (least..=13).contains(&digits);
    number.ends().filter(|(_, digits)| fits(*digits)).find_map(|(end, _)| finish(text, end))
}

/// A number dialled with 00, 011 or 8~10 before its calling code.
fn abroad(text: &[u8], number: &Number) -> Option<usize> {
    let digits = number.digits();
    let first = number.groups[0];
    let prefix = if digits.starts_with(b"011") && number.group(0) == 3 && digits.get(3) != Some(&b'0') {
        3
    } else if digits.starts_with(b"00") && digits.get(2) != Some(&b'0') {
        2
    } else {
        return None;
    };
    let start = if number.group(0) == prefix { number.groups[..number.used].get(1)?.0 } else { first.0 + prefix };
    // The calling code stands in one group, alone or with an area, or the whole number does.
    let code = Plan::of(&digits[prefix..])?.code;
    let group = if number.group(0) == prefix { number.group(1) } else { number.group(0).checked_sub(prefix)? };
    let more = number.used > 1 + usize::from(number.group(0) == prefix);
    if group < code || (more && group > code + 3) {
        return None;
    }
    // In one piece it may be an identifier with zeros before it.
    let joined = matches!(before(text, first.0), b'-' | b'_' | b'/');
    if number.used == 1 && (joined || !Before::new(text, first.0).tells_no_other()) {
        return None;
    }
    let end = international(text, start, false)?;
    (end - start >= 8 && !is_dump(text, first.0, end)).then_some(end)
}

/// How many groups a national number with its trunk zero has: those of the countries that write one.
fn with_trunk(text: &[u8], number: &Number) -> Option<usize> {
    let gap = number.between(text, 0);
    let even = |groups: usize| number.is_even(text, groups);
    match number.shape() {
        [2, 2, 2, 2, 2, ..] if even(5) => Some(5),
        [1, 3, 3, 2, 2, ..] | [2, 3, 2, 2, 2, ..] => Some(5),
        [3, 3, 2, 2, ..]
        | [4, 3, 2, 2, ..]
        | [4, 2, 2, 2, ..]
        | [2, 3, 2, 2, ..]
        | [2, 2, 3, 4, ..]
        | [1, 3, 3, 4, ..] => Some(4),
        [3, 2, 2, 2, 2, ..] => Some(5),
        [3, 4, 4, ..] | [4, 3, 4, ..] | [5, 3, 3, ..] | [4, 3, 3, ..] | [2, 4, 4, ..] | [3, 3, 4, ..] => Some(3),
        [2, 3, 4, ..] | [4, 3, 2, ..] if gap == b"-" => Some(3),
        [5, 6, ..] | [4, 6 | 7, ..] | [3, 7 | 8, ..] | [5, 5, ..] => Some(2),
        [2, 8, ..] if gap == b"-" => Some(2),
        [3..=6, 5..=9, ..] if gap == b"/" || gap == b"-" => Some(2),
        _ => None,
    }
}

/// Whether groups are day, month and year, or year, month and day.
fn is_date(digits: &[u8], shape: &[usize]) -> bool {
    let year = |from: usize| digits.get(from..from + 2).is_some_and(|d| d == b"19" || d == b"20");
    let day = |from: usize| digits.get(from).is_some_and(|d| *d <= b'3');
    match shape {
        [2, 2, 4, ..] => year(4) && day(0) && day(2),
        [4, 2, 2, ..] => year(0) && day(4) && day(6),
        _ => false,
    }
}

/// Whether two bytes in hexadecimal go on before or behind pairs of digits.
fn is_dump(text: &[u8], start: usize, end: usize) -> bool {
    let pair = |from: usize| byte(text, from).is_ascii_hexdigit() && byte(text, from + 1).is_ascii_hexdigit();
    let behind = byte(text, end) == b' ' && pair(end + 1) && byte(text, end + 3) == b' ' && pair(end + 4);
    let before = start >= 6 && pair(start - 6) && text[start - 4] == b' ' && pair(start - 3) && text[start - 1] == b' ';
    behind || before
}

/// Whether another number stands before one, a space between: a row of a table.
fn is_row(text: &[u8], start: usize) -> bool {
    if before(text, start) != b' ' {
        return false;
    }
    let digits = text[..start - 1].iter().rev().take(DIGITS).take_while(|b| b.is_ascii_digit()).count();
    digits > 0 && matches!(before(text, start - 1 - digits), 0 | b' ' | b',' | b':')
}

/// Whether the word before says that something is counted or named.
fn is_counted(text: &[u8], start: usize) -> bool {
    Before::new(text, start).tells_other()
}

/// A number of any shape beside a word that says so.
pub(super) fn announced(text: &[u8], number: &Number, words: Option<&Before>) -> Option<usize> {
    let digits = number.digits();
    if is_date(digits, &number.shape()) {
        return None;
    }
    let sure = words.is_some_and(Before::tells_phone);
    let perhaps = !sure && words.is_some_and(Before::may_tell_phone);
    number.ends().find_map(|(end, count)| {
        let bare = count == number.group(0);
        // Seconds since 1970 have ten digits and begin with 1.
        let moment = bare && count == 10 && digits[0] == b'1';
        let like_one = (9..=12).contains(&count) || (!bare && (FEWEST..=MOST).contains(&count));
        let told = match (sure, perhaps) {
            (true, _) => (FEWEST_ANNOUNCED..=MOST).contains(&count),
            (_, true) => like_one && !moment,
            _ => like_one && context::told_behind(text, end),
        };
        if told { finish(text, end) } else { None }
    })
}

/// End of the digits and groups of a number that a name announces.
pub(super) fn extent(text: &[u8], start: usize) -> Option<usize> {
    let first = start + text[start..].iter().take(2).take_while(|b| matches!(b, b'+' | b'(')).count();
    let number = Number::read(text, first)?;
    let end = number.ends().find(|(_, digits)| *digits <= MOST + 4)?.0;
    (number.group(0) > 0 && number.used > 1).then_some(end)
}

/// Whether a run of digits may be a number of a person, or begin one.
#[inline]
pub(super) fn could_be_one(text: &[u8], at: usize, run_end: usize) -> bool {
    let run = run_end - at;
    let parted = matches!(byte(text, run_end), b' ' | b'-' | b'.' | b'/' | b'(' | b')' | b'+');
    run <= DIGITS && (run >= FEWEST_ANNOUNCED || (parted && gap(text, run_end).is_some()))
}
