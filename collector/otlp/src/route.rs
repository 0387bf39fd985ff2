//! Which tables a record belongs to.

use hashbrown::HashMap;
use schemas::{Catalog, Clause, Signal, SpanKind};

use crate::attributes::Attributes;
use crate::plan::{BuildError, Numbering};
use crate::value::Value;

/// What clauses ask of a record.
#[derive(Debug)]
pub(crate) struct Facts<'r, 'a> {
    pub(crate) signal: Signal,
    /// OTLP's number of the span kind.
    pub(crate) kind: SpanKind,
    pub(crate) event: &'a [u8],
    pub(crate) severity: i32,
    pub(crate) is_error: bool,
    pub(crate) attributes: &'r Attributes<'a>,
    /// The span of a span event; its attributes stand in for those the event lacks.
    pub(crate) span: Option<&'r Attributes<'a>>,
}

impl<'a> Facts<'_, 'a> {
    fn get(&self, key: u16) -> Option<&Value<'a>> {
        self.attributes.get(key).or_else(|| self.span?.get(key))
    }

    fn present(&self, word: usize) -> u64 {
        let of = |attributes: &Attributes<'a>| attributes.present().get(word).copied().unwrap_or_default();
        of(self.attributes) | self.span.map_or(0, of)
    }
}

/// Where a record goes; kept between records for its memory.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    /// The table it is at home in.
    pub(crate) home: Option<u16>,
    /// Tables that get a row besides.
    pub(crate) also: Vec<u16>,
}

/// All clauses of all tables.
#[derive(Debug)]
pub(crate) struct Router {
    spans: Vec<Rule>,
    logs: Vec<Rule>,
    span_events: Vec<Rule>,
    names: Names,
    hosts: [u16; 5],
    /// Tables of spans and logs that no clause takes.
    unmatched: [u16; 2],
    /// Tables that are audited.
    pub(crate) audited: Vec<bool>,
}

/// One clause, its keys as bits.
#[derive(Debug)]
struct Rule {
    table: u16,
    also: bool,
    kinds: Vec<SpanKind>,
    any: Option<Bits>,
    all: Option<Bits>,
    none: Option<Bits>,
    /// The bit that a matching event name has.
    event: Option<usize>,
    hosts: Vec<Box<[u8]>>,
    severity_min: Option<i32>,
    status_error: bool,
}

type Bits = Box<[u64]>;

/// Event names, lower case, and the rules they match.
#[derive(Debug, Default)]
struct Names {
    rules: usize,
    exact: HashMap<Box<[u8]>, Vec<usize>>,
    prefixes: Vec<(Box<[u8]>, usize)>,
}

impl Router {
    /// Compiles all clauses. Their keys must be the first that get numbers, so that presence bits stay few.
    pub(crate) fn new(catalog: &Catalog, number: &mut Numbering) -> Result<Self, BuildError> {
        let (mut spans, mut logs, mut span_events) = (Vec::new(), Vec::new(), Vec::new());
        let mut names = Names::default();
        for (index, table) in catalog.tables().iter().enumerate() {
            let index = u16::try_from(index).map_err(|_| BuildError::TooMany("tables"))?;
            for clause in &table.clauses {
                let rules = match clause.signal {
                    Signal::Span => &mut spans,
                    Signal::Log => &mut logs,
                    Signal::SpanEvent => &mut span_events,
                };
                rules.push(Rule::new(index, clause, number, &mut names));
            }
        }
        let unmatched = |name: &'static str| {
            let at = catalog.tables().iter().position(|t| t.name == name).ok_or(BuildError::NoTable(name))?;
            u16::try_from(at).map_err(|_| BuildError::TooMany("tables"))
        };
        Ok(Self {
            spans,
            logs,
            span_events,
            names,
            unmatched: [unmatched("spans")?, unmatched("logs")?],
            audited: catalog.tables().iter().map(|t| t.audit).collect(),
            hosts: ["server.address", "net.peer.name", "http.host", "url.full", "http.url"].map(|key| number.of(key)),
        })
    }

    /// Whether any table takes span events.
    pub(crate) fn takes_span_events(&self) -> bool {
        !self.span_events.is_empty()
    }

    /// Finds the tables of a record. Only a span event can be without a home.
    pub(crate) fn route(&self, facts: &Facts<'_, '_>, routes: &mut Routes) {
        routes.home = None;
        routes.also.clear();
        let (rules, unmatched) = match facts.signal {
            Signal::Span => (&self.spans, Some(self.unmatched[0])),
            Signal::Log => (&self.logs, Some(self.unmatched[1])),
            Signal::SpanEvent => (&self.span_events, None),
        };
        let mut names = None;
        let mut host = None;
        for rule in rules {
            let settled = if rule.also { routes.also.contains(&rule.table) } else { routes.home.is_some() };
            if settled || !rule.fits(facts) {
                continue;
            }
            if let Some(bit) = rule.event {
                let matched: &Vec<usize> = names.get_or_insert_with(|| self.names.matched(facts.event));
                if !matched.contains(&bit) {
                    continue;
                }
            }
            if !rule.hosts.is_empty() {
                let host: &Option<&[u8]> = host.get_or_insert_with(|| self.host(facts));
                if !host.is_some_and(|host| rule.hosts.iter().any(|known| is_or_is_below(host, known))) {
                    continue;
                }
            }
            if rule.also {
                routes.also.push(rule.table);
            } else {
                routes.home = Some(rule.table);
            }
        }
        routes.home = routes.home.or(unmatched);
        if let Some(home) = routes.home {
            routes.also.retain(|table| *table != home);
        }
    }

    /// The called server's name.
    fn host<'f>(&self, facts: &'f Facts<'_, '_>) -> Option<&'f [u8]> {
        self.hosts.iter().enumerate().find_map(|(index, key)| match facts.get(*key)? {
            Value::Text(text) if index < 2 => Some(*text),
            Value::Text(text) if index == 2 => Some(without_port(text)),
            Value::Text(text) => host_of_url(text),
            _ => None,
        })
    }
}

