//! Signed tokens (RFC 7519), and the hub's own: signed with a shared secret by HS256.
//!
//! A token is taken apart (`jwt/compact.rs`), its signature is checked by a key that is bound to its
//! algorithms (`jwks/key.rs`), and only then do its claims count ([`claims`](crate::claims)).
//!
//! The cryptography is that of aws-lc. No token library stands between: each of its other tasks
//! (choosing the key, typing the claims, comparing times with the time of the request) has to be done
//! here anyway, it knows no ES512, and it would read the key again for every token.

mod algorithm;
mod compact;
mod kind;
pub(crate) mod object;
mod sign;

use std::sync::Arc;
use std::time::Duration;

use tidings_core::credential::{Credential, CredentialId};
use tidings_core::port::AuthFailure;
use tidings_core::time::Timestamp;

use crate::claims::Claims;
use crate::issuer::IssuerName;
use crate::jwks::{Key, KeySet};
use crate::limits::{KEYS_TRIED_MAX, LEEWAY_SECONDS_MAX};
use crate::provider::Proven;
use crate::secret::{Secret, WeakSecret};

pub use algorithm::{Algorithm, NotAnAlgorithm};
pub use kind::TokenTypes;

pub(crate) use compact::{Compact, has_shape};
pub(crate) use sign::{SigningKey, first_part};

/// Accepts tokens that are signed with the hub's own secrets by HS256, and no other algorithm.
pub struct JwtAuthenticator {
    keys: KeySet,
    types: TokenTypes,
    leeway: Duration,
}

/// Why the hub's own tokens cannot be set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwtSetupError {
    /// The secret can be guessed, or is no secret.
    #[error(transparent)]
    Secret(#[from] WeakSecret),
    /// More than are tried for one token.
    #[error("there are {0} secrets where 1 to {KEYS_TRIED_MAX} are needed")]
    Count(usize),
    /// A leeway that would prolong stolen tokens.
    #[error("the leeway is longer than {LEEWAY_SECONDS_MAX} seconds: {0:?}")]
    Leeway(Duration),
}

impl JwtAuthenticator {
    /// Accepts what one secret signed. Tokens pass for `leeway` around their times, because clocks
    /// differ.
    pub fn new(secret: &Secret, leeway: Duration) -> Result<Self, JwtSetupError> {
        Self::with_secrets(std::slice::from_ref(secret), leeway)
    }

    /// Accepts what any of several secrets signed: while one replaces another.
    pub fn with_secrets(secrets: &[Secret], leeway: Duration) -> Result<Self, JwtSetupError> {
        if !(1..=KEYS_TRIED_MAX).contains(&secrets.len()) {
            return Err(JwtSetupError::Count(secrets.len()));
        }
        let mut keys = Vec::new();
        for secret in secrets {
            secret.for_signing()?;
            keys.push(Key::secret(secret.expose(), &[Algorithm::Hs256]));
        }
        if leeway > Duration::from_secs(LEEWAY_SECONDS_MAX) {
            return Err(JwtSetupError::Leeway(leeway));
        }
        Ok(Self {
            keys: KeySet::new(keys),
            types: TokenTypes::default(),
            leeway,
        })
    }

    /// Checks one token against a time.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Proven, AuthFailure> {
        self.check(Compact::parse(token)?, now)
    }

    pub(crate) fn check(&self, token: Compact<'_>, now: Timestamp) -> Result<Proven, AuthFailure> {
        if !self.keys.accepts(&token) {
            return Err(AuthFailure::NotTrusted);
        }
        self.types.check(token.kind.as_deref())?;
        let claims = Claims::read(&token.claims)?;
        claims.check_times(self.leeway, now)?;
        let issuer: Arc<str> = IssuerName::HUB.into();
        Ok(Proven {
            subject: Some(claims.subject),
            roles: claims.roles,
            grants: claims.grants,
            claims: Arc::new(token.claims),
            expires_at: Some(claims.expires_at),
            credential: Credential {
                id: claims.token_id.map(|id| CredentialId::Token { issuer, id }),
                issued_at: claims.issued_at,
                ..Credential::default()
            },
            ..Proven::default()
        })
    }
}

impl std::fmt::Debug for JwtAuthenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JwtAuthenticator")
            .field("keys", &self.keys)
            .field("leeway", &self.leeway)
            .finish_non_exhaustive()
    }
}
