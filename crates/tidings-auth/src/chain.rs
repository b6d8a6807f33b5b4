//! All providers as one authenticator: tried in order until one knows the credential.

use std::sync::Arc;

use tidings_core::credential::Serves;
use tidings_core::identity::Identity;
use tidings_core::port::{AuthFailure, AuthFuture, Authenticator, Presented, Purpose};

use crate::provider::{Proven, Provider};

/// Asks its providers in order. The first that finds its kind of credential decides, for or against.
#[derive(Debug, Clone)]
pub struct Chain {
    providers: Vec<Arc<dyn Provider>>,
}

impl Chain {
    /// A chain of these providers.
    pub fn new(providers: Vec<Arc<dyn Provider>>) -> Self {
        Self { providers }
    }

    fn identity(
        proven: Proven,
        method: &'static str,
        presented: &Presented<'_>,
    ) -> Result<Identity, AuthFailure> {
        if proven.credential.serves == Serves::Reading && presented.purpose != Purpose::Read {
            return Err(AuthFailure::NotForThis("it opens streams and nothing else"));
        }
        Ok(Identity {
            subject: proven.subject,
            roles: proven.roles,
            grants: proven.grants,
            expires_at: proven.expires_at,
            method,
            credential: proven.credential,
        })
    }
}

impl Authenticator for Chain {
    fn name(&self) -> &'static str {
        "chain"
    }

    fn authenticate<'a>(&'a self, presented: Presented<'a>) -> AuthFuture<'a> {
        Box::pin(async move {
            for provider in &self.providers {
                if let Some(proven) = provider.prove(presented).await? {
                    return Self::identity(proven, provider.name(), &presented).map(Some);
                }
            }
            Ok(None)
        })
    }
}
