//! The anonymous provider: lets requests in that present nothing at all. Off unless it is set up.

use tidings_core::grant::Grants;
use tidings_core::port::Presented;

use crate::provider::{ProofFuture, Proven, Provider};

/// Makes somebody who is nobody of whoever presents nothing. It stands last: a credential that is
/// there and wrong is refused by its own provider, and never counts as none.
#[derive(Debug)]
pub struct Anonymous {
    grants: Grants,
}

impl Anonymous {
    /// A provider that grants this to everybody.
    pub fn new(grants: Grants) -> Self {
        Self { grants }
    }
}

impl Provider for Anonymous {
    fn name(&self) -> &'static str {
        "anonymous"
    }

    fn prove<'a>(&'a self, presented: Presented<'a>) -> ProofFuture<'a> {
        let presents_something = presented.bearer.is_some() || presented.ticket.is_some();
        let proven = (!presents_something).then(|| Proven {
            grants: self.grants.clone(),
            ..Proven::default()
        });
        Box::pin(async move { Ok(proven) })
    }
}
