//! What can be counted and priced, and which counts are parts of which.

use std::collections::{BTreeMap, HashMap};

/// Number of a unit in [`Units`]; below 128, so that a set of units is one word.
pub(super) type UnitId = u8;

/// Units, by bit.
pub(super) type Set = u128;

/// A unit as the data states it.
#[derive(Debug)]
pub(super) struct RawUnit {
    /// A short name of the price.
    pub(super) code: Option<String>,
    /// Name of the price, such as `cache_read_mtok`.
    pub(super) price: String,
    /// Name of the count, such as `cache_read_tokens`.
    pub(super) usage: String,
    /// How many of it the price is for.
    pub(super) per: i64,
    /// What it is: a unit with more dimensions is a part of those with fewer.
    pub(super) dimensions: BTreeMap<String, String>,
}

/// One unit.
#[derive(Debug)]
pub(super) struct Unit {
    /// Name of the count, such as `cache_read_tokens`.
    pub(super) usage_key: String,
    /// Name of the price, such as `cache_read_mtok`.
    pub(super) price_key: String,
    /// Whether it counts tokens.
    pub(super) is_tokens: bool,
    /// How many of it the price is for.
    pub(super) per: i64,
    /// How specific it is: a unit with more dimensions is a part of those with fewer.
    pub(super) depth: usize,
    /// Its parts, as a set.
    pub(super) parts: Set,
    /// Pairs of units whose overlap is this unit: audio and cache read overlap in cached audio.
    overlaps: Vec<(UnitId, UnitId)>,
}

impl RawUnit {
    fn contains(&self, part: &Self) -> bool {
        self.dimensions.iter().all(|(k, v)| part.dimensions.get(k) == Some(v))
    }
}

/// All units.
#[derive(Debug)]
pub(super) struct Units {
    list: Vec<Unit>,
    by_usage: HashMap<String, UnitId>,
    by_price: HashMap<String, UnitId>,
}

impl Units {
    /// `None` if there are more than a word holds, or a price is for none.
    pub(super) fn new(raw: Vec<RawUnit>) -> Option<Self> {
        if raw.len() > 128 || raw.iter().any(|unit| unit.per < 1) {
            return None;
        }
        let id = |index: usize| UnitId::try_from(index).ok();
        let mut units = Self { list: Vec::new(), by_usage: HashMap::new(), by_price: HashMap::new() };
        for (index, unit) in raw.iter().enumerate() {
            units.by_usage.insert(unit.usage.clone(), id(index)?);
            for name in [Some(&unit.price), unit.code.as_ref()].into_iter().flatten() {
                units.by_price.insert(name.clone(), id(index)?);
            }
            let parts = raw.iter().enumerate().filter(|(other, part)| *other != index && unit.contains(part));
            units.list.push(Unit {
                usage_key: unit.usage.clone(),
                price_key: unit.price.clone(),
                is_tokens: unit.dimensions.get("family").is_some_and(|family| family == "tokens"),
                per: unit.per,
                depth: unit.dimensions.len(),
                parts: parts.fold(0, |set, (other, _)| set | 1 << other),
                overlaps: Vec::new(),
            });
        }
        units.find_overlaps(&raw)?;
        Some(units)
    }

    fn find_overlaps(&mut self, raw: &[RawUnit]) -> Option<()> {
        let by_dimensions: HashMap<_, _> =
            raw.iter().enumerate().map(|(index, unit)| (&unit.dimensions, index)).collect();
        for (a, first) in raw.iter().enumerate() {
            for (b, second) in raw.iter().enumerate().skip(a + 1) {
                let agree = |(k, v): (&String, &String)| second.dimensions.get(k).is_none_or(|other| other == v);
                if !first.dimensions.iter().all(agree) || first.contains(second) || second.contains(first) {
                    continue;
                }
                let both = first.dimensions.iter().chain(&second.dimensions).map(|(k, v)| (k.clone(), v.clone()));
                if let Some(joint) = by_dimensions.get(&both.collect::<BTreeMap<_, _>>()) {
                    self.list[*joint].overlaps.push((UnitId::try_from(a).ok()?, UnitId::try_from(b).ok()?));
                }
            }
        }
        Some(())
    }

    pub(super) fn get(&self, id: UnitId) -> &Unit {
        &self.list[usize::from(id)]
    }

    /// A unit by the name of its count.
    pub(super) fn usage(&self, key: &str) -> Option<UnitId> {
        self.by_usage.get(key).copied()
    }

    /// A unit by the name of its price, or its short name.
    pub(super) fn price(&self, key: &str) -> Option<UnitId> {
        self.by_price.get(key).copied()
    }
}

/// What one call used: counts in billionths.
#[derive(Debug, Clone, Default)]
pub(super) struct Usage {
    counts: Vec<(UnitId, i128)>,
    /// Units with a count above zero.
    positive: Set,
}

/// Counts that contradict each other or leave open what they mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// A part is larger than its whole, or a part is given and the whole is not.
    Contradiction,
    /// Two parts overlap by an amount that nobody stated: of `unit`, at least `least` and at most `most`.
    Overlap { unit: UnitId, least: i128, most: i128 },
    /// Beyond what decimal(38,18) holds.
    TooLarge,
}

impl Usage {
    /// Forgets all counts.
    pub(super) fn clear(&mut self) {
        self.counts.clear();
        self.positive = 0;
    }

    /// States a count, or states it anew.
    pub(super) fn set(&mut self, unit: UnitId, count: i128) {
        match self.counts.iter_mut().find(|(known, _)| *known == unit) {
            Some((_, known)) => *known = count,
            None => self.counts.push((unit, count)),
        }
        self.positive = self.positive & !(1 << unit) | Set::from(count > 0) << unit;
    }

    /// A count that was stated.
    pub(super) fn stated(&self, unit: UnitId) -> Option<i128> {
        self.counts.iter().find(|(known, _)| *known == unit).map(|(_, count)| *count)
    }

    /// Whether anything was counted.
    pub(super) fn any(&self) -> bool {
        self.positive != 0
    }

    /// Whether a unit or one of its parts was counted.
    pub(super) fn any_of(&self, units: &Units, unit: UnitId) -> bool {
        self.positive & (units.get(unit).parts | 1 << unit) != 0
    }

    /// A count, zero when nothing speaks against it.
    pub(super) fn count(&self, units: &Units, unit: UnitId) -> Result<i128, Fault> {
        if let Some(count) = self.stated(unit) {
            return if count < 0 { Err(Fault::Contradiction) } else { Ok(count) };
        }
        let it = units.get(unit);
        if it.parts & self.positive != 0 {
            return Err(Fault::Contradiction);
        }
        match it.overlaps.iter().find(|(a, b)| self.positive >> a & self.positive >> b & 1 == 1) {
            None => Ok(0),
            Some((a, b)) => Err(self.overlap(units, unit, *a, *b)),
        }
    }

    fn overlap(&self, units: &Units, unit: UnitId, a: UnitId, b: UnitId) -> Fault {
        let (a_count, b_count) = (self.stated(a).unwrap_or(0), self.stated(b).unwrap_or(0));
        // The smallest stated whole of both bounds how far they can lie apart.
        let both: Set = 1 << a | 1 << b;
        let whole = self.counts.iter().filter(|(id, _)| units.get(*id).parts & both == both).map(|(_, n)| *n).min();
        let least = whole.map_or(0, |whole| (a_count + b_count - whole).max(0));
        Fault::Overlap { unit, least, most: a_count.min(b_count) }
    }
}
