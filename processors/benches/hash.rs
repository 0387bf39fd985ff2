//! What pseudonyms cost on one core, by kind: `cargo bench -p processors --bench hash`.
//!
//! The rows have one value each, 4,096 a gather, and the worker keeps its memory from gather to gather. In `repeated` every
//! gather has the same 64 values, and a row costs a look into that memory. In `many` there are 100,000 values in all, as many
//! as a busy service has users. In `distinct` no value comes twice, so that each is normalised, hashed and remembered; in
//! `hashed` neither, and nothing is remembered (`memory: 0`): what lies between the two is the memory.

use std::error::Error;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::compute::cast;
use component::{Component, Context, Gather, Keyring, ProcessError, Processor, Rows};
use processors::hash::{Config, Hash};
use schemas::{Catalog, Type};

mod measure;

const ROWS: usize = 4096;
const GATHERS: usize = 64;

/// A column with a pseudonym, and the value of a number.
type Column = (&'static str, fn(usize) -> String);

const COLUMNS: &[Column] = &[
    ("user_id", |n| format!("user-{n:08}")),
    ("user_email", |n| format!("User.{n}@Example.com")),
    ("user_phone", |n| format!("+7 (701) {:03}-{:02}-{:02}", n / 10_000 % 1000, n / 100 % 100, n % 100)),
    ("client_ip", |n| format!("10.{}.{}.{}", (n >> 16) & 255, (n >> 8) & 255, n & 255)),
];

/// What the rows repeat.
const SHAPES: &[(&str, usize)] =
    &[("repeated", 64), ("many", 100_000), ("distinct", usize::MAX), ("hashed", usize::MAX)];

fn main() -> Result<(), Box<dyn Error>> {
    let catalog = Arc::new(Catalog::built_in()?);
    let cx = Context::new(Arc::clone(&catalog), Arc::new(Keyring::new(&[7; 32], 1)?));
    println!("{:12} {:10} {:>10} {:>22}", "column", "values", "ns a row", "million a second, core");
    for (column, make) in COLUMNS {
        for (shape, values) in SHAPES {
            let gathers: Vec<Gather> = (0..GATHERS)
                .map(|number| gather(&catalog, column, |row| make((number * ROWS + row) % values)))
                .collect::<Result<_, _>>()?;
            // Each round of `distinct` begins with nothing remembered, or the second would know the first's values.
            let mut config = Config::default();
            if *shape == "hashed" {
                config.memory = 0;
            }
            let mut hash = Fresh { cx: &cx, config, hash: None, left: 0, forgets: *values > GATHERS * ROWS };
            let ns = measure::fastest(&mut hash, &gathers)? * 1e9 / (GATHERS * ROWS) as f64;
            println!("{column:12} {shape:10} {ns:10.0} {:22.1}", 1e3 / ns);
        }
    }
    Ok(())
}

/// A processor that is made anew for every round, where it must not know the round before.
struct Fresh<'a> {
    cx: &'a Context,
    config: Config,
    hash: Option<Hash>,
    /// Gathers that are left of this round.
    left: usize,
    forgets: bool,
}

impl Processor for Fresh<'_> {
    fn process(&mut self, gather: &mut Gather) -> Result<(), ProcessError> {
        if self.hash.is_none() || (self.left == 0 && self.forgets) {
            let cx = Context { shared: Default::default(), ..self.cx.clone() };
            let made = Hash::new(self.config.clone(), &cx);
            self.hash = Some(made.map_err(|e| ProcessError::Refused(format!("starting hash: {e}")))?);
            self.left = GATHERS;
        }
        self.left = self.left.saturating_sub(1);
        self.hash.as_mut().map_or(Ok(()), |hash| hash.process(gather))
    }
}

fn gather(catalog: &Catalog, column: &str, value: impl Fn(usize) -> String) -> Result<Gather, Box<dyn Error>> {
    let table = catalog.table("requests").ok_or("no table requests")?;
    let values: ArrayRef = Arc::new(StringArray::from_iter_values((0..ROWS).map(value)));
    let tenants: ArrayRef = Arc::new(StringArray::from_iter_values((0..ROWS).map(|_| "default")));
    let mut rows = Rows::new(Arc::clone(table), vec![None; table.columns.len()], vec![0; ROWS])?;
    rows.set("tenant", cast(&tenants, &Type::Dict.gather())?)?;
    let index = table.index(column).ok_or("no such column")?;
    rows.set(column, cast(&values, &table.columns[index].r#type.gather())?)?;
    Ok(Gather::new(vec![rows]))
}
