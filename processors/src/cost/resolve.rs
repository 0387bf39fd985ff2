//! From what a call says of itself to the plan that prices it; each distinct combination is looked up once.

use std::hash::Hash;
use std::sync::Arc;

use component::ConfigError;
use hashbrown::{Equivalent, HashMap};

use super::book::{Book, Model, PriceSet, Rounding, Times, When};
use super::decimal;
use super::find::{Entry, Missing, Names};
use super::overrides::{BillWhen, Caller, Override, Tariff};
use super::pattern::Rule;
use super::plan::Plan;

/// Distinct combinations that are remembered; a sender who invents models cannot fill the memory.
const REMEMBERED: usize = 4_096;

/// What a call asked for, by the keys that prices know.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Asks<'a> {
    pairs: [(&'a str, &'a str); 12],
    len: usize,
}

impl<'a> Asks<'a> {
    /// Adds a word; beyond twelve none is needed.
    pub(super) fn add(&mut self, key: &'a str, value: &'a str) {
        if let Some(pair) = self.pairs.get_mut(self.len) {
            *pair = (key, value);
            self.len += 1;
        }
    }

    fn any(&self, key: &str, fits: impl Fn(&str) -> bool) -> bool {
        self.pairs[..self.len].iter().any(|(k, value)| *k == key && fits(value))
    }

    fn all(&self, wanted: &[(String, String)]) -> bool {
        wanted.iter().all(|(key, wanted)| self.any(key, |value| value == wanted))
    }
}

/// A call as far as it decides the price.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) names: Names<'a>,
    pub(super) caller: Caller<'a>,
    pub(super) asks: &'a Asks<'a>,
    /// Microseconds since 1970.
    pub(super) time: i64,
}

/// The plan of a call, or why there is none.
#[derive(Debug)]
pub(super) struct Decision {
    pub(super) plan: Option<Arc<Plan>>,
    /// `override`, `built_in`, `genai-prices` or `litellm`.
    pub(super) source: &'static str,
    /// How the price was found, or what is missing.
    pub(super) how: &'static str,
    pub(super) bill_when: BillWhen,
    pub(super) rounding: Rounding,
    /// Whether the price is a share of something, not a price of the call.
    pub(super) estimated: bool,
}

/// Finds plans and remembers them.
pub(super) struct Resolver {
    pub(super) book: Arc<Book>,
    tariffs: Vec<Tariff>,
    known: Vec<Known>,
    /// Where in `known`.
    by_names: HashMap<OwnedNames, usize>,
}

/// What is known of one combination of names.
struct Known {
    entry: Result<Entry, Missing>,
    /// What only LiteLLM knows of it.
    breadth: Option<Entry>,
    /// Tariffs that are about it, the one that counts first.
    tariffs: Vec<usize>,
    plans: Vec<(Which, Option<Arc<Plan>>)>,
}

/// Which prices a plan is made of.
#[derive(Debug, PartialEq, Eq)]
struct Which {
    base: Base,
    /// Tariffs that change them.
    changed: Vec<usize>,
}

#[derive(Debug, PartialEq, Eq)]
enum Base {
    Tariff(usize),
    /// Whether of the breadth, number of the dated price, and the variants that hold, as a set.
    Listed(bool, usize, u64),
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct OwnedNames {
    provider: Option<String>,
    host: Option<String>,
    response_model: Option<String>,
    request_model: Option<String>,
}

impl Equivalent<OwnedNames> for Names<'_> {
    fn equivalent(&self, owned: &OwnedNames) -> bool {
        self.provider == owned.provider.as_deref()
            && self.host == owned.host.as_deref()
            && self.response_model == owned.response_model.as_deref()
            && self.request_model == owned.request_model.as_deref()
    }
}

impl Names<'_> {
    fn owned(self) -> OwnedNames {
        OwnedNames {
            provider: self.provider.map(str::to_owned),
            host: self.host.map(str::to_owned),
            response_model: self.response_model.map(str::to_owned),
            request_model: self.request_model.map(str::to_owned),
        }
    }
}

impl Decision {
    fn none(how: Missing) -> Self {
        let (bill_when, rounding) = (BillWhen::Always, Rounding::default());
        Self { plan: None, source: "", how, bill_when, rounding, estimated: false }
    }
}

impl Resolver {
    pub(super) fn new(book: Arc<Book>, overrides: &[Override]) -> Result<Self, ConfigError> {
        let tariffs = Tariff::all(&book, overrides)?;
        Ok(Self { book, tariffs, known: Vec::new(), by_names: HashMap::new() })
    }

    /// The plan of one call: an override's, the list's, what only LiteLLM knows.
    pub(super) fn decide(&mut self, question: &Question) -> Decision {
        let number = self.number(question.names);
        let Self { book, tariffs, known, .. } = self;
        let Some(known) = known.get_mut(number) else { return Decision::none("unknown_model") };
        let fitting = known.fitting(tariffs, question);
        if let Some(index) = fitting.iter().copied().find(|index| !tariffs[*index].prices.is_empty()) {
            return known.by_tariff(book, tariffs, index, &fitting);
        }
        match (known.entry, known.breadth) {
            (Ok(entry), _) | (Err(_), Some(entry)) => known.by_list(book, tariffs, (entry, question), fitting),
            (Err(missing), None) => Decision::none(missing),
        }
    }