impl Rule {
    fn new(table: u16, clause: &Clause, number: &mut Numbering, names: &mut Names) -> Self {
        let mut bits = |keys: &[String]| (!keys.is_empty()).then(|| bits(keys, number));
        Self {
            table,
            also: clause.also,
            kinds: clause.kind.clone(),
            any: bits(&clause.any),
            all: bits(&clause.all),
            none: bits(&clause.none),
            event: (!clause.event.is_empty()).then(|| names.add(&clause.event)),
            hosts: clause.host.iter().map(|h| h.to_lowercase().into_bytes().into()).collect(),
            severity_min: clause.severity_min,
            status_error: clause.status_error,
        }
    }

    /// Whether everything but event name and host fits.
    #[inline]
    fn fits(&self, facts: &Facts<'_, '_>) -> bool {
        (self.kinds.is_empty() || self.kinds.contains(&facts.kind))
            && self.severity_min.is_none_or(|min| facts.severity >= min)
            && (!self.status_error || facts.is_error)
            && self.any.as_ref().is_none_or(|any| any.iter().enumerate().any(|(i, w)| facts.present(i) & w != 0))
            && self.all.as_ref().is_none_or(|all| all.iter().enumerate().all(|(i, w)| facts.present(i) & w == *w))
            && self.none.as_ref().is_none_or(|none| none.iter().enumerate().all(|(i, w)| facts.present(i) & w == 0))
    }
}

fn bits(keys: &[String], number: &mut Numbering) -> Bits {
    let mut words = Vec::new();
    for key in keys {
        let bit = usize::from(number.of(key));
        if words.len() <= bit / 64 {
            words.resize(bit / 64 + 1, 0u64);
        }
        words[bit / 64] |= 1 << (bit % 64);
    }
    words.into()
}

impl Names {
    /// Registers the names of one rule and returns its bit.
    fn add(&mut self, names: &[String]) -> usize {
        let rule = self.rules;
        self.rules += 1;
        for name in names.iter().map(|n| n.to_lowercase()) {
            match name.strip_suffix('*') {
                Some(prefix) => self.prefixes.push((prefix.as_bytes().into(), rule)),
                None => self.exact.entry(name.into_bytes().into()).or_default().push(rule),
            }
        }
        rule
    }

    fn matched(&self, name: &[u8]) -> Vec<usize> {
        if name.is_empty() {
            return Vec::new();
        }
        let name = name.to_ascii_lowercase();
        let mut rules = self.exact.get(&*name).cloned().unwrap_or_default();
        rules.extend(self.prefixes.iter().filter(|(prefix, _)| name.starts_with(prefix)).map(|(_, rule)| *rule));
        rules
    }
}

/// `api.example.com` is `example.com` or below it.
fn is_or_is_below(host: &[u8], known: &[u8]) -> bool {
    let Some(at) = host.len().checked_sub(known.len()) else { return false };
    host[at..].eq_ignore_ascii_case(known) && (at == 0 || host[at - 1] == b'.')
}

fn without_port(host: &[u8]) -> &[u8] {
    if let Some(bracketed) = host.strip_prefix(b"[") {
        return bracketed.split(|b| *b == b']').next().unwrap_or_default();
    }
    match host.iter().position(|b| *b == b':') {
        // More than one colon is an address of version 6.
        Some(colon) if !host[colon + 1..].contains(&b':') => &host[..colon],
        _ => host,
    }
}

fn host_of_url(url: &[u8]) -> Option<&[u8]> {
    let scheme = url.windows(3).position(|w| w == b"://")?;
    let rest = &url[scheme + 3..];
    let authority = rest.split(|b| b"/?#\\".contains(b)).next()?;
    let host = authority.rsplit(|b| *b == b'@').next()?;
    Some(without_port(host)).filter(|host| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        let check = |url: &str, expected: &str| {
            assert_eq!(host_of_url(url.as_bytes()).unwrap_or_default(), expected.as_bytes(), "{url}");
        };
        check("https://api.example.com/v1/x?y=https://other", "api.example.com");
        check("https://user:p%40ss@api.example.com:8443", "api.example.com");
        check("http://[2001:db8::1]:80/", "2001:db8::1");
        check("/relative", "");
        check("https:///x", "");
        assert!(is_or_is_below(b"api.OpenAI.com", b"openai.com"));
        assert!(is_or_is_below(b"openai.com", b"openai.com"));
        assert!(!is_or_is_below(b"notopenai.com", b"openai.com"));
        assert!(!is_or_is_below(b"com", b"openai.com"));
        assert_eq!(without_port(b"localhost:80"), b"localhost");
        assert_eq!(without_port(b"::1"), b"::1");
    }
}
