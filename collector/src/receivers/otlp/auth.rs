//! Bearer tokens: who may send, and whose data it then is.

use std::sync::Arc;

use subtle::{Choice, ConstantTimeEq};

use crate::config::{BearerTokens, Token};

/// Tokens that were checked; none of them is ever shown.
pub struct Tokens(Vec<(Vec<u8>, Arc<str>)>);

/// Why tokens could not be had.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// None at all.
    #[error("bearertokenauth has no token; set `token`, `tokens` or `filename`")]
    None,
    /// An entry that says too little or too much.
    #[error("a token has exactly one of `token`, `env` and `file`")]
    Ambiguous,
    /// A variable that is not there.
    #[error("environment variable {0}, which holds a token, is not set")]
    Variable(String),
    /// A file that cannot be read.
    #[error("reading token file {file}: {why}")]
    File {
        /// Which file.
        file: String,
        /// The system's answer.
        why: std::io::Error,
    },
    /// A token that could be guessed.
    #[error("a token has fewer than 16 characters; make one with `openssl rand -hex 32`")]
    Short,
    /// Another scheme.
    #[error("`scheme` can only be Bearer")]
    Scheme,
}

impl Tokens {
    /// All tokens of an extension.
    pub(crate) fn collect(
        settings: &BearerTokens,
        tenant: &str,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, TokenError> {
        if settings.scheme.as_deref().is_some_and(|s| s != "Bearer") {
            return Err(TokenError::Scheme);
        }
        let mut tokens = Vec::new();
        tokens.extend(settings.token.iter().map(|t| (t.clone(), tenant.to_owned())));
        if let Some(file) = &settings.filename {
            tokens.extend(lines(file)?.into_iter().map(|t| (t, tenant.to_owned())));
        }
        for token in &settings.tokens {
            let tenant = token.tenant.as_deref().unwrap_or(tenant);
            tokens.extend(values(token, variable)?.into_iter().map(|t| (t, tenant.to_owned())));
        }
        if tokens.is_empty() {
            return Err(TokenError::None);
        }
        if tokens.iter().any(|(token, _)| token.len() < 16) {
            return Err(TokenError::Short);
        }
        Ok(Self(tokens.into_iter().map(|(token, tenant)| (token.into_bytes(), tenant.into())).collect()))
    }

    /// A token that lets one in, for our own test record.
    #[cfg(feature = "queries")]
    pub(crate) fn first(&self) -> Option<&[u8]> {
        self.0.first().map(|(token, _)| token.as_slice())
    }

    /// The tenant of an `Authorization` header, found in time that tells nothing about the tokens.
    pub fn tenant(&self, header: Option<&[u8]>) -> Option<Arc<str>> {
        let (scheme, given) = header?.split_at_checked(7)?;
        if !scheme.eq_ignore_ascii_case(b"bearer ") {
            return None;
        }
        let mut found = None;
        for (token, tenant) in &self.0 {
            let same: Choice = token.as_slice().ct_eq(given);
            if bool::from(same) {
                found = Some(Arc::clone(tenant));
            }
        }
        found
    }
}

fn values(token: &Token, variable: &dyn Fn(&str) -> Option<String>) -> Result<Vec<String>, TokenError> {
    match (&token.token, &token.env, &token.file) {
        (Some(token), None, None) => Ok(vec![token.clone()]),
        (None, Some(name), None) => {
            let value = variable(name).ok_or_else(|| TokenError::Variable(name.clone()))?;
            Ok(vec![value.trim().to_owned()])
        }
        (None, None, Some(file)) => lines(file),
        _ => Err(TokenError::Ambiguous),
    }
}

fn lines(file: &std::path::Path) -> Result<Vec<String>, TokenError> {
    let text =
        std::fs::read_to_string(file).map_err(|why| TokenError::File { file: file.display().to_string(), why })?;
    Ok(text.lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_finds_its_tenant() {
        let tokens = Tokens(vec![
            (b"0123456789abcdef".to_vec(), "acme".into()),
            (b"fedcba9876543210".to_vec(), "umbrella".into()),
        ]);
        let check = |header: Option<&str>, tenant: Option<&str>| {
            assert_eq!(tokens.tenant(header.map(str::as_bytes)).as_deref(), tenant, "{header:?}");
        };
        check(Some("Bearer 0123456789abcdef"), Some("acme"));
        check(Some("bearer fedcba9876543210"), Some("umbrella"));
        check(Some("Bearer 0123456789abcdee"), None);
        check(Some("Bearer 0123456789abcde"), None);
        check(Some("Basic 0123456789abcdef"), None);
        check(Some("Bearer"), None);
        check(Some("Bearer "), None);
        check(None, None);
    }
}
