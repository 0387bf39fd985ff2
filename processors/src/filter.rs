//! Drops endpoints and noise by rule.
//!
//! ```yaml
//! processors:
//!   filter:
//!     defaults: true                                  # health checks, static files, ASGI send and receive spans
//!     skip:
//!       - { name: polling, route: "/api/poll/*" }     # route or path of `requests`; * is any text
//!       - { table: requests, column: path, prefix: /internal/ }
//!       - { event: [heartbeat, "debug.*"] }           # event name of a log record, without case
//!       - { attribute: app.noise, equals: "true" }    # without equals, prefix or glob: whatever has the attribute
//!       - { scope: "opentelemetry.instrumentation.redis*", attribute: db.operation.name, equals: PING }
//! ```
//!
//! Every condition of a rule must hold. Rows of `errors`, `auth_events` and `audit_log` are never dropped, nor is a row
//! that says an error: span status error, HTTP status 500 and above, severity error and above. A record that has rows
//! in several tables loses only those that a rule meets. Drops are counted as `filter_dropped` by rule name.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, MapArray, StringArray};
use arrow::datatypes::Int64Type;
use component::{Component, ConfigError, Context, Counts, Gather, ProcessError, Processor, Rows, Text};
use schemas::{Source, Table};
use serde::Deserialize;

/// Tables whose rows no rule may drop.
const KEPT: &[&str] = &["errors", "auth_events", "audit_log"];

/// Lowest OTLP severity number that is an error.
const SEVERITY_ERROR: i64 = 17;

/// Settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Whether the rules that ship with Marquetry apply: `health`, `static` and `asgi`.
    pub defaults: bool,
    /// Rules of your own.
    pub skip: Vec<Skip>,
}

impl Default for Config {
    fn default() -> Self {
        Self { defaults: true, skip: Vec::new() }
    }
}

/// One rule; every condition that is given must hold.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Skip {
    /// Name in the metric; by default the rule's place in the list, as `skip.0`.
    pub name: Option<String>,
    /// Only this table.
    pub table: Option<String>,
    /// Globs over route and path; of `requests` unless `table` says otherwise.
    pub route: Globs,
    /// Globs over the event name of log records, without case.
    pub event: Globs,
    /// Globs over the instrumentation scope.
    pub scope: Globs,
    /// Span kind: server, client, internal, producer, consumer.
    pub kind: Option<String>,
    /// An attribute, wherever it went; its value as `equals`, `prefix` or `glob` say.
    pub attribute: Option<String>,
    /// A column of `table`; its value as `equals`, `prefix` or `glob` say.
    pub column: Option<String>,
    /// The whole value.
    pub equals: Option<String>,
    /// How the value begins.
    pub prefix: Option<String>,
    /// The value, with * for any text.
    pub glob: Option<String>,
}

/// One glob or a list of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Globs {
    /// One.
    One(String),
    /// Any of these.
    Many(Vec<String>),
}

