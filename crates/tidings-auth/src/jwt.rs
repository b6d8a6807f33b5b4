//! The JWT provider: a bearer token signed with a shared secret (HS256, RFC 7519).

use std::time::Duration;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde_json::{Map, Value};

use tidings_core::port::{AuthFailure, Presented};
use tidings_core::time::Timestamp;

use crate::claims::Claims;
use crate::limits::{LEEWAY_SECONDS_MAX, TOKEN_BYTES_MAX};
use crate::provider::{ProofFuture, Proven, Provider};
use crate::secret::{Secret, WeakSecret};

/// Accepts bearer tokens that are signed with one secret by HS256, and no other algorithm.
pub struct JwtAuthenticator {
    key: DecodingKey,
    validation: Validation,
    leeway: Duration,
}

/// Why a JWT provider cannot be set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwtSetupError {
    /// The secret can be guessed, or is no secret.
    #[error(transparent)]
    Secret(#[from] WeakSecret),
    /// A leeway that would prolong stolen tokens.
    #[error("the leeway is longer than {LEEWAY_SECONDS_MAX} seconds: {0:?}")]
    Leeway(Duration),
}

impl JwtAuthenticator {
    /// A provider for one secret. Tokens pass for `leeway` around their times, because clocks
    /// differ.
    pub fn new(secret: &Secret, leeway: Duration) -> Result<Self, JwtSetupError> {
        secret.for_signing()?;
        if leeway > Duration::from_secs(LEEWAY_SECONDS_MAX) {
            return Err(JwtSetupError::Leeway(leeway));
        }
        // The library verifies the signature and nothing else: its times come from its own clock,
        // and it takes claims of a wrong type for absent ones.
        let mut validation = Validation::new(Algorithm::HS256);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        Ok(Self {
            key: DecodingKey::from_secret(secret.expose()),
            validation,
            leeway,
        })
    }

    /// Checks one token against a time.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Proven, AuthFailure> {
        if token.len() > TOKEN_BYTES_MAX {
            let problem = format!("it is longer than {TOKEN_BYTES_MAX} bytes");
            return Err(AuthFailure::Malformed(problem));
        }
        let data = decode::<Map<String, Value>>(token, &self.key, &self.validation)
            .map_err(|error| failure(error.kind()))?;
        // An extension that the issuer calls critical and that is not understood (RFC 7515, 4.1.11).
        if data.header.crit.is_some() {
            return Err(AuthFailure::NotTrusted);
        }
        let claims = Claims::read(&data.claims)?;
        if now >= claims.expires_at.plus(self.leeway) {
            return Err(AuthFailure::Expired);
        }
        if claims
            .not_before
            .is_some_and(|start| now.plus(self.leeway) < start)
        {
            return Err(AuthFailure::NotYetValid);
        }
        Ok(Proven {
            subject: Some(claims.subject),
            roles: claims.roles,
            grants: claims.grants,
            expires_at: Some(claims.expires_at),
            ..Proven::default()
        })
    }
}

/// What a failure of the library comes to; its own text may quote the token.
fn failure(kind: &ErrorKind) -> AuthFailure {
    match kind {
        ErrorKind::InvalidSignature | ErrorKind::InvalidAlgorithm => AuthFailure::NotTrusted,
        ErrorKind::Json(_) => AuthFailure::Malformed(
            "its header or its claims are not what a signed token holds".to_owned(),
        ),
        _ => AuthFailure::Malformed("it is not a signed JSON web token".to_owned()),
    }
}

impl Provider for JwtAuthenticator {
    fn name(&self) -> &'static str {
        "jwt"
    }

    fn prove<'a>(&'a self, presented: Presented<'a>) -> ProofFuture<'a> {
        Box::pin(async move {
            presented
                .bearer
                .map(|token| self.verify(token, presented.now))
                .transpose()
        })
    }
}

impl std::fmt::Debug for JwtAuthenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JwtAuthenticator")
            .field("leeway", &self.leeway)
            .finish_non_exhaustive()
    }
}
