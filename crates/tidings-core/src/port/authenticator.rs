//! The authenticator port: from a credential to an identity.

use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use crate::explanation::{Explanation, Question};
use crate::identity::Identity;
use crate::time::Timestamp;

/// What a request presents, as far as any provider may look at it. Debug output shows no secret.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    /// The token of `Authorization: Bearer`.
    pub bearer: Option<&'a str>,
    /// The `ticket` query parameter, where somebody reads.
    pub ticket: Option<&'a str>,
    /// The cookies, by name and value, in the order in which they were sent.
    pub cookies: &'a [(&'a str, &'a str)],
    /// All headers, with names in lower case: for whoever asks the application.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The `userId` query parameter, which only the development provider looks at.
    pub development_user: Option<&'a str>,
    /// What it is presented for.
    pub purpose: Purpose,
    /// The profile by which it comes; none for the hub's own.
    pub profile: Option<&'a str>,
    /// Whether the cookie of a session decides before anything else does.
    pub is_session_first: bool,
    /// The peer's address.
    pub peer: IpAddr,
    /// Wall-clock time, for expiry.
    pub now: Timestamp,
}

/// What a credential is presented for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Opening a stream or a page: the only thing for which a ticket is taken.
    Read,
    /// Reading without opening anything: one event, a topic, the head of an answer. A stream token
    /// serves for this too; a ticket does not, and is not used up.
    Look,
    /// Letting an open stream go on, or getting a ticket to open one, for which a stream token serves
    /// too.
    Renew,
    /// Anything else.
    Act,
}

impl<'a> Presented<'a> {
    /// A request that presents nothing.
    pub fn nothing(purpose: Purpose, peer: IpAddr, now: Timestamp) -> Self {
        Self {
            bearer: None,
            ticket: None,
            cookies: &[],
            headers: &[],
            development_user: None,
            purpose,
            profile: None,
            is_session_first: false,
            peer,
            now,
        }
    }

    /// The first cookie of a name.
    pub fn cookie(&self, name: &str) -> Option<&'a str> {
        let mut cookies = self.cookies.iter();
        cookies
            .find(|cookie| cookie.0 == name)
            .map(|cookie| cookie.1)
    }

    /// The value of a header that is there once.
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        let mut values = self.headers.iter().filter(|header| header.0 == name);
        let first = values.next()?.1;
        values.next().is_none().then_some(first)
    }
}

impl fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cookie_names: Vec<&str> = self.cookies.iter().map(|cookie| cookie.0).collect();
        f.debug_struct("Presented")
            .field("bearer", &self.bearer.map(|_| "[redacted]"))
            .field("ticket", &self.ticket.map(|_| "[redacted]"))
            .field("cookie_names", &cookie_names)
            .field("development_user", &self.development_user)
            .field("purpose", &self.purpose)
            .field("peer", &self.peer)
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

/// Why a presented credential was refused. Never holds the credential or a part of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthFailure {
    /// It is not a credential of this kind at all.
    #[error("the credential is malformed: {0}")]
    Malformed(String),
    /// Its signature or algorithm is not accepted.
    #[error("the credential's signature or algorithm is not accepted")]
    NotTrusted,
    /// It is not known: never issued here, used up, or removed.
    #[error("the credential is not known, or has been used up")]
    Unknown,
    /// It has ended.
    #[error("the credential has expired")]
    Expired,
    /// It is not valid yet.
    #[error("the credential is not valid yet")]
    NotYetValid,
    /// It, or its subject, has been revoked.
    #[error("the credential has been revoked")]
    Revoked,
    /// A claim is missing or not what it must be.
    #[error("the claim `{claim}` {problem}")]
    Claim {
        /// Which claim.
        claim: String,
        /// What is wrong with it.
        problem: String,
    },
    /// It is good, but not for this.
    #[error("the credential does not serve for this: {0}")]
    NotForThis(&'static str),
    /// Whoever must be asked says no.
    #[error("the application does not accept the credential")]
    Denied,
    /// Whoever must be asked does not answer.
    #[error("the credential cannot be checked at the moment")]
    Unavailable,
}

/// The answer of a provider, which may have to ask somebody.
pub type AuthFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Option<Identity>, AuthFailure>> + Send + 'a>>;

/// All that was found out, which may take asking somebody.
pub type ExplanationFuture<'a> = Pin<Box<dyn Future<Output = Explanation> + Send + 'a>>;

/// What is known of the keys that an issuer publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedKeys {
    /// The issuer's name in the settings.
    pub issuer: Arc<str>,
    /// How they are.
    pub standing: KeyStanding,
}

/// How published keys are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyStanding {
    /// No token has asked for them yet.
    Unasked,
    /// They are known.
    Known,
    /// They are known from before; the issuer did not answer when it was asked last.
    Old,
    /// None can be used: the issuer's tokens are refused.
    Missing,
}

/// Proves who a request is.
///
/// Duties: `Ok(None)` means that the request presents nothing for this provider, and the next one is
/// tried; a credential that is there and wrong is an error, and ends the search. Comparisons of
/// secrets take constant time.
pub trait Authenticator: Send + Sync + fmt::Debug {
    /// The word by which people know the provider, such as `jwt`.
    fn name(&self) -> &'static str;

    /// Looks at a request.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect on later calls, but that a ticket may have been used up.
    fn authenticate<'a>(&'a self, presented: Presented<'a>) -> AuthFuture<'a>;

    /// Looks at a request as [`authenticate`](Self::authenticate) does, and tells all that it found.
    /// A ticket is used up by it, as by any other look.
    ///
    /// # Cancel safety
    ///
    /// As that of [`authenticate`](Self::authenticate).
    fn explain<'a>(
        &'a self,
        presented: Presented<'a>,
        question: &'a Question,
    ) -> ExplanationFuture<'a>;

    /// What is known of the keys that issuers publish; nothing, without such issuers. Asks nobody.
    fn published_keys(&self) -> Vec<PublishedKeys> {
        Vec::new()
    }
}