impl Default for Globs {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl Globs {
    fn list(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// The processor.
pub struct Filter {
    rules: HashMap<String, Vec<Rule>>,
    counts: Counts,
}

impl Component for Filter {
    const NAME: &'static str = "filter";
    const ABOUT: &'static str = "Drops endpoints and noise by rule.";
    type Config = Config;

    fn new(config: Config, cx: &Context) -> Result<Self, ConfigError> {
        let mut skips = Vec::new();
        for (index, skip) in config.skip.into_iter().enumerate() {
            let at = format!("skip.{index}");
            check(&skip, &at, cx)?;
            skips.push((skip.name.clone().unwrap_or(at), skip));
        }
        if config.defaults {
            skips.extend(shipped());
        }
        let mut rules: HashMap<String, Vec<Rule>> = HashMap::new();
        for table in cx.catalog.tables().iter().filter(|t| !KEPT.contains(&t.name.as_str())) {
            let mine = skips.iter().filter_map(|(name, skip)| Rule::new(name, skip, table)).collect::<Vec<_>>();
            if !mine.is_empty() {
                rules.insert(table.name.clone(), mine);
            }
        }
        Ok(Self { rules, counts: cx.counts.clone() })
    }
}

impl Processor for Filter {
    fn process(&mut self, gather: &mut Gather) -> Result<(), ProcessError> {
        for rows in gather.tables_mut() {
            let Some(rules) = self.rules.get(&rows.table().name) else { continue };
            let mut keep = vec![true; rows.len()];
            for rule in rules {
                self.counts.add("filter_dropped", &rule.name, rule.drop(rows, &mut keep));
            }
            if keep.contains(&false) {
                rows.retain(&BooleanArray::from(keep))?;
            }
        }
        Ok(())
    }
}

/// The rules of `defaults: true`.
fn shipped() -> Vec<(String, Skip)> {
    let globs = |list: &[&str]| Globs::Many(list.iter().map(|g| (*g).to_owned()).collect());
    let health = [
        "/health",
        "/health/*",
        "/healthz",
        "/healthz/*",
        "/livez",
        "/readyz",
        "/_health",
        "/actuator/health",
        "/actuator/health/*",
    ];
    let statics = ["/static/*", "/media/*", "/favicon.ico"];
    vec![
        ("health".to_owned(), Skip { route: globs(&health), ..Skip::default() }),
        ("static".to_owned(), Skip { route: globs(&statics), ..Skip::default() }),
        (
            // Two or more "http send" and "http receive" spans a request, which say nothing that the request does not.
            "asgi".to_owned(),
            Skip {
                kind: Some("internal".to_owned()),
                attribute: Some("asgi.event.type".to_owned()),
                ..Skip::default()
            },
        ),
    ]
}

fn check(skip: &Skip, at: &str, cx: &Context) -> Result<(), ConfigError> {
    let table = match &skip.table {
        None => None,
        Some(name) if KEPT.contains(&name.as_str()) => {
            return Err(ConfigError::at(&format!("{at}.table"), format!("rows of {name} are never dropped")));
        }
        Some(name) => Some(cx.catalog.table(name).ok_or_else(|| {
            let names: Vec<&str> = cx.catalog.tables().iter().map(|t| t.name.as_str()).collect();
            ConfigError::at(
                &format!("{at}.table"),
                format!("there is no table {name:?}; there are {}", names.join(", ")),
            )
        })?),
    };
    match (&skip.column, table) {
        (Some(_), None) => return Err(ConfigError::at(at, "a rule with `column` needs a `table`")),
        (Some(column), Some(table)) if table.index(column).is_none() => {
            let what = format!("table {} has no column {column:?}", table.name);
            return Err(ConfigError::at(&format!("{at}.column"), what));
        }
        _ => {}
    }
    let values = [&skip.equals, &skip.prefix, &skip.glob].into_iter().flatten().count();
    if values > 1 {
        return Err(ConfigError::at(at, "give one of `equals`, `prefix` and `glob`"));
    }
    if values == 1 && skip.column.is_none() == skip.attribute.is_none() {
        return Err(ConfigError::at(at, "`equals`, `prefix` and `glob` go with one of `attribute` and `column`"));
    }
    let listed = [&skip.route, &skip.event, &skip.scope].into_iter().any(|g| !g.list().is_empty());
    if !listed && skip.attribute.is_none() && skip.column.is_none() && skip.kind.is_none() {
        let what = "a rule without condition would drop everything; give `route`, `event`, `scope`, `kind`, `attribute` or `column`";
        return Err(ConfigError::at(at, what));
    }
    Ok(())
}

/// The globs, and those that begin with a slash without it as well: so Django and ASP.NET name their routes.
fn routes(globs: &[String]) -> Vec<String> {
    let bare = globs.iter().filter_map(|glob| glob.strip_prefix('/')).filter(|glob| !glob.is_empty() && *glob != "*");
    globs.iter().map(String::as_str).chain(bare).map(str::to_owned).collect()
}

/// A rule as it applies to one table.
struct Rule {
    name: String,
    tests: Vec<Test>,
}

/// A condition: one of these columns, or this key of the attributes, has a value that fits.
struct Test {
    columns: Vec<usize>,
    key: Option<(usize, String)>,
    pattern: Pattern,
}

#[derive(Debug, Clone)]
enum Pattern {
    Present,
    Equals(String),
    Prefix(String),
    Globs(Vec<String>),
    GlobsNoCase(Vec<String>),
}

impl Rule {
    /// `None` when the rule cannot meet any row of the table.
    fn new(name: &str, skip: &Skip, table: &Table) -> Option<Self> {
        if skip.table.as_ref().is_some_and(|t| *t != table.name) {
            return None;
        }
        let mut tests = Vec::new();
        // Cheap conditions first: what they rule out is not looked at again.
        if let Some(kind) = &skip.kind {
            tests.push(Test::new(table, &["kind"], Pattern::Equals(kind.clone()))?);
        }
        if !skip.scope.list().is_empty() {
            tests.push(Test::new(table, &["scope_name"], Pattern::Globs(skip.scope.list().to_vec()))?);
        }
        if !skip.route.list().is_empty() {
            if skip.table.is_none() && table.name != "requests" {
                return None;
            }
            tests.push(Test::new(table, &["route", "path"], Pattern::Globs(routes(skip.route.list())))?);
        }
        if !skip.event.list().is_empty() {
            tests.push(Test::new(table, &["kind"], Pattern::Equals("log".to_owned()))?);
            let globs = skip.event.list().iter().map(|g| g.to_lowercase()).collect();
            tests.push(Test::new(table, &["name", "event_name"], Pattern::GlobsNoCase(globs))?);
        }
        if let Some(column) = &skip.column {
            tests.push(Test::new(table, &[column], skip.value())?);
        }
        if let Some(key) = &skip.attribute {
            tests.push(Test::attribute(table, key, skip.value()));
        }
        Some(Self { name: name.to_owned(), tests })
    }

    /// Marks the rows that the rule drops, and says how many.
    fn drop(&self, rows: &Rows, keep: &mut [bool]) -> u64 {
        let mut hit = keep.to_vec();
        for test in &self.tests {
            if !test.narrow(rows, &mut hit) {
                return 0;
            }
        }
        let errors = Errors::of(rows);
        let mut dropped = 0;
        for row in (0..hit.len()).filter(|row| hit[*row]) {
            if !errors.says(row) {
                keep[row] = false;
                dropped += 1;
            }
        }
        dropped
    }
}

impl Skip {
    fn value(&self) -> Pattern {
        match (&self.equals, &self.prefix, &self.glob) {
            (Some(text), _, _) => Pattern::Equals(text.clone()),
            (_, Some(text), _) => Pattern::Prefix(text.clone()),
            (_, _, Some(text)) => Pattern::Globs(vec![text.clone()]),
            _ => Pattern::Present,
        }
    }
}

impl Test {
    fn new(table: &Table, columns: &[&str], pattern: Pattern) -> Option<Self> {
        let columns: Vec<usize> = columns.iter().filter_map(|c| table.index(c)).collect();
        (!columns.is_empty()).then_some(Self { columns, key: None, pattern })
    }

    /// An attribute lies in the columns that name it as their source, else among the remaining attributes.
    fn attribute(table: &Table, key: &str, pattern: Pattern) -> Self {
        let fed = |source: &Source| matches!(source, Source::Attribute { key: k, .. } if k == key);
        let columns = (0..table.columns.len()).filter(|i| table.columns[*i].from.iter().any(fed)).collect();
        Self { columns, key: table.index("attributes").map(|map| (map, key.to_owned())), pattern }
    }

    /// Takes the rows that do not fit out of `hit`; false when none is left.
    fn narrow(&self, rows: &Rows, hit: &mut [bool]) -> bool {
        let columns: Vec<Column> =
            self.columns.iter().filter_map(|c| Column::new(rows.at(*c)?, &self.pattern)).collect();
        let map = self.key.as_ref().and_then(|(map, key)| Some((rows.at(*map)?.as_map_opt()?, key.as_str())));
        let mut left = false;
        for (row, hit) in hit.iter_mut().enumerate().filter(|(_, hit)| **hit) {
            *hit = columns.iter().any(|c| c.fits(row, &self.pattern))
                || map.is_some_and(|(map, key)| in_map(map, row, key, &self.pattern));
            left |= *hit;
        }
        left
    }
}

/// A column to look at; a dictionary is judged once per distinct value.
enum Column<'a> {
    Dict(&'a ArrayRef, Vec<bool>),
    Text(&'a StringArray),
    Other(&'a ArrayRef),
}

impl<'a> Column<'a> {
    fn new(array: &'a ArrayRef, pattern: &Pattern) -> Option<Self> {
        match Text::new(array) {
            Some(Text::Dict { values, .. }) => {
                let judged = values.iter().map(|v| v.is_some_and(|v| pattern.fits(v))).collect();
                Some(Self::Dict(array, judged))
            }
            Some(Text::Plain(plain)) => Some(Self::Text(plain)),
            None => (!matches!(pattern, Pattern::Prefix(_))).then_some(Self::Other(array)),
        }
    }

    fn fits(&self, row: usize, pattern: &Pattern) -> bool {
        match self {
            Self::Dict(array, judged) => {
                let key = array.as_dictionary_opt::<arrow::datatypes::Int32Type>().and_then(|d| d.key(row));
                key.is_some_and(|key| judged.get(key) == Some(&true))
            }
            Self::Text(plain) => plain.is_valid(row) && pattern.fits(plain.value(row)),
            Self::Other(array) if array.is_null(row) => false,
            Self::Other(array) => match (array.as_primitive_opt::<Int64Type>(), array.as_boolean_opt()) {
                (Some(ints), _) => pattern.fits(&ints.value(row).to_string()),
                (_, Some(bools)) => pattern.fits(if bools.value(row) { "true" } else { "false" }),
                _ => matches!(pattern, Pattern::Present),
            },
        }
    }
}

fn in_map(map: &MapArray, row: usize, key: &str, pattern: &Pattern) -> bool {
    let (Some(keys), Some(values)) = (map.keys().as_string_opt::<i32>(), map.values().as_string_opt::<i32>()) else {
        return false;
    };
    let offsets = map.value_offsets();
    let entries = offsets[row] as usize..offsets[row + 1] as usize;
    map.is_valid(row)
        && entries.into_iter().any(|i| keys.value(i) == key && values.is_valid(i) && pattern.fits(values.value(i)))
}

/// The columns in which a row says that something went wrong.
struct Errors<'a> {
    span: Option<Text<'a>>,
    status: Option<&'a Int64Array>,
    severity: Option<&'a Int64Array>,
}

impl<'a> Errors<'a> {
    fn of(rows: &'a Rows) -> Self {
        Self { span: rows.text("span_status"), status: rows.int("status_code"), severity: rows.int("severity_number") }
    }

    fn says(&self, row: usize) -> bool {
        let at_least =
            |ints: Option<&Int64Array>, least: i64| ints.is_some_and(|a| a.is_valid(row) && a.value(row) >= least);
        self.span.is_some_and(|t| t.get(row) == Some("error"))
            || at_least(self.status, 500)
            || at_least(self.severity, SEVERITY_ERROR)
    }
}

impl Pattern {
    fn fits(&self, value: &str) -> bool {
        match self {
            Self::Present => true,
            Self::Equals(text) => value == text,
            Self::Prefix(text) => value.starts_with(text.as_str()),
            Self::Globs(globs) => globs.iter().any(|g| glob(g, value)),
            Self::GlobsNoCase(globs) => {
                let lower = value.to_lowercase();
                globs.iter().any(|g| glob(g, &lower))
            }
        }
    }
}

/// `*` stands for any text, slashes included; nothing else is special.
fn glob(pattern: &str, text: &str) -> bool {
    let Some((first, mut rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    while let Some((part, after)) = rest.split_once('*') {
        // The earliest place is as good as any: what follows may only gain room.
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
        rest = after;
    }
    text.ends_with(rest)
}

#[cfg(test)]
mod tests;
