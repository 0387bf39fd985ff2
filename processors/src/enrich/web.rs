//! `requests` and `errors`: paths without their query, routes, success, where it happened.

use component::{ProcessError, Rows};

use super::calls;
use super::read::{Bools, Ints, Texts, bools, set, texts};
use super::url;

/// Fills `path`, `query`, `route` and `is_success`.
pub(super) fn requests(rows: &mut Rows) -> Result<(), ProcessError> {
    paths(rows, "path", "query")?;
    let (route, path) = (Texts::of(rows, "route"), Texts::of(rows, "path"));
    if (0..rows.len()).any(|row| route.get(row).is_none()) {
        let routes = texts(rows, |row| match route.get(row) {
            Some(route) => Some(route.into()),
            None => path.get(row).map(url::template),
        });
        set(rows, "route", routes)?;
    }
    let (given, status) = (Bools::of(rows, "is_success"), Ints::of(rows, "status_code"));
    let span = Texts::of(rows, "span_status");
    let success = bools(rows, |row| {
        given.get(row).or_else(|| match (span.get(row), status.get(row)) {
            (Some("error"), _) => Some(false),
            (_, Some(status)) => Some(status < 400),
            // Without an answer nobody knows whether there was one.
            _ => None,
        })
    });
    set(rows, "is_success", success)
}

/// Brings every route that a framework names to the form with its first slash.
pub(super) fn routes(rows: &mut Rows) -> Result<(), ProcessError> {
    let route = Texts::of(rows, "route");
    if !route.any(|route| !route.starts_with('/')) {
        return Ok(());
    }
    let routes = texts(rows, |row| route.get(row).map(url::rooted));
    set(rows, "route", routes)
}

/// Fills `page_path`, `route`, `location` and `provider`.
pub(super) fn errors(rows: &mut Rows) -> Result<(), ProcessError> {
    paths(rows, "page_path", "url_query")?;
    failed_routes(rows)?;
    let (given, line) = (Texts::of(rows, "location"), Ints::of(rows, "line"));
    let [screen, function, file, component] = ["screen", "function", "file", "component"].map(|c| Texts::of(rows, c));
    let location = texts(rows, |row| {
        if let Some(place) = given.get(row).or(screen.get(row)) {
            return Some(place.into());
        }
        let file = match (file.get(row), line.get(row)) {
            (Some(file), Some(line)) => Some(format!("{file}:{line}")),
            (file, _) => file.map(str::to_owned),
        };
        match (function.get(row), file) {
            (Some(function), Some(file)) => Some(format!("{function} ({file})").into()),
            (Some(function), None) => Some(function.into()),
            (None, Some(file)) => Some(file.into()),
            (None, None) => component.get(row).map(Into::into),
        }
    });
    set(rows, "location", location)?;
    calls::provider(rows)
}

/// Fills `route` where a log tells of an API; the path of any other is the page that was open.
fn failed_routes(rows: &mut Rows) -> Result<(), ProcessError> {
    let [route, path, kind, name, method] =
        ["route", "page_path", "kind", "name", "method"].map(|c| Texts::of(rows, c));
    let status = Ints::of(rows, "status_code");
    let of_api = |row| {
        let named = || name.get(row).is_some_and(|n| n.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("api")));
        kind.get(row) == Some("log") && (method.get(row).is_some() || status.get(row).is_some() || named())
    };
    let routes = texts(rows, |row| match route.get(row) {
        Some(route) => Some(route.into()),
        None => path.get(row).filter(|_| of_api(row)).map(url::template),
    });
    set(rows, "route", routes)
}

/// Takes the query out of a path column, and the path out of `url` where the column has none.
pub(super) fn paths(rows: &mut Rows, path: &str, query: &str) -> Result<(), ProcessError> {
    let (paths, queries, urls) = (Texts::of(rows, path), Texts::of(rows, query), Texts::of(rows, "url"));
    let whole = |text: &str| text.contains(['?', '#']) || text.contains("://");
    if !paths.any(whole) && !urls.any(|_| true) {
        return Ok(());
    }
    let parts = |row| paths.get(row).or(urls.get(row)).map(url::split);
    let found = texts(rows, |row| parts(row).map(|(path, _)| path.into()));
    let rest = texts(rows, |row| queries.get(row).or(parts(row).and_then(|(_, query)| query)).map(Into::into));
    set(rows, path, found)?;
    set(rows, query, rest)
}
