//! Normal forms: two spellings of one e-mail, phone number, address or key must give one pseudonym.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;
use url::Host;

use super::phone::{self, Region};
use crate::address;

/// How the values of a domain are normalised.
#[derive(Debug, Clone, Copy)]
pub(super) enum Normal {
    /// Without the space around it.
    Trimmed,
    /// Address without display name, NFKC, lower case, domain in ASCII; what is no address as a user name.
    Email,
    /// E.164, national numbers by this region.
    Phone(Option<Region>),
    /// Canonical text, IPv4 inside IPv6 as IPv4.
    Address,
    /// Without the scheme before it.
    ApiKey,
}

impl Normal {
    /// The normal form of a key domain; domains that we do not know are trimmed.
    pub(super) fn of(domain: &str, region: Option<Region>) -> Self {
        match domain {
            "email" => Self::Email,
            "phone" => Self::Phone(region),
            "ip" => Self::Address,
            "apikey" => Self::ApiKey,
            _ => Self::Trimmed,
        }
    }

    /// The normal form of a value; empty when nothing is left of it.
    pub(super) fn form(self, value: &str) -> Cow<'_, str> {
        let value = value.trim();
        match self {
            Self::Trimmed => value.into(),
            Self::Email => email(value).into(),
            Self::Phone(region) => phone::form(value, region).into(),
            Self::Address => address::parse(value).map_or_else(|| value.to_lowercase(), |a| a.to_string()).into(),
            Self::ApiKey => api_key(value),
        }
    }
}

fn email(value: &str) -> String {
    let inner = match (value.rfind('<'), value.rfind('>')) {
        (Some(open), Some(close)) if open < close => &value[open + 1..close],
        _ => value,
    };
    let bare = match inner.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => inner[7..].split('?').next().unwrap_or_default(),
        _ => inner,
    };
    let mut folded = folded(bare);
    let Some(at) = folded.rfind('@') else { return folded };
    folded.truncate(folded.trim_end_matches('.').len().max(at + 1));
    let domain = &folded[at + 1..];
    if !is_plain(domain)
        && let Ok(Host::Domain(ascii)) = Host::parse(domain)
    {
        folded.truncate(at + 1);
        folded.push_str(&ascii);
    }
    folded
}

/// Whether a domain is spelled as it is resolved, as nearly all are: there is nothing to convert then.
fn is_plain(domain: &str) -> bool {
    domain.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.')) && !domain.contains("xn--")
}

/// NFKC and lower case, so that look-alike spellings of a name meet.
fn folded(text: &str) -> String {
    let text = text.trim();
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    const { ComposingNormalizerBorrowed::new_nfkc() }.normalize(text).to_lowercase()
}

/// Captured headers come as a list of one, and with the scheme of `Authorization` before the key.
fn api_key(value: &str) -> Cow<'_, str> {
    if value.starts_with("[\"")
        && let Ok(list) = serde_json::from_str::<Vec<String>>(value)
        && let Some(first) = list.into_iter().next()
    {
        return without_scheme(first.trim()).to_owned().into();
    }
    without_scheme(value).into()
}

fn without_scheme(value: &str) -> &str {
    for scheme in ["bearer ", "token ", "apikey ", "api-key ", "key ", "basic "] {
        if value.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)) {
            return value[scheme.len()..].trim_start();
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_plain_domain_is_what_it_would_be_converted_to(domain in "([a-z0-9-]{0,9}\\.){0,4}[a-z0-9.-]{0,9}") {
            proptest::prop_assert!(is_plain(&domain) || domain.contains("xn--"));
            if let (true, Ok(Host::Domain(ascii))) = (is_plain(&domain), Host::parse(&domain)) {
                proptest::prop_assert_eq!(ascii, domain);
            }
        }
    }

    fn check(domain: &str, cases: &[(&str, &str)]) {
        for (value, normal) in cases {
            let form = Normal::of(domain, None).form(value).into_owned();
            assert_eq!(form, *normal, "{domain} {value}");
            assert_eq!(Normal::of(domain, None).form(&form), *normal, "{domain} {value}: a normal form is its own");
        }
    }

    #[test]
    fn one_value_has_one_form() {
        check(
            "email",
            &[
                ("Ann.Lee+x@Example.COM", "ann.lee+x@example.com"),
                (" ann@example.com. ", "ann@example.com"),
                ("Ann Lee <ann@example.com>", "ann@example.com"),
                ("mailto:ann@example.com?subject=x", "ann@example.com"),
                ("<MAILTO:ann@example.com>", "ann@example.com"),
                ("ann@BÜCHER.example", "ann@xn--bcher-kva.example"),
                ("ann@bu\u{308}cher.example", "ann@xn--bcher-kva.example"),
                ("ａｎｎ@example.com", "ann@example.com"),
                ("ann@host@example.com", "ann@host@example.com"),
                ("ann@[192.0.2.1]", "ann@[192.0.2.1]"),
                ("ann@192.0.2.1", "ann@192.0.2.1"),
                ("ann@%65xample.com", "ann@example.com"),
                ("ann@XN--BCHER-KVA.example", "ann@xn--bcher-kva.example"),
                ("ann@..", "ann@"),
                ("Admin", "admin"),
                ("  ", ""),
            ],
        );
        check(
            "ip",
            &[("::FFFF:192.0.2.1", "192.0.2.1"), ("2001:DB8:0::1", "2001:db8::1"), ("Host.Example", "host.example")],
        );
        check(
            "apikey",
            &[
                ("Bearer sk-1", "sk-1"),
                ("bearer  sk-1 ", "sk-1"),
                (r#"["Bearer sk-1"]"#, "sk-1"),
                (r#"["sk-1"]"#, "sk-1"),
                ("sk-1", "sk-1"),
                ("Keystone", "Keystone"),
                ("Bearer ", "Bearer"),
            ],
        );
        check("user", &[(" Ann ", "Ann"), ("", "")]);
        check("invented", &[(" Ann ", "Ann")]);
    }
}
