//! Handing revocations to the shards, which hold their connections against them.

use std::sync::Arc;

use tidings_core::revocation::Revocations;

use crate::hub::Hub;

impl Hub {
    /// From here on these revocations are in force, in place of those before them. Connections that
    /// they concern are given nothing more but `credential_revoked`, and so are those whose credential
    /// was proven before this and which come after it. One that takes nothing is cut after a second.
    pub fn revoke(&self, revocations: &Arc<Revocations>) {
        for inbox in &self.inner.threads.inboxes {
            inbox.revoke(revocations.clone());
        }
    }
}
