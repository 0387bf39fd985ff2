//! URLs and paths as text: what may be kept of them, and what they are instances of.

use std::borrow::Cow;

/// Parameters that carry a key of ours to a provider.
const KEYS: [&str; 6] = ["key", "api_key", "apikey", "api-key", "subscription-key", "xi-api-key"];

/// Path and query of a URL or of a request target, without the fragment.
pub(super) fn split(url: &str) -> (&str, Option<&str>) {
    let url = url.split_once('#').map_or(url, |(url, _)| url);
    let target = match url.split_once("://") {
        Some((scheme, rest)) if scheme.bytes().all(|b| b.is_ascii_alphanumeric()) => {
            rest.find(['/', '?']).map_or("/", |at| &rest[at..])
        }
        _ => url,
    };
    match target.split_once('?') {
        Some(("", query)) => ("/", Some(query)),
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    }
}

/// Host of a URL, without user and port.
pub(super) fn host(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let bare = match host.find(']') {
        Some(end) => &host[..=end],
        None => host.split(':').next()?,
    };
    (!bare.is_empty()).then_some(bare)
}

/// A route as others write it: Django and ASP.NET name theirs without the first slash, Django's patterns with anchors.
pub(super) fn rooted(route: &str) -> Cow<'_, str> {
    let route = route.strip_prefix('^').map_or(route, |rest| rest.strip_suffix('$').unwrap_or(rest));
    match route.as_bytes().first() {
        None | Some(b'/' | b'*') => Cow::Borrowed(route),
        Some(_) => Cow::Owned(format!("/{route}")),
    }
}

/// The path with what names one thing replaced by `{id}`: numbers, UUIDs, hex, long mixed tokens, addresses.
pub(super) fn template(path: &str) -> Cow<'_, str> {
    if !path.split('/').any(is_id) {
        return path.into();
    }
    let segments: Vec<&str> = path.split('/').map(|s| if is_id(s) { "{id}" } else { s }).collect();
    segments.join("/").into()
}

fn is_id(segment: &str) -> bool {
    let (mut digits, mut hex, mut mixed) = (0, 0, 0);
    for byte in segment.bytes() {
        digits += usize::from(byte.is_ascii_digit());
        hex += usize::from(byte.is_ascii_hexdigit() || byte == b'-');
        mixed += usize::from(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'~' | b'='));
        if byte == b'@' {
            return true;
        }
    }
    let len = segment.len();
    let all_digits = digits > 0 && digits == len;
    let hex_id = len >= 8 && hex == len && digits > 0;
    let token = len >= 20 && mixed == len && digits >= 2;
    all_digits || hex_id || token || segment.contains("%40")
}

/// The API key that a query carries.
pub(super) fn key(query: &str) -> Option<&str> {
    query.split('&').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        (KEYS.iter().any(|k| k.eq_ignore_ascii_case(name)) && !value.is_empty()).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_fall_into_their_parts() {
        let cases = [
            ("/a/b?x=1#top", "/a/b", Some("x=1"), None),
            ("/a", "/a", None, None),
            ("https://u:p@shop.example:8443/a?b=c", "/a", Some("b=c"), Some("shop.example")),
            ("https://shop.example", "/", None, Some("shop.example")),
            ("https://shop.example?x", "/", Some("x"), Some("shop.example")),
            ("http://[2001:db8::1]:80/a", "/a", None, Some("[2001:db8::1]")),
            ("/go?to=https://x.example/y", "/go", Some("to=https://x.example/y"), None),
            ("", "", None, None),
        ];
        for (url, path, query, name) in cases {
            assert_eq!((split(url), host(url).filter(|_| name.is_some())), ((path, query), name), "{url}");
        }
    }

    #[test]
    fn routes_begin_with_a_slash() {
        let cases = [
            ("/api/chat/:id", "/api/chat/:id"),
            ("api/analysis/<int:i>/", "/api/analysis/<int:i>/"),
            ("^api/export/(?P<kind>[a-z]+)/$", "/api/export/(?P<kind>[a-z]+)/"),
            ("{controller}/{action}", "/{controller}/{action}"),
            ("/price/$", "/price/$"),
            ("*", "*"),
        ];
        for (route, expected) in cases {
            assert_eq!(rooted(route), expected, "{route}");
            assert_eq!(rooted(expected), expected, "{route}: what begins with a slash stays");
        }
    }

    #[test]
    fn templates_keep_words_and_drop_instances() {
        let cases = [
            ("/api/analysis/analyze/", "/api/analysis/analyze/"),
            ("/users/42/orders/7", "/users/{id}/orders/{id}"),
            ("/u/18fa6483-73e7-424d-8b96-a4fcd201e036", "/u/{id}"),
            ("/blob/deadbeef01", "/blob/{id}"),
            ("/facade/cafe", "/facade/cafe"),
            ("/v1/chat/completions", "/v1/chat/completions"),
            ("/bot123456:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/send", "/{id}/send"),
            ("/u/ann@example.com", "/u/{id}"),
            ("/u/ann%40example.com", "/u/{id}"),
            ("/internationalization-settings", "/internationalization-settings"),
            ("/", "/"),
        ];
        for (path, expected) in cases {
            assert_eq!(template(path), expected, "{path}");
            assert_eq!(template(expected), expected, "{path}: a template is its own");
        }
    }

    #[test]
    fn keys_are_found_in_queries() {
        let cases = [
            ("key=abc&x=1", Some("abc")),
            ("x=1&API_KEY=abc", Some("abc")),
            ("monkey=1&key=", None),
            ("keys=1", None),
            ("", None),
        ];
        for (query, expected) in cases {
            assert_eq!(key(query), expected, "{query}");
        }
    }
}
