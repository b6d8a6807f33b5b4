//! The development provider: `?userId=` is believed if it comes from this very machine.

use tidings_core::audience::Subject;
use tidings_core::grant::Grants;
use tidings_core::port::{AuthFailure, Presented};

use crate::provider::{ProofFuture, Proven, Provider};

/// Believes a `userId` query parameter of loopback peers. Only assembled in development mode, and
/// never behind a proxy, whose requests all come from loopback.
#[derive(Debug)]
pub struct DevelopmentUser {
    grants: Grants,
}

impl DevelopmentUser {
    /// A provider whose users all have these grants.
    pub fn new(grants: Grants) -> Self {
        Self { grants }
    }

    fn believe(&self, presented: &Presented<'_>) -> Result<Option<Proven>, AuthFailure> {
        // An IPv4 peer of a dual-stack socket shows as `::ffff:127.0.0.1`.
        if !presented.peer.to_canonical().is_loopback() {
            return Ok(None);
        }
        let Some(user) = presented.development_user else {
            return Ok(None);
        };
        let subject = Subject::parse(user).map_err(|fault| AuthFailure::Claim {
            claim: "userId".to_owned(),
            problem: format!("is not in canonical form: {fault}"),
        })?;
        Ok(Some(Proven {
            subject: Some(subject),
            grants: self.grants.clone(),
            ..Proven::default()
        }))
    }
}

impl Provider for DevelopmentUser {
    fn name(&self) -> &'static str {
        "development"
    }

    fn prove<'a>(&'a self, presented: Presented<'a>) -> ProofFuture<'a> {
        Box::pin(async move { self.believe(&presented) })
    }
}
