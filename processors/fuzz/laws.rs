//! What holds for any text, for the fuzzer and for the tests: no processor fails or panics, each says the same of the same
//! however warm its caches are, and what leaves the seal is clean when it is looked at again. Each law gives what it saw.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, StringArray};
use arrow::compute::cast;
use arrow::datatypes::Decimal128Type;
use arrow::util::display::array_value_to_string;
use component::{Component, Context, Gather, Keyring, Processor, Rows};
use processors::cost::Cost;
use processors::enrich::Enrich;
use processors::hash::Hash;
use processors::redact::Redact;
use schemas::{Catalog, Type};

/// Processors with warm caches.
pub struct Rig {
    cx: Context,
    redact: Redact,
    hash: Hash,
    enrich: Enrich,
    cost: Cost,
}

fn made<P: Component>(cx: &Context, config: &str) -> P {
    P::new(serde_json::from_str(config).unwrap(), cx).unwrap()
}

const TRUSTING: &str = r#"{"client":{"trusted_hops":1}}"#;

/// Most bytes that the detectors look at for one byte of a text.
#[cfg(fuzzing)]
const STEPS: u64 = 400;

impl Rig {
    pub fn new() -> Self {
        let catalog = Arc::new(Catalog::built_in().unwrap());
        let cx = Context::new(catalog, Arc::new(Keyring::new(&[7; 32], 1).unwrap()));
        let (redact, hash) = (made(&cx, "{}"), made(&cx, "{}"));
        let (enrich, cost) = (made(&cx, TRUSTING), made(&cx, "{}"));
        Self { redact, hash, enrich, cost, cx }
    }

