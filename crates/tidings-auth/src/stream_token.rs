//! Stream tokens: signed, short-lived, for clients that open streams again and again by themselves.
//!
//! They are signed with a key that is derived from the hub's secret, so that neither passes for the
//! other: a session token cannot be worn down to a stream token, and a stream token proves nothing
//! anywhere else, although both are signed by HS256.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;
use tidings_core::audience::{Role, Subject};
use tidings_core::credential::{CredentialId, Serves};
use tidings_core::identity::Identity;
use tidings_core::limits::PATTERNS_PER_CLAIM_MAX;
use tidings_core::pattern::Pattern;
use tidings_core::port::{AuthFailure, Presented};
use tidings_core::time::Timestamp;
use zeroize::Zeroizing;

use crate::jwks::{Key, KeySet};
use crate::jwt::{Algorithm, Compact, SigningKey, first_part};
use crate::limits::{STREAM_TOKEN_LIFETIME_MS, STREAM_TOKEN_SECRETS_MAX, TOKEN_BYTES_MAX};
use crate::provider::{ProofFuture, Proven, Provider};
use crate::reading::{NotForReading, Reader};
use crate::secret::{Secret, WeakSecret};

/// The `typ` of a stream token.
pub const TYPE: &str = "tidings-stream+jwt";

/// What the key is derived for (the `info` of RFC 5869).
const KEY_INFO: &[u8] = b"tidings stream token";

/// The issuer in the name of a token that was made with a credential without a name. No issuer of
/// the settings has a space in its name.
const OWN_ISSUER: &str = "stream token";

/// Makes stream tokens, and takes them as a provider.
pub struct StreamTokens {
    /// What all of them begin with, by which one is known before it is taken apart. Only the hub makes
    /// them, and always writes the header in the same way.
    begin: String,
    signs: SigningKey,
    verify: KeySet,
}

/// A new stream token.
pub struct StreamToken {
    /// When it ends, and with it what it opened.
    pub expires_at: Timestamp,
    text: Zeroizing<String>,
}

/// Why stream tokens cannot be set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StreamTokenSetupError {
    /// A secret can be guessed, or is no secret.
    #[error(transparent)]
    Secret(#[from] WeakSecret),
    /// None at all, or more than anybody needs to replace one.
    #[error("there are {0} secrets where 1 to {STREAM_TOKEN_SECRETS_MAX} are needed")]
    Number(usize),
}

/// Why there is no stream token.
#[derive(Debug, thiserror::Error)]
pub enum StreamTokenError {
    /// Not for this identity, or not for what it asks for.
    #[error(transparent)]
    NotForReading(#[from] NotForReading),
    /// More patterns than a token may hold.
    #[error(
        "the token would hold more than {PATTERNS_PER_CLAIM_MAX} patterns: {0}; \
         ask for fewer with `topics`"
    )]
    TooManyPatterns(usize),
    /// Longer than a token may be.
    #[error(
        "the token would have more than {TOKEN_BYTES_MAX} bytes; ask for fewer patterns with `topics`"
    )]
    TooLong,
    /// The system has no randomness.
    #[error("the system gives no random bytes: {0}")]
    Randomness(getrandom::Error),
}

/// What a token says. It is only ever read after its signature was verified.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    jti: String,
    iat: u64,
    exp: u64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    sub: Option<String>,
    roles: Vec<String>,
    tidings: ReadingClaim,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ReadingClaim {
    subscribe: Vec<String>,
    hear_everyone: bool,
    /// The credential behind it, and when that was issued, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    behind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    issued_at: Option<u64>,
}

impl StreamTokens {
    /// Tokens of a hub with these secrets: the first one signs, all of them verify.
    pub fn new(secrets: &[Secret]) -> Result<Self, StreamTokenSetupError> {
        let number = StreamTokenSetupError::Number(secrets.len());
        if secrets.len() > STREAM_TOKEN_SECRETS_MAX {
            return Err(number);
        }
        let mut keys = Vec::new();
        for secret in secrets {
            secret.for_signing()?;
            keys.push(derive(secret));
        }
        let first = keys.first().ok_or(number)?;
        let verify = keys
            .iter()
            .map(|key| Key::secret(&**key, &[Algorithm::Hs256]));
        Ok(Self {
            begin: first_part(TYPE) + ".",
            signs: SigningKey::new(&**first),
            verify: KeySet::new(verify.collect()),
        })
    }