    /// The plan of one call by what only LiteLLM knows, for a call that the list could not price.
    pub(super) fn decide_by_breadth(&mut self, question: &Question) -> Option<Decision> {
        let number = self.number(question.names);
        let Self { book, tariffs, known, .. } = self;
        let known = known.get_mut(number)?;
        let (entry, fitting) = (known.breadth?, known.fitting(tariffs, question));
        Some(known.by_list(book, tariffs, (entry, question), fitting))
    }

    /// Number of a combination, which is looked up if it is new.
    fn number(&mut self, names: Names) -> usize {
        if let Some(number) = self.by_names.get(&names) {
            return *number;
        }
        if self.known.len() >= REMEMBERED {
            self.known.clear();
            self.by_names.clear();
        }
        let number = self.known.len();
        self.known.push(Known::new(&self.book, &self.tariffs, names));
        self.by_names.insert(names.owned(), number);
        number
    }
}

impl Known {
    fn new(book: &Book, tariffs: &[Tariff], names: Names) -> Self {
        let provider = names.provider.map(str::to_lowercase);
        let canonical =
            provider.as_deref().and_then(|name| book.provider(name)).map(|index| book.providers[index].id.as_str());
        let providers: Vec<&str> = provider.as_deref().into_iter().chain(canonical).collect();
        let models: Vec<String> =
            [names.response_model, names.request_model].into_iter().flatten().map(str::to_lowercase).collect();
        let about = tariffs.iter().enumerate().rev().filter(|(_, tariff)| tariff.is_about(&providers, &models));
        let tariffs = about.map(|(index, _)| index).collect();
        Self { entry: book.find(names), breadth: book.find_breadth(names), tariffs, plans: Vec::new() }
    }

    /// Tariffs that hold for a call, the one that counts first.
    fn fitting(&self, tariffs: &[Tariff], question: &Question) -> Vec<usize> {
        let asked = |key: &str, rule: &Rule| question.asks.any(key, |value| rule.fit(&value.to_lowercase()).is_some());
        let fits = |index: &usize| tariffs[*index].fits(question.caller, question.time, asked);
        self.tariffs.iter().copied().filter(fits).collect()
    }

    fn by_tariff(&mut self, book: &Book, tariffs: &[Tariff], index: usize, fitting: &[usize]) -> Decision {
        let tariff = &tariffs[index];
        // What the operator states is what is paid; what ships with us is a list price.
        let changed = if tariff.source == "built_in" { changes(tariffs, fitting) } else { Vec::new() };
        let factor = factor(tariffs, &changed, tariff.times);
        let mut decision = Decision {
            source: tariff.source,
            bill_when: tariff.bill_when,
            rounding: tariff.rounding,
            estimated: tariff.is_share,
            ..Decision::none("override")
        };
        decision.change(tariffs, &changed);
        let plan = || {
            let prices = multiplied(book, tariff.prices.clone(), factor?, |_| true)?;
            Some(Plan::new(&book.units, prices, &named(tariff.name.clone(), factor), tariff.when.from))
        };
        decision.plan = self.plan(Which { base: Base::Tariff(index), changed }, plan);
        decision
    }

    fn by_list(
        &mut self,
        book: &Book,
        tariffs: &[Tariff],
        (entry, question): (Entry, &Question),
        fitting: Vec<usize>,
    ) -> Decision {
        let model = book.model(entry);
        let dated = model.dated(question.time);
        let variants = if entry.own { model.variants_for(question.asks, question.time) } else { 0 };
        let changed = changes(tariffs, &fitting);
        let factor = factor(tariffs, &changed, None);
        let mut decision = Decision {
            source: if entry.breadth { "litellm" } else { "genai-prices" },
            rounding: if entry.own { model.rounding } else { Rounding::default() },
            ..Decision::none(entry.how)
        };
        decision.change(tariffs, &changed);
        if factor != Some(Times::ONE) {
            (decision.source, decision.how) = ("override", "override");
        }
        let which = Which { base: Base::Listed(entry.breadth, dated, variants), changed };
        decision.plan = self.plan(which, || model.plan(book, entry, (dated, variants), factor?));
        // A search or a ranking that LiteLLM prices by the query is one that was answered.
        if entry.breadth && decision.plan.as_ref().is_some_and(|plan| plan.requests_only) {
            decision.bill_when = BillWhen::Success;
        }
        decision
    }

    fn plan(&mut self, which: Which, make: impl FnOnce() -> Option<Plan>) -> Option<Arc<Plan>> {
        if let Some((_, plan)) = self.plans.iter().find(|(known, _)| *known == which) {
            return plan.clone();
        }
        let plan = make().map(Arc::new);
        self.plans.push((which, plan.clone()));
        plan
    }
}

