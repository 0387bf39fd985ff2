//! Rules over rows: the conditions that `filter` and `sample` share.

use arrow::array::{Array, ArrayRef, AsArray, MapArray, StringArray};
use arrow::datatypes::Int64Type;
use component::{ConfigError, Context, Rows, Text};
use schemas::{Source, Table};
use serde::Deserialize;

use crate::kept::is_kept;

/// One rule; every condition that is given must hold.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct When {
    /// Name in the metric; by default the rule's place in the list, as `skip.0`.
    pub name: Option<String>,
    /// Only this table.
    pub table: Option<String>,
    /// Globs over route and path; of `requests` unless `table` says otherwise.
    pub route: Globs,
    /// Globs over the event name of log records and span events, without case.
    pub event: Globs,
    /// Globs over the name of the service.
    pub service: Globs,
    /// HTTP method, without case.
    pub method: Option<String>,
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
    /// Of what the rule meets, the share that stays: in the rules of `sample` alone.
    pub rate: Option<f64>,
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
    pub(crate) fn list(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

impl When {
    /// Refuses what cannot be or would surprise.
    pub(crate) fn check(&self, at: &str, cx: &Context) -> Result<(), ConfigError> {
        let table = match &self.table {
            None => None,
            Some(name) => {
                let known = cx.catalog.table(name).ok_or_else(|| {
                    let names: Vec<&str> = cx.catalog.tables().iter().map(|t| t.name.as_str()).collect();
                    let what = format!("there is no table {name:?}; there are {}", names.join(", "));
                    ConfigError::at(&format!("{at}.table"), what)
                })?;
                if is_kept(known) {
                    return Err(ConfigError::at(&format!("{at}.table"), format!("rows of {name} are never dropped")));
                }
                Some(known)
            }
        };
        match (&self.column, table) {
            (Some(_), None) => return Err(ConfigError::at(at, "a rule with `column` needs a `table`")),
            (Some(column), Some(table)) if table.index(column).is_none() => {
                let what = format!("table {} has no column {column:?}", table.name);
                return Err(ConfigError::at(&format!("{at}.column"), what));
            }
            _ => {}
        }
        let values = [&self.equals, &self.prefix, &self.glob].into_iter().flatten().count();
        if values > 1 {
            return Err(ConfigError::at(at, "give one of `equals`, `prefix` and `glob`"));
        }
        if values == 1 && self.column.is_none() == self.attribute.is_none() {
            return Err(ConfigError::at(at, "`equals`, `prefix` and `glob` go with one of `attribute` and `column`"));
        }
        Ok(())
    }

    /// Whether anything besides the table must hold.
    pub(crate) fn has_condition(&self) -> bool {
        let words = [&self.method, &self.kind, &self.attribute, &self.column];
        words.into_iter().any(Option::is_some)
            || [&self.route, &self.event, &self.scope, &self.service].into_iter().any(|g| !g.list().is_empty())
    }

    fn value(&self) -> Pattern {
        match (&self.equals, &self.prefix, &self.glob) {
            (Some(text), _, _) => Pattern::Equals(text.clone()),
            (_, Some(text), _) => Pattern::Prefix(text.clone()),
            (_, _, Some(text)) => Pattern::Globs(vec![text.clone()]),
            _ => Pattern::Present,
        }
    }
}

/// The globs, and those that begin with a slash without it as well: so Django and ASP.NET name their routes.
fn routes(globs: &[String]) -> Vec<String> {
    let bare = globs.iter().filter_map(|glob| glob.strip_prefix('/')).filter(|glob| !glob.is_empty() && *glob != "*");
    globs.iter().map(String::as_str).chain(bare).map(str::to_owned).collect()
}

/// A rule as it applies to one table.
pub(crate) struct Rule {
    pub(crate) name: String,
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
    pub(crate) fn new(name: &str, when: &When, table: &Table) -> Option<Self> {
        if when.table.as_ref().is_some_and(|t| *t != table.name) {
            return None;
        }
        let mut tests = Vec::new();
        // Cheap conditions first: what they rule out is not looked at again.
        if let Some(kind) = &when.kind {
            tests.push(Test::new(table, &["kind"], Pattern::Equals(kind.clone()))?);
        }
        if !when.scope.list().is_empty() {
            tests.push(Test::new(table, &["scope_name"], Pattern::Globs(when.scope.list().to_vec()))?);
        }
        if !when.service.list().is_empty() {
            tests.push(Test::new(table, &["service_name"], Pattern::Globs(when.service.list().to_vec()))?);
        }
        if let Some(method) = &when.method {
            tests.push(Test::new(table, &["method"], Pattern::GlobsNoCase(vec![method.to_lowercase()]))?);
        }
        if !when.route.list().is_empty() {
            if when.table.is_none() && table.name != "requests" {
                return None;
            }
            tests.push(Test::new(table, &["route", "path"], Pattern::Globs(routes(when.route.list())))?);
        }
        if !when.event.list().is_empty() {
            let kinds = Pattern::Globs(["log", "span_event"].map(str::to_owned).to_vec());
            tests.push(Test::new(table, &["kind"], kinds)?);
            let globs = when.event.list().iter().map(|g| g.to_lowercase()).collect();
            tests.push(Test::new(table, &["name", "event_name"], Pattern::GlobsNoCase(globs))?);
        }
        if let Some(column) = &when.column {
            tests.push(Test::new(table, &[column], when.value())?);
        }
        if let Some(key) = &when.attribute {
            tests.push(Test::attribute(table, key, when.value()));
        }
        Some(Self { name: name.to_owned(), tests })
    }

    /// Takes the rows that the rule does not meet out of `hit`; false when none is left.
    pub(crate) fn narrow(&self, rows: &Rows, hit: &mut [bool]) -> bool {
        self.tests.iter().all(|test| test.narrow(rows, hit)) && hit.contains(&true)
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
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
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