    /// Makes a token for what an identity may read; of that, only these patterns if any are given.
    pub fn mint(
        &self,
        identity: &Identity,
        patterns: Option<&[Pattern]>,
        now: Timestamp,
    ) -> Result<StreamToken, StreamTokenError> {
        if identity.credential.serves == Serves::Reading {
            return Err(NotForReading::ByReading.into());
        }
        let reader = Reader::new(identity, patterns, now)?;
        if reader.subscribe.len() > PATTERNS_PER_CLAIM_MAX {
            let count = reader.subscribe.len();
            return Err(StreamTokenError::TooManyPatterns(count));
        }
        let own_end = now.plus(Duration::from_millis(STREAM_TOKEN_LIFETIME_MS));
        let end = reader.expires_at.map_or(own_end, |end| end.min(own_end));
        // Tokens count in seconds; what is cut off is lost rather than won.
        let expires_at = Timestamp(end.0 / 1_000 * 1_000);
        if expires_at <= now {
            return Err(NotForReading::Ended.into());
        }
        let mut id = [0_u8; 16];
        getrandom::fill(&mut id).map_err(StreamTokenError::Randomness)?;
        let claims = Claims {
            jti: URL_SAFE_NO_PAD.encode(id),
            iat: now.0 / 1_000,
            exp: expires_at.0 / 1_000,
            sub: reader.subject.map(|subject| subject.to_string()),
            roles: reader.roles.iter().map(ToString::to_string).collect(),
            tidings: ReadingClaim {
                subscribe: reader.subscribe.iter().map(ToString::to_string).collect(),
                hear_everyone: reader.hear_everyone,
                behind: reader.behind.map(|id| id.to_string()),
                issued_at: reader.issued_at.map(|time| time.0),
            },
        };
        let claims = json!(claims);
        let text = self.signs.token(TYPE, &claims);
        if text.len() > TOKEN_BYTES_MAX {
            return Err(StreamTokenError::TooLong);
        }
        let text = Zeroizing::new(text);
        Ok(StreamToken { expires_at, text })
    }

    fn check(&self, presented: &Presented<'_>) -> Result<Option<Proven>, AuthFailure> {
        let is_own = |text: &&str| text.starts_with(&self.begin);
        let Some(token) = presented.bearer.filter(is_own) else {
            return Ok(None);
        };
        let token = Compact::parse(token)?;
        if !self.verify.accepts(&token) {
            return Err(AuthFailure::NotTrusted);
        }
        let claims = serde_json::from_value(Value::Object(token.claims));
        let claims: Claims = claims.map_err(|_| unreadable())?;
        let expires_at = Timestamp(claims.exp.saturating_mul(1_000));
        if expires_at <= presented.now {
            return Err(AuthFailure::Expired);
        }
        let reader = claims.reader(expires_at).ok_or_else(unreadable)?;
        Ok(Some(reader.proven()))
    }
}

fn unreadable() -> AuthFailure {
    AuthFailure::Malformed("it does not hold what a stream token of this hub does".to_owned())
}

fn derive(secret: &Secret) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(None, secret.expose())
        .expand(KEY_INFO, &mut *key)
        .expect("HKDF gives up to 255 times the 32 bytes of a hash");
    key
}

impl Claims {
    fn reader(self, expires_at: Timestamp) -> Option<Reader> {
        let roles = self.roles.iter().map(|role| Role::parse(role).ok());
        let reading = self.tidings;
        let patterns = reading.subscribe.iter();
        let patterns = patterns.map(|text| Pattern::parse(text).ok());
        let own = || CredentialId::Token {
            issuer: OWN_ISSUER.into(),
            id: self.jti.as_str().into(),
        };
        let behind = match reading.behind {
            Some(text) => CredentialId::parse(&text).ok()?,
            None => own(),
        };
        Some(Reader {
            subject: match self.sub {
                Some(text) => Some(Subject::parse(&text).ok()?),
                None => None,
            },
            roles: roles.collect::<Option<_>>()?,
            subscribe: patterns.collect::<Option<_>>()?,
            hear_everyone: reading.hear_everyone,
            expires_at: Some(expires_at),
            behind: Some(behind),
            issued_at: reading.issued_at.map(Timestamp),
        })
    }
}

impl Provider for StreamTokens {
    fn name(&self) -> &'static str {
        "stream_token"
    }

    fn prove<'a>(&'a self, presented: Presented<'a>) -> ProofFuture<'a> {
        Box::pin(async move { self.check(&presented) })
    }
}

impl StreamToken {
    /// The whole token, for whoever it is made for.
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for StreamTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamTokens")
            .field("secrets", &self.verify.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for StreamToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamToken")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