/// Those without prices of their own: they change how the listed ones apply.
fn changes(tariffs: &[Tariff], fitting: &[usize]) -> Vec<usize> {
    fitting.iter().copied().filter(|index| tariffs[*index].prices.is_empty()).collect()
}

/// All factors together; `None` if that is beyond measure.
fn factor(tariffs: &[Tariff], changed: &[usize], own: Option<Times>) -> Option<Times> {
    let others = changed.iter().filter_map(|index| tariffs[*index].times);
    own.into_iter().chain(others).try_fold(Times::ONE, Times::and)
}

/// Prices times a factor, as far as they are for `these` units.
fn multiplied(book: &Book, prices: PriceSet, times: Times, these: impl Fn(u8) -> bool) -> Option<PriceSet> {
    if times == Times::ONE {
        return Some(prices);
    }
    let multiply = |(unit, price)| {
        let price = if these(unit) { times.apply(&price, book.units.get(unit).per)? } else { price };
        Some((unit, price))
    };
    prices.into_iter().map(multiply).collect()
}

/// A name with the factor behind it.
fn named(mut name: String, factor: Option<Times>) -> String {
    if let Some(factor) = factor.filter(|factor| *factor != Times::ONE) {
        name.push('*');
        decimal::write(&mut name, factor.millionths(), 6);
    }
    name
}

impl Decision {
    /// Takes over what tariffs without prices say.
    fn change(&mut self, tariffs: &[Tariff], changed: &[usize]) {
        for tariff in changed.iter().rev().map(|index| &tariffs[*index]) {
            self.rounding.minimum = tariff.rounding.minimum.or(self.rounding.minimum);
            self.rounding.increment = tariff.rounding.increment.or(self.rounding.increment);
            if tariff.bill_when == BillWhen::Success {
                self.bill_when = BillWhen::Success;
            }
        }
    }
}

impl Model {
    /// Number of the price that holds: the last whose time has come, else the first.
    fn dated(&self, time: i64) -> usize {
        self.prices.iter().rposition(|(when, _)| when.holds(time)).unwrap_or(0)
    }

    /// The variants that hold, as a set. No model has more than a word holds; later ones would never be taken.
    fn variants_for(&self, asks: &Asks, time: i64) -> u64 {
        let holds = self.variants.iter().take(64).map(|variant| variant.when.holds(time) && asks.all(&variant.asks));
        holds.enumerate().fold(0, |set, (index, holds)| set | u64::from(holds) << index)
    }

    fn plan(&self, book: &Book, entry: Entry, (dated, variants): (usize, u64), factor: Times) -> Option<Plan> {
        let origin = if entry.breadth { "litellm:" } else { "" };
        let mut name = format!("{origin}{}/{}", book.providers[entry.owner].id, self.id);
        let (standard_when, standard) = match self.prices.get(dated) {
            Some((when, prices)) => (when.clone(), prices.clone()),
            None => (When::default(), PriceSet::new()),
        };
        let mut from = standard_when.from;
        let (mut changed, mut tokens) = (PriceSet::new(), Times::ONE);
        for (_, variant) in self.variants.iter().enumerate().filter(|(index, _)| variants >> index & 1 == 1) {
            from = from.max(variant.when.from);
            tokens = variant.times.map_or(Some(tokens), |times| tokens.and(times))?;
            for (key, value) in &variant.asks {
                name.push_str(&format!("+{key}={value}"));
            }
            for (unit, price) in &variant.prices {
                if !changed.iter().any(|(known, _)| known == unit) {
                    changed.push((*unit, price.clone()));
                }
            }
        }
        let kept = standard.into_iter().filter(|(unit, _)| !changed.iter().any(|(known, _)| known == unit));
        let prices = kept.chain(changed.clone()).collect();
        let prices = multiplied(book, prices, tokens, |unit| book.units.get(unit).is_tokens)?;
        let prices = multiplied(book, prices, factor, |_| true)?;
        Some(Plan::new(&book.units, prices, &named(name, Some(factor)), from))
    }
}

#[cfg(test)]
mod tests {
    use std::hash::BuildHasher;

    use hashbrown::DefaultHashBuilder;

    use super::*;

    #[test]
    fn borrowed_and_owned_names_hash_alike() {
        let names = Names { provider: Some("openai"), host: None, response_model: Some("o3"), request_model: None };
        let hasher = DefaultHashBuilder::default();
        assert_eq!(hasher.hash_one(names), hasher.hash_one(names.owned()));
        assert!(names.equivalent(&names.owned()));
    }

    #[test]
    fn what_is_remembered_stays_bounded() {
        let mut resolver = Resolver::new(Book::built_in().unwrap(), &[]).unwrap();
        let caller = Caller { tenant: None, project: None };
        for number in 0..REMEMBERED * 2 {
            let model = format!("invented-{number}");
            let names = Names { provider: Some("openai"), request_model: Some(&model), ..Names::default() };
            let question = Question { names, caller, asks: &Asks::default(), time: 0 };
            assert_eq!(resolver.decide(&question).how, "unknown_model");
        }
        assert!(resolver.known.len() <= REMEMBERED && resolver.by_names.len() <= REMEMBERED);
    }
}
