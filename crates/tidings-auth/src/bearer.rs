//! The provider of bearer tokens: signed by the hub itself, or by an issuer of the settings.

use std::sync::Arc;

use tidings_core::port::{Presented, PublishedKeys};

use crate::issuer::Issuers;
use crate::provider::{ProofFuture, Provider};

/// What API keys begin with, which are bearer tokens of another kind.
const API_KEY_PREFIX: &str = "tdk_";

/// Accepts `Authorization: Bearer` with a signed token of any issuer.
#[derive(Debug)]
pub struct Bearer {
    issuers: Arc<Issuers>,
}

impl Bearer {
    /// A provider for the tokens of these issuers.
    pub fn new(issuers: Arc<Issuers>) -> Self {
        Self { issuers }
    }
}

impl Provider for Bearer {
    fn name(&self) -> &'static str {
        "jwt"
    }

    fn prove<'a>(&'a self, presented: Presented<'a>) -> ProofFuture<'a> {
        Box::pin(async move {
            match presented.bearer {
                Some(token) if !token.starts_with(API_KEY_PREFIX) => {
                    self.issuers.verify(token, presented.now).await.map(Some)
                }
                _ => Ok(None),
            }
        })
    }

    fn published_keys(&self) -> Vec<PublishedKeys> {
        self.issuers.published_keys()
    }
}
