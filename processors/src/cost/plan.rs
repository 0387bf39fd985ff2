//! The prices that hold for one kind of call, ready to be applied to many.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::book::{Price, PriceSet, greatest_divisor};
use super::decimal::{self, SCALE, Sum, WHOLE};
use super::units::{Fault, UnitId, Units, Usage};

/// Prices and how to apply them.
#[derive(Debug)]
pub(super) struct Plan {
    /// Most specific first, so that a whole is reached after its parts.
    lines: Vec<Line>,
    /// Common multiple of what the prices are for, by what a count is counted in.
    divisor: i128,
    /// The unit that tiers look at, if any price has tiers.
    tiers_by: Option<UnitId>,
    /// Which price this is, for people and for a later repricing.
    pub(super) id: String,
    /// Since when it holds, days since 1970.
    pub(super) from: Option<i32>,
    /// Whether only the request itself is paid, whatever it used.
    pub(super) requests_only: bool,
}

#[derive(Debug)]
struct Line {
    unit: UnitId,
    price: Price,
    /// The plan's common multiple over what this price is for.
    factor: i128,
    /// Earlier lines that are parts of this one.
    parts: Vec<usize>,
    /// Paid once a call, whatever was used.
    request: bool,
}

/// What a call comes to.
#[derive(Debug, Default)]
pub(super) struct Bill {
    /// 10^-18 dollars.
    pub(super) total: i128,
    /// What each line counted, its parts taken out.
    counts: Vec<i128>,
    /// Input tokens, where tiers look at them.
    input: i128,
}

impl Plan {
    /// A plan of some prices. `name` says whose; the id adds a fingerprint of the prices.
    pub(super) fn new(units: &Units, prices: PriceSet, name: &str, from: Option<i32>) -> Self {
        let mut prices = prices;
        let count = |unit: UnitId, price: &Price| price.per.unwrap_or(i128::from(units.get(unit).per));
        let key = |id: UnitId| units.get(id).usage_key.as_str();
        prices.sort_by(|(a, _), (b, _)| units.get(*b).depth.cmp(&units.get(*a).depth).then(key(*a).cmp(key(*b))));
        let per = prices.iter().fold(1, |all, (unit, price)| common_multiple(all, count(*unit, price)));
        let tiered = prices.iter().any(|(_, price)| !price.above.is_empty());
        let requests = units.usage("requests");
        let order: Vec<UnitId> = prices.iter().map(|(unit, _)| *unit).collect();
        let parts = |unit: UnitId| {
            let earlier = order.iter().enumerate().filter(|(_, part)| units.get(unit).parts >> **part & 1 == 1);
            earlier.map(|(position, _)| position).collect()
        };
        Self {
            divisor: per.saturating_mul(WHOLE),
            tiers_by: if tiered { units.usage("input_tokens") } else { None },
            id: format!("{name}#{}", fingerprint(units, &prices)),
            from,
            requests_only: !order.is_empty() && order.iter().all(|unit| Some(*unit) == requests),
            lines: prices
                .into_iter()
                .map(|(unit, price)| Line {
                    unit,
                    factor: per / count(unit, &price),
                    price,
                    parts: parts(unit),
                    request: Some(unit) == requests,
                })
                .collect(),
        }
    }

    /// Applies the plan; `bill` is reused from call to call.
    pub(super) fn apply(&self, units: &Units, usage: &Usage, bill: &mut Bill) -> Result<(), Fault> {
        bill.counts.clear();
        for line in &self.lines {
            let parts: i128 = line.parts.iter().map(|part| bill.counts[*part]).sum();
            let count = if line.request { WHOLE } else { usage.count(units, line.unit)? - parts };
            if count < 0 {
                return Err(Fault::Contradiction);
            }
            bill.counts.push(count);
        }
        bill.input = match self.tiers_by {
            Some(unit) => usage.count(units, unit)?,
            None => 0,
        };
        let mut lines = self.lines.iter().zip(&bill.counts);
        let sum =
            lines.try_fold(Sum::ZERO, |sum, (line, count)| sum.add(line.price.at(bill.input), *count, line.factor));
        bill.total = sum.and_then(|sum| sum.divide(self.divisor)).ok_or(Fault::TooLarge)?;
        Ok(())
    }

    /// Whether anything that was counted has a price here.
    pub(super) fn covers_any(&self, units: &Units, usage: &Usage) -> bool {
        self.lines.iter().any(|line| line.request || usage.any_of(units, line.unit))
    }

    /// Whether a unit has a price above zero.
    pub(super) fn charges(&self, unit: UnitId) -> bool {
        self.line(unit).is_some_and(|line| line.price.base > 0)
    }

    /// Whether a unit has a price.
    pub(super) fn sells(&self, unit: UnitId) -> bool {
        self.line(unit).is_some()
    }

    fn line(&self, unit: UnitId) -> Option<&Line> {
        self.lines.iter().find(|line| line.unit == unit)
    }

    /// The least that so many of any of `any_of` and their parts can cost.
    pub(super) fn least(&self, units: &Units, any_of: &[UnitId], count: i128) -> Option<i128> {
        let among = |unit: UnitId| any_of.iter().any(|any| *any == unit || units.get(*any).parts >> unit & 1 == 1);
        let lines = self.lines.iter().filter(|line| among(line.unit));
        let cheapest = |price: &Price| price.above.iter().map(|(_, p)| *p).chain([price.base]).min().unwrap_or(0);
        let sums =
            lines.filter_map(|line| Sum::ZERO.add(cheapest(&line.price), count, line.factor)?.divide(self.divisor));
        sums.min()
    }

    /// Appends how a bill adds up: a JSON array of {unit, count, unit_price, per, amount}.
    pub(super) fn explain(&self, units: &Units, bill: &Bill, out: &mut String) {
        out.push('[');
        for (line, count) in self.lines.iter().zip(&bill.counts).filter(|(_, count)| **count > 0) {
            let unit = units.get(line.unit);
            let price = line.price.at(bill.input);
            let amount = Sum::ZERO.add(price, *count, line.factor).and_then(|sum| sum.divide(self.divisor));
            // Unit names are ours and need no escaping.
            out.push_str(if out.ends_with('[') { "{\"unit\":\"" } else { ",{\"unit\":\"" });
            out.push_str(&unit.usage_key);
            out.push_str("\",\"count\":");
            decimal::write(out, *count, 9);
            out.push_str(",\"unit_price\":\"");
            decimal::write(out, price, SCALE);
            out.push_str("\",\"per\":");
            decimal::write(out, line.price.per.unwrap_or(i128::from(unit.per)), 0);
            out.push_str(",\"amount\":\"");
            decimal::write(out, amount.unwrap_or(bill.total), SCALE);
            out.push_str("\"}");
        }
        out.push(']');
    }
}

/// Prices are for a few thousands or millions, so that this stays far below what 128 bits hold.
fn common_multiple(a: i128, b: i128) -> i128 {
    (a / greatest_divisor(a, b).max(1)).saturating_mul(b)
}

/// Eight hex digits that change when any price does.
fn fingerprint(units: &Units, prices: &PriceSet) -> String {
    let mut hash = Sha256::new();
    for (unit, price) in prices {
        hash.update(units.get(*unit).usage_key.as_bytes());
        hash.update(price.base.to_le_bytes());
        for (start, above) in &price.above {
            hash.update(start.to_le_bytes());
            hash.update(above.to_le_bytes());
        }
        if let Some(per) = price.per {
            hash.update(per.to_le_bytes());
        }
        hash.update([0]);
    }
    hash.finalize().iter().take(4).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
