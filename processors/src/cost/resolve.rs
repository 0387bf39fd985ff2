//! From what a call says of itself to the plan that prices it; each distinct combination is looked up once.

use std::hash::Hash;
use std::sync::Arc;

use component::ConfigError;
use hashbrown::{Equivalent, HashMap};

use super::book::{Book, Model, PriceSet, When};
use super::find::{Entry, Missing, Names};
use super::overrides::{BillWhen, Override, Tariff};
use super::plan::Plan;

/// Distinct combinations that are remembered; a sender who invents models cannot fill the memory.
const REMEMBERED: usize = 4_096;

/// What a call asked for, by the keys that prices know.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Asks<'a> {
    pairs: [(&'a str, &'a str); 8],
    len: usize,
}

impl<'a> Asks<'a> {
    /// Adds a word; beyond eight none is needed.
    pub(super) fn add(&mut self, key: &'a str, value: &'a str) {
        if let Some(pair) = self.pairs.get_mut(self.len) {
            *pair = (key, value);
            self.len += 1;
        }
    }

    fn all(&self, wanted: &[(String, String)]) -> bool {
        let pairs = &self.pairs[..self.len];
        wanted.iter().all(|(key, value)| pairs.iter().any(|(k, v)| k == key && v == value))
    }
}

/// The plan of a call, or why there is none.
#[derive(Debug)]
pub(super) struct Decision {
    pub(super) plan: Option<Arc<Plan>>,
    /// `override`, `built_in` or `genai-prices`.
    pub(super) source: &'static str,
    /// How the price was found, or what is missing.
    pub(super) how: &'static str,
    pub(super) bill_when: BillWhen,
    pub(super) minimum_seconds: Option<i64>,
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
    /// Tariffs that are about it, the one that counts first.
    tariffs: Vec<usize>,
    plans: Vec<(Which, Arc<Plan>)>,
}

/// Which prices a plan is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Tariff(usize),
    /// Number of the dated price, and the variants that hold, as a set.
    Listed(usize, u64),
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

impl Resolver {
    pub(super) fn new(book: Arc<Book>, overrides: &[Override]) -> Result<Self, ConfigError> {
        let tariffs = Tariff::all(&book, overrides)?;
        Ok(Self { book, tariffs, known: Vec::new(), by_names: HashMap::new() })
    }

    /// The plan of one call.
    pub(super) fn decide(&mut self, names: Names, tenant: Option<&str>, asks: &Asks, time: i64) -> Decision {
        let number = match self.by_names.get(&names) {
            Some(number) => *number,
            None => self.learn(names),
        };
        let Self { book, tariffs, known, .. } = self;
        let none = |how| Decision { plan: None, source: "", how, bill_when: BillWhen::Always, minimum_seconds: None };
        let Some(known) = known.get_mut(number) else { return none("unknown_model") };
        let fits = |tariff: &Tariff| {
            tariff.when.holds(time)
                && tariff.asks_fit(asks)
                && tariff.tenant.as_deref().is_none_or(|wanted| Some(wanted) == tenant)
        };
        if let Some(index) = known.tariffs.iter().copied().find(|index| fits(&tariffs[*index])) {
            let tariff = &tariffs[index];
            let plan = known.plan(Which::Tariff(index), || tariff.plan(book));
            let how = "override";
            return Decision {
                plan: Some(plan),
                source: tariff.source,
                how,
                bill_when: tariff.bill_when,
                minimum_seconds: None,
            };
        }
        let entry = match known.entry {
            Ok(entry) => entry,
            Err(missing) => return none(missing),
        };
        let model = &book.providers[entry.owner].models[entry.model];
        let dated = model.dated(time);
        let variants = if entry.own { model.variants_for(asks, time) } else { 0 };
        let plan = known.plan(Which::Listed(dated, variants), || model.plan(book, entry, dated, variants));
        let minimum_seconds = model.minimum_seconds.filter(|_| entry.own);
        Decision {
            plan: Some(plan),
            source: "genai-prices",
            how: entry.how,
            bill_when: BillWhen::Always,
            minimum_seconds,
        }
    }

    /// Looks a new combination up and returns its number.
    fn learn(&mut self, names: Names) -> usize {
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
        Self { entry: book.find(names), tariffs: about.map(|(index, _)| index).collect(), plans: Vec::new() }
    }

    fn plan(&mut self, which: Which, make: impl FnOnce() -> Plan) -> Arc<Plan> {
        if let Some((_, plan)) = self.plans.iter().find(|(known, _)| *known == which) {
            return Arc::clone(plan);
        }
        let plan = Arc::new(make());
        self.plans.push((which, Arc::clone(&plan)));
        plan
    }
}

impl Tariff {
    fn asks_fit(&self, asks: &Asks) -> bool {
        asks.all(&self.asks)
    }

    fn plan(&self, book: &Book) -> Plan {
        Plan::new(&book.units, self.prices.clone(), &self.name, self.when.from)
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

    fn plan(&self, book: &Book, entry: Entry, dated: usize, variants: u64) -> Plan {
        let mut name = format!("{}/{}", book.providers[entry.owner].id, self.id);
        let (standard_when, standard) = match self.prices.get(dated) {
            Some((when, prices)) => (when.clone(), prices.clone()),
            None => (When::default(), PriceSet::new()),
        };
        let mut from = standard_when.from;
        let mut changed = PriceSet::new();
        for (_, variant) in self.variants.iter().enumerate().filter(|(index, _)| variants >> index & 1 == 1) {
            from = from.max(variant.when.from);
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
        Plan::new(&book.units, prices, &name, from)
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
        for number in 0..REMEMBERED * 2 {
            let model = format!("invented-{number}");
            let names = Names { provider: Some("openai"), request_model: Some(&model), ..Names::default() };
            assert_eq!(resolver.decide(names, None, &Asks::default(), 0).how, "unknown_model");
        }
        assert!(resolver.known.len() <= REMEMBERED && resolver.by_names.len() <= REMEMBERED);
    }
}
