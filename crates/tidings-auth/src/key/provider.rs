//! The provider of API keys.

use tidings_core::credential::{Credential, CredentialId, Serves};
use tidings_core::port::{AuthFailure, Presented};

use super::keys::Keys;
use super::text::PREFIX;
use crate::provider::{ProofFuture, Proven, Provider};

const HEADER: &str = "x-api-key";

/// Accepts API keys, as a bearer token or in the header `X-Api-Key`.
///
/// What does not begin as keys of the hub do is not for it: a gateway in front may have keys in that
/// header too.
#[derive(Debug, Clone)]
pub struct KeyProvider {
    keys: Keys,
}

impl KeyProvider {
    /// A provider of these keys.
    pub fn new(keys: Keys) -> Self {
        Self { keys }
    }

    fn check(&self, presented: &Presented<'_>) -> Result<Option<Proven>, AuthFailure> {
        let Some(text) = text(presented)? else {
            return Ok(None);
        };
        let key = self.keys.verify(text, presented.now)?;
        Ok(Some(Proven {
            subject: Some(key.subject.clone()),
            roles: key.roles.clone(),
            grants: key.grants.clone(),
            expires_at: key.expires_at,
            credential: Credential {
                id: Some(CredentialId::Key(key.id.clone())),
                issued_at: Some(key.created_at),
                is_ambient: false,
                serves: Serves::Anything,
            },
            ..Proven::default()
        }))
    }
}

/// The one key that a request presents, if it presents one.
fn text<'a>(presented: &Presented<'a>) -> Result<Option<&'a str>, AuthFailure> {
    let in_bearer = presented.bearer.filter(|bearer| bearer.starts_with(PREFIX));
    let mut in_headers = presented
        .headers
        .iter()
        .filter(|(name, value)| *name == HEADER && value.starts_with(PREFIX.as_bytes()));
    let refuse = |problem: &str| Err(AuthFailure::Malformed(problem.to_owned()));
    match (in_headers.next(), in_headers.next()) {
        (None, _) => Ok(in_bearer),
        (Some(_), Some(_)) => refuse("`X-Api-Key` is there more than once"),
        // Even a bearer token of another kind: whose request it is must not depend on who looks
        // first.
        (Some(_), None) if presented.bearer.is_some() => {
            refuse("there is both a bearer token and `X-Api-Key`; send one of them")
        }
        (Some((_, value)), None) => match std::str::from_utf8(value) {
            Ok(text) => Ok(Some(text)),
            Err(_) => refuse("`X-Api-Key` is not text"),
        },
    }
}

impl Provider for KeyProvider {
    fn name(&self) -> &'static str {
        "key"
    }

    fn prove<'a>(&'a self, presented: Presented<'a>) -> ProofFuture<'a> {
        Box::pin(async move { self.check(&presented) })
    }
}
