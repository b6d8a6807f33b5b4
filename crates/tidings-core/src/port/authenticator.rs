//! The authenticator port: from a credential to an identity.

use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

use crate::identity::Identity;
use crate::time::Timestamp;

/// What a request presents, as far as any provider may look at it. Debug output shows no secret.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    /// The token of `Authorization: Bearer`.
    pub bearer: Option<&'a str>,
    /// The `userId` query parameter, which only the development provider looks at.
    pub development_user: Option<&'a str>,
    /// The peer's address.
    pub peer: IpAddr,
    /// Wall-clock time, for expiry.
    pub now: Timestamp,
}

impl fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented")
            .field("bearer", &self.bearer.map(|_| "[redacted]"))
            .field("development_user", &self.development_user)
            .field("peer", &self.peer)
            .field("now", &self.now)
            .finish()
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
    /// It has ended.
    #[error("the credential has expired")]
    Expired,
    /// It is not valid yet.
    #[error("the credential is not valid yet")]
    NotYetValid,
    /// A claim is missing or not what it must be.
    #[error("the claim `{claim}` {problem}")]
    Claim {
        /// Which claim.
        claim: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Whoever must be asked does not answer.
    #[error("the credential cannot be checked at the moment")]
    Unavailable,
}

/// The answer of a provider, which may have to ask somebody.
pub type AuthFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Option<Identity>, AuthFailure>> + Send + 'a>>;

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
    /// Dropping the future has no effect on later calls.
    fn authenticate<'a>(&'a self, presented: Presented<'a>) -> AuthFuture<'a>;
}