    /// One row of a table.
    fn row(&self, table: &str, cells: &[(&str, &str)]) -> Gather {
        let table = self.cx.catalog.tables().iter().find(|t| t.name == table).unwrap();
        let mut rows = Rows::new(Arc::clone(table), vec![None; table.columns.len()], vec![0]).unwrap();
        for (name, value) in [("tenant", "default")].iter().chain(cells) {
            let column = table.column(name).unwrap_or_else(|| panic!("no column {name}"));
            let text: ArrayRef = Arc::new(StringArray::from(vec![*value]));
            let array: ArrayRef = match column.r#type {
                Type::Int => Arc::new(Int64Array::from(vec![value.parse::<i64>().ok()])),
                other => cast(&text, &other.gather()).unwrap(),
            };
            rows.set(name, array).unwrap();
        }
        Gather::new(vec![rows])
    }

    /// A body is clean after one pass.
    pub fn redact(&mut self, text: &str) -> String {
        let once = self.redacted(text);
        #[cfg(fuzzing)]
        {
            let (taken, most) = (processors::redact::steps_taken(), STEPS * text.len() as u64 + 20_000);
            assert!(taken <= most, "{taken} steps for {} bytes", text.len());
        }
        assert_eq!(self.redacted(&once), once, "a second pass over {text:?}");
        once
    }

    fn redacted(&mut self, text: &str) -> String {
        #[cfg(fuzzing)]
        processors::redact::steps_taken();
        let mut gather = self.row("logs", &[("body", text)]);
        self.redact.process(&mut gather).unwrap();
        cell(&gather, "body").unwrap_or_default()
    }

    /// What is JSON stays JSON, at any depth.
    pub fn json(&mut self, text: &str) -> String {
        let inner = serde_json::json!({ "note": text, "password": text, text: ["a", text] }).to_string();
        let outer = serde_json::json!([{ "payload": inner, "n": 1 }]).to_string();
        let mut last = String::new();
        for json in [inner, outer] {
            let stored = self.redact(&json);
            // A body is cut where it is too long to be kept, and then it is no JSON any more.
            let most = self.cx.catalog.table("logs").and_then(|t| t.column("body")?.max_len).unwrap_or(usize::MAX);
            let whole = json.len() < most / 2;
            assert!(!whole || serde_json::from_str::<serde_json::Value>(&stored).is_ok(), "{json} became {stored}");
            last = stored;
        }
        last
    }

    /// A call costs the same in company of any other, and never less than nothing for counts that are not negative.
    pub fn cost(&mut self, text: &str) -> Option<String> {
        const COUNTS: [&str; 6] = [
            "input_tokens",
            "output_tokens",
            "cache_read_tokens",
            "cache_write_tokens",
            "reasoning_tokens",
            "total_tokens",
        ];
        const MODELS: [&str; 4] = ["gpt-4o-mini", "claude-sonnet-4-5", "gemini-2.5-pro", "unheard-of"];
        let words: Vec<&str> = text.split([' ', ',']).collect();
        let table = self.cx.catalog.table("provider_calls").unwrap();
        assert!(COUNTS.iter().all(|name| table.index(name).is_some()), "counts that the table has");
        let mut cells: Vec<(&str, &str)> = COUNTS.into_iter().zip(words.iter().copied()).collect();
        let model = MODELS[text.len() % MODELS.len()];
        cells.extend([("response_model", model), ("provider", "openai"), ("operation", "chat"), ("kind", "client")]);
        let columns = ["cost_usd", "cost_status", "price_id", "cost_breakdown"];
        let mut warm = self.row("provider_calls", &cells);
        let mut fresh = warm.clone();
        self.cost.process(&mut warm).unwrap();
        made::<Cost>(&self.cx, "{}").process(&mut fresh).unwrap();
        for column in columns {
            assert_eq!(cell(&warm, column), cell(&fresh, column), "{column} of {cells:?}");
        }
        let cost = warm.table("provider_calls").and_then(|rows| rows.get("cost_usd"));
        let negative = cost.is_some_and(|cost| cost.as_primitive::<Decimal128Type>().value(0) < 0);
        let asked = cells.iter().any(|(_, value)| value.starts_with('-'));
        assert!(!negative || asked, "less than nothing for {cells:?}");
        cell(&warm, "cost_usd")
    }

    /// A pseudonym is one or is missing, and is the same whatever was hashed before.
    pub fn normalise(&mut self, text: &str) -> Option<String> {
        let columns = [("user_email", "email_ref"), ("user_phone", "phone_ref"), ("user_id", "user_ref")];
        let mut warm = self.row("spans", &columns.map(|(raw, _)| (raw, text)));
        let mut fresh = warm.clone();
        self.hash.process(&mut warm).unwrap();
        made::<Hash>(&self.cx, "{}").process(&mut fresh).unwrap();
        for (_, column) in columns {
            let pseudonym = cell(&warm, column);
            assert_eq!(pseudonym, cell(&fresh, column), "{column} of {text:?}");
            let digit = |b: u8| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b);
            let is_one =
                |p: &str| p.split_once('_').is_some_and(|(_, tail)| tail.len() == 26 && tail.bytes().all(digit));
            assert!(pseudonym.as_deref().is_none_or(is_one), "{column} of {text:?}: {pseudonym:?}");
        }
        cell(&warm, "email_ref")
    }

    /// A client's address is one or is missing, whatever a proxy says.
    pub fn forwarded(&mut self, text: &str) -> Option<String> {
        let mut gather =
            self.row("requests", &[("forwarded_for", text), ("client_address", "10.0.0.7"), ("path", text)]);
        self.enrich.process(&mut gather).unwrap();
        let address = cell(&gather, "client_ip");
        let is_one = |a: &str| a.parse::<std::net::IpAddr>().is_ok();
        assert!(address.as_deref().is_none_or(is_one), "{address:?} of {text:?}");
        let network = cell(&gather, "client_prefix");
        let is_one = |n: &str| n.split_once('/').is_some_and(|(a, _)| a.parse::<std::net::IpAddr>().is_ok());
        assert!(network.as_deref().is_none_or(is_one), "{network:?} of {text:?}");
        address
    }
}

fn cell(gather: &Gather, column: &str) -> Option<String> {
    let array = gather.tables().next()?.get(column)?;
    (!array.is_null(0)).then(|| array_value_to_string(array, 0).unwrap())
}
