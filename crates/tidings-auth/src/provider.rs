//! The shape of every provider: from what a request presents to what is proven by it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::{Map, Value};
use tidings_core::audience::{Role, Subject};
use tidings_core::credential::Credential;
use tidings_core::grant::Grants;
use tidings_core::port::{AuthFailure, Presented, PublishedKeys};
use tidings_core::time::Timestamp;

/// What a credential proves, before the rules of the settings add to what it may do.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Proven {
    /// Who, already qualified by its issuer where that is needed.
    pub subject: Option<Subject>,
    /// With which roles.
    pub roles: Vec<Role>,
    /// What the credential itself grants.
    pub grants: Grants,
    /// What it says besides, for the placeholders of rules.
    pub claims: Arc<Map<String, Value>>,
    /// The name of its issuer in the settings; none for the hub's own credentials.
    pub issuer: Option<Arc<str>>,
    /// When what it opens ends.
    pub expires_at: Option<Timestamp>,
    /// What must be known of it later.
    pub credential: Credential,
    /// Whether the rules have been applied when it was issued: a ticket never grants more than what
    /// it was issued for.
    pub is_final: bool,
}

/// The answer of a provider, which may have to ask somebody.
pub type ProofFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Option<Proven>, AuthFailure>> + Send + 'a>>;

/// Knows one kind of credential.
///
/// Duties: `Ok(None)` means that the request presents nothing of this kind, and the next provider is
/// tried; a credential of this kind that is wrong is an error, and ends the search. Comparisons of
/// secrets take constant time. No error repeats a credential or a part of it.
pub trait Provider: Send + Sync + fmt::Debug {
    /// The word by which people know the provider, such as `jwt`.
    fn name(&self) -> &'static str;

    /// Whether it looks at the cookie of a session.
    fn is_for_sessions(&self) -> bool {
        false
    }

    /// Looks at a request.
    ///
    /// # Cancel safety
    ///
    /// As that of [`Authenticator::authenticate`](tidings_core::port::Authenticator::authenticate).
    fn prove<'a>(&'a self, presented: Presented<'a>) -> ProofFuture<'a>;

    /// What is known of keys that others publish, if it needs any.
    fn published_keys(&self) -> Vec<PublishedKeys> {
        Vec::new()
    }
}
