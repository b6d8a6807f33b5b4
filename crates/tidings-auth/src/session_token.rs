//! The provider of signed session tokens in cookies, as Clerk keeps them in `__session`.

use std::sync::Arc;

use tidings_core::port::Presented;

use crate::issuer::Issuers;
use crate::jwt::has_shape;
use crate::limits::SESSION_COOKIES_MAX;
use crate::provider::{ProofFuture, Provider};

/// A cookie that holds a session token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionCookie {
    /// Its name.
    pub name: String,
    /// Whether the name may go on with `_` and a few letters: Clerk tells applications of one domain
    /// apart in this way (`__session_<suffix>`), and prefers the longer name.
    pub with_suffix: bool,
}

impl SessionCookie {
    /// The cookies of Clerk.
    pub fn clerk() -> Self {
        Self {
            name: "__session".to_owned(),
            with_suffix: true,
        }
    }

    /// How well a cookie's name fits; none if it does not.
    fn fit(&self, name: &str) -> Option<Fit> {
        const SUFFIX_BYTES_MAX: usize = 32;
        let rest = name.strip_prefix(self.name.as_str())?;
        if rest.is_empty() {
            return Some(Fit::Exact);
        }
        let suffix = rest.strip_prefix('_').filter(|_| self.with_suffix)?;
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let is_suffix =
            (1..=SUFFIX_BYTES_MAX).contains(&suffix.len()) && suffix.bytes().all(is_allowed);
        is_suffix.then_some(Fit::Suffixed)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Suffixed,
    Exact,
}

/// Accepts signed tokens of any issuer in cookies.
///
/// A cookie that does not look like a token is another program's and none of ours. Of several that
/// do, one has to be good: applications of one domain share a browser's cookies.
#[derive(Debug)]
pub struct SessionToken {
    issuers: Arc<Issuers>,
    cookies: Vec<SessionCookie>,
}

impl SessionToken {
    /// A provider for the tokens of these issuers in these cookies.
    pub fn new(issuers: Arc<Issuers>, cookies: Vec<SessionCookie>) -> Self {
        Self { issuers, cookies }
    }

    fn candidates<'a>(&self, presented: &Presented<'a>) -> Vec<&'a str> {
        let mut fitting: Vec<(Fit, &str)> = Vec::new();
        for (name, value) in presented.cookies {
            let fit = self.cookies.iter().find_map(|cookie| cookie.fit(name));
            fitting.extend(fit.filter(|_| has_shape(value)).map(|fit| (fit, *value)));
        }
        fitting.sort_by_key(|candidate| candidate.0);
        fitting.truncate(SESSION_COOKIES_MAX);
        fitting.into_iter().map(|candidate| candidate.1).collect()
    }
}

impl Provider for SessionToken {
    fn name(&self) -> &'static str {
        "session_token"
    }

    fn is_for_sessions(&self) -> bool {
        true
    }

    fn prove<'a>(&'a self, presented: Presented<'a>) -> ProofFuture<'a> {
        Box::pin(async move {
            let mut first_failure = None;
            for token in self.candidates(&presented) {
                match self.issuers.verify(token, presented.now).await {
                    Ok(mut proven) => {
                        proven.credential.is_ambient = true;
                        return Ok(Some(proven));
                    }
                    Err(failure) => first_failure = first_failure.or(Some(failure)),
                }
            }
            first_failure.map_or(Ok(None), Err)
        })
    }
}
