//! From the claims of a session to what it proves.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tidings_core::credential::{Credential, CredentialId, Serves};
use tidings_core::port::AuthFailure;
use tidings_core::time::Timestamp;

use super::Policy;
use crate::claims::Claims;
use crate::limits::SESSION_LEEWAY_SECONDS;
use crate::provider::Proven;

/// Checks the claims of an opened session against a policy and a time.
pub(super) fn prove(
    policy: &Policy,
    claims: Map<String, Value>,
    now: Timestamp,
) -> Result<Proven, AuthFailure> {
    let read = Claims::read_as(&claims, &policy.layout)?;
    read.check_times(Duration::from_secs(SESSION_LEEWAY_SECONDS), now)?;
    let issuer = policy.name.shared();
    Ok(Proven {
        subject: Some(policy.name.subject(
            read.subject,
            &policy.layout.subject,
            policy.qualify,
            &policy.others,
        )?),
        roles: read.roles,
        grants: read.grants,
        issuer: Some(Arc::clone(&issuer)),
        expires_at: Some(policy.stream_life.end(read.expires_at, now)),
        credential: Credential {
            id: read.token_id.map(|id| CredentialId::Token { issuer, id }),
            issued_at: read.issued_at,
            is_ambient: true,
            serves: Serves::Anything,
        },
        claims: Arc::new(claims),
        is_final: false,
    })
}
