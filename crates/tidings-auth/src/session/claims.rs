//! From the claims of a session to what it proves.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tidings_core::credential::{Credential, CredentialId, Serves};
use tidings_core::port::AuthFailure;
use tidings_core::time::Timestamp;

use super::{Policy, StreamLife};
use crate::claims::Claims;
use crate::limits::{SESSION_LEEWAY_SECONDS, TOKEN_ID_BYTES_MAX};
use crate::provider::Proven;
use crate::registered::{named, refuse, roles};

/// Checks the claims of an opened session against a policy and a time.
pub(super) fn prove(
    policy: &Policy,
    claims: Map<String, Value>,
    now: Timestamp,
) -> Result<Proven, AuthFailure> {
    let mut usual = Map::new();
    for name in ["exp", "nbf", "iat", "tidings"] {
        if let Some(value) = claims.get(name) {
            usual.insert(name.to_owned(), value.clone());
        }
    }
    if let Some(subject) = policy.subject.find(&claims) {
        usual.insert("sub".to_owned(), subject.clone());
    }
    let found = policy.roles.iter().filter_map(|place| place.find(&claims));
    usual.insert("roles".to_owned(), roles(found));
    let read = Claims::read(&usual)?;

    let leeway = Duration::from_secs(SESSION_LEEWAY_SECONDS);
    if now >= read.expires_at.plus(leeway) {
        return Err(AuthFailure::Expired);
    }
    if read
        .not_before
        .is_some_and(|start| now.plus(leeway) < start)
    {
        return Err(AuthFailure::NotYetValid);
    }
    let subject = named(read.subject, &policy.name, policy.qualify, &policy.others)?;
    Ok(Proven {
        subject: Some(subject),
        roles: read.roles,
        grants: read.grants,
        issuer: Some(Arc::clone(&policy.name)),
        expires_at: Some(match policy.stream_life {
            StreamLife::WithToken => read.expires_at,
            StreamLife::Session(life) => now.plus(life),
        }),
        credential: Credential {
            id: id(&policy.name, claims.get("jti"))?,
            issued_at: claims.get("iat").and_then(seconds),
            is_ambient: true,
            serves: Serves::Anything,
        },
        claims: Arc::new(claims),
        is_final: false,
    })
}

/// The name by which the session can be revoked.
fn id(issuer: &Arc<str>, id: Option<&Value>) -> Result<Option<CredentialId>, AuthFailure> {
    match id {
        None => Ok(None),
        Some(Value::String(id)) if (1..=TOKEN_ID_BYTES_MAX).contains(&id.len()) => {
            let (issuer, id) = (Arc::clone(issuer), id.as_str().into());
            Ok(Some(CredentialId::Token { issuer, id }))
        }
        Some(_) => {
            let problem = format!("is not a text of 1 to {TOKEN_ID_BYTES_MAX} bytes");
            Err(refuse("jti", problem))
        }
    }
}

/// A time whose type and range have been checked.
fn seconds(value: &Value) -> Option<Timestamp> {
    #[expect(clippy::cast_sign_loss, reason = "a time is never negative")]
    let milliseconds = |seconds: f64| Timestamp((seconds * 1_000.0) as u64);
    value.as_f64().map(milliseconds)
}
