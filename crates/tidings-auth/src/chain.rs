//! Several providers as one: tried in order until one knows the credential.

use std::sync::Arc;

use tidings_core::port::{AuthFuture, Authenticator, Presented};

/// Asks its providers in order. The first that finds its kind of credential decides, for or against.
#[derive(Debug, Clone)]
pub struct Chain(Vec<Arc<dyn Authenticator>>);

impl Chain {
    /// A chain of these providers.
    pub fn new(providers: Vec<Arc<dyn Authenticator>>) -> Self {
        Self(providers)
    }
}

impl Authenticator for Chain {
    fn name(&self) -> &'static str {
        "chain"
    }

    fn authenticate<'a>(&'a self, presented: Presented<'a>) -> AuthFuture<'a> {
        Box::pin(async move {
            for provider in &self.0 {
                if let Some(identity) = provider.authenticate(presented).await? {
                    return Ok(Some(identity));
                }
            }
            Ok(None)
        })
    }
}
